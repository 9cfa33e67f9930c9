"""Judge manifests as an API server would, from the schemas of operators and of Kubernetes itself.

Schemas of operators lie in a folder beside the repository (or in $TOLLGATE_CRDS): third-party files that are read by
tests and are no part of the product. They are closed in memory, since an API server quietly drops a misspelt field.
Rules in CEL (``x-kubernetes-validations``) are not judged: only a real API server does that.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from kubernetes_validate import utils as kubernetes_schemas  # type: ignore[import-untyped]
from referencing import Registry, Resource

from tests.components.recording import ROOT

FOLDER = Path(os.environ.get("TOLLGATE_CRDS") or ROOT.parent / "shared" / "crds")
# The oldest release that CloudNativePG 1.30 supports (1.34 to 1.36): nothing newer is asked of a cluster.
KUBERNETES = "1.34"
BARE_OBJECT = {"apiVersion", "kind", "metadata"}

needs_crds = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"no CRD schemas in {FOLDER}: put them there, or name their folder in $TOLLGATE_CRDS"
)


def refusals(manifest: Mapping[str, Any]) -> list[str]:
    """Why an API server would refuse the manifest or drop a part of it: "spec.replicas: 2 is not one of [1, 3]"."""
    api_version, kind = manifest["apiVersion"], manifest["kind"]
    validator = of_operator(api_version, kind) if is_custom(api_version) else of_kubernetes(api_version, kind)
    return sorted(said for error in validator.iter_errors(dict(manifest)) for said in sentences(error))


def is_custom(api_version: str) -> bool:
    """Whether the kind comes from an operator. Kubernetes' own groups have no dot, or end in k8s.io."""
    group = api_version.rpartition("/")[0]
    return "." in group and not group.endswith(".k8s.io")


@functools.cache
def of_operator(api_version: str, kind: str) -> Draft202012Validator:
    """The validator of an operator's kind. Raises LookupError when no schema says that this version is served."""
    group, _, version = api_version.partition("/")
    known = [
        (found["name"], found["served"], found["schema"]["openAPIV3Schema"])
        for file in sorted(FOLDER.glob(f"{group}_*.yaml"))
        for crd in [_read(file)]
        if crd["spec"]["names"]["kind"] == kind
        for found in crd["spec"]["versions"]
    ]
    for name, served, schema in known:
        if name == version and served:
            return Draft202012Validator(closed(schema, root=True), format_checker=FormatChecker())
    there = ", ".join(name for name, served, _ in known if served) or "no version of it"
    raise LookupError(f"{api_version} {kind} is not served: the schemas in {FOLDER} have {there}")


@functools.cache
def of_kubernetes(api_version: str, kind: str) -> Draft202012Validator:
    """The validator of a built-in kind, closed. Raises LookupError for a kind this version of Kubernetes has not."""
    group, _, version = api_version.rpartition("/")
    file = "-".join(part for part in (kind.lower(), group.partition(".")[0], version) if part)
    folder = f"kubernetes-json-schema/v{KUBERNETES}.0-local-strict"
    try:
        schema = kubernetes_schemas.schema_contents(f"{folder}/{file}.json", KUBERNETES)
    except FileNotFoundError:
        raise LookupError(f"Kubernetes {KUBERNETES} has no {api_version} {kind}") from None
    return Draft202012Validator(schema, registry=_definitions(folder))


def closed(schema: Mapping[str, Any], *, root: bool = False) -> dict[str, Any]:
    """A structural schema as JSON Schema in which only named fields are allowed.

    Fields stand under ``properties`` only; ``anyOf`` and its like judge values, so they are left as they are.
    """
    made = dict(schema)
    if "properties" in made:
        made["properties"] = {name: closed(part) for name, part in made["properties"].items()}
    for below in ("additionalProperties", "items"):
        if isinstance(made.get(below), Mapping):
            made[below] = closed(made[below])
    if root:
        made["properties"] |= {"metadata": {"type": "object", "required": ["name"]}}
        made["required"] = sorted({*made.get("required", ()), *BARE_OBJECT})
    if made.get("type") == "object" and not made.get("x-kubernetes-preserve-unknown-fields"):
        made.setdefault("additionalProperties", False)
    return translated(made)


def translated(made: dict[str, Any]) -> dict[str, Any]:
    """What Kubernetes says in words of its own, in words of JSON Schema."""
    if made.get("x-kubernetes-embedded-resource"):
        made["properties"] = {name: {} for name in BARE_OBJECT} | made.get("properties", {})
    if made.get("x-kubernetes-int-or-string"):
        made.setdefault("anyOf", [{"type": "integer"}, {"type": "string"}])
    if made.get("x-kubernetes-list-type") == "set":
        made["uniqueItems"] = True
    if made.get("nullable") and "type" in made:
        made["type"] = [made["type"], "null"]
    if "pattern" in made:
        made["pattern"] = re.sub(r"^\^\(\?i\)", "(?i)^", made["pattern"])  # Go lets the flag stand later
    return made


def sentences(error: ValidationError) -> Iterator[str]:
    """The address of what is wrong, and what is. A choice is told by all that speaks against each of its sides."""
    path = ".".join(str(part) for part in error.absolute_path) or "(whole)"
    yield f"{path}: {error.message}"
    for deeper in error.context or ():
        yield from sentences(deeper)


@functools.cache
def _read(file: Path) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    read: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506  (safe loaders both)
    return read


@functools.cache
def _definitions(folder: str) -> Registry[Any]:
    contents = kubernetes_schemas.schema_contents(f"{folder}/_definitions.json", KUBERNETES)
    registry: Registry[Any] = Registry()
    made: Registry[Any] = registry.with_resource(contents["$id"], Resource.from_contents(contents))
    return made
