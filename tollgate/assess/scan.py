"""What checkov found, as findings, unknowns and counts: each thing once, beside what our own rules found."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from tollgate.assess.model import AcceptedRisk, Checks, Finding, Origin, Scanned, Unknown
from tollgate.assess.naming import capital, subject_of_urn
from tollgate.books.checkov import Judged, checkov_book
from tollgate.plan.text import plain
from tollgate.policy.exceptions import Waiver
from tollgate.policy.severity import HIGH
from tollgate.scan.model import Checked, Gap, NotRun, Outcome, Scan
from tollgate.scan.register import FILE, Register

UNKNOWN = "scan"
FIX = f"repair it, or have it accepted, with a reason and an end date, in {FILE.as_posix()} of the policy pack"
# A check that is not in our book: not known to be harmless.
UNJUDGED = Judged(HIGH, "a check failed on which we have no judgement yet")


@dataclass
class Seen:
    """Findings, with checkov's told in ours where they are the same; what stays unknown; the summary."""

    findings: list[Finding]
    unknowns: list[Unknown] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    summary: Scanned | None = None


def with_scan(
    findings: Iterable[Finding],
    scan: Scan | NotRun | None,
    register: Register,
    today: date,
    changed: Collection[str],
) -> Seen:
    """Findings of our own together with checkov's.

    today: the day on which the register's entries are judged. changed: URNs that the plan changes.
    """
    seen = Seen(list(findings))
    if scan is None:
        return seen
    if isinstance(scan, NotRun):
        text = f"checkov could not run: {plain(scan.why)}. What it would have found is not known."
        seen.unknowns.append(Unknown(what=UNKNOWN, sentence=text))
        seen.summary = Scanned(ran=False)
        return seen
    open_ones = _new_findings(seen, scan, register, today)
    seen.unknowns += _unknowns(scan, changed)
    seen.notes += _notes(scan.gaps, changed)
    seen.summary = _summary(scan, open_ones, register, today)
    return seen


def _new_findings(seen: Seen, scan: Scan, register: Register, today: date) -> int:
    """Add what failed and is not accepted; returns how many those are."""
    failed = [made for made in scan.checked if made.outcome is Outcome.FAILED]
    standing = [made for made in failed if not register.accepts(made.check, made.urn, today)]
    by_urn: dict[str, list[int]] = defaultdict(list)
    for at, finding in enumerate(seen.findings):
        by_urn[finding.urn].append(at)
    for made in standing:
        ours = register.same_as.get(made.check, ())
        place = next((at for at in by_urn[made.urn] if seen.findings[at].rule in ours), None)
        if place is None:
            seen.findings.append(_finding(made, register.lapsed(made.check, made.urn, today)))
            continue
        told = seen.findings[place]
        seen.findings[place] = told.model_copy(update={"also": (*told.also, made.check)})
    return len(standing)


def _finding(made: Checked, lapsed: Waiver | None) -> Finding:
    judged = checkov_book().get(made.check, UNJUDGED)
    late = f" It had been accepted until {lapsed.expires}." if lapsed else ""
    return Finding(
        rule=made.check,
        severity=judged.severity,
        urn=made.urn,
        sentence=f"{capital(subject_of_urn(made.urn))}: {judged.says}.{late}",
        origin=Origin.CHECKOV,
        fix=FIX,
    )


def _unknowns(scan: Scan, changed: Collection[str]) -> Iterator[Unknown]:
    for made in scan.checked:
        if made.outcome is Outcome.OPEN:
            about = f" on {subject_of_urn(made.urn)}" if made.urn else ""
            text = f"The check {made.check} of checkov could not be made{about}: it is not known whether it would pass."
            yield Unknown(what=UNKNOWN, urn=made.urn, sentence=text)
    for gap in scan.gaps:
        if gap.urn in changed:
            part = f"{plain(gap.path)} of " if gap.path else ""
            text = f"checkov was not asked about {part}{subject_of_urn(gap.urn)}: {gap.why}."
            yield Unknown(what=UNKNOWN, urn=gap.urn, sentence=text)


def _notes(gaps: Iterable[Gap], changed: Collection[str]) -> Iterator[str]:
    """Gaps in what stays as it is: one sentence for each type and reason."""
    quiet = Counter((gap.type, gap.path, gap.why) for gap in gaps if gap.urn not in changed)
    for (kind, path, why), times in sorted(quiet.items()):
        part = f"{path} of " if path else ""
        resources = "one resource" if times == 1 else f"{times} resources"
        yield f"checkov was not asked about {part}{resources} of the type {plain(kind)}, which stay as they are: {why}."


def _summary(scan: Scan, standing: int, register: Register, today: date) -> Scanned:
    by_outcome = Counter(made.outcome for made in scan.checked)
    used: Counter[Waiver] = Counter()
    for made in scan.checked:
        entry = register.accepts(made.check, made.urn, today) if made.outcome is Outcome.FAILED else None
        used.update([entry] if entry else [])
    return Scanned(
        ran=True,
        version=scan.version,
        resources=scan.resources,
        checks=Checks(
            passed=by_outcome[Outcome.PASSED],
            failed=standing,
            waived=by_outcome[Outcome.FAILED] - standing,
            not_evaluated=by_outcome[Outcome.OPEN] + by_outcome[Outcome.DECLINED],
        ),
        accepted=tuple(
            _accepted(entry, times)
            for entry, times in sorted(used.items(), key=lambda item: (item[0].rule, item[0].resource))
        ),
    )


def _accepted(entry: Waiver, times: int) -> AcceptedRisk:
    return AcceptedRisk(
        rule=entry.rule,
        resources=times,
        says=checkov_book().get(entry.rule, UNJUDGED).says,
        owner=entry.owner,
        approver=entry.approver,
        until=entry.expires,
        reason=entry.reason,
        instead=entry.instead,
    )
