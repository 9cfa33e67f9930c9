"""Every rule does what its statement says. Cases come from the statements: a new rule needs no test code."""

import re
from pathlib import Path as File

import pulumi_aws
import pulumi_kubernetes
import pytest

from policies.rules import RULES
from tests.policy.examples import LEFT_OUT, at, leaves, places, put
from tollgate.policy.check import Verdict
from tollgate.policy.paths import format_path
from tollgate.policy.sentinels import SECRET_SIGNATURE, SIGNATURE_KEY, UNKNOWN
from tollgate.policy.statement import CANNOT_BE_SHOWN

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)

# What an unknown value may turn out to be.
SURPRISES = [
    LEFT_OUT,
    None,
    True,
    False,
    0.0,
    1.0,
    1e6,
    "",
    "x",
    "egress",
    "0.0.0.0/0",
    [],
    {},
    [{}],
    ["::/0"],
]


@every_rule
def test_good_passes_and_bad_has_exactly_one_thing_wrong(rule):
    assert rule.check(rule.good).verdict is Verdict.HOLDS
    wrong = rule.check(rule.bad)
    assert wrong.verdict is Verdict.FAILS
    assert len(wrong.findings) == 1
    message = rule.message(wrong)
    assert wrong.findings[0].path in message
    assert rule.fix in message
    assert rule.why.removesuffix(".") in message
    assert not message.startswith(CANNOT_BE_SHOWN)


@every_rule
def test_the_bad_example_with_its_wrong_value_unknown_cannot_be_shown(rule):
    where = next(path for path in leaves(rule.bad) if at(rule.bad, path) != at(rule.good, path))
    check = rule.check(put(rule.bad, where, UNKNOWN))
    assert check.verdict is Verdict.UNSHOWN
    message = rule.message(check)
    assert message.startswith(CANNOT_BE_SHOWN + format_path(where))
    assert UNKNOWN not in message


@every_rule
def test_a_decision_beside_an_unknown_value_holds_for_whatever_the_value_turns_out_to_be(rule):
    for example in (rule.good, rule.bad):
        for where in places(example):
            verdict = rule.check(put(example, where, UNKNOWN)).verdict
            outcomes = {rule.check(put(example, where, value)).verdict for value in SURPRISES}
            if verdict is not Verdict.UNSHOWN:
                assert outcomes == {verdict}, format_path(where)


@every_rule
def test_left_out_fails_unless_the_statement_gives_a_default(rule):
    for where in leaves(rule.good):
        if isinstance(where[-1], int):
            continue  # an item that is left out of a list was never there
        verdict = rule.check(put(rule.good, where, LEFT_OUT)).verdict
        assert rule.check(put(rule.good, where, None)).verdict is verdict, "null is left out"
        pattern = re.sub(r"\[\d+\]", "[*]", format_path(where))
        if rule.check(put(rule.good, where, UNKNOWN)).verdict is Verdict.HOLDS:
            assert verdict is Verdict.HOLDS  # the value does not matter here
        elif pattern not in rule.defaults:
            assert verdict is Verdict.FAILS, pattern
        elif rule.defaults[pattern] is None:
            assert verdict is Verdict.HOLDS, pattern
        else:
            assert verdict is rule.check(put(rule.good, where, rule.defaults[pattern])).verdict, pattern


@every_rule
def test_the_reading_of_every_property_in_the_example_matters(rule):
    """An example holds what the rule reads and nothing else, so that no test above passes by accident."""
    for where in leaves(rule.good):
        outcomes = {rule.check(put(example, where, v)).verdict for example in (rule.good, rule.bad) for v in SURPRISES}
        assert outcomes != {Verdict.HOLDS}, format_path(where)


@every_rule
def test_no_message_shows_a_secret(rule):
    planted = "hunter2-0123456789"
    for where in places(rule.good):
        for hidden in (planted, [planted], {"deeper": planted}, 4242424242.0):
            inputs = put(rule.good, where, {SIGNATURE_KEY: SECRET_SIGNATURE, "value": hidden})
            message = rule.message(rule.check(inputs))
            assert planted not in message
            assert "4242424242" not in message


@every_rule
def test_every_type_exists(rule):
    for token in rule.types:
        package, module, kind = token.split(":")
        if package == "kubernetes" and "." in module.split("/")[0] and ".k8s.io/" not in module:
            assert re.fullmatch(r"[a-z0-9.-]+/v\d+((alpha|beta)\d+)?", module), token
            assert re.fullmatch(r"[A-Z][A-Za-z]+", kind), token
            continue
        sdk = {"aws": pulumi_aws, "kubernetes": pulumi_kubernetes}[package]
        folder = File(sdk.__file__).parent / module.split("/")[0].split(".")[0]
        assert any(token in file.read_text() for file in folder.rglob("*.py")), token
