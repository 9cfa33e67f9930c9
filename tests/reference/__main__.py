"""``python -m tests.reference`` writes the generated pages below docs/reference anew."""

from __future__ import annotations

from tests.reference import books, components


def write_components() -> None:
    """One page per component, and none for a component that is gone."""
    components.FOLDER.mkdir(parents=True, exist_ok=True)
    made = components.pages()
    for old in components.FOLDER.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (components.FOLDER / name).write_text(text, encoding="utf-8")


def write_books() -> None:
    """The pages of the books."""
    for name, text in books.pages().items():
        (books.FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_components()
    write_books()
