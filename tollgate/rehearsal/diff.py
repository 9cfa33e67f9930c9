"""What a change of inputs does to a resource: which properties differ, and whether that replaces it.

Pure. The paths and the kinds are those of the real providers: a list is compared place by place, a whole block that
comes or goes is one change at the block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from tollgate.books.replacement import ReplacementFacts
from tollgate.policy.paths import Path, format_path, parse_path
from tollgate.policy.sentinels import is_unknown
from tollgate.rehearsal.conditions import Case, judge
from tollgate.rehearsal.state import UNREADABLE_SECRET
from tollgate.rehearsal.values import DEFAULTS, Properties, Secret, is_asset, plain

ADD, DELETE, UPDATE = "add", "delete", "update"
EVERY = "[]"  # a step of a book path: into each element


@dataclass(frozen=True, slots=True)
class Change:
    """One property that differs."""

    path: Path
    kind: str
    before: Any
    after: Any
    replaces: bool = False

    @property
    def text(self) -> str:
        return format_path(self.path)


@dataclass(frozen=True, slots=True)
class Difference:
    """All that differs. ``undecided``: paths that may replace, which the facts cannot tell; they count as updates."""

    changes: tuple[Change, ...] = ()
    undecided: tuple[str, ...] = ()
    unreadable: bool = field(default=False)

    @property
    def replaces(self) -> tuple[str, ...]:
        return tuple(change.text for change in self.changes if change.replaces)


def differences(old: Properties, new: Properties) -> tuple[list[Change], bool]:
    """The properties that differ, and whether a secret that cannot be read was left out."""
    found = list(_compare(old, new, ()))
    kept = [change for change in found if change.kind != ""]
    return kept, len(kept) != len(found)


def _compare(old: Any, new: Any, path: Path) -> Iterator[Change]:
    if isinstance(old, Secret) or isinstance(new, Secret):
        old, new = plain(old), plain(new)
    if isinstance(old, dict) and isinstance(new, dict) and not (is_asset(old) or is_asset(new)):
        yield from _compare_objects(old, new, path)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else None
            yield from _compare(before, new[index] if index < len(new) else None, (*path, index))
    elif old == UNREADABLE_SECRET and new is not None:
        yield Change(path, "", None, None)
    elif not _same(old, new):
        yield Change(path, ADD if old is None else DELETE if new is None else UPDATE, old, new)


def _compare_objects(old: Properties, new: Properties, path: Path) -> Iterator[Change]:
    for name, before in old.items():
        if name != DEFAULTS:
            yield from _compare(before, new.get(name), (*path, name))
    for name, after in new.items():
        if name not in old and name != DEFAULTS:
            yield from _compare(None, after, (*path, name))


def _same(old: Any, new: Any) -> bool:
    if is_asset(old) and is_asset(new) and (old.get("hash") or new.get("hash")):
        return bool(old.get("hash") == new.get("hash"))
    # In Python true equals 1; in a property it does not.
    return isinstance(old, bool) == isinstance(new, bool) and bool(old == new)


@lru_cache(maxsize=2048)
def book_path(text: str) -> tuple[str, ...]:
    """A path of the books as steps, ``[]`` being one."""
    return tuple(text.replace(EVERY, f".{EVERY}").split("."))


def _covers(pattern: Sequence[str], change: Change) -> bool:
    """True when the change is at, below or around a place that the pattern names."""
    steps = tuple(EVERY if isinstance(step, int) else step for step in change.path)
    if steps[: len(pattern)] == tuple(pattern):
        return True
    if steps != tuple(pattern[: len(steps)]):
        return False
    rest = pattern[len(steps) :]
    return _holds(change.before, rest) or _holds(change.after, rest)


def _holds(value: Any, rest: Sequence[str]) -> bool:
    """True when there is something at a place inside the value."""
    value = plain(value)
    if not rest:
        return value is not None
    if rest[0] == EVERY:
        return isinstance(value, list) and any(_holds(item, rest[1:]) for item in value)
    return isinstance(value, dict) and _holds(value.get(rest[0]), rest[1:])


def _hidden_inside(pattern: Sequence[str], change: Change) -> bool:
    """True when an unknown value may or may not hold something at the place that the pattern names."""
    steps = tuple(EVERY if isinstance(step, int) else step for step in change.path)
    return len(steps) < len(pattern) and steps == tuple(pattern[: len(steps)]) and is_unknown(plain(change.after))


def at(properties: Properties, path: Sequence[str]) -> Any:
    """The value at a path of names, or None."""
    value: Any = properties
    for name in path:
        value = plain(value)
        value = value.get(name) if isinstance(value, dict) else None
    return value


def decide(changes: Sequence[Change], facts: ReplacementFacts, case: Callable[[Any, Any], Case]) -> Difference:
    """Which of the changes replace the resource, by the facts of its type."""
    judged: list[Change] = []
    undecided: list[str] = []
    for change in changes:
        if any(_covers(book_path(path), change) for path in facts.replace):
            judged.append(replace(change, replaces=True))
            continue
        verdicts = [
            judge(condition, _case(case, book_path(path)))
            for path, condition in facts.replace_if.items()
            if _covers(book_path(path), change)
        ]
        judged.append(replace(change, replaces=True in verdicts))
        unknowable = (
            *facts.undetermined,
            *(path for path in (*facts.replace, *facts.replace_if) if _hidden(path, change)),
        )
        if True not in verdicts and (None in verdicts or any(_touches(path, change) for path in unknowable)):
            undecided.append(change.text)
    return Difference(tuple(judged), tuple(undecided))


def _hidden(path: str, change: Change) -> bool:
    return _hidden_inside(book_path(path), change)


def _touches(path: str, change: Change) -> bool:
    return _covers(book_path(path), change) or _hidden(path, change)


def _case(case: Callable[[Any, Any], Case], path: Sequence[str]) -> Case:
    blank = case(None, None)
    return case(at(blank.old, path), at(blank.new, path))


def ignored(change: Change, paths: Sequence[str]) -> bool:
    """True for a change at or below a path that the program asked to ignore (``*`` stands for every name)."""
    for text in paths:
        steps = _ignore_path(text)
        if len(change.path) >= len(steps) and all(
            wanted in ("*", step) for wanted, step in zip(steps, change.path, strict=False)
        ):
            return True
    return False


@lru_cache(maxsize=512)
def _ignore_path(text: str) -> Path:
    try:
        return parse_path(text)
    except ValueError:
        return (text,)
