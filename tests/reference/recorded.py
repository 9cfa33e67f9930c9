"""The changes as they were last tried, kept beside the pages: trying them again takes minutes of a processor.

The record holds as long as nothing has changed that it was made from. That is told by a digest of all of it.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.components.planning import Outcome, Touch
from tests.components.recording import ROOT
from tollgate.books.replacement import BOOKS

FILE = ROOT / "tests" / "reference" / "tried.json"
# Where the walk begins. All that is imported from here, here or later, counts.
PROGRAMS = ("__main__.py", "tests/reference/changes.py", "tests/reference/reviewed.py")
# What is read rather than imported; the locks say which SDKs and which tables of theirs.
READ = (
    "Pulumi.yaml",
    "requirements/*.txt",
    "stacks/*.yaml",
    "components/assets/**/*",
    *(f"tollgate/books/{book}" for book in BOOKS),
)


def inputs() -> list[Path]:
    """Every file that the changes were made from."""
    read = {path for pattern in READ for path in ROOT.glob(pattern) if path.is_file() and path.suffix != ".pyc"}
    return sorted(read | set(_imported([ROOT / name for name in PROGRAMS])))


def _imported(files: Iterable[Path]) -> Iterator[Path]:
    """Our own modules among those that these import, and they, wherever the import stands."""
    waiting, seen = list(files), set(files)
    while waiting:
        file = waiting.pop()
        yield file
        for name in _names(ast.parse(file.read_text(encoding="utf-8"))):
            stem = ROOT.joinpath(*name.split("."))
            for found in (stem.with_suffix(".py"), stem / "__init__.py"):
                if found.is_file() and found not in seen:
                    seen.add(found)
                    waiting.append(found)


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def digest() -> str:
    """A digest of all inputs. Comments and the form of a program do not count."""
    whole = sha256()
    for file in inputs():
        content = file.read_bytes()
        if file.suffix == ".py":
            content = ast.dump(ast.parse(content)).encode()
        whole.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + sha256(content).digest())
    return whole.hexdigest()


def is_current() -> bool:
    """True when the record was made from what is here now."""
    return FILE.exists() and bool(json.loads(FILE.read_text(encoding="utf-8"))["digest"] == digest())


# What became of a change: the settings written, what they did, or why they were refused.
Told = tuple[Any, Outcome | None, str | None]


def write(told: dict[str, list[Told]]) -> None:
    """Keep what became of the changes of each base, one change a line."""
    bases = {title: _packed(found) for title, found in told.items()}
    lines = ",\n".join(
        f'{json.dumps(title)}: {{"names": {json.dumps(names)}, "changes": [\n'
        + ",\n".join(json.dumps(one, sort_keys=True) for one in packed)
        + "\n]}"
        for title, (names, packed) in bases.items()
    )
    FILE.write_text(f'{{"digest": "{digest()}", "bases": {{\n{lines}\n}}}}\n', encoding="utf-8")


def read() -> dict[str, list[Told]]:
    """What became of the changes of each base, in the order of its settings."""
    bases = json.loads(FILE.read_text(encoding="utf-8"))["bases"]
    return {title: [_unpacked(one, base["names"]) for one in base["changes"]] for title, base in bases.items()}


def _packed(told: list[Told]) -> tuple[list[str], list[dict[str, Any]]]:
    """(URNs and whole lists that come again and again, changes that name them by their place)."""
    places: dict[str, int] = {}

    def place(text: str) -> int:
        return places.setdefault(text, len(places))

    packed = []
    for after, outcome, refused in told:
        one: dict[str, Any] = {"after": after, "refused": refused}
        if outcome is not None:
            one["touches"] = [
                [place(made.urn), made.op, place(made.parent), made.paths, made.because, made.first]
                for made in sorted(outcome.touches, key=lambda made: (made.urn, made.op))
            ]
            one["parents"] = place(json.dumps(outcome.parents, sort_keys=True))
            one["undecided"] = sorted(outcome.undecided)
            one["unlisted"] = sorted(outcome.unlisted)
        packed.append({name: value for name, value in one.items() if value is not None})
    return list(places), packed


def _unpacked(one: dict[str, Any], names: list[str]) -> Told:
    if "touches" not in one:
        return one.get("after"), None, one.get("refused")
    outcome = Outcome(
        touches=[
            Touch(names[urn], op, names[parent], tuple(paths), tuple(because), first)
            for urn, op, parent, paths, because, first in one["touches"]
        ],
        parents=json.loads(names[one["parents"]]),
        undecided={(urn, path) for urn, path in one["undecided"]},
        unlisted=set(one["unlisted"]),
    )
    return one["after"], outcome, one.get("refused")
