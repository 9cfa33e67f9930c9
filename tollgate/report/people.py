"""Who notices, what, and for how long."""

from __future__ import annotations

from tollgate.assess.consequences import Felt, JourneyImpact
from tollgate.assess.impact import Downtime, Moment
from tollgate.assess.model import Impact
from tollgate.books.effect_book import Notice
from tollgate.report.amounts import lasts_in_words
from tollgate.report.appendix import RESOURCES, Appendix
from tollgate.report.parts import Link, Phrase, Row, Statement, Table, Told, phrase, quote, say, unique
from tollgate.report.text import readable

MOST_REASONS = 3  # sentences in a cell; the rest stand in the appendix
_NOTICES = {
    Notice.NOTHING: phrase("lasts_not_known"),  # a part of which everything is known to be nothing is not told
    Notice.RESERVE: phrase("notice_reserve"),
    Notice.RECONNECT: phrase("notice_reconnect"),
    Notice.DEGRADED: phrase("notice_degraded"),
    Notice.PARTIAL: phrase("notice_partial"),
    Notice.OUTAGE: phrase("notice_outage"),
    Notice.DATA_LOSS: phrase("notice_data_loss"),
}
_CUSTOMERS = {
    Notice.NOTHING: "customers_not_known",
    Notice.RESERVE: "customers_reserve",
    Notice.RECONNECT: "customers_reconnect",
    Notice.DEGRADED: "customers_degraded",
    Notice.PARTIAL: "customers_partial",
    Notice.OUTAGE: "customers_outage",
    Notice.DATA_LOSS: "customers_data_loss",
}
_MOMENTS = {
    Moment.CHANGE: phrase("moment_change"),
    Moment.WINDOW: phrase("moment_window"),
    Moment.NOT_KNOWN: phrase("moment_not_known"),
}
_UNKNOWN = Link(anchor="unknown", label=phrase("see_list"))


def people(impact: Impact, appendix: Appendix) -> Told:
    """The section. Without a register of services it speaks of parts of the stack, not of customers."""
    noticed = [row for row in impact.downtime if row.notice is not Notice.NOTHING or row.at_least]
    tables = [*_journeys(impact, appendix), *_services(noticed, impact, appendix)]
    return Told(statements=(*_summary(impact, noticed, appendix), *_gaps(impact)), tables=tuple(tables))


def worst_in_words(impact: Impact, appendix: Appendix) -> Statement:
    """One sentence for the decision box."""
    if impact.journeys:
        worst = impact.journeys[0]
        return say(_customers(worst), *_evidence_of(worst, impact, appendix))
    return _summary(impact, [row for row in impact.downtime if row.notice is not Notice.NOTHING], appendix)[0]


def _summary(impact: Impact, noticed: list[Downtime], appendix: Appendix) -> list[Statement]:
    if impact.journeys:
        felt = sum(one.felt.notice.felt for one in impact.journeys)
        open_ones = sum(one.felt.at_least for one in impact.journeys)
        key = "people_some" if felt else "people_maybe" if open_ones else "people_reserve"
        return [say(phrase(key, n=felt or open_ones or len(impact.journeys)), RESOURCES)]
    if noticed:
        key = "people_services_only" if impact.journeys is not None else "people_no_register"
        return [say(phrase(key, n=len(noticed)), *_links(noticed[0], impact, appendix))]
    if impact.unknown_effects:
        return [say(phrase("people_not_known"), _UNKNOWN)]
    return [say(phrase("people_nobody"), *_quiet(impact, appendix))]


def _quiet(impact: Impact, appendix: Appendix) -> tuple[Link, ...]:
    """What "nobody" rests on: the lines of the book that say so."""
    return unique((appendix.of_source(effect.source) for effect in impact.effects), MOST_REASONS) or (RESOURCES,)


def _gaps(impact: Impact) -> list[Statement]:
    said = []
    if impact.unknown_effects:
        said.append(say(phrase("people_effects_unknown", n=len(impact.unknown_effects)), _UNKNOWN))
    if impact.affected and impact.affected.unmapped:
        said.append(say(phrase("people_unmapped", n=len(impact.affected.unmapped)), RESOURCES))
    return said


def _journeys(impact: Impact, appendix: Appendix) -> list[Table]:
    if not impact.journeys:
        return []
    columns = ("column_customers", "column_how_long", "column_when", "column_because")
    rows = [
        Row(
            cells=(
                _customers(one),
                _how_long(one.felt),
                _MOMENTS[one.felt.moment],
                phrase("through", services=tuple(called(name, impact) for name in one.through)),
            ),
            evidence=_evidence_of(one, impact, appendix),
        )
        for one in impact.journeys
    ]
    return [Table(title=phrase("journeys_table"), columns=tuple(map(phrase, columns)), rows=tuple(rows))]


def _services(noticed: list[Downtime], impact: Impact, appendix: Appendix) -> list[Table]:
    if not noticed:
        return []
    columns = ("column_service", "column_notices", "column_how_long", "column_because")
    rows = [
        Row(
            cells=(
                called(row.service, impact),
                _NOTICES[row.notice],
                lasts_in_words(row.lasts, for_good=row.for_good, at_least=row.at_least),
                _because(row, impact),
            ),
            evidence=_links(row, impact, appendix),
        )
        for row in noticed
    ]
    return [Table(title=phrase("services_table"), columns=tuple(map(phrase, columns)), rows=tuple(rows))]


def _because(row: Downtime, impact: Impact) -> Phrase:
    """The sentences of the book, once each; where it has none, why it is not known."""
    open_ones = [one for one in impact.unknown_effects if one.urn in row.not_known]
    said = tuple(dict.fromkeys(readable(one.sentence) for one in row.because or open_ones))
    text = " ".join(said[:MOST_REASONS])
    more = len(said) - MOST_REASONS
    return phrase("sentences_more", text=text, n=more) if more > 0 else phrase("sentences_all", text=text)


def _links(row: Downtime, impact: Impact, appendix: Appendix) -> tuple[Link, ...]:
    effects = row.because or [effect for effect in impact.effects if effect.urn in row.not_known]
    links = [link for effect in effects for link in (appendix.of_urn(effect.urn), appendix.of_source(effect.source))]
    return unique(links, 2 * MOST_REASONS) or (_UNKNOWN,)


def _evidence_of(one: JourneyImpact, impact: Impact, appendix: Appendix) -> tuple[Link, ...]:
    """Where it begins: the service's own effects, else the changed resources that reach it."""
    begins = [row for row in impact.downtime if row.service == one.through[0] and row.because]
    if begins:
        return _links(begins[0], impact, appendix)
    reached = impact.affected.reached if impact.affected else ()
    links = [appendix.of_urn(found.urn) for found in reached if found.service == one.through[0]]
    return unique(links, MOST_REASONS) or (_UNKNOWN,)


def _customers(one: JourneyImpact) -> Phrase:
    return phrase(_CUSTOMERS[one.felt.notice], journey=readable(one.title))


def _how_long(felt: Felt) -> Phrase:
    return lasts_in_words(felt.lasts, for_good=felt.for_good, at_least=felt.at_least)


def called(service: str, impact: Impact) -> Phrase:
    """What a service is called in the register; a part of the stack goes by its own name."""
    titles = impact.affected.titles if impact.affected else {}
    return quote(readable(titles.get(service, service)))
