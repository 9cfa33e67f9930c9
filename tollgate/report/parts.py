"""What a report is made of: phrases by key, statements with their evidence, rows of the appendix.

Nothing here is in a language: a phrase names a key of ``words/<language>.yaml`` and the values to put in.
Values that came from outside (names, sentences of rules) are clean already; each renderer still escapes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from pydantic import AwareDatetime, Field

from tollgate.plan.model import Frozen
from tollgate.policy.severity import Severity


class Phrase(Frozen):
    """A key of the words file and its values. A tuple of phrases is spoken as a list ("a, b and c")."""

    key: str
    values: dict[str, str | int | float | Phrase | tuple[Phrase, ...]] = Field(default_factory=dict)


def phrase(key: str, **values: str | int | float | Phrase | tuple[Phrase, ...]) -> Phrase:
    """Short spelling of ``Phrase(key=…, values={…})``."""
    return Phrase(key=key, values=values)


def quote(text: str) -> Phrase:
    """A sentence that someone else made, as it is."""
    return phrase("quote", text=text)


class Link(Frozen):
    """A place in the same report: an HTML id, and what to call it."""

    anchor: str
    label: Phrase


def unique(links: Iterable[Link], most: int | None = None) -> tuple[Link, ...]:
    """Each place once, in order; no more than ``most``, when that is given."""
    return tuple({link.anchor: link for link in links}.values())[:most]


class Statement(Frozen):
    """One thing said to the reader, and where its evidence is."""

    said: Phrase
    evidence: tuple[Link, ...] = Field(min_length=1)
    open: bool = Field(False, description="not assessed yet: said, so that silence is not read as a pass")


def say(said: Phrase, *evidence: Link) -> Statement:
    """Short spelling of a statement that was assessed."""
    return Statement(said=said, evidence=evidence)


def open_point(said: Phrase, *evidence: Link) -> Statement:
    """A statement about what was not assessed."""
    return Statement(said=said, evidence=evidence, open=True)


class Row(Frozen):
    """One row of a table; the first cell is its head. A row with no evidence of its own rests on its section's."""

    cells: tuple[Phrase, ...]
    evidence: tuple[Link, ...] = ()


class Table(Frozen):
    """A table of a section. Every row has as many cells as there are columns."""

    title: Phrase
    columns: tuple[Phrase, ...]
    rows: tuple[Row, ...] = Field(min_length=1)


class SectionName(StrEnum):
    """The sections in the order of the page. The value is the HTML id."""

    DECISION = "decision"
    SUMMARY = "summary"
    AFFECTED = "affected"
    TIMING = "timing"
    RISK = "risk"
    MONEY = "money"
    UNDO = "undo"
    OMISSION = "omission"
    CHECKS = "checks"
    UNKNOWN = "unknown"
    DECIDED = "decided"
    APPENDIX = "appendix"


class Section(Frozen):
    name: SectionName
    title: Phrase
    statements: tuple[Statement, ...] = ()
    tables: tuple[Table, ...] = ()


class Told(Frozen):
    """What a section says: sentences, then tables."""

    statements: tuple[Statement, ...] = ()
    tables: tuple[Table, ...] = ()


class Glance(Frozen):
    """One line of the decision box: a label, and what there is to say."""

    label: Phrase
    statements: tuple[Statement, ...]


class Found(Frozen):
    """A finding as a reader sees it."""

    severity: Severity
    said: Statement
    why: str
    fix: str
    proof: tuple[Phrase, ...] = Field(description="the properties that it rests on")
    alike: int = Field(0, description="other findings of the same rule; told with the first one only")


class ResourceRow(Frozen):
    """A resource in the appendix, the one place where its URN is shown."""

    number: int
    anchor: str
    name: str
    type: str
    op: Phrase
    properties: tuple[str, ...]
    replaced_because: tuple[str, ...]
    urn: str


class RuleRow(Frozen):
    """A rule that has at least one finding."""

    anchor: str
    rule: str
    severity: Severity
    why: str
    fix: str
    findings: int


class SourceRow(Frozen):
    """A line of a book that a sentence rests on, and what that line rests on."""

    anchor: str
    place: str = Field(description="file, line and id")
    source: str


class Stage(Frozen):
    """How long one part of the work took."""

    name: str
    seconds: float


class Subject(Frozen):
    """What the report is about, and how it was made. All of it is given by the caller."""

    project: str
    stack: str
    compared: str = Field(description='as in "the change in examples/dangerous.yaml against the present definition"')
    engine_version: str
    stand_ins: bool = Field(description="True: a rehearsal; no cloud was asked")
    generated_at: AwareDatetime
    durations: tuple[Stage, ...] = ()
    repeat: str = Field("", description="the command that makes this report again")
