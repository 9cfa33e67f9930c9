"""The CEL expressions agree with the rules that they are derived from, by another implementation of the language."""

from __future__ import annotations

import re
from typing import Any

import cel
import pytest

from policies.rules import RULES
from tests.policy.examples import LEFT_OUT, at, places, put
from tollgate.policy.cel import CannotBeSaidError, expression
from tollgate.policy.check import HOLDS, Check, Finding, Verdict, fails
from tollgate.policy.paths import format_path
from tollgate.policy.reading import State
from tollgate.policy.severity import HIGH
from tollgate.policy.statement import Rule, rule


def said(each: Rule) -> bool:
    try:
        expression(each)
    except CannotBeSaidError:
        return False
    return True


SAID = [each for each in RULES if said(each)]
every_expression = pytest.mark.parametrize("each", SAID, ids=lambda each: each.id)
# Other values of the same type: the API server refuses another type before any policy sees it.
ALIKE: dict[type, list[Any]] = {
    bool: [True, False],
    int: [0, 1, 2, 3, 6, 7, 14, 100, 1_000_000, -1],
    float: [0, 1, 2, 3, 6, 7, 14, 100, 1_000_000, -1],
    str: ["", "x", "quorum", "classic", "any", "required", "7d", "@daily", "0 0 1 * * *", "a@sha256:" + "0" * 64],
    list: [[]],
    dict: [{}],
}


def holds(each: Rule, inputs: Any) -> bool:
    return each.check(inputs).verdict is Verdict.HOLDS


def allows(each: Rule, inputs: Any) -> bool:
    """What an admission policy would do: an expression that cannot be worked out refuses."""
    try:
        return bool(cel.evaluate(expression(each).text, {"object": whole(inputs)}))
    except (TypeError, ValueError, RuntimeError, KeyError):
        return False


def whole(value: Any) -> Any:
    """Kubernetes has whole numbers where Pulumi's wire has floats."""
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def examples(each: Rule) -> list[Any]:
    return [each.good, each.bad, *each.also_good.values(), *each.also_bad.values()]


def test_most_rules_about_kubernetes_can_be_said():
    about = [each for each in RULES if all(token.startswith("kubernetes:") for token in each.types)]
    assert len(SAID) > len(about) / 2


@every_expression
def test_the_expression_agrees_on_every_example(each):
    for example in examples(each):
        assert allows(each, example) is holds(each, example), example


@every_expression
def test_the_expression_agrees_when_something_is_left_out(each):
    for example in examples(each):
        for where in places(example):
            if not isinstance(where[-1], int):
                inputs = put(example, where, LEFT_OUT)
                assert allows(each, inputs) is holds(each, inputs), format_path(where)


@every_expression
def test_the_expression_agrees_on_other_values(each):
    for example in examples(each):
        for where in places(example):
            for value in ALIKE[type(at(example, where))]:
                inputs = put(example, where, value)
                assert allows(each, inputs) is holds(each, inputs), (format_path(where), value)


@every_expression
def test_the_expression_agrees_on_more_and_fewer_items(each):
    for example in examples(each):
        for where in places(example):
            items = at(example, where)
            if isinstance(items, list) and items:
                for value in (items[:-1], [*items, items[0]], [*items, *items]):
                    inputs = put(example, where, value)
                    assert allows(each, inputs) is holds(each, inputs), (format_path(where), value)


def stated(judge, good: Any, bad: Any, types=("kubernetes:apps/v1:Deployment",), **more: Any) -> Rule:
    head = {"id": "test-rule-said", "why": "It is a test.", "severity": HIGH, "types": types, "fix": "mend it"}
    return rule(**head, good=good, bad=bad, **more)(judge)


GOOD, BAD = {"spec": {"a": 1}}, {"spec": {"a": 2}}


def by_state(workload):
    spec = workload["spec"]
    return spec["b"].is_true() if spec["b"].state is State.KNOWN else spec["a"].one_of(1)


