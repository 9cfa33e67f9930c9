"""A rule as a CEL expression, for a ValidatingAdmissionPolicy: derived from the rule itself, never written beside it.

The rule's own function is run on a reading that holds no values: each look-up and each check gives the expression that
does the same to ``object``. Where a function asks whether something is there, it is run again for each answer. A
function that looks at values in a way of its own, such as a test in Python, cannot be said; then the reason is told.

What the expression says of an object that is fully known is what the rule says: true where it holds. Types are taken
as the API server has checked them; a value of another type is an error, which an admission policy refuses.
Source of the language: CEL specification, and Kubernetes documentation, "Common Expression Language in Kubernetes".
"""

# ruff: noqa: ARG002  (the methods are those of Reading; what an expression does not need stays unused)
from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from tollgate.policy.check import HOLDS, Check, Verdict
from tollgate.policy.paths import Path, format_path, parse_path
from tollgate.policy.reading import Reading, State
from tollgate.policy.statement import Rule

_MOST_CASES = 32
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Kubernetes spells these with underscores around them, other implementations do not: such a rule is left out.
_RESERVED = frozenset(
    {
        "as",
        "break",
        "const",
        "continue",
        "else",
        "false",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "namespace",
        "null",
        "package",
        "return",
        "true",
        "var",
        "void",
        "while",
    }
)
# What Python's expressions know and RE2 does not, or reads otherwise.
_NOT_RE2 = re.compile(r"\(\?(?!:)|\\[1-9AbBZ]|\*\+|\+\+|\?\+")


class CannotBeSaidError(Exception):
    """Why a rule has no expression."""


@dataclass(frozen=True)
class Expression:
    """kinds: the Kubernetes kinds that it is for, as ``group/version/kind``. text: true where the rule holds."""

    kinds: tuple[str, ...]
    text: str


def expression(rule: Rule) -> Expression:
    """The rule in CEL. Raises CannotBeSaidError with the reason when it cannot be said."""
    others = [token for token in rule.types if not token.startswith("kubernetes:")]
    if others:
        raise CannotBeSaidError("it is about resources that no Kubernetes API server sees")
    defaults = {parse_path(path): value for path, value in rule.defaults.items()}
    sample = reduce(_together, (*rule.also_good.values(), rule.good))
    try:
        text = _explored(lambda: rule.judge(Symbol("object", defaults=defaults, sample=sample)))
    except CannotBeSaidError:
        raise
    except Exception as error:
        raise CannotBeSaidError(f"its function needs values to run on ({type(error).__name__})") from error
    return Expression(tuple(_kind(token) for token in rule.types), text)


def _together(one: Any, other: Any) -> Any:
    """One example that has what both have: of lists, one item; where they differ, the second."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        shared = {name: _together(one[name], other[name]) for name in one.keys() & other.keys()}
        return {**one, **other, **shared}
    if isinstance(one, list) and isinstance(other, list) and one and other:
        return [reduce(_together, (*one, *other))]
    return other


def _kind(token: str) -> str:
    """``kubernetes:apps/v1:Deployment`` as ``apps/v1/Deployment``; Kubernetes' core group has no name."""
    _, module, kind = token.split(":")
    return f"{module.removeprefix('core/')}/{kind}"


class Condition(Check):
    """A check that is an expression. It can be combined; what it comes to is not known here."""

    __slots__ = ("cel",)
    cel: str

    def __new__(cls, _cel: str) -> Condition:
        return object.__new__(cls)

    def __init__(self, cel: str) -> None:
        object.__setattr__(self, "cel", cel)

    def __getattribute__(self, name: str) -> Any:
        if name in ("verdict", "findings"):
            raise CannotBeSaidError("its function looks at what a check comes to")
        return object.__getattribute__(self, name)

    def __and__(self, other: Check) -> Check:
        return _all([self, other])

    def __rand__(self, other: Check) -> Check:
        return _all([other, self])

    def __or__(self, other: Check) -> Check:
        return _any([self, other])

    def __ror__(self, other: Check) -> Check:
        return _any([other, self])

    def unless(self, exempt: Check) -> Check:
        return self | exempt


def _all(checks: Iterable[Check]) -> Condition:
    parts = [part for part in map(_text, checks) if part != "true"]
    return Condition("false" if "false" in parts else _joined(" && ", parts) or "true")


