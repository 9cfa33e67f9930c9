"""Readings: known, unknown, missing, misplaced and secret values, and the words for each."""

import re

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
        "holes": ["a", None],
        "gaps": {"a": UNKNOWN, "b": None},
        "spec": {"arguments": {"x-delivery-limit": 5.0}, "a.b": 1.0},
        "password": secret("hunter2"),
        "settings": secret({"user": "hunter2", "days": 14.0}),
        "masked": SECRET,
        "streamed": {SIGNATURE_KEY: SECRET_SIGNATURE, "ciphertext": SECRET},
        "sealed": secret(UNKNOWN),
        "text list": '[{"size": 1}]',
        "twice": '{"Action": "*", "Action": "s3:GetObject"}',
        "no json": "{",
        "null": "null",
        "hidden": secret('{"user": "hunter2"}'),
        "same days": 14.0,
    }
)


def small(item):
    return item.at_most(2)


def big(item):
    return item.at_least(2.5)


def huge(item):
    return item.at_least(9)


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
        (INPUTS["list"].some(big, "one above 2"), H, ""),
        (INPUTS["list"].some(huge, "one above 8"), F, "list is a list of 3, wanted one above 8"),
        (INPUTS["partly"].some(big, "one above 2"), U, "partly is a list of 2, wanted one above 2"),
        (INPUTS["empty"].some(big, "one above 2"), F, "empty is a list of 0, wanted one above 2"),
        (INPUTS["later"].some(big, "one above 2"), U, "later is not known until the change runs, wanted one above 2"),
        (INPUTS["nowhere"].some(big, "one above 2"), F, "nowhere is left out, wanted one above 2"),
        (INPUTS["text"].some(big, "one above 2"), F, 'text is "14", wanted one above 2'),
        (INPUTS["list"].one_or_some(big, "one above 2"), H, ""),
        (INPUTS["days"].one_or_some(big, "one above 2"), H, ""),
        (INPUTS["text"].one_or_some(big, "one above 2"), F, 'text is "14", wanted one above 2'),
        (INPUTS["empty"].one_or_some(big, "one above 2"), F, "empty is a list of 0, wanted one above 2"),
        (INPUTS["later"].one_or_some(big, "one above 2"), U, "later is not known"),
        (INPUTS["list"].one_or_each(small), F, "list[2] is 3, wanted at most 2"),
        (INPUTS["days"].one_or_each(small), F, "days is 14, wanted at most 2"),
        (INPUTS["later"].one_or_each(small), U, "later is not known"),
        (INPUTS["spec"].each_value(lambda value: value.is_set()), H, ""),
        (INPUTS["spec"].each_value(lambda value: value.one_of(1)), F, "spec.arguments is an object, wanted 1"),
        (INPUTS["list"].each_value(small), F, "list is a list of 3, wanted an object"),
        (INPUTS["later"].each_value(small), U, "later is not known until the change runs, wanted an object"),
        (INPUTS["nowhere"].each_value(small), F, "nowhere is left out, wanted an object"),
        (INPUTS["text"].matches(re.compile("1."), "two signs"), H, ""),
        (INPUTS["text"].matches(re.compile("1"), "one sign"), F, 'text is "14", wanted one sign'),
        (INPUTS["days"].matches(re.compile("14.0"), "a text"), F, "days is 14, wanted a text"),
        (INPUTS["days"].same_as(INPUTS["same days"], float), H, ""),
        (INPUTS["days"].same_as(INPUTS["list[0]"], float), F, "days is 14, wanted the same as list[0]"),
        (INPUTS["days"].same_as(INPUTS["later"], float), U, "later is not known"),
        (
            INPUTS["later"].same_as(INPUTS["days"], float),
            U,
            "later is not known until the change runs, wanted the same",
        ),
        (INPUTS["days"].same_as(INPUTS["same days"], lambda _: None), F, "days is 14, wanted the same as"),
        (INPUTS["nowhere"].same_as(INPUTS["none"], str), F, "nowhere is left out, wanted the"),
        (INPUTS["days"].more_than(INPUTS["list[2]"]), H, ""),
        (INPUTS["list[2]"].more_than(INPUTS["days"]), F, "list[2] is 3, wanted more than days"),
        (INPUTS["days"].more_than(INPUTS["same days"]), F, 'days is 14, wanted more than ["same days"]'),
        (INPUTS["days"].more_than(INPUTS["text"]), F, "days is 14, wanted more than text"),
        (INPUTS["days"].more_than(INPUTS["none"]), F, "days is 14, wanted more than none"),
        (INPUTS["days"].more_than(INPUTS["later"]), U, "later is not known"),
        (INPUTS["text"].more_than(INPUTS["list[2]"]), F, 'text is "14", wanted more than list[2]'),
        (INPUTS["list"].has_items(), H, ""),
        (INPUTS["empty"].has_items(), F, "empty is a list of 0, wanted a list with something in it"),
        (INPUTS["text"].has_items(), F, 'text is "14", wanted a list'),
        (INPUTS["later"].has_items(), U, "later is not known"),
        (INPUTS["partly"].has_items(), U, "partly[1] is not known"),
        (INPUTS["holes"].has_items(), F, "holes[1] is left out, wanted a value"),
        (INPUTS["password"].is_secret(), H, ""),
        (INPUTS["settings.user"].is_secret(), H, ""),
        (INPUTS["sealed"].is_secret(), H, ""),
        (INPUTS["none"].is_secret(), H, ""),
        (INPUTS["text"].hidden().one_of("15"), F, 'text is a secret, wanted "15"'),
        (INPUTS["text"].hidden().one_of("14"), H, ""),
        (INPUTS["later"].hidden().is_left_out(), U, "later is a secret that cannot be read here"),
        (INPUTS["none"].hidden().is_left_out(), H, ""),
        (INPUTS["later"].is_secret(), U, "later is not known until the change runs, wanted a secret"),
        (INPUTS["text"].is_secret(), F, "text is written in the open, wanted a secret"),
        (INPUTS["spec"].has_only("arguments", "a.b"), H, ""),
        (INPUTS["spec"].has_only("arguments", "a"), F, 'spec["a.b"] is 1, wanted left out'),
        (INPUTS["gaps"].has_only("a"), H, ""),
        (INPUTS["gaps"].has_only(), U, "gaps.a is not known until the change runs, wanted left out"),
        (INPUTS["list"].has_only("a"), F, "list is a list of 3, wanted an object"),
        (INPUTS["later"].has_only("a"), U, "later is not known"),
        (INPUTS["none"].is_left_out(), H, ""),
        (INPUTS["later"].is_left_out(), U, "later is not known until the change runs, wanted left out"),
        (INPUTS["empty"].is_left_out(), F, "empty is a list of 0, wanted left out"),
        (INPUTS["text list"].document()[0]["size"].one_of(2), F, '["text list"][0].size is 1, wanted 2'),
        (INPUTS["spec"].document()["arguments"].is_set(), H, ""),
        (INPUTS["twice"].document()["Action"].is_set(), F, "twice.Action cannot be read: twice is no JSON"),
        (INPUTS["no json"].document().is_set(), F, '["no json"] cannot be read: ["no json"] is no JSON'),
        (INPUTS["null"].document().is_set(), F, "null is left out"),
        (INPUTS["later"].document()["Action"].is_set(), U, "later.Action is not known"),
        (INPUTS["hidden"].document()["user"].one_of("x"), F, 'hidden.user is a secret, wanted "x"'),
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


