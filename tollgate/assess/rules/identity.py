"""Permission documents widened: to everyone, to every action, or to the power to take more power."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from tollgate.assess.documents import ALL_POWER, PUBLIC, SENSITIVE, allowances, cluster_widths, widths
from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject
from tollgate.assess.principals import Statements, accounts, strangers, weakened
from tollgate.assess.rule import Doubt, Fine, Hit, Seen, step_rule
from tollgate.assess.values import Pair, pairs
from tollgate.books.guards import guard_book
from tollgate.books.match import matches
from tollgate.plan.canonical import fingerprint
from tollgate.plan.model import Op, Step
from tollgate.plan.text import plain
from tollgate.policy.reading import Reading, State
from tollgate.policy.sentinels import SECRET, UNKNOWN
from tollgate.policy.severity import CRITICAL, HIGH

_SHARED = guard_book().rules["identity-widened"]
_CHANGED = (Op.UPDATE, Op.REPLACE, Op.UNRECOGNISED)
_OPS = (Op.CREATE, Op.IMPORT, *_CHANGED)
# Where permission documents stand (pulumi_aws 7.51.1, pulumi_kubernetes 4.34.2).
_DOCUMENTS = (
    (
        (
            "aws:iam/*olicy",
            "aws:s3/bucketPolicy*",
            "aws:sqs/queuePolicy*",
            "aws:sqs/queue:Queue",
            "aws:sns/*",
            "aws:kms/*",
            "aws:secretsmanager/*",
            "aws:ecr/repositoryPolicy*",
            "aws:backup/vaultPolicy*",
            "aws:ec2/vpcEndpoint*",
            "aws:opensearch/*",
        ),
        "policy",
    ),
    (("aws:iam/role:Role",), "assumeRolePolicy"),
    (("aws:iam/role:Role",), "inlinePolicies[*].policy"),
    (("kubernetes:rbac.authorization.k8s.io/*Role",), "rules"),
)
_LAMBDA_PERMISSION = "aws:lambda/permission:Permission"
# The root statement of a key policy names the account, not everyone; kms:* there is how AWS sets keys up.
_OPENS = (PUBLIC, ALL_POWER)


def _has_document(type_token: str) -> bool:
    return type_token == _LAMBDA_PERMISSION or any(matches(type_token, patterns) for patterns, _ in _DOCUMENTS)


@step_rule(id="identity-widened", severity=_SHARED.severity, why=_SHARED.why, fix=_SHARED.fix, concerns=_has_document)
def document_widened(step: Step) -> Iterator[Seen]:
    """A permission document gives away what it did not before."""
    if step.op not in _OPS:
        return
    for patterns, path in _DOCUMENTS:
        if matches(step.type, patterns):
            yield from _compare(step, path)
    if step.type == _LAMBDA_PERMISSION and (step.new or {}).get("principal") == "*":
        yield Hit(f"{capital(subject(step))} lets everyone call a function.", (), CRITICAL)


def _compare(step: Step, path: str) -> Iterator[Seen]:
    read = cluster_widths if path == "rules" else widths
    for pair in pairs(step, path):
        before, after = read(_raw(pair.before)), read(_raw(pair.after))
        if after is None:
            if pair.touched and fingerprint(_raw(pair.before)) != fingerprint(_raw(pair.after)):
                reason = "is a secret" if pair.after.secret else "is not known in full until the change runs"
                yield Doubt("value", f"{capital(subject(step))}: {pair.path} {reason}, so whom it lets in is open.")
            continue
        new = sorted(after - (before or frozenset()))
        if step.op not in _CHANGED:
            new = [each for each in new if each[0] != SENSITIVE]  # what a new role may do, the pack says
        if new:
            way, what = min(new, key=lambda item: (item[0] not in _OPENS, item))
            evidence = tuple(Evidence(path=pair.path, after=f"{way}: {what}") for way, what in new[:10])
            yield Hit(_sentence(step, way, what), evidence, CRITICAL if way in _OPENS else HIGH)
        elif before is not None and pair.touched and step.op in _CHANGED:
            yield Fine(pair.path, partial(_no_wider, step, pair))


def _no_wider(step: Step, pair: Pair) -> tuple[str, tuple[Evidence, ...]]:
    because = "it lets nobody new in from the world, and gives no power over everything that it did not give"
    text = f"{capital(subject(step))}: we looked for more power; it is fine, because {because}."
    return text, (Evidence(path=pair.path),)


@step_rule(
    id="stranger-admitted",
    severity=HIGH,
    why="Somebody else's account is let in, and what it does there is out of our hands.",
    fix="check whose account it is, and grant the single action that is needed",
    concerns=_has_document,
)
def stranger_admitted(step: Step) -> Iterator[Seen]:
    """An account is let in that the document did not name before, and that is not the resource's own."""
    for pair, before, after in _both(step):
        for name in strangers(before, after, _own_accounts(step)):
            said = f"{capital(subject(step))} lets the account {min(accounts([name]))} in."
            yield Hit(said, (Evidence(path=pair.path, before="not let in", after=plain(name)),))


@step_rule(
    id="condition-weakened",
    severity=HIGH,
    why="The condition was what kept others with the same name or service out.",
    fix="keep the condition as narrow as it was",
    concerns=_has_document,
)
def condition_weakened(step: Step) -> Iterator[Seen]:
    """Somebody is let in under fewer or wider conditions than before."""
    for pair, before, after in _both(step):
        keys = weakened(before, after)
        if keys:
            said = f"{capital(subject(step))} lets the same ones in under a weaker condition ({plain(keys[0])})."
            yield Hit(said, tuple(Evidence(path=pair.path, before=plain(key), after="wider") for key in keys[:10]))


def _both(step: Step) -> Iterator[tuple[Pair, Statements, Statements]]:
    """The documents of a step that can be read on both sides, as what they allow."""
    if step.op not in _CHANGED:
        return
    for patterns, path in _DOCUMENTS:
        if path != "rules" and matches(step.type, patterns):
            for pair in pairs(step, path):
                before, after = allowances(_raw(pair.before)), allowances(_raw(pair.after))
                if before and after:
                    yield pair, before, after


def _own_accounts(step: Step) -> frozenset[str]:
    arn = (step.old_outputs or {}).get("arn")
    return accounts([arn]) if isinstance(arn, str) else frozenset()


def _raw(reading: Reading) -> Any:
    if reading.state is State.UNKNOWN:
        return SECRET if reading.secret else UNKNOWN
    return reading.value


def _sentence(step: Step, way: str, what: str) -> str:
    if way == PUBLIC:
        return f"{capital(subject(step))} lets everyone in the world in ({what})."
    if way == ALL_POWER:
        return f"{capital(subject(step))} gives {what}."
    if way == SENSITIVE:
        return f"{capital(subject(step))} now {what}."
    return f"{capital(subject(step))} allows {what} on everything."


RULES = (document_widened, stranger_admitted, condition_weakened)
