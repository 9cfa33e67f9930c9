"""Where in the project's files a resource comes from: the component that declares it, and its stack's settings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_TOKEN = re.compile(r"""token=["']([\w-]+:[\w/.-]+:\w+)["']""")


@dataclass(frozen=True)
class Place:
    """A line of a file. ``file`` is relative to the project, with forward slashes."""

    file: str
    line: int = 1


@dataclass(frozen=True)
class Places:
    """The files of a project that a reader can open. components: by type token."""

    stack_files: Mapping[str, str]
    components: Mapping[str, Place]

    def of(self, urn: str, stack: str) -> Place | None:
        """The innermost component that the resource belongs to; else the stack's settings."""
        parts = urn.split("::")
        types = parts[2].split("$") if len(parts) > 3 else []
        for token in reversed(types):
            if token in self.components:
                return self.components[token]
        return Place(self.stack_files[stack]) if stack in self.stack_files else None


def find_places(root: Path, stack_files: Mapping[str, Path], folders: Iterable[str] = ("components",)) -> Places:
    """Look through the project's components for the classes that declare a type token."""
    found: dict[str, Place] = {}
    for folder in folders:
        for file in sorted((root / folder).rglob("*.py")):
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
                for token in _TOKEN.findall(line):
                    found.setdefault(token, Place(file.relative_to(root).as_posix(), number))
    return Places({stack: file.relative_to(root).as_posix() for stack, file in stack_files.items()}, found)
