"""A worker that crashes, hangs or talks nonsense is a scan that did not run, never one that found nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.scan.states import BUCKET, KEY, footprint, resource, urn
from tollgate.scan import run as run_module
from tollgate.scan.environment import Environment
from tollgate.scan.model import NotRun, Outcome
from tollgate.scan.projection import project
from tollgate.scan.run import Answer, NoAnswerError, Result, catalogue, scan
from tollgate.scan.scan import NOT_UNDERSTOOD, read, scan_footprint

EMPTY = {"version": "3.3.30", "seen": [], "results": [], "silent": [], "raised": []}
FOOTPRINT = footprint(resource(BUCKET, "records", {}))


def interpreter(folder: Path, script: str) -> Environment:
    """An environment whose Python is a shell script: it is called as ``python -I worker.py REQUEST FOLDER``."""
    python = folder / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    return Environment(python=python, version="3.3.30")


def answers(text: str) -> str:
    return f"cat > \"$4/answer.json\" <<'END'\n{text}\nEND"


BROKEN = {
    "it crashes": ('echo "ValueError: p1anted" >&2; exit 3', "it ended with exit code 3 (ValueError)"),
    "it is killed": ("kill -9 $$", "it ended with exit code -9"),
    "it says nothing": ("exit 0", "its answer cannot be read"),
    "it answers half": (answers('{"version": "3.3.30", "results": ['), "its answer cannot be read"),
    "it answers something else": (answers('["all is well"]'), "its answer cannot be read"),
    "it answers with values": (
        answers(
            json.dumps({**EMPTY, "results": [{"check": "A", "label": "r0", "outcome": "passed", "keys": [], "x": 1}]})
        ),
        "its answer cannot be read",
    ),
    "it is another version": (answers(json.dumps({**EMPTY, "version": "3.1.47"})), "it is version 3.1.47, not 3.3.30"),
}


@pytest.mark.parametrize(("script", "why"), BROKEN.values(), ids=BROKEN.keys())
def test_a_worker_that_cannot_be_believed(tmp_path: Path, script: str, why: str) -> None:
    assert scan_footprint(FOOTPRINT, interpreter(tmp_path, script)) == NotRun(why=why)


def test_a_worker_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "SECONDS", 0.2)
    told = scan_footprint(FOOTPRINT, interpreter(tmp_path, "exec sleep 60"))
    assert told == NotRun(why="it gave no answer within 0.2 s")


def test_an_interpreter_that_is_gone(tmp_path: Path) -> None:
    told = scan_footprint(FOOTPRINT, Environment(python=tmp_path / "nowhere", version="3.3.30"))
    assert told == NotRun(why="its interpreter cannot be started (No such file or directory)")


def test_a_catalogue_is_held_to_the_same(tmp_path: Path) -> None:
    with pytest.raises(NoAnswerError, match="cannot be read"):
        catalogue(interpreter(tmp_path, "exit 0"))


def test_the_worker_gets_nothing_of_the_users_accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "p1anted")
    monkeypatch.setenv("BC_API_KEY", "p1anted")
    seen = tmp_path / "environment"
    scan(interpreter(tmp_path, f"env > {seen}; {answers(json.dumps(EMPTY))}"), tmp_path)
    told = dict(line.partition("=")[::2] for line in seen.read_text().splitlines())
    assert "p1anted" not in told.values()
    assert (told["HOME"], told["CKV_SKIP_PACKAGE_UPDATE_CHECK"]) == (str(tmp_path), "true")


def result(check: str, label: str, outcome: str, *keys: str) -> Result:
    return Result.model_validate({"check": check, "label": label, "outcome": outcome, "keys": keys})


def answer(*results: Result, **more: object) -> Answer:
    return Answer.model_validate({**EMPTY, "seen": ["r0", "r1"], "results": results, **more})


PROJECTION = project(
    footprint(
        resource(BUCKET, "records", {}),
        resource(KEY, "main", {"policy": "04da6b54-80e4-46f7-96ec-b56ff0331ba9", "enableKeyRotation": True}),
    )
)
VERDICTS = {
    "passed": (answer(result("A", "r0", "passed")), ("A", BUCKET, Outcome.PASSED)),
    "failed": (answer(result("A", "r0", "failed")), ("A", BUCKET, Outcome.FAILED)),
    "of several records the worst counts": (
        answer(result("A", "r0", "failed"), result("A", "r0", "passed")),
        ("A", BUCKET, Outcome.FAILED),
    ),
    "skipped by something that we did not take out": (
        answer(result("A", "r0", "skipped")),
        ("A", BUCKET, Outcome.OPEN),
    ),
    "silent": (answer(silent=[["A", "r0"]]), ("A", BUCKET, Outcome.DECLINED)),
    "silent about what is not known": (answer(silent=[["A", "r1"]]), ("A", KEY, Outcome.OPEN)),
    "raised": (answer(raised=[["A", "r0", "TypeError"]]), ("A", BUCKET, Outcome.OPEN)),
    "raised beside a pass": (
        answer(result("A", "r0", "passed"), raised=[["A", "r0", "TypeError"]]),
        ("A", BUCKET, Outcome.OPEN),
    ),
    "passed on a value that is not known": (
        answer(result("A", "r1", "passed", "policy/Statement")),
        ("A", KEY, Outcome.OPEN),
    ),
    "failed on a value that is not known": (answer(result("A", "r1", "failed", "policy")), ("A", KEY, Outcome.OPEN)),
    "passed on another value": (answer(result("A", "r1", "passed", "enable_key_rotation")), ("A", KEY, Outcome.PASSED)),
    "passed without saying on what": (answer(result("A", "r1", "passed")), ("A", KEY, Outcome.OPEN)),
}


@pytest.mark.parametrize(("told", "wanted"), VERDICTS.values(), ids=VERDICTS.keys())
def test_every_check_that_ran_has_a_verdict(told: Answer, wanted: tuple[str, str, Outcome]) -> None:
    (made,) = read(told, PROJECTION).checked
    name = "records" if wanted[1] == BUCKET else "main"
    assert (made.check, made.urn, made.outcome) == (wanted[0], urn(wanted[1], name), wanted[2])


def test_a_check_over_the_graph_that_raised_is_about_no_single_resource() -> None:
    (made,) = read(answer(raised=[["CKV2_AWS_6", "", "KeyError"]]), PROJECTION).checked
    assert (made.check, made.urn, made.outcome) == ("CKV2_AWS_6", "", Outcome.OPEN)


def test_a_resource_that_checkov_lost_is_a_gap() -> None:
    told = read(answer(seen=["r1"]), PROJECTION)
    assert [(gap.urn, gap.type, gap.why) for gap in told.gaps] == [(urn(BUCKET, "records"), BUCKET, NOT_UNDERSTOOD)]
