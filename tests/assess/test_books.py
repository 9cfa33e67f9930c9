"""The books name types and properties that exist: a guard of a misspelt property would never fire."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import pulumi_aws
import pulumi_kubernetes
import pytest

from tollgate.books.guards import Guard, guard_book
from tollgate.books.match import load_book, matches
from tollgate.books.versions import version_book
from tollgate.policy.paths import parse_path

_TOKEN = re.compile(r"""['"]((?:aws|kubernetes):[\w.]+/[\w.]+:\w+)['"]""")
_INSTALLED = ("aws:", "kubernetes:core/", "kubernetes:apps/", "kubernetes:batch/", "kubernetes:networking.k8s.io/")


@lru_cache(maxsize=1)
def installed() -> dict[str, str]:
    """Type token → source text, of the installed SDKs."""
    found: dict[str, str] = {}
    for package in (pulumi_aws, pulumi_kubernetes):
        for file in Path(package.__path__[0]).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            for token in _TOKEN.findall(text):
                if not file.name.startswith("_"):
                    found[token] = text
    return found


def _checkable(token: str) -> bool:
    return token.startswith(_INSTALLED) and "azure" not in token


_TYPES = sorted({token for line in load_book("stateful.yaml") for token in line["types"] if _checkable(token)})
_GUARDS = [guard for guard in guard_book().guards if any(_checkable(token) for token in guard.types)]


@pytest.mark.parametrize("token", _TYPES)
def test_the_type_exists(token: str) -> None:
    assert any(matches(known, [token]) for known in installed()), token


@pytest.mark.parametrize(
    ("token", "path"),
    [(token, line.path) for line in version_book() for token in line.types if _checkable(token)],
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
    if guard.path and guard.types[0].startswith("aws:"):
        top = str(parse_path(guard.path)[0])
        snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", top).lower()
        sources = [text for known, text in installed().items() if matches(known, tokens)]
        assert any(f'"{top}"' in text or f"{snake}:" in text for text in sources), top
