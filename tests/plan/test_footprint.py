"""A stack export as a footprint: what a provider looks after now, with what is made of what, and no secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.assess.steps import plan
from tests.scan.states import BLOCK, BUCKET, SECRET, export, footprint, resource, urn
from tollgate.errors import TollgateError
from tollgate.plan.footprint import read_footprint, with_footprint
from tollgate.plan.model import Op, Step
from tollgate.plan.ties import Tie, TieKind

PLACE = resource(BUCKET, "records", {"bucket": "records"})


def test_a_resource_with_what_it_is_made_of() -> None:
    block = resource(BLOCK, "closed", {"bucket": "records"}, {"bucket": [PLACE["urn"]], "blockPublicAcls": []})
    (_, told) = footprint(PLACE, block).resources
    assert (told.urn, told.type, told.name) == (urn(BLOCK, "closed"), BLOCK, "closed")
    assert told.references == {"bucket": (PLACE["urn"],)}


def test_a_new_resource_learns_what_it_is_made_from_and_after() -> None:
    """An event of a preview names its parent, and neither of these."""
    parent = Tie(TieKind.PARENT, "urn:parent")
    block = resource(BLOCK, "closed", {"bucket": "records"}, {"bucket": [PLACE["urn"]]})
    block["dependencies"] = [PLACE["urn"], "urn:before"]
    made = Step(
        op=Op.CREATE, raw_op="create", urn=block["urn"], type=BLOCK, name="closed", changes=None, ties_after=(parent,)
    )
    known = with_footprint(plan(made), footprint(PLACE, block))
    assert set(known.steps[0].ties_after) == {
        parent,
        Tie(TieKind.PROPERTY, PLACE["urn"], "bucket"),
        Tie(TieKind.ORDER, "urn:before"),
    }
    assert with_footprint(known, footprint(PLACE, block)) == known


LEFT_OUT: dict[str, dict[str, Any]] = {
    "a component": {**PLACE, "custom": False},
    "read from elsewhere": {**PLACE, "external": True},
    "on its way out": {**PLACE, "delete": True},
}


@pytest.mark.parametrize("entry", LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_what_no_provider_makes_is_left_out(entry: dict[str, Any]) -> None:
    other = resource(BUCKET, "other", {})
    assert [told.name for told in footprint(entry, other).resources] == ["other"]


def test_secrets_are_blinded_wherever_they_are() -> None:
    planted = {**SECRET, "plaintext": '"p1anted"'}
    (told,) = footprint(resource(BUCKET, "it", {"tags": {"a": [planted]}, "acl": planted})).resources
    assert told.inputs == {"tags": {"a": ["[secret]"]}, "acl": "[secret]"}


@pytest.mark.parametrize("change", [{"urn": "no urn"}, {"urn": 1}, {"inputs": ["x"]}, {"propertyDependencies": ["x"]}])
def test_a_damaged_state_is_refused_with_the_place(change: dict[str, Any]) -> None:
    with pytest.raises(TollgateError, match=r"deployment\.resources\[1\]"):
        read_footprint(export(PLACE, {**PLACE, **change}))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 3}', json.dumps({"version": 2, "deployment": {}})])
def test_what_is_no_state_is_refused(text: str) -> None:
    with pytest.raises(TollgateError):
        read_footprint(text)
