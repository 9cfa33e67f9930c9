"""The register of exceptions: who may keep what a rule forbids, why, and until when.

An exception never hides a violation: it makes it advice, with the exception named. A pattern that would cover more than
was meant is refused, and one that has ended is a violation again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from tollgate.errors import Problem, TollgateError
from tollgate.policy.documents import Closed, line_of, read_document

FILE = "exceptions.yaml"
_LEAST_LITERAL = 3  # characters of a resource's name that a pattern must spell out
ADVICE = "a person writes owner, approver and expires; see docs/how-to/make-an-exception.md"


def _one_line(text: str) -> str:
    if "\n" in text:
        raise ValueError("write it on one line")
    return text


Line = Annotated[str, Field(min_length=3), AfterValidator(_one_line)]
Sentence = Annotated[str, Field(min_length=20), AfterValidator(_one_line)]


class Waiver(Closed):
    """One exception. ``resource`` is a URN in which * may stand in the parents and in part of the name."""

    rule: Line
    resource: Annotated[str, Field(min_length=1), AfterValidator(_one_line)]
    owner: Line = Field(description="who answers for it")
    reason: Sentence
    approver: Line = Field(description="who agreed; one of the register's approvers, and not the owner")
    created: date
    expires: date = Field(description="the last day on which it holds")
    instead: Sentence = Field(description="the compensating control: what keeps people safe meanwhile")

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(".*".join(map(re.escape, self.resource.split("*"))), re.DOTALL)

    def covers(self, urn: str) -> bool:
        return self._pattern.fullmatch(urn) is not None

    @property
    def stack(self) -> str:
        """The one stack that it is for."""
        return self.resource.split("::")[0].rpartition(":")[2]

    def ended(self, today: date) -> bool:
        return today > self.expires


class Register(Closed):
    """exceptions.yaml. The head bounds what an exception may be."""

    most_resources: int = Field(1, ge=1, le=20, description="resources of a stack that one exception may cover")
    longest_days: int = Field(180, ge=1, le=366, description="from created to expires")
    approvers: tuple[Line, ...] = ()
    exceptions: tuple[Waiver, ...] = ()

    def of(self, rule: str, urn: str) -> Waiver | None:
        """The exception for a rule and a resource; of several the one that holds longest."""
        found = [waiver for waiver in self.exceptions if waiver.rule == rule and waiver.covers(urn)]
        return max(found, key=lambda waiver: waiver.expires, default=None)

    def for_stack(self, stack: str) -> tuple[Waiver, ...]:
        return tuple(waiver for waiver in self.exceptions if waiver.stack == stack)


NONE = Register()


def read_register(folder: Path) -> Register:
    """The register in a folder, as it is written; an empty one where there is no file."""
    file = folder / FILE
    return read_document(file, Register) if file.exists() else NONE


def checked_register(folder: Path, rules: Collection[str]) -> Register:
    """The register, with nothing in it that cannot be right. Raises TollgateError with everything that is wrong."""
    register = read_register(folder)
    problems = list(register_problems(register, rules, folder / FILE))
    if problems:
        raise TollgateError("The register of exceptions cannot be used.", problems, advice=ADVICE)
    return register


def register_problems(register: Register, rules: Collection[str], file: Path) -> Iterator[Problem]:
    """What is wrong with the exceptions themselves, whatever the stacks hold and whatever day it is."""
    seen: set[tuple[str, str]] = set()
    for place, waiver in enumerate(register.exceptions):
        for key, text in _waiver_problems(waiver, register, rules):
            yield Problem(line_of(file, ("exceptions", place, key)), text)
        if (waiver.rule, waiver.resource) in seen:
            yield Problem(line_of(file, ("exceptions", place)), "the same rule and resource stand above; keep one")
        seen.add((waiver.rule, waiver.resource))


def _waiver_problems(waiver: Waiver, register: Register, rules: Collection[str]) -> Iterator[tuple[str, str]]:
    if waiver.rule not in rules:
        near = get_close_matches(waiver.rule, rules, n=1)
        yield (
            "rule",
            f"no rule {waiver.rule}" + (f"; did you mean {near[0]}?" if near else "; see tollgate policy list"),
        )
    if waiver.approver not in register.approvers:
        yield "approver", f"{waiver.approver} is not among the register's approvers ({', '.join(register.approvers)})"
    if waiver.approver.casefold() == waiver.owner.casefold():
        yield "approver", "is the owner too; somebody else must agree"
    if waiver.expires < waiver.created:
        yield "expires", f"{waiver.expires} is before it was created ({waiver.created})"
    longest = waiver.created + timedelta(days=register.longest_days)
    if waiver.expires > longest:
        yield "expires", f"{waiver.expires} is more than {register.longest_days} days on; {longest} at the latest"
    yield from (("resource", text) for text in too_wide(waiver.resource))


def too_wide(pattern: str) -> Iterator[str]:
    """Why a pattern would cover more than a person can have looked at."""
    parts = pattern.split("::")
    if len(parts) != 4 or not parts[0].startswith("urn:pulumi:"):
        yield "write the resource's URN: urn:pulumi:STACK::PROJECT::TYPE::NAME"
        return
    stack, project, types, name = parts
    if "*" in stack or "*" in project:
        yield "names no one stack and project; write them without *"
    if "*" in types.rpartition("$")[2]:
        yield "names no one type; write * only before the last $, for the parents"
    if len(name.replace("*", "")) < _LEAST_LITERAL:
        yield f"covers a whole type; write {_LEAST_LITERAL} characters of the name or more"


@dataclass(frozen=True)
class Misuse:
    """Something that the resources of a stack show about an exception. ``waived``: it may not be relied on."""

    waiver: Waiver
    sentence: str
    wide: bool


def misuses(
    waivers: Iterable[Waiver], register: Register, urns: Collection[str], used: Collection[Waiver], today: date
) -> Iterator[Misuse]:
    """What the whole stack shows: exceptions that cover too much, or that nothing needs."""
    for waiver in waivers:
        covered = sum(map(waiver.covers, urns))
        named = f"the exception from {waiver.rule} for {waiver.resource}"
        if covered > register.most_resources:
            yield Misuse(
                waiver, f"{named} covers {covered} resources, wanted at most {register.most_resources}", wide=True
            )
        elif waiver not in used:
            ended = f"ended on {waiver.expires} and " if waiver.ended(today) else ""
            yield Misuse(waiver, f"{named} {ended}waives nothing, wanted no exception that nobody needs", wide=False)


@dataclass(frozen=True)
class Waived:
    """What a message says of the exception that it stands under."""

    until: date
    owner: str
    approver: str
    reason: str
    instead: str
    message: str


_WAIVED = re.compile(
    r"Waived until (?P<until>\d{4}-\d{2}-\d{2})\n"
    r"Owner: (?P<owner>[^\n]*)\nApproved by: (?P<approver>[^\n]*)\n"
    r"Reason: (?P<reason>[^\n]*)\nInstead: (?P<instead>[^\n]*)\n(?P<message>.*)",
    re.DOTALL,
)


def waived_message(waiver: Waiver, message: str) -> str:
    """A rule's message under an exception: the exception first, then the violation as it is."""
    return (
        f"Waived until {waiver.expires}\nOwner: {waiver.owner}\nApproved by: {waiver.approver}\n"
        f"Reason: {waiver.reason}\nInstead: {waiver.instead}\n{message}"
    )


def ended_message(waiver: Waiver, message: str) -> str:
    """A rule's message when the exception has ended: the violation counts again."""
    return f"{message}\nAn exception for this ended on {waiver.expires} (owner: {waiver.owner})."


def read_waived(message: str) -> Waived | None:
    """Take apart what ``waived_message`` put together; None for any other message."""
    match = _WAIVED.fullmatch(message.strip())
    if match is None:
        return None
    said = match.groupdict()
    return Waived(date.fromisoformat(said.pop("until")), **said)
