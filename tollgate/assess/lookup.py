"""Which line of a book fits a step: its type, its operation, its property, and its conditions with three values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from tollgate.assess.amounts import amount
from tollgate.assess.changed import Changed, hidden, values_at
from tollgate.assess.firewalls import keeps
from tollgate.assess.rules.versions import release
from tollgate.books.guards import Unit
from tollgate.books.line_files import Book
from tollgate.books.lines import Change, Line, Operation, Scalar, Test, property_path, rank, spelling
from tollgate.books.match import matches
from tollgate.books.versions import versioned
from tollgate.plan.facts import find
from tollgate.plan.model import Step
from tollgate.policy.paths import Path, format_path

LineType = TypeVar("LineType", bound=Line)


class Found(NamedTuple, Generic[LineType]):
    """The lines that may count for one change: those whose conditions hold, or cannot be told, down to the first sure
    one. ``sure``: the last of them holds, so one of them counts."""

    lines: tuple[LineType, ...]
    sure: bool


class Index(Generic[LineType]):
    """The lines of a book by type and operation, most specific first. Made once for a book."""

    def __init__(self, book: Book[LineType]) -> None:
        self._lines = book.lines
        self.defaults = book.defaults
        self._known: dict[tuple[str, Operation], tuple[tuple[LineType, Path], ...]] = {}
        self._covering: dict[tuple[str, Operation, Path], Found[LineType]] = {}

    def of(self, type_token: str, op: Operation) -> tuple[tuple[LineType, Path], ...]:
        """The lines for a type and an operation with their paths, most specific first."""
        key = (type_token, op)
        if key not in self._known:
            fitting = [line for line in self._lines if op in line.ops and matches(type_token, line.types)]
            fitting.sort(key=lambda line: rank(line, type_token), reverse=True)
            self._known[key] = tuple((line, property_path(line.path)) for line in fitting)
        return self._known[key]

    def _fitting(self, type_token: str, op: Operation, change: Changed | None) -> Found[LineType]:
        """The lines for one changed property, down to the first that has no conditions."""
        shape = _shape(change.path) if change else ()
        known = self._covering.get((type_token, op, shape))
        if known is None:
            lines = [line for line, path in self.of(type_token, op) if change is None or _covers(path, shape)]
            sure = next((place for place, line in enumerate(lines) if not line.conditions), None)
            known = Found(tuple(lines if sure is None else lines[: sure + 1]), sure is not None)
            self._covering[type_token, op, shape] = known
        return known

    def find(self, step: Step, op: Operation, change: Changed | None = None) -> Found[LineType]:
        """The lines that may count for a step as a whole, or for one changed property of it."""
        fitting = self._fitting(step.type, op, change)
        if len(fitting.lines) == fitting.sure:  # one line, and it has no conditions
            return fitting
        found: list[LineType] = []
        for line in fitting.lines:
            truth = _holds(line, step, change, self.defaults)
            if truth is not False:
                found.append(line)
            if truth:
                return Found(tuple(found), True)
        return Found(tuple(found), False)


@lru_cache(maxsize=16_384)
def _shape(path: Path) -> Path:
    """A path in which places in a list do not matter."""
    return tuple("*" if isinstance(segment, int) else segment for segment in path)


def _covers(line: Path, changed_path: Path) -> bool:
    """The change is at the line's property or below it."""
    if len(line) > len(changed_path):
        return False
    return all(mine in ("*", theirs) for mine, theirs in zip(line, changed_path, strict=False))


def _holds(line: Line, step: Step, change: Changed | None, defaults: Mapping[str, Scalar]) -> bool | None:
    """True, False, or None when it cannot be told before the change runs."""
    truths = [_test(test, _after(step, path, defaults)) for path, test in line.when.items()]
    if change is not None and (line.before or line.after or line.change):
        before, after = (_or_default(side, step, change, defaults) for side in (change.before, change.after))
        truths += [_among(values, value) for values, value in ((line.before, before), (line.after, after)) if values]
        if line.change:
            truths.append(_direction(line, step, change, before, after))
    return False if False in truths else None if None in truths else True


