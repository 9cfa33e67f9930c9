"""The reports of the pack: one model, and each rendering fits its own standard."""

from __future__ import annotations

import json
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given, settings
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Sarif

from policies.rules import CROSS_RULES, RULES
from tests.policy.projects import ROOT
from tests.policy.test_exceptions import WAIVER
from tests.report.hostile import STRINGS, TEXTS
from tollgate.policy.controls import Book, Control, Standard, control_problems, read_book
from tollgate.policy.exceptions import Waiver, waived_message
from tollgate.policy.pack import build_pack
from tollgate.policy.results import Answer, Result
from tollgate.policy.severity import HIGH
from tollgate.report.rules.files import write_policy_outputs
from tollgate.report.rules.junit import render_junit
from tollgate.report.rules.model import Seen, build_policy_report
from tollgate.report.rules.places import Place, Places, find_places
from tollgate.report.rules.sarif import render_sarif
from tollgate.report.rules.terminal import report_lines

ALL = build_pack("tollgate", RULES, CROSS_RULES).statements
# A few that stay as they are while others come.
NAMED = (
    "broker-cluster-odd",
    "bucket-public-block",
    "key-name-owner",
    *(f"database-{n}" for n in ("backup-retain", "storage-encrypt", "instance-private")),
)
STATEMENTS = tuple(statement for statement in ALL if statement.id in NAMED)
INSTANCE, BUCKET, KEY = "aws:rds/instance:Instance", "aws:s3/bucket:Bucket", "aws:kms/key:Key"
MESSAGE = "backupRetentionPeriod is 1, wanted at least 7 days. To fix: set it.\nWhy: it matters."
BOOK = Book(
    standards={
        "PCI-DSS": Standard(name="PCI", version="4.0.1", source="x"),
        "FSBP": Standard(name="F", version="1", source="x"),
    },
    controls={"PCI-DSS": {"10.3.3": "Copies", "1.4.4": "Closed"}, "FSBP": {"RDS.11": "Backed up", "S3.8": "Blocked"}},
)


def urn(kind: str, name: str, stack: str = "staging") -> str:
    return f"urn:pulumi:{stack}::payments::tollgate:data:Database${kind}::{name}"


def made(message: str = MESSAGE):
    """Two stacks: one with a result of each kind, one where nothing is read."""
    waived = waived_message(Waiver(**WAIVER), message)
    results = [
        Result(rule="database-backup-retain", urn=urn(INSTANCE, "a"), answer=Answer.PASSED),
        Result(
            rule="database-backup-retain",
            urn=urn(INSTANCE, "b"),
            answer=Answer.FAILED,
            message=message,
            mandatory=True,
            severity=HIGH,
        ),
        Result(
            rule="database-backup-retain", urn=urn(INSTANCE, "c"), answer=Answer.WAIVED, message=waived, severity=HIGH
        ),
        Result(
            rule="database-storage-encrypt",
            urn=urn(INSTANCE, "a"),
            answer=Answer.NOT_EVALUATED,
            message="Cannot be shown at preview: storageEncrypted is not known.",
            mandatory=True,
            severity=HIGH,
        ),
        Result(rule="bucket-public-block", urn="", answer=Answer.PASSED),
        Result(rule="somebody-elses", urn=urn(INSTANCE, "a"), answer=Answer.FAILED, message="no"),
    ]
    urns = [urn(INSTANCE, name) for name in "abc"] + [urn(BUCKET, "receipts"), urn(KEY, "ledger")]
    seen = {"staging": Seen(results, urns), "edge": Seen([], [])}
    return build_policy_report("payments", "policies", STATEMENTS, BOOK, seen)


def by_rule(report, stack=0):
    found = {}
    for result in report.stacks[stack].results:
        found.setdefault(result.rule, []).append((result.urn, result.answer))
    return found


def test_every_rule_has_an_answer_in_every_stack():
    report = made()
    ids = {statement.id for statement in STATEMENTS}
    assert set(by_rule(report)) == ids | {"somebody-elses"}
    assert set(by_rule(report, 1)) == ids
    assert {answer for found in by_rule(report, 1).values() for _, answer in found} == {Answer.NOT_APPLICABLE}
    assert sum(report.stacks[0].counts.values()) == len(report.stacks[0].results)


