"""The whole gate, left to right: plan, assessment, decision, report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tollgate.assess.assess import assess
from tollgate.engine.cache import Say
from tollgate.engine.find import find
from tollgate.engine.project import Project
from tollgate.errors import TollgateError
from tollgate.gate.decide import decide
from tollgate.gate.model import Decision
from tollgate.plan.read import read_plan
from tollgate.plan.state import read_state
from tollgate.rehearsal.baseline import Baseline, choose
from tollgate.rehearsal.rehearse import Rehearsal, Request, default_keep, rehearse
from tollgate.report.model import Report, build_report
from tollgate.report.parts import Stage, Subject


@dataclass(frozen=True)
class Options:
    """What the user asked ``tollgate rehearse`` for."""

    stack: str
    base: str | None = None
    state: Path | None = None
    what_if: Path | None = None
    from_nothing: bool = False
    keep: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a rehearsal ends with. ``kept``: where its files were left, when they were."""

    decision: Decision
    report: Report
    kept: Path | None


def rehearse_change(options: Options, project: Project, now: datetime, say: Say) -> Outcome:
    """Rehearse, assess, decide and explain one change to one stack."""
    project.stack_file(options.stack)
    baseline = choose(
        project,
        base=options.base,
        state=options.state,
        what_if=options.what_if,
        from_nothing=options.from_nothing,
    )
    request = Request(
        project=project,
        stack=options.stack,
        baseline=baseline,
        overlay=options.what_if,
        policies=project.policies,
        keep=default_keep(options.stack) if options.keep else None,
    )
    rehearsal = rehearse(request, find(say), say)
    assessment = assess(
        rehearsal.plan,
        unlisted_types=rehearsal.unlisted_types,
        undecided=rehearsal.undecided,
        unreadable_secrets=rehearsal.unreadable_secrets,
    )
    decision = decide(assessment)
    report = build_report(decision, subject=subject_of(options, baseline, rehearsal, project, now))
    return Outcome(decision, report, request.keep)


def subject_of(options: Options, baseline: Baseline, rehearsal: Rehearsal, project: Project, now: datetime) -> Subject:
    """What the report is about, in words."""
    change = f"the settings in {options.what_if}" if options.what_if else "the working tree"
    return Subject(
        project=project.name,
        stack=options.stack,
        compared=f"{change}, compared with {baseline.description}",
        engine_version=rehearsal.engine_version,
        stand_ins=True,
        generated_at=now,
        durations=tuple(Stage(name=name, seconds=seconds) for name, seconds in rehearsal.timings.items()),
        repeat=command_of(options),
    )


def command_of(options: Options) -> str:
    """The command that repeats this rehearsal."""
    words = ["tollgate", "rehearse", options.stack]
    for name, value in (("--base", options.base), ("--state", options.state), ("--what-if", options.what_if)):
        if value:
            words += [name, str(value)]
    return " ".join([*words, *(["--from-nothing"] if options.from_nothing else [])])


def assess_file(plan: Path, state: Path | None) -> Decision:
    """Decide on a plan that Pulumi itself printed, from any project."""
    before = read_state(read_bytes(state)) if state else None
    return decide(assess(read_plan(read_bytes(plan)), state=before))


def read_bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise TollgateError(f"{file} cannot be read: {error.strerror}.") from error
