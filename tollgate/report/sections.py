"""What each section of the page says. One function per section; none of them knows a medium or a language."""

from __future__ import annotations

from collections import Counter

from tollgate.assess.model import Assessment
from tollgate.gate.model import Decision, Verdict
from tollgate.policy.severity import Severity
from tollgate.report.appendix import MADE, RESOURCES, RULES, SCOPE, Appendix
from tollgate.report.checked import checked
from tollgate.report.money import money
from tollgate.report.parts import (
    Phrase,
    Section,
    SectionName,
    Statement,
    Subject,
    Told,
    open_point,
    phrase,
    say,
)
from tollgate.report.people import people
from tollgate.report.risk import class_in_words, risk
from tollgate.report.text import clean, readable
from tollgate.report.timing import timing
from tollgate.report.unknowns import is_quiet, unknown
from tollgate.report.way_back import way_back

VERDICTS = {
    Verdict.ALLOW: phrase("verdict_allow"),
    Verdict.WAIT: phrase("verdict_wait"),
    Verdict.DENY: phrase("verdict_deny"),
}
SEVERITIES = {
    Severity.CRITICAL: phrase("severity_critical"),
    Severity.HIGH: phrase("severity_high"),
    Severity.MEDIUM: phrase("severity_medium"),
    Severity.LOW: phrase("severity_low"),
}


def sections(decision: Decision, subject: Subject, appendix: Appendix) -> tuple[Section, ...]:
    """All sections, in the order of the page."""
    assessment = decision.assessment
    told = {
        SectionName.DECISION: Told(),  # its words are the decision box
        SectionName.SUMMARY: Told(statements=_summary(assessment, subject, appendix)),
        SectionName.RISK: Told(statements=_risk(assessment)),
        SectionName.UNDO: Told(statements=_lost(assessment, appendix)),
        SectionName.OMISSION: Told(statements=_not_assessed(assessment, "omission_open")),
        SectionName.CHECKS: Told(statements=checked(assessment, appendix)),
        SectionName.UNKNOWN: Told(statements=unknown(assessment, subject, appendix)),
        SectionName.DECIDED: Told(statements=_decided(decision)),
        SectionName.APPENDIX: Told(),
    }
    for name, follows in _follows(assessment, appendix).items():
        before = told.get(name, Told())
        told[name] = Told(
            statements=(*before.statements, *follows.statements), tables=(*before.tables, *follows.tables)
        )
    return tuple(
        Section(name=name, title=_TITLES[name], statements=told[name].statements, tables=told[name].tables)
        for name in SectionName
    )


_OPEN = {
    SectionName.AFFECTED: "affected_open",
    SectionName.TIMING: "timing_not_assessed",
    SectionName.MONEY: "money_open",
    SectionName.UNDO: "undo_open",
}


def _follows(assessment: Assessment, appendix: Appendix) -> dict[SectionName, Told]:
    """What follows from the change. Where nobody worked it out, or nothing changes, the page says so."""
    impact = assessment.impact
    if impact is None or is_quiet(assessment):
        return {name: Told(statements=_not_assessed(assessment, key)) for name, key in _OPEN.items()}
    return {
        SectionName.AFFECTED: people(impact, appendix),
        SectionName.TIMING: timing(impact, appendix),
        SectionName.RISK: risk(impact, appendix),
        SectionName.MONEY: money(impact, appendix),
        SectionName.UNDO: way_back(impact, appendix),
    }


def counted(assessment: Assessment) -> tuple[tuple[Severity, int], ...]:
    """How many findings of each severity, worst first, zeros included."""
    found = Counter(finding.severity for finding in assessment.findings)
    return tuple((severity, found[severity]) for severity in reversed(Severity))


def _summary(assessment: Assessment, subject: Subject, appendix: Appendix) -> tuple[Statement, ...]:
    weighed = assessment.impact is not None and not is_quiet(assessment)
    return (
        say(phrase("summary_compared", compared=readable(subject.compared)), MADE),
        *((class_in_words(assessment.impact, appendix),) if weighed and assessment.impact else ()),
        say(changes_sentence(assessment), RESOURCES),
        say(severity_sentence(assessment), RULES),
    )


def engine_sentence(subject: Subject) -> Phrase:
    """Whether a cloud was asked. Stand-ins are always named."""
    key = "engine_stand_ins" if subject.stand_ins else "engine_real"
    return phrase(key, version=clean(subject.engine_version))


def changes_sentence(assessment: Assessment) -> Phrase:
    """How many resources would be created, updated and so on. Zeros are left out, stays are told."""
    counts = assessment.counts
    each = {
        "changes_create": counts.create,
        "changes_update": counts.update,
        "changes_replace": counts.replace,
        "changes_delete": counts.delete,
        "changes_guards": counts.guards,
        "changes_other": counts.other,
    }
    parts = tuple(phrase(key, n=n) for key, n in each.items() if n)
    same = phrase("changes_same", n=counts.same)
    return phrase("changes", parts=parts, same=same) if parts else phrase("changes_none", same=same)


def severity_sentence(assessment: Assessment) -> Phrase:
    """How many findings, and how many of each severity: the text alternative of the chart."""
    parts = tuple(
        phrase("findings_part", n=n, severity=SEVERITIES[severity]) for severity, n in counted(assessment) if n
    )
    return phrase("findings_some", n=len(assessment.findings), parts=parts) if parts else phrase("findings_none")


def _risk(assessment: Assessment) -> tuple[Statement, ...]:
    if not assessment.findings:
        return (say(phrase("risk_none"), RULES),)
    weighed = () if assessment.impact else (open_point(phrase("risk_open"), SCOPE),)
    return (say(severity_sentence(assessment), RULES), *weighed)


def _lost(assessment: Assessment, appendix: Appendix) -> tuple[Statement, ...]:
    gone = [row for row in assessment.resources if row.op in ("delete", "replace")]
    if not gone:
        return ()
    links = [appendix.of_urn(row.urn) for row in gone]
    return (say(phrase("undo_lost", n=len(gone)), *(links if len(links) <= 3 else [RESOURCES])),)


def _decided(decision: Decision) -> tuple[Statement, ...]:
    return (
        say(phrase("decided_gate", verdict=VERDICTS[decision.verdict]), RULES),
        open_point(phrase("decided_open"), SCOPE),
    )


def _not_assessed(assessment: Assessment, key: str) -> tuple[Statement, ...]:
    """A section that a reader needs and this version cannot fill, unless there is nothing to tell."""
    if is_quiet(assessment):
        return (say(phrase("nothing_changes"), RESOURCES),)
    return (open_point(phrase(key), SCOPE),)


_TITLES = {
    SectionName.DECISION: phrase("title_decision"),
    SectionName.SUMMARY: phrase("title_summary"),
    SectionName.AFFECTED: phrase("title_affected"),
    SectionName.TIMING: phrase("title_timing"),
    SectionName.RISK: phrase("title_risk"),
    SectionName.MONEY: phrase("title_money"),
    SectionName.UNDO: phrase("title_undo"),
    SectionName.OMISSION: phrase("title_omission"),
    SectionName.CHECKS: phrase("title_checks"),
    SectionName.UNKNOWN: phrase("title_unknown"),
    SectionName.DECIDED: phrase("title_decided"),
    SectionName.APPENDIX: phrase("title_appendix"),
}
