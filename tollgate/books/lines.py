"""Lines of the books that depend on what changes: for which types, operation, property and conditions each one speaks.

A line keeps its place (file, line number, id), so that a report can point to it. Of the lines that fit, the most
specific one counts: the longest property, then the most exact type, then the most conditions. Two lines that are
equally specific and can fit the same change are a fault of the book: a test fails.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tollgate.books.match import matches
from tollgate.policy.paths import Path, parse_path

ANY = "*"  # as a property: every property that no other line names
Scalar = bool | int | float | str


class Operation(StrEnum):
    """What happens to a resource, as far as a reader of the books must tell apart."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"  # the new one is there before the old one goes
    RECREATE = "recreate"  # the old one goes first
    DELETE = "delete"
    FORGET = "forget"  # taken out of the definition, and left where it is


class Change(StrEnum):
    """How the named property changes."""

    GROWS = "grows"
    SHRINKS = "shrinks"
    ADDED = "added"  # set where it was not
    REMOVED = "removed"
    ADDS = "adds"  # rules of a firewall: all that was let through still is (assess/firewalls.py)
    NEW_RELEASE = "new release"  # upwards, over a release that is not taken back (books/versions.yaml)
    SAME_RELEASE = "same release"  # upwards within it
    OLDER = "older"  # downwards


class Closed(BaseModel):
    """Base of what a book holds: immutable, and closed against misspelt keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceLine(Closed):
    """Where a statement stands: the line of our book, and what that line rests on.

    ``source`` is a document, or begins with ``[ours]``: general knowledge or an estimate that nobody looked up.
    """

    file: str
    line: int
    id: str
    source: str


class Test(Closed):
    """What another property of the same resource must be. One of the forms; the values are those after the change."""

    values: tuple[Scalar, ...] = ()
    at_least: float | None = None
    below: float | None = None
    is_set: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        if isinstance(value, bool | int | float | str):
            return {"values": (value,)}
        return {"values": tuple(value)} if isinstance(value, list | tuple) else value

    @model_validator(mode="after")
    def _one_form(self) -> Test:
        forms = [bool(self.values), self.at_least is not None, self.below is not None, self.is_set is not None]
        if sum(forms) != 1:
            raise ValueError("a condition is a value, a list of values, at_least, below or is_set")
        return self

    def excludes(self, other: Test) -> bool:
        """True when both cannot hold at once."""
        if self.values and other.values:
            return not set(map(spelling, self.values)) & set(map(spelling, other.values))
        if self.at_least is not None and other.below is not None:
            return other.below <= self.at_least
        if self.below is not None and other.at_least is not None:
            return self.below <= other.at_least
        return self.is_set is not None and other.is_set is not None and self.is_set is not other.is_set


class Placed(Closed):
    """A line of a book that keeps its place. ``source``: what it rests on; in the file a key of its sources."""

    id: str
    source: str
    file: str = ""
    line: int = 0

    @cached_property
    def place(self) -> SourceLine:
        return SourceLine(file=self.file, line=self.line, id=self.id, source=self.source)


class Line(Placed):
    """The part of a line that says when it speaks.

    types: type tokens, ``*`` for any text. path: for an update, the property that changes, with all below it.
    change, before, after: how it changes. when: conditions on other properties of the same resource.
    """

    types: tuple[str, ...]
    ops: tuple[Operation, ...]
    path: str = ""
    change: Change | None = None
    before: tuple[Scalar, ...] = ()
    after: tuple[Scalar, ...] = ()
    when: dict[str, Test] = Field(default_factory=dict)

    @field_validator("types", "ops", "before", "after", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list | tuple) else (value,)

    @model_validator(mode="after")
    def _complete(self) -> Line:
        updates = Operation.UPDATE in self.ops
        if updates and (len(self.ops) > 1 or not self.path):
            raise ValueError("an update stands alone, and names its property (* for any other)")
        if not updates and (self.path or self.change or self.before or self.after):
            raise ValueError("a property and how it changes belong to an update")
        return self

    @cached_property
    def conditions(self) -> int:
        return len(self.when) + bool(self.change) + bool(self.before) + bool(self.after)


def spelling(value: Any) -> str:
    """A scalar in one spelling: true and "true", 2 and 2.0 are the same to a provider."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


@lru_cache(maxsize=4096)
def property_path(text: str) -> Path:
    """A property of a line as segments; none for "any other"."""
    return () if text in ("", ANY) else parse_path(text)


@lru_cache(maxsize=8192)
def path_rank(text: str) -> tuple[int, int]:
    """How exact a path is: its length, then how much of it is spelled out."""
    path = property_path(text)
    return len(path), sum(segment != ANY for segment in path)


def type_rank(pattern: str) -> tuple[bool, int]:
    """How exact a type pattern is: a token before a pattern, then the longer pattern."""
    return ANY not in pattern, len(pattern.replace(ANY, ""))


def rank(line: Line, type_token: str) -> tuple[Any, ...]:
    """How specific a line is for a type that it fits; more is more specific."""
    fitting = max(type_rank(pattern) for pattern in line.types if matches(type_token, (pattern,)))
    return path_rank(line.path), fitting, line.conditions
