"""A rename with its alias changes nothing; without it, the real engine would delete and recreate."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.rehearsal.test_baseline import git, save
from tollgate.engine.project import load
from tollgate.engine.toolchain import Toolchain
from tollgate.plan.model import Op
from tollgate.rehearsal.baseline import choose
from tollgate.rehearsal.rehearse import Request, rehearse

pytestmark = pytest.mark.engine
ROOT = Path(__file__).parents[2]

PROGRAM = """
import sys
sys.path.insert(0, {root!r})
from pulumi_aws import rds
from components.base import Component
from components.specs import Safety

class Ledger(Component, {token}):
    def __init__(self, name):
        super().__init__(name, safety=Safety(protect=False, retain_on_delete=False, deletion_protection=True,
                                             final_snapshot=True))
        rds.Instance(self.child({child!r}), identifier="ledger", instance_class="db.t4g.medium", engine="postgres",
                     allocated_storage=20, username="owner", skip_final_snapshot=True, opts=self.stateful({formerly}))
        self.register_outputs({{}})

Ledger("ledger")
"""


def program(token: str, child: str, formerly: str = "") -> str:
    return PROGRAM.format(root=str(ROOT), token=token, child=child, formerly=formerly)


@pytest.mark.parametrize(
    ("token", "child", "formerly", "ops"),
    [
        ('token="tollgate:data:Ledger"', "server", "", {Op.CREATE, Op.DELETE}),
        ('token="tollgate:data:Ledger"', "server", 'formerly="instance"', set()),
        ('token="tollgate:data:Book"', "instance", "", {Op.CREATE, Op.DELETE}),
        ('token="tollgate:data:Book", formerly=("tollgate:data:Ledger",)', "instance", "", set()),
        ('token="tollgate:data:Book", formerly=("tollgate:data:Ledger",)', "server", 'formerly="instance"', set()),
    ],
)
def test_rename(tmp_path: Path, toolchain: Toolchain, token: str, child: str, formerly: str, ops: set[Op]) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": {"aws:region": "eu-central-1"}}))
    (tmp_path / "__main__.py").write_text(program('token="tollgate:data:Ledger"', "instance"))
    save(tmp_path, "before")
    (tmp_path / "__main__.py").write_text(program(token, child, formerly))
    project = load(tmp_path)
    baseline = choose(project, base=None, state=None, what_if=None, from_nothing=False)
    plan = rehearse(Request(project, "dev", baseline), toolchain, lambda _: None).plan
    assert {step.op for step in plan.steps if step.custom} == ops
