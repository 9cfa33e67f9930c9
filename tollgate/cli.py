"""The ``tollgate`` command: parse, call, print. Exit codes: 0 allow, 1 error, 2 deny, 3 wait, 130 interrupted."""

from __future__ import annotations

import os
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from tollgate.cli_policy import policy_app
from tollgate.cli_progress import progress
from tollgate.errors import TollgateError

ERROR, INTERRUPTED = 1, 130

app = typer.Typer(
    name="tollgate",
    help="Takes a proposed infrastructure change to an assessed, decided and explained one.",
    epilog="Exit codes: 0 allow, 1 error, 2 deny, 3 wait, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
toolchain_app = typer.Typer(help="The Pulumi engine that tollgate runs.", no_args_is_help=True)
app.add_typer(toolchain_app, name="toolchain")
app.add_typer(policy_app, name="policy")


class Format(StrEnum):
    JSON = "json"
    TEXT = "text"


@app.command()
def rehearse(
    stack: Annotated[str | None, typer.Argument(help="The stack to rehearse, such as staging.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All stacks; reports in out/STACK/, worst exit code.")] = False,
    base: Annotated[str | None, typer.Option(help="Compare with this git commit, branch or tag.")] = None,
    state: Annotated[Path | None, typer.Option(help="Compare with this `pulumi stack export`.")] = None,
    what_if: Annotated[
        Path | None, typer.Option(help="Try these stack settings over the stack file (YAML, keys as there).")
    ] = None,
    from_nothing: Annotated[bool, typer.Option("--from-nothing", help="Compare with nothing: all is new.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the engine's files for a look inside.")] = False,
    checkov: Annotated[
        bool, typer.Option("--checkov/--no-checkov", help="Let checkov look at the whole footprint, too.")
    ] = True,
    prove_undo: Annotated[
        bool, typer.Option("--prove-undo", help="Rehearse the way back, too, and say whether it works.")
    ] = False,
    incident: Annotated[str, typer.Option(help="Id of a declared incident: makes it an emergency change.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder for the reports [default: out/ in the project].")] = None,
) -> None:
    """Run the change through the real engine on stand-in clouds, and write the decision and its report.

    With no baseline option the merge base with the main branch is the baseline. --what-if on its own compares
    the overlay with the present definition.
    """
    from datetime import UTC, datetime  # noqa: PLC0415

    from tollgate.engine.project import find_project  # noqa: PLC0415  (start-up stays fast)
    from tollgate.pipeline import Options, rehearse_change  # noqa: PLC0415
    from tollgate.policy_pipeline import places_of  # noqa: PLC0415
    from tollgate.report.files import write_outputs  # noqa: PLC0415
    from tollgate.report.rules.files import write_policy_outputs  # noqa: PLC0415
    from tollgate.report.terminal import print_line, print_summary  # noqa: PLC0415

    if (stack is None) is not every:
        raise TollgateError("Name one stack, or give --all.")
    project = find_project(Path.cwd())
    codes = []
    for name in project.stacks() if every else (str(stack),):
        options = Options(
            name,
            base,
            state,
            what_if,
            from_nothing=from_nothing,
            keep=keep,
            checkov=checkov,
            prove_undo=prove_undo,
            incident=incident,
        )
        folder = (out or project.output) / (name if every else "")
        try:
            with progress() as say:
                outcome = rehearse_change(options, project, datetime.now(UTC), say)
        except TollgateError as error:
            if not every:
                raise
            typer.secho(f"{name}: error: {error}", fg="red", err=True)
            codes.append(ERROR)
            continue
        files = write_outputs(outcome.report, outcome.decision.assessment, folder)
        if outcome.policy:
            files = (*files, *write_policy_outputs(outcome.policy, places_of(project), folder))
        if every:
            print_line(outcome.report, name)
        else:
            print_summary(outcome.report, files)
        if outcome.kept:
            typer.echo(f"The engine's files were left in {outcome.kept}")
        codes.append(outcome.decision.verdict.exit_code)
    raise typer.Exit(worst(codes))


def worst(codes: list[int]) -> int:
    """Of several exit codes the one that counts: error before deny before wait before allow."""
    return next((code for code in (ERROR, 2, 3) if code in codes), 0)


@app.command()
def assess(
    plan: Annotated[Path, typer.Option(help="What `pulumi preview --json` printed: digest or streamed events.")],
    state: Annotated[Path | None, typer.Option(help="The `pulumi stack export` before the change.")] = None,
    registers: Annotated[Path | None, typer.Option(help="Folder of the project's registers: services.yaml …")] = None,
    output_format: Annotated[Format, typer.Option("--format", help="How to print the answer.")] = Format.TEXT,
) -> None:
    """Say of any Pulumi plan whether it is routine (0), needs a review (3) or must stop (2)."""
    import json  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415

    from tollgate.pipeline import assess_file  # noqa: PLC0415
    from tollgate.report.assessment import assess_json, assess_text  # noqa: PLC0415

    decision = assess_file(plan, state, registers, datetime.now(UTC).date())
    if output_format is Format.JSON:
        typer.echo(json.dumps(assess_json(decision), indent=2))
    else:
        typer.echo(assess_text(decision))
    raise typer.Exit(decision.verdict.exit_code)


@app.command()
def explain(
    fact: Annotated[str, typer.Argument(help="The fact's id, its beginning, or a resource's name.")],
    of: Annotated[Path | None, typer.Option(help="The assessment [default: out/assessment.json].")] = None,
) -> None:
    """Say all that was made of one fact: rules, effects, services, money, the way back, with their sources."""
    from tollgate.engine.project import find_project  # noqa: PLC0415
    from tollgate.report.explain import explain as explained  # noqa: PLC0415
    from tollgate.report.explain import read_review  # noqa: PLC0415

    file = of or find_project(Path.cwd()).output / "assessment.json"
    typer.echo(explained(read_review(file), fact))


@app.command()
def measure(log: Annotated[Path, typer.Argument(help="What `pulumi up --yes --json` printed.")]) -> None:
    """Print how long each operation of a past run took, as lines for history.yaml: the next estimates learn from it."""
    from tollgate.assess.past_runs import as_lines, past_runs  # noqa: PLC0415
    from tollgate.pipeline import read_bytes  # noqa: PLC0415
    from tollgate.plan.text import decode  # noqa: PLC0415

    lines = as_lines(past_runs(decode(read_bytes(log)).splitlines()))
    typer.echo("\n".join(["operations:", *lines]))


@app.command()
def doctor() -> None:
    """Say what is here, what is missing and what to do about it."""
    from tollgate.engine.doctor import examine  # noqa: PLC0415
    from tollgate.scan.environment import condition  # noqa: PLC0415

    lines, healthy = examine(Path.cwd(), condition())
    for line in lines:
        typer.echo(line)
    raise typer.Exit(0 if healthy else ERROR)


@toolchain_app.command("install")
def toolchain_install() -> None:
    """Find the Pulumi engine, or fetch or build it into the user's cache folder."""
    from tollgate.engine.find import find  # noqa: PLC0415

    with progress() as say:
        found = find(say)
    typer.echo(f"Pulumi {found.version} ({found.source}): {found.pulumi}")


@toolchain_app.command("env")
def toolchain_env() -> None:
    """Print shell lines that put the engine and its language host on PATH: eval "$(tollgate toolchain env)"."""
    import shlex  # noqa: PLC0415

    from tollgate.engine.find import find  # noqa: PLC0415

    with progress() as say:
        environment = find(say).environment(dict(os.environ))
    for name in ("PATH", "TOLLGATE_PYTHON"):
        typer.echo(f"export {name}={shlex.quote(environment[name])}")


def main() -> NoReturn:
    """Entry point. A usage error exits with 1, because 2 means deny."""
    signal.signal(signal.SIGTERM, interrupt)
    command: Any = typer.main.get_command(app)
    try:
        code = command.main(standalone_mode=False)
    except TollgateError as error:
        typer.secho(f"Error: {error}", fg="red", err=True)
        code = ERROR
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        error.show()  # type: ignore[attr-defined]
        code = ERROR
    if code == INTERRUPTED:
        typer.echo("Interrupted; nothing is left running.", err=True)
    sys.exit(code or 0)


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
