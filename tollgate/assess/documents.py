"""Permission documents: what an IAM policy or a Kubernetes role gives away."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tollgate.policy.sentinels import is_secret, is_unknown

# Ways in which a document can be too wide; PUBLIC is for anyone in the world.
PUBLIC, ALL_POWER, WIDE_ACTION, ESCALATION = "public", "all power", "wide action", "escalation"
SENSITIVE = "sensitive"  # a single thing with which much more can be reached
# Actions with which an identity can give itself any other (https://docs.aws.amazon.com/IAM/latest/UserGuide/).
_ESCALATING = frozenset(
    {
        "iam:*",
        "iam:attachrolepolicy",
        "iam:putrolepolicy",
        "iam:createpolicyversion",
        "iam:passrole",
        "iam:updateassumerolepolicy",
        "sts:*",
        "organizations:*",
        "kms:*",
    }
)


def widths(document: Any) -> frozenset[tuple[str, str]] | None:
    """What is too wide in an IAM policy, as (way, what); None when it cannot be read."""
    allowed = allowances(document)
    if allowed is None:
        return None
    return frozenset(found for statement in allowed for found in _of_statement(statement))


def allowances(document: Any) -> list[Mapping[str, Any]] | None:
    """The statements of an IAM policy that allow something; None when it cannot be read."""
    if document in (None, ""):
        return []
    if is_unknown(document) or is_secret(document):
        return None
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except (ValueError, RecursionError):
            return None
    if not isinstance(document, Mapping) or _holds_unknown(document, 0):
        return None
    statements = as_list(document.get("Statement"))
    if not all(isinstance(statement, Mapping) for statement in statements):
        return None
    return [statement for statement in statements if statement.get("Effect") == "Allow"]


def _of_statement(statement: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    actions = sorted(str(action).lower() for action in as_list(statement.get("Action")))
    if "NotAction" in statement:
        yield ALL_POWER, "everything but a few actions"
    if _anyone(statement.get("Principal")) and not statement.get("Condition"):
        yield PUBLIC, ", ".join(actions)[:60]
    if "NotPrincipal" in statement:
        yield PUBLIC, "all but a few"
    everything = "*" in [str(resource) for resource in as_list(statement.get("Resource"))]
    for action in actions:
        if action in ("*", "*:*"):
            yield ALL_POWER, "every action" + (" on everything" if everything else "")
        elif everything and action in _ESCALATING and "Principal" not in statement:
            yield ESCALATION, action
        elif everything and action.endswith(":*") and "Principal" not in statement:
            yield WIDE_ACTION, action


def _anyone(principal: Any) -> bool:
    if isinstance(principal, Mapping):
        return any("*" in as_list(value) for value in principal.values())
    return bool(principal == "*")


def cluster_widths(rules: Any) -> frozenset[tuple[str, str]] | None:
    """The same for the rules of a Kubernetes Role or ClusterRole."""
    if is_unknown(rules) or is_secret(rules):
        return None
    found: set[tuple[str, str]] = set()
    for rule in as_list(rules):
        if not isinstance(rule, Mapping):
            return None
        verbs, resources = as_list(rule.get("verbs")), as_list(rule.get("resources"))
        if "*" in verbs and "*" in resources:
            found.add((ALL_POWER, "every action on everything"))
        elif {"escalate", "bind", "impersonate"} & {str(verb) for verb in verbs}:
            found.add((ESCALATION, "escalate, bind or impersonate"))
        elif "*" in resources or ("*" in verbs and "secrets" in resources):
            found.add((WIDE_ACTION, ", ".join(str(verb) for verb in verbs)[:60]))
        elif not rule.get("resourceNames"):
            found |= {(SENSITIVE, what) for what in _reaches(verbs, resources)}
    return frozenset(found)


# What gives more than it names (https://kubernetes.io/docs/concepts/security/rbac-good-practices/).
_READS, _WRITES = frozenset({"get", "list", "watch", "*"}), frozenset({"create", "update", "patch", "*"})
_REACHES = {
    "secrets": (_READS, "reads every secret"),
    "pods/exec": (_WRITES, "opens a shell in every pod"),
    "pods/attach": (_WRITES, "joins every pod"),
    "pods/portforward": (_WRITES, "reaches every port of every pod"),
    "serviceaccounts/token": (_WRITES, "takes the name of every program"),
    "nodes/proxy": (_READS | _WRITES, "reaches every node"),
    "roles": (_WRITES, "changes rights"),
    "clusterroles": (_WRITES, "changes rights"),
    "rolebindings": (_WRITES, "gives rights away"),
    "clusterrolebindings": (_WRITES, "gives rights away"),
    "mutatingwebhookconfigurations": (_WRITES, "changes what others start"),
    "validatingwebhookconfigurations": (_WRITES, "changes what the cluster refuses"),
}


def _reaches(verbs: list[Any], resources: list[Any]) -> Iterator[str]:
    for resource in resources:
        wanted, what = _REACHES.get(str(resource), (frozenset(), ""))
        if wanted & {str(verb) for verb in verbs}:
            yield what


def _holds_unknown(value: Any, depth: int) -> bool:
    if depth > 20:  # deeper than any policy; what is not looked at is not known
        return True
    if isinstance(value, Mapping):
        return is_secret(value) or any(_holds_unknown(item, depth + 1) for item in value.values())
    if isinstance(value, list):
        return any(_holds_unknown(item, depth + 1) for item in value)
    return is_unknown(value) or is_secret(value)


def as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
