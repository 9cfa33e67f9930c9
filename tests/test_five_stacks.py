"""Each stack as it stands: it can be made from nothing, and once made, a second look finds nothing to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tollgate.assess.assess import assess
from tollgate.engine.project import find_project
from tollgate.engine.toolchain import Toolchain
from tollgate.gate.decide import decide
from tollgate.gate.model import Verdict
from tollgate.plan.model import Op
from tollgate.rehearsal.baseline import NOTHING, PRESENT, Baseline
from tollgate.rehearsal.rehearse import Rehearsal, Request, rehearse

pytestmark = pytest.mark.engine
PROJECT = find_project(Path(__file__).parent)
STACKS = PROJECT.stacks()


def run(stack: str, baseline: Baseline, toolchain: Toolchain) -> Rehearsal:
    request = Request(PROJECT, stack, baseline, policies=PROJECT.policies)
    return rehearse(request, toolchain, lambda _: None)


def test_there_are_five() -> None:
    assert set(STACKS) == {"local", "dev", "staging", "prod", "edge"}


@pytest.mark.parametrize("stack", STACKS)
def test_from_nothing_all_is_created_and_may_go(stack: str, toolchain: Toolchain) -> None:
    plan = run(stack, NOTHING, toolchain).plan
    assert {step.op for step in plan.steps} == {Op.CREATE}
    assert plan.policy is not None
    assert [violation.message for violation in plan.policy.violations if violation.mandatory] == []
    decision = decide(assess(plan))
    assert decision.verdict is Verdict.ALLOW, decision.reasons


@pytest.mark.parametrize("stack", STACKS)
def test_once_made_nothing_is_left_to_do(stack: str, toolchain: Toolchain) -> None:
    plan = run(stack, PRESENT, toolchain).plan
    assert [(step.op, step.name, step.changes) for step in plan.steps] == []
    assert plan.same > 5
