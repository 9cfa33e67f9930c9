"""The pack refuses what it cannot run, and a configuration that would weaken it."""

import dataclasses

import pytest

from policies.rules import RULES
from tollgate.errors import TollgateError
from tollgate.policy.pack import Level, RuleSetting, build_pack, levels

PACK = build_pack("tollgate", RULES)
MANDATORY = next(rule for rule in RULES if rule.mandatory)
ADVISORY = next(rule for rule in RULES if not rule.mandatory)


def test_two_rules_with_one_id_and_a_pack_without_rules_are_refused():
    with pytest.raises(TollgateError, match=f"2 rules have the id {RULES[0].id}"):
        build_pack("tollgate", [*RULES, RULES[0]])
    with pytest.raises(TollgateError, match="would pass everything"):
        build_pack("tollgate", [])


def test_a_type_that_no_rule_reads_is_not_judged():
    assert PACK.applicable("aws:athena/workgroup:Workgroup") == ()
    assert PACK.breaches("aws:athena/workgroup:Workgroup", "urn", {}) == ()


def test_a_configuration_may_only_make_a_rule_stricter():
    stricter = levels(PACK, {ADVISORY.id: RuleSetting(Level.MANDATORY), "all": RuleSetting(Level.MANDATORY)})
    assert stricter == {**levels(PACK, {}), ADVISORY.id: Level.MANDATORY}
    settings = {
        MANDATORY.id: RuleSetting(Level.ADVISORY),
        ADVISORY.id: RuleSetting(Level.DISABLED),
        "network-rule-close": RuleSetting(Level.MANDATORY),
        "all": RuleSetting(Level.MANDATORY, {"days": 3}),
    }
    with pytest.raises(TollgateError) as caught:
        levels(PACK, settings)
    assert {problem.where for problem in caught.value.problems} == set(settings)


def test_a_rule_that_raises_is_named_with_its_place_and_without_a_value():
    def broken(resource):
        raise ValueError(resource["password"].value)

    pack = build_pack("tollgate", [dataclasses.replace(MANDATORY, judge=broken)])
    with pytest.raises(TollgateError) as caught:
        pack.breaches(MANDATORY.types[0], "urn:pulumi:a::b::c::d", {"password": "hunter2"})
    message = str(caught.value)
    assert f"policy rule {MANDATORY.id} could not run on urn:pulumi:a::b::c::d: ValueError at test_pack.py" in message
    assert "hunter2" not in message