def by_two_states(workload):
    found = [place for name in ("b", "c") if (place := workload["spec"][name]).state is not State.MISSING]
    result = workload["spec.a"].at_least(1)
    for place in found:
        result &= place.is_true()
    return result


@pytest.mark.parametrize(
    ("judge", "inputs"),
    [
        (by_state, [GOOD, BAD, {"spec": {"a": 2, "b": True}}, {"spec": {"a": 1, "b": False}}, {"spec": {}}, {}]),
        (
            by_two_states,
            [
                GOOD,
                {"spec": {"a": 1, "b": True, "c": True}},
                {"spec": {"a": 1, "b": True, "c": False}},
                {"spec": {"a": 1, "c": True}},
                {"spec": {"a": 0}},
            ],
        ),
        (lambda w: HOLDS & w["spec.a"].one_of(1), [GOOD, BAD]),
        (lambda w: w["spec.a"].one_of(1) | fails(Finding("a", "is", "b")), [GOOD, BAD]),
        (
            lambda w: w["spec.a"].one_of(1).unless(w["spec.free"].is_true()),
            [GOOD, BAD, {"spec": {"a": 2, "free": True}}],
        ),
        (lambda w: w["spec.a"].more_than(w["spec.b"]), [{"spec": {"a": 2, "b": 1}}, {"spec": {"a": 1, "b": 1}}, GOOD]),
        (lambda w: w["spec.b"].is_left_out() & w["spec.a"].none_of(2), [GOOD, BAD, {"spec": {"a": 1, "b": 1}}]),
        (
            lambda w: w["spec.m"].each_value(lambda v: v.at_most(3)),
            [{"spec": {"m": {"x": 1, "y": 4}}}, {"spec": {"m": {"x": 1}}}, GOOD],
        ),
    ],
)
def test_every_way_to_ask_comes_out_as_the_rule_means_it(judge, inputs):
    each = stated(judge, GOOD, BAD)
    for case in inputs:
        assert allows(each, case) is holds(each, case), (expression(each).text, case)


def many(workload):
    result = HOLDS
    for number in range(6):
        place = workload[f"spec.a{number}"]
        result &= place.is_true() if place.state is State.KNOWN else HOLDS
    return result


@pytest.mark.parametrize(
    ("judge", "more", "reason"),
    [
        (lambda w: w["spec.a"].satisfies(bool, "true"), {}, "it tests in Python whether spec.a is true"),
        (lambda w: HOLDS & w["spec.a"].value, {}, "looks at the value itself"),
        (lambda w: HOLDS & w["spec.a"].is_true().verdict, {}, "looks at what a check comes to"),
        (lambda w: w["spec.a"][0].is_true(), {}, "one item of a list by its place"),
        (lambda w: w["spec.package"].is_true(), {}, "package is a word of the language itself"),
        (lambda w: w["spec.a"].matches(re.compile("(?=a)b"), "ab"), {}, "a pattern that CEL does not know"),
        (
            lambda w: w["spec.a.b"].is_true(),
            {"defaults": {"spec.a": {"b": True}}},
            "a whole object stands in for spec.a",
        ),
        (lambda _: Check(Verdict.UNSHOWN), {}, "gives no check that can be said"),
        (lambda w: w.nothing, {}, "needs values to run on (AttributeError)"),
        (many, {}, "more than 32 cases"),
        (lambda w: w["spec.a"].is_true(), {"types": ("aws:rds/instance:Instance",)}, "no Kubernetes API server sees"),
    ],
)
def test_what_cannot_be_said_says_why(judge, more, reason):
    with pytest.raises(CannotBeSaidError, match=re.escape(reason)):
        expression(stated(judge, GOOD, BAD, **more))


def test_the_kinds_are_kubernetes_own():
    each = stated(by_state, GOOD, BAD, types=("kubernetes:core/v1:Pod", "kubernetes:postgresql.cnpg.io/v1:Cluster"))
    assert expression(each).kinds == ("v1/Pod", "postgresql.cnpg.io/v1/Cluster")
