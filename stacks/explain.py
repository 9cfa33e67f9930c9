"""Say what is wrong with settings in words that name the setting and the right way to write it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from stacks.settings import PlatformSettings


def nearest(word: str, known: Iterable[str]) -> str:
    """``did you mean x?``, or the list of what there is when nothing is near."""
    known = list(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    return f"there is {', '.join(known)}" if known else "nothing can be set here"


def complaints(error: ValidationError) -> Iterator[tuple[tuple[str, ...], str]]:
    """(key path below the namespace, sentence) for each error. No value is ever quoted: it might be a secret."""
    for found in error.errors(include_url=False, include_input=False):
        context = found.get("ctx", {})
        if found["type"] == "contradictions":
            yield from context["found"]
            continue
        path = tuple(str(part) for part in found["loc"])
        if path and path[-1] == "[key]":
            path = path[:-1]
            yield path, f"no such setting; {nearest(path[-1], names_in(path[:-1]))}"
        elif found["type"] == "extra_forbidden":
            yield path, f"no such setting; {nearest(path[-1], names_in(path[:-1]))}"
        elif found["type"] == "missing":
            yield path, f"is needed{describe(path)}"
        else:
            yield _without_indexes(path), _sentence(found["msg"])


def names_in(path: tuple[str, ...]) -> list[str]:
    """The settings that may stand under a key path; empty where any name may."""
    kind = _kind_at(path)
    if _is_model(kind):
        return list(kind.model_fields)
    arguments = get_args(kind)
    return [name for name in get_args(arguments[0]) if isinstance(name, str)] if len(arguments) == 2 else []


def describe(path: tuple[str, ...]) -> str:
    """What a setting means, in brackets, where the model says so."""
    kind = _kind_at(path[:-1])
    told = kind.model_fields[path[-1]].description if _is_model(kind) and path[-1] in kind.model_fields else None
    return f" ({told})" if told else ""


def _kind_at(path: tuple[str, ...]) -> Any:
    kind: Any = PlatformSettings
    for part in path:
        if _is_model(kind):
            field = kind.model_fields.get(part)
            kind = _not_none(field.annotation) if field else None
        else:
            arguments = get_args(kind)
            kind = _not_none(arguments[1]) if len(arguments) == 2 else None
    return kind


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _not_none(kind: Any) -> Any:
    """X from ``X | None``."""
    arguments = [argument for argument in get_args(kind) if argument is not type(None)]
    return arguments[0] if len(arguments) == 1 else kind


def _without_indexes(path: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for part in path if not part.isdigit())


def _sentence(message: str) -> str:
    for said, better in (("Value error, ", ""), ("Input should be", "must be"), ("Input should", "must")):
        message = message.replace(said, better)
    return message[:1].lower() + message[1:]
