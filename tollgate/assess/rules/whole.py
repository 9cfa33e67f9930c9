"""Dangers of the plan as a whole: many deletions among which one is easily overlooked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Hit, Whole, plan_rule
from tollgate.assess.rules.data import goes
from tollgate.plan.model import Op
from tollgate.policy.severity import HIGH, MEDIUM

# Our choice, not a measured number: as many as a reader still goes through one by one.
MANY = 5


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


RULES = (component_deleted, many_deletions)
