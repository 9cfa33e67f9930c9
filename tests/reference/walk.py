"""Every setting that a stack has, one by one, with other values that it might take.

Found from the models themselves, so a new setting is walked as soon as it exists. Of a mapping of like things (the
databases, the queues) one entry stands for all, and one entry more is a change of its own.
"""

from __future__ import annotations

import re
import string
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Any, Literal

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

Path = tuple[str, ...]
ONE_MORE = "(one more)"
FEW = 12
# Deterministic, and small: what is wanted is one plain example.
PLAINLY = settings(derandomize=True, database=None, phases=(Phase.generate, Phase.shrink), max_examples=200)


@dataclass(frozen=True)
class Setting:
    """One setting: where it is, its type with its bounds, and what a stack has there. ``field``: what is said of it."""

    path: Path
    kind: Any
    value: Any
    model: type[BaseModel]
    field: FieldInfo

    @property
    def dotted(self) -> str:
        return ".".join(self.path)


def walk(model: BaseModel, above: Path = ()) -> Iterator[Setting]:
    """Every setting below a model, in the order in which the models name them."""
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        kind = typing.Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
        yield from _below(Setting((*above, name), kind, value, type(model), field))


def _below(here: Setting) -> Iterator[Setting]:
    if isinstance(here.value, BaseModel):
        yield from walk(here.value, here.path)
    elif isinstance(here.value, Mapping):
        inside = _values_of(here.kind)
        # One stands for all that are alike; stores of another purpose are not.
        for name in {getattr(value, "purpose", None): name for name, value in here.value.items()}.values():
            yield from _below(_at(here, name, inside, here.value[name]))
        if set(all_of(typing.get_args(_mapping(here.kind))[0])) != set(here.value) or not here.value:
            yield _at(here, ONE_MORE, here.kind, here.value)
    else:
        yield here


def _at(here: Setting, name: str, kind: Any, value: Any) -> Setting:
    return Setting((*here.path, name), kind, value, here.model, here.field)


def _values_of(kind: Any) -> Any:
    """Y of ``dict[X, Y]``, wherever it is wrapped."""
    return typing.get_args(_mapping(kind))[1]


def _mapping(kind: Any) -> Any:
    (found,) = [bare(part) for part in alternatives(kind) if typing.get_origin(bare(part)) is dict]
    return found


def alternatives(kind: Any) -> tuple[Any, ...]:
    """X and Y of ``X | Y``, with what the whole is annotated with on each."""
    notes: tuple[Any, ...] = ()
    while typing.get_origin(kind) is typing.Annotated:
        kind, *more = typing.get_args(kind)
        notes = (*more, *notes)
    parts = typing.get_args(kind) if typing.get_origin(kind) in (typing.Union, types.UnionType) else (kind,)
    return tuple(typing.Annotated[(part, *notes)] if notes and part is not type(None) else part for part in parts)


def bare(kind: Any) -> Any:
    """A type without its annotations."""
    while typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    return kind


def others(setting: Setting) -> Iterator[Any]:
    """Values that the setting might take instead, likely ones first. Not each of them is valid."""
    if setting.path[-1] == ONE_MORE:
        yield from _one_more(setting)
        return
    if every := all_of(setting.kind):
        yield from _after(every, setting.value)
        return
    kinds = [kind for kind in alternatives(setting.kind) if kind is not type(None)]
    for kind in kinds:
        if setting.value is None:
            yield from _samples(kind)
        elif _fits(kind, setting.value):
            yield from _instead(kind, setting.value)
    if setting.value is not None and type(None) in alternatives(setting.kind):
        yield None


def all_of(kind: Any) -> tuple[Any, ...]:
    """All values of a type that has only a few; none for another type."""
    found: list[Any] = []
    for part in alternatives(kind):
        plain, notes = bare(part), list(_notes(part))
        low = next((note.ge for note in notes if getattr(note, "ge", None) is not None), None)
        high = next((note.le for note in notes if getattr(note, "le", None) is not None), None)
        if plain is type(None):
            found.append(None)
        elif plain is bool:
            found += [False, True]
        elif typing.get_origin(plain) is Literal:
            found += typing.get_args(plain)
        elif isinstance(plain, type) and issubclass(plain, Enum):
            found += [one.value for one in plain]
        elif plain is int and low is not None and high is not None and high - low < FEW:
            found += range(low, high + 1)
        else:
            return ()
    return tuple(found)


