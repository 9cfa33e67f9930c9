"""Rehearse a change: bring up the baseline on stand-in clouds, then preview the head with the real engine."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from tollgate.engine.cache import Say, cache_folder
from tollgate.engine.command import Event, Outcome
from tollgate.engine.project import Project
from tollgate.engine.toolchain import Toolchain
from tollgate.errors import Problem, TollgateError
from tollgate.plan.events import PlanBuilder
from tollgate.plan.footprint import Footprint, read_footprint
from tollgate.plan.model import Plan
from tollgate.plan.state import State, read_state
from tollgate.rehearsal.baseline import Baseline, Kind, check_out
from tollgate.rehearsal.packages import packages_installed
from tollgate.rehearsal.server import StandIns, stand_ins
from tollgate.rehearsal.settings import (
    STAND_IN_SECRET,
    StackSettings,
    passphrase,
    read_settings,
    write_settings,
)
from tollgate.rehearsal.state import importable_state, packages_in, sealed_with
from tollgate.rehearsal.workspace import Workspace, workspace

# The file backend writes the whole state after each step: 500 resources 27 s, without it 8 s. What it protects
# against, an update lost half way, cannot matter to a state that is thrown away.
SKIP_CHECKPOINTS = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
# The engine's last word when the pack refuses, and its refusal to delete what is protected (v3.257.0).
REFUSED = ("preview failed",)
PROTECTED = ("marked for protection", "cannot be deleted because", "is protected")
SAY_EVERY_SECONDS = 3.0
APPLY = ("up", "--yes", "--skip-preview", "--config-file")
HEAD = "head.yaml"


@dataclass(frozen=True)
class Request:
    """What to rehearse. policies: None leaves the pack out. keep: where to leave the workspace for a look inside.

    carry_out: bring the change up on the stand-in clouds, too, so that every value of the footprint is known.
    prove_undo: after that, preview the old definition again: the way back.
    """

    project: Project
    stack: str
    baseline: Baseline
    overlay: Path | None = None
    policies: Path | None = None
    keep: Path | None = None
    carry_out: bool = False
    prove_undo: bool = False


class Refused(BaseModel):
    """The engine would not carry the change out; ``why`` in its own words, one line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    why: str


class Rehearsal(BaseModel):
    """The plan, and what a reader must know of how it came about. Seconds per stage in ``timings``.

    state: the stack before the change.
    footprint: all that the stack declares once the change is carried out; None when that was not asked for.
    way_back: the plan from there to the old definition; None when that was not asked for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    plan: Plan
    engine_version: str
    timings: dict[str, float]
    state: State
    footprint: Footprint | Refused | None = None
    way_back: Plan | Refused | None = None
    unlisted_types: frozenset[str] = frozenset()
    undecided: frozenset[tuple[str, str]] = frozenset()
    unreadable_secrets: frozenset[str] = frozenset()


@dataclass
class Stopwatch:
    say: Say
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, doing: str) -> Iterator[None]:
        self.say(f"{name}: {doing}")
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 2)
        self.say(f"{name}: done in {self.seconds[name]:.1f} s")


def rehearse(request: Request, toolchain: Toolchain, say: Say) -> Rehearsal:
    """Run the whole rehearsal. Raises TollgateError when the program, the settings or the engine fail."""
    secret = passphrase()
    head = read_settings(request.project.stack_file(request.stack), overlay=request.overlay, opens=secret is not None)
    watch = Stopwatch(say)
    keep = request.keep is not None
    with workspace(request.project, request.stack, toolchain, passphrase=secret, keep=keep) as space:
        state = None
        if request.baseline.state is not None:
            state = importable_state(request.baseline.state, project=request.project.name, stack=request.stack)
        python = environment_python(request.project)
        packages = packages_installed(python) | (packages_in(state) if state else frozenset())
        with stand_ins(packages, python) as cloud:
            salt = space.create_stack(head.salt)
            run = Run(request, space, cloud, salt, say)
            base = None if state is not None else run.base(opens=secret is not None)
            with watch.stage("baseline", f"bringing up {request.baseline.description}"):
                if state is not None:
                    run.import_state(state)
                elif base is not None:
                    run.bring_up(base)
                before = read_state(run.export())
            change = Definition(request.project.root, head, HEAD)
            with watch.stage("preview", f"the change to {request.stack}"):
                plan = run.preview(change)
            footprint, way_back = None, None
            if request.carry_out or request.prove_undo:
                with watch.stage("footprint", "carrying the change out on the stand-in clouds"):
                    footprint = run.carry_out(change)
            if request.prove_undo:
                with watch.stage("way back", "previewing the old definition over the changed footprint"):
                    way_back = footprint if isinstance(footprint, Refused) else run.preview_way_back(base)
            result = Rehearsal(
                plan=plan.model_copy(update={"notes": (*plan.notes, *notes(request, head))}),
                state=before,
                footprint=footprint,
                way_back=way_back,
                engine_version=toolchain.version,
                timings=watch.seconds,
                unlisted_types=cloud.unlisted_types,
                undecided=cloud.undecided,
                unreadable_secrets=cloud.unreadable_secrets,
            )
        if request.keep is not None:
            leave(space.folder, request.keep)
    return result


def notes(request: Request, head: StackSettings) -> Iterator[str]:
    """What this rehearsal could not take from the real world."""
    yield "The clouds were stand-ins: input checks and replacements follow recorded facts of the providers."
    if request.policies is None:
        yield "No policy pack was run."
    if head.hidden:
        yield f"{len(head.hidden)} encrypted settings got a stand-in value: the passphrase was not given."


@dataclass(frozen=True)
class Definition:
    """A program and its settings: what can be brought up or previewed. file: the settings' name in the workspace."""

    root: Path
    settings: StackSettings
    file: str


