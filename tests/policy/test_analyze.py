"""The rules over what is there today: an exported state, by our command and by Pulumi's own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.policy.projects import URN, add_cross_rules, shop
from tests.test_cli import tollgate
from tollgate.engine.command import Cli
from tollgate.engine.toolchain import Toolchain
from tollgate.rehearsal.workspace import isolated

BUCKET = "urn:pulumi:dev::shop::aws:s3/bucket:Bucket"
BLOCK = "urn:pulumi:dev::shop::aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "AAAA"}


def resource(urn: str, inputs: dict[str, object]) -> dict[str, object]:
    kind = urn.split("::")[2]
    return {"urn": urn, "type": kind, "custom": True, "id": "x", "inputs": inputs, "outputs": {"id": "x", **inputs}}


def state(folder: Path, days: int, *, blocked: bool = True, project: str = "shop") -> Path:
    """A stack's export: a database, a bucket, and what closes it."""
    closed = {
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": blocked,
    }
    resources = [
        {
            "urn": f"urn:pulumi:dev::{project}::pulumi:pulumi:Stack::{project}-dev",
            "type": "pulumi:pulumi:Stack",
            "custom": False,
        },
        resource(URN, {"backupRetentionPeriod": days, "password": SECRET}),
        resource(f"{BUCKET}::receipts", {"bucket": "receipts"}),
        resource(f"{BLOCK}::closed", {"bucket": "receipts", **closed}),
    ]
    providers = {"type": "passphrase", "state": {"salt": "v1:AAAAAAAAAAA=:v1:AAAAAAAAAAAAAAAA:AAAA"}}
    manifest = {"time": "2026-01-01T00:00:00Z", "magic": "", "version": "v3.257.0"}
    file = folder / "state.json"
    file.write_text(
        json.dumps(
            {"version": 3, "deployment": {"manifest": manifest, "secrets_providers": providers, "resources": resources}}
        )
    )
    return file


@pytest.mark.engine
@pytest.mark.parametrize(
    ("days", "blocked", "said"),
    [
        (14, True, []),
        (1, True, ["database-backup-retain: scratch backupRetentionPeriod is 1"]),
        (14, False, ["bucket-public-block: receipts the bucket has no block on public access"]),
    ],
)
def test_a_state_is_judged_as_it_stands(tmp_path, days, blocked, said):
    project = shop(tmp_path)
    add_cross_rules(project)
    for other in (project.policies / "rules").glob("*.py"):
        if other.name not in ("__init__.py", "databases.py"):
            other.unlink()
    done = tollgate("policy", "analyze", "--state", state(tmp_path, days, blocked=blocked), cwd=tmp_path)
    failed = [line for line in done.stdout.splitlines() if "FAILED" in line and ("retain" in line or "block" in line)]
    assert len(failed) == len(said), done.stdout + done.stderr
    assert all(part in line for part, line in zip(said, failed, strict=True))
    assert json.loads((tmp_path / "out" / "policy.json").read_text())["stacks"][0]["stack"] == "dev"


@pytest.mark.engine
def test_pulumi_itself_runs_the_pack_on_a_state_without_the_stacks_settings(tmp_path, toolchain: Toolchain):
    project = shop(tmp_path)
    (tmp_path / "work" / "backend").mkdir(parents=True)
    cli = Cli(toolchain, isolated(toolchain.environment(dict(os.environ)), tmp_path / "work", "x"))
    for days, code in ((14, 0), (1, 255)):
        done = subprocess.run(
            ["pulumi", "policy", "analyze", "--file", state(tmp_path, days), "--policy-pack", "policies"],
            cwd=project.root,
            env=cli.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) is (code != 0), done.stdout + done.stderr
        assert ("backupRetentionPeriod is 1" in done.stdout) is (code != 0)
        assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "not JSON|cut off|cannot be read|no JSON|is empty"),
        ("{}", "it has no deployment"),
        ('{"version": 3, "deployment": {"resources": []}}', "holds no resources"),
    ],
)
def test_what_is_no_state_is_one_clear_error(tmp_path, content, complaint):
    import re

    shop(tmp_path)
    (tmp_path / "state.json").write_text(content)
    done = tollgate("policy", "analyze", "--state", "state.json", cwd=tmp_path)
    assert done.returncode == 1
    assert re.search(complaint, done.stderr), done.stderr
    assert "Traceback" not in done.stderr