def _one_more(setting: Setting) -> Iterator[Any]:
    """The mapping with one entry more, which is like the last one."""
    keys, values = typing.get_args(_mapping(setting.kind))
    taken = setting.value
    last = next(reversed(taken), None)
    names = (name for name in (_instead(keys, last) if last else _samples(keys)) if name not in taken)
    for name in names:
        if last is not None:
            yield {name: written(taken[last])}
        else:
            yield from ({name: value} for value in _samples(values))


def written(value: Any) -> Any:
    """A value as a stack file would have it."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {key: written(part) for key, part in value.items()}
    return [written(part) for part in value] if isinstance(value, tuple) else value


def _fits(kind: Any, value: Any) -> bool:
    try:
        TypeAdapter(kind).validate_python(value, strict=True)
    except ValueError:
        return False
    return True


def _instead(kind: Any, value: Any) -> Iterator[Any]:
    """Other values of a kind, near to one that it has."""
    plain = bare(kind)
    if every := all_of(kind):
        yield from _after(every, value)
    elif isinstance(value, int):
        yield from (value + 1, value - 1, value * 2, value // 2, value + 10)
    elif isinstance(value, str):
        yield from (text for text in _near(value) if text != value and _fits(kind, text))
    elif isinstance(value, tuple):
        yield from _lists(plain, value)


def _after(values: tuple[Any, ...], value: Any) -> Iterator[Any]:
    """The values from the next one on, and round."""
    start = values.index(value) + 1
    yield from (one for one in (*values[start:], *values[:start]) if one != value)


def _near(text: str) -> Iterator[str]:
    """A suffix, the last number one up, then one character after another replaced, from the end."""
    yield f"{text}-2"
    number = re.fullmatch(r"(.*?)(\d+)(\D*)", text)
    if number:
        yield f"{number[1]}{int(number[2]) + 1:0{len(number[2])}}{number[3]}"
    for at in reversed(range(len(text))):
        for letter in string.digits if text[at].isdigit() else string.ascii_lowercase:
            yield text[:at] + letter + text[at + 1 :]


def _lists(kind: Any, value: tuple[Any, ...]) -> Iterator[list[Any]]:
    """The list with one item more, then with one less."""
    (item, *_) = typing.get_args(kind)
    more = ([*value, one] for one in (_instead(item, value[-1]) if value else _samples(item)) if one not in value)
    yield from islice(more, 1)
    if value:
        yield list(value[:-1])
    yield from more


def _samples(kind: Any) -> Iterator[Any]:
    """Values of a kind where there is none to start from."""
    plain = bare(kind)
    if isinstance(plain, type) and issubclass(plain, BaseModel):
        yield {name: value for name, field in plain.model_fields.items() for value in _first(field)}
    elif plain is str:
        pattern = next((note.pattern for note in _notes(kind) if getattr(note, "pattern", None)), "[a-z]+")
        text = st.from_regex(pattern).filter(lambda found: found.isascii() and found == found.strip())
        yield find(text, bool, settings=settings(PLAINLY, suppress_health_check=list(HealthCheck)))
    elif plain is int:
        yield next((note.ge for note in _notes(kind) if getattr(note, "ge", None) is not None), 1)
    elif every := all_of(kind):
        yield from every
    elif typing.get_origin(plain) is tuple:
        yield from ([one] for one in _samples(typing.get_args(plain)[0]))


def _first(field: FieldInfo) -> Iterator[Any]:
    """A first value of a field that must have one."""
    if field.is_required():
        kind = typing.Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
        parts = alternatives(kind)
        yield from (None,) if type(None) in parts else islice(_samples(parts[0]), 1)


def _notes(kind: Any) -> Iterator[Any]:
    """What a type is annotated with, bounds taken apart."""
    while typing.get_origin(kind) is typing.Annotated:
        kind, *notes = typing.get_args(kind)
        for note in notes:
            yield from note.metadata if isinstance(note, FieldInfo) else (note,)
