"""What a past run teaches of durations: read from the engine's events, kept in history.yaml, used from then on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.assess.steps import plan, step
from tollgate.assess.model import Impact
from tollgate.assess.past_runs import as_lines, past_runs
from tollgate.assess.registers import read_registers
from tollgate.assess.rule import Whole
from tollgate.assess.weigh import Known, weigh
from tollgate.errors import TollgateError
from tollgate.plan.graph import graph_of
from tollgate.plan.model import Op

NAT = "aws:ec2/natGateway:NatGateway"


def event(kind: str, at: int, op: str = "create", **more: Any) -> str:
    side = {"type": NAT, "custom": True, **more.pop("side", {})}
    told: Mapping[str, Any] = {"metadata": {"op": op, "urn": f"urn:{op}", "type": NAT, "new": side}, **more}
    return json.dumps({"sequence": at, "timestamp": at, kind: told})


def pair(op: str, first: int, last: int, **more: Any) -> list[str]:
    return [event("resourcePreEvent", first, op, **more), event("resOutputsEvent", last, op, **more)]


def test_each_operation_that_ended_is_measured_from_its_own_beginning() -> None:
    lines = [*pair("create", 10, 130)[:1], *pair("delete-replaced", 20, 21), pair("create", 10, 130)[1], ""]
    assert [(run.op.value, run.seconds) for run in past_runs(lines)] == [("delete", 1), ("create", 120)]


def test_less_than_a_second_is_told_as_one() -> None:
    (run,) = past_runs(pair("update", 5, 5))
    assert run.seconds == 1


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "Nothing was made"),
        (pair("create", 1, 9, planning=True), "Nothing was made"),
        (pair("same", 1, 9), "Nothing was made"),
        (pair("create", 1, 9, side={"custom": False}), "Nothing was made"),
        (pair("create", 1, 9)[:1], "Nothing was made"),
        (["{"], "The event in line 1 cannot be read"),
        (["[]"], "Line 1 is not an event with a time"),
        (['{"timestamp": "soon"}'], "Line 1 is not an event with a time"),
    ],
)
def test_what_teaches_nothing_is_refused(lines: list[str], said: str) -> None:
    with pytest.raises(TollgateError, match=said):
        past_runs(lines)


def weighed(folder: Path) -> Impact:
    made = plan(step(Op.CREATE, "way-out", NAT))
    return weigh(Whole(made, None, graph_of(made, None)), (), (), Known(registers=read_registers(folder)))


def test_what_is_printed_can_be_kept_and_moves_the_next_estimate(tmp_path: Path) -> None:
    before = weighed(tmp_path).duration.total
    lines = as_lines(past_runs(pair("create", 0, 3600))) * 20
    (tmp_path / "history.yaml").write_text("\n".join(["changes: []", "operations:", *lines]))
    after = weighed(tmp_path).duration
    assert after.recorded == 20
    assert after.total.p50 > 2 * before.p50
