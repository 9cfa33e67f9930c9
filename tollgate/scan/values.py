"""Values of a Pulumi resource as Terraform writes them: names translated, blocks in lists, secrets masked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tollgate.books.terraform import Inputs, TerraformType, snake
from tollgate.policy.sentinels import SECRET, SIGNATURE_KEY, is_secret, is_unknown

ASSET = "[file]"
"""Stands for a file or an archive: checks only ask whether there is one."""


@dataclass
class Translated:
    """A resource in Terraform's words.

    names: Terraform's name of each top-level property. unmapped: Pulumi's paths that the book has no name for.
    unknown: Terraform's top-level names whose value only the change itself will tell.
    """

    values: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    unmapped: list[str] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)


def translate(inputs: Mapping[str, Any], known: TerraformType) -> Translated:
    """The inputs of a resource in Terraform's words."""
    told = Translated()
    for name, value in _given(inputs):
        spelt = known.renamed.get(name) or _spelt(name, known.inputs, (name,), known, told)
        if spelt is None:
            continue
        told.names[name] = spelt
        if holds_unknown(value):
            told.unknown.add(spelt)
        told.values[spelt] = _value(value, spelt, known.inputs, (name,), known, told)
    return told


def holds_unknown(value: Any) -> bool:
    """True when any part of the value is not known yet."""
    if isinstance(value, Mapping):
        return any(map(holds_unknown, value.values()))
    if isinstance(value, list):
        return any(map(holds_unknown, value))
    return is_unknown(value)


def masked(value: Any) -> Any:
    """The same data with secrets and files as constants, and what is not known as null."""
    if is_secret(value):
        return SECRET
    if is_unknown(value):
        return None
    if isinstance(value, Mapping):
        return ASSET if SIGNATURE_KEY in value else {name: masked(item) for name, item in value.items()}
    return [masked(item) for item in value] if isinstance(value, list) else value


def _given(inputs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What the program gave: neither the bookkeeping of a provider nor what is left out."""
    return ((name, value) for name, value in inputs.items() if value is not None and not name.startswith("__"))


def _spelt(name: str, inputs: Inputs, path: tuple[str, ...], known: TerraformType, told: Translated) -> str | None:
    """Terraform's name. One that came after the book's provider is spelt by the rule; any other is reported."""
    spelt = inputs.spelt(name)
    if spelt is None and any(".".join(path[:length]) in known.newer for length in range(1, len(path) + 1)):
        return snake(name)
    if spelt is None:
        told.unmapped.append(".".join(path))
    return spelt


def _value(value: Any, name: str, inputs: Inputs, path: tuple[str, ...], known: TerraformType, told: Translated) -> Any:
    if name in inputs.secret:
        return SECRET
    if name in inputs.blocks and not is_unknown(value):
        items = value if isinstance(value, list) else [value]
        return [_block(item, inputs.blocks[name], path, known, told) for item in items]
    value = masked(value)
    if name in inputs.list and value is not None:
        return value if isinstance(value, list) else [value]
    if name in inputs.text and isinstance(value, dict | list):
        return json.dumps(value)
    return value


def _block(item: Any, inputs: Inputs, path: tuple[str, ...], known: TerraformType, told: Translated) -> Any:
    if not isinstance(item, Mapping) or SIGNATURE_KEY in item:
        return masked(item)
    block = {}
    for name, value in _given(item):
        spelt = _spelt(name, inputs, (*path, name), known, told)
        if spelt is not None:
            block[spelt] = _value(value, spelt, inputs, (*path, name), known, told)
    return block
