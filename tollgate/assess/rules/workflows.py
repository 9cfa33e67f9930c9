"""State machines: a step that is left out, or passed by."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tollgate.assess.documents import as_list
from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Doubt, Hit, Seen, step_rule
from tollgate.plan.model import Op, Step
from tollgate.plan.text import plain
from tollgate.policy.sentinels import is_secret, is_unknown
from tollgate.policy.severity import MEDIUM

_MACHINE = "aws:sfn/stateMachine:StateMachine"
_NEXT = ("Next", "Default")  # where a state leads (https://states-language.net/spec.html)


@step_rule(
    id="workflow-step-passed-by",
    severity=MEDIUM,
    why="What that step made sure of is no longer made sure of, such as a check before money moves.",
    fix="say who does now what the step did",
    concerns=lambda type_token: type_token == _MACHINE,
)
def workflow_step_passed_by(step: Step) -> Iterator[Seen]:
    """A state that was reached is gone, or nothing leads to it any more."""
    if step.op not in (Op.UPDATE, Op.REPLACE) or step.old is None or step.new is None:
        return
    before, after = (side.get("definition") for side in (step.old, step.new))
    if before == after:
        return
    old, new = _reached(before), _reached(after)
    if new is None:
        yield Doubt("value", f"{capital(subject(step))}: its steps cannot be read, so whether one is left out is open.")
        return
    for name in sorted((old or frozenset()) - new):
        said = f"{capital(subject(step))} no longer does the step {plain(name)}."
        yield Hit(said, (Evidence(path="definition", before=plain(name), after="not reached"),))


def _reached(definition: Any) -> frozenset[str] | None:
    """The states that can be reached from the first one; None when the definition cannot be read."""
    if not isinstance(definition, str) or is_secret(definition) or is_unknown(definition):
        return None
    try:
        machine = json.loads(definition)
    except (ValueError, RecursionError):
        return None
    states = machine.get("States") if isinstance(machine, dict) else None
    if not isinstance(states, dict):
        return None
    waiting, seen = [str(machine.get("StartAt"))], set[str]()
    while waiting:
        name = waiting.pop()
        state = states.get(name)
        if name in seen or not isinstance(state, Mapping):
            continue
        seen.add(name)
        waiting += [str(state[key]) for key in _NEXT if key in state]
        branches = [
            each for key in ("Choices", "Catch") for each in as_list(state.get(key)) if isinstance(each, Mapping)
        ]
        waiting += [str(branch["Next"]) for branch in branches if "Next" in branch]
    return frozenset(seen)


RULES = (workflow_step_passed_by,)
