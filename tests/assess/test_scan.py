"""checkov's findings beside our own: each thing once, what is accepted counted, what is not known never a pass."""

from __future__ import annotations

from datetime import date

import pytest

from tests.scan.test_register import ENTRY
from tollgate.assess.assess import assess
from tollgate.assess.model import Assessment, Checks, Finding, Origin
from tollgate.assess.weigh import Known
from tollgate.gate.decide import decide
from tollgate.gate.model import Verdict
from tollgate.plan.model import Op, Plan, PolicyResults, Source, Step, Violation
from tollgate.policy.exceptions import Waiver
from tollgate.policy.severity import CRITICAL, HIGH, LOW, MEDIUM
from tollgate.scan.model import Checked, Gap, NotRun, Outcome, Scan
from tollgate.scan.register import Register

BUCKET = "urn:pulumi:prod::payments::x:y:Z$aws:s3/bucket:Bucket::payments-prod-evidence"
DATABASE = "urn:pulumi:prod::payments::aws:rds/instance:Instance::payments-clearing"
TODAY = date(2026, 6, 1)
REGISTER = Register(same_as={"CKV_AWS_17": ("database-instance-private",)}, accepted=(Waiver.model_validate(ENTRY),))


def scan(*checked: tuple[str, str, Outcome], gaps: tuple[Gap, ...] = ()) -> Scan:
    made = tuple(Checked(check=check, urn=urn, outcome=outcome) for check, urn, outcome in checked)
    return Scan(version="3.3.30", resources=2, checked=made, gaps=gaps)


def changed(urn: str, op: Op = Op.UPDATE) -> Step:
    parts = urn.split("::")
    return Step(op=op, raw_op=op.value, urn=urn, type=parts[2].rpartition("$")[2], name=parts[3])


def judged(
    made: Scan | NotRun | None, *steps: Step, policy: PolicyResults | None = None, today: date = TODAY
) -> Assessment:
    plan = Plan(source=Source.EVENTS, project="payments", stack="prod", steps=steps, policy=policy)
    return assess(plan, scan=made, register=REGISTER, known=Known(today=today))


def told(assessment: Assessment) -> list[tuple[str, str]]:
    return [(finding.rule, finding.urn) for finding in assessment.findings]


@pytest.mark.parametrize(
    ("check", "severity", "verdict"),
    [
        ("CKV_AWS_17", CRITICAL, Verdict.DENY),
        ("CKV_AWS_16", HIGH, Verdict.WAIT),
        ("CKV_AWS_161", MEDIUM, Verdict.WAIT),
        ("CKV_AWS_118", LOW, Verdict.ALLOW),
        ("CKV_AWS_99999", HIGH, Verdict.WAIT),  # a check on which we have no judgement
    ],
)
def test_what_failed_is_a_finding_with_our_severity(check: str, severity: object, verdict: Verdict) -> None:
    assessment = judged(scan((check, DATABASE, Outcome.FAILED)))
    (finding,) = assessment.findings
    assert (finding.rule, finding.urn, finding.severity) == (check, DATABASE, severity)
    assert finding.origin is Origin.CHECKOV
    assert finding.sentence.startswith("Clearing's database (payments-clearing): ")
    assert decide(assessment).verdict is verdict


def private(urn: str) -> PolicyResults:
    message = "publiclyAccessible is true, wanted false. To fix: set it to false.\nWhy: Anybody could come in."
    rule = "database-instance-private"
    violation = Violation(rule=rule, pack="p", urn=urn, message=message, mandatory=True, severity=CRITICAL)
    return PolicyResults(packs=("p",), violations=(violation,), failed=1)


def test_what_our_own_rule_found_on_the_same_resource_is_told_once() -> None:
    made = scan(("CKV_AWS_17", DATABASE, Outcome.FAILED), ("CKV_AWS_16", DATABASE, Outcome.FAILED))
    assessment = judged(made, policy=private(DATABASE))
    assert told(assessment) == [("database-instance-private", DATABASE), ("CKV_AWS_16", DATABASE)]
    assert assessment.findings[0].also == ("CKV_AWS_17",)
    assert assessment.scan is not None
    assert assessment.scan.checks.failed == 2


def test_on_another_resource_it_is_told_for_itself() -> None:
    other = f"{DATABASE}-other"
    assessment = judged(scan(("CKV_AWS_17", other, Outcome.FAILED)), policy=private(DATABASE))
    assert told(assessment) == [("CKV_AWS_17", other), ("database-instance-private", DATABASE)]
    assert all(finding.also == () for finding in assessment.findings)


