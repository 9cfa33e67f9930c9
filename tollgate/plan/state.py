"""Reads a ``pulumi stack export`` and adds to a plan what only the state knows (guards, dependencies)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tollgate.errors import Problem, TollgateError
from tollgate.plan.model import Frozen, Op, Plan, Step
from tollgate.plan.text import decode, parse_json
from tollgate.plan.urn import split_urn

STATE_ADVICE = "give the output of `pulumi stack export`"
# Versions of the untyped deployment that this reader knows (sdk/go/common/apitype/core.go: 3, and 4 with features).
_VERSIONS = (3, 4)


class StateResource(Frozen):
    """What the state says of one resource; no values, so no secrets."""

    urn: str
    protect: bool = False
    retain_on_delete: bool = False
    dependencies: tuple[str, ...] = ()


class PendingOperation(Frozen):
    """An operation that was cut off: nobody knows whether the cloud did it."""

    urn: str
    kind: str


class State(Frozen):
    """A stack's state before the change."""

    resources: tuple[StateResource, ...] = ()
    pending_operations: tuple[PendingOperation, ...] = ()


def read_state(text: str | bytes) -> State:
    """The State in a stack export.

    Raises TollgateError when the text is cut off or is no stack export.
    """
    document = parse_json(decode(text), "state")
    deployment = document.get("deployment") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(deployment, dict):
        raise TollgateError("This is not a Pulumi state: it has no deployment.", advice=STATE_ADVICE)
    if document.get("version") not in _VERSIONS:
        message = f"This state has version {document.get('version')!r}; versions 3 and 4 are known."
        raise TollgateError(message, advice=STATE_ADVICE)
    problems: list[Problem] = []
    resources = [_resource(entry, where, problems) for entry, where in _entries(deployment, "resources", problems)]
    pending = [
        _pending(entry, where, problems) for entry, where in _entries(deployment, "pending_operations", problems)
    ]
    if problems:
        raise TollgateError("The state is not shaped as Pulumi writes it.", problems[:20], advice=STATE_ADVICE)
    return State.model_construct(
        resources=tuple(resource for resource in resources if resource),
        pending_operations=tuple(operation for operation in pending if operation),
    )


def with_state(plan: Plan, state: State) -> Plan:
    """The plan with guards and dependencies from the state.

    A resource that the plan changes and the state does not hold makes the plan one of another state: it is marked.
    """
    known = {resource.urn: resource for resource in state.resources}
    strangers = [step for step in plan.steps if _must_be_known(step) and step.urn not in known]
    steps = tuple(_enriched(step, known[step.urn]) if step.urn in known else step for step in plan.steps)
    notes = plan.notes
    if strangers:
        names = ", ".join(sorted({step.name for step in strangers})[:3])
        notes += (f"The state does not hold {len(strangers)} of the resources that the plan changes ({names}).",)
    return plan.model_copy(
        update={"steps": steps, "notes": notes, "maybe_corrupt": plan.maybe_corrupt or bool(strangers)}
    )


def _must_be_known(step: Step) -> bool:
    return step.op in (Op.UPDATE, Op.REPLACE, Op.DELETE, Op.SAME)


def _enriched(step: Step, resource: StateResource) -> Step:
    return step.model_copy(
        update={
            "protect_before": step.protect_before or resource.protect,
            "retain_on_delete": resource.retain_on_delete,
            "dependencies": step.dependencies or resource.dependencies,
        }
    )


def _entries(deployment: Mapping[str, Any], key: str, problems: list[Problem]) -> list[tuple[Any, str]]:
    entries = deployment.get(key) or []
    if not isinstance(entries, list):
        problems.append(Problem(f"deployment.{key}", "expected a list"))
        return []
    return [(entry, f"deployment.{key}[{number}]") for number, entry in enumerate(entries)]


def _resource(entry: Any, where: str, problems: list[Problem]) -> StateResource | None:
    urn = entry.get("urn") if isinstance(entry, dict) else None
    if not isinstance(urn, str) or split_urn(urn) is None:
        problems.append(Problem(where, "expected a resource with a URN"))
        return None
    protect, retain = entry.get("protect", False), entry.get("retainOnDelete", False)
    needs = entry.get("dependencies") or []
    if not isinstance(protect, bool) or not isinstance(retain, bool) or not _texts(needs):
        problems.append(Problem(where, "expected protect and retainOnDelete as true or false, dependencies as URNs"))
        return None
    return StateResource.model_construct(urn=urn, protect=protect, retain_on_delete=retain, dependencies=tuple(needs))


def _texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _pending(entry: Any, where: str, problems: list[Problem]) -> PendingOperation | None:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    urn = resource.get("urn") if isinstance(resource, dict) else None
    kind = entry.get("type") if isinstance(entry, dict) else None
    if not isinstance(urn, str) or not isinstance(kind, str):
        problems.append(Problem(where, "expected a pending operation with its resource and type"))
        return None
    return PendingOperation(urn=urn, kind=kind)
