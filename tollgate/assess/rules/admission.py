"""A new gatekeeper of the cluster that lets nothing in when it cannot be asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tollgate.assess.documents import as_list
from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Hit, Seen, step_rule
from tollgate.books.match import matches
from tollgate.plan.model import Op, Step
from tollgate.plan.text import plain
from tollgate.policy.severity import MEDIUM

_WEBHOOKS = ("kubernetes:admissionregistration.k8s.io/*:*WebhookConfiguration",)
_OPS = (Op.CREATE, Op.UPDATE, Op.REPLACE, Op.IMPORT)
_EVERYTHING = frozenset({"*", "*/*", "pods"})


@step_rule(
    id="admission-blocks",
    severity=MEDIUM,
    why="When the program behind it is down no pod can start in the cluster, that program among them.",
    fix="leave out kube-system and its own namespace (namespaceSelector), or let it fail open (failurePolicy Ignore)",
    concerns=lambda type_token: matches(type_token, _WEBHOOKS),
)
def admission_blocks(step: Step) -> Iterator[Seen]:
    """A webhook must be asked for every pod of every namespace, and a fault of it refuses them all."""
    if step.op not in _OPS or step.new is None:
        return
    before = {name for name, hook in _hooks(step.old) if _blocks(hook)}
    for name, hook in _hooks(step.new):
        if _blocks(hook) and name not in before:
            said = (
                f"{capital(subject(step))} must be asked for every pod of every namespace; when it is down none starts."
            )
            yield Hit(said, (Evidence(path=plain(name), after="fails closed, for every namespace"),))


def _hooks(inputs: Mapping[str, Any] | None) -> list[tuple[str, Mapping[str, Any]]]:
    found = as_list((inputs or {}).get("webhooks"))
    return [(str(hook.get("name", "")), hook) for hook in found if isinstance(hook, Mapping)]


def _blocks(hook: Mapping[str, Any]) -> bool:
    """failurePolicy is Fail unless it says otherwise (admissionregistration.k8s.io/v1)."""
    narrowed = any(hook.get(key) for key in ("namespaceSelector", "objectSelector", "matchConditions"))
    rules = [rule for rule in as_list(hook.get("rules")) if isinstance(rule, Mapping)]
    pods = any(_EVERYTHING & {str(each) for each in as_list(rule.get("resources"))} for rule in rules)
    return hook.get("failurePolicy", "Fail") == "Fail" and pods and not narrowed


RULES = (admission_blocks,)
