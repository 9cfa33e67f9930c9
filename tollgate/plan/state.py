"""Reads a ``pulumi stack export``: guards, ties, what was cut off, and the settings of connections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import Field

from tollgate.errors import Problem, TollgateError
from tollgate.plan.collector import collector_paused
from tollgate.plan.model import Frozen
from tollgate.plan.steps import blind
from tollgate.plan.text import decode, parse_json
from tollgate.plan.ties import Tie, ties_of
from tollgate.plan.urn import split_urn

STATE_ADVICE = "give the output of `pulumi stack export`"
# Versions of the untyped deployment that this reader knows (sdk/go/common/apitype/core.go: 3, and 4 with features).
_VERSIONS = (3, 4)
_MARKS = {
    "protect": "protect",
    "retain_on_delete": "retainOnDelete",
    "leftover": "delete",
    "half_replaced": "pendingReplacement",
    "tainted": "taint",
}


class StateResource(NamedTuple):
    """What the state says of one resource; no values, so no secrets. A tuple, because a state holds many thousands.

    leftover: an older one that was replaced and is still to be deleted. half_replaced: the old one is gone, the new
    one not made yet. tainted: somebody asked for its replacement.
    """

    urn: str
    type: str = ""
    protect: bool = False
    retain_on_delete: bool = False
    leftover: bool = False
    half_replaced: bool = False
    tainted: bool = False
    ties: tuple[Tie, ...] = ()


class PendingOperation(Frozen):
    """An operation that was cut off: nobody knows whether the cloud did it."""

    urn: str
    kind: str


class State(Frozen):
    """A stack's state before the change. connections: settings of each connection by URN, secrets blinded."""

    resources: tuple[StateResource, ...] = ()
    pending_operations: tuple[PendingOperation, ...] = ()
    connections: dict[str, dict[str, Any]] = Field(default_factory=dict)


def read_state(text: str | bytes) -> State:
    """The State in a stack export.

    Raises TollgateError when the text is cut off or is no stack export.
    """
    with collector_paused():
        deployment = deployment_of(parse_json(decode(text, STATE_ADVICE), "state", STATE_ADVICE))
        problems: list[Problem] = []
        resources = [_resource(entry, where, problems) for entry, where in _entries(deployment, "resources", problems)]
        pending = [
            _pending(entry, where, problems) for entry, where in _entries(deployment, "pending_operations", problems)
        ]
        connections = _connections(deployment, problems)
        if problems:
            raise TollgateError("The state is not shaped as Pulumi writes it.", problems[:20], advice=STATE_ADVICE)
        return State.model_construct(
            resources=tuple(resource for resource in resources if resource),
            pending_operations=tuple(operation for operation in pending if operation),
            connections=connections,
        )


def _connections(deployment: Mapping[str, Any], problems: list[Problem]) -> dict[str, dict[str, Any]]:
    """The settings of every connection in the state."""
    found = {}
    for entry, where in _entries(deployment, "resources", []):
        if isinstance(entry, dict) and str(entry.get("type")).startswith("pulumi:providers:"):
            inputs = entry.get("inputs") or {}
            if isinstance(inputs, dict):
                found[str(entry.get("urn"))] = blind(inputs)
            else:
                problems.append(Problem(f"{where}.inputs", "expected the settings of a connection as an object"))
    return found


def deployment_of(document: Any) -> dict[str, Any]:
    """The deployment within a parsed stack export. Raises TollgateError when there is none, or of another version."""
    deployment = document.get("deployment") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(deployment, dict):
        raise TollgateError("This is not a Pulumi state: it has no deployment.", advice=STATE_ADVICE)
    if document.get("version") not in _VERSIONS:
        message = f"This state has version {document.get('version')!r}; versions 3 and 4 are known."
        raise TollgateError(message, advice=STATE_ADVICE)
    return deployment


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
    marks = {name: entry[key] for name, key in _MARKS.items() if key in entry}
    if not {*map(type, marks.values())} <= {bool}:
        problems.append(Problem(where, f"expected true or false for {', '.join(_MARKS.values())}"))
        return None
    if not _ties_are_texts(entry):
        problems.append(Problem(where, "expected the resources it depends on as URNs"))
        return None
    kind = split_urn(urn).type  # type: ignore[union-attr]
    return StateResource(urn=urn, type=kind, ties=ties_of(entry), **marks)


def _ties_are_texts(entry: Mapping[str, Any]) -> bool:
    properties = entry.get("propertyDependencies") or {}
    if not isinstance(properties, Mapping):
        return False
    several = (entry.get("dependencies"), entry.get("replaceWith"), *properties.values())
    single = (entry.get("parent"), entry.get("provider"), entry.get("deletedWith"))
    return all(map(_texts, filter(None, several))) and {*map(type, filter(None, single))} <= {str}


def _texts(values: Any) -> bool:
    return isinstance(values, list) and {*map(type, values)} <= {str}


def _pending(entry: Any, where: str, problems: list[Problem]) -> PendingOperation | None:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    urn = resource.get("urn") if isinstance(resource, dict) else None
    kind = entry.get("type") if isinstance(entry, dict) else None
    if not isinstance(urn, str) or not isinstance(kind, str):
        problems.append(Problem(where, "expected a pending operation with its resource and type"))
        return None
    return PendingOperation(urn=urn, kind=kind)
