"""From raw steps to the Plan's steps: replacement pieces become one replace, plain sames are only counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace as with_fields

from tollgate.plan.connections import Connections
from tollgate.plan.model import Op, Step
from tollgate.plan.steps import RawStep, build_step

# The engine's words (pkg/resource/deploy/step.go, v3.257.0). A piece belongs to a replacement of its URN.
_PIECES = frozenset(
    {
        "replace",
        "create-replacement",
        "delete-replaced",
        "read-replacement",
        "import-replacement",
        "discard-replaced",
        "remove-pending-replace",
    }
)
_WHOLE = ("replace", "create-replacement", "import-replacement", "read-replacement")
_LEFTOVER = ("delete-replaced",)
_LOGICAL = {op.value: op for op in Op if op not in (Op.REPLACE, Op.UNRECOGNISED)}


def fold(raws: Iterable[RawStep]) -> tuple[tuple[Step, ...], int]:
    """The steps that carry a change, in the engine's order, and the number of plain sames left out.

    Two pieces of one kind for one URN belong to two replacements: nothing is swallowed.
    """
    raws = list(raws)
    connections = Connections(raws)
    steps: list[Step] = []
    places: dict[tuple[str, int], int] = {}
    pieces: dict[tuple[str, int], list[RawStep]] = {}
    times: dict[tuple[str, str], int] = {}
    same = 0
    for raw in raws:
        if raw.op in _PIECES:
            nth = times[raw.op, raw.urn] = times.get((raw.op, raw.urn), 0) + 1
            if (raw.urn, nth) not in pieces:
                places[raw.urn, nth] = len(steps)
                steps.append(build_step(raw, Op.UNRECOGNISED))
            pieces.setdefault((raw.urn, nth), []).append(raw)
            continue
        op = _LOGICAL.get(raw.op, Op.UNRECOGNISED)
        moved = connections.moved(raw)
        if op is Op.SAME and not moved and _plain_same(raw):
            same += 1
        else:
            steps.append(build_step(raw, op, provider_moved=moved))
    for key, place in places.items():
        steps[place] = _join(pieces[key], connections)
    return tuple(steps), same


def _plain_same(raw: RawStep) -> bool:
    """A same that carries nothing: deletion guards (protect, retainOnDelete) are as they were."""
    old, new = raw.old, raw.new
    if old is None or new is None:
        return False
    return (old.protect, old.retain) == (new.protect, new.retain)


def _join(pieces: list[RawStep], connections: Connections) -> Step:
    """One replacement from its pieces; a left-over deletion of a replaced resource is a deletion."""
    ops = [piece.op for piece in pieces]
    base = next((piece for word in _WHOLE for piece in pieces if piece.op == word), None)
    if base is None:
        base = next((piece for piece in pieces if piece.op in _LEFTOVER), pieces[0])
        op = Op.DELETE if base.op in _LEFTOVER else Op.DISCARD
        return build_step(with_fields(base, new=None) if op is Op.DELETE else base, op)
    merged = with_fields(
        base,
        old=base.old or next((piece.old for piece in pieces if piece.old), None),
        new=base.new or next((piece.new for piece in pieces if piece.new), None),
        changes=base.changes or next((piece.changes for piece in pieces if piece.changes), base.changes),
    )
    return build_step(
        merged,
        Op.REPLACE,
        delete_before_replace=_deleted_first(ops, merged),
        provider_moved=connections.moved(merged),
    )


def _deleted_first(ops: list[str], merged: RawStep) -> bool:
    """Whether the old one goes before the new one is there: by the order of the pieces, else by its marks."""
    if "delete-replaced" in ops and "create-replacement" in ops:
        return ops.index("delete-replaced") < ops.index("create-replacement")
    return bool(merged.old and (merged.old.pending_replacement or not merged.old.replaced_later))
