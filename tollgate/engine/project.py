"""A Pulumi project on disk: where its parts are, and which stacks it declares."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from tollgate.errors import Problem, TollgateError


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Table(Frozen):
    """``[tool.tollgate]`` in pyproject.toml. All paths are relative to it; every key may be left out."""

    program: str = "."
    stacks: str | None = None
    policies: str | None = None
    registers: str | None = None
    output: str = "out"


class Project(Frozen):
    """root: the folder of Pulumi.yaml. name: the project's name there. policies: the pack, if there is one; registers:
    what people keep beside it, such as exceptions."""

    root: Path
    name: str
    stack_folder: Path
    policies: Path | None
    registers: Path | None
    output: Path
    virtualenv: str | None

    def stacks(self) -> tuple[str, ...]:
        """Names of the stacks that have a file."""
        files = sorted(self.stack_folder.glob("Pulumi.*.yaml"))
        return tuple(file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in files)

    def stack_file(self, stack: str) -> Path:
        """The file of ``stack``. Raises TollgateError that names the stacks there are."""
        file = self.stack_folder / f"Pulumi.{stack}.yaml"
        if file.is_file():
            return file
        known = self.stacks()
        near = difflib.get_close_matches(stack, known, n=1)
        guess = f"; did you mean {near[0]}?" if near else "."
        raise TollgateError(
            f"There is no stack {stack!r}: {file} does not exist{guess}",
            [Problem("", f"stacks here: {', '.join(known) or 'none'}")],
        )

    def elsewhere(self, root: Path) -> Project:
        """The same project as it stands in another checkout, with its own settings there."""
        return load(root)


def find_project(start: Path) -> Project:
    """The project that ``start`` is in: the nearest folder upwards with a Pulumi.yaml."""
    for folder in (start.absolute(), *start.absolute().parents):
        if (folder / "Pulumi.yaml").is_file():
            return load(folder)
    raise TollgateError(
        f"No Pulumi.yaml in {start.absolute()} or any folder above it.",
        advice="run this inside a Pulumi project",
    )


def load(root: Path) -> Project:
    """Read Pulumi.yaml and [tool.tollgate]. Raises TollgateError with file and line of what is wrong."""
    content = read_yaml(root / "Pulumi.yaml")
    name = content.get("name")
    if not isinstance(name, str) or not name:
        raise TollgateError("The project has no name.", [Problem(f"{root / 'Pulumi.yaml'}", "write `name: …`")])
    table = read_table(root / "pyproject.toml")
    stack_folder = table.stacks or content.get("stackConfigDir") or "."
    return Project(
        root=root,
        name=name,
        stack_folder=root / stack_folder,
        policies=root / table.policies if table.policies else None,
        registers=root / table.registers if table.registers else None,
        output=root / table.output,
        virtualenv=virtualenv(content),
    )


def virtualenv(content: dict[str, Any]) -> str | None:
    runtime = content.get("runtime")
    options = runtime.get("options") if isinstance(runtime, dict) else None
    return options.get("virtualenv") if isinstance(options, dict) else None


def read_table(file: Path) -> Table:
    if not file.is_file():
        return Table()
    try:
        content = tomllib.loads(file.read_text())
        return Table.model_validate(content.get("tool", {}).get("tollgate", {}))
    except tomllib.TOMLDecodeError as error:
        raise TollgateError(f"{file} cannot be read: {error}.") from error
    except ValidationError as error:
        raise TollgateError(
            f"[tool.tollgate] in {file} is not right.",
            [
                Problem(
                    str(file),
                    f"{'.'.join(map(str, item['loc']))}: {item['msg']}; keys: {', '.join(Table.model_fields)}",
                )
                for item in error.errors()
            ],
        ) from error


def read_yaml(file: Path) -> dict[str, Any]:
    """A YAML mapping. Raises TollgateError with file and line when it does not parse or is not a mapping."""
    try:
        content = yaml.safe_load(file.read_text())
    except OSError as error:
        raise TollgateError(f"{file} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}" if mark else str(file)
        what = getattr(error, "problem", None) or str(error)
        raise TollgateError("This file is not YAML.", [Problem(where, what)]) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise TollgateError(f"{file} must be a mapping of keys to values; it is a {type(content).__name__}.")
    return content
