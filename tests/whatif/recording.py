"""What the real engine says of a what-if overlay: the change there, what then stands, and the way back."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from tests.benchmark.recording import timeless
from tollgate.engine.command import Event, Outcome
from tollgate.engine.find import find
from tollgate.engine.project import find_project
from tollgate.plan.events import PlanBuilder
from tollgate.plan.footprint import read_footprint
from tollgate.plan.model import Plan
from tollgate.plan.state import read_state
from tollgate.rehearsal.baseline import PRESENT
from tollgate.rehearsal.packages import packages_installed
from tollgate.rehearsal.rehearse import (
    Definition,
    Refused,
    Rehearsal,
    Request,
    Run,
    environment_python,
    notes,
)
from tollgate.rehearsal.server import stand_ins
from tollgate.rehearsal.settings import StackSettings, read_settings
from tollgate.rehearsal.workspace import Workspace, workspace

PROJECT = find_project(Path(__file__).parent)
EXAMPLES = PROJECT.root / "examples"
DATA = Path(__file__).parents[1] / "data" / "whatif"
_SILENT = "debug"
_CONNECTION = "pulumi:providers:"


@dataclass(frozen=True)
class Change:
    """One overlay: a file in examples/, below a folder with the stack's name."""

    stack: str
    file: Path

    @property
    def name(self) -> str:
        return self.file.stem

    @property
    def id(self) -> str:
        return f"{self.stack}/{self.name}"

    @property
    def what(self) -> str:
        """The first line of the file, which says in one sentence what the change is."""
        return self.file.read_text(encoding="utf-8").splitlines()[0].removeprefix("#").strip()

    @property
    def recorded(self) -> Path:
        return DATA / self.stack / f"{self.name}.json.xz"

    def settings(self) -> StackSettings:
        return read_settings(PROJECT.stack_file(self.stack), overlay=self.file, opens=False)


def changes() -> tuple[Change, ...]:
    """All overlays, by stack and name."""
    return tuple(Change(file.parent.name, file) for file in sorted(EXAMPLES.glob("*/*.yaml")))


