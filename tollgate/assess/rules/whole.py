"""Dangers of the plan as a whole: many deletions among which one is easily overlooked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Hit, Whole, plan_rule
from tollgate.assess.rules.data import goes
from tollgate.plan.model import Op, Step
from tollgate.policy.severity import HIGH, LOW, MEDIUM

# Our choice, not measured numbers. As many as a reader still goes through one by one:
MANY = 5
MANY_ALIKE = 20  # as many as nobody reads one by one any more
FEW = 3


@plan_rule(
    id="component-deleted",
    severity=MEDIUM,
    why="A whole part of the platform goes at once, with all that depends on it.",
    fix="delete it in its own change, after its users have moved",
)
def component_deleted(whole: Whole) -> Iterator[Hit]:
    """A component goes together with what it holds."""
    deleted_in = Counter(step.parent for step in whole.plan.steps if step.op is Op.DELETE)
    for step in whole.plan.steps:
        if step.op is Op.DELETE and not step.custom:
            inside = deleted_in[step.urn]
            if inside:
                what = "1 resource" if inside == 1 else f"{inside} resources"
                yield Hit(f"{capital(subject(step))} is deleted with {what} in it.", urn=step.urn)


@plan_rule(
    id="many-deletions",
    severity=HIGH,
    why="Among many deletions a wrong one is easily overlooked.",
    fix="split the change, so that each deletion can be checked",
)
def many_deletions(whole: Whole) -> Iterator[Hit]:
    """More resources go than a person can check."""
    gone = sum(step.op is Op.DELETE and goes(step) and not step.retain_on_delete for step in whole.plan.steps)
    if gone >= MANY:
        yield Hit(f"{gone} resources are deleted in one change.")


@plan_rule(
    id="hidden-among-many",
    severity=LOW,
    why="Nobody reads the hundredth line as carefully as the first.",
    fix="make the many alike changes first, and the one that differs in a change of its own",
)
def hidden_among_many(whole: Whole) -> Iterator[Hit]:
    """Among many changes that are all alike a few are of another kind."""
    kinds: dict[tuple[str, ...], list[Step]] = defaultdict(list)
    for step in whole.plan.steps:
        if step.op is not Op.SAME and step.custom:
            kinds[_kind(step)].append(step)
    most = max(map(len, kinds.values()), default=0)
    others = [step for steps in kinds.values() if len(steps) < most for step in steps]
    if most >= MANY_ALIKE and 0 < len(others) <= FEW:
        for step in others:
            yield Hit(
                f"{capital(subject(step))} changes in another way than {most} others that are all alike.", urn=step.urn
            )


def _kind(step: Step) -> tuple[str, ...]:
    """Two changes are alike when they do the same to the same properties of the same type."""
    return (step.op.value, step.type, *sorted(change.path for change in step.changes or ()))


RULES = (component_deleted, many_deletions, hidden_among_many)
