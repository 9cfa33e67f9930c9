"""Ties: what a resource needs of others, as its state says it. They are what a deletion pulls along."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple


class TieKind(StrEnum):
    """How one resource hangs on another."""

    PROPERTY = "property"  # one of its inputs is made from an output of the other
    ORDER = "order"  # it is only made after the other (dependsOn)
    PARENT = "parent"
    DELETED_WITH = "deletedWith"  # it goes when the other goes, and nobody asks the cloud to delete it
    REPLACED_WITH = "replaceWith"  # it is replaced when the other is
    PROVIDER = "provider"  # it is made through that connection


class Tie(NamedTuple):
    """``urn`` is what is needed; ``input`` names the property that is made from it."""

    kind: TieKind
    urn: str
    input: str = ""


def provider_urn(reference: str) -> str:
    """The URN in a provider reference (``urn::id``), which changes its id without meaning anything."""
    return reference.rpartition("::")[0]


def ties_of(state: Mapping[str, Any]) -> tuple[Tie, ...]:
    """The ties in a resource's state, of a stack export or a digest. What is not shaped as one is left out."""
    found = [
        Tie(TieKind.PROPERTY, urn, name)
        for name, urns in _mapping(state.get("propertyDependencies")).items()
        if urns
        for urn in _texts(urns)
    ]
    if state.get("dependencies"):
        by_property = {tie.urn for tie in found}
        found += [Tie(TieKind.ORDER, urn) for urn in _texts(state["dependencies"]) if urn not in by_property]
    if state.get("replaceWith"):
        found += [Tie(TieKind.REPLACED_WITH, urn) for urn in _texts(state["replaceWith"])]
    for kind, key in _SINGLE:
        text = state.get(key)
        if text and isinstance(text, str) and (urn := provider_urn(text) if kind is TieKind.PROVIDER else text):
            found.append(Tie(kind, urn))
    return tuple(found)


_SINGLE = ((TieKind.PARENT, "parent"), (TieKind.DELETED_WITH, "deletedWith"), (TieKind.PROVIDER, "provider"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(values: Any) -> list[str]:
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
