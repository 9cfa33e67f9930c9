"""What a project has accepted of checkov's findings, and which of its own rules say the same: a reviewed file.

An entry is an exception as in the register of exceptions (tollgate.policy.exceptions), with the same keys. It differs
in reach: there one resource of one stack deviates from a rule of ours; here a check of somebody else's is, for a reason
that holds wherever the project puts that kind of thing, not what the project wants. So a stack may be ``*`` here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path

from pydantic import Field

from tollgate.books.checkov import checkov_book
from tollgate.errors import Problem, TollgateError
from tollgate.policy.documents import Closed, line_of, read_document
from tollgate.policy.exceptions import Line, Waiver, too_wide

FILE = Path("register") / "checkov.yaml"


class Register(Closed):
    """checkov.yaml. The head bounds what an entry may be.

    same_as: by check, the rules of our own that ask the same. Such a finding is told with ours, and not twice.
    """

    longest_days: int = Field(366, ge=1, le=366, description="from created to expires")
    approvers: tuple[Line, ...] = ()
    same_as: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    accepted: tuple[Waiver, ...] = ()

    def accepts(self, check: str, urn: str, today: date) -> Waiver | None:
        """The entry that covers a finding today."""
        return next((entry for entry in self._about(check, urn) if not entry.ended(today)), None)

    def lapsed(self, check: str, urn: str, today: date) -> Waiver | None:
        """An entry that did cover a finding, and whose time is over."""
        return next((entry for entry in self._about(check, urn) if entry.ended(today)), None)

    def _about(self, check: str, urn: str) -> Iterator[Waiver]:
        return (entry for entry in self.accepted if entry.rule == check and entry.covers(urn))


def read_register(policies: Path | None) -> Register:
    """The register in a pack's folder; an empty one where there is none. TollgateError lists what is wrong in it."""
    file = policies / FILE if policies else None
    if file is None or not file.is_file():
        return Register()
    register = read_document(file, Register)
    problems = list(_problems(register, file))
    if problems:
        raise TollgateError("The register of checkov's findings cannot be used.", problems)
    return register


def _problems(register: Register, file: Path) -> Iterator[Problem]:
    for check in register.same_as:
        if check not in checkov_book():
            yield Problem(line_of(file, ("same_as", check)), f"no check {check}")
    for place, entry in enumerate(register.accepted):
        for key, text in _entry_problems(entry, register):
            yield Problem(line_of(file, ("accepted", place, key)), text)


def _entry_problems(entry: Waiver, register: Register) -> Iterator[tuple[str, str]]:
    longest = entry.created + timedelta(days=register.longest_days)
    demands = (
        ("rule", entry.rule in checkov_book(), f"no check {entry.rule}"),
        ("approver", entry.approver in register.approvers, f"is none of {', '.join(register.approvers) or 'nobody'}"),
        ("approver", entry.approver.casefold() != entry.owner.casefold(), "is the owner too; somebody else must agree"),
        ("expires", entry.created <= entry.expires <= longest, f"must be from {entry.created} to {longest}"),
    )
    yield from ((key, text) for key, met, text in demands if not met)
    in_one_stack = entry.resource.replace("urn:pulumi:*::", "urn:pulumi:any::", 1)
    yield from (("resource", text) for text in too_wide(in_one_stack))
