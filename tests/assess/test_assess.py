"""The assessment as a whole: what makes a plan doubtful, and what must always hold."""

from __future__ import annotations

import contextlib
import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.assess.test_rules import OPERATIONS, UPDATES
from tests.plan import previews as p
from tollgate.assess.assess import assess
from tollgate.errors import TollgateError
from tollgate.gate.decide import decide
from tollgate.gate.model import Verdict
from tollgate.plan.read import read_plan
from tollgate.plan.state import read_state

_RANK = [Verdict.ALLOW, Verdict.WAIT, Verdict.DENY]
ROUTINE = p.step("update", old={"tags": {"a": "1"}}, new={"tags": {"a": "2"}}, diff={"tags.a": "update"})


def verdict(text: str, **more: Any) -> Verdict:
    return decide(assess(read_plan(text), **more)).verdict


def named(step: dict[str, Any], number: int) -> dict[str, Any]:
    """The same step for a resource of its own."""
    return json.loads(json.dumps(step).replace("::clearing", f"::clearing-{number}"))


_STEPS = [p.step("update", kind, old=old, new=new, diff={path: "update"}) for _, kind, old, new, path, *_ in UPDATES]
_STEPS += [step for _, step, *_ in OPERATIONS]
_PLANS = st.lists(st.sampled_from(_STEPS), min_size=1, max_size=6)


@settings(max_examples=60)
@given(steps=_PLANS, data=st.data())
def test_order_does_not_matter(steps: list[dict[str, Any]], data: st.DataObject) -> None:
    numbered = [named(step, number) for number, step in enumerate(steps)]
    shuffled = data.draw(st.permutations(numbered))
    one, other = assess(read_plan(p.digest(*numbered))), assess(read_plan(p.digest(*shuffled)))
    assert one == other
    assert decide(one) == decide(other)


@settings(max_examples=60)
@given(steps=_PLANS, extra=st.sampled_from(_STEPS))
def test_more_steps_never_lower_the_verdict(steps: list[dict[str, Any]], extra: dict[str, Any]) -> None:
    numbered = [named(step, number) for number, step in enumerate(steps)]
    before = verdict(p.digest(*numbered))
    for more in (p.digest(*numbered, named(extra, 99)), p.digest(named(extra, 99), *numbered)):
        assert _RANK.index(verdict(more)) >= _RANK.index(before)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return (
        [path, *(found for key, item in below for found in _paths(item, (*path, key)))]
        if path
        else [found for key, item in below for found in _paths(item, (key,))]
    )


@settings(max_examples=300)
@given(step=st.sampled_from(_STEPS), junk=st.sampled_from([None, 7, "x", [], {}, True, [1], {"a": 1}]), data=st.data())
def test_a_damaged_digest_never_crashes(step: dict[str, Any], junk: Any, data: st.DataObject) -> None:
    document = json.loads(p.digest(step))
    path = data.draw(st.sampled_from(_paths(document)))
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = junk
    with contextlib.suppress(TollgateError):
        assert decide(assess(read_plan(json.dumps(document)))).model_dump_json()


# Keys without which a step says less than it did: dropping one must not make the change look safer.
_SAID = ["op", "urn", "oldState", "newState", "detailedDiff"]
_DANGEROUS = [step for step in _STEPS if verdict(p.digest(step)) is not Verdict.ALLOW and step["op"] != "frobnicate"]


@pytest.mark.parametrize("dropped", _SAID)
def test_saying_less_is_never_safer(dropped: str) -> None:
    for step in _DANGEROUS:
        document = json.loads(p.digest(step))
        if document["steps"][0].pop(dropped, None) is None:
            continue
        try:
            assert verdict(json.dumps(document)) is not Verdict.ALLOW, step
        except TollgateError:
            continue


@pytest.mark.parametrize(
    "word", ["same", "read", "refresh", "update", "create", "delete", "replace", "import", "", "x"]
)
def test_another_operation_word_is_noticed(word: str) -> None:
    """The engine's own count tells a step that lost its word."""
    for step in (p.step("delete", old={}), p.step("replace", old={}, new={}, diff={"engine": "update-replace"})):
        document = json.loads(p.digest(step))
        document["steps"][0]["op"] = word
        try:
            assert verdict(json.dumps(document)) is not Verdict.ALLOW
        except TollgateError:
            continue


@pytest.mark.parametrize(
    ("rest", "rule", "expected"),
    [
        ({"maybeCorrupt": True}, "plan-damaged", Verdict.WAIT),
        ({"changeSummary": {"delete": 3}}, "plan-incomplete", Verdict.DENY),
        ({"diagnostics": [{"severity": "error", "message": "boom"}]}, "engine-error", Verdict.WAIT),
        ({"diagnostics": [{"severity": "catastrophe", "message": "boom"}]}, "engine-error", Verdict.WAIT),
    ],
)
def test_a_doubtful_plan_is_never_allowed(rest: dict[str, Any], rule: str, expected: Verdict) -> None:
    assessment = assess(read_plan(p.digest(ROUTINE, **rest)))
    assert [finding.rule for finding in assessment.findings] == [rule]
    assert decide(assessment).verdict is expected


