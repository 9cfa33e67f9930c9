"""Reading a resource's inputs without guessing: a value is known, unknown until the change runs, or missing.

The inputs are plain JSON in wire spelling (camelCase, numbers as floats) with the engine's marks for unknown
values and secrets still in place. Looking a value up gives another reading, never an exception; the checks at
the end of a look-up give a ``Check``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any

from tollgate.policy.check import HOLDS, Check, Finding, Verdict, fails, unshown
from tollgate.policy.paths import Path, Segment, format_path, parse_path
from tollgate.policy.sentinels import UNKNOWN, is_secret, is_unknown

_LONGEST_SHOWN = 60  # characters of a value in a message; the rest is cut
_NO_DEFAULTS: Mapping[Path, Any] = {}
_NOTHING: frozenset[Path] = frozenset()


class State(Enum):
    """What can be said of one place in the inputs."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    MISSING = "missing"


class Misplaced:
    """Found where an object or a list was expected to lead further down; no check holds for it."""

    def __init__(self, path: Path, found: str) -> None:
        self.found = f"cannot be read: {format_path(path)} {found}"


class Reading:
    """One place in the inputs. ``reading["spec.storage.size"]`` or ``reading["spec"]["storage"]`` goes down.

    path: where this is.
    state: known, unknown or missing; a null counts as missing.
    value: what is there when known, else None.
    secret: the value, or an object that it is in, is marked as a secret; then no message shows it.
    postponed: unknown because another resource of the same change makes it; no check fails on it.
    """

    __slots__ = ("_defaults", "_later", "path", "postponed", "secret", "state", "value")

    def __init__(
        self,
        value: Any,
        path: Path = (),
        *,
        secret: bool = False,
        defaults: Mapping[Path, Any] = _NO_DEFAULTS,
        later: frozenset[Path] = _NOTHING,
    ) -> None:
        """Read plain JSON. ``defaults``: by path, what the provider uses for a property left out, or None.

        ``later``: paths that may be postponed. A secret is never postponed: it may be masked for good.
        """
        self.path = path
        self._defaults = defaults
        self._later = later
        while is_secret(value):
            secret = True
            # A masked secret has no value here: nothing but its presence can be shown.
            value = value.get("value", UNKNOWN) if isinstance(value, dict) else UNKNOWN
        self.secret = secret
        if value is None and defaults:
            value = defaults.get(_pattern(path))
        self.state = _state(value)
        self.value = value if self.state is State.KNOWN else None
        self.postponed = bool(later) and self.state is State.UNKNOWN and not secret and _pattern(path) in later

    def __getitem__(self, path: str | int) -> Reading:
        """Go down by a path, or by a list index. Raises ValueError for a text that is no path."""
        segments: Path = (path,) if isinstance(path, int) else parse_path(path)
        if "*" in segments:
            raise ValueError(f"{path!r} means many places: use .each for items, .key for a key of that name")
        reading, plain = self, self._straight(segments)
        if plain > 1:  # straight to the last of them: nothing on the way can be unknown, secret or left out
            value: Any = self.value
            for segment in segments[:plain]:
                value = value[segment]
            reading = self._at((*self.path, *segments[:plain]), value)
        for segment in segments[plain if plain > 1 else 0 :]:
            reading = reading._step(segment)
        return reading

    def key(self, name: str) -> Reading:
        """Go down by one key as it is, for names with dots or brackets in them."""
        return self._step(name)

    def hidden(self) -> Reading:
        """The same place, read as a secret: no message shows what is here."""
        value = UNKNOWN if self.state is State.UNKNOWN else self.value
        return Reading(value, self.path, secret=True, defaults=self._defaults, later=self._later)

    def _straight(self, segments: Path) -> int:
        """How many segments lead down through values that are known and no secret."""
        return _plain_steps(self.value, segments)

    def _at(self, path: Path, value: Any) -> Reading:
        return Reading(value, path, secret=self.secret, defaults=self._defaults, later=self._later)

    def _step(self, segment: Segment) -> Reading:
        below = self._at((*self.path, segment), self._below(segment))
        if self.state is State.UNKNOWN:
            below.postponed = self.postponed
        return below

    def _below(self, segment: Segment) -> Any:
        if self.state is not State.KNOWN:
            return UNKNOWN if self.state is State.UNKNOWN else None
        if isinstance(self.value, Misplaced):
            return self.value
        if isinstance(segment, int) and isinstance(self.value, list):
            return self.value[segment] if segment < len(self.value) else None
        if isinstance(segment, str) and isinstance(self.value, Mapping):
            return self.value.get(segment)
        return Misplaced(self.path, self.found)

    @property
    def found(self) -> str:
        """What is here, in words: ``is 1``, ``is left out``, ``is a secret``, ``is not known until …``."""
        if self.state is State.MISSING:
            return "is left out"
        if self.state is State.UNKNOWN:
            return "is a secret that cannot be read here" if self.secret else "is not known until the change runs"
        if isinstance(self.value, Misplaced):
            return self.value.found
        return "is a secret" if self.secret else f"is {show(self.value)}"

    def satisfies(self, test: Callable[[Any], bool], wanted: str) -> Check:
        """Holds when ``test(value)`` is true. ``wanted`` says in words what belongs here.

        Missing: fails, unless the defaults say that left out means none.
        """
        if self.state is State.UNKNOWN:
            return HOLDS if self.postponed else unshown(self._finding(wanted))
        if self.state is State.MISSING and _pattern(self.path) in self._defaults:
            return HOLDS
        if self.state is State.MISSING or isinstance(self.value, Misplaced) or not test(self.value):
            return fails(self._finding(wanted))
        return HOLDS

    def _finding(self, wanted: str) -> Finding:
        return Finding(format_path(self.path), self.found, wanted)

    def document(self) -> Reading:
        """What a JSON text says, at the same path. An object is taken as it is: some SDKs take either."""
        if not isinstance(self.value, str):
            return self
        try:
            value = json.loads(self.value, object_pairs_hook=_unambiguous)
        except (ValueError, RecursionError):
            value = Misplaced(self.path, "is no JSON that can be read")
        return self._at(self.path, value)

    def at_least(self, least: float, unit: str = "") -> Check:
        """A number, ``least`` or more. Text that looks like a number is not one."""
        return self.satisfies(lambda value: _is_number(value) and value >= least, f"at least {_amount(least, unit)}")

    def at_most(self, most: float, unit: str = "") -> Check:
        """A number, ``most`` or less. Text that looks like a number is not one."""
        return self.satisfies(lambda value: _is_number(value) and value <= most, f"at most {_amount(most, unit)}")

    def is_true(self) -> Check:
        return self.satisfies(lambda value: value is True, "true")

    def is_false(self) -> Check:
        return self.satisfies(lambda value: value is False, "false")

    def is_set(self) -> Check:
        """Any value that is not empty text, an empty list or an empty object."""
        return self.satisfies(lambda value: value not in ("", [], {}), "a value")

    def has_items(self) -> Check:
        """A list with something in it, and nothing empty among it."""
        filled = self.satisfies(lambda value: isinstance(value, list) and value != [], "a list with something in it")
        return filled if filled.findings or self.postponed else self.each(Reading.is_set)

    def one_of(self, *allowed: str | float | bool) -> Check:
        """Exactly one of these; ``1`` and ``true`` are different values."""
        wanted = " or ".join(show(value) for value in allowed)
        return self.satisfies(lambda value: any(_same(value, each) for each in allowed), wanted)

    def none_of(self, *refused: str | float | bool) -> Check:
        """A value that is none of these."""
        wanted = "anything but " + " or ".join(show(value) for value in refused)
        return self.satisfies(lambda value: not any(_same(value, each) for each in refused), wanted)

    def matches(self, pattern: re.Pattern[str], wanted: str) -> Check:
        """A text that the pattern fits as a whole. ``wanted`` says in words what belongs here."""
        return self.satisfies(lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None, wanted)

    def same_as(self, other: Reading, measure: Callable[[Any], Any]) -> Check:
        """Both are there and ``measure`` gives the same for both; None, for what it cannot measure, equals nothing."""
        wanted = f"the same as {format_path(other.path)}"
        if other.state is State.UNKNOWN:
            return other.is_set()
        size = measure(other.value)
        return self.satisfies(lambda value: size is not None and measure(value) == size, wanted)

    def more_than(self, other: Reading) -> Check:
        """A number greater than the one that stands at another place."""
        if other.state is State.UNKNOWN:
            return other.is_set()
        least = other.value
        wanted = f"more than {format_path(other.path)}"
        return self.satisfies(lambda value: _is_number(value) and _is_number(least) and value > least, wanted)

    def is_left_out(self) -> Check:
        """Nothing is here: the property is not written, or is null."""
        if self.state is State.UNKNOWN:
            return unshown(self._finding("left out"))
        return HOLDS if self.state is State.MISSING else fails(self._finding("left out"))

    def has_only(self, *keys: str) -> Check:
        """An object in which nothing but these keys is there."""
        result = self.satisfies(lambda value: isinstance(value, Mapping), "an object")
        for key in self.value if isinstance(self.value, Mapping) else ():
            if key not in keys:
                result &= self.key(key).is_left_out()
        return result

    def is_secret(self) -> Check:
        """Marked as a secret, so that nothing shows it; or not here at all. A value in the open is not repeated."""
        if self.secret or self.state is State.MISSING:
            return HOLDS
        if self.state is State.UNKNOWN:
            return unshown(self._finding("a secret"))
        return fails(Finding(format_path(self.path), "is written in the open", "a secret"))

    def each(self, check: Callable[[Reading], Check]) -> Check:
        """Every item of a list passes ``check``; an empty list holds."""
        result = self.satisfies(lambda value: isinstance(value, list), "a list")
        items = self.value if isinstance(self.value, list) else []
        for index in range(len(items)):
            result &= check(self[index])
        return result

    def one_or_each(self, check: Callable[[Reading], Check]) -> Check:
        """The value passes ``check``, or each item where there is a list of them."""
        return self.each(check) if isinstance(self.value, list) else check(self)

    def each_value(self, check: Callable[[Reading], Check]) -> Check:
        """Every value of an object passes ``check``; an empty object holds."""
        result = self.satisfies(lambda value: isinstance(value, Mapping), "an object")
        for key in self.value if isinstance(self.value, Mapping) else ():
            result &= check(self.key(key))
        return result

    def some(self, check: Callable[[Reading], Check], wanted: str) -> Check:
        """At least one item of a list passes ``check``. ``wanted`` says in words what such an item is."""
        items = range(len(self.value)) if isinstance(self.value, list) else ()
        return self.any_of((check(self[index]) for index in items), wanted)

    def one_or_some(self, check: Callable[[Reading], Check], wanted: str) -> Check:
        """The value passes ``check``, or at least one item where there is a list of them."""
        return self.some(check, wanted) if isinstance(self.value, list) else self.any_of([check(self)], wanted)

    def any_of(self, checks: Iterable[Check], wanted: str) -> Check:
        """At least one of the checks on what is below here holds; if none does, that is one finding, here."""
        if self.state is State.UNKNOWN:
            return self.satisfies(bool, wanted)
        verdict = max((check.verdict for check in checks), default=Verdict.FAILS)
        return HOLDS if verdict is Verdict.HOLDS else Check(verdict, (self._finding(wanted),))


