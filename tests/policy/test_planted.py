"""Ours catches all forty mistakes, by the rule that was named before any was tried, and stops the change."""

import pytest

from tests.policy.planted import MISTAKES, planted
from tests.policy.test_stacks import CONFIGURATION, IDS, PACK, recorded
from tollgate.policy.pack import Level, levels


def found(resource):
    return {breach.rule.id for breach in PACK.breaches(resource.type, resource.name, resource.inputs)}


def test_there_are_forty_and_no_two_are_the_same():
    assert len({mistake.what for mistake in MISTAKES}) == 40
    assert len({(mistake.type, repr(mistake.change), repr(mistake.settings)) for mistake in MISTAKES}) == 40


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.id)
def test_a_planted_mistake_is_caught_by_the_rule_that_is_meant_to(mistake):
    before, after = planted(mistake, recorded(mistake.stack))
    assert mistake.rule not in found(before)
    assert mistake.rule in found(after)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.id)
def test_a_planted_mistake_stops_the_change(mistake):
    stated = {rule: setting for rule, setting in CONFIGURATION.get(mistake.stack, {}).items() if rule in IDS}
    assert levels(PACK, stated)[mistake.rule] is Level.MANDATORY
