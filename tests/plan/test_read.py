"""What Pulumi prints becomes the same Plan in both spellings; what is no whole preview is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.plan import previews as p
from tollgate.errors import TollgateError
from tollgate.plan.facts import facts
from tollgate.plan.model import Op
from tollgate.plan.policy_events import PolicyReader
from tollgate.plan.read import read_plan

UPDATE = p.step("update", old={"size": 1, "password": p.SECRET_OBJECT}, new={"size": 2}, diff={"size": "update"})
REPLACE = p.step("replace", name="b", old={"id": 1}, new={"id": 2}, diff={"id": "update-replace"}, old_delete=True)
DELETE = p.step("delete", name="c", old={"x": 1})
PROTECT = p.step("same", name="d", old={}, new={}, old_protect=True)
BOTH = [UPDATE, REPLACE, DELETE, PROTECT, p.step("create", name="e", new={"x": p.UNKNOWN})]


@pytest.mark.parametrize("text", [p.digest(*BOTH), p.events(*BOTH)], ids=["digest", "events"])
def test_steps_of_both_spellings(text: str) -> None:
    plan = read_plan(text)
    assert [(step.op, step.name) for step in plan.steps] == [
        (Op.UPDATE, "clearing"), (Op.REPLACE, "b"), (Op.DELETE, "c"), (Op.SAME, "d"), (Op.CREATE, "e"),
    ]  # fmt: skip
    assert plan.steps[0].old == {"size": 1, "password": "[secret]"}
    assert "hunter2" not in repr(plan)
    assert plan.steps[1].changes
    assert plan.steps[1].changes[0].replaces
    assert not plan.steps[1].delete_before_replace
    assert (plan.steps[3].protect_before, plan.steps[3].protect_after) == (True, False)
    assert (plan.project, plan.stack) == ("pay", "staging")
    assert not plan.maybe_corrupt


def test_both_spellings_have_the_same_facts() -> None:
    assert facts(read_plan(p.digest(*BOTH))) == facts(read_plan(p.events(*BOTH)))


@pytest.mark.parametrize(
    ("order", "deleted_first"),
    [
        (["create-replacement", "replace", "delete-replaced"], False),
        (["delete-replaced", "replace", "create-replacement"], True),
    ],
)
def test_replacement_pieces_fold_into_one(order: list[str], deleted_first: bool) -> None:
    sides = {"delete-replaced": {"old": {"a": 1}}, "create-replacement": {"new": {"a": 2}}}
    pieces = [
        p.step(op, **sides.get(op, {"old": {"a": 1}, "new": {"a": 2}}), diff={"a": "update-replace"}) for op in order
    ]
    (step,) = read_plan(p.events(*pieces)).steps
    assert (step.op, step.old, step.new) == (Op.REPLACE, {"a": 1}, {"a": 2})
    assert step.delete_before_replace is deleted_first


def test_a_leftover_deletion_is_a_deletion() -> None:
    (step,) = read_plan(p.events(p.step("delete-replaced", old={"a": 1}))).steps
    assert step.op is Op.DELETE


def test_unknown_words_stay_visible() -> None:
    plan = read_plan(
        p.digest(p.step("frobnicate", old={}, new={}), p.step("update", name="x", old={}, new={}, diff={"a": "fold"}))
    )
    assert [step.op for step in plan.steps] == [Op.UNRECOGNISED, Op.UPDATE]
    assert plan.steps[1].changes is None


def test_a_step_without_its_sides_is_not_trusted() -> None:
    for broken in (p.step("update", old={"a": 1}), p.step("delete", old={}, new={}), p.step("same", old={})):
        assert read_plan(p.digest(broken)).steps[0].op is Op.UNRECOGNISED


def test_fewer_steps_than_counted_is_a_damaged_plan() -> None:
    assert read_plan(p.digest(changeSummary={"delete": 1, "same": 3})).losses
    assert read_plan(p.events(resourceChanges={"delete": 1})).losses
    assert read_plan(p.events(resourceChanges={"same": 8})).losses
    refused = p.digest(DELETE, changeSummary={"same": 7}, diagnostics=[{"severity": "error", "message": "protected"}])
    plan = read_plan(refused)
    assert not plan.losses
    assert plan.steps[0].op is Op.DELETE


def test_no_changes_is_a_plan_and_not_nothing() -> None:
    for text in (
        '{"steps": [], "changeSummary": {"same": 7}}',
        '{"duration": 1, "changeSummary": {"same": 7}}',
        p.events(),
    ):
        plan = read_plan(text)
        assert (plan.steps, plan.same, plan.losses) == ((), 7, ())


def test_messages_lose_colours_and_debug() -> None:
    coloured = "<{%fg 1%}>bad\x1b[31m news<{%reset%}>"
    shown = {"diagnosticEvent": {"severity": "error", "message": coloured}}
    debug = {"diagnosticEvent": {"severity": "debug", "message": "noise"}}
    (diagnostic,) = read_plan(p.events(more=[shown, debug])).diagnostics
    assert (diagnostic.severity, diagnostic.message) == ("error", "bad news")


def test_policy_events_become_results() -> None:
    violation = {
        "policyName": "tls", "policyPackName": "pay", "resourceUrn": p.urn(p.RDS, "clearing"),
        "message": "<{%bold%}>no TLS<{%reset%}>", "enforcementLevel": "mandatory", "severity": "high",
    }  # fmt: skip
    checked = {"policyPackName": "pay", "resourceUrn": "u", "passed": ["a", "b"], "failed": ["tls"]}
    text = p.events(more=[{"policyEvent": violation}, {"policyAnalyzeSummaryEvent": checked}], PolicyPacks={"pay": "1"})
    results = read_plan(text).policy
    assert results
    assert (results.packs, results.passed, results.failed) == (("pay",), 2, 1)
    assert [(v.rule, v.message, v.mandatory) for v in results.violations] == [("tls", "no TLS", True)]
    assert read_plan(p.events()).policy is None


REFUSED = {
    "empty": ("", "empty"),
    "blank": (" \n", "empty"),
    "null": ("null", "null"),
    "number": ("7", "a number"),
    "list": ("[]", "a list"),
    "empty object": ("{}", "empty object"),
    "no summary": ('{"steps": []}', "stopped before its end"),
    "nothing said": ('{"duration": 3}', "says nothing"),
    "terraform": ('{"format_version": "1.2", "resource_changes": []}', "Terraform plan"),
    "state": ('{"version": 3, "deployment": {}}', "state"),
    "other json": ('{"a": 1}', "none of its keys"),
    "human": ("Previewing update (staging)\n", "for people"),
    "yaml": ("steps:\n- op: same\n", "not JSON"),
    "html": ("<html>", "not JSON"),
    "nan": ('{"duration": NaN}', "NaN"),
    "deep": ('{"steps": ' + "[" * 100_000, "deeply"),
    "no step": ('{"steps": [7], "duration": 1}', "steps[0]"),
    "no urn": ('{"steps": [{"op": "delete", "urn": "x"}], "duration": 1}', "steps[0].urn"),
    "summary words": ('{"steps": [], "changeSummary": {"delete": "none"}}', "changeSummary.delete"),
    "stream without summary": ("\n".join(p.events(*BOTH).splitlines()[:-1]), "before the engine's summary"),
    "stream with garbage": (p.events(*BOTH).replace("\n", "\nhello\n", 1), "line 2"),
    "binary": (b"\xff\xfe\x00\xd8\x00\x00\xff", "not text"),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(text: str | bytes, said: str) -> None:
    with pytest.raises(TollgateError) as caught:
        read_plan(text)
    assert said in str(caught.value)


@pytest.mark.parametrize("text", [p.digest(*BOTH), p.events(*BOTH)], ids=["digest", "events"])
@settings(max_examples=150)
@given(data=st.data())
def test_cut_anywhere_is_refused(text: str, data: st.DataObject) -> None:
    whole = text.rstrip()
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(TollgateError):
        read_plan(cut)


def test_windows_redirect_is_read() -> None:
    text = p.digest(UPDATE)
    assert read_plan(text.encode("utf-16")) == read_plan(b"\xef\xbb\xbf" + text.encode()) == read_plan(text)


def test_an_update_after_its_preview_in_one_log_counts_once() -> None:
    twice = p.events(UPDATE, DELETE) + p.events(UPDATE, DELETE)
    assert facts(read_plan(twice)) == facts(read_plan(p.events(UPDATE, DELETE)))
    assert len(read_plan(twice).steps) == 2
    late = p.events(UPDATE) + p.events(UPDATE, DELETE)
    assert [step.op for step in read_plan(late).steps] == [Op.UPDATE, Op.DELETE]


def test_all_problems_are_told_at_once() -> None:
    broken = {"steps": [{"op": 1, "urn": 2}, {"op": "delete", "urn": p.urn(p.RDS, "a"), "oldState": []}], "duration": 1}
    with pytest.raises(TollgateError) as caught:
        read_plan(json.dumps(broken))
    assert {problem.where for problem in caught.value.problems} >= {"steps[0].op", "steps[0].urn", "steps[1].oldState"}


def test_a_pack_that_is_a_folder_is_named_without_it() -> None:
    reader = PolicyReader()
    reader.packs({"tollgate|local|/home/somebody/policies": "(local)"}, "summaryEvent")
    results = reader.results()
    assert results is not None
    assert results.packs == ("tollgate",)