def test_a_pass_on_a_whole_stack_is_one_on_each_resource_that_the_rule_judges():
    assert by_rule(made())["bucket-public-block"] == [(urn(BUCKET, "receipts"), Answer.PASSED)]


def test_a_failure_of_a_stack_rule_leaves_the_other_resources_passed():
    failed = Result(rule="bucket-public-block", urn=urn(BUCKET, "a"), answer=Answer.FAILED, message="no")
    seen = {"staging": Seen([failed], [urn(BUCKET, "a"), urn(BUCKET, "b")])}
    report = build_policy_report("payments", "policies", STATEMENTS, BOOK, seen)
    assert by_rule(report)["bucket-public-block"] == [
        (urn(BUCKET, "a"), Answer.FAILED),
        (urn(BUCKET, "b"), Answer.PASSED),
    ]


def test_the_control_matrix_has_no_row_without_evidence():
    rows = {row.control: row for row in made().controls}
    assert set(rows) == {"PCI-DSS 10.3.3", "PCI-DSS 1.4.4", "FSBP RDS.11", "FSBP S3.8"}
    retain = rows["FSBP RDS.11"]
    assert retain.rules == ("database-backup-retain",)
    assert [(each.stack, len(each.resources)) for each in retain.evidence] == [("staging", 3)]
    assert (retain.answer, retain.title, retain.version) == (Answer.FAILED, "Backed up", "1")
    assert rows["FSBP S3.8"].answer is Answer.PASSED
    nothing = build_policy_report("payments", "policies", STATEMENTS, BOOK, {"edge": Seen([], [])})
    assert nothing.controls == ()
    assert set(nothing.idle) == set(rows)


@pytest.mark.parametrize(
    ("answers", "worst"),
    [
        ([Answer.PASSED], Answer.PASSED),
        ([Answer.PASSED, Answer.WAIVED], Answer.WAIVED),
        ([Answer.PASSED, Answer.WAIVED, Answer.NOT_EVALUATED], Answer.NOT_EVALUATED),
        ([Answer.NOT_EVALUATED, Answer.FAILED, Answer.PASSED], Answer.FAILED),
    ],
)
def test_a_control_comes_to_the_worst_of_its_results(answers, worst):
    results = [
        Result(rule="database-backup-retain", urn=urn(INSTANCE, str(n)), answer=answer, message="x")
        for n, answer in enumerate(answers)
    ]
    seen = {"staging": Seen(results, [result.urn for result in results])}
    report = build_policy_report("payments", "policies", STATEMENTS, BOOK, seen)
    assert {row.control: row.answer for row in report.controls}["FSBP RDS.11"] is worst


def sarif(report, places=None):
    text = render_sarif(report, places or Places({}, {}), "0.1.0")
    Sarif.model_validate_json(text)
    return json.loads(text)


def test_sarif_fits_its_schema_and_tells_each_kind_of_result():
    (run,) = sarif(made())["runs"]
    told = {
        (result["ruleId"], result["kind"], result["level"], "suppressions" in result)
        for result in run["results"]
        if result["ruleId"].startswith("database-") or result["ruleId"] == "somebody-elses"
    }
    assert {
        ("database-backup-retain", "pass", "none", False),
        ("database-backup-retain", "fail", "error", False),
        ("database-backup-retain", "fail", "error", True),
        ("database-storage-encrypt", "open", "none", False),
        ("database-instance-private", "notApplicable", "none", False),
        ("somebody-elses", "fail", "note", False),
    } <= told
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    prints = [result["partialFingerprints"]["ruleAndResource/v1"] for result in run["results"]]
    assert len(set(prints)) == len(prints)


