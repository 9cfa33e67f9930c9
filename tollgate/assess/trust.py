"""What a plan leaves open: unknowns, which are never a zero and never a pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tollgate.assess.model import Finding, Origin, Unknown
from tollgate.assess.naming import capital, subject, subject_of_urn
from tollgate.assess.rule import Whole
from tollgate.assess.rules.cascades import pulled_along
from tollgate.plan.model import Op, Plan, Step
from tollgate.plan.text import plain
from tollgate.policy.severity import MEDIUM

NOT_SHOWN = "not-shown"  # the rule of findings that are unknowns


def plan_unknowns(whole: Whole) -> Iterator[Unknown]:
    """What the plan leaves open, step by step."""
    pulled = pulled_along(whole)
    for step in whole.plan.steps:
        if step.op is Op.UNRECOGNISED:
            text = f"{capital(subject(step))}: what would happen to it is not known."
            yield Unknown(what="op", urn=step.urn, sentence=text)
        elif step.custom and step.op in (Op.UPDATE, Op.REPLACE) and not step.changes and step.urn not in pulled:
            yield Unknown(what="diff", urn=step.urn, sentence=_no_diff(step, capital(subject(step))))


def _no_diff(step: Step, who: str) -> str:
    keys = sorted({plain(key) for key in (*step.replace_keys, *step.diff_keys)})
    if keys:
        return f"{who}: the provider says that {', '.join(keys[:5])} changes, but not how."
    if step.op is Op.REPLACE:
        return f"{who} is replaced, and the provider does not say why; something that it depends on may be the reason."
    return f"{who} changes, and the provider does not say in what."


def stand_in_unknowns(
    plan: Plan,
    unlisted_types: frozenset[str],
    undecided: Iterable[tuple[str, str]],
    unreadable_secrets: Iterable[str],
) -> Iterator[Unknown]:
    """What a rehearsal's stand-in for the cloud could not decide as the cloud would."""
    for step in plan.steps:
        if step.type in unlisted_types and step.op in (Op.UPDATE, Op.REPLACE):
            text = f"{capital(subject(step))}: whether the real cloud replaces it for this change is not known."
            yield Unknown(what="replacement", urn=step.urn, sentence=text)
    for urn, path in sorted(undecided):
        text = (
            f"{capital(subject_of_urn(urn))}: whether a change of {plain(path)} replaces it depends on the real cloud."
        )
        yield Unknown(what="replacement", urn=urn, sentence=text)
    for urn in sorted(unreadable_secrets):
        text = f"{capital(subject_of_urn(urn))}: its old secret could not be read, so whether it changes is not known."
        yield Unknown(what="secret", urn=urn, sentence=text)


def unknown_findings(unknowns: Iterable[Unknown], changed: frozenset[str]) -> Iterator[Finding]:
    """Each unknown about something that exists and changes must be looked at. A new resource breaks nothing yet."""
    for unknown in unknowns:
        if unknown.urn in changed or not unknown.urn:
            yield Finding(
                rule=NOT_SHOWN,
                severity=MEDIUM,
                urn=unknown.urn,
                sentence=unknown.sentence,
                origin=Origin.PLAN,
                why="What cannot be shown is not taken as harmless.",
                fix="find out, or let someone who knows decide",
            )
