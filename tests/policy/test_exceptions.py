"""The register of exceptions: what may stand in it, what an exception covers, and when it is over."""

import dataclasses
import threading
from datetime import date

import pytest
import yaml
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime.proto import analyzer_pb2 as messages

from policies.rules import CROSS_RULES, RULES
from tests.policy.examples import safe_inputs
from tollgate.errors import TollgateError
from tollgate.policy.analyzer import HONEST, PackServicer
from tollgate.policy.exceptions import FILE, Register, Waiver, checked_register, read_waived, too_wide, waived_message
from tollgate.policy.pack import build_pack

RULE = "database-backup-retain"
INSTANCE = "aws:rds/instance:Instance"
URN = f"urn:pulumi:staging::payments::tollgate:data:Database${INSTANCE}::payments-staging-scratch"
TODAY = date(2026, 6, 1)
WAIVER = {
    "rule": RULE,
    "resource": f"urn:pulumi:staging::payments::*${INSTANCE}::payments-staging-scratch",
    "owner": "Ledger team",
    "reason": "It holds copies only, and is made anew each night.",
    "approver": "Zhao Wei",
    "created": date(2026, 5, 1),
    "expires": date(2026, 6, 30),
    "instead": "The originals are kept for 35 days in the clearing database.",
}
HEAD = {"most_resources": 2, "longest_days": 90, "approvers": ["Zhao Wei", "Li Na"]}
IDS = {rule.id for rule in (*RULES, *CROSS_RULES)}


def written(folder, *exceptions, **head):
    (folder / FILE).write_text(yaml.safe_dump({**HEAD, **head, "exceptions": list(exceptions)}, sort_keys=False))
    return folder


def test_a_register_that_is_right_is_read(tmp_path):
    register = checked_register(written(tmp_path, WAIVER), IDS)
    assert register.of(RULE, URN) == Waiver(**WAIVER)
    assert register.of("database-storage-encrypt", URN) is None
    assert checked_register(tmp_path / "nowhere", IDS) == Register()


@pytest.mark.parametrize(
    ("change", "key", "complaint"),
    [
        ({"rule": "database-backup-retian"}, "rule", "did you mean database-backup-retain?"),
        ({"approver": "Nobody"}, "approver", "Nobody is not among the register's approvers (Zhao Wei, Li Na)"),
        ({"owner": "Zhao Wei"}, "approver", "is the owner too; somebody else must agree"),
        ({"owner": "zhao wei"}, "approver", "is the owner too"),
        ({"owner": ""}, "owner", "at least 3 characters"),
        ({"owner": "Ledger\nteam"}, "owner", "write it on one line"),
        ({"reason": "because"}, "reason", "at least 20 characters"),
        ({"instead": "nothing"}, "instead", "at least 20 characters"),
        ({"expires": None}, "expires", "is empty; write it"),
        ({"expires": date(2026, 4, 30)}, "expires", "is before it was created (2026-05-01)"),
        ({"expires": date(2026, 7, 31)}, "expires", "is more than 90 days on; 2026-07-30 at the latest"),
        ({"approved": "Zhao Wei"}, "approved", "no such key; did you mean approver?"),
        ({"resource": "*"}, "resource", "write the resource's URN"),
        ({"resource": "urn:pulumi:*::payments::a:b/c:D::name"}, "resource", "names no one stack and project"),
        ({"resource": "urn:pulumi:staging::*::a:b/c:D::name"}, "resource", "names no one stack and project"),
        ({"resource": "urn:pulumi:staging::payments::*::name"}, "resource", "names no one type"),
        ({"resource": "urn:pulumi:staging::payments::a:b/c:D::*"}, "resource", "covers a whole type"),
        ({"resource": "urn:pulumi:staging::payments::a:b/c:D::*ab*"}, "resource", "covers a whole type"),
    ],
)
def test_each_mistake_is_named_with_its_line(tmp_path, change, key, complaint):
    folder = written(tmp_path, WAIVER | change)
    with pytest.raises(TollgateError) as caught:
        checked_register(folder, IDS)
    (problem,) = [each for each in caught.value.problems if complaint in each.text]
    line = next(
        n
        for n, text in enumerate((folder / FILE).read_text().splitlines(), 1)
        if text.strip(" -").startswith(f"{key}:")
    )
    assert problem.where == f"{folder / FILE}:{line}"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("exceptions: [\n", "This file is not YAML"),
        ("exceptions: 3\n", "exceptions: Input should be a valid"),
        ("most_resources: 100\n", "less than or equal to 20"),
        ("waivers: []\n", "waivers: no such key; did you mean approvers"),
        ("approvers: [Zhao Wei]\napprovers: [Li Na]\n", "exceptions.yaml:2  approvers is written twice"),
        ("\xff\xfe", "not YAML|as it should"),
    ],
)
def test_a_file_that_does_not_parse_is_one_clear_error(tmp_path, text, complaint):
    (tmp_path / FILE).write_text(text, encoding="latin-1")
    with pytest.raises(TollgateError, match=complaint):
        checked_register(tmp_path, IDS)