@dataclass(frozen=True)
class Run:
    """One rehearsal under way."""

    request: Request
    space: Workspace
    cloud: StandIns
    salt: str
    say: Say

    def base(self, *, opens: bool) -> Definition | None:
        """The baseline's definition; None when there was none."""
        project, request = self.request.project, self.request
        if request.baseline.kind is Kind.NOTHING:
            return None
        then: Project | None = project
        if request.baseline.kind is Kind.COMMIT:
            then = check_out(project, request.baseline, self.space.folder / "base")
        if then is None or request.stack not in then.stacks():
            self.say(f"the stack {request.stack} did not exist at {request.baseline.description}: all is new")
            return None
        settings = read_settings(then.stack_file(request.stack), overlay=None, opens=opens)
        return Definition(then.root, settings, "baseline.yaml")

    def bring_up(self, base: Definition) -> None:
        """Apply the baseline's definition to the stand-in clouds."""
        outcome = self.apply(base, "baseline")
        if outcome.code != 0:
            raise failure(
                f"The baseline, {self.request.baseline.description}, could not be brought up.", outcome, base.root
            )

    def apply(self, wanted: Definition, stage: str) -> Outcome:
        arguments = [*APPLY, str(self.write(wanted.settings, wanted.file))]
        return self.stream(arguments, wanted.root, Progress(stage, self.say), SKIP_CHECKPOINTS)

    def import_state(self, state: dict[str, Any]) -> None:
        file = self.space.folder / "state.json"
        file.write_text(json.dumps(sealed_with(state, self.salt)))
        self.space.cli.run(
            ["stack", "import", "--file", str(file), "--stack", self.space.full_name], cwd=self.space.shadow
        )
        file.unlink()

    def preview(self, wanted: Definition, *, pack: bool = True) -> Plan:
        """The plan from what stands to what is wanted, with what the pack says of it."""
        builder, progress = PlanBuilder(), Progress("preview", self.say)
        arguments = ["preview", "--config-file", str(self.write(wanted.settings, wanted.file))]
        if pack and self.request.policies is not None:
            arguments += ["--policy-pack", str(self.request.policies)]

        def on_event(event: Event) -> None:
            builder.feed(event)
            progress(event)

        outcome = self.stream(arguments, wanted.root, on_event, {})
        with_overlay = f", with the settings of {self.request.overlay}," if self.request.overlay else ""
        sentence = f"The change to {self.request.stack}{with_overlay} could not be previewed."
        try:
            plan = builder.plan()
        except TollgateError:
            if outcome.errors:  # the engine gave up before its summary, as when a pack does not start
                raise failure(sentence, outcome, wanted.root) from None
            raise
        refused = any(violation.mandatory for violation in plan.policy.violations) if plan.policy else False
        errors = [text for text in outcome.errors if not is_part_of_the_plan(text)]
        if errors or (outcome.code != 0 and not refused and not outcome.errors):
            raise failure(sentence, Outcome(outcome.code, errors=tuple(errors)), wanted.root)
        return plan

    def carry_out(self, change: Definition) -> Footprint | Refused:
        """Apply the head, which was previewed before, and read what the stack then holds. The pack has no say here."""
        outcome = self.apply(change, "footprint")
        if outcome.code != 0:
            said = " ".join(" ".join(outcome.errors).split()) or f"exit code {outcome.code}"
            return Refused(why=said)
        return read_footprint(self.export())

    def export(self) -> str:
        """What the stack holds now, as the engine writes it."""
        return self.space.cli.run(["stack", "export", "--stack", self.space.full_name], cwd=self.space.shadow).stdout

    def preview_way_back(self, base: Definition | None) -> Plan | Refused:
        """The plan back to the baseline. The pack is not asked: the baseline stood before."""
        if base is None:
            return Refused(why="there is no earlier definition here to go back to")
        try:
            return self.preview(base, pack=False)
        except TollgateError as error:
            return Refused(why=error.message)

    def write(self, settings: StackSettings, name: str) -> Path:
        """The settings as a file for the engine; values that could not be decrypted get an encrypted stand-in."""
        file = write_settings(settings, self.space.folder / name, self.salt)
        if settings.hidden:
            pairs = [word for path in settings.hidden for word in ("--secret", f"{path}={STAND_IN_SECRET}")]
            options = ["--path", "--config-file", str(file), "--stack", self.space.full_name]
            self.space.cli.run(["config", "set-all", *options, *pairs], cwd=self.space.shadow)
        return file

    def stream(self, arguments: list[str], cwd: Path, on_event: object, extra: Mapping[str, str]) -> Outcome:
        environment = {**extra, "PULUMI_DEBUG_PROVIDERS": self.cloud.debug_providers}
        options = ["--stack", self.space.full_name]
        return self.space.cli.stream([*arguments, *options], cwd=cwd, on_event=on_event, extra=environment)  # type: ignore[arg-type]


