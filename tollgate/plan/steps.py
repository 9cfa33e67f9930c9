"""One step of either spelling (digest or event) read with care: its shape is checked, its secrets are blinded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tollgate.errors import Problem, TollgateError
from tollgate.plan.model import ChangeKind, Op, PropertyChange, Step
from tollgate.plan.text import ADVICE, plain
from tollgate.plan.ties import Tie, ties_of
from tollgate.plan.urn import split_urn
from tollgate.policy.sentinels import SECRET, SECRET_SIGNATURE, SIGNATURE_KEY

_HOLDERS = (dict, list)
_DEEPEST = 100  # levels of a value; deeper than any schema, and far from what Python can follow


class ShapeError(Exception):
    """A step that is not shaped as the engine shapes it; ``problems`` say where."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(len(problems))


@dataclass(frozen=True, slots=True)
class Side:
    """What one state (old or new) of a resource says."""

    inputs: dict[str, Any]
    outputs: dict[str, Any]
    parent: str
    custom: bool
    protect: bool
    retain: bool
    replaced_later: bool
    pending_replacement: bool
    urn: str
    provider: str
    ties: tuple[Tie, ...]


@dataclass(frozen=True, slots=True)
class RawStep:
    """A step as the engine wrote it, before replacement pieces are folded."""

    op: str
    urn: str
    type: str
    name: str
    provider: str
    old: Side | None
    new: Side | None
    changes: tuple[PropertyChange, ...] | None
    diff_keys: tuple[str, ...]
    replace_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spelling:
    """The names one source uses for the same things."""

    old: str
    new: str
    diff_keys: str
    replace_keys: str
    kind: str


DIGEST_SPELLING = Spelling("oldState", "newState", "diffReasons", "replaceReasons", "kind")
EVENT_SPELLING = Spelling("old", "new", "diffs", "keys", "diffKind")


_KINDS = {kind.value: (kind, False) for kind in ChangeKind} | {
    f"{kind.value}-replace": (kind, True) for kind in ChangeKind
}
# Which sides a step of each kind has; a step without them was not written by an engine that went well.
_SIDES = {
    Op.SAME: (True, True),
    Op.CREATE: (False, True),
    Op.UPDATE: (True, True),
    Op.REPLACE: (True, True),
    Op.DELETE: (True, False),
}