def state(*resources: dict[str, Any], pending: list[Any] | None = None) -> str:
    return json.dumps({"version": 3, "deployment": {"resources": resources, "pending_operations": pending or []}})


def test_the_state_adds_guards_and_pending_operations() -> None:
    address = p.urn(p.RDS, "clearing")
    plan = read_plan(p.digest(p.step("delete", old={})))
    guarded = read_state(state({"urn": address, "protect": True}))
    assert "protected-deletion" in {finding.rule for finding in assess(plan, state=guarded).findings}
    kept = read_state(state({"urn": address, "retainOnDelete": True}))
    assert decide(assess(plan, state=kept)).verdict is Verdict.WAIT
    pending = read_state(state({"urn": address}, pending=[{"resource": {"urn": address}, "type": "creating"}]))
    assert "pending-operation" in {
        finding.rule for finding in assess(read_plan(p.digest(ROUTINE)), state=pending).findings
    }
    assert "state-of-another-time" in {finding.rule for finding in assess(plan, state=read_state(state())).findings}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"version": 3}',
        '{"version": 9, "deployment": {}}',
        state({"urn": 1}),
        state(pending=[1]),
    ],
)
def test_a_damaged_state_is_refused(text: str) -> None:
    with pytest.raises(TollgateError):
        read_state(text)


def test_what_a_stand_in_cannot_decide_must_be_looked_at() -> None:
    text, address = p.digest(ROUTINE), p.urn(p.RDS, "clearing")
    assert verdict(text) is Verdict.ALLOW
    assert verdict(text, unlisted_types=frozenset({p.RDS})) is Verdict.WAIT
    assert verdict(text, undecided=[(address, "tags")]) is Verdict.WAIT
    assert verdict(text, unreadable_secrets=[address]) is Verdict.WAIT
    created = p.digest(p.step("create", new={}))
    assert verdict(created, unlisted_types=frozenset({p.RDS}), undecided=[(address, "tags")]) is Verdict.ALLOW


def violation(message: str = "no", level: str = "mandatory", severity: str = "low") -> dict[str, Any]:
    return {
        "policyEvent": {
            "policyName": "tls",
            "policyPackName": "pay",
            "message": message,
            "enforcementLevel": level,
            "severity": severity,
        }
    }


@pytest.mark.parametrize(
    ("event", "expected", "severity", "open_ones"),
    [
        (violation(), Verdict.DENY, "high", 0),
        (violation(level="advisory"), Verdict.ALLOW, "low", 0),
        (violation(level="advisory", severity="high"), Verdict.WAIT, "high", 0),
        (violation(level="a new word"), Verdict.DENY, "high", 0),
        (violation("Cannot be shown at preview: it is not known"), Verdict.DENY, "high", 1),
        (violation("can't run policy 'tls' from policy pack 'pay'", level="advisory"), Verdict.WAIT, "low", 1),
    ],
)
def test_the_pack_counts(event: dict[str, Any], expected: Verdict, severity: str, open_ones: int) -> None:
    assessment = assess(read_plan(p.events(ROUTINE, more=[event])))
    assert decide(assessment).verdict is expected
    assert [finding.severity.value for finding in assessment.findings] == [severity]
    assert assessment.checks
    assert assessment.checks.not_evaluated == open_ones == len(assessment.unknowns)


WAIVED = """Waived until 2026-06-30
Owner: Ledger team
Approved by: Zhao Wei
Reason: It holds copies only.
Instead: The originals are kept elsewhere.
backupRetentionPeriod is 1, wanted at least 7 days. To fix: set it to 7.
Why: A ledger must be restored."""


def test_what_an_exception_waives_is_told_and_stops_nothing() -> None:
    more = [violation(WAIVED, level="advisory", severity="high")]
    assessment = assess(read_plan(p.events(ROUTINE, more=more)))
    assert decide(assessment).verdict is Verdict.ALLOW
    assert (assessment.findings, assessment.unknowns) == ((), ())
    assert assessment.checks
    assert (assessment.checks.waived, assessment.checks.failed) == (1, 0)
    (waived,) = assessment.waived
    assert waived.owner == "Ledger team"
    assert waived.until == date(2026, 6, 30)
    assert waived.sentence.endswith("backupRetentionPeriod is 1, wanted at least 7 days.")


def test_what_stops_the_engine_is_not_waived_by_what_it_says() -> None:
    assessment = assess(read_plan(p.events(ROUTINE, more=[violation(WAIVED, level="mandatory")])))
    assert decide(assessment).verdict is Verdict.DENY
    assert assessment.waived == ()


def test_the_pack_did_not_run_is_not_passed() -> None:
    assert assess(read_plan(p.digest(ROUTINE))).checks is None
