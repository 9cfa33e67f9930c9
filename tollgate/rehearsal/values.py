"""Property values as the engine sends them, and back.

Plain JSON data, with three marks kept: an unknown value is the engine's sentinel text, a secret is a ``Secret``, an
asset or an archive is a dict that carries its signature.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.struct_pb2 import Struct, Value

from tollgate.policy.sentinels import SECRET_SIGNATURE, SIGNATURE_KEY, UNKNOWN, is_unknown

# Signatures: pulumi/sdk/go/common/resource/sig/sig.go.
OUTPUT_SIGNATURE = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
ASSET_SIGNATURES = frozenset({"c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7"})
# List of inputs that the provider filled in itself; the engine keeps it in the state, no cloud ever sees it.
DEFAULTS = "__defaults"
# List of outputs that a stand-in made up because the program left them open: nothing may be concluded from them.
INVENTED = "__invented"

Properties = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that must not be shown. Its text form never shows it either."""

    value: Any

    def __repr__(self) -> str:
        return "[secret]"


def read_struct(struct: Struct) -> Properties:
    """A property struct as plain data."""
    return {name: _read(value) for name, value in struct.fields.items()}


def _read(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "struct_value":
        return _unwrap(read_struct(value.struct_value))
    if kind == "list_value":
        return [_read(item) for item in value.list_value.values]
    if kind == "number_value":
        return value.number_value
    if kind == "bool_value":
        return value.bool_value
    return None


def _unwrap(data: Properties) -> Any:
    signature = data.get(SIGNATURE_KEY)
    if signature == SECRET_SIGNATURE:
        return Secret(data.get("value"))
    if signature == OUTPUT_SIGNATURE:
        value = data.get("value", UNKNOWN)
        return Secret(value) if data.get("secret") else value
    return data


def write_struct(properties: Mapping[str, Any]) -> Struct:
    """Plain data as a property struct."""
    struct = Struct()
    _fill(struct, properties)
    return struct


def _fill(struct: Struct, properties: Mapping[str, Any]) -> None:
    fields = struct.fields
    for name, value in properties.items():
        _write(fields[name], value)


def _write(target: Value, value: Any) -> None:
    if isinstance(value, str):
        target.string_value = value
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, (int, float)):
        target.number_value = value
    elif isinstance(value, dict):
        target.struct_value.SetInParent()
        _fill(target.struct_value, value)
    elif isinstance(value, (list, tuple)):
        target.list_value.SetInParent()
        for item in value:
            _write(target.list_value.values.add(), item)
    elif isinstance(value, Secret):
        _fill(target.struct_value, {SIGNATURE_KEY: SECRET_SIGNATURE, "value": value.value})
    else:
        target.null_value = 0  # type: ignore[assignment]  # NULL_VALUE, the enumeration's only member


def plain(value: Any) -> Any:
    """The value behind a secret mark."""
    return value.value if isinstance(value, Secret) else value


def without_marks(value: Any) -> Any:
    """The same data with no secret mark in it: for comparing only, never for showing."""
    if isinstance(value, Secret):
        return without_marks(value.value)
    if isinstance(value, dict):
        return {name: without_marks(item) for name, item in value.items()}
    if isinstance(value, list):
        return [without_marks(item) for item in value]
    return value


def is_asset(value: Any) -> bool:
    """True for a file, a text or an archive that travels as a value."""
    return isinstance(value, dict) and value.get(SIGNATURE_KEY) in ASSET_SIGNATURES


def contains_unknown(value: Any) -> bool:
    """True when any part of the value will only be known after the change."""
    value = plain(value)
    if isinstance(value, dict):
        return any(map(contains_unknown, value.values()))
    if isinstance(value, list):
        return any(map(contains_unknown, value))
    return is_unknown(value)


def mark_secret(properties: Properties, paths: Iterable[str]) -> Properties:
    """The same properties with the values at these paths (book spelling) marked as secret."""
    marked: Any = properties
    for path in paths:
        marked = _mark(marked, path.replace("[]", ".[]").split("."))
    result: Properties = marked
    return result


def _mark(value: Any, steps: list[str]) -> Any:
    if value is None or isinstance(value, Secret):
        return value
    if not steps:
        return Secret(without_marks(value))
    if steps[0] == "[]" and isinstance(value, list):
        return [_mark(item, steps[1:]) for item in value]
    if isinstance(value, dict) and steps[0] in value:
        return {**value, steps[0]: _mark(value[steps[0]], steps[1:])}
    return value


def decode_config(text: Any) -> Any:
    """A provider setting: nested ones arrive as JSON text."""
    text = plain(text)
    if isinstance(text, str) and text[:1] in "{[" and text:
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
