"""The JSON Schema of a stack file, for editors. ``python -m stacks.schema`` writes it beside the stack files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stacks.loading import FILE_KEYS, NAMESPACE, PULUMI_KEYS
from stacks.settings import PlatformSettings

FILE = Path(__file__).with_name("schema.json")


def stack_file_schema() -> dict[str, Any]:
    """The schema of a whole file. Nothing but tier and target is required: a stack file holds overrides only."""
    settings = PlatformSettings.model_json_schema()
    definitions = {name: _partial(shape) for name, shape in sorted(settings["$defs"].items())}
    ours = {f"{NAMESPACE}:{name}": _partial(shape) for name, shape in settings["properties"].items()}
    theirs: dict[str, Any] = {f"pulumi:{name}": {} for name in PULUMI_KEYS}
    config = {
        "type": "object",
        "additionalProperties": False,
        "required": [f"{NAMESPACE}:tier", f"{NAMESPACE}:target"],
        "properties": {**ours, **theirs},
    }
    others: dict[str, Any] = {name: {} for name in FILE_KEYS}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A stack of the payment platform",
        "type": "object",
        "additionalProperties": False,
        "properties": {**others, "config": config},
        "$defs": definitions,
    }


def rendered() -> str:
    """The file's text."""
    return json.dumps(stack_file_schema(), indent=2, ensure_ascii=False) + "\n"


def _partial(shape: Any) -> Any:
    """The shape with nothing required and no defaults: what is left out comes from the tier profile."""
    if isinstance(shape, list):
        return [_partial(part) for part in shape]
    if not isinstance(shape, dict):
        return shape
    return {
        key: {name: _partial(part) for name, part in value.items()} if key == "properties" else _partial(value)
        for key, value in shape.items()
        if key not in ("required", "default", "minProperties")
    }


if __name__ == "__main__":
    FILE.write_text(rendered(), encoding="utf-8")
