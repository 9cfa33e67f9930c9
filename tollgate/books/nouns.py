"""The book of readable nouns (nouns.yaml): what a person calls a resource of a type."""

from __future__ import annotations

import re
from functools import lru_cache

from tollgate.books.match import load_book, matches

_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@lru_cache(maxsize=1)
def _book() -> dict[str, tuple[str, ...]]:
    return {noun: tuple(patterns) for noun, patterns in load_book("nouns.yaml").items()}


@lru_cache(maxsize=4096)
def noun_of(type_token: str) -> str:
    """The noun in the book, else the last word of the type taken apart (``NatGateway`` → "nat gateway")."""
    for noun, patterns in _book().items():
        if matches(type_token, patterns):
            return noun
    last = type_token.rpartition(":")[2] or "resource"
    return _WORD_STARTS.sub(" ", last).lower()
