"""Every rule does what its statement says. Cases come from the statements: a new rule needs no test code."""

import re
from collections import Counter
from pathlib import Path as File

import pulumi_aws
import pulumi_kubernetes
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.rules import RULES
from tests.components.crds import FOLDER, needs_crds
from tests.policy.examples import LEFT_OUT, at, differences, leaves, places, put
from tollgate.policy.check import Verdict
from tollgate.policy.paths import format_path
from tollgate.policy.sentinels import SECRET_SIGNATURE, SIGNATURE_KEY, UNKNOWN, UNKNOWN_SENTINELS
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
    "0",
    "*",
    "true",
    "egress",
    "Allow",
    "0.0.0.0/0",
    [],
    {},
    [{}],
    ["*"],
    ["::/0"],
    {"AWS": "*"},
]


def goods(rule):
    return [rule.good, *rule.also_good.values()]


def bads(rule):
    return [rule.bad, *rule.also_bad.values()]


def pattern(path):
    return re.sub(r"\[\d+\]", "[*]", format_path(path))


def postponed(rule, path):
    """Whether the place may be filled by another resource of the same change."""
    return pattern(path) in rule.later


@every_rule
def test_good_passes_and_bad_has_exactly_one_thing_wrong(rule):
    for good in goods(rule):
        assert rule.check(good).verdict is Verdict.HOLDS, rule.message(rule.check(good))
    for bad in bads(rule):
        wrong = rule.check(bad)
        assert wrong.verdict is Verdict.FAILS, bad
        assert len(wrong.findings) == 1, wrong.findings
        message = rule.message(wrong)
        assert wrong.findings[0].path in message
        assert rule.fix in message
        assert rule.why.removesuffix(".") in message
        assert not message.startswith(CANNOT_BE_SHOWN)


@every_rule
def test_each_bad_example_differs_from_a_good_one_in_one_thing(rule):
    """So that what makes it bad is that thing, and no other rule has another reason to refuse it."""
    for bad in bads(rule):
        nearest = min((differences(good, bad) for good in goods(rule)), key=len)
        assert len(nearest) == 1, nearest


@every_rule
def test_numbers_may_come_as_the_engine_sends_them(rule):
    """On the wire every number has a decimal point."""
    for example in (*goods(rule), *bads(rule)):
        assert rule.check(as_sent(example)).verdict is rule.check(example).verdict


