"""The book of guarded properties (guards.yaml): which change of which property is dangerous, and why."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tollgate.books.match import load_book, matches
from tollgate.policy.severity import Severity


class Danger(StrEnum):
    """The direction in which a change is dangerous."""

    OFF = "off"  # a flag that was true is no longer
    ON = "on"  # a flag that was not true is now
    LOWER = "lower"  # a number, size or duration falls
    HIGHER = "higher"  # it rises
    LIMITED = "limited"  # a number, size or duration falls, or is there where there was none; below zero there is none
    REMOVED = "removed"  # a value that was there is not
    ADDED = "added"  # a value is there that was not
    BECOMES = "becomes"  # one of the listed values, and it was none of them
    LEAVES = "leaves"  # it was one of the listed values, or held one, and no longer does
    GAINS = "gains"  # a text or a list holds one of the listed words, and did not
    LOSES = "loses"  # a list no longer holds something that it held
    CHANGES = "changes"  # any other value
    DELETED = "deleted"  # the resource itself goes


class Unit(StrEnum):
    """How to read an amount: a plain number, a size (``100Gi``), a duration (``30d``), a machine (``db.r7g.large``), or
    how often a schedule runs (``0 2 * * *``).
    """

    NUMBER = "number"
    SIZE = "size"
    DURATION = "duration"
    MACHINE = "machine"
    SCHEDULE = "schedule"


_WITH_VALUES = (Danger.BECOMES, Danger.LEAVES, Danger.GAINS)


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GuardRule(_Line):
    """A rule that guards share."""

    severity: Severity
    why: str
    fix: str


class Guard(_Line):
    """One guarded property, or a guarded type (danger ``deleted``).

    words: what is guarded, to complete "loses its …" or "… is cut".
    default: what the provider uses when the property is left out; None when that is not known.
    at_zero: severity when an amount falls to nothing. below: only a fall to less than this many counts; least: and to
    no less than this many, because another rule has the rest.
    share: only a fall to less than this part of what it was counts. by: only a rise by at least this many counts.
    times: only a rise to at least this many times what it was counts.
    item: of a list of named items (``[*]``), only the one with this name.
    on_create: dangerous in a new resource too.
    """

    rule: str
    types: tuple[str, ...]
    words: str
    danger: Danger
    path: str = ""
    unit: Unit = Unit.NUMBER
    unit_words: str = ""
    values: tuple[str | int | float | bool, ...] = ()
    default: Any = None
    below: float | None = None
    least: float | None = None
    share: float | None = None
    by: float | None = None
    times: float | None = None
    item: str = ""
    severity: Severity | None = None
    at_zero: Severity | None = None
    on_create: bool = False
    sentence: str = Field("", description="own words, with {subject}, {before} and {after}")
    source: str

    @model_validator(mode="after")
    def _complete(self) -> Guard:
        if (self.danger is Danger.DELETED) == bool(self.path):
            raise ValueError(f"{self.words}: a path belongs to every danger but deleted")
        if (self.danger in _WITH_VALUES) != bool(self.values):
            raise ValueError(f"{self.words}: values belong to the dangers becomes, leaves and gains, and only there")
        for name, danger in (
            ("share", Danger.LOWER),
            ("below", Danger.LOWER),
            ("least", Danger.LOWER),
            ("by", Danger.HIGHER),
            ("times", Danger.HIGHER),
        ):
            if getattr(self, name) is not None and self.danger is not danger:
                raise ValueError(f"{self.words}: {name} belongs to the danger {danger} only")
        if self.item and "[*]" not in self.path:
            raise ValueError(f"{self.words}: an item belongs to a path through a list")
        return self


class GuardBook(_Line):
    rules: dict[str, GuardRule]
    guards: tuple[Guard, ...]

    @model_validator(mode="after")
    def _rules_exist(self) -> GuardBook:
        strangers = {guard.rule for guard in self.guards} - self.rules.keys()
        if strangers:
            raise ValueError(f"guards of rules that do not exist: {sorted(strangers)}")
        return self


# Where the pods of a workload are described (pulumi_kubernetes 4.34.2).
_POD = "<pod>."
_PODS = (
    (("kubernetes:apps/v1:*", "kubernetes:batch/v1:Job"), "spec.template.spec."),
    (("kubernetes:batch/v1:CronJob",), "spec.jobTemplate.spec.template.spec."),
    (("kubernetes:core/v1:Pod",), "spec."),
)


@lru_cache(maxsize=1)
def guard_book() -> GuardBook:
    """The whole book, checked."""
    book = load_book("guards.yaml")
    return GuardBook.model_validate(book | {"guards": [line for each in book["guards"] for line in _in_each_pod(each)]})


def _in_each_pod(line: dict[str, Any]) -> list[dict[str, Any]]:
    """A line about pods as one line for each place where pods are described."""
    if not str(line.get("path", "")).startswith(_POD):
        return [line]
    below = line["path"].removeprefix(_POD)
    return [line | {"types": types, "path": f"{place}{below}"} for types, place in _PODS]


@lru_cache(maxsize=4096)
def guards_of(type_token: str) -> tuple[Guard, ...]:
    """The guards of one type."""
    return tuple(guard for guard in guard_book().guards if matches(type_token, guard.types))
