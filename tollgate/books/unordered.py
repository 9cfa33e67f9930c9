"""The book of lists whose order means nothing (unordered.yaml)."""

from __future__ import annotations

from functools import lru_cache

from pydantic import BaseModel, ConfigDict

from tollgate.books.match import load_book, matches
from tollgate.policy.paths import Path, parse_path


class Unordered(BaseModel):
    """One line of the book."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    types: tuple[str, ...]
    paths: tuple[str, ...]
    source: str


@lru_cache(maxsize=1)
def unordered_book() -> tuple[Unordered, ...]:
    """All lines."""
    return tuple(Unordered.model_validate(line) for line in load_book("unordered.yaml"))


@lru_cache(maxsize=4096)
def unordered_paths(type_token: str) -> frozenset[Path]:
    """Where the lists without order stand in the inputs of a type; ``"*"`` is every item."""
    return frozenset(
        parse_path(path) for line in unordered_book() if matches(type_token, line.types) for path in line.paths
    )


@lru_cache(maxsize=4096)
def ways_to_unordered(type_token: str) -> frozenset[Path]:
    """Every place on the way to such a list, its own included: elsewhere nothing need be looked at."""
    return frozenset(path[:end] for path in unordered_paths(type_token) for end in range(len(path) + 1))
