"""The way back: for each part of a change what undoing it takes, in order, and from where on there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from tollgate.assess.backups import BackupRegister, destroys_data
from tollgate.assess.consequences import Tried, Undo, UndoProof, UndoStep, WayBack
from tollgate.assess.impact import Span
from tollgate.assess.naming import capital, subject
from tollgate.books.stateful import Holds, holding
from tollgate.plan.model import Op, Plan, Step
from tollgate.plan.order import in_order

_MINUTE = 60  # seconds


def undo(
    plan: Plan,
    *,
    reversibility: Mapping[str, WayBack],
    seconds: Mapping[str, Span],
    owners: Mapping[str, str],
    backups: BackupRegister,
    today: date,
    proof: UndoProof | None = None,
) -> Undo:
    """The way back of a plan.

    reversibility: by URN, what the effects book says of its updates. seconds: by URN, how long the reverse operation
    takes. owners: by URN, the team. Steps come in the reverse of the order in which the engine would do the change.
    """
    parts = [step for step in in_order(plan) if step.custom and step.op not in (Op.READ, Op.REFRESH)]
    made = [_undo_step(step, reversibility, seconds, owners, backups, today) for step in parts]
    proof = _with_what_stand_ins_take(proof, made) if proof else None
    made = [step.model_copy(update={"tried": _tried(step, proof)}) for step in made] if proof else made
    worst = max((step.way_back for step in made), key=lambda way: way.rank, default=WayBack.REVERSIBLE)
    turn = next((step for step in made if step.way_back in (WayBack.WITH_LOSS, *_STAY)), None)
    return Undo(
        way_back=worst,
        steps=tuple(reversed(made)),
        no_return=f"From here on there is no full way back: {turn.sentence}" if turn else "",
        proof=proof,
    )


# Stand-ins set anything back, and a real provider does not: here the book knows better than the rehearsal.
_STAY = (WayBack.ONE_WAY, WayBack.NONE)


def _with_what_stand_ins_take(proof: UndoProof, steps: Iterable[UndoStep]) -> UndoProof:
    """The proof without what a rehearsal on stand-ins cannot show."""
    taken = [step for step in steps if step.way_back in _STAY and step.urn not in proof.refuted]
    if not taken or not proof.rehearsed:
        return proof
    said = (
        f"{step.sentence} The stand-in cloud took the old value; a real one does not, by the book of effects."
        for step in taken
    )
    return UndoProof(
        confirmed=False,
        refuted=tuple(sorted({*proof.refuted, *(step.urn for step in taken)})),
        differences=(*proof.differences, *said),
    )


def _tried(step: UndoStep, proof: UndoProof) -> Tried:
    if not proof.rehearsed:
        return Tried.NOT
    if step.urn in proof.refuted:
        return Tried.REFUTED
    return Tried.SETTINGS if step.way_back is WayBack.WITH_LOSS else Tried.CONFIRMED


def _undo_step(
    step: Step,
    reversibility: Mapping[str, WayBack],
    seconds: Mapping[str, Span],
    owners: Mapping[str, str],
    backups: BackupRegister,
    today: date,
) -> UndoStep:
    way_back, sentence = _way_back(step, reversibility.get(step.urn, WayBack.UNKNOWN))
    if _is_held(step):
        sentence += " Its protection has to come off first, in a change of its own."
    span = seconds.get(step.urn) if way_back is not WayBack.NONE else None
    backup = backups.tested(step, today) if destroys_data(step) else None
    if backup is not None:
        sentence += f" Then restore it from {backup.reference}."
    return UndoStep(
        urn=step.urn,
        way_back=way_back,
        sentence=sentence,
        seconds=span,
        owner=owners.get(step.urn, ""),
        backup=backup.reference if backup else "",
        restore_seconds=backup.minutes * _MINUTE if backup else 0,
    )


def _is_held(step: Step) -> bool:
    """The engine refuses the way back: it would delete or replace what is protected by then."""
    return step.protect_after and (step.op is Op.CREATE or (step.op is Op.REPLACE and step.protect_before))


def _way_back(step: Step, of_update: WayBack) -> tuple[WayBack, str]:
    who = capital(subject(step))
    held = holding(step.type)
    holds = held.holds if held else Holds.DATA  # what nobody knows may hold data
    if step.op is Op.UPDATE:
        return of_update, _UPDATES[of_update].format(who=who)
    if step.op is Op.REPLACE:
        return _of_replacement(step, who, holds)
    if step.op is Op.DELETE:
        return _of_deletion(step, who, holds)
    if step.op is Op.CREATE:
        return WayBack.REVERSIBLE, _of_creation(step, who, holds)
    return _PLAIN.get(step.op, _NOT_KNOWN)[0], _PLAIN.get(step.op, _NOT_KNOWN)[1].format(who=who)


_LOST_WITH_IT = (Holds.DATA, Holds.CONTENTS)
_PLAIN = {
    Op.IMPORT: (WayBack.REVERSIBLE, "{who} is taken out of the state by hand, else the engine deletes it."),
    Op.SAME: (WayBack.REVERSIBLE, "{who} gets its guards back."),
}
_NOT_KNOWN = (WayBack.UNKNOWN, "{who}: nobody knows how to take this back.")
_UPDATES = {
    WayBack.REVERSIBLE: "{who} is set back to what it was.",
    WayBack.UNKNOWN: "{who} is set back to what it was; whether the provider can do that is not known.",
    WayBack.ONE_WAY: "{who} stays as it is; nothing is lost by that.",
    WayBack.WITH_LOSS: "{who} is set back to what it was, without what was lost in between.",
    WayBack.NONE: "{who} cannot be set back.",
}


def _of_creation(step: Step, who: str, holds: Holds) -> str:
    if step.retain_after:
        return f"{who} leaves the program again; it stays, and costs, until somebody deletes it."
    if holds in (*_LOST_WITH_IT, Holds.TRANSIENT):
        return f"{who} is deleted again; what it took in since then goes with it."
    return f"{who} is deleted again."


def _of_replacement(step: Step, who: str, holds: Holds) -> tuple[WayBack, str]:
    stands = f"{who}: the old one still stands and is imported again"
    if holds not in _LOST_WITH_IT:
        again = f"{who} is replaced again by one like the old one{_ANOTHER.get(holds, '')}"
        return WayBack.REVERSIBLE, f"{stands if step.retain_on_delete else again}."
    if step.retain_on_delete:
        return WayBack.WITH_LOSS, f"{stands}; what the new one took is lost."
    return WayBack.WITH_LOSS, f"{who} is made again, empty: what was in the old one is gone."


def _of_deletion(step: Step, who: str, holds: Holds) -> tuple[WayBack, str]:
    if step.retain_on_delete:
        return WayBack.REVERSIBLE, f"{who} still stands and is imported again."
    if holds not in _LOST_WITH_IT:
        return WayBack.REVERSIBLE, f"{who} is made again{_ANOTHER.get(holds, '')}."
    return WayBack.WITH_LOSS, f"{who} is made again, empty: what was in it is gone."


_ANOTHER = {
    Holds.TRANSIENT: "; what it held for a time does not come back",
    Holds.IDENTITY: "; its name, address or key may be another one",
}
