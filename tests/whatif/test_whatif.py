"""Real changes to each stack: what the gate says of each is what a person expects, and says why."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.loading import load_settings
from tests.whatif.judge import EXPECTED, Reviewed, Seen, assessed, expected, see
from tests.whatif.page import PAGE, page
from tests.whatif.recording import DATA, PROJECT, Change, changes
from tollgate.assess.consequences import Tried
from tollgate.gate.decide import decide
from tollgate.gate.model import Verdict

CHANGES = changes()
STACKS = PROJECT.stacks()
MOST_BYTES = 3_000_000  # of all recordings together
each_change = pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.id)


def test_every_stack_has_six_changes_and_each_is_recorded_and_reviewed() -> None:
    for stack in STACKS:
        names = [change.name for change in CHANGES if change.stack == stack]
        assert len(names) >= 6, stack
        assert sorted(expected(stack)) == names
        assert sorted(file.name for file in (DATA / stack).iterdir()) == [f"{name}.json.xz" for name in names]
    assert {change.stack for change in CHANGES} == {file.stem for file in EXPECTED.iterdir()} == set(STACKS)
    assert sum(file.stat().st_size for file in DATA.rglob("*.xz")) < MOST_BYTES


@each_change
def test_it_says_in_one_sentence_what_it_is_and_fits_its_stack(change: Change) -> None:
    assert change.file.read_text(encoding="utf-8").startswith("# ")
    assert change.what[0].isupper()
    assert change.what.endswith(".")
    config = change.settings().config
    given = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    load_settings(change.stack, given, (), root=PROJECT.root)


@each_change
def test_the_gate_says_what_a_person_expects(change: Change) -> None:
    wanted = expected(change.stack)[change.name].model_dump(exclude={"review"})
    assert see(change).model_dump() == wanted


def test_the_changes_show_every_decision_class_and_way_back_that_they_can() -> None:
    """A mix that is all of one kind would prove little."""
    seen = [see(change) for change in CHANGES]
    assert {one.decision for one in seen} == {"allow", "wait", "deny"}
    assert {one.change_class for one in seen} == {"A", "B"}
    assert {one.band for one in seen} == {"low", "medium", "high", "critical"}
    assert {one.undo for one in seen} >= {"reversible", "one way", "with data loss", "irreversible"}
    assert {one.proof for one in seen} == {"confirmed", "refuted", "not rehearsed"}
    assert {word for one in seen for word in one.parts} == {tried.value for tried in Tried}


@each_change
def test_what_may_go_hurts_nobody_and_what_hurts_may_not_go_by_itself(change: Change) -> None:
    """Sentences that hold for all of them, whatever the expectations say."""
    assessment = assessed(change)
    impact = assessment.impact
    assert impact is not None
    seen = see(change)
    if decide(assessment).verdict is Verdict.ALLOW:
        assert not set(seen.journeys.values()) & {"partial outage", "outage", "data loss"}
        assert seen.undo not in ("with data loss", "irreversible", "not known")
        assert seen.band in ("low", "medium")
    if seen.proof == "confirmed":
        assert set(seen.parts) <= {"confirmed", "settings only"}
    assert all(step.owner for step in impact.undo.steps), "somebody owns each part"
    assert impact.affected is not None
    assert impact.affected.unmapped == ()


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.whatif --page"


def test_a_review_says_more_than_the_table() -> None:
    reviews = [entry.review for stack in STACKS for entry in expected(stack).values()]
    assert len(set(reviews)) == len(reviews)
    assert set(Reviewed.model_fields) - set(Seen.model_fields) == {"review"}


@pytest.mark.engine
@pytest.mark.parametrize(
    "change",
    [change for change in CHANGES if change.id in ("edge/gateway-gets-more-memory", "edge/gateway-storage-grows")],
    ids=lambda change: change.id,
)
def test_the_command_says_of_each_part_whether_the_way_back_works(change: Change, tmp_path: Path) -> None:
    """The real engine, through the command line: what is recorded is what a user sees."""
    command = [sys.executable, "-m", "tollgate.cli", "rehearse", change.stack, "--what-if", str(change.file)]
    options = ["--prove-undo", "--no-checkov", "--out", str(tmp_path)]
    done = subprocess.run([*command, *options], cwd=PROJECT.root, capture_output=True, text=True, check=False)
    wanted = expected(change.stack)[change.name]
    assert done.returncode == Verdict(wanted.decision).exit_code, done.stderr
    found = json.loads((tmp_path / "assessment.json").read_text(encoding="utf-8"))["impact"]["undo"]
    said = [step["tried"] for step in found["steps"]]
    assert {word: said.count(word) for word in said} == wanted.parts
    assert found["proof"]["confirmed"] is (wanted.proof == "confirmed")
    report = (tmp_path / "report.md").read_text(encoding="utf-8")
    for word in wanted.parts:
        assert f"| {word} |" in report
