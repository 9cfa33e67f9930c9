"""Whether the plan can be taken at its word: what it leaves open, and what says that it is not whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tollgate.assess.model import Finding, Origin, Unknown
from tollgate.assess.naming import capital, subject, subject_of_urn
from tollgate.plan.model import Diagnostic, Op, Plan, Step
from tollgate.plan.state import State
from tollgate.plan.text import plain
from tollgate.policy.severity import HIGH, MEDIUM, Severity

_LONGEST_MESSAGE = 300  # characters of an engine's message in a sentence


def plan_findings(plan: Plan, state: State | None) -> Iterator[Finding]:
    """What makes the whole plan doubtful."""
    if plan.maybe_corrupt:
        why = next((note for note in plan.notes if "missing" in note or "does not hold" in note), "")
        text = why or "The engine says that the state of some resources may be damaged."
        yield _finding("plan-damaged", text, "A plan that is not whole hides what it would do.", "preview again")
    for diagnostic in plan.diagnostics:
        if diagnostic.severity not in ("info", "info#err", "warning", "debug") and not _echo(plan, diagnostic):
            text = f"The engine reports an error: {_short(diagnostic.message)}"
            why = "After an error the engine stops, so the plan may not show all that would change."
            yield _finding("engine-error", text, why, "repair the error and preview again", urn=diagnostic.urn)
    for operation in state.pending_operations if state else ():
        text = (
            f"An earlier {plain(operation.kind)} of {subject_of_urn(operation.urn)} was cut off, "
            "and nobody knows whether it took effect."
        )
        why = "The state does not tell the truth about this resource."
        yield _finding("pending-operation", text, why, "refresh the stack and preview again", urn=operation.urn)
    for step in plan.steps:
        if step.op is Op.UNRECOGNISED:
            text = f'{capital(subject(step))}: "{_short(step.raw_op)}" is no operation that we can read here.'
            why = "What an operation does that we do not know, nobody can approve."
            yield _finding("unknown-operation", text, why, "use a version of tollgate that knows it", urn=step.urn)


def plan_unknowns(plan: Plan) -> Iterator[Unknown]:
    """What the plan leaves open, step by step."""
    for step in plan.steps:
        who = capital(subject(step))
        if step.op is Op.UNRECOGNISED:
            yield Unknown(what="op", urn=step.urn, sentence=f"{who}: what would happen to it is not known.")
        elif step.custom and step.op in (Op.UPDATE, Op.REPLACE) and not step.changes:
            yield Unknown(what="diff", urn=step.urn, sentence=_no_diff(step, who))


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
                rule="not-shown",
                severity=MEDIUM,
                urn=unknown.urn,
                sentence=unknown.sentence,
                origin=Origin.PLAN,
                why="What cannot be shown is not taken as harmless.",
                fix="find out, or let someone who knows decide",
            )


def _echo(plan: Plan, diagnostic: Diagnostic) -> bool:
    """The engine's last word after a mandatory violation, which has a finding of its own (v3.257.0)."""
    refused = any(violation.mandatory for violation in plan.policy.violations) if plan.policy else False
    return (
        refused and not diagnostic.urn and plain(diagnostic.message).removeprefix("error: ").strip() == "preview failed"
    )


def _finding(rule: str, text: str, why: str, fix: str, *, urn: str = "", severity: Severity = HIGH) -> Finding:
    return Finding(rule=rule, severity=severity, urn=urn, sentence=text, origin=Origin.PLAN, why=why, fix=fix)


def _short(text: str) -> str:
    one_line = " ".join(plain(text).split())
    return one_line if len(one_line) <= _LONGEST_MESSAGE else one_line[: _LONGEST_MESSAGE - 1] + "…"
