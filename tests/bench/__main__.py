"""``make bench``: how long a newcomer and CI wait. Writes docs/reference/performance.md; asserts nothing."""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml

from tests.bench import policies

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "performance.md"
SAMPLE = ("--what-if", "examples/dangerous.yaml")
TOLLGATE = str(Path(sys.executable).with_name("tollgate"))

MANY = """
import pulumi
import pulumi_aws as aws
config = pulumi.Config()
vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16")
for n in range(250):
    group = aws.ec2.SecurityGroup(f"group-{n}", vpc_id=vpc.id, description=config.require("text"))
    aws.ssm.Parameter(f"parameter-{n}", type="String", value=group.arn)
"""


@dataclass(frozen=True)
class Figure:
    """Wall-clock seconds of each counted run, and the peak memory of the largest process in MB."""

    what: str
    aim: str
    seconds: tuple[float, ...]
    megabytes: float

    def row(self) -> str:
        low, middle, high = min(self.seconds), statistics.median(self.seconds), max(self.seconds)
        runs = len(self.seconds)
        return f"| {self.what} | {low:.2f} | {middle:.2f} | {high:.2f} | {runs} | {self.megabytes:.0f} | {self.aim} |"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tollgate-bench-") as scratch:
        many, plan = many_resources(Path(scratch) / "many"), long_plan(Path(scratch) / "plan.json")
        figures = [
            measure("`tollgate --help`", "under 0.5 s", 5, [TOLLGATE, "--help"], ROOT),
            measure(
                "warm `tollgate rehearse staging --no-checkov`, sample change, as `make rehearse`",
                "under 15 s, set for 60 resources",
                3,
                [TOLLGATE, "rehearse", "staging", "--no-checkov", *SAMPLE, "--out", scratch],
                ROOT,
            ),
            measure(
                "checkov on the whole `prod` footprint: `python -m tests.bench.scan_footprint`",
                "under 6 s",
                3,
                [sys.executable, "-m", "tests.bench.scan_footprint", str(footprint(Path(scratch) / "footprint.json"))],
                ROOT,
            ),
            measure(
                "warm `tollgate rehearse prod`, whole footprint, tags changed, checkov on all of it",
                "under 90 s",
                2,
                [TOLLGATE, "rehearse", "prod", "--what-if", str(tags(Path(scratch))), "--out", f"{scratch}/prod"],
                ROOT,
            ),
            measure(
                "warm rehearsal, 501 generated resources, 250 of them updated",
                "under 35 s",
                3,
                [TOLLGATE, "rehearse", "dev", "--no-checkov", "--what-if", "../over.yaml", "--out", scratch],
                many,
            ),
            measure(
                "`tollgate assess`, digest of 10,000 steps",
                "under 2 s, 500 MB",
                3,
                [TOLLGATE, "assess", "--plan", str(plan)],
                ROOT,
            ),
        ]
        size = resources(Path(scratch) / "prod")
        parts = stages(
            [TOLLGATE, "rehearse", "prod", "--what-if", str(tags(Path(scratch))), "--out", f"{scratch}/prod"]
        )
    PAGE.write_text(page(figures, size, growth(), parts) + policies.measure().section())
    sys.stdout.write(PAGE.read_text())


def measure(what: str, aim: str, runs: int, command: list[str], cwd: Path) -> Figure:
    """Run ``command`` once to warm up and ``runs`` times for the figure."""
    sys.stderr.write(f"{what} …\n")
    once = timed(command, cwd)
    counted = [timed(command, cwd) for _ in range(runs)]
    return Figure(what, aim, tuple(seconds for seconds, _ in counted), max(peak for _, peak in [once, *counted]))


def timed(command: list[str], cwd: Path) -> tuple[float, float]:
    """(wall seconds, peak MB of the process). Exit codes 0, 2 and 3 are answers; anything else ends the bench."""
    started = time.monotonic()
    child = subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=os.environ | {"CI": "1"}, text=True
    )
    assert child.stderr is not None
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.monotonic() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 2, 3):
        sys.exit(f"{' '.join(command)} failed:\n{errors}")
    return seconds, usage.ru_maxrss / 1024