def _or_default(value: Any, step: Step, change: Changed, defaults: Mapping[str, Scalar]) -> Any:
    return defaults.get(f"{step.type} {format_path(change.path)}") if value is None else value


def _after(step: Step, path: str, defaults: Mapping[str, Scalar]) -> list[Any]:
    """The values at a path after the change, or those that go with the resource; else what the provider computed
    before, else its default."""
    wanted = property_path(path)
    side = step.new if step.new is not None else step.old
    found = values_at(side, wanted) or values_at(step.old_outputs, wanted)
    if not found and f"{step.type} {path}" in defaults:
        found = [defaults[f"{step.type} {path}"]]
    return found


def _test(test: Test, found: list[Any]) -> bool | None:
    """Whether a condition holds for one of the values found."""
    if test.is_set is not None:
        return bool(found) is test.is_set
    truths = [_test_one(test, value) for value in found]
    return True if True in truths else None if None in truths or not truths else False


def _test_one(test: Test, value: Any) -> bool | None:
    if hidden(value):
        return None
    if test.values:
        return _among(test.values, value)
    number = amount(value, Unit.SIZE)
    if number is None:
        return None
    return number >= Decimal(str(test.at_least)) if test.at_least is not None else number < Decimal(str(test.below))


def _among(values: Iterable[Scalar], value: Any) -> bool | None:
    if hidden(value) or value is None:
        return None
    text = spelling(value)
    return any(spelling(each) == text for each in values)


def _direction(line: Line, step: Step, change: Changed, before: Any, after: Any) -> bool | None:
    wanted = line.change
    if wanted is Change.ADDS:
        return _adds(step, line.path)
    if wanted is Change.ADDED:
        return change.before is None
    if wanted is Change.REMOVED:
        return change.after is None
    if wanted is None or hidden(before) or hidden(after) or before is None or after is None:
        return None
    return _DIRECTIONS[wanted](step.type, before, after)


def _adds(step: Step, path: str) -> bool:
    """The rules of a firewall at a path still let through all that they did. Worked out once for a step."""
    known: dict[str, bool] = step.memo.setdefault("adds", {})
    if path not in known:
        wanted = property_path(path)
        known[path] = keeps(find(step.old, wanted), find(step.new, wanted))
    return known[path]


def _grows(_: str, before: Any, after: Any) -> bool | None:
    for unit in (Unit.SIZE, Unit.DURATION):
        old, new = amount(before, unit), amount(after, unit)
        if old is not None and new is not None:
            return new > old
    return None


def _shrinks(token: str, before: Any, after: Any) -> bool | None:
    return _grows(token, after, before)


def _newer(before: tuple[int, ...] | None, after: tuple[int, ...] | None) -> bool | None:
    return None if before is None or after is None else after > before


def _releases(token: str, before: Any, after: Any) -> tuple[bool | None, bool | None]:
    """Whether the release goes up, and whether the version as a whole goes down."""
    line = versioned(token)
    parts = line.parts if line else 1
    whole = (release(str(before), 10), release(str(after), 10))
    return _newer(release(str(before), parts), release(str(after), parts)), _newer(whole[1], whole[0])


def _new_release(token: str, before: Any, after: Any) -> bool | None:
    return _releases(token, before, after)[0]


def _older(token: str, before: Any, after: Any) -> bool | None:
    return _releases(token, before, after)[1]


def _same_release(token: str, before: Any, after: Any) -> bool | None:
    up, down = _releases(token, before, after)
    return None if up is None or down is None else not up and not down


_DIRECTIONS: dict[Change, Callable[[str, Any, Any], bool | None]] = {
    Change.GROWS: _grows,
    Change.SHRINKS: _shrinks,
    Change.NEW_RELEASE: _new_release,
    Change.SAME_RELEASE: _same_release,
    Change.OLDER: _older,
}