def test_what_is_accepted_is_counted_and_named_until_its_last_day() -> None:
    made = scan(("CKV_AWS_144", BUCKET, Outcome.FAILED), ("CKV_AWS_18", BUCKET, Outcome.PASSED))
    assessment = judged(made, today=date(2026, 12, 31))
    assert assessment.findings == ()
    assert assessment.scan is not None
    assert assessment.scan.checks == Checks(passed=1, waived=1)
    (risk,) = assessment.scan.accepted
    assert (risk.rule, risk.resources, risk.approver, risk.until) == (
        "CKV_AWS_144",
        1,
        "Head of risk",
        date(2026, 12, 31),
    )


def test_what_was_accepted_is_a_finding_again_the_day_after() -> None:
    assessment = judged(scan(("CKV_AWS_144", BUCKET, Outcome.FAILED)), today=date(2027, 1, 1))
    (finding,) = assessment.findings
    assert finding.sentence.endswith("It had been accepted until 2026-12-31.")
    assert assessment.scan is not None
    assert (assessment.scan.checks, assessment.scan.accepted) == (Checks(failed=1), ())


def test_a_scan_that_could_not_run_keeps_a_change_from_passing() -> None:
    assessment = judged(NotRun(why="it ended with exit code 3"))
    decision = decide(assessment)
    assert decision.verdict is Verdict.WAIT
    assert "checkov could not run: it ended with exit code 3." in decision.headline
    assert assessment.scan is not None
    assert assessment.scan.ran is False


def test_a_scan_that_was_left_out_is_told_as_such_and_asks_nothing() -> None:
    assessment = judged(None)
    assert assessment.scan is None
    assert decide(assessment).verdict is Verdict.ALLOW


@pytest.mark.parametrize(
    ("op", "verdict"), [(Op.UPDATE, Verdict.WAIT), (Op.REPLACE, Verdict.WAIT), (Op.CREATE, Verdict.ALLOW)]
)
def test_a_check_that_is_open_on_what_exists_must_be_looked_at(op: Op, verdict: Verdict) -> None:
    """A new resource breaks nothing yet; so it is with every unknown."""
    assessment = judged(scan(("CKV_AWS_16", DATABASE, Outcome.OPEN)), changed(DATABASE, op))
    (unknown,) = [item for item in assessment.unknowns if item.what == "scan"]
    assert unknown.urn == DATABASE
    assert "The check CKV_AWS_16 of checkov could not be made on" in unknown.sentence
    waits = [finding for finding in assessment.findings if finding.sentence == unknown.sentence]
    assert bool(waits) is (verdict is Verdict.WAIT)
    assert assessment.scan is not None
    assert assessment.scan.checks.not_evaluated == 1


def test_a_check_without_a_verdict_is_counted_and_no_pass() -> None:
    assessment = judged(scan(("CKV_K8S_45", DATABASE, Outcome.DECLINED)))
    assert assessment.scan is not None
    assert assessment.scan.checks == Checks(not_evaluated=1)
    assert assessment.unknowns == ()


GAP = Gap(urn=DATABASE, type="aws:rds/instance:Instance", path="frobs", why="nobody knows it")


def test_a_gap_in_what_changes_is_unknown() -> None:
    assessment = judged(scan(gaps=(GAP,)), changed(DATABASE))
    assert [item.sentence for item in assessment.unknowns if item.what == "scan"] == [
        "checkov was not asked about frobs of Clearing's database (payments-clearing): nobody knows it."
    ]


def test_gaps_in_what_stays_are_noted_together() -> None:
    gaps = (GAP, GAP.model_copy(update={"urn": f"{DATABASE}-2"}))
    assessment = judged(scan(gaps=gaps))
    assert assessment.unknowns == ()
    assert any("frobs of 2 resources of the type aws:rds/instance:Instance" in note for note in assessment.notes)


def test_a_worse_scan_never_makes_a_gentler_decision() -> None:
    order = [Verdict.ALLOW, Verdict.WAIT, Verdict.DENY]
    made: list[tuple[str, str, Outcome]] = []
    last = Verdict.ALLOW
    for check in ("CKV_AWS_118", "CKV_AWS_161", "CKV_AWS_16", "CKV_AWS_17"):
        made.append((check, DATABASE, Outcome.FAILED))
        now = decide(judged(scan(*made))).verdict
        assert order.index(now) >= order.index(last)
        last = now
    assert last is Verdict.DENY


def test_findings_are_in_an_order_that_does_not_depend_on_checkovs() -> None:
    made = [("CKV_AWS_16", DATABASE, Outcome.FAILED), ("CKV_AWS_18", BUCKET, Outcome.FAILED)]
    assert told(judged(scan(*made))) == told(judged(scan(*reversed(made))))
    assert all(isinstance(finding, Finding) for finding in judged(scan(*made)).findings)