def as_sent(value):
    if isinstance(value, dict):
        return {key: as_sent(part) for key, part in value.items()}
    if isinstance(value, list):
        return [as_sent(part) for part in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@every_rule
def test_examples_have_no_twin(rule):
    examples = [repr(example) for example in (*goods(rule), *bads(rule))]
    assert len(set(examples)) == len(examples)


@every_rule
def test_the_bad_example_with_its_wrong_value_unknown_cannot_be_shown(rule):
    for bad in bads(rule):
        good = min(goods(rule), key=lambda good: len(differences(good, bad)))
        (where,) = differences(good, bad)
        holder = where if at_or_none(bad, where) is not None else where[:-1]
        if holder == () or postponed(rule, holder):
            continue
        check = rule.check(put(bad, holder, UNKNOWN))
        assert check.verdict is Verdict.UNSHOWN, format_path(holder)
        message = rule.message(check)
        assert message.startswith(CANNOT_BE_SHOWN + check.findings[0].path)
        here, found = format_path(holder), check.findings[0].path
        assert here.startswith(found) or found.startswith(here)
        assert UNKNOWN not in message


def at_or_none(example, path):
    try:
        return at(example, path)
    except (KeyError, IndexError, TypeError):
        return None


@every_rule
def test_a_decision_beside_an_unknown_value_holds_for_whatever_the_value_turns_out_to_be(rule):
    for example in (*goods(rule), *bads(rule)):
        for where in places(example):
            verdict = rule.check(put(example, where, UNKNOWN)).verdict
            if verdict is Verdict.UNSHOWN or postponed(rule, where):
                continue
            # An unknown item of a list is there, whatever it is.
            values = SURPRISES[1:] if isinstance(where[-1], int) else SURPRISES
            outcomes = {rule.check(put(example, where, value)).verdict for value in values}
            assert outcomes == {verdict}, format_path(where)


@every_rule
def test_what_comes_later_is_let_through_a_preview_and_judged_once_it_is_known(rule):
    for path in rule.later:
        there = [where for where in places(rule.good) if pattern(where) == path]
        assert there, f"{path} is not in the good example"
        assert re.search(r"(Id|Ids|Ids\[\*\]|Arn|Arns\[\*\]|[pP]olicy|GroupName|Groups\[\*\])$", path), (
            f"{path} is no reference"
        )
        for where in there:
            assert rule.check(put(rule.good, where, UNKNOWN)).verdict is Verdict.HOLDS
            hidden = {SIGNATURE_KEY: SECRET_SIGNATURE, "value": UNKNOWN}
            assert rule.check(put(rule.good, where, hidden)).verdict is Verdict.UNSHOWN


@every_rule
def test_left_out_fails_unless_the_statement_gives_a_default(rule):
    for where in leaves(rule.good):
        if isinstance(where[-1], int):
            continue  # an item that is left out of a list was never there
        verdict = rule.check(put(rule.good, where, LEFT_OUT)).verdict
        assert rule.check(put(rule.good, where, None)).verdict is verdict, "null is left out"
        place = pattern(where)
        if not postponed(rule, where) and rule.check(put(rule.good, where, UNKNOWN)).verdict is Verdict.HOLDS:
            assert verdict is Verdict.HOLDS  # the value does not matter here
        elif place not in rule.defaults:
            assert verdict is Verdict.FAILS, place
        elif rule.defaults[place] is None:
            assert verdict is Verdict.HOLDS, place
        else:
            assert verdict is rule.check(put(rule.good, where, rule.defaults[place])).verdict, place


@every_rule
def test_the_reading_of_every_property_in_the_example_matters(rule):
    """An example holds what the rule reads and nothing else, so that no test above passes by accident."""
    for where in leaves(rule.good):
        values = [*SURPRISES, *(at_or_none(bad, where) for bad in bads(rule))]
        there = [example for example in (rule.good, *bads(rule)) if at_or_none(example, where) is not None]
        outcomes = {rule.check(put(example, where, value)).verdict for example in there for value in values}
        assert outcomes != {Verdict.HOLDS}, format_path(where)


@every_rule
def test_no_message_shows_a_secret(rule):
    planted = "hunter2-0123456789"
    for example in (*goods(rule), *bads(rule)):
        for where in places(example):
            for hidden in (planted, [planted], {"deeper": planted}, 4242424242.0, f'{{"{planted}": 1}}'):
                inputs = put(example, where, {SIGNATURE_KEY: SECRET_SIGNATURE, "value": hidden})
                message = rule.message(rule.check(inputs))
                assert planted not in message
                assert "4242424242" not in message


EXAMPLES = [(rule, example) for rule in RULES for example in (*goods(rule), *bads(rule)) if example]
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from([*SURPRISES[1:]]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_unknown_values_never_turn_what_is_wrong_into_a_pass(data):
    """Any number of places may be unknown: where the rule then passes, it passes for every value of them."""
    rule, example = data.draw(st.sampled_from(EXAMPLES))
    hidden, shown, taken = example, example, []
    for where in data.draw(st.lists(st.sampled_from(list(places(example))), min_size=1, max_size=3)):
        beside = all(where[: len(other)] != other[: len(where)] for other in taken)
        if beside and not postponed(rule, where):
            taken.append(where)
            shown = put(shown, where, data.draw(VALUES))
            hidden = put(hidden, where, data.draw(st.sampled_from(sorted(UNKNOWN_SENTINELS))))
    unknown, known = rule.check(hidden).verdict, rule.check(shown).verdict
    assert unknown in (Verdict.UNSHOWN, known), (rule.id, hidden, shown)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_input_makes_a_rule_raise(data):
    rule, example = data.draw(st.sampled_from(EXAMPLES))
    where = data.draw(st.sampled_from(list(places(example))))
    rule.message(rule.check(put(example, where, data.draw(VALUES))))


@every_rule
def test_every_type_exists(rule):
    for token in rule.types:
        package, module, _ = token.split(":")
        if is_of_operator(token) or token.startswith("pulumi:providers:"):
            continue
        sdk = {"aws": pulumi_aws, "kubernetes": pulumi_kubernetes}[package]
        folder = File(sdk.__file__).parent / FOLDERS.get(module.split("/")[0], module.split("/")[0].split(".")[0])
        assert any(f'"{token}"' in file.read_text().replace("'", '"') for file in folder.rglob("*.py")), token


def is_of_operator(token: str) -> bool:
    """Such a type is not in an SDK; it is checked against its schema below."""
    package, group = token.split("/", maxsplit=1)[0].split(":")[:2]
    return package == "kubernetes" and "." in group and not group.endswith(".k8s.io") and group != "helm.sh"


FOLDERS = {"lambda": "lambda_"}  # a word of Python's, so the SDK's folder is called otherwise


@needs_crds
def test_every_type_of_an_operator_is_served():
    served = {
        f"kubernetes:{crd['spec']['group']}/{version['name']}:{crd['spec']['names']['kind']}"
        for file in FOLDER.glob("*.yaml")
        for crd in [yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)]
        for version in crd["spec"]["versions"]
        if version["served"]
    }
    assert {token for rule in RULES for token in rule.types if is_of_operator(token)} <= served


def test_no_two_rules_say_the_same():
    for what in ("id", "why"):
        counted = Counter((getattr(rule, what), rule.types) for rule in RULES)
        assert [said for said, times in counted.items() if times > 1] == []
