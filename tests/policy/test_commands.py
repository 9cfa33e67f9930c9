"""`tollgate policy` as a user meets it: lists, explanations, drafts, and one error that says all that is wrong."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.policy.projects import ROOT, URN, WAIVER, add_cross_rules, register, shop
from tests.test_cli import tollgate
from tollgate.errors import TollgateError
from tollgate.policy.draft import write_draft
from tollgate.policy.exceptions import FILE, Register, checked_register

TODAY = datetime.now(UTC).date()
HOLDS = {**WAIVER, "created": TODAY, "expires": TODAY + timedelta(days=30)}
RULE = "database-backup-retain"


def rules_of(project, text: str) -> None:
    (project.policies / "rules" / "own.py").write_text(text)


STATEMENT = """
from tollgate.policy.severity import LOW
from tollgate.policy.statement import rule

@rule(id={id!r}, why="It is a test.", severity=LOW, types=({type!r},), controls={controls!r},
      fix="mend it", good={{"a": 1}}, bad={{"a": 2}})
def judge(database):
    return database["a"].{check}
"""


def statement(id="database-test-hold", type="aws:rds/instance:Instance", controls=(), check="one_of(1)") -> str:  # noqa: A002
    return STATEMENT.format(id=id, type=type, controls=controls, check=check)


def test_every_rule_is_listed_worst_first():
    done = tollgate("policy", "list")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("CRITICAL")
    assert any("queue-deadletter-arrive" in line for line in lines)
    assert lines[-1].endswith("about several; critical and high ones stop a change")


def test_a_rule_is_explained_with_its_exceptions(tmp_path):
    project = shop(tmp_path)
    register(project, HOLDS)
    done = tollgate("policy", "explain", RULE, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for part in (
        "A ledger that cannot be restored to last week",
        "stops the change",
        "To fix: set backupRetentionPeriod to 7 days or more.",
        "aws:rds/cluster:Cluster",
        "Cannot be shown at preview",
        'Passes: {"backupRetentionPeriod": 7}',
        f"until {HOLDS['expires']}; Ledger team answers for it, Zhao Wei agreed",
    ):
        assert part in " ".join(done.stdout.split())


def test_a_rule_about_several_resources_is_explained_with_its_sets():
    done = tollgate("policy", "explain", "bucket-public-block")
    assert "<receipts>" in done.stdout
    assert "FSBP S3.8: Buckets block public access" in done.stdout
    assert "Exceptions in force: none" in done.stdout


def test_a_rule_that_is_not_there_names_the_nearest():
    done = tollgate("policy", "explain", "database-backup-retian")
    assert done.returncode == 1
    assert "Did you mean database-backup-retain?" in done.stderr


def test_our_own_pack_is_right():
    done = tollgate("policy", "test")
    assert done.returncode == 0, done.stderr


BAD_INPUT = {
    "a rule that raises": (
        lambda p: rules_of(p, statement(check="value.nothing")),
        "database-test-hold  raises on its own example: AttributeError",
    ),
    "a rule that never fires": (
        lambda p: rules_of(p, statement(check="is_set()")),
        "database-test-hold  the example bad comes to: holds with 0 findings; wanted: fails with 1 finding",
    ),
    "a rule that is not stated well": (
        lambda p: rules_of(p, statement(id="test")),
        "rules.own  rule 'test' is not stated well: id is 'test'; write domain-object-requirement",
    ),
    "a file that is no Python": (lambda p: rules_of(p, "def :\n"), "rules/own.py:1  SyntaxError"),
    "a file that raises": (lambda p: rules_of(p, "\n1 / 0\n"), "rules/own.py:2  ZeroDivisionError"),
    "a control that does not exist": (
        lambda p: rules_of(p, statement(controls=("PCI-DSS 99.9",))),
        "database-test-hold  no control PCI-DSS 99.9 in controls.yaml",
    ),
    "a type that no SDK has": (
        lambda p: rules_of(p, statement(type="aws:rds/instanse:Instance")),
        "database-test-hold  aws:rds/instanse:Instance: the SDK of aws has no such type",
    ),
    "a package without an SDK": (
        lambda p: rules_of(p, statement(type="mongo:db/x:Y")),
        "database-test-hold  mongo:db/x:Y: no SDK of the package mongo is installed",
    ),
    "an exception file that does not parse": (
        lambda p: (p.policies / "register" / FILE).write_text("exceptions: [\n"),
        "exceptions.yaml:2  ",
    ),
    "an exception from no rule": (
        lambda p: register(p, {**HOLDS, "rule": "database-backup-retian"}),
        "exceptions.yaml:6  no rule database-backup-retian; did you mean database-backup-retain?",
    ),
    "an exception that has ended": (
        lambda p: register(p, {**HOLDS, "created": date(2024, 1, 1), "expires": date(2024, 2, 1)}),
        "ended on 2024-02-01; mend the resource, or have it agreed anew",
    ),
    "an exception for no stack": (
        lambda p: register(p, {**HOLDS, "resource": URN.replace("dev", "test")}),
        "is for a stack that is not there (dev)",
    ),
    "a configuration of no rule": (
        lambda p: configured(p, "rules:\n  database-backup-retian: mandatory\n"),
        "dev.yaml:2  database-backup-retian: no such rule; did you mean database-backup-retain?",
    ),
    "a configuration that weakens": (
        lambda p: configured(p, "rules:\n  database-backup-retain: advisory\n"),
        "dev.yaml:2  database-backup-retain: advisory is not allowed; this rule is mandatory or mandatory",
    ),
    "a configuration with an unknown key": (
        lambda p: configured(p, "rule: {}\n"),
        "dev.yaml:1  rule: no such key; did you mean rules?",
    ),
    "a configuration of all": (lambda p: configured(p, "rules: {all: mandatory}\n"), "dev.yaml:1  all: name each rule"),
    "a register elsewhere": (
        lambda p: (p.root / "pyproject.toml").write_text('[tool.tollgate]\npolicies = "policies"\nregisters = "x"\n'),
        "pyproject.toml  [tool.tollgate] registers is",
    ),
}


def configured(project, text: str) -> None:
    folder = project.policies / "config"
    folder.mkdir()
    (folder / "dev.yaml").write_text(text)


def right(folder: Path):
    """A project of ours in which nothing is wrong."""
    project = shop(folder, days=14)
    registers = project.policies / "register"
    registers.mkdir()
    (registers / "controls.yaml").write_text((ROOT / "policies" / "register" / "controls.yaml").read_text())
    return project


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_fails_the_check_and_says_which(tmp_path, name):
    spoil, complaint = BAD_INPUT[name]
    project = right(tmp_path)
    spoil(project)
    done = tollgate("policy", "test", cwd=tmp_path)
    assert done.returncode == 1
    assert complaint in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 2, done.stderr


@pytest.mark.engine
@pytest.mark.parametrize(
    "name", ["a rule that is not stated well", "an exception file that does not parse", "a configuration of no rule"]
)
def test_the_same_bad_input_stops_the_pack_under_the_engine(tmp_path, name):
    spoil, complaint = BAD_INPUT[name]
    project = right(tmp_path)
    spoil(project)
    done = tollgate("rehearse", "dev", "--from-nothing", cwd=tmp_path)
    assert done.returncode == 1
    assert complaint.rpartition("  ")[2].partition(":")[2].strip() in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def test_all_problems_are_told_at_once(tmp_path):
    project = right(tmp_path)
    rules_of(project, statement(type="aws:rds/instanse:Instance", controls=("PCI-DSS 99.9",), check="is_set()"))
    register(project, {**HOLDS, "rule": "none-such-rule"}, {**HOLDS, "approver": "Nobody"})
    configured(project, "rules: {none-such-rule: mandatory}\n")
    done = tollgate("policy", "test", cwd=tmp_path)
    assert len(done.stderr.splitlines()) == 1 + 6, done.stderr


def test_all_files_that_cannot_be_loaded_are_told_at_once(tmp_path):
    project = right(tmp_path)
    rules_of(project, "1 / 0\n")
    (project.policies / "rules" / "second.py").write_text(statement(id="x"))
    done = tollgate("policy", "test", cwd=tmp_path)
    assert "ZeroDivisionError" in done.stderr
    assert "rules.second" in done.stderr


@pytest.mark.engine
@pytest.mark.parametrize(
    ("days", "resource", "complaint"),
    [
        (1, URN, ""),
        (14, URN, "waives nothing, wanted no exception that nobody needs"),
        (1, URN.replace("scratch", "scra*"), "covers 3 resources, wanted at most 2"),
    ],
)
def test_an_exception_must_be_needed_and_no_wider_than_allowed(tmp_path, days, resource, complaint):
    project = shop(tmp_path, days=days)
    controls = (ROOT / "policies" / "register" / "controls.yaml").read_text()
    program = project.root / "__main__.py"
    one = program.read_text()
    if "*" in resource:
        program.write_text(one + one.replace('"scratch"', '"scratch-2"') + one.replace('"scratch"', '"scratch-3"'))
    register(project, {**HOLDS, "resource": resource})
    (project.registers / "controls.yaml").write_text(controls)
    done = tollgate("policy", "test", cwd=tmp_path)
    assert (done.returncode == 0) is (complaint == ""), done.stderr
    assert complaint in done.stderr


def test_a_draft_is_refused_until_a_person_fills_it_in(tmp_path):
    project = shop(tmp_path)
    register(project)
    done = tollgate("policy", "except", RULE, URN, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    file = project.registers / FILE
    assert f"{file}:" in done.stdout
    with pytest.raises(TollgateError) as caught:
        checked_register(project.registers, {RULE})
    empty = {problem.text for problem in caught.value.problems}
    assert empty == {
        f"exceptions.0.{key}: is empty; write it" for key in ("owner", "reason", "approver", "expires", "instead")
    }


HEAD = "# kept\nmost_resources: 2\napprovers: [Zhao Wei] # kept, too\n"
FILLED = {
    "owner": "Ledger team",
    "reason": "It holds copies only, and is made anew.",
    "approver": "Zhao Wei",
    "expires": "2026-06-30",
    "instead": "The originals are kept elsewhere.",
}


@pytest.mark.parametrize("tail", ["exceptions: []\n", "exceptions: [] # none yet\n\n"])
def test_drafts_keep_what_stands_there(tmp_path, tail):
    file = tmp_path / FILE
    file.write_text(HEAD + tail)
    day = date(2026, 6, 1)
    for name in ("scratch-1", "scratch-2"):
        write_draft(tmp_path, RULE, URN.replace("scratch", name), {RULE}, day)
        text = file.read_text()
        for key, value in FILLED.items():
            text = "\n".join(
                f"    {key}: {value}" if line.startswith(f"    {key}: #") else line for line in text.split("\n")
            )
        file.write_text(text)
    assert file.read_text().startswith(HEAD)
    filled = checked_register(tmp_path, {RULE})
    assert [waiver.resource for waiver in filled.exceptions] == [
        URN.replace("scratch", "scratch-1"),
        URN.replace("scratch", "scratch-2"),
    ]


def test_a_draft_makes_the_register_when_there_is_none(tmp_path):
    folder = tmp_path / "register"
    assert write_draft(folder, RULE, URN, {RULE}, date(2026, 6, 1)).startswith(str(folder / FILE))
    assert "most_resources: 1" in (folder / FILE).read_text()


@pytest.mark.parametrize(
    ("content", "rule", "resource", "complaint"),
    [
        ("exceptions: []\n", "database-backup-retian", URN, "did you mean database-backup-retain?"),
        ("exceptions: []\n", RULE, "*", "write the resource's URN"),
        ("exceptions: []\nlongest_days: 3\n", RULE, URN, "make `exceptions:` its last key"),
        ("exceptions: [\n", RULE, URN, "not YAML"),
    ],
)
def test_no_draft_is_written_where_it_could_not_stand(tmp_path, content, rule, resource, complaint):
    (tmp_path / FILE).write_text(content)
    with pytest.raises(TollgateError, match=complaint.replace("?", r"\?").replace("`", "`")):
        write_draft(tmp_path, rule, resource, {RULE}, date(2026, 6, 1))
    assert (tmp_path / FILE).read_text() == content


def test_the_register_in_the_repository_is_short_and_right():
    found = checked_register(ROOT / "policies" / "register", {RULE})
    assert isinstance(found, Register)
    assert len(found.exceptions) <= 5


@pytest.mark.engine
def test_the_report_is_written_for_the_stacks_that_are_named(tmp_path):
    project = shop(tmp_path)
    add_cross_rules(project)
    done = tollgate("policy", "report", "dev", "--out", "made", cwd=tmp_path)
    assert done.returncode == 1, done.stderr  # a mandatory rule does not hold
    assert "FAILED        database-backup-retain: scratch backupRetentionPeriod is 1" in done.stdout
    document = json.loads((tmp_path / "made" / "policy.json").read_text())
    assert [stack["stack"] for stack in document["stacks"]] == ["dev"]
    assert tollgate("policy", "report", "nowhere", cwd=tmp_path).returncode == 1


@pytest.mark.engine
def test_a_rehearsal_leaves_the_same_reports(tmp_path):
    shop(tmp_path)
    assert tollgate("rehearse", "dev", "--from-nothing", cwd=tmp_path).returncode == 2
    document = json.loads((tmp_path / "out" / "policy.json").read_text())
    (stack,) = document["stacks"]
    assert stack["counts"]["failed"] == 1
    assert (tmp_path / "out" / "policy.sarif").exists()
    assert (tmp_path / "out" / "policy.junit.xml").exists()


def test_there_must_be_a_pack(tmp_path):
    (tmp_path / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
    for command in (["list"], ["test"], ["explain", "x"]):
        done = tollgate("policy", *command, cwd=tmp_path)
        assert done.returncode == 1
        assert "has no policy pack" in done.stderr