class Recording(BaseModel):
    """All that a rehearsal hands to the assessment, as the engine wrote it. state, footprint: exports, trimmed to what
    is read of them. back: the events of the way back; None when the change was not carried out, for which ``refused``
    is the reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    events: tuple[Event, ...]
    state: dict[str, Any]
    footprint: dict[str, Any] | None
    back: tuple[Event, ...] | None
    refused: str
    notes: tuple[str, ...]
    unlisted_types: tuple[str, ...]
    undecided: tuple[tuple[str, str], ...]

    def rehearsal(self) -> Rehearsal:
        """What the rehearsal made of this."""
        plan = _plan(self.events)
        refused = Refused(why=self.refused)
        return Rehearsal(
            plan=plan.model_copy(update={"notes": (*plan.notes, *self.notes)}),
            state=read_state(json.dumps(self.state)),
            footprint=read_footprint(json.dumps(self.footprint)) if self.footprint else refused,
            way_back=_plan(self.back) if self.back else refused,
            engine_version="",
            timings={},
            unlisted_types=frozenset(self.unlisted_types),
            undecided=frozenset(self.undecided),
        )


def load(change: Change) -> Recording:
    return Recording.model_validate_json(lzma.decompress(change.recorded.read_bytes()))


def save(change: Change, recording: Recording) -> None:
    """The same recording gives the same bytes."""
    text = json.dumps(recording.model_dump(mode="json"), separators=(",", ":"))
    change.recorded.parent.mkdir(parents=True, exist_ok=True)
    change.recorded.write_bytes(lzma.compress(text.encode(), preset=9))


@dataclass(frozen=True)
class Listening(Run):
    """A rehearsal that keeps what the engine said last."""

    heard: list[Event] = field(default_factory=list)

    def stream(self, arguments: list[str], cwd: Path, on_event: Any, extra: Mapping[str, str]) -> Outcome:
        self.heard.clear()

        def both(event: Event) -> None:
            self.heard.append(event)
            on_event(event)

        return super().stream(arguments, cwd, both, extra)


@dataclass(frozen=True)
class Standing:
    """A stack as it is defined today, brought up on stand-in clouds: what each of its overlays is compared with."""

    request: Request
    space: Workspace
    salt: str
    definition: Definition
    export: dict[str, Any]

    def record(self, change: Change) -> Recording:
        """One overlay through the engine, there and back."""
        with _listening(self.request, self.space, self.salt) as run:
            run.import_state(self.export)
            definition = Definition(PROJECT.root, change.settings(), "head.yaml")
            run.preview(definition)
            events = tuple(run.heard)
            after, back = None, None
            outcome: Any = run.carry_out(definition)
            if not isinstance(outcome, Refused):
                after = json.loads(run.export())
                outcome = run.preview_way_back(self.definition)
                back = None if isinstance(outcome, Refused) else tuple(run.heard)
            whole = Recording(
                events=events,
                state=self.export,
                footprint=after,
                back=back,
                refused=outcome.why if isinstance(outcome, Refused) else "",
                notes=tuple(notes(self.request, definition.settings)),
                unlisted_types=tuple(sorted(run.cloud.unlisted_types)),
                undecided=tuple(sorted(run.cloud.undecided)),
            )
        short, long = trimmed(whole).rehearsal(), whole.rehearsal()
        if (short.plan.steps, short.state, short.plan.same) != (long.plan.steps, long.state, long.plan.same):
            raise RuntimeError(f"{change.id}: what was trimmed away is read after all")
        return trimmed(whole)


@contextmanager
def standing(stack: str) -> Iterator[Standing]:
    """The stack, brought up once for all of its overlays."""
    request = Request(PROJECT, stack, PRESENT, policies=PROJECT.policies, carry_out=True, prove_undo=True)
    settings = read_settings(PROJECT.stack_file(stack), overlay=None, opens=False)
    definition = Definition(PROJECT.root, settings, "baseline.yaml")
    with workspace(PROJECT, stack, find(print), passphrase=None, keep=False) as space:
        salt = space.create_stack(None)
        with _listening(request, space, salt) as run:
            run.bring_up(definition)
            export = json.loads(run.export())
        yield Standing(request, space, salt, definition, export)


@contextmanager
def _listening(request: Request, space: Workspace, salt: str) -> Iterator[Listening]:
    python = environment_python(PROJECT)
    with stand_ins(packages_installed(python), python) as cloud:
        yield Listening(request, space, cloud, salt, lambda _: None)


def trimmed(whole: Recording) -> Recording:
    """The recording without what nothing reads, and without what differs each time or on another machine."""
    return whole.model_copy(
        update={
            "events": _short_events(whole.events),
            "back": _short_events(whole.back) if whole.back else None,
            "state": _short_state(whole.state),
            "footprint": _short_state(whole.footprint) if whole.footprint else None,
        }
    )


def _plan(events: tuple[Event, ...]) -> Plan:
    builder = PlanBuilder()
    for event in events:
        builder.feed(event)
    return builder.plan()


def _short_events(events: tuple[Event, ...]) -> tuple[Event, ...]:
    """Of what stays the same only that it does: its values decide nothing, except where it is a connection."""
    kept = []
    for event in events:
        if event.get("diagnosticEvent", {}).get("severity") == _SILENT:
            continue
        for key in ("resourcePreEvent", "resOutputsEvent"):
            step = event.get(key, {}).get("metadata", {})
            if step.get("op") == "same" and not step["type"].startswith(_CONNECTION):
                for side in ("old", "new"):
                    for values in ("inputs", "outputs"):
                        step.get(side, {}).pop(values, None)
        kept.append(event)
    return timeless(tuple(kept), PROJECT.root)


def _short_state(export: dict[str, Any]) -> dict[str, Any]:
    """Of an export what says who hangs on whom; inputs only of connections."""
    resources = [
        {
            key: value
            for key, value in resource.items()
            if key != "outputs" and (key != "inputs" or resource["type"].startswith(_CONNECTION))
        }
        for resource in export["deployment"].get("resources", [])
    ]
    short = {**export, "deployment": {**export["deployment"], "resources": resources}}
    found: dict[str, Any] = timeless(short, PROJECT.root)
    return found
