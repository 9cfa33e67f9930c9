"""Whole rehearsals of a small project through the real engine: every kind of baseline, secrets, failures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.engine.projects import Tiny
from tests.rehearsal.test_baseline import git, save
from tollgate.engine.cache import cache_folder
from tollgate.engine.project import load
from tollgate.engine.toolchain import Toolchain
from tollgate.errors import TollgateError
from tollgate.plan.model import Op, Plan
from tollgate.rehearsal.baseline import choose
from tollgate.rehearsal.rehearse import Request, rehearse

pytestmark = pytest.mark.engine

PLANTED = "p1anted-secret-do-not-print"
PROGRAM = """
import pulumi
import pulumi_aws as aws

config = pulumi.Config()
database = aws.rds.Instance(
    "ledger", instance_class=config.get("class") or "db.t4g.medium", engine="postgres", allocated_storage=20,
    storage_encrypted=config.get_bool("encrypted"), username="owner", password=config.get_secret("password"),
    skip_final_snapshot=True, opts=pulumi.ResourceOptions(protect=config.get_bool("protect")),
)
aws.ssm.Parameter("address", type="String", value=database.address)
pulumi.export("address", database.address)
"""
STACK = {"config": {"aws:region": "eu-central-1", "tiny:encrypted": True, "tiny:protect": False}}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with the project in it, at a path with spaces, nothing committed yet."""
    folder = tmp_path / "a path with spaces"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "Pulumi.yaml").write_text("name: tiny\nruntime: python\nstackConfigDir: stacks\n")
    (folder / "__main__.py").write_text(PROGRAM)
    (folder / "stacks").mkdir()
    (folder / "stacks" / "Pulumi.dev.yaml").write_text(yaml.safe_dump(STACK))
    return folder


def run(repository: Path, toolchain: Toolchain, **options: object) -> Plan:
    project = load(repository)
    asked = {"base": None, "state": None, "what_if": None, "from_nothing": False} | options
    baseline = choose(project, **asked)  # type: ignore[arg-type]
    overlay = options.get("what_if")
    request = Request(project, "dev", baseline, overlay=overlay)  # type: ignore[arg-type]
    return rehearse(request, toolchain, lambda _: None).plan


def changes(plan: Plan) -> dict[str, tuple[Op, list[str]]]:
    return {step.name: (step.op, [change.path for change in step.changes or ()]) for step in plan.steps if step.custom}


def overlay(folder: Path, **values: object) -> Path:
    file = folder.parent / "overlay.yaml"
    file.write_text(yaml.safe_dump({f"tiny:{key}": value for key, value in values.items()}))
    return file


def test_nothing_committed_yet_means_all_is_created(repository: Path, toolchain: Toolchain) -> None:
    plan = run(repository, toolchain)
    assert {step.op for step in plan.steps} == {Op.CREATE}
    assert {"ledger", "address"} <= {step.name for step in plan.steps}


def test_the_dirty_work_tree_is_compared_with_the_last_commit(repository: Path, toolchain: Toolchain) -> None:
    save(repository, "one")
    git(repository, "switch", "-q", "--detach")
    before = git(repository, "status", "--porcelain")
    settings = {"config": {**STACK["config"], "tiny:class": "db.r7g.large"}}
    (repository / "stacks" / "Pulumi.dev.yaml").write_text(yaml.safe_dump(settings))
    plan = run(repository, toolchain)
    assert changes(plan) == {"ledger": (Op.UPDATE, ["instanceClass"])}
    assert before == ""
    assert git(repository, "status", "--porcelain") == "M stacks/Pulumi.dev.yaml"


def test_what_if_replaces_what_cannot_change_in_place(repository: Path, toolchain: Toolchain) -> None:
    plan = run(repository, toolchain, what_if=overlay(repository, encrypted=False))
    step = {step.name: step for step in plan.steps}["ledger"]
    assert step.op is Op.REPLACE
    assert step.replace_keys == ("storageEncrypted",)


def test_no_change_is_no_step(repository: Path, toolchain: Toolchain) -> None:
    plan = run(repository, toolchain, what_if=overlay(repository, protect=False))
    assert plan.steps == ()
    assert plan.same > 0


