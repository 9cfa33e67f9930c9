"""What each section of the page says. One function per section; none of them knows a medium or a language."""

from __future__ import annotations

from collections import Counter

from tollgate.assess.model import AcceptedRisk, Assessment, Scanned
from tollgate.gate.model import Decision, Verdict
from tollgate.policy.severity import Severity
from tollgate.report.appendix import MADE, RESOURCES, RULES, SCOPE, Appendix
from tollgate.report.parts import (
    Glance,
    Link,
    Phrase,
    Section,
    SectionName,
    Statement,
    Subject,
    phrase,
    quote,
)
from tollgate.report.text import clean, readable

REASONS_AT_A_GLANCE = 3  # more than three reasons are not read; the rest stand under the checks
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
    said = {
        SectionName.DECISION: (),  # its words are the decision box
        SectionName.SUMMARY: _summary(assessment, subject),
        SectionName.AFFECTED: _not_assessed(assessment, "affected_open"),
        SectionName.TIMING: _not_assessed(assessment, "timing_open"),
        SectionName.RISK: _risk(assessment),
        SectionName.MONEY: _not_assessed(assessment, "money_open"),
        SectionName.UNDO: (*_lost(assessment, appendix), *_not_assessed(assessment, "undo_open")),
        SectionName.OMISSION: _not_assessed(assessment, "omission_open"),
        SectionName.CHECKS: (*_checks(assessment), *_waived(assessment, appendix)),
        SectionName.UNKNOWN: _unknown(assessment, subject, appendix),
        SectionName.DECIDED: _decided(decision),
        SectionName.APPENDIX: (),
    }
    return tuple(Section(name=name, title=_TITLES[name], statements=said[name]) for name in SectionName)


def glance(decision: Decision, appendix: Appendix) -> tuple[Glance, ...]:
    """The decision box: what is asked, why, by when, the way back, and how much is not known."""
    assessment = decision.assessment
    unknown = len(assessment.unknowns)
    if unknown:
        unknowns = _say(phrase("glance_unknown_some", n=unknown), Link(anchor="unknown", label=phrase("see_list")))
    else:
        unknowns = _say(phrase("glance_unknown_none"), MADE)
    quiet = is_quiet(assessment)
    undo = _say(phrase("glance_undo_none"), RESOURCES) if quiet else _open(phrase("glance_undo_open"))
    return (
        Glance(label=phrase("glance_asked"), statements=_asks(decision, appendix)),
        *_why(decision, appendix),
        Glance(label=phrase("glance_when"), statements=(_open(phrase("glance_when_open")),)),
        Glance(label=phrase("glance_undo"), statements=(undo,)),
        Glance(label=phrase("glance_unknown"), statements=(unknowns,)),
    )


def is_quiet(assessment: Assessment) -> bool:
    """True when nothing changes, nothing was found and nothing is unknown."""
    counts = assessment.counts
    changes = counts.create + counts.update + counts.replace + counts.delete + counts.guards + counts.other
    return not (changes or assessment.findings or assessment.unknowns or assessment.resources)


def counted(assessment: Assessment) -> tuple[tuple[Severity, int], ...]:
    """How many findings of each severity, worst first, zeros included."""
    found = Counter(finding.severity for finding in assessment.findings)
    return tuple((severity, found[severity]) for severity in reversed(Severity))


def from_gate(text: str, decision: Decision, appendix: Appendix) -> Statement:
    """A sentence of the gate. When a finding says the same, or the rule is named, that is the evidence."""
    for finding in decision.assessment.findings:
        if finding.sentence and finding.sentence in text:
            return _say(quote(readable(text)), *appendix.of_finding(finding))
        if f"({finding.rule})" in text:
            return _say(quote(readable(text)), appendix.by_rule[finding.rule])
    return _say(quote(readable(text)), RULES)


def _asks(decision: Decision, appendix: Appendix) -> tuple[Statement, ...]:
    if decision.asks:
        return tuple(from_gate(ask, decision, appendix) for ask in decision.asks)
    key = {Verdict.ALLOW: "asked_nothing", Verdict.WAIT: "asked_review", Verdict.DENY: "asked_change"}
    return (_say(phrase(key[decision.verdict]), RULES),)


def _why(decision: Decision, appendix: Appendix) -> tuple[Glance, ...]:
    reasons = [reason for reason in decision.reasons if reason not in decision.headline]
    statements = [from_gate(reason, decision, appendix) for reason in reasons[:REASONS_AT_A_GLANCE]]
    if more := len(reasons) - len(statements):
        statements.append(_say(phrase("reasons_more", n=more), Link(anchor="checks", label=phrase("see_list"))))
    return (Glance(label=phrase("glance_why"), statements=tuple(statements)),) if statements else ()


