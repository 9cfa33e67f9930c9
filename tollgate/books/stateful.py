"""The book of what a type of resource holds (stateful.yaml): data, or nothing that is lost with it."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from pydantic import BaseModel, ConfigDict

from tollgate.books.match import load_book, matches


class Holds(StrEnum):
    """What goes with the resource when it is deleted.

    DATA: cannot be made again from the program. CONTENTS: everything in it, also what no program declares.
    TRANSIENT: a copy or a buffer that refills or is rebuilt, at a cost.
    IDENTITY: a name, address, key or credential that others use. SERVICE: serves while it exists. NOTHING: none of it.
    """

    DATA = "data"
    CONTENTS = "contents"
    TRANSIENT = "transient"
    IDENTITY = "identity"
    SERVICE = "service"
    NOTHING = "nothing"


class Holding(BaseModel):
    """One line of the book: what these types hold, why we say so, and where that is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    types: tuple[str, ...]
    holds: Holds
    why: str
    source: str


@lru_cache(maxsize=1)
def _book() -> tuple[tuple[Holding, ...], dict[str, Holding]]:
    lines = tuple(Holding.model_validate(line) for line in load_book("stateful.yaml"))
    exact = {token: line for line in reversed(lines) for token in line.types if "*" not in token}
    return lines, exact


@lru_cache(maxsize=4096)
def holding(type_token: str) -> Holding | None:
    """The line for a type, None when the book does not know it. An exact token goes before a pattern."""
    lines, exact = _book()
    if type_token in exact:
        return exact[type_token]
    return next((line for line in lines if matches(type_token, line.types)), None)
