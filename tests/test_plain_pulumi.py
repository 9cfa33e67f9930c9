"""Plain ``pulumi preview`` on our own project enforces the pack; tollgate only lends the engine and the clouds."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tollgate.engine.project import find_project
from tollgate.engine.toolchain import Toolchain
from tollgate.rehearsal.packages import packages_installed
from tollgate.rehearsal.server import stand_ins
from tollgate.rehearsal.settings import read_settings, write_settings
from tollgate.rehearsal.workspace import workspace

pytestmark = pytest.mark.engine
ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("overlay", "refused"),
    [
        ("payments:tags: {team: payments}\n", False),
        ("payments:databases: {clearing: {backup_retention_days: 1}}\n", True),
    ],
)
def test_the_pack_stops_a_mandatory_violation(
    tmp_path: Path, toolchain: Toolchain, overlay: str, refused: bool
) -> None:
    file = tmp_path / "overlay.yaml"
    file.write_text(overlay)
    project = find_project(ROOT)
    settings = read_settings(project.stack_file("staging"), overlay=file, opens=False)
    with (
        workspace(project, "staging", toolchain, passphrase=None, keep=False) as space,
        stand_ins(packages_installed(None)) as cloud,
    ):
        config = write_settings(settings, space.folder / "head.yaml", space.create_stack(None))
        done = subprocess.run(
            ["pulumi", "preview", "-s", space.full_name, "--policy-pack", "policies", "--config-file", config],
            cwd=ROOT,
            env={**space.cli.environment, "PULUMI_DEBUG_PROVIDERS": cloud.debug_providers},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode != 0) is refused, done.stdout + done.stderr
    assert ("[mandatory]" in done.stdout) is refused
    assert ("database-backup-retain" in done.stdout) is refused
    assert "tollgate" in done.stdout  # the pack's name, under "Policies"
    assert "Traceback" not in done.stdout + done.stderr
