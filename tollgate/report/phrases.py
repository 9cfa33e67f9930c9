"""Speaks phrases: the only way from a key to words that a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources

import yaml

from tollgate.report.parts import Phrase, phrase


@dataclass(frozen=True)
class Words:
    """The words of one language.

    An entry is a template with named places, or two of them (``one``, ``other``) chosen by the value ``n``.
    A key that does not exist is a fault of the program and raises KeyError.
    """

    language: str
    entries: Mapping[str, str | Mapping[str, str]]

    def say(self, spoken: Phrase) -> str:
        """The phrase in this language, as plain text: not escaped for any medium."""
        entry = self.entries[spoken.key]
        if not isinstance(entry, str):
            entry = entry["one" if spoken.values["n"] == 1 else "other"]
        return entry.format_map({name: self._value(value) for name, value in spoken.values.items()})

    def __call__(self, key: str, **values: str | int | float) -> str:
        """``say`` for a key that a renderer names itself: labels and headings."""
        return self.say(phrase(key, **values))

    def moment(self, when: datetime) -> str:
        """A date and time to the minute, with its distance from UTC."""
        offset = when.isoformat()[-6:] if when.utcoffset() else "+00:00"
        return self("page_when", date=f"{when:%Y-%m-%d}", time=f"{when:%H:%M}", offset=offset)

    def _value(self, value: str | int | float | Phrase | tuple[Phrase, ...]) -> str | int | float:
        if isinstance(value, Phrase):
            return self.say(value)
        if isinstance(value, tuple):
            return self._list([self.say(item) for item in value])
        return value

    def _list(self, items: list[str]) -> str:
        if len(items) < 2:
            return "".join(items)
        return self("list_comma").join(items[:-1]) + self("list_and") + items[-1]


@cache
def load_words(language: str = "en") -> Words:
    """The words shipped for ``language`` (``words/<language>.yaml``)."""
    text = resources.files("tollgate.report").joinpath("words", f"{language}.yaml").read_text("utf-8")
    return Words(language, yaml.safe_load(text))
