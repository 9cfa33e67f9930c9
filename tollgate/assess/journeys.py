"""What customers notice: from the services that a change reaches to the journeys that need them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tollgate.assess.consequences import Felt, JourneyImpact
from tollgate.assess.register import ServiceRegister
from tollgate.books.effect_book import Notice

_Way = tuple[Felt, tuple[str, ...]]
NOTHING = Felt()


def journeys(services: Mapping[str, Felt], register: ServiceRegister) -> tuple[JourneyImpact, ...]:
    """The journeys that notice something, or may, worst first.

    A caller feels what the service feels that it cannot do without. Behind a queue, and on a journey that is only
    delayed, an outage is "degraded": late, and not lost.
    """
    spread = _spread(services, register)
    found: dict[str, JourneyImpact] = {}
    for name, (felt, through) in sorted(spread.items()):
        service = register.services[name]
        for journey, own in [(key, felt) for key in service.serves] + [(key, _late(felt)) for key in service.delays]:
            made = JourneyImpact(journey=journey, title=register.journeys[journey].title, felt=own, through=through)
            if _notices(own) and (journey not in found or _weight(made) > _weight(found[journey])):
                found[journey] = made
    return tuple(sorted(found.values(), key=lambda one: (tuple(-part for part in _weight(one)[:5]), one.journey)))


def _spread(services: Mapping[str, Felt], register: ServiceRegister) -> dict[str, _Way]:
    """What each service feels, and through which others. Worst first, so that each is settled once."""
    known: dict[str, tuple[Felt, tuple[str, ...]]] = {
        name: (felt, (name,)) for name, felt in services.items() if name in register.services
    }
    settled: dict[str, tuple[Felt, tuple[str, ...]]] = {}
    while known:
        name = max(known, key=lambda key: (*_felt_weight(known[key][0]), -len(known[key][1]), key))
        felt, through = settled[name] = known.pop(name)
        for caller, stops in register.callers(name):
            passed = felt if stops else _late(felt)
            if caller in settled or not _notices(passed):
                continue
            if caller not in known or _felt_weight(passed) > _felt_weight(known[caller][0]):
                known[caller] = (passed, (*through, caller))
    return settled


def _late(felt: Felt) -> Felt:
    """The same behind a queue: late instead of out. What is lost is lost there, too."""
    if felt.notice.rank <= Notice.DEGRADED.rank or felt.notice is Notice.DATA_LOSS:
        return felt
    return felt.model_copy(update={"notice": Notice.DEGRADED})


def _notices(felt: Felt) -> bool:
    return felt.notice is not Notice.NOTHING or felt.at_least


def _felt_weight(felt: Felt) -> tuple[float, ...]:
    p50, p90 = (felt.lasts.p50, felt.lasts.p90) if felt.lasts else (0.0, 0.0)
    return felt.notice.rank, felt.for_good, p90, p50, felt.at_least


def _weight(one: JourneyImpact) -> tuple[float, ...]:
    return (*_felt_weight(one.felt), -len(one.through))


def worst(felt: Iterable[Felt]) -> Felt:
    """The worst of several; nothing when there is none."""
    return max(felt, key=_felt_weight, default=NOTHING)
