"""The books name types and properties that exist: a guard of a misspelt property would never fire."""

from __future__ import annotations

import re
from functools import cache

import pytest

from tests.assess.installed import installed
from tollgate.books.guards import Guard, guard_book
from tollgate.books.match import load_book, matches
from tollgate.books.unordered import unordered_book
from tollgate.books.versions import version_book
from tollgate.policy.paths import Path, parse_path
from tollgate.rehearsal.packages import sdk_folders
from tollgate.rehearsal.sdk_types import ANY, Sdk, Shape, fields_of

_INSTALLED = ("aws:", "kubernetes:core/", "kubernetes:apps/", "kubernetes:batch/", "kubernetes:networking.k8s.io/")


def _checkable(token: str) -> bool:
    return token.startswith(_INSTALLED) and "azure" not in token


_TYPES = sorted({token for line in load_book("stateful.yaml") for token in line["types"] if _checkable(token)})
_GUARDS = [guard for guard in guard_book().guards if any(_checkable(token) for token in guard.types)]


@pytest.mark.parametrize("token", _TYPES)
def test_the_type_exists(token: str) -> None:
    assert any(matches(known, [token]) for known in installed()), token


@pytest.mark.parametrize(
    ("token", "path"),
    [
        (token, path)
        for line in version_book()
        for token in line.types
        for path in (line.path, *line.also)
        if _checkable(token)
    ],
)
def test_the_version_stands_there(token: str, path: str) -> None:
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", path).lower()
    assert f"{snake}:" in installed()[token], path


@pytest.mark.parametrize("guard", _GUARDS, ids=lambda guard: f"{guard.rule} {guard.path or 'deleted'} {guard.types[0]}")
def test_the_guard_can_fire(guard: Guard) -> None:
    """Each pattern for an installed SDK fits a type, and for one of them the property exists."""
    tokens = [token for token in guard.types if _checkable(token)]
    for token in tokens:
        assert any(matches(known, [token]) for known in installed()), token
    if guard.path:
        possible = [token for token in installed() if matches(token, tokens)]
        assert any(_leads_somewhere(token, parse_path(guard.path)) for token in possible), guard.path


@pytest.mark.parametrize(
    ("types", "path"),
    [(line.types, path) for line in unordered_book() for path in line.paths if all(map(_checkable, line.types))],
)
def test_the_list_without_order_is_there(types: tuple[str, ...], path: str) -> None:
    assert any(_leads_somewhere(known, parse_path(path)) for known in installed() if matches(known, types))


def _leads_somewhere(token: str, path: Path) -> bool:
    """Every word of the path is a property, by the installed SDK's classes; below a free map every word is one."""
    types = _sdk(token.partition(":")[0]).types(token)
    if types is None:
        return False
    shape, fields = Shape("object"), types.inputs
    for step in path:
        if shape.kind in ("list", "map"):
            shape = shape.item or ANY
        elif shape.kind == "object" and fields is not None:
            if str(step) not in fields:
                return False
            shape = fields[str(step)].shape
        else:
            return shape.kind in ("any", "object")
        fields = fields_of(shape.fields) if shape.fields else None
    return True


@cache
def _sdk(package: str) -> Sdk:
    return Sdk(sdk_folders(None)[package])
