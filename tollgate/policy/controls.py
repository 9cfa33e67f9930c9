"""The book of controls: which outside rules there are, so that no statement can claim one that does not exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pydantic import Field

from tollgate.errors import Problem
from tollgate.policy.documents import Closed, read_document
from tollgate.policy.statement import Statement

FILE = "controls.yaml"


class Standard(Closed):
    """Who makes the rules, and which edition is meant."""

    name: str
    version: str
    source: str


class Book(Closed):
    """controls.yaml: standards by key, and by standard the title of each control, in our own words."""

    standards: dict[str, Standard] = Field(default_factory=dict)
    controls: dict[str, dict[str, str]] = Field(default_factory=dict)

    def ids(self) -> tuple[str, ...]:
        """All controls as statements name them: ``PCI-DSS 3.5.1``."""
        return tuple(f"{standard} {number}" for standard, found in self.controls.items() for number in found)

    def control(self, control_id: str) -> Control | None:
        standard, _, number = control_id.partition(" ")
        title = self.controls.get(standard, {}).get(number)
        return Control(control_id, self.standards[standard], title) if title and standard in self.standards else None


@dataclass(frozen=True)
class Control:
    id: str
    standard: Standard
    title: str


def read_book(folder: Path) -> Book:
    """The book in a register folder; an empty one where there is no file."""
    file = folder / FILE
    return read_document(file, Book) if file.exists() else Book()


def control_problems(statements: Iterable[Statement], book: Book) -> Iterator[Problem]:
    """Controls that a rule names and the book does not have, and controls of a standard that nobody described."""
    for standard in book.controls:
        if standard not in book.standards:
            yield Problem(FILE, f"controls.{standard}: no such standard; describe it under standards")
    known = book.ids()
    for statement in statements:
        for control in statement.controls:
            if control not in known:
                near = get_close_matches(control, known, n=1)
                guess = f"; did you mean {near[0]}?" if near else ""
                yield Problem(statement.id, f"no control {control} in {FILE}{guess}")
