"""What the installed SDK of a package says about its types: inputs, which are required, what they hold, outputs.

Read off the source text, one class at a time: importing the SDK of one AWS service takes half a second and runs the
code of the project, reading one class takes a few milliseconds and runs nothing. The text is generated
(pulumi-language-python, pulumigen), so its form is fixed.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_REGISTERED = re.compile(r'resource_modules="""\s*(.*?)"""', re.DOTALL)
_GETTER = re.compile(
    r'@pulumi\.getter(?:\(name="(\w+)"\))?\s+(?:@_utilities\.deprecated\("""(?:.*?)"""\)\s+)?'
    r"def (\w+)\(self\) -> (.+?):\n",
    re.DOTALL,
)
_COMPUTED = re.compile(r'__props__\.__dict__\["(\w+)"\] = None$', re.MULTILINE)
_NEXT_CLASS = re.compile(r"\n(?=@pulumi\.|class |def )")
_MEMBER = re.compile(r"^    [A-Z][A-Z0-9_]* = (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value may be. ``kind``: any, str, int, float, bool, list, map, object or enum.

    fields: of an object, how to find them; item: of a list or a map; values: of a closed enumeration.
    """

    kind: str
    item: Shape | None = None
    fields: tuple[Path, str] | None = None
    values: tuple[object, ...] = ()


ANY = Shape("any")


@dataclass(frozen=True, slots=True)
class Input:
    shape: Shape
    required: bool


@dataclass(frozen=True, slots=True)
class ResourceTypes:
    """One resource type. Names are the wire's (camelCase)."""

    inputs: Mapping[str, Input]
    outputs: Mapping[str, Shape]
    computed: frozenset[str]
    kept_when_dropped: frozenset[str]


class Sdk:
    """The SDK of one package. Everything is read when first asked for, and then remembered."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._classes = _registered_classes(folder)
        self._types: dict[str, ResourceTypes | None] = {}

    def tokens(self) -> tuple[str, ...]:
        """All resource types of this package, in order."""
        return tuple(sorted(self._classes))

    def registers(self, token: str) -> bool:
        """True for a type of this package; a Kubernetes custom resource is not one."""
        return token in self._classes

    def types(self, token: str) -> ResourceTypes | None:
        """What is known of a type; None when the SDK does not tell."""
        if token not in self._types:
            self._types[token] = self._read(token)
        return self._types[token]

    def _read(self, token: str) -> ResourceTypes | None:
        where = self._classes.get(token)
        if where is None:
            return None
        module, name = where
        file = _class_file(self.folder.parent.joinpath(*module.split(".")), name, token)
        return _resource(file, name) if file else None


def _registered_classes(folder: Path) -> dict[str, tuple[str, str]]:
    """Type token to module and class, as the SDK registers them at its root."""
    match = _REGISTERED.search(_text(folder / "__init__.py"))
    if not match:
        return {}
    return {
        token: (module["fqn"], name)
        for module in json.loads(match[1])
        for token, name in module.get("classes", {}).items()
    }


def _class_file(folder: Path, name: str, token: str) -> Path | None:
    """The file of a resource class: in snake case from the one generator, named as the class from the other."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    mark = f'@pulumi.type_token("{token}")'
    likely = (folder / f"{snake}.py", folder / f"{name}.py", folder / f"{snake}_.py")
    for file in (*likely, *sorted(folder.glob("*.py"))):
        text = _text(file)
        if mark in text or (f"class {name}(" in text and f"'{token}'" in text):
            return file
    return None


def _resource(file: Path, name: str) -> ResourceTypes | None:
    text = _text(file)
    arguments = next((found for found in (f"{name}Args", f"{name}InitArgs") if f"class {found}:" in text), None)
    body = _class_text(text, f"class {name}(")
    if arguments is None or body is None:
        return None
    inputs = fields_of((file, arguments)) or {}
    outputs: dict[str, Shape] = {}
    names: dict[str, str] = {}
    kept: set[str] = set()
    for wire, python, annotation in _GETTER.findall(body):
        shape, optional = _shape(annotation, file)
        names[python] = wire or python
        outputs[names[python]] = shape
        if not optional:
            kept.add(names[python])
    constructor = body[body.find("def _internal_init(") :].partition("    @staticmethod")[0]
    computed = frozenset(names[python] for python in _COMPUTED.findall(constructor) if python in names)
    # An input that need not be given but always has a value afterwards is "optional and computed" (the rule of
    # pulumi-terraform-bridge's generator): dropping it keeps the value.
    optional_computed = frozenset(n for n in kept & set(inputs) if not inputs[n].required)
    return ResourceTypes(inputs, outputs, computed, optional_computed)