def _any(checks: Iterable[Check]) -> Condition:
    parts = [part for part in map(_text, checks) if part != "false"]
    return Condition("true" if "true" in parts else _joined(" || ", parts) or "false")


def _joined(word: str, parts: list[str]) -> str:
    unique = list(dict.fromkeys(parts))
    return unique[0] if len(unique) == 1 else word.join(map(_closed, unique))


def _text(check: Check) -> str:
    """The expression of a check. One that is known already is a constant."""
    if isinstance(check, Condition):
        return check.cel
    if not isinstance(check, Check) or check.verdict is Verdict.UNSHOWN:
        raise CannotBeSaidError("its function gives no check that can be said")
    return "true" if check == HOLDS else "false"


def _closed(text: str) -> str:
    """The text in brackets, where it needs them beside other parts."""
    return f"({text})" if " || " in text or " && " in text or " ? " in text else text


@dataclass
class _Trail:
    """The answers given so far in one run of a function. planned: those to give first, from an earlier run."""

    planned: list[bool]
    asked: dict[str, bool] = field(default_factory=dict)

    def answer(self, question: str) -> bool:
        if question not in self.asked:
            number = len(self.asked)
            self.asked[question] = self.planned[number] if number < len(self.planned) else True
        return self.asked[question]


_TRAIL: ContextVar[_Trail | None] = ContextVar("trail", default=None)


def _explored(function: Callable[[], Check]) -> str:
    """The expression of a function, with one case for each way that its questions can be answered."""
    cases: list[str] = []
    plans: list[list[bool]] = [[]]
    while plans:
        if len(cases) == _MOST_CASES:
            raise CannotBeSaidError(f"its function has more than {_MOST_CASES} cases")
        trail = _Trail(plans.pop())
        token = _TRAIL.set(trail)
        try:
            result = _text(function())
        finally:
            _TRAIL.reset(token)
        answers = list(trail.asked.values())
        plans += [[*answers[:number], False] for number in range(len(trail.planned), len(answers))]
        met = [question if answer else f"!({question})" for question, answer in trail.asked.items()]
        cases.append(_all([*map(Condition, met), Condition(result)]).cel)
    return _any(map(Condition, cases)).cel


