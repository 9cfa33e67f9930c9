"""The class of a change is read off the plan; a standard change goes not a hair beyond its bounds."""

# ruff: noqa: E501  (tables are read by column)
from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from tests.assess.steps import DEPLOYMENT, QUEUE_POLICY, plan, step
from tests.plan.previews import UNKNOWN, urn
from tollgate.assess.classify import StandardChange, StandardChanges, classify
from tollgate.assess.consequences import ChangeClass
from tollgate.assess.model import Finding, Origin, Unknown
from tollgate.assess.trust import NOT_SHOWN
from tollgate.plan.model import Op, Step
from tollgate.policy.severity import HIGH, LOW, MEDIUM

TODAY = date(2026, 11, 27)
LONGER = {
    "id": "queue-longer", "title": "a queue may hold more", "types": ["kubernetes:rabbitmq.com/*:Policy"], "op": "update",
    "properties": ["spec.definition.max-length"], "bound": "grows", "times": 2, "why": "nothing is refused that was taken",
    "approver": "ana", "approved_on": "2026-01-01", "review_by": "2027-01-01",
}  # fmt: skip
IMAGE = LONGER | {
    "id": "image-patch", "title": "a patch release of an image", "types": [DEPLOYMENT], "properties": ["spec.image"],
    "bound": "patch", "times": None,
}  # fmt: skip
ALARM = LONGER | {
    "id": "alarm-added",
    "title": "a new alarm",
    "types": ["aws:cloudwatch/*"],
    "op": "create",
    "properties": [],
    "bound": "any",
    "times": None,
}
STANDARDS = StandardChanges.model_validate({"standard_changes": [LONGER, IMAGE, ALARM]})
LENGTH = "spec.definition.max-length"
ALARM_TYPE = "aws:cloudwatch/metricAlarm:MetricAlarm"


def longer(before: Any, after: Any, **fields: Any) -> Step:
    sides = [{"spec": {"definition": {"max-length": value}}} for value in (before, after)]
    fields = {"changes": {LENGTH: False}} | fields
    return step(Op.UPDATE, "q", QUEUE_POLICY, old=sides[0], new=sides[1], **fields)


def image(before: str, after: str) -> Step:
    sides = [{"spec": {"image": value}} for value in (before, after)]
    return step(Op.UPDATE, "d", DEPLOYMENT, old=sides[0], new=sides[1], changes={"spec.image": False})


DIGEST = "@sha256:" + "0" * 64
CASES: list[tuple[str, tuple[Step, ...], ChangeClass]] = [
    ("nothing", (), ChangeClass.NONE),
    ("within the bound", (longer(100, 150),), ChangeClass.STANDARD),
    ("at the bound", (longer(100, 200),), ChangeClass.STANDARD),
    ("beyond the bound", (longer(100, 201),), ChangeClass.NORMAL),
    ("the other direction", (longer(150, 100),), ChangeClass.NORMAL),
    ("from nothing", (longer(None, 100),), ChangeClass.NORMAL),
    ("to an unknown", (longer(100, UNKNOWN),), ChangeClass.NORMAL),
    ("to a secret", (longer(100, "[secret]"),), ChangeClass.NORMAL),
    ("no diff", (longer(100, 150, changes=None),), ChangeClass.NORMAL),
    ("another property beside it", (longer(100, 150, changes={LENGTH: False, "spec.name": False}),), ChangeClass.NORMAL),
    ("it replaces", (longer(100, 150, changes={LENGTH: True}),), ChangeClass.NORMAL),
    ("a guard goes with it", (longer(100, 150, protect_before=True, protect_after=False),), ChangeClass.NORMAL),
    ("only a guard goes", (step(Op.SAME, protect_before=True),), ChangeClass.NORMAL),
    ("an unlisted type", (step(Op.UPDATE, changes={"tags": False}),), ChangeClass.NORMAL),
    ("deleted", (step(Op.DELETE, "q", QUEUE_POLICY),), ChangeClass.NORMAL),
    ("made", (step(Op.CREATE, "a", ALARM_TYPE),), ChangeClass.STANDARD),
    ("a listed type, another operation", (step(Op.DELETE, "a", ALARM_TYPE),), ChangeClass.NORMAL),
    ("an operation that we do not know", (step(Op.UNRECOGNISED, "a", ALARM_TYPE),), ChangeClass.NORMAL),
    ("two standard parts", (longer(100, 150), step(Op.CREATE, "a", ALARM_TYPE)), ChangeClass.STANDARD),
    ("a normal part hidden beside a standard one", (longer(100, 150), step(Op.CREATE, "s", "kubernetes:core/v1:Secret")), ChangeClass.NORMAL),
    ("patch of the image", (image("r.example.com/a:1.2.3", "r.example.com/a:1.2.4"),), ChangeClass.STANDARD),
    ("patch by digest", (image(f"r.example.com/a:1.2.3{DIGEST}", f"r.example.com/a:1.2.4{DIGEST}"),), ChangeClass.STANDARD),
    ("minor release", (image("r.example.com/a:1.2.3", "r.example.com/a:1.3.3"),), ChangeClass.NORMAL),
    ("patch taken back", (image("r.example.com/a:1.2.3", "r.example.com/a:1.2.2"),), ChangeClass.NORMAL),
    ("another repository", (image("r.example.com/a:1.2.3", "r.example.com/b:1.2.4"),), ChangeClass.NORMAL),
    ("another flavour", (image("r.example.com/a:1.2.3-slim", "r.example.com/a:1.2.4-debug"),), ChangeClass.NORMAL),
    ("no release in it", (image("r.example.com/a:latest", "r.example.com/a:1.2.4"),), ChangeClass.NORMAL),
]  # fmt: skip


