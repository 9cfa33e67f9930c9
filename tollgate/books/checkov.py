"""How bad it is when a check of checkov fails, and what that means in words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from tollgate.books.match import load_book
from tollgate.policy.severity import Severity

BOOK = "checkov-severities.yaml"


class Judged(NamedTuple):
    """``says`` ends a sentence that begins with the resource: "its disk is not encrypted"."""

    severity: Severity
    says: str


@cache
def checkov_book() -> Mapping[str, Judged]:
    """Every check by id."""
    book: dict[str, dict[str, str]] = load_book(BOOK)
    return {check: Judged(Severity(word), says) for word, checks in book.items() for check, says in checks.items()}
