"""From a plan and what was found in it to what follows: people, time, money, the way back, class and risk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from tollgate.assess.affected import affected, services_here
from tollgate.assess.backups import BackupRegister
from tollgate.assess.classify import classify
from tollgate.assess.consequences import Affected, Felt, JourneyImpact, Undo, UndoProof, WayBack
from tollgate.assess.cost import cost
from tollgate.assess.downtime import downtime, peers_in
from tollgate.assess.duration import duration, timed
from tollgate.assess.effects import Effects, effects
from tollgate.assess.impact import Downtime, Effect, Span
from tollgate.assess.journeys import journeys, worst
from tollgate.assess.model import Finding, Impact, Unknown
from tollgate.assess.register import ServiceRegister
from tollgate.assess.registers import NO_REGISTERS, Registers
from tollgate.assess.risk import risk
from tollgate.assess.rule import Whole
from tollgate.assess.undo import undo
from tollgate.books.effect_book import Reversible
from tollgate.plan.model import Plan
from tollgate.plan.reverse import turned_round

_NEVER_TESTED = BackupRegister(restore_test_days=1)
_WAYS_BACK = {
    Reversible.YES: WayBack.REVERSIBLE,
    Reversible.ONE_WAY: WayBack.ONE_WAY,
    Reversible.LOSES_DATA: WayBack.WITH_LOSS,
    Reversible.NO: WayBack.NONE,
}


@dataclass(frozen=True)
class Known:
    """What the caller knows beside the plan.

    registers: what the project keeps about its services, standard changes, backups and past. today: the day on which
    entries of the registers are judged. incident: the id of a declared incident; empty when there is none. region:
    where resources are that do not say so themselves. proof: what a rehearsal of the way back showed.
    """

    registers: Registers = NO_REGISTERS
    today: date = date.max
    incident: str = ""
    region: str = ""
    proof: UndoProof | None = None


NOTHING_KNOWN = Known()


def weigh(whole: Whole, findings: Iterable[Finding], unknowns: Iterable[Unknown], known: Known) -> Impact:
    """Everything that follows from a plan. ``findings`` and ``unknowns``: what the rules said of it."""
    plan, state, graph = whole.plan, whole.state, whole.graph
    findings, unknowns = tuple(findings), tuple(unknowns)
    registers = known.registers
    found = effects(plan)
    reached = affected(plan, graph, registers.services) if registers.services else None
    owners = reached.owners() if reached else None
    rows = downtime(plan, found, owners, peers_in(state, plan) if state else None)
    here = registers.services.only(services_here(plan, state, registers.services)) if registers.services else None
    noticed = _journeys(rows, found, reached, here)
    undone = _undo(plan, found, owners or {}, known)
    doubts = (*unknowns, *(Unknown(what="effect", sentence=one.sentence, urn=one.urn) for one in found.unknown))
    return Impact(
        effects=found.known,
        unknown_effects=found.unknown,
        duration=duration(plan, registers.history.operations),
        downtime=rows,
        cost=cost(plan, owners, known.region),
        affected=reached,
        journeys=noticed,
        classified=classify(plan, findings, unknowns, registers.standards, today=known.today, incident=known.incident),
        undo=undone,
        risk=risk(
            plan,
            findings,
            doubts,
            journeys={one.title: one.felt.notice for one in noticed or ()},
            way_back=undone.way_back,
            noticed_from=_begins(noticed or (), rows, reached),
            stays_done=_hardest(undone),
            unmapped=reached.unmapped if reached else (),
            history=registers.history.changes,
        ),
    )


def _journeys(
    rows: Iterable[Downtime], found: Effects, reached: Affected | None, register: ServiceRegister | None
) -> tuple[JourneyImpact, ...] | None:
    """What customers notice: by the services that own what changes, and by those that hang on it."""
    if reached is None or register is None:
        return None
    felt: dict[str, list[Felt]] = {}
    for row in rows:
        felt.setdefault(row.service, []).append(_felt(row))
    worst_of = _worst_by_urn(found)
    for one in reached.reached:
        if one.way and one.urn in worst_of:
            felt.setdefault(one.service, []).append(worst_of[one.urn])
    return journeys({service: worst(several) for service, several in felt.items()}, register)


def _begins(noticed: Iterable[JourneyImpact], rows: Iterable[Downtime], reached: Affected | None) -> tuple[str, ...]:
    """Where what customers notice begins, for the worst journeys: what changes of the first service on the way."""
    noticed = tuple(noticed)
    worst_off = {one.through[0] for one in noticed if one.felt.notice is noticed[0].felt.notice}
    own = [effect.urn for row in rows if row.service in worst_off for effect in row.because]
    others = [one.urn for one in reached.reached if one.service in worst_off] if reached else []
    return tuple(dict.fromkeys(own or others))


def _hardest(undone: Undo) -> tuple[str, ...]:
    """What makes the way back what it is; nothing does where everything can be taken back."""
    worst_way = undone.way_back
    return tuple(s.urn for s in undone.steps if s.way_back is worst_way is not WayBack.REVERSIBLE)


def _felt(row: Downtime | Effect) -> Felt:
    return Felt(
        notice=row.notice,
        lasts=row.lasts,
        for_good=row.for_good,
        moment=row.moment,
        at_least=isinstance(row, Downtime) and row.at_least,
    )


def _worst_by_urn(found: Effects) -> dict[str, Felt]:
    felt: dict[str, list[Felt]] = {}
    for effect in found.known:
        felt.setdefault(effect.urn, []).append(_felt(effect))
    for unknown in found.unknown:
        felt.setdefault(unknown.urn, []).append(Felt(at_least=True))
    return {urn: worst(several) for urn, several in felt.items()}


def _undo(plan: Plan, found: Effects, owners: Mapping[str, str], known: Known) -> Undo:
    services = known.registers.services
    teams = (
        {urn: services.teams[services.services[name].team].title for urn, name in owners.items()} if services else {}
    )
    back = turned_round(plan)
    whole, seconds = timed(back, known.registers.history.operations)
    made = undo(
        plan,
        reversibility=_reversibility(found),
        seconds=seconds,
        owners=teams,
        backups=known.registers.backups or _NEVER_TESTED,
        today=known.today,
        proof=known.proof,
    )
    restores = sum(step.restore_seconds for step in made.steps)
    lasts = Span(p50=whole.total.p50 + restores, p90=whole.total.p90 + restores)
    more = any(step.way_back is WayBack.NONE for step in made.steps)  # a restore, which takes nobody knows how long
    return made.model_copy(update={"lasts": lasts, "at_least": whole.at_least or more})


def _reversibility(found: Effects) -> dict[str, WayBack]:
    """By URN, the worst that the effects book says; not known where it says nothing of some part."""
    ways: dict[str, list[WayBack]] = {urn: [WayBack.REVERSIBLE] for urn in found.same}
    for effect in found.known:
        ways.setdefault(effect.urn, []).append(_WAYS_BACK[effect.reversible])
    for unknown in found.unknown:
        way = _WAYS_BACK[unknown.reversible] if unknown.reversible else WayBack.UNKNOWN
        ways.setdefault(unknown.urn, []).append(way)
    return {urn: max(several, key=lambda way: way.rank) for urn, several in ways.items()}
