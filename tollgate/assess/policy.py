"""What the policy pack said, as findings, unknowns and counts."""

from __future__ import annotations

from collections.abc import Iterator

from tollgate.assess.model import Checks, Finding, Origin, Unknown
from tollgate.assess.naming import capital, subject_of_urn
from tollgate.plan.model import PolicyResults, Violation
from tollgate.policy.severity import HIGH, LOW, Severity
from tollgate.policy.statement import CANNOT_BE_SHOWN, said

# How Pulumi's SDK says that a rule stumbled over an unknown value (pulumi_policy 1.21.0, policy.py).
_COULD_NOT_RUN = "can't run policy "


def policy_findings(policy: PolicyResults | None) -> Iterator[Finding]:
    """One finding for each violation."""
    for violation in policy.violations if policy else ():
        who = f"{capital(subject_of_urn(violation.urn))}: " if violation.urn else ""
        parts = said(violation.message)
        found = " ".join(parts.found.split())
        yield Finding(
            rule=violation.rule,
            severity=_severity(violation),
            urn=violation.urn,
            sentence=f"{who}{found}{'' if found.endswith('.') else '.'}",
            origin=Origin.POLICY,
            why=parts.why,
            fix=parts.fix,
            mandatory=violation.mandatory,
        )


def policy_unknowns(policy: PolicyResults | None) -> Iterator[Unknown]:
    """The violations that only say: this cannot be shown before the change runs."""
    for violation in policy.violations if policy else ():
        if not_shown(violation):
            text = f"The rule {violation.rule} cannot be shown to hold: a value is not known until the change runs."
            yield Unknown(what="policy", urn=violation.urn, sentence=text)


def policy_checks(policy: PolicyResults | None) -> Checks | None:
    """Counts of rule x resource pairs; None when no pack ran."""
    if policy is None:
        return None
    open_ones = sum(not_shown(violation) for violation in policy.violations)
    return Checks(
        passed=policy.passed,
        failed=max(policy.failed - open_ones, 0),
        not_evaluated=open_ones,
    )


def not_shown(violation: Violation) -> bool:
    """A rule that could not be evaluated, rather than one that was broken."""
    return violation.message.startswith((CANNOT_BE_SHOWN, _COULD_NOT_RUN))


def _severity(violation: Violation) -> Severity:
    """Mandatory is at least high. An advisory rule without a severity is advice."""
    given = violation.severity or LOW
    return max(given, HIGH, key=lambda severity: severity.rank) if violation.mandatory else given
