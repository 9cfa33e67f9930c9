"""Say what is wrong with settings in words that name the setting and the right way to write it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any, get_args, get_origin

from pydantic import ValidationError

from stacks.wanted import Home, KeyPath, advice, allowed, alternatives, bare, field_at, found, is_model, kind_at, wanted

# What pydantic says of a value that is there and is of the wrong kind or out of bounds needs our words; what a rule of
# ours says does not.
OURS = ("value_error", "assertion_error")


def nearest(word: str, known: Iterable[str]) -> str:
    """``did you mean x?``, or the list of what there is when nothing is near."""
    known = list(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    return f"there is {', '.join(known)}" if known else "nothing can be set here"


def complaints(error: ValidationError, home: Home) -> Iterator[tuple[KeyPath, str]]:
    """(key path below the namespace, sentence) for each error. No text is ever quoted: it might be a secret.

    home: the tier and target of the stack.
    """
    for fault in error.errors(include_url=False):
        if fault["type"] == "contradictions":
            yield from fault["ctx"]["found"]
            continue
        parts = tuple(str(part) for part in fault["loc"])
        if parts and parts[-1] == "[key]":
            yield parts[:-1], _no_such(parts[:-1])
        elif fault["type"] == "extra_forbidden":
            yield parts, _no_such(parts)
        elif fault["type"] == "missing":
            yield parts, _missing(parts, home)
        elif fault["type"] in OURS:
            yield _setting(parts)[0], fault["msg"].removeprefix("Value error, ")
        else:
            yield _wrong(*_setting(parts), fault["input"], home)


def names_in(path: KeyPath) -> list[str]:
    """The settings that may stand under a key path; empty where any name may."""
    for kind in alternatives(kind_at(path)):
        if is_model(kind):
            return list(kind.model_fields)
        if get_origin(bare(kind)) is dict:
            return [str(name) for name in allowed(get_args(bare(kind))[0])]
    return []


def _no_such(path: KeyPath) -> str:
    """A key that nobody knows, or a name that cannot be one."""
    known = names_in(path[:-1])
    if known or not any(get_origin(bare(kind)) is dict for kind in alternatives(kind_at(path[:-1]))):
        return f"no such setting; {nearest(path[-1], known)}"
    return "cannot be a name here; write lower-case letters, digits and hyphens, beginning with a letter"


def _missing(path: KeyPath, home: Home) -> str:
    field = field_at(path)
    told = f" ({field.description})" if field and field.description else ""
    return f"is needed{told}{advice(path, kind_at(path), None, home)}"


def _wrong(path: KeyPath, entry: str, value: Any, home: Home) -> tuple[KeyPath, str]:
    """A value of the wrong kind or out of its bounds. ``entry``: which entry of a list it is; empty for the whole."""
    kind = kind_at(path)
    models = [part for part in alternatives(kind) if is_model(part)]
    if models:
        return path, f"must be a mapping, and is {found(value)}; write below it {', '.join(models[0].model_fields)}"
    field = field_at(path)
    told = f" ({field.description})" if field and field.description else ""
    which = f"entry {int(entry) + 1} is" if entry else "is"
    return path, f"must be {wanted(kind)}{told}, and {which} {found(value)}{advice(path, kind, value, home)}"


def _setting(parts: KeyPath) -> tuple[KeyPath, str]:
    """The setting that an error is about, and the entry of its list; the name of a type that was tried is left out."""
    length = len(parts)
    while length and kind_at(parts[:length]) is None:
        length -= 1
    rest = [part for part in parts[length:] if part.isdigit()]
    return parts[:length], rest[0] if rest else ""
