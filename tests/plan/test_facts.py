"""Facts are the same for every spelling of the same change, and different for a different change."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plan import previews as p
from tollgate.plan.facts import SECRET_WORD, UNKNOWN_WORD, facts, facts_digest, fingerprint
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
