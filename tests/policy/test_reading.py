"""Readings: known, unknown, missing, misplaced and secret values, and the words for each."""

import pytest

from tollgate.policy.check import Verdict
from tollgate.policy.reading import Reading, State
from tollgate.policy.sentinels import SECRET, SECRET_SIGNATURE, SIGNATURE_KEY, UNKNOWN, UNKNOWN_SENTINELS

H, U, F = Verdict.HOLDS, Verdict.UNSHOWN, Verdict.FAILS


def secret(value):
    return {SIGNATURE_KEY: SECRET_SIGNATURE, "value": value}


INPUTS = Reading(
    {
        "days": 14.0,
        "text": "14",
        "yes": True,
        "no": False,
        "none": None,
        "later": UNKNOWN,
        "list": [1.0, 2.0, 3.0],
        "partly": [1.0, UNKNOWN],
        "empty": [],
        "spec": {"arguments": {"x-delivery-limit": 5.0}, "a.b": 1.0},
        "password": secret("hunter2"),
        "settings": secret({"user": "hunter2", "days": 14.0}),
        "masked": SECRET,
        "streamed": {SIGNATURE_KEY: SECRET_SIGNATURE, "ciphertext": SECRET},
        "sealed": secret(UNKNOWN),
    }
)


def small(item):
    return item.at_most(2)


@pytest.mark.parametrize(
    ("check", "verdict", "sentence"),
    [
        (INPUTS["days"].at_least(14, "days"), H, ""),
        (INPUTS["days"].at_least(14.5, "days"), F, "days is 14, wanted at least 14.5 days"),
        (INPUTS["days"].at_most(7), F, "days is 14, wanted at most 7"),
        (INPUTS["text"].at_least(14, "days"), F, 'text is "14", wanted at least 14 days'),
        (INPUTS["yes"].at_least(1), F, "yes is true, wanted at least 1"),
        (INPUTS["yes"].is_true(), H, ""),
        (INPUTS["text"].is_true(), F, 'text is "14", wanted true'),
        (INPUTS["no"].is_false(), H, ""),
        (INPUTS["no"].one_of(0), F, "no is false, wanted 0"),
        (INPUTS["none"].is_set(), F, "none is left out, wanted a value"),
        (INPUTS["empty"].is_set(), F, "empty is a list of 0, wanted a value"),
        (INPUTS["text"].one_of("14", "15"), H, ""),
        (INPUTS["text"].none_of("14"), F, 'text is "14", wanted anything but "14"'),
        (INPUTS["later"].is_true(), U, "later is not known until the change runs, wanted true"),
        (INPUTS["later.deeper[3].still"].is_set(), U, "later.deeper[3].still is not known"),
        (INPUTS["nowhere.at.all"].is_true(), F, "nowhere.at.all is left out, wanted true"),
        (INPUTS["spec"]["arguments"]["x-delivery-limit"].at_least(1), H, ""),
        (
            INPUTS['spec.arguments["x-delivery-limit"]'].at_least(9),
            F,
            'spec.arguments["x-delivery-limit"] is 5',
        ),
        (INPUTS["spec"].key("a.b").one_of(1), H, ""),
        (INPUTS["text.size"].is_set(), F, 'text.size cannot be read: text is "14", wanted a value'),
        (INPUTS["list[2]"].one_of(3), H, ""),
        (INPUTS["list"][9].is_set(), F, "list[9] is left out"),
        (INPUTS["list"].each(small), F, "list[2] is 3, wanted at most 2"),
        (INPUTS["partly"].each(small), U, "partly[1] is not known"),
        (INPUTS["empty"].each(small), H, ""),
        (INPUTS["text"].each(small), F, 'text is "14", wanted a list'),
        (INPUTS["nowhere"].each(small), F, "nowhere is left out, wanted a list"),
        (INPUTS["password"].one_of("hunter2"), H, ""),
        (INPUTS["password"].one_of("x"), F, 'password is a secret, wanted "x"'),
        (INPUTS["settings.user"].one_of("x"), F, 'settings.user is a secret, wanted "x"'),
        (
            INPUTS["settings.user.name"].one_of("x"),
            F,
            "settings.user.name cannot be read: settings.user is a secret",
        ),
        (INPUTS["masked"].one_of("x"), U, "masked is a secret that cannot be read"),
        (INPUTS["streamed"].is_set(), U, "streamed is a secret that cannot be read"),
        (INPUTS["sealed"].is_set(), U, "sealed is a secret that cannot be read"),
    ],
)
def test_checks(check, verdict, sentence):
    assert check.verdict is verdict
    assert "; ".join(map(str, check.findings)).startswith(sentence)
    assert bool(check.findings) is bool(sentence)
    assert "hunter2" not in repr(check)


@pytest.mark.parametrize("sentinel", sorted(UNKNOWN_SENTINELS))
def test_every_kind_of_unknown_is_unknown(sentinel):
    assert Reading({"a": sentinel})["a"].state is State.UNKNOWN


def test_a_default_stands_in_for_what_is_left_out_and_for_nothing_else():
    defaults = {("size",): 3, ("ports", "*", "open"): False, ("extra",): None}
    inputs = Reading({"ports": [{}, {"open": None}, {"open": UNKNOWN}]}, defaults=defaults)
    assert inputs["size"].one_of(3).verdict is H
    assert inputs["ports"].each(lambda port: port["open"].is_false()).verdict is U
    assert inputs["ports[1].open"].is_false().verdict is H
    assert inputs["extra"].is_true().verdict is H
    assert inputs["extra"].each(small).verdict is H
    assert Reading({"extra": UNKNOWN}, defaults=defaults)["extra"].is_true().verdict is U


def test_a_long_value_is_cut():
    (finding,) = Reading({"text": "x" * 1000})["text"].one_of("y").findings
    assert len(finding.found) < 80


def test_many_places_cannot_be_read_as_one():
    with pytest.raises(ValueError, match=r"\.each"):
        INPUTS["list[*]"]
