"""Steps that fit a line of a book: what a table of all lines is made from."""

from __future__ import annotations

from typing import Any

from tollgate.books.lines import Change, Line, Operation, Test, property_path
from tollgate.plan.model import ChangeKind, Op, PropertyChange, Step
from tollgate.policy.paths import Path, format_path

_SIDES: dict[Change | None, tuple[Any, Any]] = {
    None: ("one", "other"),
    Change.GROWS: (5, 7),
    Change.SHRINKS: (7, 5),
    Change.ADDED: (None, 5),
    Change.ADDS: ([{"to": ["a"]}], [{"to": ["a", "b"]}]),
    Change.REMOVED: (5, None),
    Change.NEW_RELEASE: ("16.1.1", "17.1.1"),
    Change.SAME_RELEASE: ("16.1.1", "16.1.2"),
    Change.OLDER: ("16.1.2", "15.1.1"),
}
_OPS = {
    Operation.CREATE: (Op.CREATE, False, False),
    Operation.UPDATE: (Op.UPDATE, False, False),
    Operation.REPLACE: (Op.REPLACE, False, False),
    Operation.RECREATE: (Op.REPLACE, True, False),
    Operation.DELETE: (Op.DELETE, False, False),
    Operation.FORGET: (Op.DELETE, False, True),
}


def type_of(line: Line) -> str:
    """A type that the line is for."""
    return line.types[0].replace("*", "some:Thing" if line.types[0].endswith(":*") else "v1")


def step_for(line: Line, op: Operation, type_token: str = "") -> Step:
    """A step that the line speaks of, with nothing more than its conditions ask for."""
    token = type_token or type_of(line)
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for path, test in line.when.items():
        for side in (old, new):
            put(side, property_path(path), _value(test))
    changes: tuple[PropertyChange, ...] = ()
    if op is Operation.UPDATE:
        path = tuple(0 if segment == "*" else segment for segment in _leaf(line))
        before, after = sides(line)
        put(old, path, before)
        put(new, path, after)
        changes = (PropertyChange(path=format_path(path), kind=ChangeKind.UPDATE),)
    real, first, kept = _OPS[op]
    return Step(
        op=real,
        raw_op=real.value,
        urn=f"urn:pulumi:staging::pay::{token}::thing",
        type=token,
        name="thing",
        old=None if op is Operation.CREATE else old,
        new=None if real is Op.DELETE else new,
        changes=changes,
        delete_before_replace=first,
        retain_on_delete=kept,
    )


def _leaf(line: Line) -> Path:
    """Where the change is: at the line's property, or beside a condition that stands below it."""
    mine = property_path(line.path) or ("somethingElse",)
    below = next((path for path in map(property_path, line.when) if path[: len(mine)] == mine), None)
    return (*below[:-1], "mark") if below else mine


def sides(line: Line) -> tuple[Any, Any]:
    """What stands before and after at the line's property."""
    before, after = _SIDES[line.change]
    if line.before:
        before = line.before[0]
        after = after if line.change or line.after else "other"
    if line.after:
        after = line.after[-1]
    return before, after


def _value(test: Test) -> Any:
    if test.values:
        return test.values[0]
    if test.at_least is not None:
        return test.at_least
    if test.below is not None:
        return test.below - 1
    return "something" if test.is_set else None


def put(tree: Any, path: Path, value: Any) -> None:
    """Set a value at a path, with all that leads to it; None sets nothing."""
    if value is None:
        return
    *way, last = path
    for segment, following in zip(way, path[1:], strict=True):
        fresh: Any = [] if following in ("*", 0) else {}
        if isinstance(tree, list):
            if not tree:
                tree.append(fresh)
            tree = tree[0]
        else:
            tree = tree.setdefault(segment, fresh)
    if isinstance(tree, list):
        tree.append(value)
    else:
        tree[last] = value