def shape_at(inputs: Mapping[str, Input], path: Sequence[str | int]) -> Shape:
    """What the value at a path below these inputs may be; ANY where the SDK does not tell."""
    shape = Shape("object")
    fields: Mapping[str, Input] | None = inputs
    for step in path:
        if shape.kind in ("list", "map"):
            shape = shape.item or ANY
        else:
            field = (fields or {}).get(str(step))
            shape = field.shape if field else ANY
        fields = fields_of(shape.fields) if shape.kind == "object" and shape.fields else None
    return shape


@lru_cache(maxsize=4096)
def fields_of(where: tuple[Path, str]) -> Mapping[str, Input] | None:
    """The fields of an arguments class, by wire name; None when the class cannot be read."""
    file, name = where
    body = _class_text(_text(file), f"class {name}:")
    if body is None:
        return None
    end = re.search(r"\):\n|\) -> None:\n", body)
    start = body.find("    def __init__(__self__")
    if start < 0 or end is None:
        return {}
    header = ast.parse(body[start:].strip()[: end.end() - start].strip() + " pass").body[0]
    if not isinstance(header, ast.FunctionDef):
        return None
    wire = {python: name or python for name, python, _ in _GETTER.findall(body)}
    arguments = header.args
    given = list(zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True))
    return {
        wire.get(item.arg, item.arg): Input(_shape_of(item.annotation, file), required=default is None)
        for item, default in given
    }


def _class_text(text: str, opening: str) -> str | None:
    """The text of one top-level class."""
    start = text.find(f"\n{opening}")
    if start < 0:
        return None
    end = _NEXT_CLASS.search(text, start + 1)
    return text[start + 1 : end.start() if end else len(text)]


def _shape(annotation: str, file: Path) -> tuple[Shape, bool]:
    """The shape of an output's annotation, and whether it may be absent."""
    tree = ast.parse(annotation.strip(), mode="eval").body
    inner = tree.slice if isinstance(tree, ast.Subscript) and _name(tree.value) == "Output" else tree
    optional = isinstance(inner, ast.Subscript) and _name(inner.value) == "Optional"
    return _shape_of(inner, file), optional


_SCALARS = {"str": "str", "int": "int", "float": "float", "bool": "bool"}


def _shape_of(node: ast.expr | None, file: Path) -> Shape:
    """An annotation as a shape. Whatever is not understood may be anything: no check is better than a wrong one."""
    if isinstance(node, ast.Subscript):
        return _generic(_name(node.value), node.slice, file)
    if isinstance(node, (ast.Name, ast.Attribute)):
        return Shape(_SCALARS.get(_name(node), "any"))
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _named(node.value, file)
    return ANY


def _generic(name: str, inner: ast.expr, file: Path) -> Shape:
    if name in ("Input", "Optional", "Output", "Awaitable"):
        return _shape_of(inner, file)
    if name in ("Sequence", "List"):
        return Shape("list", item=_shape_of(inner, file))
    if name in ("Mapping", "Dict") and isinstance(inner, ast.Tuple):
        return Shape("map", item=_shape_of(inner.elts[1], file))
    if name == "Union" and isinstance(inner, ast.Tuple):
        shapes = [_shape_of(item, file) for item in inner.elts]
        objects = [shape for shape in shapes if shape.kind == "object"]
        # Union[X, XDict] is one type in two notations; any other union is open.
        return objects[0] if objects and all(shape.kind in ("object", "any") for shape in shapes) else ANY
    if name == "Literal":
        parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        return Shape("enum", values=tuple(part.value for part in parts if isinstance(part, ast.Constant)))
    return ANY


def _named(name: str, file: Path) -> Shape:
    """A class given by name: arguments of this module, of another one (``_meta.v1.ObjectMetaArgs``), an enumeration."""
    *modules, leaf = name.split(".")
    folder = file.parent
    if modules:
        root = _package_root(folder)
        folder = root if modules[0] == "_root_inputs" else root.joinpath(modules[0].lstrip("_"), *modules[1:])
    if leaf.endswith("Args"):
        return Shape("object", fields=(folder / "_inputs.py", leaf))
    if modules and modules[-1] in ("outputs", "_root_outputs"):
        return Shape("object")
    if leaf.endswith("Dict"):
        return ANY
    return _enumeration(folder / "_enums.py", leaf)


def _enumeration(file: Path, name: str) -> Shape:
    body = _class_text(_text(file), f"class {name}(") or ""
    values: list[object] = []
    for text in _MEMBER.findall(body):
        try:
            values.append(ast.literal_eval(text))
        except (ValueError, SyntaxError):
            return ANY
    return Shape("enum", values=tuple(values)) if values else ANY


def _package_root(folder: Path) -> Path:
    while (folder.parent / "__init__.py").exists() and not (folder / "pulumi-plugin.json").exists():
        folder = folder.parent
    return folder


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


@lru_cache(maxsize=16)
def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""
