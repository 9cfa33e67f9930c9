"""The whole gate, left to right: plan, assessment, decision, report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from tollgate.assess.assess import NO_REGISTER, assess
from tollgate.assess.consequences import UndoProof
from tollgate.assess.model import Assessment
from tollgate.assess.naming import short
from tollgate.assess.proof import prove, refuted
from tollgate.assess.registers import Registers, read_registers
from tollgate.assess.weigh import Known
from tollgate.engine.cache import Say
from tollgate.engine.find import find
from tollgate.engine.project import Project
from tollgate.errors import TollgateError
from tollgate.gate.decide import decide
from tollgate.gate.model import Decision
from tollgate.plan.collector import collector_paused
from tollgate.plan.footprint import Footprint, with_footprint
from tollgate.plan.read import read_plan
from tollgate.plan.state import read_state
from tollgate.policy_pipeline import report_of_plan
from tollgate.rehearsal.baseline import Baseline, choose
from tollgate.rehearsal.rehearse import Refused, Rehearsal, Request, Stopwatch, default_keep, rehearse
from tollgate.report.model import Report, build_report
from tollgate.report.parts import Stage, Subject
from tollgate.report.rules.model import PolicyReport
from tollgate.scan.environment import Environment, environment
from tollgate.scan.model import NotRun, Scan
from tollgate.scan.register import Register, read_register
from tollgate.scan.scan import scan_footprint


@dataclass(frozen=True)
class Options:
    """What the user asked ``tollgate rehearse`` for.

    checkov: whether it looks at the footprint, too. prove_undo: whether the way back is rehearsed. incident: id of a
    declared incident.
    """

    stack: str
    base: str | None = None
    state: Path | None = None
    what_if: Path | None = None
    from_nothing: bool = False
    keep: bool = False
    checkov: bool = True
    prove_undo: bool = False
    incident: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a rehearsal ends with. policy: what the pack said, None: none ran. kept: where its files were left."""

    decision: Decision
    report: Report
    policy: PolicyReport | None
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
    register = read_register(project.policies)
    scanner = scanner_for(say) if options.checkov else None
    request = Request(
        project=project,
        stack=options.stack,
        baseline=baseline,
        overlay=options.what_if,
        policies=project.policies,
        keep=default_keep(options.stack) if options.keep else None,
        carry_out=True,
        prove_undo=options.prove_undo,
    )
    registers = read_registers(project.registers)
    rehearsal = rehearse(request, find(say), say)
    watch = Stopwatch(say, dict(rehearsal.timings))
    scan = looked_at(rehearsal, scanner, watch)
    assessment = assess_rehearsal(
        rehearsal, registers, now.date(), incident=options.incident, scan=scan, register=register
    )
    decision = decide(assessment)
    subject = subject_of(options, baseline, rehearsal.engine_version, watch.seconds, project, now)
    report = build_report(decision, subject=subject)
    return Outcome(decision, report, report_of_plan(project, options.stack, rehearsal.plan.policy), request.keep)


def assess_rehearsal(
    rehearsal: Rehearsal,
    registers: Registers,
    today: date,
    *,
    incident: str = "",
    scan: Scan | NotRun | None = None,
    register: Register = NO_REGISTER,
) -> Assessment:
    """What the rehearsed change means. The keywords are those of tollgate.assess.assess and of its Known."""
    footprint = rehearsal.footprint if isinstance(rehearsal.footprint, Footprint) else None
    return assess(
        with_footprint(rehearsal.plan, footprint) if footprint else rehearsal.plan,
        state=rehearsal.state,
        unlisted_types=rehearsal.unlisted_types,
        undecided=rehearsal.undecided,
        unreadable_secrets=rehearsal.unreadable_secrets,
        scan=scan,
        register=register,
        known=Known(
            registers=registers,
            today=today,
            incident=incident,
            region=footprint.region if footprint else "",
            proof=proof_of(rehearsal),
        ),
    )


def scanner_for(say: Say) -> Environment | NotRun:
    """checkov's environment, made if need be; or why there is none."""
    try:
        return environment(say)
    except TollgateError as error:
        return NotRun(why=" ".join(str(error).split()))


def looked_at(rehearsal: Rehearsal, scanner: Environment | NotRun | None, watch: Stopwatch) -> Scan | NotRun | None:
    """What checkov makes of the footprint that the rehearsal ended with. None: it was not asked for."""
    if not isinstance(scanner, Environment):
        return scanner
    if isinstance(rehearsal.footprint, Refused):
        return NotRun(why=f"the engine did not carry the change out ({short(rehearsal.footprint.why)})")
    if rehearsal.footprint is None:
        return NotRun(why="the change was not carried out")
    with watch.stage("checkov", "looking at the whole footprint"):
        return scan_footprint(rehearsal.footprint, scanner)


def proof_of(rehearsal: Rehearsal) -> UndoProof | None:
    """What the rehearsal of the way back showed. None: it was not asked for."""
    if rehearsal.way_back is None:
        return None
    if isinstance(rehearsal.way_back, Refused):
        return refuted(f"The way back could not be rehearsed: {short(rehearsal.way_back.why)}")
    footprint = rehearsal.footprint
    there = with_footprint(rehearsal.plan, footprint) if isinstance(footprint, Footprint) else rehearsal.plan
    return prove(there, rehearsal.way_back)


def subject_of(
    options: Options,
    baseline: Baseline,
    engine_version: str,
    seconds: Mapping[str, float],
    project: Project,
    now: datetime,
) -> Subject:
    """What the report is about, in words."""
    change = f"the settings in {options.what_if}" if options.what_if else "the working tree"
    return Subject(
        project=project.name,
        stack=options.stack,
        compared=f"{change}, compared with {baseline.description}",
        engine_version=engine_version,
        stand_ins=True,
        generated_at=now,
        durations=tuple(Stage(name=name, seconds=taken) for name, taken in seconds.items()),
        repeat=command_of(options),
    )


def command_of(options: Options) -> str:
    """The command that repeats this rehearsal."""
    words = ["tollgate", "rehearse", options.stack]
    given = {"--base": options.base, "--state": options.state, "--what-if": options.what_if}
    for name, value in {**given, "--incident": options.incident}.items():
        if value:
            words += [name, str(value)]
    flags = [
        ("--from-nothing", options.from_nothing),
        ("--no-checkov", not options.checkov),
        ("--prove-undo", options.prove_undo),
    ]
    return " ".join([*words, *(name for name, wanted in flags if wanted)])


def assess_file(plan: Path, state: Path | None, registers: Path | None = None, today: date = date.max) -> Decision:
    """Decide on a plan that Pulumi itself printed, from any project. ``today``: registers are read as on this day."""
    if registers is not None and not registers.is_dir():
        raise TollgateError(
            f"{registers} is no folder of registers.", advice="name the folder that holds services.yaml"
        )
    known = Known(registers=read_registers(registers), today=today)
    with collector_paused():
        before = read_state(read_bytes(state)) if state else None
        return decide(assess(read_plan(read_bytes(plan)), state=before, known=known))


def read_bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise TollgateError(f"{file} cannot be read: {error.strerror}.") from error
