"""Reads the files of a book whose lines keep their places, and finds those that contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import yaml
from pydantic import Field, ValidationError

from tollgate.books.lines import (
    ANY,
    Closed,
    Line,
    Operation,
    Placed,
    Scalar,
    path_rank,
    property_path,
    spelling,
    type_rank,
)
from tollgate.errors import Problem, TollgateError

FOLDER = Path(__file__).parent
LineType = TypeVar("LineType", bound=Placed)


class Number(Closed):
    """A number of the book itself, with where it comes from."""

    value: float
    source: str


class _Head(Closed):
    """What stands over the lines: what the keys of sources stand for, and what a property is when left out."""

    sources: dict[str, str]
    numbers: dict[str, Number] = Field(default_factory=dict)
    defaults: dict[str, dict[str, Scalar]] = Field(default_factory=dict)


class Book(NamedTuple, Generic[LineType]):
    """The lines, the defaults of properties by "type path", and the book's own numbers."""

    lines: tuple[LineType, ...]
    defaults: Mapping[str, Scalar]
    numbers: Mapping[str, Number]


def read_lines(files: Iterable[Path], kind: type[LineType]) -> Book[LineType]:
    """All that stands in these files.

    Raises TollgateError with every fault of every file: shape, unknown source, an id used twice. That no two lines
    contradict each other (``ambiguous``) is left to the tests: it takes longer than reading.
    """
    lines: list[LineType] = []
    defaults: dict[str, Scalar] = {}
    numbers: dict[str, Number] = {}
    problems: list[Problem] = []
    for file in files:
        name = file.relative_to(FOLDER.parent.parent).as_posix()
        head, numbered = read_numbered(file, "lines")
        try:
            book = _Head.model_validate(head)
        except ValidationError as error:
            problems += [Problem(name, str(fault["msg"])) for fault in error.errors()]
            continue
        numbers |= book.numbers
        for token, given in book.defaults.items():
            defaults |= {f"{token} {path}": value for path, value in given.items()}
        for number, entry in numbered:
            try:
                lines.append(kind.model_validate({**sourced(entry, book.sources), "file": name, "line": number}))
            except ValidationError as error:
                problems += [Problem(f"{name}:{number}", f"{_at(fault)}{fault['msg']}") for fault in error.errors()]
            except KeyError as missing:
                problems.append(Problem(f"{name}:{number}", f"no source is called {missing}; add it to sources"))
    problems += list(_twice(lines))
    if problems:
        raise TollgateError("A book of this installation is damaged.", problems, advice="repair the lines named above")
    return Book(tuple(lines), defaults, numbers)


def _spread(number: int, entry: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """A line for each of several properties that are said to behave alike."""
    paths = entry.get("path")
    if not isinstance(paths, list):
        yield number, entry
        return
    for path in paths:
        yield number, {**entry, "path": path, "id": f"{entry.get('id')}/{path}"}


def _at(fault: Any) -> str:
    return "".join(f"{part}: " for part in fault["loc"][:1])


def sourced(entry: dict[str, Any], sources: Mapping[str, str]) -> dict[str, Any]:
    """The entry with each key of a source as the source itself. Raises KeyError for one that is not there."""
    named = {key: sources[value] for key, value in entry.items() if key.endswith("source") and value in sources}
    unknown = [value for key, value in entry.items() if key.endswith("source") and value not in sources]
    if unknown:
        raise KeyError(unknown[0])
    return entry | named


def read_numbered(file: Path, listed: str) -> tuple[Any, list[tuple[int, dict[str, Any]]]]:
    """The head of a file, and the entries of one list in it with their line numbers."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(file.read_text(encoding="utf-8"))
    try:
        root: Any = loader.get_single_node()
        head: dict[str, Any] = {}
        numbered: list[tuple[int, dict[str, Any]]] = []
        for key, value in root.value:
            if key.value == listed:
                for item in value.value:
                    numbered += _spread(item.start_mark.line + 1, loader.construct_object(item, deep=True))
            elif not key.value.startswith("x-"):
                head[key.value] = loader.construct_object(value, deep=True)
    finally:
        loader.dispose()
    return head, numbered


def _twice(lines: Sequence[Placed]) -> Iterator[Problem]:
    seen: dict[str, Placed] = {}
    for line in lines:
        if line.id in seen:
            first = seen[line.id]
            yield Problem(f"{line.file}:{line.line}", f"the id {line.id} is used in {first.file}:{first.line} too")
        seen[line.id] = line


def ambiguous(lines: Iterable[Line]) -> Iterator[Problem]:
    """Pairs of lines that can fit the same change while neither is more specific."""
    groups: dict[tuple[Operation, tuple[int, int], int], list[Line]] = {}
    for line in lines:
        for op in line.ops:
            groups.setdefault((op, path_rank(line.path), line.conditions), []).append(line)
    for group in groups.values():
        for one, other in combinations(group, 2):
            if _same_property(one, other) and _share_a_type(one, other) and not _exclude(one, other):
                first = f"{one.id} ({one.file}:{one.line})"
                text = f"{other.id} and {first} fit the same change, and neither is more specific"
                yield Problem(f"{other.file}:{other.line}", text)


def _same_property(one: Line, other: Line) -> bool:
    pairs = zip(property_path(one.path), property_path(other.path), strict=True)
    return all(a == b or ANY in (a, b) for a, b in pairs)


def _share_a_type(one: Line, other: Line) -> bool:
    for a in one.types:
        for b in other.types:
            if a == b or (type_rank(a) == type_rank(b) and ANY in a and _overlap(a, b)):
                return True
    return False


def _overlap(a: str, b: str) -> bool:
    """Whether some text fits both patterns, judged by their beginnings: no pattern of the books begins with a star."""
    head_a, head_b = a.partition(ANY)[0], b.partition(ANY)[0]
    tail_a, tail_b = a.rpartition(ANY)[2], b.rpartition(ANY)[2]
    heads = head_a.startswith(head_b) or head_b.startswith(head_a)
    return heads and (tail_a.endswith(tail_b) or tail_b.endswith(tail_a))


def _exclude(one: Line, other: Line) -> bool:
    if one.change and other.change and one.change is not other.change:
        return True
    for mine, theirs in ((one.before, other.before), (one.after, other.after)):
        if mine and theirs and not set(map(spelling, mine)) & set(map(spelling, theirs)):
            return True
    return any(test.excludes(other.when[path]) for path, test in one.when.items() if path in other.when)