def _plain_steps(value: Any, segments: Path) -> int:
    """How many segments lead through plain objects and lists only, to one."""
    for count, segment in enumerate(segments):
        inside = value.get(segment) if type(value) is dict else None
        if type(value) is list and isinstance(segment, int) and segment < len(value):
            inside = value[segment]
        if type(inside) is not list and (type(inside) is not dict or is_secret(inside)):
            return count
        value = inside
    return len(segments)


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. Raises ValueError for one that says a key twice: readers differ in which one they take."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key is there twice")
    return made


def _state(value: Any) -> State:
    if value is None:
        return State.MISSING
    return State.UNKNOWN if is_unknown(value) else State.KNOWN


def _pattern(path: Path) -> Path:
    """The path with every list index read as "each item", as defaults are written."""
    return tuple("*" if isinstance(segment, int) else segment for segment in path)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(value: Any, other: str | float | bool) -> bool:
    return bool(value == other) and isinstance(value, bool) == isinstance(other, bool)


def _amount(number: float, unit: str) -> str:
    return f"{show(number)} {unit}".rstrip()


def show(value: Any) -> str:
    """A value in words for a message: ``14`` for 14.0, ``"quorum"``, ``true``, ``a list of 3``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        shown = value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "…"
        return f'"{shown}"'
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "an object"
