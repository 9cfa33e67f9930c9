"""``tollgate policy``: the rules, their exceptions, and what they come to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tollgate.cli_progress import progress
from tollgate.errors import TollgateError

if TYPE_CHECKING:
    from tollgate.engine.project import Project
    from tollgate.policy.pack import Pack

ERROR, WAIT = 1, 3

policy_app = typer.Typer(help="The rules, their exceptions, and what they come to.", no_args_is_help=True)


@policy_app.command("list")
def list_rules() -> None:
    """Every rule, one line each: severity, id, and why."""
    from tollgate.report.rules.terminal import rule_lines  # noqa: PLC0415

    for line in rule_lines(_pack(_project())):
        typer.echo(line)


@policy_app.command()
def explain(rule: Annotated[str, typer.Argument(help="The id of the rule, as `tollgate policy list` has it.")]) -> None:
    """All there is to say of one rule: what it demands and why, examples, and the exceptions in force."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from tollgate.policy.controls import read_book  # noqa: PLC0415
    from tollgate.policy.exceptions import read_register  # noqa: PLC0415
    from tollgate.policy_pipeline import register_folder  # noqa: PLC0415
    from tollgate.report.rules.explain import explained, find_rule  # noqa: PLC0415

    project = _project()
    folder = register_folder(project)
    found = find_rule(_pack(project), rule)
    typer.echo(explained(found, read_book(folder), read_register(folder), datetime.now(UTC).date()))


@policy_app.command("test")
def test_pack() -> None:
    """Check statements, examples, types, controls, exceptions and configuration, and say all that is wrong."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from tollgate.engine.find import find  # noqa: PLC0415
    from tollgate.policy_checks import check_policies  # noqa: PLC0415

    project = _project()
    with progress() as say:
        problems = check_policies(project, datetime.now(UTC).date(), lambda: find(say), say)
    if problems:
        raise TollgateError("The policy pack or its register is not right.", problems)
    typer.echo("The policy pack and its registers are right.")


@policy_app.command("except")
def make_exception(
    rule: Annotated[str, typer.Argument(help="The id of the rule.")],
    resource: Annotated[str, typer.Argument(help="The URN of the resource; * may stand in its parents and name.")],
) -> None:
    """Write a draft of an exception into the register. It is refused until a person fills it in."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from tollgate.policy.draft import write_draft  # noqa: PLC0415
    from tollgate.policy_pipeline import register_folder  # noqa: PLC0415

    project = _project()
    pack = _pack(project)
    ids = {statement.id for statement in pack.statements}
    where = write_draft(register_folder(project), rule, resource, ids, datetime.now(UTC).date())
    typer.echo(f"A draft stands in {where}")
    typer.echo("Fill in owner, reason, approver, expires and instead; until then the pack does not start.")


@policy_app.command()
def report(
    stack: Annotated[list[str] | None, typer.Argument(help="Stacks to report on [default: all].")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the reports [default: out/ in the project].")] = None,
) -> None:
    """What every rule comes to on every stack as it stands, and what each control rests on."""
    from tollgate.engine.find import find  # noqa: PLC0415
    from tollgate.policy_pipeline import places_of, report_of_stacks  # noqa: PLC0415
    from tollgate.report.rules.files import write_policy_outputs  # noqa: PLC0415
    from tollgate.report.rules.terminal import report_lines  # noqa: PLC0415

    project = _project()
    with progress() as say:
        made = report_of_stacks(project, _stacks(project, stack), find(say), say)
    files = write_policy_outputs(made, places_of(project), out or project.output)
    for line in (*report_lines(made), *map(str, files)):
        typer.echo(line)
    raise typer.Exit(ERROR if made.stops else 0)


@policy_app.command()
def replay(
    base: Annotated[str, typer.Option(help="The git commit, branch or tag whose rules are compared.")],
    stack: Annotated[list[str] | None, typer.Option(help="Only these stacks [default: all].")] = None,
) -> None:
    """What the change to the rules would newly stop, and newly let through. Exit code 3 when there is anything."""
    from tollgate.engine.find import find  # noqa: PLC0415
    from tollgate.policy_replay import replay as compare  # noqa: PLC0415
    from tollgate.report.rules.terminal import replay_lines  # noqa: PLC0415

    project = _project()
    with progress() as say:
        found = compare(project, base, _stacks(project, stack), find(say), say)
    for line in replay_lines(found):
        typer.echo(line)
    raise typer.Exit(WAIT if found.differences else 0)


@policy_app.command()
def analyze(
    state: Annotated[Path, typer.Option(help="What `pulumi stack export` wrote.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the reports [default: out/ in the project].")] = None,
) -> None:
    """Run the rules over what is there today, from an exported state. No cloud is asked."""
    from tollgate.engine.find import find  # noqa: PLC0415
    from tollgate.policy_pipeline import places_of, report_of_state  # noqa: PLC0415
    from tollgate.report.rules.files import write_policy_outputs  # noqa: PLC0415
    from tollgate.report.rules.terminal import report_lines  # noqa: PLC0415

    project = _project()
    with progress() as say:
        made = report_of_state(project, state, find(say))
    files = write_policy_outputs(made, places_of(project), out or project.output)
    for line in (*report_lines(made), *map(str, files)):
        typer.echo(line)
    raise typer.Exit(ERROR if made.stops else 0)


def _project() -> Project:
    from tollgate.engine.project import find_project  # noqa: PLC0415

    return find_project(Path.cwd())


def _pack(project: Project) -> Pack:
    from tollgate.policy.load import load_pack  # noqa: PLC0415
    from tollgate.policy_pipeline import pack_folder  # noqa: PLC0415

    return load_pack(pack_folder(project))


def _stacks(project: Project, named: list[str] | None) -> tuple[str, ...]:
    for stack in named or ():
        project.stack_file(stack)
    return tuple(named or project.stacks())
