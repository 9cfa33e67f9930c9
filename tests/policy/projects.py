"""A small project with a pack, a register and a database that keeps its backups for a day."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

from tollgate.engine.project import Project, load

ROOT = Path(__file__).parents[2]
PROGRAM = """
import pulumi_aws as aws

aws.rds.Instance("scratch", engine="postgres", instance_class="db.t4g.micro", allocated_storage=20,
    backup_retention_period={days}, storage_encrypted=True, publicly_accessible=False)
"""
# A pack that stays small while ours grows.
RULES = """
from tollgate.policy.severity import HIGH
from tollgate.policy.statement import rule

@rule(
    id="database-backup-retain",
    why="A ledger that cannot be restored to last week cannot be trusted after a fault.",
    severity=HIGH,
    controls=("PCI-DSS 10.3.3", "FSBP RDS.11"),
    types=("aws:rds/instance:Instance", "aws:rds/cluster:Cluster"),
    fix="set backupRetentionPeriod to 7 days or more",
    good={"backupRetentionPeriod": 7},
    bad={"backupRetentionPeriod": 6},
)
def backup_retained(database):
    return database["backupRetentionPeriod"].at_least(7, "days")
"""
URN = "urn:pulumi:dev::shop::aws:rds/instance:Instance::scratch"
HEAD = {"most_resources": 2, "longest_days": 366, "approvers": ["Zhao Wei"]}
WAIVER = {
    "rule": "database-backup-retain",
    "resource": URN,
    "owner": "Ledger team",
    "reason": "It holds copies only, and is made anew each night.",
    "approver": "Zhao Wei",
    "instead": "The originals are kept for 35 days elsewhere.",
}


def shop(folder: Path, *, days: int = 1, program: str = PROGRAM) -> Project:
    """The project on disk: one stack, dev, and a pack of its own with one rule."""
    pack = folder / "policies"
    (pack / "rules").mkdir(parents=True)
    for name in ("__main__.py", "rules/__init__.py"):
        (pack / name).write_text((ROOT / "policies" / name).read_text())
    (pack / "rules" / "databases.py").write_text(RULES)
    options = f"{{toolchain: pip, virtualenv: {sys.prefix}}}"
    (pack / "PulumiPolicy.yaml").write_text(f"runtime: {{name: python, options: {options}}}\nversion: 0.1.0\n")
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text("config: {aws:region: eu-central-1}\n")
    (folder / "__main__.py").write_text(program.format(days=days))
    (folder / "pyproject.toml").write_text('[tool.tollgate]\npolicies = "policies"\nregisters = "policies/register"\n')
    return load(folder)


def add_cross_rules(project: Project) -> None:
    """Give the project's pack all our rules."""
    assert project.policies
    shutil.copytree(ROOT / "policies" / "rules", project.policies / "rules", dirs_exist_ok=True)


def register(project: Project, *exceptions: dict[str, Any], **head: Any) -> None:
    assert project.registers
    project.registers.mkdir(exist_ok=True)
    content = {**HEAD, **head, "exceptions": list(exceptions)}
    (project.registers / "exceptions.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
