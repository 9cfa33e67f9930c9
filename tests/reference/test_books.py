"""The pages of the books say what the books say today."""

from __future__ import annotations

import pytest

from tests.reference.books import FOLDER, entries, pages
from tests.reference.tables import broken
from tollgate.books.duration_book import duration_book
from tollgate.books.effect_book import effect_book
from tollgate.books.price_book import price_books


@pytest.mark.parametrize("name", ["effects.md", "prices.md"])
def test_the_page_is_current(name: str) -> None:
    current = (FOLDER / name).read_text(encoding="utf-8") == pages()[name]
    assert current, "run: python -m tests.reference"


def test_no_page_holds_a_table_row_that_breaks() -> None:
    for name, text in pages().items():
        assert broken(text) == [], name


def test_every_line_of_the_books_is_on_a_page_with_its_place() -> None:
    made = pages()
    for lines in (effect_book().lines, duration_book().lines):
        for entry in entries(lines):
            assert f"../../{entry[0].file}#L{entry[0].line})" in made["effects.md"]
    for book in price_books().values():
        for item in book.items:
            assert f"../../{item.file}#L{item.line})" in made["prices.md"]


def test_a_line_that_was_not_looked_up_is_marked() -> None:
    rows = pages()["effects.md"].splitlines()
    for line in effect_book().lines:
        row = next(row for row in rows if f"../../{line.file}#L{line.line})" in row)
        assert ("), ours" in row) is line.source.startswith("[ours]"), line.id
