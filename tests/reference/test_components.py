"""The pages of the components say what the components are today."""

from __future__ import annotations

import pytest

from components.base import Component
from tests.reference.components import FOLDER, UndocumentedError, kinds, page, pages
from tests.reference.tables import broken


def test_the_pages_are_current() -> None:
    written = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.md")}
    made = pages()
    stale = sorted(name for name in {*made, *written} if made.get(name) != written.get(name))
    assert stale == [], "run: python -m tests.reference"


def test_every_component_has_a_page_with_its_bounds() -> None:
    made = pages()
    assert {f"{kind.__name__}.md" for kind in kinds()} | {"README.md"} == set(made)
    assert "| `backup_retention_days` | integer, ≥ 1, ≤ 35 |" in made["Database.md"]


@pytest.mark.parametrize("said", [None, "", "Only what it is.", "Declares: a bucket."])
def test_a_component_that_says_nothing_of_what_it_declares_fails(said: str | None) -> None:
    token = "tollgate:test:Silent"
    silent = type("Silent", (Component,), {"__doc__": said}, token=token)
    try:
        with pytest.raises(UndocumentedError, match="Silent"):
            page(silent)
    finally:
        del Component.TOKENS[token]


def test_no_page_holds_a_table_row_that_breaks() -> None:
    for name, text in pages().items():
        assert "|" in text
        assert broken(text) == [], name