@pytest.mark.parametrize(("what", "steps", "expected"), CASES, ids=[case[0] for case in CASES])
def test_class(what: str, steps: tuple[Step, ...], expected: ChangeClass) -> None:
    found = classify(plan(*steps), (), (), STANDARDS, today=TODAY)
    assert found.change_class is expected, found.sentence
    assert classify(plan(*reversed(steps)), (), (), STANDARDS, today=TODAY) == found


def test_a_declared_incident_makes_it_an_emergency_unless_nothing_changes() -> None:
    found = classify(plan(longer(100, 150)), (), (), STANDARDS, today=TODAY, incident="INC-7")
    assert found.change_class is ChangeClass.EMERGENCY
    assert "INC-7" in found.sentence
    assert classify(plan(), (), (), STANDARDS, today=TODAY, incident="INC-7").change_class is ChangeClass.NONE


def test_what_is_found_or_not_known_is_never_standard() -> None:
    address = urn(QUEUE_POLICY, "q")
    finding = Finding(rule="r", severity=HIGH, urn=address, sentence="s", origin=Origin.OPERATION)
    unknown = Unknown(what="value", urn=address, sentence="s")
    for findings, unknowns in (((finding,), ()), ((), (unknown,)), ((finding.model_copy(update={"urn": ""}),), ())):
        found = classify(plan(longer(100, 150)), findings, unknowns, STANDARDS, today=TODAY)
        assert found.change_class is ChangeClass.NORMAL
    mild = finding.model_copy(update={"severity": LOW})
    assert classify(plan(longer(100, 150)), (mild,), (), STANDARDS, today=TODAY).change_class is ChangeClass.STANDARD


def test_what_was_found_and_what_is_not_known_are_told_apart() -> None:
    address = longer(100, 150).urn
    unknown = Unknown(what="value", urn=address, sentence="s")
    open_point = Finding(rule=NOT_SHOWN, severity=MEDIUM, urn=address, sentence="s", origin=Origin.PLAN)
    danger = Finding(rule="one", severity=MEDIUM, urn=address, sentence="d", origin=Origin.OPERATION)

    def said(*findings: Finding) -> str:
        return classify(plan(longer(100, 150)), findings, [unknown], STANDARDS, today=TODAY).sentence

    assert said(open_point).endswith("something about it is not known.")
    assert said(danger, open_point) == said(open_point, danger)
    assert said(danger, open_point).endswith("a rule found something about it.")


def test_an_entry_past_its_review_date_is_no_longer_valid() -> None:
    last_day, day_after = date(2027, 1, 1), date(2027, 1, 2)
    assert classify(plan(longer(1, 2)), (), (), STANDARDS, today=last_day).change_class is ChangeClass.STANDARD
    assert classify(plan(longer(1, 2)), (), (), STANDARDS, today=day_after).change_class is ChangeClass.NORMAL


def test_the_reason_names_what_goes_beyond() -> None:
    found = classify(plan(longer(100, 201)), (), (), STANDARDS, today=TODAY)
    assert "goes from 100 to 201" in found.sentence
    assert "queue-longer" in found.sentence


@pytest.mark.parametrize(
    "wrong",
    [
        {"properties": []},
        {"op": "create"},
        {"op": "delete"},
        {"times": None},
        {"bound": "any"},
        {"times": 1},
        {"review_by": "2025-01-01"},
        {"colour": "red"},
        {"approver": ""},
    ],
    ids=str,
)
def test_an_entry_that_is_not_whole_is_refused(wrong: dict[str, Any]) -> None:
    StandardChange.model_validate(LONGER)
    with pytest.raises(ValidationError):
        StandardChange.model_validate(LONGER | wrong)
