"""What an update changes, property by property, and what happens to a resource in the words of the books."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from tollgate.books.lines import Operation
from tollgate.plan.canonical import fingerprint, in_one_order
from tollgate.plan.facts import find, unordered_root
from tollgate.plan.model import ChangeKind, Op, Step
from tollgate.policy.paths import Path, parse_path
from tollgate.policy.sentinels import is_secret, is_unknown

_DOCUMENTS = ("{", "[")  # how a text begins that may hold the same in another spelling


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
    known: list[Changed] | None = step.memo.get("changed")
    if known is not None:
        return known
    found: dict[Path, Changed] = {}
    reordered: dict[Path, bool] = {}
    for path, sure in _named(step):
        root = None if sure else unordered_root(step.type, path)
        if root is not None and root not in reordered:
            reordered[root] = _only_reordered(step, root)
        if root is not None and reordered[root]:
            continue
        for each in _differences(path, _at(step.old, step.old_outputs, path), _at(step.new, None, path), sure=sure):
            found.setdefault(each.path, each)
    step.memo["changed"] = made = list(found.values())
    return made


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
        below = [key for key in dict.fromkeys([*old, *new]) if not _same(old.get(key), new.get(key))]
        unseen = [key for key in old.keys() & new.keys() if hidden(old[key]) or hidden(new[key])]
        names = dict.fromkeys([*below, *sorted(unseen)])
        for key in names:
            yield from _differences((*path, key), old.get(key), new.get(key), sure=True)
        # Nothing on either side: the engine names what the inputs do not show.
        if not names and (sure or (before is None and after is None)):
            yield Changed(path, before, after)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            if not _same(one, other):
                yield from _differences((*path, place), one, other, sure=True)
    elif sure or hidden(before) or hidden(after) or not _same(before, after):
        yield Changed(path, before, after)


def _only_reordered(step: Step, root: Path) -> bool:
    """The list holds the same on both sides, in an order that means nothing."""
    before, after = _at(step.old, step.old_outputs, root), _at(step.new, None, root)
    if before is None or hides(before) or hides(after):
        return False
    return _same(in_one_order(before, step.type, root), in_one_order(after, step.type, root))


def hides(value: Any) -> bool:
    """Something in it cannot be read."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return hidden(value) or any(map(hides, inside))


def _same(one: Any, other: Any) -> bool:
    """Both mean the same, however they are spelled."""
    if one == other and isinstance(one, bool) is isinstance(other, bool):
        return True
    if isinstance(one, int | float) and isinstance(other, int | float):
        return False
    if isinstance(one, str) and isinstance(other, str) and not (one[:1] in _DOCUMENTS and other[:1] in _DOCUMENTS):
        return False
    return fingerprint(one) == fingerprint(other)


def hidden(value: Any) -> bool:
    """True for what cannot be read: a secret, or what only the change itself will tell."""
    return isinstance(value, (str, dict)) and (is_unknown(value) or is_secret(value))


def _at(inputs: Any, outputs: Any, path: Path) -> Any:
    value = find(inputs, path)
    return find(outputs, path) if value is None else value


def values_at(value: Any, path: Path) -> list[Any]:
    """What stands at a path: nothing, one value, or one for each item where the path has ``*``."""
    if "*" not in path:
        found = find(value, path)
        return [] if found is None else [found]
    star = path.index("*")
    items = find(value, path[:star])
    if not isinstance(items, list):
        return [items] if hidden(items) else []
    return [found for item in items for found in values_at(item, path[star + 1 :])]


@lru_cache(maxsize=16_384)
def _parsed(path: str) -> Path:
    try:
        return parse_path(path)
    except ValueError:
        return (path,)
