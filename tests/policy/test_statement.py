"""A rule that is not stated well is refused when it is made, with all that is wrong at once."""

import pytest

from tollgate.errors import TollgateError
from tollgate.policy.check import Verdict
from tollgate.policy.reading import Reading
from tollgate.policy.sentinels import UNKNOWN
from tollgate.policy.severity import CRITICAL, HIGH, LOW, MEDIUM
from tollgate.policy.statement import CANNOT_BE_SHOWN, Said, rule, said

WELL_STATED = {
    "id": "key-data-rotate",
    "why": "A key that never changes is one that somebody has by now.",
    "severity": HIGH,
    "controls": ("PCI-DSS 3.7.4",),
    "types": ("aws:kms/key:Key",),
    "fix": "set enableKeyRotation to true",
    "good": {"enableKeyRotation": True},
    "bad": {"enableKeyRotation": False},
}


def rotated(key: Reading):
    return key["enableKeyRotation"].is_true()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"id": "rotate"}, "write domain-object-requirement"),
        ({"id": "Key-Data-Rotate"}, "write domain-object-requirement"),
        ({"why": "rotate keys"}, "write one sentence"),
        ({"why": "Keys leak. Rotate them."}, "write one sentence"),
        ({"severity": "high and mighty"}, "write LOW, MEDIUM, HIGH or CRITICAL"),
        ({"types": ()}, "one type token or more"),
        ({"types": ("aws.kms.Key",)}, "'aws.kms.Key' is no type token"),
        ({"fix": ""}, "write 'set"),
        ({"fix": "rotate it."}, "write 'set"),
        ({"bad": {"enableKeyRotation": True}}, "good and bad are the same"),
        ({"defaults": {"a[": 1}}, "'a[' is not a property path"),
        ({"later": ("a[",)}, "'a[' is not a property path"),
    ],
)
def test_each_mistake_is_named(change, complaint):
    with pytest.raises(TollgateError) as caught:
        rule(**{**WELL_STATED, **change})(rotated)
    assert [complaint in problem.text for problem in caught.value.problems] == [True]


def test_all_mistakes_are_told_at_once():
    with pytest.raises(TollgateError) as caught:
        rule(**{**WELL_STATED, "id": "x", "types": ("a", "b"), "fix": ""})(rotated)
    assert len(caught.value.problems) == 4


def test_high_and_critical_are_mandatory():
    rules = [rule(**{**WELL_STATED, "severity": severity})(rotated) for severity in (LOW, MEDIUM, HIGH, CRITICAL)]
    assert [each.mandatory for each in rules] == [False, False, True, True]


def test_a_rule_that_gives_no_check_did_not_run():
    with pytest.raises(TypeError, match="gave bool"):
        rule(**WELL_STATED)(lambda _: True).check({})


def test_a_type_may_be_a_provider():
    assert rule(**{**WELL_STATED, "types": ("pulumi:providers:aws",)})(rotated).types == ("pulumi:providers:aws",)


def test_what_comes_later_is_no_violation_while_it_is_unknown_and_judged_once_it_is_known():
    stated = rule(**{**WELL_STATED, "later": ("keyId",)})(lambda key: key["keyId"].one_of("a") & key["other"].is_true())
    assert stated.check({"keyId": UNKNOWN, "other": True}).verdict is Verdict.HOLDS
    assert stated.check({"keyId": UNKNOWN, "other": UNKNOWN}).verdict is Verdict.UNSHOWN
    assert stated.check({"keyId": "b", "other": True}).verdict is Verdict.FAILS


def test_a_message_lists_five_places_and_counts_the_rest():
    many = rule(**WELL_STATED)(lambda key: key["list"].each(lambda item: item.is_true()))
    message = many.message(many.check({"list": [False] * 8}))
    assert "list[4]" in message
    assert "list[5]" not in message
    assert "and 3 more" in message


@pytest.mark.parametrize(
    ("inputs", "found"),
    [
        ({"enableKeyRotation": False}, "enableKeyRotation is false, wanted true"),
        ({"enableKeyRotation": UNKNOWN}, f"{CANNOT_BE_SHOWN}enableKeyRotation is not known until the change runs"),
    ],
)
def test_a_message_can_be_taken_apart_again(inputs, found):
    stated = rule(**WELL_STATED)(rotated)
    parts = said(stated.message(stated.check(inputs)))
    assert parts.found.startswith(found[:30])
    assert parts.fix == "set enableKeyRotation to true"
    assert parts.why == "A key that never changes is one that somebody has by now (PCI-DSS 3.7.4)."


def test_a_message_of_another_pack_stays_whole():
    text = "Buckets must be private. To fix: ask us"
    assert said(text) == Said(text)