def test_an_exported_state_is_a_baseline(repository: Path, toolchain: Toolchain, tmp_path: Path) -> None:
    project, kept = load(repository), tmp_path / "kept"
    nothing = overlay(repository, protect=False)
    baseline = choose(project, base=None, state=None, what_if=nothing, from_nothing=False)
    rehearse(Request(project, "dev", baseline, overlay=nothing, keep=kept), toolchain, lambda _: None)
    checkpoint = json.loads((kept / "backend" / ".pulumi" / "stacks" / "tiny" / "dev.json").read_text())
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"version": 3, "deployment": checkpoint["checkpoint"]["latest"]}))
    plan = run(repository, toolchain, state=state)
    assert plan.steps == ()
    with_change = {"config": {**STACK["config"], "tiny:class": "db.r7g.large"}}
    (repository / "stacks" / "Pulumi.dev.yaml").write_text(yaml.safe_dump(with_change))
    assert changes(run(repository, toolchain, state=state)) == {"ledger": (Op.UPDATE, ["instanceClass"])}


def test_a_protected_deletion_is_part_of_the_plan(repository: Path, toolchain: Toolchain) -> None:
    settings = {"config": {**STACK["config"], "tiny:protect": True}}
    (repository / "stacks" / "Pulumi.dev.yaml").write_text(yaml.safe_dump(settings))
    save(repository, "one")
    (repository / "__main__.py").write_text("import pulumi\n")
    plan = run(repository, toolchain)
    steps = {step.name: step for step in plan.steps}
    assert steps["ledger"].op is Op.DELETE
    assert steps["ledger"].protect_before


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("import pulumi\nraise ValueError('no zone')\n", "ValueError: no zone"),
        ("import pulumi_aws as aws\naws.ssm.Parameter('p', type='String', valeu='x')\n", "valeu"),
        ("import nothing_like_this\n", "nothing_like_this"),
    ],
)
def test_a_program_that_fails_is_one_clear_error(
    repository: Path, toolchain: Toolchain, program: str, says: str
) -> None:
    (repository / "__main__.py").write_text(program)
    with pytest.raises(TollgateError, match=says) as caught:
        run(repository, toolchain, from_nothing=True)
    assert "could not be previewed" in str(caught.value)


def test_a_secret_is_in_no_plan_and_no_file(
    repository: Path, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = Tiny(repository.parent / "encrypt" / "p", toolchain, "")
    tiny.set_secret("password", PLANTED)
    encrypted = yaml.safe_load(tiny.stack_file.read_text())
    settings = {**encrypted, "config": {**STACK["config"], **encrypted["config"]}}
    (repository / "stacks" / "Pulumi.dev.yaml").write_text(yaml.safe_dump(settings))
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "correct horse")
    said: list[str] = []
    project, kept = load(repository), repository.parent / "kept"
    nothing = choose(project, base=None, state=None, what_if=None, from_nothing=True)
    result = rehearse(Request(project, "dev", nothing, keep=kept), toolchain, said.append)
    ledger = {step.name: step for step in result.plan.steps}["ledger"]
    assert ledger.new is not None
    assert ledger.new["password"] == "[secret]"
    assert PLANTED not in result.model_dump_json() + "\n".join(said)
    assert [file for file in kept.rglob("*") if file.is_file() and PLANTED.encode() in file.read_bytes()] == []


def test_the_users_accounts_do_not_reach_a_rehearsal(
    repository: Path, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "x")
    monkeypatch.setenv("KUBECONFIG", "/x")
    (repository / "__main__.py").write_text(
        "import os, pulumi\npulumi.export('seen', sorted(k for k in os.environ if k in"
        " ('AWS_SECRET_ACCESS_KEY', 'PULUMI_ACCESS_TOKEN', 'KUBECONFIG')))\n"
    )
    plan = run(repository, toolchain, from_nothing=True)
    stack = next(step for step in plan.steps if step.type == "pulumi:pulumi:Stack")
    assert (stack.new_outputs or {}).get("seen", []) == []


def test_workspaces_of_killed_runs_are_removed(repository: Path, toolchain: Toolchain) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    abandoned = cache_folder() / "rehearsals" / f"{gone.pid}-abandoned"
    (abandoned / "backend").mkdir(parents=True)
    run(repository, toolchain, from_nothing=True)
    assert not abandoned.exists()
    assert not list((cache_folder() / "rehearsals").glob(f"{os.getpid()}-*"))
