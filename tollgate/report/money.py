"""What it costs, with everything that is not known said beside it."""

from __future__ import annotations

from collections.abc import Iterator

from tollgate.assess.impact import Cost, Priced, ResourceCost
from tollgate.assess.model import Impact
from tollgate.report.amounts import money_in_words
from tollgate.report.appendix import MADE, RESOURCES, Appendix
from tollgate.report.parts import Link, Row, Statement, Table, Told, phrase, say, unique
from tollgate.report.people import called
from tollgate.report.text import clean, readable

MOST_LINKS = 3
_UNKNOWN = Link(anchor="unknown", label=phrase("see_list"))


def money(impact: Impact, appendix: Appendix) -> Told:
    """More or less a month, by service, and what the figures rest on."""
    cost = impact.cost
    return Told(statements=(*amounts(cost, appendix), *_rests_on(cost)), tables=_services(impact, appendix))


def amounts(cost: Cost, appendix: Appendix) -> Iterator[Statement]:
    """What a month costs more or less. What has no known price never makes the sum smaller."""
    if not (cost.priced or cost.unknown):
        yield say(phrase("money_free", n=cost.free), RESOURCES)
        return
    if cost.priced:
        amount = money_in_words(cost.delta, clean(cost.currency))
        key = "money_at_least" if cost.at_least else "money_is"
        yield say(phrase(key, amount=amount), *_links(cost.resources, appendix))
    if cost.unknown:
        yield say(phrase("money_unknown", n=cost.unknown), _UNKNOWN)
    left = [row.urn for row in cost.resources if row.stays]
    if left:
        links = unique(map(appendix.of_urn, sorted(left)), MOST_LINKS)
        yield say(phrase("money_stays", n=len(left)), *links)
    if cost.free:
        yield say(phrase("money_free_beside", n=cost.free), RESOURCES)


def _rests_on(cost: Cost) -> Iterator[Statement]:
    """The price books, and what is assumed where the program states no quantity."""
    for book in cost.books:
        yield say(
            phrase("money_book", id=clean(book.id), effective=clean(book.effective), digest=clean(book.digest)[:12]),
            MADE,
        )
    usage = dict.fromkeys(readable(charge.usage) for row in cost.resources for charge in row.charges if charge.usage)
    if usage:
        yield say(phrase("money_usage", usage="; ".join(usage)), MADE)


def _links(rows: tuple[ResourceCost, ...], appendix: Appendix) -> tuple[Link, ...]:
    priced = [charge.price for row in rows for charge in row.charges if charge.price]
    return unique(map(appendix.of_source, priced), MOST_LINKS) or (MADE,)


def _services(impact: Impact, appendix: Appendix) -> tuple[Table, ...]:
    cost = impact.cost
    rows = tuple(
        Row(
            cells=(
                called(service.service, impact),
                money_in_words(service.delta, clean(cost.currency)),
                phrase("money_service_unknown", n=service.unknown) if service.unknown else phrase("none"),
            ),
            evidence=_links(_of_service(cost, service.service), appendix),
        )
        for service in cost.services
    )
    columns = ("column_service", "column_a_month", "column_without_price")
    if not rows or not (cost.priced or cost.unknown):
        return ()
    return (Table(title=phrase("money_table"), columns=tuple(map(phrase, columns)), rows=rows),)


def _of_service(cost: Cost, service: str) -> tuple[ResourceCost, ...]:
    return tuple(row for row in cost.resources if row.service == service and row.priced is not Priced.FREE)
