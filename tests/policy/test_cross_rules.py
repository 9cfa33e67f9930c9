"""Rules over several resources do what their statements say. Cases come from the statements."""

import dataclasses

import pytest

from policies.rules import CROSS_RULES, RULES
from tests.policy.examples import places, put
from tests.policy.sdk import exists
from tollgate.errors import TollgateError
from tollgate.policy.check import HOLDS, Verdict
from tollgate.policy.cross import cross_rule, misjudged
from tollgate.policy.pack import build_pack
from tollgate.policy.sentinels import SECRET_SIGNATURE, SIGNATURE_KEY, UNKNOWN
from tollgate.policy.severity import HIGH
from tollgate.policy.stack import Ref, Resource, stack_of
from tollgate.policy.statement import CANNOT_BE_SHOWN

every_rule = pytest.mark.parametrize("rule", CROSS_RULES, ids=lambda rule: rule.id)
ROLE, ROLE_POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
SURPRISES = [None, True, 0.0, 1.0, "", "x", "0%", [], {}, [{}], ["Egress"]]


def verdicts(rule, example):
    stack = stack_of(example)
    return {resource.name: rule.check(resource, stack).verdict for resource in rule.judged(stack)}


def changed(example, name, where, value):
    """The example with one place of one resource changed."""
    kind, inputs = example[name]
    return {**example, name: (kind, put(inputs, where, value))}


def every_place(example):
    return [(name, where) for name, (_, inputs) in example.items() for where in places(inputs)]


@every_rule
def test_each_example_comes_to_what_it_stands_for(rule):
    assert list(misjudged(rule)) == []


@every_rule
def test_the_bad_example_gives_one_finding_with_what_to_do(rule):
    stack = stack_of(rule.bad)
    messages = [message for found in rule.judged(stack) if (message := rule.message(rule.check(found, stack)))]
    assert len(messages) == 1
    assert rule.fix in messages[0]
    assert rule.why.removesuffix(".") in messages[0]


@every_rule
def test_an_unknown_value_is_never_a_pass_that_a_value_could_take_back(rule):
    """Wherever a rule holds in spite of an unknown value, it holds for whatever the value turns out to be."""
    for example in (rule.good, rule.bad):
        for name, where in every_place(example):
            unknown = verdicts(rule, changed(example, name, where, UNKNOWN))
            for value in SURPRISES:
                known = verdicts(rule, changed(example, name, where, value))
                for resource, verdict in unknown.items():
                    if verdict is Verdict.HOLDS:
                        assert known[resource] is Verdict.HOLDS, (name, where, value)


@every_rule
def test_a_reference_that_cannot_be_followed_is_a_violation_that_says_so(rule):
    stack = stack_of(rule.unknown)
    messages = [rule.message(rule.check(found, stack)) for found in rule.judged(stack)]
    assert [message.startswith(CANNOT_BE_SHOWN) for message in messages if message] == [True]
    assert all(UNKNOWN not in message for message in messages)


@every_rule
def test_no_message_shows_a_secret(rule):
    planted = "hunter2-0123456789"
    for name, where in every_place(rule.good):
        hidden = {SIGNATURE_KEY: SECRET_SIGNATURE, "value": planted}
        stack = stack_of(changed(rule.good, name, where, hidden))
        assert all(planted not in rule.message(rule.check(found, stack)) for found in rule.judged(stack))


@every_rule
def test_every_type_exists(rule):
    missing = [token for token in (*rule.types, *rule.reads) if not exists(token)]
    assert missing == []


def test_a_statement_whose_examples_do_not_fit_is_refused():
    with pytest.raises(TollgateError) as caught:
        cross_rule(
            id="role-policy-own",
            why="It is a test.",
            severity=HIGH,
            types=(ROLE,),
            reads=("no token",),
            fix="mend it",
            good={"a": (ROLE_POLICY, {})},
            bad={"a": (ROLE, {})},
            unknown={"a": (ROLE, {})},
            missing={"a": (ROLE, {})},
        )(lambda *_: HOLDS)
    assert [problem.text for problem in caught.value.problems] == [
        "'no token' is no type token; write one such as aws:rds/instance:Instance",
        "good holds no resource of a type that the rule judges",
        f"good: a is of type {ROLE_POLICY}, which is in neither types nor reads",
    ]


def test_an_example_that_comes_to_something_else_is_told():
    rule = dataclasses.replace(CROSS_RULES[0], judge=lambda *_: HOLDS)
    assert list(misjudged(rule)) == [
        "the example bad comes to: holds; wanted: fails, once",
        "the example unknown comes to: holds; wanted: unshown, once",
        "the example missing comes to: holds; wanted: fails, once",
    ]


def test_a_rule_that_raises_is_named_with_its_place_and_without_a_value():
    def broken(resource, stack):
        raise ValueError(resource["password"].value)

    rule = dataclasses.replace(CROSS_RULES[0], judge=broken)
    pack = build_pack("tollgate", RULES, [rule])
    example = {"one": (rule.types[0], {"password": "hunter2"})}
    with pytest.raises(TollgateError) as caught:
        pack.cross_breaches(stack_of(example))
    assert f"policy rule {rule.id} could not run on urn:pulumi:example" in str(caught.value)
    assert "ValueError at test_cross_rules.py" in str(caught.value)
    assert "hunter2" not in str(caught.value)


BUCKET = "aws:s3/bucket:Bucket"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"


@pytest.mark.parametrize(
    ("value", "sources", "verdict"),
    [
        (UNKNOWN, ["one"], Verdict.HOLDS),
        (UNKNOWN, ["one", "key"], Verdict.HOLDS),
        (UNKNOWN, ["two"], Verdict.FAILS),
        (UNKNOWN, ["one", "two"], Verdict.UNSHOWN),
        (UNKNOWN, [], Verdict.UNSHOWN),
        ("one-by-name", [], Verdict.HOLDS),
        ("two-by-name", [], Verdict.FAILS),
        ("anything", ["one"], Verdict.FAILS),
        (None, [], Verdict.FAILS),
    ],
)
def test_a_reference_is_followed_to_where_its_value_comes_from(value, sources, verdict):
    example = {
        "one": (BUCKET, {"bucket": "one-by-name"}),
        "two": (BUCKET, {"bucket": "two-by-name"}),
        "key": ("aws:kms/key:Key", {}),
        "block": (BLOCK, {"bucket": [Ref(name) for name in sources]}),
    }
    stack = stack_of(example)
    block = dataclasses.replace(stack.of(BLOCK)[0], inputs={"bucket": value})
    assert block.names("bucket", stack.of(BUCKET)[0], by=("bucket", "id")).verdict is verdict


def test_a_name_that_the_other_does_not_have_yet_cannot_be_told_apart():
    stack = stack_of({"one": (BUCKET, {}), "block": (BLOCK, {"bucket": "by-hand"})})
    assert stack.of(BLOCK)[0].names("bucket", stack.of(BUCKET)[0]).verdict is Verdict.UNSHOWN


def test_inputs_count_and_outputs_fill_in():
    """A provider that is not known yet makes nothing, and what it made before may be out of date."""
    resource = Resource(
        "urn:pulumi:a::b::c:d/e:F::g",
        "c:d/e:F",
        inputs={"metadata": {"name": "new"}, "password": {SIGNATURE_KEY: SECRET_SIGNATURE, "value": "x"}},
        outputs={"metadata": {"name": "old", "uid": "1"}, "id": "made", "password": "y"},
    )
    assert resource["metadata.name"].value == "new"
    assert resource["metadata.uid"].value == "1"
    assert resource["id"].value == "made"
    assert resource["password"].secret
