"""What earlier changes left in the state: it is carried out with the next change, and no preview need print it."""

from __future__ import annotations

from collections.abc import Iterator

from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject, subject_of_urn
from tollgate.assess.rule import Hit, Whole, plan_rule
from tollgate.assess.rules.data import goes
from tollgate.books.stateful import Holds, holding
from tollgate.plan.canonical import fingerprint
from tollgate.plan.facts import PROTECT_PATH
from tollgate.plan.model import Op
from tollgate.plan.state import StateResource
from tollgate.policy.severity import CRITICAL, HIGH, MEDIUM, Severity

_HELD = {Holds.DATA: CRITICAL, Holds.CONTENTS: CRITICAL, Holds.TRANSIENT: HIGH}
_WAS_ON = fingerprint(value=True)


@plan_rule(
    id="leftover-deleted",
    severity=MEDIUM,
    why="An earlier change replaced it and could not delete the old one; the next change does, whatever it is about.",
    fix="look at the old one first: what it holds is gone afterwards",
)
def leftover_deleted(whole: Whole) -> Iterator[Hit]:
    """The old one of an earlier replacement is still to be deleted, and the plan does not show it."""
    shown = {step.urn_before for step in whole.plan.steps if step.op is Op.DELETE}
    for resource in _all(whole):
        if resource.leftover and resource.urn not in shown and not resource.retain_on_delete:
            text = (
                f"{capital(subject_of_urn(resource.urn))}: an older one, left over from an earlier change, is deleted."
            )
            yield Hit(text, severity=_severity(resource), urn=resource.urn)


@plan_rule(
    id="half-replaced",
    severity=HIGH,
    why="An earlier change deleted the old one and did not come to make the new one.",
    fix="find out what happened to it before anything else is changed",
)
def half_replaced(whole: Whole) -> Iterator[Hit]:
    """A replacement was cut off between the deletion and the creation."""
    for resource in _all(whole):
        if resource.half_replaced:
            text = (
                f"{capital(subject_of_urn(resource.urn))} was deleted by an earlier change, and this one makes it anew."
            )
            yield Hit(text, urn=resource.urn)


@plan_rule(
    id="marked-for-replacement",
    severity=MEDIUM,
    why="Somebody marked it to be replaced, and the plan does not say so.",
    fix="take the mark off with `pulumi state untaint`, or preview again",
)
def marked_for_replacement(whole: Whole) -> Iterator[Hit]:
    """A resource is tainted, and the plan does not replace it."""
    shown = {step.urn_before for step in whole.plan.steps if step.op in (Op.REPLACE, Op.DELETE)}
    for resource in _all(whole):
        if resource.tainted and resource.urn not in shown:
            text = f"{capital(subject_of_urn(resource.urn))} is marked to be replaced, and the plan does not show it."
            yield Hit(text, severity=_severity(resource), urn=resource.urn)


@plan_rule(
    id="unprotected-earlier",
    severity=HIGH,
    why="Taking a guard off and deleting what it guarded are one decision, however many changes they are made in.",
    fix="ask whoever approved the first of them whether this was meant",
)
def unprotected_earlier(whole: Whole) -> Iterator[Hit]:
    """A resource goes whose protection an earlier, recorded change took off."""
    unprotected = {fact.urn for fact in whole.earlier if fact.path == PROTECT_PATH and fact.before == _WAS_ON}
    for step in whole.plan.steps:
        if goes(step) and {step.urn, step.urn_before} & unprotected:
            text = f"{capital(subject(step))} goes, after an earlier change took its protection off."
            yield Hit(text, (Evidence(path="protect", before="true", after="false"),), urn=step.urn)


def _all(whole: Whole) -> tuple[StateResource, ...]:
    return whole.state.resources if whole.state else ()


def _severity(resource: StateResource) -> Severity:
    held = holding(resource.type)
    return _HELD.get(held.holds, MEDIUM) if held else MEDIUM


RULES = (leftover_deleted, half_replaced, marked_for_replacement, unprotected_earlier)
