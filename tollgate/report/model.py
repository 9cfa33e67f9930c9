"""The Report: the last model of the pipeline. Every output is drawn from it, so that no two can disagree."""

from __future__ import annotations

from collections import Counter

from tollgate.assess.model import Assessment, Checks, Evidence, Finding
from tollgate.gate.model import Decision, Verdict
from tollgate.plan.model import Frozen
from tollgate.policy.severity import Severity
from tollgate.report.appendix import Appendix, lay_out
from tollgate.report.glance import from_gate, glance
from tollgate.report.parts import (
    Found,
    Glance,
    Phrase,
    ResourceRow,
    RuleRow,
    Section,
    SourceRow,
    Stage,
    Statement,
    Subject,
    phrase,
    quote,
)
from tollgate.report.sections import (
    VERDICTS,
    counted,
    engine_sentence,
    sections,
)
from tollgate.report.text import clean, readable

__all__ = ["WHOLE_REPORT", "Report", "Stage", "Subject", "build_report"]

TOP_FINDINGS = 3  # the design's "risk and why (top three)"
WHOLE_REPORT = "report.html"  # the file that holds everything, named where something was left out


class Report(Frozen):
    """What is said about one decision. Holds no words of ours, only phrases; see ``parts``.

    leading: the first finding of each rule, with how many more are like it.
    """

    verdict: Verdict
    verdict_word: Phrase
    headline: Statement
    glance: tuple[Glance, ...]
    engine: Phrase
    sections: tuple[Section, ...]
    severities: tuple[tuple[Severity, int], ...]
    findings: tuple[Found, ...]
    leading: tuple[Found, ...]
    checks: Checks | None
    resources: tuple[ResourceRow, ...]
    rules: tuple[RuleRow, ...]
    sources: tuple[SourceRow, ...]
    facts_digest: str
    subject: Subject

    @property
    def line(self) -> Phrase:
        """The verdict as a sentence that a manager can repeat: the first line of every output."""
        return phrase("verdict_line", word=self.verdict_word, headline=self.headline.said)

    @property
    def top(self) -> tuple[Found, ...]:
        """The findings that are told in full under risk: one of a rule, so that many alike hide nothing else."""
        return self.leading[:TOP_FINDINGS]


def build_report(decision: Decision, *, subject: Subject) -> Report:
    """Arrange a decision for its readers. Pure: clock, engine and names come in with ``subject``."""
    assessment = decision.assessment
    appendix = lay_out(assessment)
    return Report(
        verdict=decision.verdict,
        verdict_word=VERDICTS[decision.verdict],
        headline=from_gate(decision.headline, decision, appendix),
        glance=glance(decision, appendix),
        engine=engine_sentence(subject),
        sections=sections(decision, subject, appendix),
        severities=counted(assessment),
        findings=tuple(_found(finding, appendix) for finding in assessment.findings),
        leading=_leading(assessment, appendix),
        checks=assessment.checks,
        resources=appendix.resources,
        rules=appendix.rules,
        sources=appendix.sources,
        facts_digest=clean(assessment.facts_digest),
        subject=_readable(subject),
    )


def _leading(assessment: Assessment, appendix: Appendix) -> tuple[Found, ...]:
    times = Counter(finding.rule for finding in assessment.findings)
    first = {finding.rule: finding for finding in reversed(assessment.findings)}
    return tuple(
        _found(finding, appendix, alike=times[finding.rule] - 1)
        for finding in assessment.findings
        if first[finding.rule] is finding
    )


def _found(finding: Finding, appendix: Appendix, *, alike: int = 0) -> Found:
    return Found(
        severity=finding.severity,
        said=Statement(said=quote(readable(finding.sentence)), evidence=appendix.of_finding(finding)),
        why=readable(finding.why),
        fix=readable(finding.fix),
        proof=(*map(_proof, finding.evidence), *_also(finding)),
        alike=alike,
    )


def _proof(evidence: Evidence) -> Phrase:
    """What the property was and becomes; an empty side is not shown as a value."""
    path, before, after = readable(evidence.path), readable(evidence.before), readable(evidence.after)
    if before and after:
        return phrase("proof_changed", path=path, before=before, after=after)
    if before:
        return phrase("proof_before", path=path, before=before)
    return phrase("proof_after", path=path, after=after) if after else quote(path)


def _also(finding: Finding) -> tuple[Phrase, ...]:
    return (phrase("proof_also", checks=", ".join(map(clean, finding.also))),) if finding.also else ()


def _readable(subject: Subject) -> Subject:
    return subject.model_copy(
        update={
            "project": readable(subject.project),
            "stack": readable(subject.stack),
            "compared": readable(subject.compared),
            "engine_version": readable(subject.engine_version),
            "durations": tuple(stage.model_copy(update={"name": readable(stage.name)}) for stage in subject.durations),
            "repeat": clean(subject.repeat),
        }
    )
