"""A property before and after: both sides of a step, read with three values (known, unknown, missing)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from tollgate.assess.model import Evidence
from tollgate.plan.model import ChangeKind, Step
from tollgate.plan.text import plain
from tollgate.policy.paths import Path, format_path, parse_path
from tollgate.policy.reading import Misplaced, Reading, State, show
from tollgate.policy.sentinels import UNKNOWN, is_secret, is_unknown

# What names an item of a list, so that a list in another order is no change.
_IDENTITIES = ("name", "ruleName", "deviceName", "secretKey", "key", "id")


_MOST_LISTED, _LONGEST_LISTED = 3, 40  # items, and characters of each, that are shown of a list


@dataclass(frozen=True, slots=True)
class Pair:
    """One property on both sides. ``touched``: the engine names it among the changes, or could not say."""

    path: str
    before: Reading
    after: Reading
    touched: bool

    def evidence(self) -> Evidence:
        return Evidence(path=self.path, before=in_words(self.before), after=in_words(self.after))


def is_known(reading: Reading) -> bool:
    """Known, and found where it belongs."""
    return reading.state is State.KNOWN and not isinstance(reading.value, Misplaced)


def is_missing(reading: Reading) -> bool:
    return reading.state is State.MISSING


def is_hidden(reading: Reading) -> bool:
    """There is something that cannot be read: unknown, secret, or of another shape."""
    return not is_known(reading) and not is_missing(reading)


def in_words(reading: Reading) -> str:
    """A value for a reader: never a secret, never the engine's stand-in."""
    if is_missing(reading):
        return "not set"
    if reading.secret:
        return "a secret"
    if not is_known(reading):
        return "not known until the change runs"
    value = reading.value
    if isinstance(value, list) and 0 < len(value) <= _MOST_LISTED and all(map(_tellable, value)):
        return plain(" and ".join(value))
    return plain(show(value).strip('"'))


def _tellable(item: Any) -> bool:
    """A short text that may be shown."""
    return isinstance(item, str) and len(item) <= _LONGEST_LISTED and not is_unknown(item) and not is_secret(item)


def pairs(step: Step, path: str, default: Any = None, item: str = "") -> list[Pair]:
    """The property at a path, once for each item where the path has ``[*]``; of those only the one named ``item``.

    What the program leaves out is read from the resource's outputs before the change, then from ``default``.
    """
    wanted = _parsed(path)
    named = _named(step)
    found = []
    for old_path, new_path in _places(step.old, step.new, wanted, item):
        at = new_path or old_path or ()
        before = _read(step.old, old_path)
        after = _read(step.new, new_path)
        touched = named is None or named.touches(at)
        # Outputs only speak where the engine names a change, or the program a value; else an input left out on both
        # sides would be "lost".
        told = touched if named is not None else not is_missing(after)
        if is_missing(before) and told and old_path is not None:
            before = _read(step.old_outputs, old_path)
        if is_missing(before) and named is not None and at in named.claimed:
            before = Reading(UNKNOWN, at)
        found.append(Pair(format_path(at), _with_default(before, default), _with_default(after, default), touched))
    return found


def may_move(step: Step, path: str) -> bool:
    """False when nothing below the first word of a path changes, so that no pair there says anything. A shortcut."""
    return step.changes is None or "" in step.moving or _top(path) in step.moving


@lru_cache(maxsize=16_384)
def _top(path: str) -> str:
    return str(next(iter(_parsed(path)), ""))


class _Named(NamedTuple):
    """The paths that the engine says change, and every place on the way to them. List positions shift: they are 0.

    claimed: paths of which it says that a value is updated or deleted there.
    """

    paths: frozenset[Path]
    ways: frozenset[Path]
    claimed: frozenset[Path]

    def touches(self, at: Path) -> bool:
        """One of the paths leads through this place, or this place through one of them."""
        shape = _shape(at)
        return shape in self.ways or any(shape[:end] in self.paths for end in range(len(shape)))


def _shape(path: Path) -> Path:
    return tuple(0 if isinstance(segment, int) else segment for segment in path)


def _named(step: Step) -> _Named | None:
    """What the engine says changes; None when it does not say. A property that it names without saying where in it
    something changes counts as a whole.
    """
    if step.changes is None:
        return None
    known: _Named | None = step.memo.get("named")
    if known is not None:
        return known
    exact = [_parsed(change.path) for change in step.changes]
    tops = {path[0] for path in exact if path}
    named = (_parsed(key) for key in (*step.diff_keys, *step.replace_keys))
    shapes = {_shape(path) for path in (*exact, *(path for path in named if path and path[0] not in tops))}
    made = step.memo["named"] = _Named(
        paths=frozenset(shapes),
        ways=frozenset(shape[:end] for shape in shapes for end in range(len(shape) + 1)),
        claimed=frozenset(_parsed(change.path) for change in step.changes if change.kind is not ChangeKind.ADD),
    )
    return made


def _with_default(reading: Reading, default: Any) -> Reading:
    return Reading(default, reading.path) if default is not None and is_missing(reading) else reading


def _read(inputs: Mapping[str, Any] | None, path: Path | None) -> Reading:
    reading = Reading(inputs if path is not None else None)
    for segment in path or ():
        reading = reading[segment] if isinstance(segment, int) else reading.key(segment)
    return reading


@lru_cache(maxsize=16_384)
def _parsed(path: str) -> Path:
    try:
        return parse_path(path)
    except ValueError:
        return (path,)


def _places(old: Any, new: Any, path: Path, item: str = "") -> Iterator[tuple[Path | None, Path | None]]:
    """Concrete paths for a pattern, old beside new; None where the item is on one side only."""
    if "*" not in path:
        yield path, path
        return
    star = path.index("*")
    head, tail = path[:star], path[star + 1 :]
    if is_hidden(_read(old, head)) or is_hidden(_read(new, head)):
        # Read as hidden on both sides: what stands in the list cannot be compared.
        yield (*head, "*"), (*head, "*")
        return
    before, after = _items(old, head), _items(new, head)
    for identity in dict.fromkeys([*before, *after]):
        if item and identity != item:
            continue
        a, b = before.get(identity), after.get(identity)
        below = _places(a[1] if a else None, b[1] if b else None, tail)
        for one, other in below:
            yield (
                (*head, a[0], *one) if a and one is not None else None,
                (*head, b[0], *other) if b and other is not None else None,
            )


def _items(inputs: Any, head: Path) -> dict[Any, tuple[int, Any]]:
    """The items of a list by their identity: a name they carry, else their position."""
    reading = _read(inputs, head)
    if not is_known(reading) or not isinstance(reading.value, list):
        return {}
    found: dict[Any, tuple[int, Any]] = {}
    for position, item in enumerate(reading.value):
        names = [item.get(key) for key in _IDENTITIES] if isinstance(item, dict) else []
        identity = next((name for name in names if isinstance(name, str)), position)
        found[position if identity in found else identity] = (position, item)
    return found
