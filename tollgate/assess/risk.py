"""How risky a change is: points from stated dangers, each with its sentence and evidence.

Deterministic, free of order, and monotone: every weight is zero or more, so a further danger never lowers the sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum

from tollgate.assess.consequences import Band, Risk, RiskFactor, WayBack
from tollgate.assess.model import Finding, Origin, Unknown
from tollgate.books.effect_book import Notice
from tollgate.books.risk import RiskBook, risk_book
from tollgate.plan.model import Frozen, Plan
from tollgate.policy.severity import MEDIUM


class Outcome(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TAKEN_BACK = "taken back"


class PastChange(Frozen):
    """A change that was made, and how it went. kinds: what it did, as "type operation"."""

    id: str
    made_on: date
    outcome: Outcome
    kinds: tuple[str, ...]


def risk(
    plan: Plan,
    findings: Iterable[Finding],
    unknowns: Iterable[Unknown],
    *,
    journeys: Mapping[str, Notice],
    way_back: WayBack,
    noticed_from: Iterable[str] = (),
    stays_done: Iterable[str] = (),
    unmapped: Iterable[str] = (),
    history: Iterable[PastChange] = (),
    book: RiskBook | None = None,
) -> Risk:
    """The risk of a plan.

    journeys: what each customer journey notices, by its title. noticed_from: URNs where the worst of that begins.
    stays_done: URNs of what has the worst way back.
    """
    book = book or risk_book()
    touched = {urn for step in plan.steps for urn in (step.urn, step.urn_before)}
    open_points = sorted({unknown.urn for unknown in unknowns})
    findings = tuple(findings)
    about_the_change = tuple(finding for finding in findings if not _standing(finding, touched))
    factors = [
        *_of_findings(about_the_change, book),
        *_of_standing(len(findings) - len(about_the_change)),
        *_of_notice(journeys, tuple(noticed_from), book),
        RiskFactor(
            rule="undo",
            points=book.undo[way_back.value],
            sentence=f"The way back is {_WAYS[way_back]}.",
            evidence=tuple(stays_done),
        ),
        *_capped("unknown", "part of it is not fully known", "parts of it are not fully known", open_points, book),
        *_capped("unmapped", "resource has no owner", "resources have no owner", sorted(set(unmapped)), book),
        _of_history(plan, tuple(history), book),
    ]
    points = sum(factor.points for factor in factors)
    band = max(_band(points, book), Band.MEDIUM if open_points else Band.LOW, key=lambda band: band.rank)
    return Risk(
        band=band,
        points=points,
        factors=tuple(sorted(factors, key=lambda factor: (-factor.points, factor.rule, factor.sentence))),
    )


def _band(points: int, book: RiskBook) -> Band:
    return next(band for band in reversed(Band) if points >= getattr(book.bands, band.value))


def _standing(finding: Finding, touched: Collection[str]) -> bool:
    """Advice of the pack or of checkov about what the change leaves alone: it was as true before."""
    looks_at_all = finding.origin in (Origin.POLICY, Origin.CHECKOV)
    advice = finding.severity.rank < MEDIUM.rank and not finding.mandatory
    return looks_at_all and advice and bool(finding.urn) and finding.urn not in touched


def _of_standing(number: int) -> Iterator[RiskFactor]:
    if number:
        what = "One piece of advice is" if number == 1 else f"{number} pieces of advice are"
        yield RiskFactor(rule="standing", points=0, sentence=f"{what} about what this change leaves alone.")


def _of_findings(findings: Iterable[Finding], book: RiskBook) -> Iterator[RiskFactor]:
    """The worst finding of each rule counts whole; more of the same rule count a little."""
    by_rule: dict[str, set[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule, set()).add(finding)
    for rule in sorted(by_rule):
        found = sorted(by_rule[rule], key=lambda finding: (-finding.severity.rank, finding.urn, finding.sentence))
        more = min(len(found) - 1, book.findings.again_most)
        yield RiskFactor(
            rule=rule,
            points=book.findings.of(found[0].severity) + more * book.findings.again,
            sentence=found[0].sentence,
            evidence=tuple(dict.fromkeys(finding.urn for finding in found if finding.urn)),
        )


def _of_notice(journeys: Mapping[str, Notice], begins: tuple[str, ...], book: RiskBook) -> Iterator[RiskFactor]:
    touched = [title for title, notice in journeys.items() if notice is not Notice.NOTHING]
    if not touched:
        yield RiskFactor(rule="notice", points=0, sentence="No customer journey notices anything, as far as is known.")
        return
    worst = max(journeys.values(), key=lambda notice: notice.rank)
    worst_off = sorted(title for title, notice in journeys.items() if notice is worst)
    points = book.notice[worst.value] + book.notice["journey"] * (len(touched) - 1)
    sentence = _noticed(journeys, worst, ", ".join(worst_off))
    yield RiskFactor(rule="notice", points=points, sentence=sentence, evidence=begins)


def _noticed(journeys: Mapping[str, Notice], worst: Notice, worst_off: str) -> str:
    if not worst.felt:
        return f"No customer notices it, but there is less in reserve behind: {worst_off}."
    felt = sum(notice.felt for notice in journeys.values())
    who = "customer journey notices" if felt == 1 else "customer journeys notice"
    return f"{felt} {who} it; the worst is {worst.value} for: {worst_off}."


_WAYS = {
    WayBack.REVERSIBLE: "open: everything can be taken back",
    WayBack.UNKNOWN: "not known",
    WayBack.ONE_WAY: "closed for a part that stays as it becomes; nothing is lost by that",
    WayBack.WITH_LOSS: "open, but data is lost on it",
    WayBack.NONE: "closed: a part of this cannot be taken back",
}


def _capped(rule: str, one: str, many: str, urns: list[str], book: RiskBook) -> Iterator[RiskFactor]:
    weight = getattr(book, rule)
    if urns:
        yield RiskFactor(
            rule=rule,
            points=min(len(urns), weight.most) * weight.each,
            sentence=f"{len(urns)} {one if len(urns) == 1 else many}.",
            evidence=tuple(urn for urn in urns if urn),
        )


_BACK = {True: "was", False: "were"}


def _of_history(plan: Plan, history: tuple[PastChange, ...], book: RiskBook) -> RiskFactor:
    """The share of like changes that went wrong. No history is no proof: it counts nothing and says so."""
    kinds = {f"{step.type} {step.op.value}" for step in plan.steps}
    alike = [change for change in history if kinds & set(change.kinds)]
    outcomes = Counter(change.outcome for change in alike)
    bad = len(alike) - outcomes[Outcome.SUCCEEDED]
    if not alike:
        return RiskFactor(rule="history", points=0, sentence="No past change of these kinds is recorded.")
    return RiskFactor(
        rule="history",
        points=round(book.history.all_failed * bad / len(alike)),
        sentence=f"Past changes of these kinds: {len(alike)}, of which {bad} failed or {_BACK[bad == 1]} taken back.",
    )
