"""Cost: what a plan costs more a month, from list prices. What has no known price is told apart, and never as nothing.

A price is taken from the book of the resource's region, or there is none: no other region, size or day stands in for
it. Quantities come from the program; where no program states them, from assumptions (books/usage.yaml), so every
amount is an interval, and a difference is taken at the same usage on both sides. Of a resource with anything unknown
only increases are counted, so the total is "at least" and never a saving that nobody can vouch for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache

from tollgate.assess.changed import operation
from tollgate.assess.charges import Key, Reading, Resource, key_of, read
from tollgate.assess.downtime import WHOLE_STACK, services_by_component
from tollgate.assess.impact import Charge, Cost, Money, PriceBookUsed, Priced, ResourceCost, ServiceCost
from tollgate.assess.naming import capital, subject
from tollgate.assess.regions import Regions
from tollgate.books.lines import Operation
from tollgate.books.meter_book import Meter, MeterLine, meter_book, meters_of
from tollgate.books.price_book import PriceBook, price_books
from tollgate.plan.model import Op, Plan, Step

_ZERO = Decimal(0)
_NOTHING = Money(low=_ZERO, high=_ZERO)
_CURRENCY = "USD"
_COSTS_NO_OTHER = (Op.SAME, Op.READ, Op.REFRESH, Op.IMPORT, Op.DISCARD)


def cost(
    plan: Plan,
    services: Mapping[str, str] | None = None,
    region: str = "",
    books: Mapping[str, PriceBook] | None = None,
) -> Cost:
    """What the change costs more a month.

    services: URN → service; by component when None. region: where resources are that do not say so themselves. books:
    by region; those of this installation when None.
    """
    of = services_by_component(plan) if services is None else services
    regions, known = Regions(plan, region), price_books() if books is None else books
    used: dict[str, PriceBook] = {}
    rows = []
    for step in plan.steps:
        if step.custom and step.op not in _COSTS_NO_OTHER:
            where = regions.of(step)
            rows.append(_of_step(step, of.get(step.urn, WHOLE_STACK), where, known.get(where)))
            if where in known and rows[-1].priced is Priced.PRICED:
                used[where] = known[where]
    rows.sort(key=lambda row: (row.urn, row.type, row.delta.low, row.delta.high, row.unknown))
    count = {word: sum(row.priced is word for row in rows) for word in Priced}
    return Cost(
        currency=_CURRENCY,
        delta=_sum(row.delta for row in rows),
        at_least=count[Priced.UNKNOWN] > 0,
        priced=count[Priced.PRICED],
        free=count[Priced.FREE],
        unknown=count[Priced.UNKNOWN],
        services=_by_service(rows),
        resources=tuple(row for row in rows if row.priced is not Priced.FREE),
        books=tuple(_used(used[where]) for where in sorted(used)),
    )


def _used(book: PriceBook) -> PriceBookUsed:
    return PriceBookUsed(
        id=book.id, region=book.region, effective=book.effective, review_by=book.review_by, digest=book.digest
    )


def _sum(amounts: Iterable[Money]) -> Money:
    amounts = list(amounts)
    if len(amounts) == 1:
        return amounts[0]
    return Money(low=sum((each.low for each in amounts), _ZERO), high=sum((each.high for each in amounts), _ZERO))


def _by_service(rows: Iterable[ResourceCost]) -> tuple[ServiceCost, ...]:
    groups: dict[str, list[ResourceCost]] = {}
    for row in rows:
        if row.priced is not Priced.FREE:
            groups.setdefault(row.service, []).append(row)
    found = [
        ServiceCost(
            service=service,
            delta=_sum(row.delta for row in own),
            unknown=sum(row.priced is Priced.UNKNOWN for row in own),
        )
        for service, own in groups.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.delta.high, -each.delta.low, each.service)))


def _of_step(step: Step, service: str, region: str, book: PriceBook | None) -> ResourceCost:
    """What one step costs more a month."""
    line, op = meters_of(step.type), operation(step)
    if op is None:
        return _row(step, service, (), ["what happens to it is not known"])
    if line is None:
        return _row(step, service, (), ["what is charged for it is not known"])
    charges = _charges(step, op, line, region, book)
    return _row(step, service, charges, [charge.unknown for charge in charges if charge.unknown])


def _stays(step: Step) -> bool:
    """The old one is left in the cloud, out of the definition, where it is charged on."""
    return step.op in (Op.DELETE, Op.REPLACE) and step.retain_on_delete


def _row(step: Step, service: str, charges: tuple[Charge, ...], reasons: list[str]) -> ResourceCost:
    priced = Priced.UNKNOWN if reasons else Priced.PRICED if charges else Priced.FREE
    deltas = [_only_up(charge.delta) if reasons else charge.delta for charge in charges]
    return ResourceCost(
        urn=step.urn,
        type=step.type,
        service=service,
        priced=priced,
        delta=_sum(deltas),
        charges=charges,
        stays=_stays(step),
        unknown=tuple(f"{capital(subject(step))}: {reason}." for reason in dict.fromkeys(reasons)),
    )


def _only_up(delta: Money) -> Money:
    """Nothing is saved on a resource that we do not know all of."""
    return Money(low=max(delta.low, _ZERO), high=max(delta.high, _ZERO))


def _charges(step: Step, op: Operation, line: MeterLine, region: str, book: PriceBook | None) -> tuple[Charge, ...]:
    """The charges on both sides, meter by meter. What stays where it is, is still charged: beside it the new one."""
    defaults = meter_book().defaults
    old = Resource(step.type, step.old, step.old_outputs, defaults) if step.old is not None else None
    new = Resource(step.type, step.new, step.old_outputs, defaults) if step.new is not None else None
    if op is Operation.FORGET:
        new = old
    elif _stays(step):
        old = None
    found = []
    for meter in line.meters:
        before = key_of(meter, old) if old else None
        stays = old and new and meter.reads.isdisjoint(step.moving)
        after = before if stays else key_of(meter, new) if new else None
        if before or after:
            found.append(_charge(meter, before, after, book, region))
    return tuple(found)


@lru_cache(maxsize=16_384)
def _charge(meter: Meter, before: Key | None, after: Key | None, book: PriceBook | None, region: str) -> Charge:
    """One charge, before and after. Many resources of a stack are charged alike."""
    old, new = (read(meter, key, book, region) if key else None for key in (before, after))
    reading = new or old
    same = bool(before and before == after and before.tellable)
    unknown = "" if same else next((side.unknown for side in (new, old) if side and side.unknown), "")
    usage = reading.usage if reading else None
    return Charge(
        meter=meter.meter,
        words=meter.words,
        before=_money(old),
        after=_money(new),
        delta=_NOTHING if same else _delta(old, new),
        usage=f"{usage.low} to {usage.high} {usage.unit} a month: {usage.source}" if usage else "",
        price=reading.item.place if reading and reading.item else None,
        unknown=unknown,
    )


def _money(reading: Reading | None) -> Money | None:
    return None if reading is None or reading.unknown else Money(low=reading.low, high=reading.high)


def _delta(before: Reading | None, after: Reading | None) -> Money:
    """The difference at low and at high usage. Against something unknown only what is new counts, from nothing on."""
    if before and before.unknown:
        high = _ZERO if after is None or after.unknown else after.high
        return Money(low=_ZERO, high=high)
    if after and after.unknown:
        return _NOTHING
    low = (after.low if after else _ZERO) - (before.low if before else _ZERO)
    high = (after.high if after else _ZERO) - (before.high if before else _ZERO)
    return Money(low=min(low, high), high=max(low, high))