def _summary(assessment: Assessment, subject: Subject) -> tuple[Statement, ...]:
    return (
        _say(phrase("summary_compared", compared=readable(subject.compared)), MADE),
        _say(changes_sentence(assessment), RESOURCES),
        _say(severity_sentence(assessment), RULES),
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
        return (_say(phrase("risk_none"), RULES),)
    return (_say(severity_sentence(assessment), RULES), _open(phrase("risk_open")))


def _lost(assessment: Assessment, appendix: Appendix) -> tuple[Statement, ...]:
    gone = [row for row in assessment.resources if row.op in ("delete", "replace")]
    if not gone:
        return ()
    links = [appendix.of_urn(row.urn) for row in gone]
    return (_say(phrase("undo_lost", n=len(gone)), *(links if len(links) <= 3 else [RESOURCES])),)


def _checks(assessment: Assessment) -> tuple[Statement, ...]:
    checks = assessment.checks
    if checks is None:
        return (_open(phrase("checks_no_pack")), *_scan(assessment.scan))
    total = checks.passed + checks.failed + checks.waived + checks.not_evaluated
    said = [_say(phrase("checks_made", n=total), MADE)]
    if checks.not_evaluated:
        said.append(_say(phrase("checks_not_evaluated"), MADE))
    return (*said, *_scan(assessment.scan))


def _scan(scan: Scanned | None) -> tuple[Statement, ...]:
    """Whether checkov looked, what came of it, and what of that is accepted."""
    if scan is None or not scan.ran:
        return (_open(phrase("scan_not_run" if scan else "scan_left_out")),)
    ran = phrase(
        "scan_ran",
        n=scan.resources,
        version=clean(scan.version),
        passed=scan.checks.passed,
        failed=scan.checks.failed,
        waived=scan.checks.waived,
        unsettled=scan.checks.not_evaluated,
    )
    return (_say(ran, MADE), *(_say(_accepted(risk), MADE) for risk in scan.accepted))


def _accepted(risk: AcceptedRisk) -> Phrase:
    return phrase(
        "scan_accepted",
        n=risk.resources,
        rule=clean(risk.rule),
        reason=readable(risk.reason).rstrip("."),
        approver=readable(risk.approver),
        expires=risk.expires.isoformat(),
    )


def _waived(assessment: Assessment, appendix: Appendix) -> tuple[Statement, ...]:
    """Every violation under an exception: what, whose, until when, why, and what is done instead."""
    return tuple(
        _say(
            phrase(
                "checks_waived_one",
                found=readable(waived.sentence),
                rule=readable(waived.rule),
                owner=readable(waived.owner),
                approver=readable(waived.approver),
                until=waived.until.isoformat(),
                reason=readable(waived.reason),
                instead=readable(waived.instead),
            ),
            appendix.of_urn(waived.urn),
        )
        for waived in assessment.waived
    )


def _unknown(assessment: Assessment, subject: Subject, appendix: Appendix) -> tuple[Statement, ...]:
    unknowns = [_say(quote(readable(item.sentence)), appendix.of_urn(item.urn)) for item in assessment.unknowns]
    notes = [_say(quote(readable(note)), MADE) for note in assessment.notes]
    stand_ins = [_say(phrase("unknown_stand_ins"), MADE)] if subject.stand_ins else []
    none = [] if unknowns else [_say(phrase("unknown_none"), RESOURCES)]
    return (*none, *unknowns, *notes, *stand_ins, _open(phrase("unknown_open")))


def _decided(decision: Decision) -> tuple[Statement, ...]:
    return (
        _say(phrase("decided_gate", verdict=VERDICTS[decision.verdict]), RULES),
        _open(phrase("decided_open")),
    )


def _not_assessed(assessment: Assessment, key: str) -> tuple[Statement, ...]:
    """A section that a reader needs and this version cannot fill, unless there is nothing to tell."""
    if is_quiet(assessment):
        return (_say(phrase("nothing_changes"), RESOURCES),)
    return (_open(phrase(key)),)


def _say(said: Phrase, *evidence: Link) -> Statement:
    return Statement(said=said, evidence=evidence)


def _open(said: Phrase) -> Statement:
    return Statement(said=said, evidence=(SCOPE,), open=True)


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
