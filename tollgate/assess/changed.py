"""What an update changes, property by property, and what happens to a resource in the words of the books."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from tollgate.books.lines import Operation
from tollgate.plan.facts import fingerprint
from tollgate.plan.model import ChangeKind, Op, Step
from tollgate.policy.paths import Path, parse_path
from tollgate.policy.sentinels import is_secret, is_unknown


class Changed(NamedTuple):
    """One changed property: where it is, and what stands there before and after (None: nothing)."""

    path: Path
    before: Any
    after: Any


def operation(step: Step) -> Operation | None:
    """What happens, in the words of the books; None for what touches nothing, or is not known."""
    match step.op:
        case Op.CREATE:
            return Operation.CREATE
        case Op.UPDATE:
            return Operation.UPDATE
        case Op.REPLACE:
            return Operation.RECREATE if step.delete_before_replace else Operation.REPLACE
        case Op.DELETE:
            return Operation.FORGET if step.retain_on_delete else Operation.DELETE
        case _:
            return None


def changed(step: Step) -> list[Changed]:
    """The properties that an update changes, as deep as both sides can be told apart; empty when nobody says which."""
    found: dict[Path, Changed] = {}
    for path, sure in _named(step):
        for each in _differences(path, _at(step.old, step.old_outputs, path), _at(step.new, None, path), sure=sure):
            found.setdefault(each.path, each)
    return list(found.values())


def _named(step: Step) -> Iterator[tuple[Path, bool]]:
    """The paths that the engine names, and whether it says that they differ although both sides may look equal."""
    if step.changes:
        for change in step.changes:
            yield _parsed(change.path), change.replaces or change.kind is not ChangeKind.UPDATE
    elif step.changes is None:
        keys = step.diff_keys or sorted({*(step.old or {}), *(step.new or {})} - {"__defaults"})
        for key in keys:
            yield _parsed(key), bool(step.diff_keys)


def _differences(path: Path, before: Any, after: Any, *, sure: bool) -> Iterator[Changed]:
    """Down to the leaves that differ. Hidden values always may; lists are compared item by item when equally long."""
    if isinstance(before, dict | None) and isinstance(after, dict | None) and not (is_secret(before or after)):
        old, new = before or {}, after or {}
        below = [key for key in dict.fromkeys([*old, *new]) if fingerprint(old.get(key)) != fingerprint(new.get(key))]
        unseen = [key for key in old.keys() & new.keys() if hidden(old[key]) or hidden(new[key])]
        names = dict.fromkeys([*below, *sorted(unseen)])
        for key in names:
            yield from _differences((*path, key), old.get(key), new.get(key), sure=True)
        # Nothing on either side: the engine names what the inputs do not show.
        if not names and (sure or (before is None and after is None)):
            yield Changed(path, before, after)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            if fingerprint(one) != fingerprint(other):
                yield from _differences((*path, place), one, other, sure=True)
    elif sure or hidden(before) or hidden(after) or fingerprint(before) != fingerprint(after):
        yield Changed(path, before, after)


def hidden(value: Any) -> bool:
    """True for what cannot be read: a secret, or what only the change itself will tell."""
    return is_unknown(value) or is_secret(value)


def _at(inputs: Any, outputs: Any, path: Path) -> Any:
    value = next(iter(values_at(inputs, path)), None)
    return value if value is not None else next(iter(values_at(outputs, path)), None)


def values_at(value: Any, path: Path) -> Iterator[Any]:
    """What stands at a path: once, or once for each item where the path has ``*``."""
    if value is None:
        return
    if not path or hidden(value):
        yield value
    elif path[0] == "*" and isinstance(value, list):
        for item in value:
            yield from values_at(item, path[1:])
    elif isinstance(path[0], str) and isinstance(value, dict):
        yield from values_at(value.get(path[0]), path[1:])
    elif isinstance(path[0], int) and isinstance(value, list) and path[0] < len(value):
        yield from values_at(value[path[0]], path[1:])


@lru_cache(maxsize=16_384)
def _parsed(path: str) -> Path:
    try:
        return parse_path(path)
    except ValueError:
        return (path,)
