"""The decision box: what is asked, why, who notices, how risky, by when, the way back, and how much is not known."""

from __future__ import annotations

from tollgate.assess.model import Assessment
from tollgate.gate.model import Decision, Verdict
from tollgate.report.appendix import MADE, RESOURCES, RULES, SCOPE, Appendix
from tollgate.report.parts import Glance, Link, Statement, open_point, phrase, quote, say
from tollgate.report.people import worst_in_words
from tollgate.report.risk import BANDS
from tollgate.report.text import readable
from tollgate.report.unknowns import is_quiet, points
from tollgate.report.way_back import way_back_in_words

REASONS_AT_A_GLANCE = 3  # more than three reasons are not read; the rest stand under the checks


def glance(decision: Decision, appendix: Appendix) -> tuple[Glance, ...]:
    """The decision box: what is asked, why, by when, the way back, and how much is not known."""
    assessment = decision.assessment
    unknown = len(points(assessment))
    if unknown:
        unknowns = say(phrase("glance_unknown_some", n=unknown), Link(anchor="unknown", label=phrase("see_list")))
    else:
        unknowns = say(phrase("glance_unknown_none"), MADE)
    return (
        Glance(label=phrase("glance_asked"), statements=_asks(decision, appendix)),
        *_why(decision, appendix),
        *_noticed(assessment, appendix),
        Glance(label=phrase("glance_when"), statements=(open_point(phrase("glance_when_open"), SCOPE),)),
        Glance(label=phrase("glance_undo"), statements=(_undo(assessment),)),
        Glance(label=phrase("glance_unknown"), statements=(unknowns,)),
    )


def _noticed(assessment: Assessment, appendix: Appendix) -> tuple[Glance, ...]:
    if assessment.impact is None or is_quiet(assessment):
        return ()
    band = phrase("glance_risk_band", band=BANDS[assessment.impact.risk.band])
    return (
        Glance(label=phrase("glance_people"), statements=(worst_in_words(assessment.impact, appendix),)),
        Glance(label=phrase("glance_risk"), statements=(say(band, Link(anchor="risk", label=phrase("see_list"))),)),
    )


def _undo(assessment: Assessment) -> Statement:
    if is_quiet(assessment):
        return say(phrase("glance_undo_nothing"), RESOURCES)
    if assessment.impact is None:
        return open_point(phrase("glance_undo_open"), SCOPE)
    return way_back_in_words(assessment.impact)


def from_gate(text: str, decision: Decision, appendix: Appendix) -> Statement:
    """A sentence of the gate. What a finding says, or asks for, rests on its resource and its rule."""
    for finding in decision.assessment.findings:
        if finding.sentence and finding.sentence in text:
            return say(quote(readable(text)), *appendix.of_finding(finding))
        if f"({finding.rule})" in text:
            return say(quote(readable(text)), *appendix.of_finding(finding))
    return say(quote(readable(text)), RULES)


def _asks(decision: Decision, appendix: Appendix) -> tuple[Statement, ...]:
    if decision.asks:
        return tuple(from_gate(ask, decision, appendix) for ask in decision.asks)
    key = {Verdict.ALLOW: "asked_nothing", Verdict.WAIT: "asked_review", Verdict.DENY: "asked_change"}
    return (say(phrase(key[decision.verdict]), RULES),)


def _why(decision: Decision, appendix: Appendix) -> tuple[Glance, ...]:
    reasons = [reason for reason in decision.reasons if reason not in decision.headline]
    statements = [from_gate(reason, decision, appendix) for reason in reasons[:REASONS_AT_A_GLANCE]]
    if more := len(reasons) - len(statements):
        statements.append(say(phrase("reasons_more", n=more), Link(anchor="checks", label=phrase("see_list"))))
    return (Glance(label=phrase("glance_why"), statements=tuple(statements)),) if statements else ()
