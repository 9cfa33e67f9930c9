"""What a rule is: one statement, from which the policy, its messages, its tests and its page are derived.

What a rule makes of a property it reads, the same for every rule:

* known: the check decides;
* not known until the change runs: a violation at the rule's own level, that begins with ``CANNOT_BE_SHOWN``, unless
  the statement says that the value may come ``later``;
* left out (or null): fails, unless ``defaults`` states what the provider uses instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from tollgate.errors import Problem, TollgateError
from tollgate.policy.check import Check, Verdict
from tollgate.policy.paths import Path, parse_path
from tollgate.policy.reading import Reading
from tollgate.policy.severity import HIGH, Severity

CANNOT_BE_SHOWN = "Cannot be shown at preview: "
"""How the message of a violation begins when the reason is an unknown value, not a wrong one."""

_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+){2,}")
_TYPE = re.compile(r"[a-z0-9-]+:[A-Za-z0-9./-]+:[A-Z][A-Za-z0-9]*|pulumi:providers:[a-z0-9-]+")
_MOST_FINDINGS = 5  # in one message; the rest is counted

Judge = Callable[[Reading], Check]


@dataclass(frozen=True, eq=False)
class Statement:
    """What every rule states, whatever it looks at.

    id: ``domain-object-requirement``. why: one sentence for a reader who has never seen the resource.
    controls: the outside rules it serves (``PCI-DSS 10.5.1``). types: the type tokens it judges.
    fix: what to write, as an instruction ("set … to …").
    """

    id: str
    why: str
    severity: Severity
    controls: tuple[str, ...]
    types: tuple[str, ...]
    fix: str

    @property
    def mandatory(self) -> bool:
        """High and critical rules stop a change; the others are advice."""
        return self.severity.rank >= HIGH.rank

    def message(self, check: Check) -> str:
        """What was found and where, what to write instead, and why; "" when the check holds."""
        if check.verdict is Verdict.HOLDS:
            return ""
        shown = [str(finding) for finding in check.findings[:_MOST_FINDINGS]]
        if len(check.findings) > _MOST_FINDINGS:
            shown.append(f"and {len(check.findings) - _MOST_FINDINGS} more")
        found = "; ".join(shown)
        controls = f" ({', '.join(self.controls)})" if self.controls else ""
        why = f"Why: {self.why.removesuffix('.')}{controls}."
        if check.verdict is Verdict.UNSHOWN:
            return f"{CANNOT_BE_SHOWN}{found}. Pin the value: {self.fix}.\n{why}"
        return f"{found}. To fix: {self.fix}.\n{why}"


@dataclass(frozen=True, eq=False)
class Rule(Statement):
    """One safety rule about the inputs of one resource.

    good, bad: inputs that pass, and the same with one thing wrong.
    defaults: by path, what the provider uses for a property left out, with its source; ``None`` says that
     left out means none, so that there is nothing to check.
    also_good, also_bad: more examples, by a name that says what is special: other spellings, and other ways to be
     wrong, each with one thing wrong.
    later: paths that only another resource of the same change can fill. Not known there is no violation in a
     preview, since the engine asks again, with the value, before it touches the resource.
    """

    good: Mapping[str, Any]
    bad: Mapping[str, Any]
    judge: Judge = field(repr=False)
    defaults: Mapping[str, Any]
    also_good: Mapping[str, Mapping[str, Any]]
    also_bad: Mapping[str, Mapping[str, Any]]
    later: tuple[str, ...]

    @cached_property
    def _by_path(self) -> Mapping[Path, Any]:
        return {parse_path(path): value for path, value in self.defaults.items()}

    @cached_property
    def _later(self) -> frozenset[Path]:
        return frozenset(map(parse_path, self.later))

    def check(self, inputs: Mapping[str, Any]) -> Check:
        """Judge plain JSON inputs. Raises what the rule raises, and TypeError when it gives no Check."""
        return checked(self.judge(Reading(inputs, defaults=self._by_path, later=self._later)))


def checked(answer: object) -> Check:
    """What a rule answered. Raises TypeError when it is no Check."""
    if not isinstance(answer, Check):
        raise TypeError(f"the rule gave {type(answer).__name__}, not a Check")
    return answer


@dataclass(frozen=True)
class Said:
    """The parts of a rule's message. ``fix`` and ``why`` are "" in a message of somebody else's pack."""

    found: str
    fix: str = ""
    why: str = ""


_MESSAGE = re.compile(r"(?P<found>.*)\. (?:To fix|Pin the value): (?P<fix>.*)\.\s+Why: (?P<why>.*\.)", re.DOTALL)


def said(message: str) -> Said:
    """Take apart what ``Rule.message`` put together."""
    match = _MESSAGE.fullmatch(message.strip())
    return Said(**match.groupdict()) if match else Said(message.strip())


def rule(
    *,
    id: str,  # noqa: A002  (the word a reader expects; nothing here needs the builtin)
    why: str,
    severity: Severity,
    types: tuple[str, ...],
    fix: str,
    good: Mapping[str, Any],
    bad: Mapping[str, Any],
    controls: tuple[str, ...] = (),
    defaults: Mapping[str, Any] = MappingProxyType({}),
    also_good: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    also_bad: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    later: tuple[str, ...] = (),
) -> Callable[[Judge], Rule]:
    """Make a ``Rule`` of a function from inputs to a check. Raises TollgateError with all that is wrong."""

    def state(judge: Judge) -> Rule:
        stated = Rule(id, why, severity, controls, types, fix, good, bad, judge, defaults, also_good, also_bad, later)
        refuse(stated, judge.__module__, (*head_problems(stated), *_problems(stated)))
        return stated

    return state


def refuse(stated: Statement, where: str, problems: Iterable[str]) -> None:
    """Raise TollgateError with all problems of a statement, if there are any."""
    found = [Problem(where, text) for text in problems]
    if found:
        raise TollgateError(f"rule {stated.id!r} is not stated well", found)


def head_problems(stated: Statement) -> Iterator[str]:
    """What is wrong with the parts that every rule states."""
    one_sentence = re.fullmatch(r"[A-Z][^\n]*\.", stated.why) and not re.search(r"[.!?]\s+[A-Z]", stated.why)
    demands = (
        (
            _ID.fullmatch(stated.id),
            f"id is {stated.id!r}; write domain-object-requirement, such as key-data-rotate",
        ),
        (one_sentence, f"why is {stated.why!r}; write one sentence, from a capital letter to a full stop"),
        (
            isinstance(stated.severity, Severity),
            f"severity is {stated.severity!r}; write LOW, MEDIUM, HIGH or CRITICAL",
        ),
        (stated.types, "types is empty; write one type token or more"),
        (
            stated.fix.rstrip(".") == stated.fix != "",
            f"fix is {stated.fix!r}; write 'set … to …', without a full stop",
        ),
    )
    yield from (text for met, text in demands if not met)
    yield from bad_types(stated.types)


def bad_types(tokens: Iterable[str]) -> Iterator[str]:
    """What is no type token."""
    for token in tokens:
        if not _TYPE.fullmatch(token):
            yield f"{token!r} is no type token; write one such as aws:rds/instance:Instance"


def _problems(stated: Rule) -> Iterator[str]:
    if stated.good == stated.bad:
        yield "good and bad are the same inputs; change one property in bad"
    for path in (*stated.defaults, *stated.later):
        try:
            parse_path(path)
        except ValueError as error:
            yield str(error)
