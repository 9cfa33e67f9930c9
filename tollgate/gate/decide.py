"""From an assessment to a decision. Pure, and never gentler for a worse assessment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from tollgate.assess.consequences import JourneyImpact
from tollgate.assess.impact import Moment, UnknownEffect
from tollgate.assess.model import Assessment, Finding, Unknown
from tollgate.assess.naming import subject_of_urn
from tollgate.books.effect_book import Notice
from tollgate.gate.model import Decision, Verdict
from tollgate.policy.severity import CRITICAL, MEDIUM

_NEW = ("create", "read")
_ORDER = (Verdict.ALLOW, Verdict.WAIT, Verdict.DENY)


def decide(assessment: Assessment) -> Decision:
    """May the change go?

    deny: a critical finding, or a mandatory rule of the pack that does not hold. wait: a medium or high finding, an
    unknown about something that exists, a change of it that no book is about, or a journey of customers that fails for
    a while. allow: nothing of that.
    """
    open_questions = _open_questions(assessment)
    verdicts = [_verdict(finding) for finding in assessment.findings]
    failing = _failing_journeys(assessment)
    verdicts += [Verdict.WAIT for _ in (*open_questions, *failing)]
    verdict = max(verdicts, key=_ORDER.index, default=Verdict.ALLOW)
    reasons = _reasons(assessment, open_questions, failing)
    return Decision(
        verdict=verdict,
        headline=_headline(verdict, assessment, reasons),
        reasons=reasons,
        asks=_asks(verdict, assessment, open_questions, failing),
        assessment=assessment,
    )


def _verdict(finding: Finding) -> Verdict:
    if finding.severity is CRITICAL or finding.mandatory:
        return Verdict.DENY
    return Verdict.WAIT if finding.severity.rank >= MEDIUM.rank else Verdict.ALLOW


def _open_questions(assessment: Assessment) -> list[Unknown | UnknownEffect]:
    """Unknowns that concern something that exists; a new resource alone breaks nothing yet.

    What depends on the content of a setting is told and not asked: the rules look at content.
    """
    new = {row.urn for row in assessment.resources if row.op in _NEW}
    old = {row.urn for row in assessment.resources if row.op not in _NEW}
    effects = assessment.impact.unknown_effects if assessment.impact else ()
    asked: list[Unknown | UnknownEffect] = [*assessment.unknowns, *(effect for effect in effects if effect.unheard)]
    return [unknown for unknown in asked if unknown.urn not in new or unknown.urn in old]


def _failing_journeys(assessment: Assessment) -> list[JourneyImpact]:
    """What customers cannot do for a while, or what is lost to them. Somebody must agree to it, and to when."""
    journeys = assessment.impact.journeys if assessment.impact else None
    return [one for one in journeys or () if one.felt.notice.rank >= Notice.PARTIAL.rank]


def _failing(journeys: list[JourneyImpact]) -> str:
    """One sentence for all of them; they come worst first."""
    worst = journeys[0].felt
    when = "" if worst.moment is Moment.CHANGE else f" {worst.moment.value}"
    return f"Customers notice {_AS_NOUN[worst.notice]}{when}: {', '.join(one.title for one in journeys)}."


_AS_NOUN = {
    Notice.PARTIAL: "a partial outage",
    Notice.OUTAGE: "an outage",
    Notice.DATA_LOSS: "a loss of data",
}


def _reasons(
    assessment: Assessment, open_questions: list[Unknown | UnknownEffect], failing: list[JourneyImpact]
) -> tuple[str, ...]:
    """Sentences, worst first: what denies, then what waits; many findings of one rule are one. Advice is none."""
    ranked = sorted(assessment.findings, key=lambda finding: (-_ORDER.index(_verdict(finding)), -finding.severity.rank))
    times = Counter(finding.rule for finding in ranked)
    first = {finding.rule: finding for finding in reversed(ranked)}
    said = [
        _with_alike(found, times[found.rule] - 1)
        for found in ranked
        if first[found.rule] is found and _verdict(found) is not Verdict.ALLOW
    ]
    noticed = [_failing(failing)] if failing else []
    return tuple(dict.fromkeys([*said, *noticed, *(unknown.sentence for unknown in open_questions)]))


def _with_alike(finding: Finding, alike: int) -> str:
    """The sentence of a rule's first finding, and how many more are like it."""
    return f"{finding.sentence} ({alike} more like it.)" if alike else finding.sentence


def _headline(verdict: Verdict, assessment: Assessment, reasons: tuple[str, ...]) -> str:
    if verdict is not Verdict.ALLOW:
        more = len(reasons) - 1
        rest = f" And {more} more {'reason' if more == 1 else 'reasons'}." if more else ""
        return f"{reasons[0]}{rest}"
    counts = assessment.counts
    parts = [
        f"{number} {word}"
        for number, word in (
            (counts.create, "created"),
            (counts.update, "updated"),
            (counts.replace, "replaced"),
            (counts.delete, "deleted"),
            (counts.guards, "changed in protection only"),
            (counts.other, "changed otherwise"),
        )
        if number
    ]
    if not parts:
        return "Nothing changes."
    return f"{_joined(parts)}; nothing dangerous was found."


def _joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _asks(
    verdict: Verdict,
    assessment: Assessment,
    open_questions: list[Unknown | UnknownEffect],
    failing: list[JourneyImpact],
) -> tuple[str, ...]:
    """What is asked of the reader: to repair what denies, to judge what waits, to find out what is open."""
    if verdict is Verdict.ALLOW:
        return ()
    asked = list(_asked(finding for finding in assessment.findings if _verdict(finding) is verdict))
    if failing:
        asked.append("Agree with those who answer for these customers whether and when it goes.")
    if open_questions:
        number = len(open_questions)
        asked.append(f"Find out what is not known ({number} {'point' if number == 1 else 'points'}).")
    return tuple(asked)


def _asked(findings: Iterable[Finding]) -> Iterator[str]:
    """What each rule asks, once, and of which resources: a fix alone does not say where."""
    about: dict[str, dict[str, None]] = {}
    for finding in findings:
        begin = "Before it can go" if _verdict(finding) is Verdict.DENY else "Judge whether it may go"
        ask = f"{begin} ({finding.rule}): {finding.fix}." if finding.fix else f"{begin}: {finding.sentence}"
        urns = about.setdefault(ask, {})
        if finding.fix and finding.urn:
            urns[finding.urn] = None
    for ask, urns in about.items():
        first, more = next(iter(urns), ""), f" and {len(urns) - 1} more" if len(urns) > 1 else ""
        yield f"{ask} This is about {subject_of_urn(first)}{more}." if first else ask