class _Reader:
    """Checks shapes and remembers every problem with its address."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.problems: list[Problem] = []

    def field(self, source: Mapping[str, Any], key: str, kind: type, default: Any) -> Any:
        value = source.get(key)
        if value is None:
            return default
        if not isinstance(value, kind):
            self.bad(key, f"expected {_WORDS[kind]}, found {_shape(value)}")
            return default
        return value

    def names(self, source: Mapping[str, Any], key: str) -> tuple[str, ...]:
        values = self.field(source, key, list, [])
        if not all(isinstance(value, str) for value in values):
            self.bad(key, "expected a list of texts")
            return ()
        return tuple(values)

    def bad(self, key: str, text: str) -> None:
        self.problems.append(Problem(f"{self.where}.{key}" if self.where else key, text))


_WORDS = {str: "a text", dict: "an object", list: "a list", bool: "true or false", int: "a number"}


def _shape(value: Any) -> str:
    return _WORDS.get(type(value), "a number")


def read_step(source: Any, spelling: Spelling, where: str) -> RawStep:
    """One step from its JSON object.

    Raises ShapeError with every problem of this step.
    """
    reader = _Reader(where)
    if not isinstance(source, dict):
        raise ShapeError([Problem(where, f"expected a step as an object, found {_shape(source)}")])
    op, urn = reader.field(source, "op", str, ""), reader.field(source, "urn", str, "")
    parts = split_urn(urn) if plain(urn) == urn.strip() else None
    if not op:
        reader.bad("op", "the step does not say what it does")
    if parts is None:
        reader.bad("urn", "expected a Pulumi URN (urn:pulumi:<stack>::<project>::<type>::<name>)")
    old, old_type = _side(reader, source, spelling.old)
    new, new_type = _side(reader, source, spelling.new)
    stated = reader.field(source, "type", str, "") or new_type or old_type
    if parts is not None and stated and stated != parts.type:
        reader.bad("type", f"the URN says {plain(parts.type)}")
    if new is not None and new.urn != urn:
        reader.bad(f"{spelling.new}.urn", "expected the URN of the step")
    raw = RawStep(
        op=plain(op),
        urn=urn,
        type=plain(parts.type if parts else ""),
        name=parts.name if parts else "",
        provider=reader.field(source, "provider", str, ""),
        old=old,
        new=new,
        changes=_changes(reader, source, spelling.kind),
        diff_keys=reader.names(source, spelling.diff_keys),
        replace_keys=reader.names(source, spelling.replace_keys),
    )
    if reader.problems:
        raise ShapeError(reader.problems)
    return raw


def _side(reader: _Reader, source: Mapping[str, Any], key: str) -> tuple[Side | None, str]:
    state = reader.field(source, key, dict, None)
    if state is None:
        return None, ""
    if not state.get("urn") or not state.get("type"):
        reader.bad(key, "expected the state of a resource, with its URN and type")
    side = Side(
        inputs=blind(reader.field(state, "inputs", dict, {})),
        outputs=blind(reader.field(state, "outputs", dict, {})),
        parent=reader.field(state, "parent", str, ""),
        custom=reader.field(state, "custom", bool, False),
        protect=reader.field(state, "protect", bool, False),
        retain=reader.field(state, "retainOnDelete", bool, False),
        replaced_later=reader.field(state, "delete", bool, False),
        pending_replacement=reader.field(state, "pendingReplacement", bool, False),
        urn=reader.field(state, "urn", str, ""),
        provider=reader.field(state, "provider", str, ""),
        ties=ties_of(state),
    )
    return side, reader.field(state, "type", str, "")


def _changes(reader: _Reader, source: Mapping[str, Any], kind_key: str) -> tuple[PropertyChange, ...] | None:
    """The detailed diff in path order; None when there is none, or one in words we do not know."""
    detailed = reader.field(source, "detailedDiff", dict, None)
    if detailed is None:
        return None
    changes = []
    for path in sorted(detailed):
        entry = detailed[path]
        word = entry.get(kind_key) if isinstance(entry, dict) else None
        known = _KINDS.get(word) if isinstance(word, str) else None
        if known is None:
            return None
        changes.append(PropertyChange(path=plain(path), kind=known[0], replaces=known[1]))
    return tuple(changes)


def blind(value: Any, depth: int = 0) -> Any:
    """The same value with every secret object as ``"[secret]"``, whatever the object carries beside its mark.

    What holds no secret is given back as it is, not copied. Raises TollgateError for what is nested too deeply.
    """
    if depth > _DEEPEST:
        message = f"A value is nested more than {_DEEPEST} levels deep: no provider has such a property."
        raise TollgateError(message, advice=ADVICE)
    changed: dict[Any, Any] = {}
    if isinstance(value, dict):
        if value.get(SIGNATURE_KEY) == SECRET_SIGNATURE:
            return SECRET
        for key, item in value.items():
            if isinstance(item, _HOLDERS) and (new := blind(item, depth + 1)) is not item:
                changed[key] = new
        return {**value, **changed} if changed else value
    if isinstance(value, list):
        for place, item in enumerate(value):
            if isinstance(item, _HOLDERS) and (new := blind(item, depth + 1)) is not item:
                changed[place] = new
        return [changed.get(place, item) for place, item in enumerate(value)] if changed else value
    return value


def build_step(raw: RawStep, op: Op, *, delete_before_replace: bool = False, provider_moved: bool = False) -> Step:
    """The Step of the Plan. One whose sides do not fit its operation is UNRECOGNISED: a change we cannot vouch for."""
    expected = _SIDES.get(op)
    contradicts_itself = bool(expected) and expected != (raw.old is not None, raw.new is not None)
    if contradicts_itself:
        op = Op.UNRECOGNISED
    old, new = raw.old, raw.new
    side = new or old
    return Step.model_construct(
        op=op,
        raw_op=raw.op,
        contradicts_itself=contradicts_itself,
        urn=raw.urn,
        type=raw.type,
        name=plain(raw.name),
        parent=side.parent if side else "",
        provider=new.provider if new else raw.provider,
        provider_moved=provider_moved,
        provider_before=old.provider if old else "",
        urn_before=(old.urn if old else "") or raw.urn,
        custom=side.custom if side else True,
        old=old.inputs if old else None,
        new=new.inputs if new else None,
        old_outputs=old.outputs if old else None,
        new_outputs=new.outputs if new else None,
        changes=raw.changes,
        diff_keys=raw.diff_keys,
        replace_keys=raw.replace_keys,
        delete_before_replace=delete_before_replace,
        protect_before=old.protect if old else False,
        protect_after=new.protect if new else False,
        retain_on_delete=old.retain if old else (new.retain if new else False),
        retain_after=new.retain if new else False,
        ties=old.ties if old else (),
        ties_after=new.ties if new else (),
    )
