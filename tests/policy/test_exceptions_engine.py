"""Exceptions through the real engine: the rehearsal and plain `pulumi preview` agree."""

from __future__ import annotations

import subprocess
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.policy.projects import URN, WAIVER, register, shop
from tollgate.engine.toolchain import Toolchain
from tollgate.errors import TollgateError
from tollgate.gate.model import Verdict
from tollgate.pipeline import Options, rehearse_change
from tollgate.rehearsal.packages import packages_installed
from tollgate.rehearsal.server import stand_ins
from tollgate.rehearsal.settings import read_settings, write_settings
from tollgate.rehearsal.workspace import workspace

pytestmark = pytest.mark.engine
OPTIONS = Options(stack="dev", from_nothing=True, checkov=False)
# The pack takes its day from the clock, so that an exception ends without anybody's doing.
TODAY = datetime.now(UTC).date()
HOLDS = {**WAIVER, "created": TODAY, "expires": TODAY + timedelta(days=30)}
ENDED = {**WAIVER, "created": date(2024, 1, 1), "expires": date(2024, 6, 30)}


def rehearsed(project):
    return rehearse_change(OPTIONS, project, datetime.now(UTC), lambda _: None)


def plain_preview(project, toolchain: Toolchain):
    """`pulumi preview --policy-pack policies`, with stand-in clouds and nothing else of ours."""
    settings = read_settings(project.stack_file("dev"), overlay=None, opens=False)
    with (
        workspace(project, "dev", toolchain, passphrase=None, keep=False) as space,
        stand_ins(packages_installed(None)) as cloud,
    ):
        config = write_settings(settings, space.folder / "head.yaml", space.create_stack(None))
        return subprocess.run(
            ["pulumi", "preview", "-s", space.full_name, "--policy-pack", "policies", "--config-file", config],
            cwd=project.root,
            env={**space.cli.environment, "PULUMI_DEBUG_PROVIDERS": cloud.debug_providers},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.mark.parametrize(
    ("exceptions", "verdict", "said"),
    [
        ((), Verdict.DENY, "backupRetentionPeriod is 1, wanted at least 7 days"),
        ((HOLDS,), Verdict.ALLOW, "Waived until"),
        ((ENDED,), Verdict.DENY, "An exception for this ended on 2024-06-30 (owner: Ledger team)."),
    ],
    ids=["none", "holds", "ended"],
)
def test_a_violation_counts_unless_an_exception_holds(tmp_path, toolchain, exceptions, verdict, said):
    project = shop(tmp_path)
    register(project, *exceptions)
    outcome = rehearsed(project)
    assert outcome.decision.verdict is verdict
    assert [waived.urn for waived in outcome.decision.assessment.waived] == ([URN] if "Waived" in said else [])
    done = plain_preview(project, toolchain)
    assert (done.returncode != 0) is (verdict is Verdict.DENY), done.stdout + done.stderr
    assert said in " ".join(done.stdout.split())


def test_an_exception_that_nothing_needs_is_told_and_stops_nothing(tmp_path, toolchain):
    project = shop(tmp_path, days=14)
    register(project, HOLDS)
    decision = rehearsed(project).decision
    assert decision.verdict is Verdict.ALLOW
    assert [finding.rule for finding in decision.assessment.findings] == ["exception-register-honest"]


def test_an_exception_that_covers_too_much_stops_the_change(tmp_path, toolchain):
    project = shop(tmp_path)
    file = project.root / "__main__.py"
    lines = file.read_text()
    file.write_text(lines + lines.replace('"scratch"', '"scratch-2"') + lines.replace('"scratch"', '"scratch-3"'))
    register(project, {**HOLDS, "resource": f"{URN}*"})
    decision = rehearsed(project).decision
    assert decision.verdict is Verdict.DENY
    assert "covers 3 resources, wanted at most 2" in decision.headline


def test_a_register_that_cannot_be_right_fails_the_preview_and_says_where(tmp_path, toolchain):
    project = shop(tmp_path)
    register(project, {**HOLDS, "rule": "database-backup-retian"})
    with pytest.raises(TollgateError) as caught:
        rehearsed(project)
    assert "register/exceptions.yaml:6  no rule database-backup-retian; did you mean database-backup-retain?" in str(
        caught.value
    )
