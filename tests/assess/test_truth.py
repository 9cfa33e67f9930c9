"""What a preview does not print is found all the same: in the state, in the configuration, in silent steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.benchmark.cases import cases
from tests.benchmark.recording import Recording, load
from tests.plan import previews as p
from tollgate.assess.assess import assess
from tollgate.assess.model import Assessment
from tollgate.gate.decide import decide
from tollgate.gate.model import Verdict
from tollgate.plan.facts import facts
from tollgate.plan.read import read_plan
from tollgate.plan.state import read_state
from tollgate.plan.whole import with_state

DATA = Path(__file__).parents[1] / "data"
AWS = "pulumi:providers:aws"
BUCKET = "aws:s3/bucket:Bucket"


def state(*resources: dict[str, Any]) -> str:
    return json.dumps({"version": 3, "deployment": {"resources": [{"custom": True, **each} for each in resources]}})


def connection(name: str = "default", **inputs: Any) -> dict[str, Any]:
    return {"urn": p.urn(AWS, name), "type": AWS, "inputs": inputs}


def seen(text: str, before: str) -> Assessment:
    return assess(read_plan(text), state=read_state(before))


def rules(assessment: Assessment) -> set[str]:
    return {finding.rule for finding in assessment.findings}


def recorded(name: str) -> Recording:
    return load(next(case for case in cases() if case.id == name))


# --- connections that the engine makes by itself ---------------------------------------------------------------------
@pytest.mark.parametrize(
    ("config", "moved"),
    [
        ({"aws:region": "us-east-1"}, True),
        ({"aws:region": "eu-central-1"}, False),
        ({"aws:profile": "other"}, False),
        ({"aws:assumeRole": '{"roleArn": "arn:aws:iam::222233334444:role/x"}'}, True),
        ({"aws:assumeRole": '{ "roleArn":"arn:aws:iam::111122223333:role/x" }'}, False),
        ({"gcp:region": "us-east-1"}, False),
        ({"aws:region": "[secret]"}, False),
        ({}, False),
    ],
)
def test_a_default_connection_that_moves_is_a_fact_and_a_finding(config: dict[str, str], moved: bool) -> None:
    """The engine updates it and prints nothing (measured with v3.257.0). A setting that is new says only what was."""
    before = connection(region="eu-central-1", assumeRole={"roleArn": "arn:aws:iam::111122223333:role/x"})
    plan = read_plan(p.digest(config=config))
    found = seen(p.digest(config=config), state(before))
    assert ("connection-moved" in rules(found)) is moved
    facts_now = facts(with_state(plan, read_state(state(before))))
    assert bool({fact for fact in facts_now if fact.path in ("region", "assumeRole")}) is moved


def test_a_named_connection_is_none_of_the_configuration() -> None:
    before = state(connection("eu", region="eu-central-1"))
    assert not rules(seen(p.digest(config={"aws:region": "us-east-1"}), before))


def test_the_bucket_that_moves_to_another_account_is_named_although_its_step_says_nothing() -> None:
    (finding,) = recorded("account-swapped").assess().findings
    assert finding.sentence.startswith("Evidence's bucket (evidence) moves from the connection prod to sandbox")


# --- what goes along -------------------------------------------------------------------------------------------------
def test_the_blast_radius_does_not_depend_on_what_the_preview_prints() -> None:
    """The deletions of what goes along are cut out of the stream: the state still tells of them."""
    recording = recorded("deleted-with-its-broker")
    kept = [
        event
        for event in recording.events
        if not event.get("resourcePreEvent", {}).get("metadata", {}).get("urn", "").endswith("::callbacks")
    ]
    text = "\n".join(json.dumps(event) for event in kept)
    found = assess(read_plan(text), state=read_state(json.dumps(recording.state)))
    along = {finding.urn.rpartition("::")[2] for finding in found.findings if finding.rule == "goes-along"}
    assert along == {"callbacks"}
    assert decide(found).verdict is Verdict.DENY


def test_why_a_resource_is_pulled_along_is_known_from_the_state() -> None:
    """The engine gives no reason for the replacement of "b": no changed property, no diff."""
    stream = (DATA / "cascade.events.ndjson").read_text()
    digest = json.loads((DATA / "cascade.digest.json").read_text())
    before = state(*(step["oldState"] for step in digest["steps"]))
    assert "diff" in {unknown.what for unknown in assess(read_plan(stream)).unknowns}
    assert seen(stream, before).unknowns == ()


def test_a_resource_that_an_alias_renames_is_found_in_the_state_by_its_old_name() -> None:
    for name in ("database-renamed-with-alias", "moved-into-a-component"):
        assert recorded(name).assess().findings == ()


@pytest.mark.parametrize(
    ("gone", "come", "written"),
    [
        ({}, {"name": "books"}, 'aliases=[pulumi.Alias(name="ledger")] at books'),
        (
            {"old_parent": p.urn("a:b:C", "box")},
            {},
            f'aliases=[pulumi.Alias(parent="{p.urn("a:b:C", "box")}")] at ledger',
        ),
        (
            {},
            {"new_parent": p.urn("a:b:C", "box")},
            "aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)] at ledger",
        ),
    ],
)
def test_a_rename_is_told_with_the_line_to_write(gone: dict[str, Any], come: dict[str, Any], written: str) -> None:
    old = p.step("delete", BUCKET, **{"name": "ledger", "old": {"bucket": "b"}} | gone)
    new = p.step("create", BUCKET, **{"name": "ledger", "new": {"bucket": "b"}} | come)
    if new["urn"] == old["urn"]:
        new = json.loads(json.dumps(new).replace("::ledger", "::ledger").replace("pay::", "pay::a:b:C$", 1))
        new["newState"]["urn"] = new["urn"]
    findings = assess(read_plan(p.digest(old, new))).findings
    assert any(written in finding.sentence for finding in findings if finding.rule == "renamed-without-alias")


def test_two_that_are_exchanged_are_matched_by_what_they_are_most_like() -> None:
    steps = [p.step("delete", BUCKET, f"old-{n}", old={"bucket": f"b{n}", "tags": {"n": str(n)}}) for n in range(3)]
    steps += [p.step("create", BUCKET, f"new-{n}", new={"bucket": f"b{n}", "tags": {"n": str(n)}}) for n in range(3)]
    findings = [each for each in assess(read_plan(p.digest(*steps))).findings if each.rule == "renamed-without-alias"]
    assert [finding.evidence[0].after for finding in findings] == ["new-0", "new-1", "new-2"]


# --- two changes that are one decision -------------------------------------------------------------------------------
def test_a_guard_taken_off_by_an_earlier_change_still_counts() -> None:
    first = read_plan(
        p.digest(
            p.step("same", name="x", type_token="random:index/randomId:RandomId", old={}, new={}, old_protect=True)
        )
    )
    second = read_plan(p.digest(p.step("delete", name="x", type_token="random:index/randomId:RandomId", old={})))
    assert decide(assess(second)).verdict is Verdict.ALLOW
    after_the_first = assess(second, earlier=facts(first))
    assert rules(after_the_first) == {"unprotected-earlier"}
    protected_again = read_plan(
        p.digest(
            p.step("same", name="x", type_token="random:index/randomId:RandomId", old={}, new={}, new_protect=True)
        )
    )
    assert decide(assess(second, earlier=facts(protected_again))).verdict is Verdict.ALLOW


# --- a plan that says less than it should ----------------------------------------------------------------------------
def test_a_failed_preview_without_a_reason_is_an_error() -> None:
    assert rules(assess(read_plan(p.events(result="failed")))) == {"engine-error"}
    assert not rules(assess(read_plan(p.events(result="succeeded"))))


def test_the_engines_last_word_is_left_out_where_it_said_why() -> None:
    urn = p.urn(p.RDS, "clearing")
    why = {"severity": "error", "message": f"error: unable to delete {urn} as it is protected", "urn": urn}
    last = {"severity": "error", "message": "error: preview failed"}

    def said(*diagnostics: dict[str, str]) -> list[str]:
        found = assess(read_plan(p.digest(diagnostics=[*diagnostics], duration=1))).findings
        return [each.sentence for each in found if each.rule == "engine-error"]

    assert said(why, last) == ["The engine reports an error: unable to delete clearing as it is protected."]
    assert said(last) == ["The engine reports an error: preview failed."]


def test_a_violation_that_is_counted_and_not_told_makes_the_plan_incomplete() -> None:
    checked = {"policyPackName": "pay", "resourceUrn": p.urn(p.RDS, "a"), "passed": [], "failed": ["tls"]}
    assert rules(assess(read_plan(p.events(more=[{"policyAnalyzeSummaryEvent": checked}])))) == {"plan-incomplete"}


def test_a_stream_without_its_beginning_is_incomplete() -> None:
    text = p.events().split("\n", 1)[1]
    assert rules(assess(read_plan(text))) == {"plan-incomplete"}
