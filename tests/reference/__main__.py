"""``python -m tests.reference`` writes the generated pages below docs/reference anew."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.reference import books, changes, components, operation_rules, policies, recorded, settings


def write(folder: Path, made: Mapping[str, str]) -> None:
    """The files of one folder, and none for what is gone."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")


def write_books() -> None:
    """The pages of the books."""
    for name, text in books.pages().items():
        (books.FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(components.FOLDER, components.pages())
    write(policies.FOLDER, policies.pages())
    write_books()
    operation_rules.PAGE.write_text(operation_rules.page(), encoding="utf-8")
    recorded.write(changes.tried_anew())
    write(settings.FOLDER, settings.pages())
