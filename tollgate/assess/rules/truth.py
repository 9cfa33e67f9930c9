"""Whether the plan can be taken at its word: what says that it is not whole, or that the engine went wrong."""

from __future__ import annotations

from collections.abc import Iterator

from tollgate.assess.model import Origin
from tollgate.assess.naming import capital, short, subject, subject_of_urn
from tollgate.assess.rule import Hit, Whole, plan_rule
from tollgate.plan.connections import is_default
from tollgate.plan.model import Diagnostic, Op, Plan
from tollgate.plan.text import plain
from tollgate.policy.severity import CRITICAL, HIGH

_QUIET = ("info", "info#err", "warning", "debug")
_LONGEST_LIST = 3  # names in a sentence


@plan_rule(
    id="plan-incomplete",
    severity=CRITICAL,
    why="Nobody can approve what is not shown, and what is missing may be a deletion.",
    fix="preview again, and hand over all that the preview prints",
    origin=Origin.PLAN,
)
def plan_incomplete(whole: Whole) -> Iterator[Hit]:
    """The engine counted more than the plan shows, or the pack failed more than it tells."""
    for loss in whole.plan.losses:
        yield Hit(loss)


@plan_rule(
    id="plan-damaged",
    severity=HIGH,
    why="Where the state does not tell the truth, the plan does not either.",
    fix="refresh the stack, and preview again",
    origin=Origin.PLAN,
)
def plan_damaged(whole: Whole) -> Iterator[Hit]:
    """The engine says that the state may be damaged."""
    if whole.plan.maybe_corrupt:
        yield Hit("The engine says that the state of some resources may be damaged.")


@plan_rule(
    id="state-of-another-time",
    severity=CRITICAL,
    why="A plan and a state that do not belong together tell nothing about each other.",
    fix="export the state and preview at the same moment, and hand over both",
    origin=Origin.PLAN,
)
def state_of_another_time(whole: Whole) -> Iterator[Hit]:
    """The engine went through resources that the state does not hold."""
    for stranger in whole.plan.strangers:
        yield Hit(stranger)


@plan_rule(
    id="engine-error",
    severity=HIGH,
    why="After an error the engine stops, so the plan may not show all that would change.",
    fix="repair the error and preview again",
    origin=Origin.PLAN,
)
def engine_error(whole: Whole) -> Iterator[Hit]:
    """The engine reports an error."""
    for diagnostic in whole.plan.diagnostics:
        if diagnostic.severity not in _QUIET and not _echo(whole.plan, diagnostic):
            said = short(diagnostic.message.removeprefix("error: "))
            yield Hit(f"The engine reports an error: {said}{'' if said.endswith('.') else '.'}", urn=diagnostic.urn)


@plan_rule(
    id="unknown-operation",
    severity=HIGH,
    why="What an operation does that we do not know, nobody can approve.",
    fix="use a version of tollgate that knows it",
    origin=Origin.PLAN,
)
def unknown_operation(whole: Whole) -> Iterator[Hit]:
    """The engine would do something that this version has no word for, or that contradicts itself."""
    for step in whole.plan.steps:
        if step.op is Op.UNRECOGNISED and step.contradicts_itself:
            text = f"{capital(subject(step))}: the plan says {short(step.raw_op)}, and does not show what that needs."
            yield Hit(text, severity=CRITICAL, urn=step.urn)
        elif step.op is Op.UNRECOGNISED:
            text = f'{capital(subject(step))}: "{short(step.raw_op)}" is no operation that we can read here.'
            yield Hit(text, urn=step.urn)


@plan_rule(
    id="pending-operation",
    severity=HIGH,
    why="The state does not tell the truth about this resource.",
    fix="refresh the stack and preview again",
    origin=Origin.PLAN,
)
def pending_operation(whole: Whole) -> Iterator[Hit]:
    """An earlier operation was cut off half way."""
    for operation in whole.state.pending_operations if whole.state else ():
        text = (
            f"An earlier {short(operation.kind)} of {subject_of_urn(operation.urn)} was cut off, "
            "and nobody knows whether it took effect."
        )
        yield Hit(text, urn=operation.urn)


@plan_rule(
    id="not-looked-at",
    severity=HIGH,
    why="A preview of a part of the stack says nothing about the rest of it.",
    fix="preview the whole stack, without --target and without --exclude",
    origin=Origin.PLAN,
)
def not_looked_at(whole: Whole) -> Iterator[Hit]:
    """The engine never came to some resources of the stack."""
    if whole.state is None or whole.plan.seen is None:
        return
    expected = {each.urn for each in whole.state.resources if not each.leftover and not is_default(each.urn)}
    left = sorted(expected - whole.plan.seen)
    if left:
        names = ", ".join(subject_of_urn(urn) for urn in left[:_LONGEST_LIST])
        more = f" and {len(left) - _LONGEST_LIST} more" if len(left) > _LONGEST_LIST else ""
        yield Hit(f"The preview did not come to {names}{more}.", urn=left[0] if len(left) == 1 else "")


def _echo(plan: Plan, diagnostic: Diagnostic) -> bool:
    """The engine's last word after what made it fail, which has a finding of its own (v3.257.0)."""
    if diagnostic.urn or plain(diagnostic.message).removeprefix("error: ").strip() != "preview failed":
        return False
    refused = any(violation.mandatory for violation in plan.policy.violations) if plan.policy else False
    return refused or any(each.urn and each.severity not in _QUIET for each in plan.diagnostics)


RULES = (
    plan_incomplete,
    plan_damaged,
    state_of_another_time,
    engine_error,
    unknown_operation,
    pending_operation,
    not_looked_at,
)
