"""Risk, and why."""

from __future__ import annotations

from tollgate.assess.consequences import Band
from tollgate.assess.model import Impact
from tollgate.report.appendix import RESOURCES, RULES, Appendix
from tollgate.report.parts import Link, Row, Statement, Table, Told, phrase, quote, say, unique
from tollgate.report.text import readable

MOST_LINKS = 3
BANDS = {
    Band.LOW: phrase("band_low"),
    Band.MEDIUM: phrase("band_medium"),
    Band.HIGH: phrase("band_high"),
    Band.CRITICAL: phrase("band_critical"),
}


def risk(impact: Impact, appendix: Appendix) -> Told:
    """The band, the sum, and every reason with its points."""
    said = say(phrase("risk_band", band=BANDS[impact.risk.band], n=impact.risk.points), RULES)
    rows = tuple(
        Row(
            cells=(phrase("number", n=factor.points), quote(readable(factor.sentence))),
            evidence=_links(factor.rule, factor.evidence, appendix),
        )
        for factor in impact.risk.factors
    )
    columns = (phrase("column_points"), phrase("column_reason"))
    return Told(statements=(said,), tables=(Table(title=phrase("risk_table"), columns=columns, rows=rows),))


def class_in_words(impact: Impact, appendix: Appendix) -> Statement:
    """The class and why, for the summary."""
    classified = impact.classified
    deciding = [reason.urn for reason in classified.reasons if reason.change_class is classified.change_class]
    links = unique(map(appendix.of_urn, deciding), MOST_LINKS)
    return say(quote(readable(classified.sentence)), *(links or (RESOURCES,)))


def _links(rule: str, urns: tuple[str, ...], appendix: Appendix) -> tuple[Link, ...]:
    links = [appendix.of_urn(urn) for urn in urns[:2]]
    if rule in appendix.by_rule:
        links.append(appendix.by_rule[rule])
    return unique(links)
