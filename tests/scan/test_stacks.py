"""checkov on each of our stacks as the real engine brings it up: nothing stands open, and no entry is idle."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import pytest

from policies.rules import CROSS_RULES, RULES
from tests.scan.footprints import PROJECT, STACKS, footprint_of
from tollgate.assess.rules import PLAN_RULES, STEP_RULES
from tollgate.books.checkov import checkov_book
from tollgate.engine.toolchain import Toolchain
from tollgate.pipeline import Options, rehearse_change
from tollgate.policy.exceptions import Waiver
from tollgate.scan.environment import Environment, environment
from tollgate.scan.model import Outcome, Scan
from tollgate.scan.projection import A_PART
from tollgate.scan.register import read_register
from tollgate.scan.scan import scan_footprint

REGISTER = read_register(PROJECT.policies)
# The Valkey of local and edge is about to be another one, with images by digest; nothing of this one is accepted.
REBUILT = "-redis-store"
# A service account that Kubernetes itself makes: only its token is taken away here.
PATCHES = {"kubernetes:core/v1:ServiceAccountPatch"}


@cache
def scanned(stack: str) -> Scan:
    told = scan_footprint(footprint_of(stack), environment(print))
    assert isinstance(told, Scan)
    return told


def entries(scan: Scan) -> set[Waiver]:
    failed = [made for made in scan.checked if made.outcome is Outcome.FAILED]
    found = {REGISTER.accepts(made.check, made.urn, date.min) for made in failed}
    return {entry for entry in found if entry}


@pytest.mark.engine
@pytest.mark.parametrize("stack", STACKS)
def test_nothing_that_failed_stands_open(stack: str, toolchain: Toolchain, checkov: Environment) -> None:
    scan = scanned(stack)
    assert len(scan.checked) > 100
    failed = [made for made in scan.checked if made.outcome is Outcome.FAILED]
    standing = [
        (made.check, made.urn.rpartition("::")[2])
        for made in failed
        if not REGISTER.accepts(made.check, made.urn, date.min) and not made.urn.endswith(REBUILT)
    ]
    assert standing == []
    assert [made for made in scan.checked if made.outcome is Outcome.OPEN] == []
    assert {(gap.type, gap.why) for gap in scan.gaps} <= {(kind, A_PART) for kind in PATCHES}


@pytest.mark.engine
def test_every_entry_is_needed_by_some_stack(toolchain: Toolchain, checkov: Environment) -> None:
    used = set().union(*(entries(scanned(stack)) for stack in STACKS))
    assert {(entry.rule, entry.resource) for entry in set(REGISTER.accepted) - used} == set()


OURS = {rule.id: rule for rule in (*RULES, *CROSS_RULES)}
# A check that is judged otherwise than the rule of ours that is nearest to it, and why.
JUDGED_OTHERWISE = {
    "CKV_AWS_260": "a public entry takes port 80 to lead on to 443; the rule is about every port",
}


def test_every_rule_that_says_the_same_is_a_rule() -> None:
    known = OURS.keys() | {rule.id for rule in (*STEP_RULES, *PLAN_RULES)}
    assert {rule for rules in REGISTER.same_as.values() for rule in rules} - known == set()


@pytest.mark.parametrize("check", sorted(REGISTER.same_as.keys() - JUDGED_OTHERWISE.keys()))
def test_what_says_the_same_weighs_the_same(check: str) -> None:
    ours = {OURS[rule].severity for rule in REGISTER.same_as[check] if rule in OURS}
    assert not ours or checkov_book()[check].severity in ours


@pytest.mark.engine
def test_a_rehearsal_tells_what_checkov_found_with_what_we_found(
    toolchain: Toolchain, checkov: Environment, tmp_path: Path
) -> None:
    overlay = tmp_path / "over.yaml"
    overlay.write_text(json.dumps({"payments:safety": {"deletion_protection": False}}))
    now = datetime(2026, 12, 1, tzinfo=UTC)
    outcome = rehearse_change(Options(stack="staging", what_if=overlay), PROJECT, now, lambda _: None)
    assessment = outcome.decision.assessment
    databases = [found for found in assessment.findings if found.also]
    assert {(found.rule, found.also) for found in databases} == {("protection-removed", ("CKV_AWS_293",))}
    assert "CKV_AWS_293" not in {found.rule for found in assessment.findings}
    scan = assessment.scan
    assert scan is not None
    assert scan.ran
    assert scan.checks.failed == len(databases) > 0
    assert scan.checks.passed > 500
    assert scan.checks.waived == sum(risk.resources for risk in scan.accepted) > 0
    assert "checkov" in {stage.name for stage in outcome.report.subject.durations}