def test_what_another_resource_makes_is_postponed_with_all_below_it_and_nothing_beside_it():
    later = frozenset({("policy",), ("ids", "*")})

    def read(inputs):
        return Reading(inputs, later=later)

    assert read({"policy": UNKNOWN})["policy"].is_set().verdict is H
    assert read({"policy": UNKNOWN})["policy"].document()["Statement"].each(small).verdict is H
    assert read({"policy": UNKNOWN})["policy"].document()["Statement"].some(small, "a small one").verdict is H
    assert read({"ids": ["a", UNKNOWN]})["ids"].each(lambda item: item.is_set()).verdict is H
    assert read({"ids": ["a", UNKNOWN]})["ids"].has_items().verdict is H
    assert read({"policy": UNKNOWN})["policy"].has_items().verdict is H
    assert read({"ids": UNKNOWN})["ids"].each(small).verdict is U
    assert read(UNKNOWN)["policy"].is_set().verdict is U
    assert read({"policy": UNKNOWN})["policy"].is_left_out().verdict is U
    assert read({"policy": secret(UNKNOWN)})["policy"].is_set().verdict is U
    assert read({"policy": SECRET})["policy"].is_set().verdict is U
    assert read({})["policy"].is_set().verdict is F


def test_a_text_of_endless_brackets_is_no_document():
    assert Reading({"policy": "[" * 100_000})["policy"].document().is_set().verdict is F


def test_a_long_value_is_cut():
    (finding,) = Reading({"text": "x" * 1000})["text"].one_of("y").findings
    assert len(finding.found) < 80


def test_many_places_cannot_be_read_as_one():
    with pytest.raises(ValueError, match=r"\.each"):
        INPUTS["list[*]"]
