"""A whole stack as a rule over several resources sees it: what there is, and what refers to what.

The engine shows a pack each resource's inputs when it is registered, and at the end all resources with what the
providers made of them. A provider that is itself not known yet makes nothing: so inputs count, and outputs fill in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tollgate.policy.check import HOLDS, Check, Finding, Verdict, fails, unshown
from tollgate.policy.paths import Path, Segment, parse_path
from tollgate.policy.reading import Reading, State
from tollgate.policy.sentinels import SIGNATURE_KEY, UNKNOWN

# The Kubernetes API reference: an object without a namespace is put into this one.
_DEFAULTS: Mapping[Path, Any] = {("metadata", "namespace"): "default"}


@dataclass(frozen=True, eq=False)
class Resource:
    """One resource of a stack.

    inputs, outputs: plain JSON in wire spelling, with the engine's marks for unknown values and secrets.
    dependencies: by top-level property, the URNs of the resources that its value is made of.
    provider: the inputs of the provider that makes it.
    """

    urn: str
    type: str
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    outputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    provider: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The name that the program gave it: the last part of the URN."""
        return self.urn.rpartition("::")[2]

    @cached_property
    def reading(self) -> Reading:
        """Its properties: the inputs, and what only the provider says."""
        return Reading(_over(self.outputs, self.inputs), defaults=_DEFAULTS)

    def __getitem__(self, path: str) -> Reading:
        return self.reading[path]

    def names(self, path: str, target: Resource, by: Iterable[str] = ("id",)) -> Check:
        """Whether a property of this resource names the target, by one of the target's own properties.

        A value that is not known yet is followed to where it comes from. Holds only when it can be no other.
        """
        place = self[path]
        finding = Finding(path, place.found, f"a reference to {target.name}")
        if place.state is State.UNKNOWN:
            return self._comes_from(parse_path(path)[0], target, finding)
        if place.state is State.MISSING:
            return fails(finding)
        told = [target[each] for each in by]
        if any(each.state is State.KNOWN and each.value == place.value for each in told):
            return HOLDS
        return fails(finding) if any(each.state is State.KNOWN for each in told) else unshown(finding)

    def _comes_from(self, name: Segment, target: Resource, finding: Finding) -> Check:
        sources = self.dependencies.get(str(name), ())
        alike = [urn for urn in sources if _type_of(urn) == target.type]
        if alike == [target.urn]:
            return HOLDS
        return fails(finding) if sources and target.urn not in sources else unshown(finding)


class Stack:
    """All resources of a stack that the rules read."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._by_type: dict[str, list[Resource]] = {}
        self._groups: dict[tuple[tuple[str, ...], str], dict[Any, list[Resource]]] = {}
        for resource in resources:
            self._by_type.setdefault(resource.type, []).append(resource)

    def of(self, *types: str) -> list[Resource]:
        """The resources of these types, type by type."""
        return [resource for each in types for resource in self._by_type.get(each, ())]

    def alike(self, path: str, value: Reading, *types: str) -> list[Resource]:
        """Those of these types that may have this value in this place: all but those that are known not to."""
        if value.state is State.UNKNOWN:
            return self.of(*types)
        key = (types, path)
        if key not in self._groups:
            groups = self._groups.setdefault(key, {})
            for resource in self.of(*types):
                place = resource[path]
                groups.setdefault(UNKNOWN if place.state is State.UNKNOWN else str(place.value), []).append(resource)
        return [*self._groups[key].get(str(value.value), ()), *self._groups[key].get(UNKNOWN, ())]

    def has(self, *types: str) -> bool:
        return any(each in self._by_type for each in types)


def any_of(checks: Iterable[Check], otherwise: Finding) -> Check:
    """One of these holds. Unknown as long as one may still do; ``otherwise`` says what is missing."""
    doubts: list[Finding] = []
    for check in checks:
        if check.verdict is Verdict.HOLDS:
            return HOLDS
        if check.verdict is Verdict.UNSHOWN:
            doubts += check.findings
    return Check(Verdict.UNSHOWN, tuple(dict.fromkeys(doubts))) if doubts else fails(otherwise)


def equal(one: Reading, other: Reading) -> Check:
    """Both places have the same value; left out on both sides counts as the same."""
    if State.UNKNOWN in (one.state, other.state):
        asked = one if one.state is State.UNKNOWN else other
        return asked.satisfies(lambda _: False, "a value that is known")
    wanted = "the same value on both sides"
    return HOLDS if one.value == other.value else fails(Finding("", f"{one.found} and {other.found}", wanted))


@dataclass(frozen=True)
class Ref:
    """In an example: a value that another resource of the example only has once it is made."""

    name: str


Example = Mapping[str, tuple[str, Mapping[str, Any]]]
"""A small set of resources for a statement: by name, the type and the inputs. ``Ref`` points to another."""


def stack_of(example: Example) -> Stack:
    """The example as the engine would show it at a preview."""

    def made(name: str, kind: str, inputs: Mapping[str, Any]) -> Resource:
        sources = {key: tuple(urn_of(example, each) for each in _refs(value)) for key, value in inputs.items()}
        known = {key: _unknown_where_ref(value) for key, value in inputs.items()}
        outputs = {"id": UNKNOWN, "arn": UNKNOWN}
        return Resource(urn_of(example, name), kind, known, outputs, {k: urns for k, urns in sources.items() if urns})

    return Stack(made(name, kind, inputs) for name, (kind, inputs) in example.items())


def urn_of(example: Example, name: str) -> str:
    """The URN of a resource of an example."""
    return f"urn:pulumi:example::example::{example[name][0]}::{name}"


def _type_of(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def _over(base: Any, top: Any) -> Any:
    """``top`` laid over ``base``, key by key; a secret is one value."""
    if not isinstance(base, Mapping) or not isinstance(top, Mapping) or SIGNATURE_KEY in (*base, *top):
        return top
    return {**base, **{key: _over(base[key], value) if key in base else value for key, value in top.items()}}


def _refs(value: Any) -> list[str]:
    if isinstance(value, Ref):
        return [value.name]
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [name for item in inside for name in _refs(item)]


def _unknown_where_ref(value: Any) -> Any:
    if isinstance(value, Ref):
        return UNKNOWN
    if isinstance(value, Mapping):
        return {key: _unknown_where_ref(item) for key, item in value.items()}
    return [_unknown_where_ref(item) for item in value] if isinstance(value, list) else value
