"""Whether the way back works: the plan from the changed footprint to the old one must be the change turned round."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tollgate.assess.consequences import UndoProof
from tollgate.assess.naming import capital, subject
from tollgate.plan.canonical import SECRET_WORD, UNKNOWN_WORD
from tollgate.plan.facts import Fact, facts
from tollgate.plan.model import Op, Plan, Step
from tollgate.plan.ties import TieKind

_INVERSE = {Op.CREATE: Op.DELETE, Op.DELETE: Op.CREATE, Op.IMPORT: Op.DELETE}
_IN_WORDS = {
    Op.CREATE: "make",
    Op.DELETE: "delete",
    Op.UPDATE: "update",
    Op.REPLACE: "replace",
    Op.SAME: "change the guards of",
}
_HIDDEN = (UNKNOWN_WORD, SECRET_WORD)
_MOST_SHOWN = 20  # sentences; the rest is counted


def prove(forward: Plan, backward: Plan) -> UndoProof:
    """Compare the plan there with the plan back. Values that neither preview shows are not compared."""
    all_found = set(_differences(forward, backward))
    found = sorted({sentence for _, sentence in all_found})
    shown = found[:_MOST_SHOWN]
    if len(found) > _MOST_SHOWN:
        shown.append(f"And {len(found) - _MOST_SHOWN} more.")
    return UndoProof(
        confirmed=not found, refuted=tuple(sorted({urn for urn, _ in all_found})), differences=tuple(shown)
    )


def refuted(reason: str) -> UndoProof:
    """The proof ended before there was a plan back."""
    return UndoProof(confirmed=False, rehearsed=False, differences=(reason,))


def _differences(forward: Plan, backward: Plan) -> Iterator[tuple[str, str]]:
    """(URN, sentence) of each."""
    there = {step.urn: step for step in forward.steps if step.custom}
    back = {step.urn: step for step in backward.steps if step.custom}
    values_there, values_back = _values(forward), _values(backward)
    made_anew = {urn for urn, step in there.items() if step.op is Op.REPLACE} & back.keys()
    for urn in there.keys() | back.keys():
        if urn not in back:
            yield urn, f"{capital(subject(there[urn]))} would not be put back."
        elif urn not in there:
            yield urn, f"Going back would also {_IN_WORDS.get(back[urn].op, back[urn].raw_op)} {subject(back[urn])}."
        else:
            names = _named_by(there[urn], made_anew)
            found = _turned_round(
                there[urn], back[urn], _but(names, values_there.get(urn, {})), _but(names, values_back.get(urn, {}))
            )
            yield from ((urn, sentence) for sentence in found)


def _values(plan: Plan) -> dict[str, dict[str, Fact]]:
    """The changed properties of each resource."""
    found: dict[str, dict[str, Fact]] = {}
    for fact in facts(plan):
        if fact.path:
            found.setdefault(fact.urn, {})[fact.path] = fact
    return found


def _named_by(step: Step, made_anew: Collection[str]) -> frozenset[str]:
    """The properties that only name things which are made anew on both ways: each time they have another name."""
    ties = (*step.ties, *step.ties_after)
    return frozenset(tie.input for tie in ties if tie.kind is TieKind.PROPERTY and tie.urn in made_anew)


def _but(names: Collection[str], values: dict[str, Fact]) -> dict[str, Fact]:
    return {path: fact for path, fact in values.items() if path not in names}


def _turned_round(
    there: Step, back: Step, values_there: dict[str, Fact], values_back: dict[str, Fact]
) -> Iterator[str]:
    who = capital(subject(there))
    if back.op is not _INVERSE.get(there.op, there.op):
        yield f"{who}: going back would {_IN_WORDS.get(back.op, back.raw_op)} it, which does not take the change back."
        return
    if there.op in (Op.DELETE, Op.REPLACE) and there.retain_on_delete:
        yield f"{who} is left where it is, and going back would make another one; import the old one instead."
    for path in sorted(values_there.keys() | values_back.keys()):
        one, other = values_there.get(path), values_back.get(path)
        if one is None or other is None:
            yield f"{who}: {path} would change on one way only."
        elif not (_same(one.before, other.after) and _same(one.after, other.before)):
            yield f"{who}: {path} would not get its old value back."


def _same(one: str, other: str) -> bool:
    return one == other or one in _HIDDEN or other in _HIDDEN
