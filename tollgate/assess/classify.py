"""The class of a change, read off the plan: what its author says of it counts for nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum

from pydantic import Field, model_validator

from tollgate.assess.amounts import amount
from tollgate.assess.consequences import ChangeClass, Classified, ClassReason
from tollgate.assess.model import Finding, Unknown
from tollgate.assess.naming import capital, subject
from tollgate.assess.trust import NOT_SHOWN
from tollgate.assess.values import Pair, in_words, is_known, pairs
from tollgate.books.guards import Unit
from tollgate.books.match import matches
from tollgate.plan.model import Frozen, Op, Plan, Step
from tollgate.policy.severity import MEDIUM


class Bound(StrEnum):
    """How far a property may move in a standard change."""

    ANY = "any"  # any known value
    GROWS = "grows"  # a larger amount, and at most ``times`` the old one
    PATCH = "patch"  # the same image or release but for its last number


class StandardChange(Frozen):
    """A kind of change that may go without asking again, and what it must not go beyond.

    types: patterns of type tokens. properties: patterns of paths in the engine's notation, ``*`` for any text; a change
    of any other property makes it no longer standard. review_by: after this day the entry is no longer valid.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]+$")
    title: str = Field(min_length=1)
    types: tuple[str, ...] = Field(min_length=1)
    op: str = Field(pattern="^(create|update)$")
    properties: tuple[str, ...] = ()
    bound: Bound = Bound.ANY
    times: float | None = Field(None, gt=1)
    unit: Unit = Unit.NUMBER
    why: str = Field(min_length=1, description="why it needs nobody's yes each time")
    approver: str = Field(min_length=1)
    approved_on: date
    review_by: date

    @model_validator(mode="after")
    def _complete(self) -> StandardChange:
        if (self.op == "update") != bool(self.properties):
            raise ValueError("an update names the properties that may change; a create names none")
        if (self.bound is Bound.GROWS) != (self.times is not None):
            raise ValueError("times belongs to the bound grows, and only there")
        if self.review_by <= self.approved_on:
            raise ValueError("review_by must be later than approved_on")
        return self


class StandardChanges(Frozen):
    """The allowlist of a project."""

    standard_changes: tuple[StandardChange, ...] = ()


def classify(
    plan: Plan,
    findings: Iterable[Finding],
    unknowns: Iterable[Unknown],
    standards: StandardChanges,
    *,
    today: date,
    incident: str = "",
) -> Classified:
    """The class of a plan. Mixed takes the highest; what is not known is never standard."""
    doubted = {unknown.urn: MEDIUM.rank for unknown in unknowns}
    serious = [finding for finding in findings if finding.severity.rank >= MEDIUM.rank]
    for finding in serious:
        doubted[finding.urn] = max(finding.severity.rank, doubted.get(finding.urn, 0))
    doubts = dict.fromkeys(doubted, "something about it is not known")
    doubts |= {finding.urn: "a rule found something about it" for finding in serious if finding.rule != NOT_SHOWN}
    valid = [standard for standard in standards.standard_changes if today <= standard.review_by]
    reasons = tuple(
        sorted(
            (_of_step(step, valid, doubts) for step in plan.steps if step.custom),
            key=lambda reason: (reason.change_class is not ChangeClass.NORMAL, -doubted.get(reason.urn, 0), reason.urn),
        )
    )
    if incident and reasons:
        sentence = f"This is an emergency change: incident {incident} was declared."
        return Classified(change_class=ChangeClass.EMERGENCY, sentence=sentence, reasons=reasons)
    if "" in doubted:  # something about the plan as a whole
        sentence = "This is a normal change: something about the plan as a whole is not in order."
        return Classified(change_class=ChangeClass.NORMAL, sentence=sentence, reasons=reasons)
    normal = [reason for reason in reasons if reason.change_class is ChangeClass.NORMAL]
    if normal:
        return Classified(change_class=ChangeClass.NORMAL, sentence=_normal(normal, len(reasons)), reasons=reasons)
    if reasons:
        kinds = len({reason.kind for reason in reasons})
        what = "of a kind that was" if kinds == 1 else f"of {kinds} kinds that were"
        sentence = f"This is a standard change: all of it is {what} approved beforehand."
        return Classified(change_class=ChangeClass.STANDARD, sentence=sentence, reasons=reasons)
    return Classified(change_class=ChangeClass.NONE, sentence="Nothing changes.", reasons=())


