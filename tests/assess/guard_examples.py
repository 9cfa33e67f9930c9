"""Examples of each line of the book of guards, made from the line itself: dangerous, harmless, unknown and missing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.assess.installed import installed
from tests.plan import previews as p
from tollgate.books.guards import Danger, Guard, Unit
from tollgate.books.match import matches
from tollgate.policy.paths import format_path, parse_path

GONE = object()  # the property is left out
_AMOUNTS: dict[Unit, tuple[Any, Any]] = {
    Unit.SIZE: ("100Gi", "10Gi"),
    Unit.DURATION: ("30d", "7d"),
    Unit.MACHINE: ("db.r7g.4xlarge", "db.r7g.large"),
    Unit.SCHEDULE: ("0 2 * * *", "0 2 * * 1"),
}
# An amount, a little more, and far more.
_RISES: dict[Unit, tuple[Any, Any, Any]] = {
    Unit.NUMBER: (5, 6, 500),
    Unit.SCHEDULE: ("0 6 * * *", "0 6,18 * * *", "* 6 * * *"),
}
_LISTS = ("spec.validationActions", "spec.tags", "metadata.finalizers", "spec.topologySpreadConstraints")


@dataclass(frozen=True)
class Examples:
    """Steps of a digest. ``missing_is_safe``: what the provider uses instead is no danger."""

    dangerous: dict[str, Any]
    harmless: dict[str, Any]
    unknown: dict[str, Any] | None = None
    missing: dict[str, Any] | None = None
    missing_is_safe: bool = False


def examples(guard: Guard) -> Examples:
    """All that the line promises, as plans."""
    kind = concrete(guard)
    if guard.danger is Danger.DELETED:
        return Examples(
            p.step("delete", kind, old={}),
            p.step("update", kind, old={"a": 1, "spec": {}}, new={"a": 2, "spec": {}}, diff={"a": "update"}),
        )
    before, after = _sides(guard)
    return Examples(
        dangerous=changed(guard, kind, before, after),
        harmless=changed(guard, kind, *_harmless(guard, before, after)),
        unknown=changed(guard, kind, before, p.UNKNOWN),
        missing=changed(guard, kind, after if before is GONE else before, GONE),
        missing_is_safe=_missing_is_safe(guard, before),
    )


def changed(guard: Guard, kind: str, before: Any, after: Any) -> dict[str, Any]:
    """An update in which nothing but this property differs."""
    old, new = (_inputs(guard, value) for value in (before, after))
    where = "add" if before is GONE else "delete" if after is GONE else "update"
    return p.step("update", kind, old=old, new=new, diff={_path(guard): where})


def _path(guard: Guard) -> str:
    """The place that the engine would name."""
    return format_path(tuple(0 if segment == "*" else segment for segment in parse_path(guard.path)))


def _inputs(guard: Guard, value: Any) -> dict[str, Any]:
    inputs: dict[str, Any] = {"other": 1}
    if value is GONE and parse_path(guard.path)[-1] in ("name", "key"):
        return inputs  # what names an item goes with the item
    holder: Any = inputs
    segments = parse_path(guard.path)
    for number, segment in enumerate(segments):
        last = number == len(segments) - 1
        below: Any = [{"name": guard.item or "one"}] if not last and segments[number + 1] == "*" else {"other": 1}
        if segment == "*":
            holder = holder[0]
        elif last:
            holder.pop(segment, None) if value is GONE else holder.update({segment: value})
        else:
            holder = holder.setdefault(segment, below)
    return inputs


def _sides(guard: Guard) -> tuple[Any, Any]:  # noqa: C901, PLR0911, PLR0912  (one line a danger)
    """A value before and a dangerous one after."""
    match guard.danger:
        case Danger.OFF:
            return True, False
        case Danger.ON:
            return False, True
        case Danger.LOWER | Danger.LIMITED if guard.unit in _AMOUNTS:
            return _AMOUNTS[guard.unit]
        case Danger.HIGHER if guard.times is not None:
            return _RISES[guard.unit][0], _RISES[guard.unit][2]
        case Danger.LIMITED:
            return GONE, 3
        case Danger.LOWER:
            low = guard.below - 1 if guard.below is not None else 3
            return low + 20, low
        case Danger.HIGHER:
            return 5, 5 + (guard.by or 5)
        case Danger.BECOMES:
            return "something else", guard.values[0]
        case Danger.LEAVES:
            listed = guard.path in _LISTS
            return ([guard.values[0]], ["Audit"]) if listed else (guard.values[0], "something else")
        case Danger.GAINS:
            return "on ~a:* +get", f"on {guard.values[0]} +get"
        case Danger.LOSES:
            return ["one", "two"], ["one"]
        case Danger.ADDED:
            return GONE, ("one" if parse_path(guard.path)[-1] == "name" else {"a": "b"})
        case Danger.REMOVED:
            return ("one" if parse_path(guard.path)[-1] == "name" else {"a": "b"}), GONE
        case _:
            return "one", "two"


def _harmless(guard: Guard, before: Any, after: Any) -> tuple[Any, Any]:
    """The other direction; where any change counts, a first value; where only a great rise does, a small one."""
    if guard.danger is Danger.CHANGES:
        return GONE, after
    if guard.times is not None:
        return _RISES[guard.unit][0], _RISES[guard.unit][1]
    return after, before


def _missing_is_safe(guard: Guard, before: Any) -> bool:  # noqa: PLR0911  (one line a danger)
    """By the default of the provider, as the line states it."""
    match guard.danger:
        case Danger.OFF:
            return guard.default is True
        case Danger.ON:
            return guard.default is not True
        case Danger.HIGHER | Danger.GAINS | Danger.ADDED | Danger.LIMITED:
            return True
        case Danger.BECOMES:
            return guard.default not in guard.values
        case Danger.LEAVES:
            return guard.default in guard.values
        case Danger.LOWER if guard.default is not None and isinstance(before, int | float):
            kept = guard.default >= before * (guard.share or 1)
            return kept or (guard.below is not None and guard.default >= guard.below)
        case Danger.LOWER:
            return False
        case _:
            return False


@cache
def concrete(guard: Guard) -> str:
    """A type that the line is for: an installed one that has the property, else the pattern with its stars filled."""
    top = str(parse_path(guard.path)[0]) if guard.path else ""
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", top).lower()
    for pattern in guard.types:
        if "*" not in pattern:
            return pattern
        for token, text in sorted(installed().items()):
            if matches(token, [pattern]) and (not top or f'"{top}"' in text or f"{snake}:" in text):
                return token
    last = guard.types[0].rpartition(":")[2].replace("*", "C")
    return f"{guard.types[0].rpartition(':')[0].replace('*', 'v1')}:{last}"
