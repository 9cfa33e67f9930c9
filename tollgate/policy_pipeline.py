"""What `tollgate policy` does, left to right: the project's pack, resources, answers, a report."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tollgate.assess.policy import policy_results
from tollgate.engine.cache import Say
from tollgate.engine.command import Event
from tollgate.engine.project import Project
from tollgate.engine.toolchain import Toolchain
from tollgate.errors import Problem, TollgateError
from tollgate.plan.model import PolicyResults
from tollgate.plan.policy_events import PolicyReader
from tollgate.plan.state import STATE_ADVICE, read_state
from tollgate.plan.urn import split_urn
from tollgate.policy.ask import ask, running
from tollgate.policy.controls import Book, read_book
from tollgate.policy.load import is_pack, load_pack
from tollgate.policy.server import REGISTER
from tollgate.policy.statement import Statement
from tollgate.rehearsal.record import record
from tollgate.rehearsal.settings import passphrase
from tollgate.rehearsal.workspace import workspace
from tollgate.report.rules.model import PolicyReport, Seen, build_policy_report
from tollgate.report.rules.places import Places, find_places


def pack_folder(project: Project) -> Path:
    """The project's pack. Raises TollgateError when it has none."""
    if project.policies is None:
        raise TollgateError(
            f"The project {project.name} has no policy pack.",
            advice='name its folder in pyproject.toml: [tool.tollgate] policies = "policies"',
        )
    return project.policies


def register_folder(project: Project) -> Path:
    """Where the project keeps its exceptions and its book of controls: beside its rules."""
    return pack_folder(project) / REGISTER


def report_of_plan(project: Project, stack: str, policy: PolicyResults | None) -> PolicyReport | None:
    """The report of a preview; None when no pack ran. Rules of a pack that is not ours are named only."""
    if policy is None:
        return None
    statements: tuple[Statement, ...] = ()
    if project.policies is not None and is_pack(project.policies):
        statements = load_pack(project.policies).statements
    seen = {stack: Seen(policy_results(policy), policy.seen)}
    return _report(project, ", ".join(policy.packs), statements, seen)


def report_of_stacks(project: Project, stacks: Iterable[str], toolchain: Toolchain, say: Say) -> PolicyReport:
    """The report of whole stacks as they stand: each is previewed from nothing, and the pack asked about it."""
    folder = pack_folder(project)
    seen = {}
    for stack in stacks:
        say(f"{stack}: recording its resources")
        recording = record(project, stack, toolchain, lambda _: None)
        with running(folder) as stub:
            seen[stack] = Seen(ask(stub, recording), recording.urns)
    return _report(project, folder.name, load_pack(folder).statements, seen)


def report_of_state(project: Project, state: Path, toolchain: Toolchain) -> PolicyReport:
    """The report of what is there: the engine itself shows the pack an exported state, and asks no cloud."""
    folder = pack_folder(project)
    stack = stack_in(state)
    reader = PolicyReader()
    problems: list[Problem] = []
    with workspace(project, stack, toolchain, passphrase=passphrase(), keep=False) as space:
        arguments = ["policy", "analyze", "--file", str(state.absolute()), "--policy-pack", str(folder)]

        def on_event(event: Event) -> None:
            for key, payload in event.items():
                if isinstance(payload, dict):
                    problems.extend(reader.take(key, payload, key))

        outcome = space.cli.stream(arguments, cwd=project.root, on_event=on_event, extra={})
    results = reader.results()
    if problems or results is None or (outcome.code != 0 and not any(each.mandatory for each in results.violations)):
        texts = [Problem("", text) for text in outcome.errors] or problems
        raise TollgateError(f"The state in {state} could not be looked at.", texts)
    seen = {stack: Seen(policy_results(results), results.seen)}
    return _report(project, folder.name, load_pack(folder).statements, seen)


def stack_in(state: Path) -> str:
    """The stack that an exported state is of. Raises TollgateError when it is no such file."""
    try:
        resources = read_state(state.read_bytes()).resources
    except OSError as error:
        raise TollgateError(f"{state} cannot be read: {error.strerror}.", advice=STATE_ADVICE) from error
    parts = split_urn(resources[0].urn) if resources else None
    if parts is None:
        raise TollgateError(f"{state} holds no resources; there is nothing to look at.", advice=STATE_ADVICE)
    return parts.stack


def places_of(project: Project) -> Places:
    """Where the project's resources come from."""
    files = {stack: project.stack_file(stack) for stack in project.stacks()}
    return find_places(project.root, files)


def _report(project: Project, pack: str, statements: tuple[Statement, ...], seen: dict[str, Seen]) -> PolicyReport:
    book = read_book(register_folder(project)) if project.policies else Book()
    return build_policy_report(project.name, pack, statements, book, seen)
