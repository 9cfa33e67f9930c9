"""Every rule and every line of the book: it fires, its harmless twin does not, and what is not known is no pass."""

from __future__ import annotations

from typing import Any

import pytest

from tests.assess.guard_examples import examples
from tests.assess.rule_examples import PAIRS, look, of
from tollgate.assess.model import Assessment
from tollgate.assess.rules import PLAN_RULES, STEP_RULES
from tollgate.books.guards import Danger, Guard, guard_book
from tollgate.gate.decide import decide
from tollgate.gate.model import Verdict

RULES = {rule.id for rule in (*STEP_RULES, *PLAN_RULES)}
GUARDS = [
    pytest.param(guard, id=f"{guard.rule} {guard.path or 'deleted'} {guard.types[0]}") for guard in guard_book().guards
]


def found(assessment: Assessment) -> set[str]:
    return {finding.rule for finding in assessment.findings}


def _unheard(assessment: Assessment) -> set[str]:
    """What is asked because no line of the effects book is about it, whatever a guard says."""
    assert assessment.impact
    return {effect.sentence for effect in assessment.impact.unknown_effects if effect.unheard}


def of_step(step: dict[str, Any]) -> Assessment:
    return look(of(step))


def test_there_is_an_example_of_each_rule_and_no_other() -> None:
    of_guards = {guard.rule for guard in guard_book().guards}
    assert of_guards | PAIRS.keys() == RULES
    assert len(RULES) >= 80


@pytest.mark.parametrize("rule", sorted(PAIRS))
def test_the_rule_fires_and_its_twin_does_not(rule: str) -> None:
    pair = PAIRS[rule]
    dangerous, harmless = look(pair.dangerous), look(pair.harmless)
    assert rule in found(dangerous)
    assert rule not in found(harmless)
    said = next(finding for finding in dangerous.findings if finding.rule == rule)
    assert said.sentence.endswith((".", ")."))
    assert said.why
    assert said.fix
    if pair.unknown is not None:
        assert decide(look(pair.unknown)).verdict is not Verdict.ALLOW


@pytest.mark.parametrize("guard", GUARDS)
def test_the_line_fires_in_one_direction_only(guard: Guard) -> None:
    made = examples(guard)
    assert guard.rule in found(of_step(made.dangerous))
    harmless = of_step(made.harmless)
    assert guard.rule not in found(harmless)
    assert set(decide(harmless).reasons) <= _unheard(harmless)


@pytest.mark.parametrize("guard", [each for each in GUARDS if each.values[0].danger is not Danger.DELETED])
def test_what_is_unknown_or_missing_is_no_pass(guard: Guard) -> None:
    """Where something must only not vanish, a value not known yet is one. Missing is what the provider makes it."""
    made = examples(guard)
    assert made.unknown
    assert made.missing
    assert decide(of_step(made.unknown)).verdict is not Verdict.ALLOW or guard.danger is Danger.REMOVED
    assert (guard.rule in found(of_step(made.missing))) != made.missing_is_safe


@pytest.mark.parametrize(
    "guard", [each for each in GUARDS if each.values[0].danger not in (Danger.DELETED, Danger.CHANGES)]
)
def test_a_danger_that_was_looked_for_in_vain_is_told(guard: Guard) -> None:
    told = {each.rule: each for each in of_step(examples(guard).harmless).disproven}
    assert guard.rule in told
    assert "we looked for" in told[guard.rule].sentence
    assert told[guard.rule].evidence
