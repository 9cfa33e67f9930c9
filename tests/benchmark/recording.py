"""What the real engine says of a case: its program is brought up, then the changed program is previewed."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from tests.benchmark.cases import Case, Resources
from tollgate.assess.assess import assess
from tollgate.assess.model import Assessment
from tollgate.engine.command import Cli, Event
from tollgate.engine.find import find
from tollgate.plan.read import read_plan
from tollgate.plan.state import read_state
from tollgate.rehearsal.server import stand_ins
from tollgate.rehearsal.workspace import isolated

DATA = Path(__file__).parents[1] / "data" / "benchmark"
PROGRAM = Path(__file__).with_name("program.py")
STACK = "organization/pay/prod"
_NO_DISK = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}  # see tollgate.rehearsal.rehearse


class Recording(BaseModel):
    """All that a rehearsal hands to the assessment. ``state``: the export after the first program was brought up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    events: tuple[Event, ...]
    state: dict[str, Any]
    unlisted_types: tuple[str, ...]
    undecided: tuple[tuple[str, str], ...]

    def assess(self, *, stand_ins: bool = True) -> Assessment:
        """What the gate says. stand_ins: also of what only a rehearsal on stand-ins does not know."""
        return assess(
            read_plan("\n".join(json.dumps(event) for event in self.events)),
            state=read_state(json.dumps(self.state)),
            unlisted_types=frozenset(self.unlisted_types if stand_ins else ()),
            undecided=self.undecided if stand_ins else (),
        )


def file_of(case: Case) -> Path:
    return DATA / f"{case.id}.json.gz"


def load(case: Case) -> Recording:
    return Recording.model_validate_json(gzip.decompress(file_of(case).read_bytes()))


def save(case: Case, recording: Recording) -> None:
    """The same recording gives the same bytes."""
    text = json.dumps(recording.model_dump(mode="json"), separators=(",", ":"))
    DATA.mkdir(exist_ok=True)
    file_of(case).write_bytes(gzip.compress(text.encode(), mtime=0))


@contextmanager
def engine() -> Iterator[Cli]:
    """The engine with a backend of its own."""
    toolchain = find(print)
    with tempfile.TemporaryDirectory(prefix="tollgate-benchmark-") as name:
        (Path(name) / "backend").mkdir()
        yield Cli(toolchain, isolated(toolchain.environment(dict(os.environ)), Path(name), "a passphrase"))


def record(case: Case, cli: Cli, folder: Path) -> Recording:
    """One case through the engine, in a project of its own below ``folder``."""
    project = folder / case.id
    project.mkdir()
    (project / "Pulumi.yaml").write_text("name: pay\nruntime: python\n")
    shutil.copy(PROGRAM, project / "__main__.py")
    with stand_ins(_packages(case)) as clouds:
        extra = {"PULUMI_DEBUG_PROVIDERS": clouds.debug_providers, **_NO_DISK}
        cli.run(["stack", "init", STACK], cwd=project)
        _declare(project, case.before)
        up = cli.stream(["up", "--yes", "--skip-preview", "--stack", STACK], cwd=project, on_event=_drop, extra=extra)
        if up.code != 0:
            raise RuntimeError(f"{case.id}: the first program failed: {up.errors}")
        state = json.loads(cli.run(["stack", "export", "--stack", STACK], cwd=project).stdout)
        _declare(project, case.after)
        events: list[Event] = []
        cli.stream(["preview", "--stack", STACK], cwd=project, on_event=events.append, extra=extra)
        cli.run(["stack", "rm", "--force", "--yes", STACK], cwd=project)
        return Recording(
            events=tuple(timeless(event, project) for event in events if not _debug(event)),
            state=timeless(state, project),
            unlisted_types=tuple(sorted(clouds.unlisted_types)),
            undecided=tuple(sorted(clouds.undecided)),
        )


def _packages(case: Case) -> set[str]:
    kinds = [
        resource["type"]
        for resources in (case.before, case.after)
        for resource in resources.values()
        if not resource.get("component")
    ]
    return {kind.removeprefix("pulumi:providers:").partition(":")[0] for kind in kinds}


def _declare(project: Path, resources: Resources) -> None:
    (project / "resources.json").write_text(json.dumps(resources))


def _drop(_: Event) -> None:
    """Nobody needs the events of the first run."""


def _debug(event: Event) -> bool:
    return bool(event.get("diagnosticEvent", {}).get("severity") == "debug")


def timeless(value: Any, project: Path) -> Any:
    """Without times, paths of this machine and encrypted texts: none of them is read, all differ each time."""
    if isinstance(value, dict):
        return {
            key.replace(str(project), "/project"): 0
            if key in ("timestamp", "time", "created", "modified", "durationSeconds", "ciphertext")
            else timeless(item, project)
            for key, item in value.items()
            if key not in ("stackTrace", "sourcePosition")
        }
    if isinstance(value, list):
        return [timeless(item, project) for item in value]
    return value.replace(str(project), "/project") if isinstance(value, str) else value
