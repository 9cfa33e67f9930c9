"""Where in a stack file a key stands, and what can be wrong with the file before its settings are read."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

# A key path: ("config", "payments:databases", "clearing"). List items are not addressed; their list is.
KeyPath = tuple[str, ...]
# Names that promise a secret. A name that ends in _ref holds a secret's name, which is no secret.
SECRET_WORDS = re.compile(r"password|passwd|passphrase|secret|token|credential|private_?key|api_?key", re.IGNORECASE)
# Here stand the names of secrets, and no place for a value: the model of what is below has none.
NAMES_OF_SECRETS = ("payments:parameters", "sealed")
INSTEAD = "put it in the secret store, and write its name in a setting that ends in secret_ref"


@dataclass(frozen=True)
class Problem:
    """One thing wrong: where a person finds it, which setting, and what to write instead."""

    where: str
    setting: str
    text: str

    def __str__(self) -> str:
        said = f"{self.setting}: {self.text}" if self.setting else self.text
        return f"{self.where}  {said}"


@dataclass
class StackFile:
    """A stack file as written: its values, the line of each key, and the problems seen while reading it.

    shown: the path as a reader of messages should see it.
    """

    shown: str
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _lines: dict[KeyPath, int] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, *, shown: str) -> StackFile:
        """Read a file. A missing file, or one that is not YAML, has no values and one problem."""
        file = cls(shown)
        try:
            root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except FileNotFoundError:
            file.problems.append(Problem(shown, "", "there is no such file"))
        except (OSError, UnicodeDecodeError):
            file.problems.append(Problem(shown, "", "cannot be read as UTF-8 text"))
        except yaml.YAMLError as error:
            # Never the text itself: the line may hold what must not be shown.
            mark = getattr(error, "problem_mark", None)
            line = f"{shown}:{mark.line + 1}" if mark else shown
            file.problems.append(Problem(line, "", f"is not YAML: {getattr(error, 'problem', None) or 'unreadable'}"))
        else:
            file._take(root)
        return file

    def line(self, path: KeyPath) -> str:
        """``file:line`` of a key, or of the nearest key above it that is written."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._lines:
                return f"{self.shown}:{self._lines[path[:length]]}"
        return self.shown

    def value(self, path: KeyPath) -> Any:
        """The value written at a path, or None."""
        found: Any = self.values
        for part in path:
            found = found.get(part) if isinstance(found, dict) else None
        return found

    def _take(self, root: yaml.Node | None) -> None:
        if root is None:
            return
        if not isinstance(root, yaml.MappingNode):
            self.problems.append(Problem(self.shown, "", "must be a mapping with the key `config`"))
            return
        self._walk(root, ())
        if not self.problems:
            self.values = yaml.SafeLoader("").construct_document(root)

    def _walk(self, node: yaml.MappingNode, above: KeyPath) -> None:
        for key_node, value_node in node.value:
            path = (*above, str(key_node.value))
            if path in self._lines:
                where = f"{self.shown}:{key_node.start_mark.line + 1}"
                text = f"is written twice; the first is on line {self._lines[path]}"
                self.problems.append(Problem(where, dotted(path), text))
                continue
            self._lines[path] = key_node.start_mark.line + 1
            for mapping in _mappings(value_node):
                self._walk(mapping, path)


def _mappings(node: yaml.Node) -> Iterator[yaml.MappingNode]:
    """The mapping a key holds. A list's mappings are left alone: no setting has any."""
    if isinstance(node, yaml.MappingNode):
        yield node


def in_file_order(problem: Problem) -> tuple[int, str]:
    """Sort key: by line; what has no line comes last."""
    line = problem.where.rpartition(":")[2]
    return (int(line) if line.isdigit() else sys.maxsize, problem.setting)


def dotted(path: KeyPath) -> str:
    """A key path as people write it: databases.clearing.storage_gib."""
    inside = path[1:] if path and path[0] == "config" else path
    return ".".join(part.removeprefix("payments:") for part in inside)


def secret_paths(values: Any, above: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """(path, what to do) of every key that holds, or by its name would hold, a secret's value."""
    if not isinstance(values, dict) or above == NAMES_OF_SECRETS:
        return
    for key, value in values.items():
        path = (*above, str(key))
        if isinstance(value, dict) and set(value) == {"secure"}:
            yield path, f"holds an encrypted value; settings hold no secrets: {INSTEAD}"
        elif SECRET_WORDS.search(str(key)) and not str(key).endswith("_ref"):
            yield path, f"would hold a secret's value; settings hold no secrets: {INSTEAD}"
        else:
            yield from secret_paths(value, path)
