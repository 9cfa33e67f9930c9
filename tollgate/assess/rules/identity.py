"""Permission documents widened: to everyone, to every action, or to the power to take more power."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tollgate.assess.documents import ALL_POWER, PUBLIC, cluster_widths, widths
from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Doubt, Hit, step_rule
from tollgate.assess.values import pairs
from tollgate.books.guards import guard_book
from tollgate.books.match import matches
from tollgate.plan.canonical import fingerprint
from tollgate.plan.model import Op, Step
from tollgate.policy.reading import Reading, State
from tollgate.policy.sentinels import SECRET, UNKNOWN
from tollgate.policy.severity import CRITICAL, HIGH

_SHARED = guard_book().rules["identity-widened"]
_OPS = (Op.CREATE, Op.IMPORT, Op.UPDATE, Op.REPLACE, Op.UNRECOGNISED)
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
def document_widened(step: Step) -> Iterator[Hit | Doubt]:
    """A permission document gives away what it did not before."""
    if step.op not in _OPS:
        return
    for patterns, path in _DOCUMENTS:
        if matches(step.type, patterns):
            yield from _compare(step, path)
    if step.type == _LAMBDA_PERMISSION and (step.new or {}).get("principal") == "*":
        yield Hit(f"{capital(subject(step))} lets everyone call a function.", (), CRITICAL)


def _compare(step: Step, path: str) -> Iterator[Hit | Doubt]:
    read = cluster_widths if path == "rules" else widths
    for pair in pairs(step, path):
        before, after = read(_raw(pair.before)), read(_raw(pair.after))
        if after is None:
            if pair.touched and fingerprint(_raw(pair.before)) != fingerprint(_raw(pair.after)):
                reason = "is a secret" if pair.after.secret else "is not known in full until the change runs"
                yield Doubt("value", f"{capital(subject(step))}: {pair.path} {reason}, so whom it lets in is open.")
            continue
        new = sorted(after - (before or frozenset()))
        if new:
            way, what = min(new, key=lambda item: (item[0] not in _OPENS, item))
            evidence = tuple(Evidence(path=pair.path, after=f"{way}: {what}") for way, what in new[:10])
            yield Hit(_sentence(step, way, what), evidence, CRITICAL if way in _OPENS else HIGH)


def _raw(reading: Reading) -> Any:
    if reading.state is State.UNKNOWN:
        return SECRET if reading.secret else UNKNOWN
    return reading.value


def _sentence(step: Step, way: str, what: str) -> str:
    if way == PUBLIC:
        return f"{capital(subject(step))} lets everyone in the world in ({what})."
    if way == ALL_POWER:
        return f"{capital(subject(step))} gives {what}."
    return f"{capital(subject(step))} allows {what} on everything."


RULES = (document_widened,)
