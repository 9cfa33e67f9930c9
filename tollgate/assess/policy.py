"""What the policy pack said, as findings, unknowns, waived violations and counts."""

from __future__ import annotations

from collections.abc import Iterator

from tollgate.assess.model import Checks, Finding, Origin, Unknown, Waived
from tollgate.assess.naming import capital, subject_of_urn
from tollgate.plan.model import PolicyResults, Violation
from tollgate.policy.exceptions import Waived as ReadWaiver
from tollgate.policy.exceptions import read_waived
from tollgate.policy.results import Answer, Result, answer_of
from tollgate.policy.results import not_shown as is_not_shown
from tollgate.policy.severity import HIGH, LOW, Severity
from tollgate.policy.statement import said


def policy_findings(policy: PolicyResults | None) -> Iterator[Finding]:
    """One finding for each violation that no exception waives."""
    for violation in _open_ones(policy):
        parts = said(violation.message)
        yield Finding(
            rule=violation.rule,
            severity=_severity(violation),
            urn=violation.urn,
            sentence=_sentence(violation, parts.found),
            origin=Origin.POLICY,
            why=" ".join(parts.why.split()),
            fix=parts.fix,
            mandatory=violation.mandatory,
        )


def policy_unknowns(policy: PolicyResults | None) -> Iterator[Unknown]:
    """The violations that only say: this cannot be shown before the change runs."""
    for violation in _open_ones(policy):
        if not_shown(violation):
            text = f"The rule {violation.rule} cannot be shown to hold: a value is not known until the change runs."
            yield Unknown(what="policy", urn=violation.urn, sentence=text)


def policy_waived(policy: PolicyResults | None) -> tuple[Waived, ...]:
    """The violations that stand under an exception, by rule and URN."""
    found = [
        Waived(
            rule=violation.rule,
            urn=violation.urn,
            sentence=_sentence(violation, said(waived.message).found),
            owner=waived.owner,
            approver=waived.approver,
            until=waived.until,
            reason=waived.reason,
            instead=waived.instead,
        )
        for violation in (policy.violations if policy else ())
        if (waived := waived_of(violation))
    ]
    return tuple(sorted(found, key=lambda each: (each.rule, each.urn, each.sentence)))


def policy_checks(policy: PolicyResults | None) -> Checks | None:
    """Counts of rule x resource pairs; None when no pack ran."""
    if policy is None:
        return None
    open_ones = sum(map(not_shown, _open_ones(policy)))
    waived = sum(waived_of(violation) is not None for violation in policy.violations)
    return Checks(
        passed=policy.passed,
        failed=max(policy.failed - open_ones - waived, 0),
        waived=waived,
        not_evaluated=open_ones,
    )


def not_shown(violation: Violation) -> bool:
    """A rule that could not be evaluated, rather than one that was broken."""
    return is_not_shown(violation.message)


def waived_of(violation: Violation) -> ReadWaiver | None:
    """The exception that a violation stands under. One that stops the engine stands under none."""
    return None if violation.mandatory else read_waived(violation.message)


def _open_ones(policy: PolicyResults | None) -> list[Violation]:
    return [violation for violation in (policy.violations if policy else ()) if waived_of(violation) is None]


def _sentence(violation: Violation, found: str) -> str:
    who = f"{capital(subject_of_urn(violation.urn))}: " if violation.urn else ""
    text = " ".join(found.split())
    return f"{who}{text}{'' if text.endswith('.') else '.'}"


def _severity(violation: Violation) -> Severity:
    """Mandatory is at least high. An advisory rule without a severity is advice."""
    given = violation.severity or LOW
    return max(given, HIGH, key=lambda severity: severity.rank) if violation.mandatory else given


def policy_results(policy: PolicyResults) -> tuple[Result, ...]:
    """The same as results, rule by rule and resource by resource, with everything that passed."""
    passed = [Result(rule=each.rule, urn=each.urn, answer=Answer.PASSED) for each in policy.judged if each.passed]
    broken = [
        Result(
            rule=violation.rule,
            urn=violation.urn,
            answer=answer_of(violation.message, mandatory=violation.mandatory),
            message=violation.message,
            mandatory=violation.mandatory,
            severity=_severity(violation),
        )
        for violation in policy.violations
    ]
    return (*passed, *broken)