def is_part_of_the_plan(error: str) -> bool:
    """True when the engine refuses what the plan itself shows: a mandatory violation, a protected deletion."""
    return error in REFUSED or any(words in error for words in PROTECTED)


class Progress:
    """Says every few seconds how many resources the engine has been through."""

    def __init__(self, stage: str, say: Say) -> None:
        self.stage, self.say = stage, say
        self.seen: Counter[str] = Counter()
        self.spoken = time.monotonic()

    def __call__(self, event: Event) -> None:
        done = event.get("resOutputsEvent")
        if not done:
            return
        self.seen[str(done.get("metadata", {}).get("op"))] += 1
        if time.monotonic() - self.spoken > SAY_EVERY_SECONDS:
            self.spoken = time.monotonic()
            self.say(f"{self.stage}: {', '.join(f'{count} {op}' for op, count in sorted(self.seen.items()))}")


def failure(sentence: str, outcome: Outcome, root: Path) -> TollgateError:
    """The engine's own words, one problem a message."""
    texts = outcome.errors or (f"the engine ended with exit code {outcome.code} and gave no reason",)
    unique = dict.fromkeys(text.replace(f"{root}/", "") for text in texts)
    return TollgateError(sentence, [Problem("", text.replace("\n", "\n  ")) for text in unique])


def environment_python(project: Project) -> Path | None:
    """The interpreter of the project's own environment; None: the one this tool runs in."""
    if not project.virtualenv:
        return None
    python = project.root / project.virtualenv / "bin" / "python"
    return python if python.exists() else None


def leave(folder: Path, target: Path) -> None:
    """Move a finished workspace to where the user asked for it."""
    if target.exists():
        raise TollgateError(f"{target} exists already; the rehearsal is left in {folder}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(folder, target)


def default_keep(stack: str) -> Path:
    return cache_folder() / "kept" / f"{stack}-{time.strftime('%Y%m%d-%H%M%S')}"
