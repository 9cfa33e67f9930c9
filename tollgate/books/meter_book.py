"""What is charged for a resource (meters.yaml), and how much of it is assumed to be used (usage.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any

from pydantic import Field, field_validator, model_validator

from tollgate.books.line_files import FOLDER, Book, read_lines
from tollgate.books.lines import Closed, Placed, Scalar, Test, property_path, type_rank
from tollgate.books.match import load_book, matches


class Usage(Closed):
    """How much is assumed to be used in a month."""

    low: Decimal = Field(ge=0)
    high: Decimal = Field(ge=0)
    unit: str
    source: str

    @model_validator(mode="after")
    def _ordered(self) -> Usage:
        if self.low > self.high:
            raise ValueError("low is not above high")
        return self


class Factor(Closed):
    """A property that the quantity is multiplied by; of a list its length. ``plus`` is added first."""

    path: str
    plus: int = 0

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) else value


class Dimension(Closed):
    """What finds a price: a property, or the values that it may have."""

    path: str = ""
    values: tuple[Scalar, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) else value


class Meter(Closed):
    """One thing that is charged. words: what a person calls it. usage: the assumption that gives the quantity."""

    meter: str
    words: str
    match: dict[str, Dimension] = Field(default_factory=dict)
    hourly: bool = False
    times: tuple[Factor, ...] = ()
    usage: str = ""
    when: dict[str, Test] = Field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.meter, self.words, self.usage))

    @cached_property
    def reads(self) -> frozenset[str]:
        """First words of the properties that it looks at."""
        named = (each.path for each in self.match.values())
        paths = (*self.when, *named, *(each.path for each in self.times))
        return frozenset(str(word) for path in paths for word in property_path(path)[:1])


class MeterLine(Placed):
    """All meters of some types; none when they have no price of their own."""

    types: tuple[str, ...]
    meters: tuple[Meter, ...]

    @field_validator("types", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else tuple(value)


@lru_cache(maxsize=1)
def meter_book() -> Book[MeterLine]:
    """All lines. Raises TollgateError for a damaged book."""
    return read_lines([FOLDER / "meters.yaml"], MeterLine)


@lru_cache(maxsize=4096)
def meters_of(type_token: str) -> MeterLine | None:
    """The line for a type, None when the book does not know it; the most exact pattern counts."""
    fitting = [line for line in meter_book().lines if matches(type_token, line.types)]
    return max(fitting, key=lambda line: _exactness(line, type_token), default=None)


def _exactness(line: MeterLine, type_token: str) -> tuple[bool, int]:
    return max(type_rank(pattern) for pattern in line.types if matches(type_token, (pattern,)))


@lru_cache(maxsize=1)
def usage_book() -> Mapping[str, Usage]:
    """The assumptions by name."""
    return {name: Usage.model_validate(given) for name, given in load_book("usage.yaml").items()}