def _normal(normal: list[ClassReason], all_parts: int) -> str:
    if len(normal) == all_parts:
        return f"This is a normal change. {normal[0].sentence}"
    return (
        f"This is a normal change: {len(normal)} of its {all_parts} parts are no standard change. {normal[0].sentence}"
    )


def _of_step(step: Step, standards: list[StandardChange], doubts: Mapping[str, str]) -> ClassReason:
    who = capital(subject(step))
    if step.urn in doubts:
        text = f"{who}: {doubts[step.urn]}."
        return ClassReason(urn=step.urn, change_class=ChangeClass.NORMAL, sentence=text)
    closest = ""
    for standard in standards:
        if not matches(step.type, standard.types):
            continue
        broken = next(_broken(step, standard), None)
        if broken is None:
            text = f"{who}: {standard.title} ({standard.id})."
            return ClassReason(urn=step.urn, change_class=ChangeClass.STANDARD, sentence=text, kind=standard.id)
        closest = closest or f"{who}: {broken}, so it is not the standard change {standard.id}."
    text = closest or f"{who}: there is no standard change for this."
    return ClassReason(urn=step.urn, change_class=ChangeClass.NORMAL, sentence=text)


def _broken(step: Step, standard: StandardChange) -> Iterator[str]:
    """In which way the step is not this standard change; nothing when it is."""
    if step.op.value != standard.op:
        yield f"it is to be {_DONE.get(step.op, step.raw_op)}"
        return
    if (step.protect_before and not step.protect_after) or (step.retain_on_delete and not step.retain_after):
        yield "it loses a guard"
        return
    if step.op is Op.CREATE:
        return
    if not step.changes:
        yield "what changes in it is not known"
        return
    for change in step.changes:
        if not matches(change.path, standard.properties):
            yield f"{change.path} changes"
        elif change.replaces:
            yield f"{change.path} replaces it"
        else:
            yield from _beyond(standard, step, change.path)


_DONE = {
    Op.CREATE: "created",
    Op.UPDATE: "updated",
    Op.REPLACE: "replaced",
    Op.DELETE: "deleted",
    Op.SAME: "kept with other guards",
}


def _beyond(standard: StandardChange, step: Step, path: str) -> Iterator[str]:
    """Where a property goes beyond the bound of the standard change."""
    for pair in pairs(step, path):
        words = f"{path} goes from {in_words(pair.before)} to {in_words(pair.after)}"
        if standard.bound is not Bound.ANY and not (is_known(pair.before) and is_known(pair.after)):
            yield f"{words}, which cannot be compared"
        elif standard.bound is Bound.GROWS and not _grows(standard, pair):
            yield f"{words}, and may only grow to {standard.times:g} times as much"
        elif standard.bound is Bound.PATCH and not _patch(str(pair.before.value), str(pair.after.value)):
            yield f"{words}, which is more than a patch release of the same thing"


def _grows(standard: StandardChange, pair: Pair) -> bool:
    before, after = amount(pair.before.value, standard.unit), amount(pair.after.value, standard.unit)
    if before is None or after is None or before <= 0:
        return False
    return before <= after <= before * amount(standard.times, Unit.NUMBER)  # type: ignore[operator]


_RELEASE = re.compile(
    r"(?P<thing>.*?)(?P<major>\d+)\.(?P<minor>\d+)\.(?P<patch>\d+)(?P<rest>.*?)(?:@sha256:[0-9a-f]{64})?"
)


def _patch(before: str, after: str) -> bool:
    """The same image or version but for its last number, which does not fall."""
    old, new = _RELEASE.fullmatch(before), _RELEASE.fullmatch(after)
    if old is None or new is None:
        return False
    same = all(old[part] == new[part] for part in ("thing", "major", "minor", "rest"))
    return same and int(new["patch"]) >= int(old["patch"])
