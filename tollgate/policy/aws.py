"""What AWS means by tags and policy documents; source: AWS IAM user guide, "IAM JSON policy grammar"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tollgate.policy.reading import Reading, State
from tollgate.policy.stack import Resource


def tag(resource: Resource, key: str) -> Reading:
    """A tag of a resource: its own, or one that its provider puts on everything."""
    own = resource["tags"]
    if own.state is State.UNKNOWN or own.key(key).state is not State.MISSING:
        return own.key(key)
    shared = _parsed(resource.provider.get("defaultTags"))
    tags = shared.get("tags") if isinstance(shared, Mapping) else None
    given = Reading(tags, ("provider", "defaultTags", "tags")).key(key)
    return given if given.state is not State.MISSING else _known(resource["tagsAll"].key(key), own.key(key))


def _known(one: Reading, other: Reading) -> Reading:
    return one if one.state is State.KNOWN else other


@dataclass(frozen=True)
class Allowed:
    """One statement that allows something: what, on which resources (ARNs with wildcards)."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]


def allowed(document: Reading) -> list[Allowed] | None:
    """The statements of a known policy document that do not deny; None when it cannot be read."""
    parsed = _parsed(document.value)
    listed = _listed(parsed.get("Statement")) if isinstance(parsed, Mapping) else [None]
    statements = [statement for statement in listed if isinstance(statement, Mapping)]
    if len(statements) < len(listed):
        return None
    return [_allowed(statement) for statement in statements if statement.get("Effect") != "Deny"]


def _allowed(statement: Mapping[str, Any]) -> Allowed:
    """All but some: what is left is not listed, so it counts as everything."""
    actions = ["*"] if "NotAction" in statement else _listed(statement.get("Action"))
    resources = ["*"] if "NotResource" in statement else _listed(statement.get("Resource"))
    return Allowed(tuple(map(str, actions)), tuple(map(str, resources)))


def _parsed(value: Any) -> Any:
    """A value that may be JSON in text: policy documents are, and the settings of a provider."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
