"""YAML files with a closed schema: one error lists every problem, each with its line."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from tollgate.errors import Problem, TollgateError

Model = TypeVar("Model", bound=BaseModel)


class Closed(BaseModel):
    """Base of every model that a person writes as YAML: immutable, and no key that means nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


def read_document(file: Path, model: type[Model]) -> Model:
    """The file as its model. Raises TollgateError with file and line of everything that is wrong."""
    try:
        text = file.read_text(encoding="utf-8")
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except OSError as error:
        raise TollgateError(f"{file} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}" if mark else str(file)
        raise TollgateError(
            "This file is not YAML.", [Problem(where, getattr(error, "problem", "") or str(error))]
        ) from error
    problems = [Problem(f"{file}:{line}", f"{key} is written twice; keep one") for key, line in _twice(tree)]
    try:
        document = model.model_validate(content if content is not None else {})
    except ValidationError as error:
        problems += [_problem(file, tree, model, dict(item)) for item in error.errors()]
    if problems:
        raise TollgateError(f"{file.name} is not as it should be.", problems)
    return document


def line_of(file: Path, path: tuple[str | int, ...]) -> str:
    """``file:line`` of a place in a YAML file; the file alone when it cannot be told."""
    try:
        return f"{file}:{_line(yaml.compose(file.read_text(encoding='utf-8'), Loader=yaml.SafeLoader), path)}"
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return str(file)


def _problem(file: Path, tree: Any, model: type[BaseModel], item: dict[str, Any]) -> Problem:
    path = item["loc"]
    key = ".".join(map(str, path)) or "the file"
    said = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        known = sorted(_fields(model))
        near = get_close_matches(str(path[-1]), known, n=1)
        said = f"no such key; did you mean {near[0]}?" if near else f"no such key; keys: {', '.join(known)}"
    elif item["type"] == "missing" or item.get("input") is None:
        said = f"is {'left out' if item['type'] == 'missing' else 'empty'}; write it"
    return Problem(f"{file}:{_line(tree, path)}", f"{key}: {said}")


def _fields(model: type[BaseModel]) -> set[str]:
    """The keys of a model and of the models inside it."""
    inside = model.model_json_schema().get("$defs", {}).values()
    return {*model.model_fields, *(key for each in inside for key in each.get("properties", {}))}


def _line(tree: Any, path: tuple[str | int, ...]) -> int:
    """The line of the deepest part of a path that is there, from 1."""
    node, line = tree, tree.start_mark.line + 1 if tree else 1
    for step in path:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(step)]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _twice(node: Any) -> Iterator[tuple[str, int]]:
    """Keys that a mapping has more than once: YAML would keep the last and say nothing."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.value, key.start_mark.line + 1
            seen.add(key.value)
            yield from _twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _twice(item)
