"""What a change of settings does to each resource, found without an engine in a second rather than in ten.

The program is the real one, and what replaces or updates is the stand-in provider's own decision, the one that a
rehearsal uses. The engine's part is imitated here: its order of Check and Diff, what is not known before a replacement,
and who is replaced along with what must go first. test_planning.py holds it against the real engine.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from unittest.mock import patch

import pulumi
from pulumi.runtime import mocks
from pulumi.runtime.proto import resource_pb2, source_pb2

from tests.components.recording import Provider, execute
from tollgate.policy.paths import Path, parse_path
from tollgate.policy.sentinels import UNKNOWN
from tollgate.rehearsal import decisions
from tollgate.rehearsal.conditions import Settings
from tollgate.rehearsal.invokes import answer
from tollgate.rehearsal.kinds import Known, known, metadata_shape, provider_settings
from tollgate.rehearsal.naming import NameRequest
from tollgate.rehearsal.outputs import Kind, changed, made, planned
from tollgate.rehearsal.packages import sdk_folders
from tollgate.rehearsal.sdk_types import Sdk
from tollgate.rehearsal.values import Properties, mark_secret, read_struct, write_struct

PROVIDERS = "pulumi:providers:"
STACK = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Made:
    """A resource as the state has it. ``asked``: the program's request, to see at once that nothing is new."""

    urn: str
    asked: Any
    inputs: Properties
    outputs: Properties
    identity: str
    provider: Settings

    @property
    def custom(self) -> bool:
        return bool(self.asked.custom)


@dataclass(frozen=True)
class Touch:
    """What happens to one resource. ``op``: create, update, replace, delete or guards (protect, retain on delete).

    paths: properties that differ. because: those that replace it. first: the old one goes before the new one is made.
    """

    urn: str
    op: str
    parent: str = ""
    paths: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    first: bool = False

    @property
    def type(self) -> str:
        return self.urn.split("::")[2].rpartition("$")[2]

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]


@dataclass
class Outcome:
    """All that a change touches, and what the facts could not tell: (URN, path), and types that no book has.

    parents: of each component, before or after, its parent.
    """

    touches: list[Touch] = field(default_factory=list)
    parents: dict[str, str] = field(default_factory=dict)
    undecided: set[tuple[str, str]] = field(default_factory=set)
    unlisted: set[str] = field(default_factory=set)


Footprint = Mapping[str, Made]


def footprint(stack: str, config: Mapping[str, str]) -> Footprint:
    """Everything a stack has once it has been brought up from nothing."""
    engine = _Engine(stack, {}, preview=False)
    _run(stack, config, engine)
    return engine.now


def plan(stack: str, config: Mapping[str, str], before: Footprint) -> Outcome:
    """What a preview of this configuration would show over what is there. Raises what the program raises."""
    engine = _Engine(stack, before, preview=True)
    _run(stack, config, engine)
    gone = [Touch(urn, "delete", was.asked.parent) for urn, was in before.items() if urn not in engine.now]
    engine.outcome.touches += gone
    every = {**before, **engine.now}
    engine.outcome.parents = {urn: made.asked.parent for urn, made in every.items() if not made.custom}
    return engine.outcome


def _run(stack: str, config: Mapping[str, str], engine: _Engine) -> None:
    """Where in the source each resource was made took a quarter of the time, and nobody asks here."""
    with patch.object(pulumi.runtime.resource, "_get_stack_trace", source_pb2.StackTrace):
        execute(stack, config, engine, preview=engine.preview)


@cache
def _sdk(package: str) -> Sdk:
    return Sdk(sdk_folders(None)[package])


@cache
def _known(token: str) -> tuple[Known, Any]:
    """A type with the settings of no provider yet, and the shape of its metadata where it has no other."""
    sdk = _sdk(token.partition(":")[0])
    what = known(token, sdk, Settings())
    return what, metadata_shape(sdk) if what.kind.types is None else None


