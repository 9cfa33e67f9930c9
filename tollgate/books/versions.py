"""The book of versions (versions.yaml): where a type states its version, and what of it is a one-way release."""

from __future__ import annotations

from functools import lru_cache

from pydantic import BaseModel, ConfigDict

from tollgate.books.match import load_book, matches


class Versioned(BaseModel):
    """One line of the book. ``also``: other places where the version may
    stand. ``parts``: how many leading numbers of the version make a release."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    types: tuple[str, ...]
    path: str
    also: tuple[str, ...] = ()
    parts: int
    why: str
    source: str


@lru_cache(maxsize=1)
def version_book() -> tuple[Versioned, ...]:
    """All lines."""
    return tuple(Versioned.model_validate(line) for line in load_book("versions.yaml"))


@lru_cache(maxsize=4096)
def versioned(type_token: str) -> Versioned | None:
    """The line for a type, None when the book does not know it."""
    return next((line for line in version_book() if matches(type_token, line.types)), None)