def stages(command: list[str]) -> str:
    """Where the time of a rehearsal goes, in the words of its own progress."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | {"CI": "1"})
    found = re.findall(r"^. ([a-z ]+): done in ([0-9.]+ s)", done.stderr, re.MULTILINE)
    return ", ".join(f"{name} {seconds}" for name, seconds in found)


def many_resources(folder: Path) -> Path:
    """A project with 501 resources, and an overlay beside it that updates every security group."""
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: many\nruntime: python\n")
    (folder / "__main__.py").write_text(MANY)
    config = {"aws:region": "eu-central-1", "many:text": "before"}
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": config}))
    (folder / "pyproject.toml").write_text(f'[tool.tollgate]\npolicies = "{ROOT / "policies"}"\n')
    (folder.parent / "over.yaml").write_text(yaml.safe_dump({"aws:region": "eu-central-1", "many:text": "after"}))
    return folder


def growth() -> list[str]:
    """What a big plan and its state cost, from a hundred steps to a hundred thousand."""
    sys.stderr.write("big plans …\n")
    command = [sys.executable, "-m", "tests.bench.assess_plan"]
    return [
        subprocess.run([*command, str(10**power)], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
        for power in (2, 3, 4, 5)
    ]


def footprint(file: Path) -> Path:
    """All that the prod stack declares, as checkov is given it."""
    command = [sys.executable, "-m", "tests.bench.scan_footprint", "--write", "prod", str(file)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return file


def tags(folder: Path) -> Path:
    """An overlay that updates most resources of the prod stack in place."""
    file = folder / "tags.yaml"
    file.write_text(yaml.safe_dump({"payments:tags": {"cost-centre": "payments"}}))
    return file


def resources(out: Path) -> int:
    """How many resources a rehearsal looked at, from its assessment."""
    counts: dict[str, int] = json.loads((out / "assessment.json").read_text())["counts"]
    return sum(counts.values())


def long_plan(file: Path) -> Path:
    """A digest as `pulumi preview --json` prints it, with 10,000 updates."""
    import json

    def step(number: int) -> dict[str, object]:
        kind = "aws:ssm/parameter:Parameter"
        urn = f"urn:pulumi:dev::many::{kind}::p-{number}"
        state = {"urn": urn, "type": kind, "custom": True, "id": f"p-{number}", "parent": "urn:pulumi:dev::many::s::s"}
        inputs = {"name": f"p-{number}", "type": "String", "tags": {"a": "b"}, "tier": "Standard"}
        return {
            "op": "update",
            "urn": urn,
            "oldState": {**state, "inputs": inputs},
            "newState": {**state, "inputs": {**inputs, "tags": {"a": "c"}}},
            "diffReasons": ["tags"],
            "detailedDiff": {"tags.a": {"kind": "update", "inputDiff": True}},
        }

    digest = {"steps": [step(n) for n in range(10_000)], "duration": 1, "changeSummary": {"update": 10_000}}
    file.write_text(json.dumps(digest))
    return file


def page(
    figures: list[Figure],
    prod: int,
    big: list[str],
    parts: str,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> str:
    rows = "\n".join(figure.row() for figure in figures)
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"""# Performance

Measured with `make bench` on {now():%Y-%m-%d}: {machine}.
The `prod` stack declares {prod} resources. Whole processes, wall-clock seconds, after one run to warm up. The memory
is the peak of the `tollgate` process itself; the engine and the program have their own.

| what | min | median | max | runs | MB | aim |
|---|---|---|---|---|---|---|
{rows}

Of the rehearsal of `prod`: {parts}. The program runs under the engine once in each of these, and most of it is Pulumi's
own SDK at work on every resource.

Reading, assessing and deciding, processor seconds (aim: 10,000 steps and 20,000 resources in under 3 s and 700 MB, and
no more than in proportion):

{"".join(f"- {line}{chr(10)}" for line in big)}"""


if __name__ == "__main__":
    main()
