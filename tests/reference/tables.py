"""Tables in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def cell(text: str) -> str:
    """Text that stays inside its cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; its cells are kept whole."""
    lines = [head, ["---"] * len(head), *([cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def broken(text: str) -> list[str]:
    """Rows that do not have as many cells as the first row of their table."""
    found = []
    for block in re.split(r"\n\n", text):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        found += [row for row in rows if _bars(row) != _bars(rows[0])]
    return found


def _bars(row: str) -> int:
    return len(re.findall(r"(?<!\\)\|", row))