class _Engine(mocks.MockMonitor):
    """The engine, as far as one stack without pending work shows it."""

    def __init__(self, stack: str, before: Footprint, *, preview: bool) -> None:
        super().__init__(Provider())
        self._stack = stack
        self.before, self.preview = before, preview
        self.now: dict[str, Made] = {}
        self.outcome = Outcome()
        self._goes_first: set[str] = set()
        self._lock = threading.Lock()

    def Invoke(self, request: Any) -> Any:  # noqa: N802  (the gRPC service's name)
        returned = answer(request.tok, read_struct(request.args), Settings())
        return resource_pb2.ResourceInvokeResponse(**{"return": write_struct(returned)})

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        urn = self._urn(request)
        if request.type == STACK:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        with self._lock:
            here = self.now[urn] = self._step(urn, request, self.before.get(urn))
        return resource_pb2.RegisterResourceResponse(urn=urn, id=here.identity, object=write_struct(here.outputs))

    def _urn(self, request: Any) -> str:
        """As the engine makes it: all types above, but for the stack's own."""
        above = request.parent.split("::")[2] if request.parent else STACK
        types = request.type if above == STACK else f"{above}${request.type}"
        return f"urn:pulumi:{self._stack}::payments::{types}::{request.name}"

    def _step(self, urn: str, request: Any, old: Made | None) -> Made:
        settings = self._settings(request)
        if not request.custom or request.type.startswith(PROVIDERS):
            return self._plain(urn, request, old, settings)
        if old is None:
            self._touched(urn, request, "create")
            return self._new(urn, request, settings, generation=0)
        if self._replaced_along(request, old):
            self._goes_first.add(urn)
            self._touched(urn, request, "replace", first=True)  # it is gone by then, so nothing is compared
            return self._new(urn, request, settings, generation=1)
        if _same_request(request, old) and settings == old.provider:
            self._guards(urn, request, old)
            return Made(urn, request, old.inputs, old.outputs, old.identity, settings)
        return self._changed(urn, request, old, settings)

    def _plain(self, urn: str, request: Any, old: Made | None, settings: Settings) -> Made:
        """A component, or a provider: it is made, or its settings change; nothing replaces it."""
        inputs = read_struct(request.object)
        if old is None:
            self._touched(urn, request, "create")
        elif inputs != old.inputs:
            self._touched(urn, request, "update", paths=_top_level(old.inputs, inputs))
        identity = f"{request.name}-id" if request.custom else ""
        return Made(urn, request, inputs, {}, identity, settings)

    def _new(self, urn: str, request: Any, settings: Settings, *, generation: int) -> Made:
        """A resource that is made now. In a preview only what the program says is known of it."""
        kind = _kind(request.type, settings)
        inputs = self._checked(urn, request, {}, settings, seed=f"{urn}#{generation}")
        if self.preview:
            outputs = mark_secret(planned(kind, inputs), kind.facts.sensitive)
            return Made(urn, request, inputs, outputs, "", settings)
        identity, outputs = made(kind, inputs, f"{urn}#{generation}")
        return Made(urn, request, inputs, mark_secret(outputs, kind.facts.sensitive), identity, settings)

    def _changed(self, urn: str, request: Any, old: Made, settings: Settings) -> Made:
        kind = _kind(request.type, settings)
        inputs = self._checked(urn, request, old.inputs, settings, seed=f"{urn}#0")
        found = decisions.diff(kind, old.inputs, inputs, old.outputs, list(request.ignoreChanges))
        self.outcome.undecided |= {(urn, path) for path in found.undecided}
        if not _known(request.type)[0].listed and found.changes:
            self.outcome.unlisted.add(request.type)
        paths = tuple(change.text for change in found.changes)
        because = tuple(
            change.text for change in found.changes if change.replaces or _within(change.path, request.replaceOnChanges)
        )
        if because:
            said = request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None
            first = decisions.deletes_before_replacing(kind, inputs, found) if said is None else said
            self._goes_first |= {urn} if first else set()
            self._touched(urn, request, "replace", paths=paths, because=because, first=first)
            return self._new(urn, request, settings, generation=1)
        outputs = old.outputs
        if paths:
            self._touched(urn, request, "update", paths=paths)
            given = (old.outputs, old.inputs, inputs, old.identity, f"{urn}#0")
            outputs = mark_secret(changed(kind, *given, preview=self.preview), kind.facts.sensitive)
        else:
            self._guards(urn, request, old)
        return Made(urn, request, inputs, outputs, old.identity, settings)

    def _replaced_along(self, request: Any, old: Made) -> bool:
        """True for what must go together with something that goes first.

        The engine asks the provider what would happen if all that came from there were unknown
        (pkg/resource/deploy/step_generator.go, calculateDependentReplacements).
        """
        from_there = {
            name: UNKNOWN
            for name, depends in old.asked.propertyDependencies.items()
            if set(depends.urns) & self._goes_first and name in old.inputs
        }
        if not from_there:
            return False
        kind = _kind(request.type, old.provider)
        return bool(decisions.diff(kind, old.inputs, {**old.inputs, **from_there}, old.outputs).replaces)

    def _checked(self, urn: str, request: Any, old: Properties, settings: Settings, *, seed: str) -> Properties:
        wanted = NameRequest(resource=request.name, seed=seed.encode())
        shape = _known(request.type)[1]
        kind = _kind(request.type, settings)
        given = read_struct(request.object)
        for name in request.ignoreChanges:  # the engine puts the old value back before the provider sees the new one
            given = {key: value for key, value in {**given, name: old.get(name)}.items() if value is not None}
        inputs, failures = decisions.check(kind, given, old, wanted, shape)
        if failures:
            raise AssertionError(f"{urn}: {failures}")
        return inputs

    def _settings(self, request: Any) -> Settings:
        """What the program told the provider of a resource."""
        urn = request.provider.rpartition("::")[0]
        if urn not in self.now:
            return Settings()
        package = urn.split("::")[2].rpartition(PROVIDERS)[2]
        return provider_settings(package, self.now[urn].inputs)

    def _guards(self, urn: str, request: Any, old: Made) -> None:
        guards = ("protect", "retainOnDelete")
        differ = tuple(name for name in guards if getattr(request, name) != getattr(old.asked, name))
        if differ:
            self._touched(urn, request, "guards", paths=differ)

    def _touched(self, urn: str, request: Any, op: str, **more: Any) -> None:
        self.outcome.touches.append(Touch(urn, op, request.parent, **more))


def _kind(token: str, settings: Settings) -> Kind:
    return replace(_known(token)[0].kind, settings=settings)


def _same_request(request: Any, old: Made) -> bool:
    return bool(request.object == old.asked.object and request.replaceOnChanges == old.asked.replaceOnChanges)


def _top_level(old: Properties, new: Properties) -> tuple[str, ...]:
    return tuple(sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name)))


def _within(path: Path, texts: Sequence[str]) -> bool:
    return any(path[: len(steps)] == steps for steps in map(parse_path, texts))