class Symbol(Reading):
    """A place in an object that is not here. ``text`` is the expression that reads it.

    present: expressions that must hold for it to be there, outermost first. sample: a value that it may have, from the
    rule's own example: it tells what type is meant.
    """

    __slots__ = ("_depth", "_present", "_sample", "_text")

    def __init__(
        self,
        text: str,
        path: Path = (),
        *,
        defaults: Mapping[Path, Any],
        sample: Any = None,
        present: tuple[str, ...] = (),
        depth: int = 0,
    ) -> None:
        self.path = path
        self._defaults = defaults
        self._text = text
        self._present = present
        self._sample = sample
        self._depth = depth

    def __getattribute__(self, name: str) -> Any:
        if name in ("value", "found", "secret", "postponed"):
            raise CannotBeSaidError(f"its function looks at the {name} itself")
        if name == "state":
            return object.__getattribute__(self, "_asked_state")()
        return object.__getattribute__(self, name)

    def _asked_state(self) -> State:
        trail = _TRAIL.get()
        if trail is None or not self._present or self._default() is not None:
            return State.KNOWN
        return State.KNOWN if trail.answer(" && ".join(self._present)) else State.MISSING

    def _default(self) -> Any:
        return self._defaults.get(self.path)

    def _straight(self, segments: Path) -> int:
        return 0

    def _step(self, segment: str | int) -> Reading:
        if isinstance(segment, int):
            raise CannotBeSaidError("it looks at one item of a list by its place")
        if isinstance(self._default(), Mapping | list):
            raise CannotBeSaidError(f"a whole object stands in for {format_path(self.path)}")
        if segment in _RESERVED:
            raise CannotBeSaidError(f"{segment} is a word of the language itself")
        plain = _NAME.fullmatch(segment) is not None
        text = f"{self._text}.{segment}" if plain else f"{self._text}[{_literal(segment)}]"
        there = f"has({text})" if plain else f"{_literal(segment)} in {self._text}"
        sample = self._sample.get(segment) if isinstance(self._sample, Mapping) else None
        return Symbol(
            text,
            (*self.path, segment),
            defaults=self._defaults,
            sample=sample,
            present=(*self._present, there),
            depth=self._depth,
        )

    def _met(self, test: str) -> Condition:
        """The test, where the value is there; what holds where it is left out is as the rule's defaults say."""
        there = " && ".join(self._present)
        default = self._default()
        if not there:
            return Condition(test)
        if self.path not in self._defaults:
            return Condition(f"{there} && {_closed(test)}")
        if default is None:
            return Condition(f"!({there}) || {_closed(test)}")
        return Condition(f"{there} ? {_closed(test)} : {_on(test, self._text, default)}")

    def satisfies(self, test: Callable[[Any], bool], wanted: str) -> Check:
        raise CannotBeSaidError(f"it tests in Python whether {format_path(self.path) or 'the object'} is {wanted}")

    def document(self) -> Reading:
        raise CannotBeSaidError("it reads a document inside a text")

    def same_as(self, other: Reading, measure: Callable[[Any], Any]) -> Check:
        raise CannotBeSaidError("it measures amounts in Python")

    def one_or_each(self, check: Callable[[Reading], Check]) -> Check:
        raise CannotBeSaidError("it takes a value or a list of them")

    def at_least(self, least: float, unit: str = "") -> Check:
        return self._met(f"{self._text} >= {_literal(least)}")

    def at_most(self, most: float, unit: str = "") -> Check:
        return self._met(f"{self._text} <= {_literal(most)}")

    def more_than(self, other: Reading) -> Check:
        if not isinstance(other, Symbol):
            raise CannotBeSaidError("it compares with something outside the object")
        return other._met("true") & self._met(f"{self._text} > {other._text}")

    def is_true(self) -> Check:
        return self._met(f"{self._text} == true")

    def is_false(self) -> Check:
        return self._met(f"{self._text} == false")

    def is_set(self) -> Check:
        """What is empty depends on the type: the rule's own example tells which one is meant."""
        sized = self._sample is None or isinstance(self._sample, str | list | Mapping)
        return self._met(f"size({self._text}) > 0" if sized else "true")

    def is_left_out(self) -> Check:
        if self._default() is not None:
            raise CannotBeSaidError(f"it asks whether {format_path(self.path)} is left out, which has a default")
        return Condition(f"!({' && '.join(self._present)})")

    def has_items(self) -> Check:
        return self._met(f"size({self._text}) > 0") & self.each(lambda item: item.is_set())

    def one_of(self, *allowed: str | float | bool) -> Check:
        return self._met(f"{self._text} in {_literal(list(allowed))}")

    def none_of(self, *refused: str | float | bool) -> Check:
        return self._met(f"!({self._text} in {_literal(list(refused))})")

    def matches(self, pattern: re.Pattern[str], wanted: str) -> Check:
        if _NOT_RE2.search(pattern.pattern) or pattern.flags & ~re.UNICODE:
            raise CannotBeSaidError("it has a pattern that CEL does not know")
        return self._met(f"{self._text}.matches({_literal(f'^(?:{pattern.pattern})$')})")

    def each(self, check: Callable[[Reading], Check]) -> Check:
        return self._met(self._over_items("all", check))

    def some(self, check: Callable[[Reading], Check], wanted: str) -> Check:
        return self._met(self._over_items("exists", check))

    def each_value(self, check: Callable[[Reading], Check]) -> Check:
        variable = f"k{self._depth}"
        sample = next(iter(self._sample.values())) if self._sample else None
        body = self._body(f"{self._text}[{variable}]", sample, check)
        return self._met(f"{self._text}.all({variable}, {body})")

    def any_of(self, checks: Iterable[Check], wanted: str) -> Check:
        return _any(checks)

    def _over_items(self, macro: str, check: Callable[[Reading], Check]) -> str:
        variable = f"i{self._depth}"
        sample = self._sample[0] if isinstance(self._sample, list) and self._sample else None
        return f"{self._text}.{macro}({variable}, {self._body(variable, sample, check)})"

    def _body(self, text: str, sample: Any, check: Callable[[Reading], Check]) -> str:
        item = Symbol(text, (*self.path, "*"), defaults=self._defaults, sample=sample, depth=self._depth + 1)
        return _explored(lambda: check(item))


def _literal(value: Any) -> str:
    """A constant as CEL writes it: JSON, with whole numbers whole."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return json.dumps(value)


def _on(test: str, text: str, default: Any) -> str:
    """The test on a constant instead of the place."""
    return re.sub(rf"{re.escape(text)}(?![A-Za-z0-9_])", lambda _: _literal(default), test)