def test_a_result_points_at_the_component_and_names_the_resource():
    places = Places(
        {"staging": "stacks/Pulumi.staging.yaml"}, {"tollgate:data:Database": Place("components/database.py", 22)}
    )
    results = sarif(made(), places)["runs"][0]["results"]
    (failed,) = [
        each
        for each in results
        if each["ruleId"] == "database-backup-retain" and each["kind"] == "fail" and "suppressions" not in each
    ]
    (location,) = failed["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "components/database.py"
    assert location["physicalLocation"]["region"]["startLine"] == 22
    assert location["logicalLocations"][0]["fullyQualifiedName"] == urn(INSTANCE, "b")
    assert failed["message"]["text"] == "b: backupRetentionPeriod is 1, wanted at least 7 days"
    (outside,) = [
        each for each in results if each["ruleId"] == "broker-cluster-odd" and each["properties"]["stack"] == "staging"
    ]
    assert outside["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "stacks/Pulumi.staging.yaml"


def test_components_are_found_by_their_type_tokens(tmp_path):
    (tmp_path / "components").mkdir()
    (tmp_path / "components" / "queue.py").write_text(
        'import x\n\nclass Queue(Component, token="shop:data:Queue"):\n    pass\n'
    )
    stack_file = tmp_path / "Pulumi.dev.yaml"
    places = find_places(tmp_path, {"dev": stack_file})
    assert places.of("urn:pulumi:dev::shop::shop:data:Queue$a:b/c:D::x", "dev") == Place("components/queue.py", 3)
    assert places.of("urn:pulumi:dev::shop::a:b/c:D::x", "dev") == Place("Pulumi.dev.yaml")
    assert places.of("urn:pulumi:dev::shop::a:b/c:D::x", "prod") is None


def junit(report):
    return Xml.fromstring(render_junit(report).encode())  # noqa: S314  (we wrote it)


def test_junit_counts_what_it_holds():
    suites = junit(made())
    staging = suites[0]
    assert (staging.get("name"), staging.get("failures"), staging.get("errors")) == ("staging", "2", "1")
    for suite in suites:
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
        for tag, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert len(suite.findall(f"testcase/{tag}")) == int(suite.get(count))
    kinds = {failure.text.partition(":")[0] for failure in staging.iter("failure")}
    assert kinds == {"mandatory", "advisory"}


@pytest.mark.parametrize("text", [*STRINGS, "\x00\x0b\ud800"])
def test_hostile_texts_break_no_format(text, tmp_path):
    report = made(text or "x")
    write_policy_outputs(report, Places({}, {}), tmp_path)
    sarif(report)
    junit(report)
    list(report_lines(report))


@settings(max_examples=50)
@given(TEXTS)
def test_any_message_survives_each_format(text):
    report = made(text or "x")
    sarif(report)
    junit(report)


def test_the_files_are_written_and_say_the_same(tmp_path):
    report = made()
    files = write_policy_outputs(report, Places({}, {}), tmp_path)
    assert [file.name for file in files] == ["policy.json", "policy.sarif", "policy.junit.xml"]
    document = json.loads(files[0].read_text())
    assert document["schema_version"] == "1"
    assert len(document["stacks"][0]["results"]) == len(report.stacks[0].results)


def test_the_order_of_results_does_not_change_the_report():
    first = made()
    seen = {
        stack.stack: Seen([each for each in reversed(stack.results) if each.urn], [urn(BUCKET, "receipts")] * (not n))
        for n, stack in enumerate(first.stacks)
    }
    again = build_policy_report("payments", "policies", STATEMENTS, BOOK, seen)
    assert again.stacks[0].results == first.stacks[0].results


def test_every_control_that_a_rule_names_is_in_the_book():
    assert list(control_problems(ALL, read_book(ROOT / "policies" / "register"))) == []


def test_a_control_that_does_not_exist_is_named_with_its_rule():
    problems = {str(problem) for problem in control_problems(STATEMENTS, BOOK)}
    assert "database-backup-retain  no control PCI-DSS 10.3.3 in controls.yaml" not in problems
    assert "database-storage-encrypt  no control FSBP RDS.3 in controls.yaml; did you mean FSBP RDS.11?" in problems
    orphan = Book(controls={"SOC2": {"CC8.1": "Changes"}})
    assert "SOC2: no such standard" in str(next(control_problems((), orphan)))


def test_a_control_is_found_with_its_standard():
    assert BOOK.control("FSBP S3.8") == Control("FSBP S3.8", BOOK.standards["FSBP"], "Blocked")
    assert BOOK.control("FSBP S3.9") is None