def test_one_exception_twice_is_refused(tmp_path):
    with pytest.raises(TollgateError, match="the same rule and resource stand above"):
        checked_register(written(tmp_path, WAIVER, WAIVER), IDS)


NAMES = st.text("abcdefgh-*", min_size=1, max_size=12)


@given(NAMES, NAMES)
def test_a_pattern_that_may_stand_covers_only_its_own_stack_project_type_and_names(pattern, name):
    waiver = Waiver(**WAIVER | {"resource": f"urn:pulumi:staging::payments::*${INSTANCE}::{pattern}"})
    if list(too_wide(waiver.resource)):
        return
    name = name.replace("*", "")
    for stack, project, kind in (
        ("prod", "payments", INSTANCE),
        ("staging", "other", INSTANCE),
        ("staging", "payments", "aws:rds/cluster:Cluster"),
    ):
        assert not waiver.covers(f"urn:pulumi:{stack}::{project}::a:b:C${kind}::{name}")
    if waiver.covers(f"urn:pulumi:staging::payments::a:b:C${INSTANCE}::{name}"):
        assert all(part in name for part in pattern.split("*"))


def test_a_message_under_an_exception_can_be_taken_apart_again():
    said = read_waived(waived_message(Waiver(**WAIVER), "it is 1.\nWhy: because."))
    assert dataclasses.astuple(said) == (
        WAIVER["expires"],
        "Ledger team",
        "Zhao Wei",
        WAIVER["reason"],
        WAIVER["instead"],
        "it is 1.\nWhy: because.",
    )
    assert read_waived("it is 1.\nWhy: because.") is None


def judged(*waivers, urns=(URN,), today=TODAY, inputs=None, **head):
    """What the pack says of instances that keep backups for a day: of each, and of the stack."""
    register = Register(**HEAD | head, exceptions=[Waiver(**WAIVER | each) for each in waivers])
    pack = build_pack("tollgate", RULES, CROSS_RULES)
    servicer = PackServicer(pack, threading.Event(), register=register, today=lambda: today)
    properties = Struct()
    properties.update({**safe_inputs(RULES, INSTANCE), "backupRetentionPeriod": 1, **(inputs or {})})
    said = [
        message
        for urn in urns
        for message in servicer.Analyze(
            messages.AnalyzeRequest(type=INSTANCE, urn=urn, properties=properties), None
        ).diagnostics
        if message.policyName == RULE
    ]
    stack = [messages.AnalyzerResource(type=INSTANCE, urn=urn) for urn in urns]
    of_stack = servicer.AnalyzeStack(messages.AnalyzeStackRequest(resources=stack), None).diagnostics
    return said, list(of_stack)


def test_a_waived_violation_is_advice_that_names_the_exception():
    (said,), of_stack = judged({})
    assert said.enforcementLevel == messages.ADVISORY
    assert said.severity == messages.POLICY_SEVERITY_HIGH
    waived = read_waived(said.message)
    assert waived.owner == "Ledger team"
    assert waived.message.startswith("backupRetentionPeriod is 1, wanted at least 7 days")
    assert of_stack == []


@pytest.mark.parametrize("change", [{"resource": WAIVER["resource"] + "-2"}, {"rule": "database-storage-encrypt"}])
def test_another_resource_or_rule_is_not_waived_and_the_exception_is_called_unused(change):
    (said,), (unused,) = judged(change)
    assert said.enforcementLevel == messages.MANDATORY
    assert unused.policyName == HONEST.id
    assert unused.enforcementLevel == messages.ADVISORY
    assert "waives nothing" in unused.message


@pytest.mark.parametrize(("today", "waived"), [(date(2026, 6, 30), True), (date(2026, 7, 1), False)])
def test_an_exception_holds_on_its_last_day_and_not_after(today, waived):
    (said,), _ = judged({}, today=today)
    assert said.enforcementLevel == (messages.ADVISORY if waived else messages.MANDATORY)
    assert ("An exception for this ended on 2026-06-30 (owner: Ledger team)." in said.message) is not waived


def test_a_pattern_that_covers_more_than_the_register_allows_stops_the_change():
    urns = [f"{URN}-{n}" for n in range(3)]
    _, (wide,) = judged({"resource": WAIVER["resource"] + "-*"}, urns=urns)
    assert wide.enforcementLevel == messages.MANDATORY
    assert "covers 3 resources, wanted at most 2" in wide.message
    _, said = judged({"resource": WAIVER["resource"] + "-*"}, urns=urns[:2])
    assert said == []


def test_an_exception_of_another_stack_is_not_called_unused():
    _, said = judged({"resource": WAIVER["resource"].replace("staging", "prod")})
    assert said == []


def test_a_value_that_cannot_be_shown_may_be_waived_too():
    from tollgate.policy.sentinels import UNKNOWN

    (said,), _ = judged({}, inputs={"backupRetentionPeriod": UNKNOWN})
    assert read_waived(said.message).message.startswith("Cannot be shown at preview")
