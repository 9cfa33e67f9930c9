"""Facts are the same for every spelling of the same change, and different for a different change."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plan import previews as p
from tollgate.plan.canonical import SECRET_WORD, UNKNOWN_WORD, fingerprint
from tollgate.plan.facts import facts, facts_digest
from tollgate.plan.read import read_plan

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(_VALUES)
def test_a_document_in_a_text_is_what_it_says(value: Any) -> None:
    document = {"Statement": [value, 1]}
    one, other = json.dumps(document), json.dumps(document, indent=3, sort_keys=True)
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ('{"a":1}', '{ "a": 1.0 }'), ({"a": None}, {})],
)
def test_same_meaning(one: Any, other: Any) -> None:
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, "1"), ([1, 2], [2, 1]), ({}, []), ('{"a":1}', {"a": 1})])
def test_other_meaning(one: Any, other: Any) -> None:
    assert fingerprint(one) != fingerprint(other)


def test_no_value_of_a_secret_or_unknown() -> None:
    plan = read_plan(
        p.digest(
            p.step(
                "update",
                old={"a": "[secret]", "b": 1},
                new={"a": "[secret]", "b": p.UNKNOWN},
                diff={"a": "update", "b": "update"},
            )
        )
    )
    by_path = {fact.path: fact for fact in facts(plan)}
    assert (by_path["a"].before, by_path["a"].after) == (SECRET_WORD, SECRET_WORD)
    assert by_path["b"].after == UNKNOWN_WORD


def test_order_of_steps_does_not_matter() -> None:
    steps = [p.step("delete", name=name, old={"x": name}) for name in "abc"]
    assert facts_digest(facts(read_plan(p.digest(*steps)))) == facts_digest(
        facts(read_plan(p.digest(*reversed(steps))))
    )


def test_spelling_alone_is_no_fact_of_its_property() -> None:
    noise = p.step(
        "update",
        old={"policy": '{"a":1}', "n": 1},
        new={"policy": '{ "a": 1 }', "n": 2},
        diff={"policy": "update", "n": "update"},
    )
    assert {fact.path for fact in facts(read_plan(p.digest(noise)))} == {"n"}


@pytest.mark.parametrize("op", ["create", "delete", "replace", "update", "frobnicate"])
def test_every_operation_leaves_a_fact(op: str) -> None:
    sides = {"create": {"new": {}}, "delete": {"old": {}}}.get(op, {"old": {}, "new": {}})
    assert facts(read_plan(p.digest(p.step(op, **sides))))


def test_a_name_that_the_engine_makes_up_is_no_fact() -> None:
    def made(suffix: str) -> str:
        queue = {"name": f"capture-{suffix}", "__defaults": ["name"]}
        user = {"queue": f"arn:aws:sqs:eu:1:capture-{suffix}"}
        return p.digest(
            p.step("create", "aws:sqs/queue:Queue", "capture", new=queue), p.step("create", name="user", new=user)
        )

    assert facts(read_plan(made("1a2b3c4"))) == facts(read_plan(made("5d6e7f8")))
    chosen = [
        p.digest(p.step("create", name="capture", new={"name": f"capture-{suffix}"}))
        for suffix in ("1a2b3c4", "5d6e7f8")
    ]
    assert facts(read_plan(chosen[0])) != facts(read_plan(chosen[1]))


# --- one change, however it is written --------------------------------------------------------------------------------
_STATEMENT = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Action": st.lists(st.sampled_from(["s3:GetObject", "s3:PutObject", "kms:Decrypt"]), min_size=1, unique=True),
        "Resource": st.lists(st.sampled_from(["*", "arn:aws:s3:::a", "arn:aws:s3:::b"]), min_size=1, unique=True),
    }
)


@given(statements=st.lists(_STATEMENT, min_size=1, max_size=4, unique_by=json.dumps), data=st.data())
def test_the_order_in_a_policy_document_is_noise(statements: list[dict[str, Any]], data: st.DataObject) -> None:
    shuffled = [
        {key: data.draw(st.permutations(value)) if isinstance(value, list) else value for key, value in each.items()}
        for each in data.draw(st.permutations(statements))
    ]
    alone = [
        {key: value[0] if isinstance(value, list) and len(value) == 1 else value for key, value in each.items()}
        for each in shuffled
    ]
    one, *others = (
        fingerprint(json.dumps({"Version": "2012-10-17", "Statement": each}, indent=indent))
        for each, indent in ((statements, 0), (shuffled, 2), (alone, 4))
    )
    assert set(others) == {one}


def _group(*cidrs: str) -> dict[str, Any]:
    return {"ingress": [{"protocol": "tcp", "fromPort": 1, "toPort": 1, "cidrBlocks": list(cidrs)}], "tags": {"a": "1"}}


_CIDRS = st.lists(st.sampled_from([f"10.{n}.0.0/16" for n in range(6)]), min_size=1, unique=True)


@given(before=_CIDRS, after=_CIDRS, data=st.data())
def test_the_order_of_addresses_is_noise_and_their_change_is_not(
    before: list[str], after: list[str], data: st.DataObject
) -> None:
    def changed(old: list[str], new: list[str]) -> str:
        return p.digest(
            p.step("update", p.GROUP, old=_group(*old), new=_group(*new), diff={"ingress[0].cidrBlocks[0]": "update"})
        )

    shuffled = changed(data.draw(st.permutations(before)), data.draw(st.permutations(after)))
    found = facts(read_plan(changed(before, after)))
    assert found == facts(read_plan(shuffled))
    assert ("ingress" in {fact.path for fact in found}) == (set(before) != set(after))


def test_the_order_of_other_lists_is_a_fact() -> None:
    one, other = ({"containers": [{"args": args}]} for args in (["a", "b"], ["b", "a"]))
    plan = read_plan(p.digest(p.step("update", old=one, new=other, diff={"containers[0].args[0]": "update"})))
    assert {fact.path for fact in facts(plan)} == {"containers[0].args[0]"}


@given(value=_VALUES, other=_VALUES)
def test_another_value_is_another_fact(value: Any, other: Any) -> None:
    def changed(new: Any) -> str:
        step = p.step("update", old={"a": "before"}, new={"a": new}, diff={"a": "update"})
        return facts_digest(facts(read_plan(p.digest(step))))

    assert (changed(value) == changed(other)) == (fingerprint(value) == fingerprint(other))


def test_when_the_engine_ran_and_how_it_encrypted_is_noise() -> None:
    def stream(time: int, cipher: str) -> str:
        secret = {**p.SECRET_OBJECT, "ciphertext": cipher}
        step = p.step("update", old={"a": secret, "b": 1}, new={"a": secret, "b": 2}, diff={"b": "update"})
        return p.events(step).replace('"timestamp": 1', f'"timestamp": {time}')

    assert facts(read_plan(stream(1, "one"))) == facts(read_plan(stream(2, "two")))


def test_which_of_two_goes_first_is_a_fact() -> None:
    found = [
        facts(
            read_plan(
                p.digest(
                    p.step("replace", old={"a": 1}, new={"a": 2}, diff={"a": "update-replace"}, old_delete=made_first)
                )
            )
        )
        for made_first in (True, False)
    ]
    assert found[0] != found[1]
    assert "delete-first" in {fact.kind for fact in found[1]} - {fact.kind for fact in found[0]}


# --- another connection --------------------------------------------------------------------------------
AWS = "pulumi:providers:aws"


def _connection(name: str, **settings: str) -> dict[str, Any]:
    return p.step("same", AWS, name, old=settings, new=settings)


def _moved(op: str = "same", **more: Any) -> dict[str, Any]:
    old, new = (f"{p.urn(AWS, name)}::id" for name in ("one", "other"))
    return p.step(op, old={"a": 1}, new={"a": 1}, old_provider=old, new_provider=new, **more)


def test_another_account_hides_in_a_step_that_changes_nothing() -> None:
    """The engine prints a plain same (tests/data/benchmark/account-swapped)."""
    plan = read_plan(
        p.events(_connection("one", region="eu", profile="a"), _connection("other", region="eu"), _moved())
    )
    assert {(fact.op, fact.path) for fact in facts(plan)} == {("same", "@provider")}
    assert plan.steps[0].provider_moved
    assert plan.same == 9


def test_another_version_of_the_same_connection_is_noise() -> None:
    one = _connection("one", region="eu", version="7.50.0")
    other = _connection("other", region="eu", version="7.51.1")
    assert not facts(read_plan(p.events(one, other, _moved())))


@pytest.mark.parametrize("region", [p.UNKNOWN, "[secret]"])
def test_a_connection_that_cannot_be_compared_is_another_one(region: str) -> None:
    assert facts(read_plan(p.events(_connection("one", region=region), _connection("other", region=region), _moved())))


def test_a_connection_that_is_not_shown_is_another_one() -> None:
    assert read_plan(p.digest(_moved("update", diff={"a": "update"}))).steps[0].provider_moved
