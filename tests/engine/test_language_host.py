"""Our language host under the real engine: programs, packs, configuration, failures, cancellation."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.engine.projects import Tiny
from tollgate.engine.processes import members
from tollgate.engine.toolchain import Toolchain

pytestmark = pytest.mark.engine

READS_CONFIG = """
import pulumi
config = pulumi.Config()
pulumi.export("plain", config.get("plain"))
pulumi.export("nested", config.get_object("nested"))
pulumi.export("hidden", config.require_secret("hidden"))
pulumi.export("where", [pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack()])
pulumi.export("preview", pulumi.runtime.is_dry_run())
"""
FAILS = """
import pulumi, helper
pulumi.log.info("before")
helper.explode()
"""
WAITS = """
import os, pathlib, time
pathlib.Path("program.pid").write_text(str(os.getpid()))
pathlib.Path("started").touch()
time.sleep(120)
"""
PACK = """
import pulumi
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

def check(args, report):
    if args.resource_type == "test:index:Thing":
        report(f"saw {pulumi.Config('tiny').get('plain')} on {pulumi.get_stack()}")

PolicyPack("own", enforcement_level=EnforcementLevel.ADVISORY,
           policies=[ResourceValidationPolicy("own-thing-see", "Sees things.", check)])
"""
THING = """
import pulumi
pulumi.ComponentResource("test:index:Thing", "thing")
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "a path with spaces"


def test_configuration_and_secrets_reach_the_program(home: Path, toolchain: Toolchain) -> None:
    tiny = Tiny(home / "p", toolchain, READS_CONFIG, {"tiny:plain": "yes", "tiny:nested": {"a": [1, 2]}})
    tiny.set_secret("hidden", "hunter2hunter2")
    outcome = tiny.preview()
    assert outcome.code == 0, outcome.errors
    outputs = tiny.outputs()
    assert outputs["plain"] == "yes"
    assert outputs["nested"] == {"a": [1, 2]}
    assert outputs["where"] == ["organization", "tiny", "dev"]
    assert outputs["preview"] is True
    assert "hunter2hunter2" not in str([event for event in tiny.events if "diagnosticEvent" not in event])
    assert tiny.said() == []


def test_failing_program_shows_only_the_users_frames(home: Path, toolchain: Toolchain) -> None:
    tiny = Tiny(home / "p", toolchain, FAILS)
    (tiny.folder / "helper.py").write_text("def explode():\n    raise ValueError('no such zone')\n")
    outcome = tiny.preview()
    assert outcome.code != 0
    assert len(outcome.errors) == 1
    text = outcome.errors[0]
    assert 'File "__main__.py", line 4' in text
    assert 'File "helper.py", line 2, in explode' in text
    assert text.endswith("ValueError: no such zone")
    assert "site-packages" not in text
    assert "tollgate" not in text


def test_run_error_is_shown_without_a_traceback(home: Path, toolchain: Toolchain) -> None:
    outcome = Tiny(home / "p", toolchain, "import pulumi\nraise pulumi.RunError('write region')\n").preview()
    assert outcome.errors == ("write region",)
    assert outcome.code != 0


def test_syntax_error_names_its_line(home: Path, toolchain: Toolchain) -> None:
    outcome = Tiny(home / "p", toolchain, "import pulumi\nx = (\n").preview()
    assert outcome.code != 0
    assert "SyntaxError" in outcome.errors[0]
    assert "line 2" in outcome.errors[0]


@pytest.mark.parametrize(("leave", "fails"), [("0", False), ("", False), ("3", True), ("'own words'", True)])
def test_program_that_exits_by_itself(home: Path, toolchain: Toolchain, leave: str, fails: bool) -> None:
    outcome = Tiny(home / "p", toolchain, f"import sys\nsys.exit({leave})\n").preview()
    assert (outcome.code != 0) is fails
    if leave == "'own words'":
        assert outcome.errors == ("own words",)


def test_pack_sees_the_stack_and_its_configuration(home: Path, toolchain: Toolchain) -> None:
    tiny = Tiny(home / "p", toolchain, THING, {"tiny:plain": "yes"})
    pack = home / "pack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\nversion: 1.0.0\n")
    (pack / "__main__.py").write_text(PACK)
    outcome = tiny.preview("--policy-pack", str(pack))
    assert outcome.code == 0, outcome.errors
    messages = [event["policyEvent"]["message"] for event in tiny.events if "policyEvent" in event]
    assert any("saw yes on dev" in message for message in messages), messages
    assert tiny.said() == []


def test_virtualenv_of_the_project_runs_the_program(home: Path, toolchain: Toolchain) -> None:
    program = "import os, pulumi\npulumi.export('asked', os.environ.get('ASKED'))\n"
    tiny = Tiny(home / "p", toolchain, program)
    (tiny.folder / "Pulumi.yaml").write_text("name: tiny\nruntime: {name: python, options: {virtualenv: env}}\n")
    (tiny.folder / "env" / "bin").mkdir(parents=True)
    script = tiny.folder / "env" / "bin" / "python"
    script.write_text(f'#!/bin/sh\nexport ASKED=1\nexec "{sys.executable}" "$@"\n')
    script.chmod(0o755)
    assert tiny.preview().code == 0
    assert tiny.outputs()["asked"] == "1"


@pytest.mark.parametrize("how", ["interrupt", "kill the engine"])
def test_stopping_leaves_no_process(home: Path, toolchain: Toolchain, how: str) -> None:
    tiny = Tiny(home / "p", toolchain, WAITS)
    engine = threading.Event()
    leaders: list[int] = []

    def stop_when_started() -> None:
        started = tiny.folder / "started"
        while not started.exists():
            time.sleep(0.02)
        program = int((tiny.folder / "program.pid").read_text())
        leader = os.getsid(program)
        leaders.append(leader)
        os.kill(leader, signal.SIGINT if how == "interrupt" else signal.SIGKILL)
        engine.set()

    thread = threading.Thread(target=stop_when_started, daemon=True)
    thread.start()
    outcome = tiny.preview()
    thread.join(10)
    assert engine.is_set()
    assert outcome.code != 0
    assert members(leaders[0]) == []
    assert not Path(f"/proc/{(tiny.folder / 'program.pid').read_text()}").exists()
