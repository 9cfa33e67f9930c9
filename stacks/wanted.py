"""What may stand at a setting, what was found there, and what to write instead: all in words.

A text that was found is never repeated, for it might be a secret in the wrong place; numbers and switches are.
"""

from __future__ import annotations

import difflib
import json
import sys
import types
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from components.specs import Target
from stacks.profiles import profile
from stacks.settings import PlatformSettings, Tier

KeyPath = tuple[str, ...]
Home = tuple[Tier, Target]
MISSING = object()


def kind_at(path: KeyPath) -> Any:
    """The type of a setting with its bounds, or None where there is no such setting."""
    kind: Any = PlatformSettings
    for name in path:
        kind = next((inside for part in alternatives(kind) if (inside := _inside(part, name)) is not None), None)
    return kind


def field_at(path: KeyPath) -> FieldInfo | None:
    """What the model says of a setting; None for an entry of a mapping, which no model names."""
    above = [part for part in alternatives(kind_at(path[:-1])) if is_model(part)]
    return above[0].model_fields.get(path[-1]) if above else None


def _inside(kind: Any, name: str) -> Any:
    if is_model(kind):
        field = kind.model_fields.get(name)
        if field is None:
            return None
        return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    return typing.get_args(bare(kind))[1] if typing.get_origin(bare(kind)) is dict else None


def is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def bare(kind: Any) -> Any:
    """A type without its bounds."""
    while typing.get_origin(kind) is Annotated:
        kind = typing.get_args(kind)[0]
    return kind


def alternatives(kind: Any) -> tuple[Any, ...]:
    """X and Y of ``X | Y``, each with its bounds."""
    notes = typing.get_args(kind)[1:] if typing.get_origin(kind) is Annotated else ()
    whole = bare(kind)
    parts = typing.get_args(whole) if typing.get_origin(whole) in (typing.Union, types.UnionType) else (whole,)
    return tuple(Annotated[(part, *notes)] if notes and part is not type(None) else part for part in parts)


def bounds(kind: Any) -> dict[str, Any]:
    """The bounds of a type by name: ge, le, min_length, max_length, pattern."""
    found: dict[str, Any] = {}
    for note in typing.get_args(kind)[1:] if typing.get_origin(kind) is Annotated else ():
        for part in note.metadata if isinstance(note, FieldInfo) else (note,):
            for name in ("ge", "le", "min_length", "max_length", "pattern"):
                if getattr(part, name, None) is not None:
                    found[name] = getattr(part, name)
    return found


def allowed(kind: Any) -> tuple[Any, ...]:
    """The values of a type that lists them; none for another."""
    plain = bare(kind)
    if isinstance(plain, type) and issubclass(plain, Enum):
        return tuple(one.value for one in plain)
    return typing.get_args(plain) if typing.get_origin(plain) is Literal else ()


def wanted(kind: Any) -> str:
    """What may stand there: "a whole number from 1 to 35"."""
    return " or ".join(_one(part) for part in alternatives(kind))


def _one(kind: Any) -> str:
    plain, limits = bare(kind), bounds(kind)
    if values := allowed(kind):
        texts = [str(value) for value in values]
        return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} or {texts[-1]}"
    if plain in (bool, type(None)):
        return "true or false" if plain is bool else "null"
    if plain is int:
        return f"a whole number{_from_to(limits.get('ge'), limits.get('le'))}"
    if plain is str:
        size = _size(limits, "characters")
        form = f" of the form {limits['pattern']}" if "pattern" in limits else ""
        return f"a text{form}{f' of {size}' if size and not form else ''}"
    size = _size(limits, "entries")
    if typing.get_origin(plain) is tuple:
        return f"a list{f' of {size}' if size else ''}, each of them {wanted(typing.get_args(plain)[0])}"
    return f"a mapping{f' of {size}' if size else ''}"


def _from_to(low: Any, high: Any) -> str:
    return "".join(f" {word} {limit}" for word, limit in (("from", low), ("to", high)) if limit is not None)


def _size(limits: Mapping[str, Any], things: str) -> str:
    low, high = limits.get("min_length"), limits.get("max_length")
    if low is not None and high is not None:
        return f"{low} to {high} {things}"
    if low is not None:
        return f"at least {low} {things}"
    return f"at most {high} {things}" if high is not None else ""


def found(value: Any) -> str:
    """What a value is, without telling a text."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return f"a text of {_count(len(value), 'character', 'characters')}"
    return f"a {'list' if isinstance(value, list) else 'mapping'} of {_count(len(value), 'entry', 'entries')}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def advice(path: KeyPath, kind: Any, value: Any, home: Home) -> str:
    """What to write instead: the nearest value that is allowed, or one like it; empty where nobody can know.

    home: the stack's tier and target, whose own profile knows best.
    """
    for part in alternatives(kind):
        if (values := allowed(part)) and isinstance(value, str | int) and not isinstance(value, bool):
            near = _nearest(values, value)
            if near is not None:
                return f"; write {written(near)}"
        limits = bounds(part)
        if bare(part) is int and isinstance(value, int) and not isinstance(value, bool):
            return f"; write {written(max(limits.get('ge', value), min(limits.get('le', value), value)))}"
    for example in (*_examples(path, home), *(one for part in alternatives(kind) for one in allowed(part))):
        if isinstance(example, Mapping):
            return f"; write entries by name, such as {next(iter(example))}"
        return f"; write one like {written(example)}"
    return ""


def written(value: Any) -> str:
    """A value as it would stand in a stack file, on one line."""
    plain = json.loads(json.dumps(value, default=str))
    text = yaml.safe_dump(plain, default_flow_style=True, width=sys.maxsize, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _nearest(values: tuple[Any, ...], value: str | int) -> Any:
    if isinstance(value, int):
        return min(values, key=lambda one: abs(one - value)) if all(isinstance(one, int) for one in values) else None
    near = difflib.get_close_matches(value, [str(one) for one in values], n=1, cutoff=0.6)
    return near[0] if near else None


def _examples(path: KeyPath, home: Home) -> Iterator[Any]:
    """Right values of a setting: the model's own examples, then what the profiles have there or for one like it."""
    field = field_at(path)
    yield from (field.examples or ()) if field else ()
    for tier, target in (home, *PROFILES):
        value = _at(profile(tier, target), path)
        if value is not MISSING:
            yield value


# The richest profiles first.
PROFILES = ((Tier.PROD, Target.AWS), (Tier.STAGING, Target.KUBERNETES), (Tier.EDGE, Target.EDGE))


def _at(values: Any, path: KeyPath) -> Any:
    """The value at a path, where any entry of a mapping of named things stands for one that is not there."""
    for length, name in enumerate(path):
        if not isinstance(values, Mapping) or not values:
            return MISSING
        named = any(is_model(part) for part in alternatives(kind_at(path[:length])))
        values = values.get(name, MISSING) if named or name in values else next(iter(values.values()))
    return values
