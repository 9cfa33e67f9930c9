"""What the real engine printed (tests/data, made by tests/data/record.py): file → facts, rules, verdict."""

# ruff: noqa: E501  (a table is read by column)
from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.record import CASES
from tollgate.assess.assess import assess
from tollgate.gate.decide import decide
from tollgate.plan.facts import facts
from tollgate.plan.read import read_plan

DATA = Path(__file__).parent.parent / "data"
UPDATED, REPLACING, FIRST = "update", "update-replace", "delete-first"
# case: facts as (op, name, path, kind), rules, verdict in review words
EXPECTED: dict[str, tuple[set[tuple[str, str, str, str]], set[str], str]] = {
    "create": ({("create", "clearing", "", ""), ("create", "capture", "", "")}, set(), "routine"),
    "no-change": (set(), set(), "routine"),
    "routine": ({("update", "clearing", "tags.a", UPDATED), ("update", "clearing", "allocatedStorage", UPDATED)}, set(), "routine"),
    "update": (
        {("update", "clearing", "tags.a", UPDATED), ("update", "clearing", "backupRetentionPeriod", UPDATED), ("update", "db", "ingress", UPDATED)},
        {"backup-retention-cut", "exposure-opened"}, "stop",
    ),
    "replace": ({("replace", "clearing", "", ""), ("replace", "clearing", "dbName", REPLACING)}, {"data-lost"}, "stop"),
    "delete": ({("delete", "clearing", "", ""), ("delete", "kept", "", "")}, {"data-lost"}, "stop"),
    "protect-off": ({("same", "clearing", "@protect", UPDATED)}, {"protection-removed"}, "review"),
    "retain-off": ({("same", "clearing", "@retainOnDelete", UPDATED)}, {"protection-removed"}, "review"),
    "protected-delete": ({("delete", "clearing", "", "")}, {"data-lost", "engine-error", "protected-deletion"}, "stop"),
    "secret": ({("update", "clearing", "password", UPDATED), ("update", "url", "insecureValue", UPDATED)}, {"endpoint-swapped"}, "review"),
    "unknown": ({("create", "new", "", ""), ("update", "db", "ingress", UPDATED)}, {"not-shown"}, "review"),
    "import": ({("import", "receipts", "", "")}, set(), "routine"),
    "cascade": ({("replace", "a", "", FIRST), ("replace", "a", "description", REPLACING), ("replace", "b", "", FIRST)}, {"data-lost", "not-shown"}, "stop"),
    "program-error": (set(), {"engine-error"}, "review"),
}  # fmt: skip
# Where a digest tells something else: a resource that only loses retainOnDelete is a plain "same" there; and it shows
# who hangs on whom, so that the reason of a replacement that was pulled along is known.
DIFFERENT = {
    "retain-off.digest.json": (set(), set(), "routine"),
    "cascade.digest.json": (EXPECTED["cascade"][0], {"data-lost"}, "stop"),
}
FILES = [f"{case}.{form}" for case in EXPECTED for form in ("digest.json", "events.ndjson")]


def test_every_recording_is_expected() -> None:
    assert set(EXPECTED) == set(CASES)
    assert {path.name for path in DATA.iterdir() if path.suffix in (".json", ".ndjson")} == set(FILES)


@pytest.mark.parametrize("file", FILES)
def test_recorded(file: str) -> None:
    expected_facts, rules, verdict = DIFFERENT.get(file) or EXPECTED[file.partition(".")[0]]
    plan = read_plan((DATA / file).read_bytes())
    found = {(fact.op, fact.urn.rpartition("::")[2], fact.path, fact.kind) for fact in facts(plan)}
    assert found == expected_facts
    assessment = assess(plan)
    assert {finding.rule for finding in assessment.findings} == rules
    assert decide(assessment).verdict.review_word == verdict
    assert not plan.maybe_corrupt


@pytest.mark.parametrize("case", [case for case in EXPECTED if case != "retain-off"])
def test_digest_and_stream_agree(case: str) -> None:
    one, other = (read_plan((DATA / f"{case}.{form}").read_bytes()) for form in ("digest.json", "events.ndjson"))
    assert facts(one) == facts(other)
    assert one.same == other.same
    assert [step.delete_before_replace for step in one.steps] == [step.delete_before_replace for step in other.steps]


@pytest.mark.parametrize("file", FILES)
def test_recorded_secrets_are_not_kept(file: str) -> None:
    text = (DATA / file).read_text()
    assert "horse" not in text
    assert "horse" not in assess(read_plan(text)).model_dump_json()
