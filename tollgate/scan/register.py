"""What a project has accepted of checkov's findings, and which of its own rules say the same: a reviewed file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator

from tollgate.books.checkov import checkov_book
from tollgate.engine.project import read_yaml
from tollgate.errors import Problem, TollgateError
from tollgate.plan.model import Frozen
from tollgate.plan.urn import split_urn

FILE = Path("register") / "checkov.yaml"
# An exception is looked at again at least once a year (PCI DSS 12.3.1 asks that of every analysed risk).
LONGEST_DAYS = 366


def _known(check: str) -> str:
    if check not in checkov_book():
        raise ValueError(f"{check} is no check of the locked checkov")
    return check


def _narrow(pattern: str) -> str:
    """One type, written out, and a name that says at least how it begins."""
    kind, _, name = pattern.partition("::")
    if "*" in kind or not re.fullmatch(r"[^:]+:[^:]+:[^:]+", kind) or not re.match(r"[^*]", name):
        raise ValueError("write TYPE::NAME, the type in full and at most the end of the name as *")
    return pattern


Check = Annotated[str, AfterValidator(_known)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3)]


class Accepted(Frozen):
    """A finding that a named person has accepted for a time. resource: ``TYPE::NAME``, with ``*`` in the name."""

    rule: Check
    resource: Annotated[str, AfterValidator(_narrow)]
    reason: Words
    compensating_control: Words
    owner: Words
    approver: Words
    created: date
    expires: date

    @model_validator(mode="after")
    def _bounded(self) -> Accepted:
        if not 0 < (self.expires - self.created).days <= LONGEST_DAYS:
            raise ValueError(f"expires must be after created, by at most {LONGEST_DAYS} days")
        if self.owner == self.approver:
            raise ValueError("owner and approver must be two")
        return self

    def covers(self, check: str, urn: str) -> bool:
        """True when it is about this finding, whatever the date."""
        parts = split_urn(urn)
        pattern = ".*".join(re.escape(part) for part in self.resource.split("*"))
        return check == self.rule and parts is not None and bool(re.fullmatch(pattern, f"{parts.type}::{parts.name}"))


class Register(Frozen):
    """same_as: by check, the rules of our own that ask the same. Theirs is then told with ours, not twice."""

    same_as: dict[Check, tuple[str, ...]] = Field(default_factory=dict)
    accepted: tuple[Accepted, ...] = ()

    def accepts(self, check: str, urn: str, today: date) -> Accepted | None:
        """The entry that covers a finding today."""
        return next((entry for entry in self._about(check, urn) if entry.expires >= today), None)

    def lapsed(self, check: str, urn: str, today: date) -> Accepted | None:
        """The entry that did cover a finding, and whose time is over."""
        return next((entry for entry in self._about(check, urn) if entry.expires < today), None)

    def _about(self, check: str, urn: str) -> Iterable[Accepted]:
        return (entry for entry in self.accepted if entry.covers(check, urn))


def read_register(policies: Path | None) -> Register:
    """The register of a pack's folder; an empty one when there is none. TollgateError lists all that is wrong in it."""
    file = policies / FILE if policies else None
    if file is None or not file.is_file():
        return Register()
    try:
        return Register.model_validate(read_yaml(file))
    except ValidationError as error:
        problems = [
            Problem(f"{file}: {'.'.join(map(str, fault['loc']))}", fault["msg"].removeprefix("Value error, "))
            for fault in error.errors()
        ]
        raise TollgateError("The register of accepted findings cannot be taken as it stands.", problems) from error
