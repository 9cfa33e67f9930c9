"""A page per component, from its docstring, its specs and its outputs: docs/reference/components/."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
import typing
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from pydantic import BaseModel

import components
from components.base import Component
from tests.components.recording import ROOT
from tests.reference.tables import cell

FOLDER = ROOT / "docs" / "reference" / "components"
GENERATED = "<!-- Written by `python -m tests.reference`, from the component itself. Do not edit. -->\n"


class UndocumentedError(Exception):
    """A component, a spec or outputs that a reader would find nothing about."""


def pages() -> dict[str, str]:
    """The text of each page by file name. Raises UndocumentedError, which names what has nothing to say."""
    found = kinds()
    made = {f"{kind.__name__}.md": page(kind) for kind in found}
    lines = [f"| [{kind.__name__}]({kind.__name__}.md) | `{kind.token}` | {first_line(kind)} |" for kind in found]
    head = f"{GENERATED}# Components\n\n| component | type token | what it is |\n|---|---|---|\n"
    return {"README.md": head + "\n".join(lines) + "\n", **made}


def kinds() -> list[type[Component]]:
    """Every component of the project, by name."""
    for module in pkgutil.iter_modules(components.__path__):
        importlib.import_module(f"components.{module.name}")
    return sorted(
        (kind for kind in below(Component) if kind.__module__.startswith("components.")), key=lambda kind: kind.__name__
    )


def below(kind: type[Component]) -> Iterator[type[Component]]:
    """All classes that inherit from a class."""
    for child in kind.__subclasses__():
        yield child
        yield from below(child)


def page(kind: type[Component]) -> str:
    """All that can be said of one component."""
    said = told(kind)
    if "Declares" not in said or not said.partition("Declares")[0].strip():
        raise UndocumentedError(f"{kind.__name__}: the docstring needs one line of what it is, then what it Declares")
    asked: dict[str, str] = {name: text for name, text in kind.__init__.__annotations__.items() if name != "return"}
    specs = {
        name: [model for named in named_in(kind, text) for model in models_in(named)] for name, text in asked.items()
    }
    others = [name for name in asked if name != "opts" and not specs[name]]
    parts = [
        f"{GENERATED}# {kind.__name__}\n",
        f"`{kind.token}`, in [{module_file(kind)}](../../../{module_file(kind)})\n",
        said + "\n",
        *(table_of(model) for model in dict.fromkeys(model for found in specs.values() for model in found)),
    ]
    if others:
        wiring = "\n".join(f"| `{name}` | `{shown(asked[name])}` |" for name in others)
        parts.append(f"## Given by the caller\n\n| argument | type |\n|---|---|\n{wiring}\n")
    return "\n".join([*parts, *outputs_of(kind)])


def named_in(kind: type, annotation: str) -> list[Any]:
    """What the names in an annotation stand for, where the module knows them."""
    known = vars(inspect.getmodule(kind) or inspect)
    return [known[name] for name in re.findall(r"\w+", annotation) if name in known]


def told(thing: Any) -> str:
    """A docstring as text. Raises UndocumentedError when there is none."""
    said = inspect.cleandoc(vars(thing).get("__doc__") or "")
    if not said:
        raise UndocumentedError(f"{thing.__module__}.{thing.__name__} has no docstring")
    return said


def first_line(kind: type[Component]) -> str:
    return told(kind).partition("\n\n")[0].replace("\n", " ")


def module_file(kind: type) -> str:
    return kind.__module__.replace(".", "/") + ".py"


def models_in(kind: Any) -> list[type[BaseModel]]:
    """The specs in a type, with those inside them, each once."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        inside: Iterator[type[BaseModel]] = (
            model for field in kind.model_fields.values() for model in models_in(field.annotation)
        )
        return list(dict.fromkeys([kind, *inside]))
    return list(dict.fromkeys(model for part in typing.get_args(kind) for model in models_in(part)))


def table_of(model: type[BaseModel]) -> str:
    """A spec's fields, as the JSON Schema has them, so that nothing can be bounded and not told."""
    schema = model.model_json_schema()
    needed = set(schema.get("required", ()))
    rows = []
    for name, shape in schema["properties"].items():
        fallback = "from the tier profile" if name in needed else f"`{json.dumps(shape.get('default'))}`"
        rows.append(f"| `{name}` | {bounds(shape)} | {fallback} | {cell(shape.get('description', ''))} |")
    head = "| field | values | default | what it means |\n|---|---|---|---|\n"
    return f"## {model.__name__}\n\n{told(model)}\n\n{head}" + "\n".join(rows) + "\n"


LIMITS = {
    "minimum": "≥ {}",
    "maximum": "≤ {}",
    "exclusiveMinimum": "> {}",
    "exclusiveMaximum": "< {}",
    "minLength": "{} characters or more",
    "maxLength": "{} characters or fewer",
    "minItems": "{} or more",
    "maxItems": "{} or fewer",
    "minProperties": "{} or more",
    "maxProperties": "{} or fewer",
    "pattern": "`{}`",
}


def bounds(shape: dict[str, Any]) -> str:
    """What a value may be: its type and its limits."""
    if "anyOf" in shape:
        return " or ".join(bounds(part) for part in shape["anyOf"])
    if "$ref" in shape:
        return f"{shape['$ref'].rpartition('/')[2]}"
    if "const" in shape or "enum" in shape:
        return ", ".join(f"`{json.dumps(value)}`" for value in shape.get("enum", [shape.get("const")]))
    if shape.get("type") == "object":
        inside = shape.get("additionalProperties") or next(iter(shape.get("patternProperties", {}).values()), {})
        kind = f"mapping of {bounds(inside)}"
    elif shape.get("type") == "array":
        kind = f"list of {bounds(shape.get('items') or {})}"
    else:
        kind = shape.get("type", "any value")
    return ", ".join([kind, *(cell(form.format(shape[key])) for key, form in LIMITS.items() if key in shape)])


def outputs_of(kind: type[Component]) -> list[str]:
    """The table of what the component offers, where it offers something."""
    known = vars(inspect.getmodule(kind) or inspect)
    said = [name for name in known if name.endswith("Outputs") and name.removesuffix("Outputs") in kind.__name__]
    if not said:
        raise UndocumentedError(f"{kind.__name__}: {module_file(kind)} has no class {kind.__name__}Outputs")
    made = known[max(said, key=len)]
    rows = "\n".join(f"| `{field.name}` | `{cell(shown(field.type))}` |" for field in fields(made))
    return [f"## {made.__name__}\n\n{told(made)}\n\n| output | type |\n|---|---|\n{rows}\n"]


def shown(kind: Any) -> str:
    """A type as the source has it, without the modules."""
    text = kind if isinstance(kind, str) else kind.__name__ if isinstance(kind, type) else str(kind)
    return cell(re.sub(r"\b(?:[a-z_0-9]+\.)+([A-Za-z])", r"\1", text))
