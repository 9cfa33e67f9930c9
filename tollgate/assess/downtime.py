"""Downtime per service: the effects of all its resources together, with who goes on meanwhile and in which order."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tollgate.assess.effects import Effects, weight
from tollgate.assess.impact import Downtime, Effect, Moment, Span
from tollgate.books.effect_book import Notice
from tollgate.plan.model import Op, Plan, Step
from tollgate.plan.state import State
from tollgate.plan.ties import TieKind
from tollgate.plan.urn import split_urn

_ROOT = "pulumi:pulumi:Stack"
_KEEPS = (Op.UPDATE, Op.SAME, Op.READ, Op.REFRESH)
WHOLE_STACK = "the stack as a whole"


def services_by_component(plan: Plan) -> dict[str, str]:
    """URN → the name of the component right above it. What belongs to none belongs to the stack as a whole."""
    return {step.urn: _component(step) for step in plan.steps}


def _component(step: Step) -> str:
    parts = split_urn(step.parent) if step.parent else None
    return parts.name if parts and parts.type != _ROOT else WHOLE_STACK


def downtime(
    plan: Plan,
    found: Effects,
    services: Mapping[str, str] | None = None,
    peers: Mapping[str, int] | None = None,
) -> tuple[Downtime, ...]:
    """What each service's users notice, at each moment; the worst first.

    found: the effects of this plan. services: URN → service; by component when None; a resource that is missing in it
    belongs to the stack as a whole. peers: see peers_in; none when None. They spare users only where the book says so,
    and only when one of them is not hit at the same time.
    """
    of = services_by_component(plan) if services is None else services
    order = _Order(plan)
    groups: dict[_Group, list[Effect]] = {}
    for effect in _softened(found, order, peers or {}):
        groups.setdefault(_Group(of.get(effect.urn, WHOLE_STACK), effect.moment), []).append(effect)
    not_known: dict[str, set[str]] = {}
    for unknown in found.unknown:
        service = of.get(unknown.urn, WHOLE_STACK)
        not_known.setdefault(service, set()).add(unknown.urn)
        groups.setdefault(_Group(service, Moment.CHANGE), [])
    worst = {group: _worst(effects) for group, effects in groups.items()}
    chains = order.longest({group: _seconds(effects) for group, effects in worst.items()})
    rows = [
        _row(group, alike, chains.get(group, 0.0), tuple(sorted(not_known.get(group.service, ()))))
        for group, alike in worst.items()
    ]
    return tuple(sorted(rows, key=_badness))


class _Group(NamedTuple):
    service: str
    moment: Moment


def _badness(row: Downtime) -> tuple[float | str, ...]:
    p90 = row.lasts.p90 if row.lasts else 0.0
    return -row.notice.rank, -row.for_good, -p90, -row.at_least, row.service, row.moment


def _worst(effects: Iterable[Effect]) -> list[Effect]:
    """The effects of the worst kind among these, worst first."""
    effects = list(effects)
    rank = max((effect.notice.rank for effect in effects), default=Notice.NOTHING.rank)
    alike = [effect for effect in effects if effect.notice.rank == rank]
    return sorted(alike, key=lambda effect: (*(-part for part in weight(effect)), effect.urn))


def _seconds(effects: Iterable[Effect]) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for effect in effects:
        if effect.lasts:
            seconds[effect.urn] = seconds.get(effect.urn, 0.0) + effect.lasts.p50
    return seconds


def _row(group: _Group, alike: list[Effect], chain: float, not_known: tuple[str, ...]) -> Downtime:
    """p50: as much at once as the order allows, so the longest chain. p90: one after the other, each on a slow day."""
    notice = alike[0].notice if alike else Notice.NOTHING
    for_good = any(effect.for_good for effect in alike)
    p90 = math.fsum(effect.lasts.p90 for effect in alike if effect.lasts)
    return Downtime(
        service=group.service,
        moment=group.moment,
        notice=notice,
        lasts=None if for_good or notice is Notice.NOTHING else Span(p50=chain, p90=max(chain, p90)),
        for_good=for_good,
        at_least=bool(not_known),
        because=tuple(alike) if notice is not Notice.NOTHING else (),
        not_known=not_known,
    )


class _Twin(NamedTuple):
    """What makes two resources equal: the same type below the same parent."""

    parent: str
    type: str


def peers_in(state: State, plan: Plan) -> dict[str, int]:
    """URN of a step → how many more of the same type the state has below the same parent, and keeps."""
    own = {step.urn: _Twin(step.parent, step.type) for step in plan.steps}
    types = {twin.type for twin in own.values()}
    going = {urn for step in plan.steps if step.op not in _KEEPS for urn in (step.urn, step.urn_before)}
    kept = {
        resource.urn: _Twin(next((tie.urn for tie in resource.ties if tie.kind is TieKind.PARENT), ""), resource.type)
        for resource in state.resources
        if resource.type in types
        and not (resource.leftover or resource.half_replaced or resource.tainted or resource.urn in going)
    }
    count = Counter(kept.values())
    return {urn: count[twin] - (kept.get(urn) == twin) for urn, twin in own.items()}


def _softened(found: Effects, order: _Order, peers: Mapping[str, int]) -> list[Effect]:
    """The effects, milder where the book says that an equal resource spares users and one surely goes on meanwhile."""
    hit: dict[_Twin, list[_Hit]] = {}
    for effect in found.known:
        if effect.notice is not Notice.NOTHING:
            hit.setdefault(_Twin(order.parent(effect.urn), effect.type), []).append(_Hit(effect.urn, effect.moment))
    for unknown in found.unknown:
        twin = _Twin(order.parent(unknown.urn), unknown.type)
        hit.setdefault(twin, []).append(_Hit(unknown.urn, Moment.NOT_KNOWN))
    return [
        _spared(effect, hit.get(_Twin(order.parent(effect.urn), effect.type), []), order, peers.get(effect.urn, 0))
        if effect.softer
        else effect
        for effect in found.known
    ]


class _Hit(NamedTuple):
    urn: str
    moment: Moment


def _spared(effect: Effect, hit: list[_Hit], order: _Order, peers: int) -> Effect:
    """Milder when there are more peers than can be hit at the same time."""
    softer = effect.softer
    if softer is None or peers <= 0:
        return effect
    at_once = {other.urn for other in hit if other.urn != effect.urn and not _one_by_one(effect, other, order)}
    if len(at_once) >= peers:
        return effect
    milder = {"notice": softer.notice, "lasts": softer.lasts, "for_good": False, "sentence": softer.sentence}
    return effect.model_copy(update={**milder, "softer": None})


def _one_by_one(one: Effect, other: _Hit, order: _Order) -> bool:
    both_now = one.moment is Moment.CHANGE and other.moment is Moment.CHANGE
    return both_now and order.apart(one.urn, other.urn)


class _Order:
    """Which steps of a plan come one after the other."""

    def __init__(self, plan: Plan) -> None:
        self._parents = {step.urn: step.parent for step in plan.steps}
        self._needs = {step.urn: step.needs for step in plan.steps}

    def parent(self, urn: str) -> str:
        return self._parents.get(urn, "")

    def apart(self, one: str, other: str) -> bool:
        """One of the two waits for the other itself. Not through a third: a step more must not be noticed less."""
        return other in self._needs.get(one, ()) or one in self._needs.get(other, ())

    def longest(self, seconds: Mapping[_Group, Mapping[str, float]]) -> dict[_Group, float]:
        """For each group the longest chain of its steps, through whatever lies between them.

        One walk along the dependencies for all groups. What waits in a circle is counted one after the other.
        """
        member: dict[str, list[_Group]] = {}
        for group, own in seconds.items():
            for urn in own if len(own) > 1 else ():
                member.setdefault(urn, []).append(group)
        longest = {group: max(own.values(), default=0.0) for group, own in seconds.items()}
        so_far: dict[str, dict[_Group, float]] = {}
        for urn in self._in_order() if member else ():
            ends: dict[_Group, float] = {}
            for other in self._needs[urn]:
                for group, end in so_far.get(other, {}).items():
                    ends[group] = max(ends.get(group, 0.0), end)
            for group in member.get(urn, ()):
                ends[group] = ends.get(group, 0.0) + seconds[group][urn]
                longest[group] = max(longest[group], ends[group])
            so_far[urn] = ends
        for urn in member.keys() - so_far.keys():
            for group in member[urn]:
                longest[group] += seconds[group][urn]
        return longest

    def _in_order(self) -> list[str]:
        """The steps, each after those that it waits for; without those in a circle, or behind one."""
        waits = {
            urn: {each for each in needs if each in self._needs and each != urn} for urn, needs in self._needs.items()
        }
        behind: dict[str, list[str]] = {urn: [] for urn in waits}
        for urn, needs in waits.items():
            for each in needs:
                behind[each].append(urn)
        ordered = [urn for urn, needs in waits.items() if not needs]
        for urn in ordered:
            for other in behind[urn]:
                waits[other].discard(urn)
                if not waits[other]:
                    ordered.append(other)
        return ordered
