"""`tollgate policy test`: everything that can be wrong with a pack and its registers, all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path

from tollgate.engine.cache import Say
from tollgate.engine.project import Project
from tollgate.engine.toolchain import Toolchain
from tollgate.errors import Problem, TollgateError
from tollgate.policy.analyzer import HONEST
from tollgate.policy.ask import ask, running
from tollgate.policy.configuration import read_configuration
from tollgate.policy.controls import control_problems, read_book
from tollgate.policy.examples import example_problems
from tollgate.policy.exceptions import FILE, Register, read_register, register_problems
from tollgate.policy.load import load_pack
from tollgate.policy.pack import Pack
from tollgate.policy.server import CONFIGURATION, REGISTER
from tollgate.policy.statement import said
from tollgate.policy_pipeline import pack_folder
from tollgate.rehearsal.packages import sdk_folders
from tollgate.rehearsal.record import record
from tollgate.rehearsal.rehearse import environment_python
from tollgate.rehearsal.sdk_types import Sdk


def check_policies(project: Project, today: date, find: Callable[[], Toolchain], say: Say) -> tuple[Problem, ...]:
    """All problems, one sentence each. The engine is asked only about stacks that an exception is for."""
    folder = pack_folder(project)
    try:
        pack = load_pack(folder)
    except TollgateError as error:
        return error.problems or (Problem("", error.message),)
    registers = folder / REGISTER
    checks: list[Callable[[], Iterable[Problem]]] = [
        lambda: example_problems(pack),
        lambda: type_problems(pack, project),
        lambda: control_problems(pack.statements, read_book(registers)),
        lambda: _elsewhere(project, registers),
        lambda: _configuration(folder, pack),
        lambda: _exceptions(project, pack, registers, today),
    ]
    problems = [problem for check in checks for problem in _tell(check)]
    if not problems:
        problems = _tell(lambda: _in_use(project, registers, find, say))
    return tuple(problems)


def _tell(check: Callable[[], Iterable[Problem]]) -> list[Problem]:
    """The problems that a check finds; when it cannot go on, what stopped it."""
    try:
        return list(check())
    except TollgateError as error:
        return list(error.problems) or [Problem("", error.message)]


def type_problems(pack: Pack, project: Project) -> Iterator[Problem]:
    """Type tokens that no installed SDK has: such a rule could never fire."""
    sdks = {name: Sdk(folder) for name, folder in sdk_folders(environment_python(project)).items()}
    tokens = [(rule.id, token) for rule in pack.rules for token in rule.types]
    tokens += [(rule.id, token) for rule in pack.cross for token in (*rule.types, *rule.reads)]
    for rule, token in dict.fromkeys(tokens):
        package, module, name = token.split(":")
        a_provider = (package, module) == ("pulumi", "providers")
        if a_provider:  # the engine's own type, one for each package
            package = name
        if package not in sdks:
            yield Problem(rule, f"{token}: no SDK of the package {package} is installed")
        elif not (a_provider or sdks[package].registers(token) or _is_custom(package, module)):
            yield Problem(rule, f"{token}: the SDK of {package} has no such type")


def _is_custom(package: str, module: str) -> bool:
    """A Kubernetes custom resource: its group is a domain name, and not one of Kubernetes' own."""
    group = module.partition("/")[0]
    return package == "kubernetes" and "." in group and not group.endswith(".k8s.io")


def _elsewhere(project: Project, registers: Path) -> Iterator[Problem]:
    if project.registers is not None and project.registers.resolve() != registers.resolve():
        yield Problem(
            "pyproject.toml",
            f"[tool.tollgate] registers is {project.registers}, but the pack reads {registers}; name that one",
        )


def _configuration(folder: Path, pack: Pack) -> Iterator[Problem]:
    read_configuration(folder / CONFIGURATION, pack)
    yield from ()


def _exceptions(project: Project, pack: Pack, registers: Path, today: date) -> Iterator[Problem]:
    register = read_register(registers)
    yield from register_problems(register, {rule.id for rule in pack.statements}, registers / FILE)
    stacks = project.stacks()
    for waiver in register.exceptions:
        named = f"the exception from {waiver.rule} for {waiver.resource}"
        if waiver.ended(today):
            yield Problem(FILE, f"{named} ended on {waiver.expires}; mend the resource, or have it agreed anew")
        if "*" not in waiver.stack and waiver.stack not in stacks:
            yield Problem(FILE, f"{named} is for a stack that is not there ({', '.join(stacks)})")


def _in_use(project: Project, registers: Path, find: Callable[[], Toolchain], say: Say) -> Iterator[Problem]:
    """Exceptions that nothing needs, or that cover too much: only the stacks themselves show that."""
    register: Register = read_register(registers)
    folder = pack_folder(project)
    for stack in sorted({waiver.stack for waiver in register.exceptions}):
        say(f"{stack}: recording its resources")
        recording = record(project, stack, find(), lambda _: None)
        with running(folder) as stub:
            for result in ask(stub, recording):
                if result.rule == HONEST.id and result.message:
                    yield Problem(FILE, said(result.message).found)
