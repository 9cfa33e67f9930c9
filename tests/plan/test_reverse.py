"""A plan turned round twice is the plan; each operation becomes the one that takes it back."""

from __future__ import annotations

import pytest

from tests.assess.steps import plan, step
from tollgate.assess.changed import Changed, changed
from tollgate.plan.model import ChangeKind, Op, PropertyChange
from tollgate.plan.reverse import turned_round

BACK = {
    Op.CREATE: Op.DELETE,
    Op.DELETE: Op.CREATE,
    Op.UPDATE: Op.UPDATE,
    Op.REPLACE: Op.REPLACE,
    Op.SAME: Op.SAME,
    Op.IMPORT: Op.DISCARD,
    Op.UNRECOGNISED: Op.UNRECOGNISED,
}


@pytest.mark.parametrize(("op", "back"), BACK.items())
def test_each_operation_has_one_that_takes_it_back(op: Op, back: Op) -> None:
    (turned,) = turned_round(plan(step(op, old={"a": 1}, new={"a": 2}, protect_before=True))).steps
    assert (turned.op, turned.old, turned.new) == (back, {"a": 2}, {"a": 1})
    assert (turned.protect_before, turned.protect_after) == (False, True)


def test_what_was_left_in_the_cloud_is_imported() -> None:
    (turned,) = turned_round(plan(step(Op.DELETE, old={}, retain_on_delete=True))).steps
    assert turned.op is Op.IMPORT


@pytest.mark.parametrize(("left_too", "back"), [(False, Op.DELETE), (True, Op.IMPORT)])
def test_of_a_replacement_that_left_the_old_one_only_the_new_one_goes(left_too: bool, back: Op) -> None:
    one = step(Op.REPLACE, old={"a": 1}, new={"a": 2}, retain_on_delete=True, retain_after=left_too)
    (turned,) = turned_round(plan(one)).steps
    assert (turned.op, turned.old) == (back, {"a": 2})


def test_what_was_added_is_taken_away() -> None:
    added = PropertyChange(path="a", kind=ChangeKind.ADD)
    one = step(Op.UPDATE, old={}, new={"a": 1}).model_copy(update={"changes": (added,)})
    (turned,) = turned_round(plan(one)).steps
    assert turned.changes == (PropertyChange(path="a", kind=ChangeKind.DELETE),)
    assert turned_round(turned_round(plan(one))) == plan(one)


def test_what_was_worked_out_of_a_step_is_worked_out_anew_of_the_turned_one() -> None:
    one = step(Op.UPDATE, old={"a": 1}, new={"a": 2, "b": 3}, changes=None)
    assert changed(one) == [Changed(("a",), 1, 2), Changed(("b",), None, 3)]
    (turned,) = turned_round(plan(one)).steps
    assert changed(turned) == [Changed(("a",), 2, 1), Changed(("b",), 3, None)]
    assert turned.moving == {"a", "b"}
    assert turned.model_copy(update={"new": {"c": 1}}).moving == {"a", "b", "c"}
