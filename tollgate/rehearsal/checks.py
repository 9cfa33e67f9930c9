"""Are the inputs of a resource ones that its type can take? Judged by the types of the installed SDK."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from tollgate.policy.paths import Path, format_path
from tollgate.policy.sentinels import is_unknown
from tollgate.rehearsal.sdk_types import ANY, Input, Shape, fields_of
from tollgate.rehearsal.values import is_asset, plain

_CONTAINERS = {"object": "an object", "map": "an object", "list": "a list"}
MANY = 12  # a list of names longer than this helps nobody


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that the provider would refuse. Names the path, never the value: it may be a secret."""

    path: str
    reason: str


def check_inputs(properties: Mapping[str, Any], inputs: Mapping[str, Input]) -> list[Failure]:
    """Every missing, misspelt or impossible input, nested ones too. An unknown value fits everywhere."""
    return list(_object(properties, inputs, ()))


def check_shape(value: Any, shape: Shape, path: Path) -> list[Failure]:
    """The same for one value at a path."""
    return list(_value(value, shape, path))


def _object(given: Mapping[str, Any], fields: Mapping[str, Input], path: Path) -> Iterator[Failure]:
    for name, value in given.items():
        if name.startswith("__") or value is None:
            continue
        field = fields.get(name) or fields.get(_in_sdk(name))
        if field is None:
            yield Failure(format_path((*path, name)), _no_such(name, fields))
        else:
            yield from _value(value, field.shape, (*path, name))
    for name, field in fields.items():
        if field.required and given.get(name) is None:
            yield Failure(format_path((*path, name)), "is required and was not given; set it")


def _in_sdk(name: str) -> str:
    """Extensions of a schema have hyphens in a manifest and none in the SDKs; the real provider takes both."""
    return name.replace("-", "_") if name.startswith("x-kubernetes-") else name


def _value(value: Any, shape: Shape, path: Path) -> Iterator[Failure]:
    value = plain(value)
    if value is None or is_unknown(value) or is_asset(value):
        return
    if shape.kind == "object" and isinstance(value, dict):
        fields = fields_of(shape.fields) if shape.fields else None
        yield from _object(value, fields, path) if fields is not None else ()
    elif shape.kind == "list" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _value(item, shape.item or ANY, (*path, index))
    elif shape.kind == "map" and isinstance(value, dict):
        for name, item in value.items():
            yield from _value(item, shape.item or ANY, (*path, name))
    elif shape.kind in _CONTAINERS:
        yield Failure(format_path(path), f"must be {_CONTAINERS[shape.kind]}")
    elif shape.kind == "enum" and value not in shape.values:
        allowed = ", ".join(str(item) for item in shape.values[:MANY])
        yield Failure(format_path(path), f"is not one of the values it can have; write one of: {allowed}")


def _no_such(name: str, fields: Mapping[str, Input]) -> str:
    near = get_close_matches(name, fields, n=1, cutoff=0.6) or _same_letters(name, fields)
    if near:
        return f"no such property; did you mean {near[0]}?"
    known = ", ".join(sorted(fields)[:MANY]) + (", …" if len(fields) > MANY else "")
    return f"no such property; the properties are {known}" if known else "no such property; there are none here"


def _same_letters(name: str, fields: Mapping[str, Input]) -> list[str]:
    """Other spellings of one name: ``storage_encrypted``, ``StorageEncrypted``."""
    folded = name.replace("_", "").replace("-", "").lower()
    return [field for field in fields if field.lower() == folded]
