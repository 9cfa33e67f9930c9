"""The price books (prices/*.yaml): list prices of one region on one day, each with where it was read.

A book is immutable: other prices, or those of another day, are another file. No price stands for another region or
another size; what is not in the book is not known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from tollgate.books.line_files import FOLDER, read_numbered
from tollgate.books.lines import Closed, Scalar, SourceLine, spelling
from tollgate.errors import Problem, TollgateError


class Tier(Closed):
    """A price up to a quantity a month; without ``upto`` for all above."""

    price: Decimal = Field(ge=0)
    upto: Decimal | None = Field(None, gt=0)


class PriceSource(Closed):
    ref: str
    as_of: str


class PriceItem(Closed):
    """One price. ``match``: the dimensions that it is for, all of them."""

    meter: str
    match: dict[str, Scalar]
    unit: str
    price: Decimal | None = Field(None, ge=0)
    tiers: tuple[Tier, ...] = ()
    source: str
    file: str = ""
    line: int = 0

    @model_validator(mode="after")
    def _priced_once(self) -> PriceItem:
        if (self.price is None) is not bool(self.tiers):
            raise ValueError("an item has a price or tiers")
        bounds = [tier.upto for tier in self.tiers]
        rising = all(a is not None and (b is None or a < b) for a, b in pairwise(bounds))
        if self.tiers and (bounds[-1] is not None or not rising):
            raise ValueError("tiers rise, and the last has no upto")
        return self

    @property
    def place(self) -> SourceLine:
        return SourceLine(file=self.file, line=self.line, id=self.meter, source=self.source)

    def cost(self, quantity: Decimal) -> Decimal:
        """The price of a quantity a month."""
        if self.price is not None:
            return self.price * quantity
        total, below = Decimal(0), Decimal(0)
        for tier in self.tiers:
            upto = quantity if tier.upto is None else min(quantity, tier.upto)
            total += tier.price * max(upto - below, Decimal(0))
            below = max(below, upto)
        return total


class PriceBook(Closed):
    """All prices of one region on one day. ``effective``: as of; ``review_by``: after that it should be read anew."""

    schema_: Literal["pricebook/1"] = Field(alias="schema")
    id: str
    region: str
    currency: Literal["USD"]
    effective: str
    review_by: str
    hours_per_month: int
    sources: dict[str, PriceSource]
    items: tuple[PriceItem, ...]
    digest: str = Field(description="sha256 of the file")

    def find(self, meter: str, match: Mapping[str, str]) -> PriceItem | None:
        """The one price for a meter and its dimensions, None when there is none."""
        return _by_key(self).get((meter, frozenset(match.items())))

    def __hash__(self) -> int:
        return hash(self.digest)


@lru_cache(maxsize=64)
def _by_key(book: PriceBook) -> dict[tuple[str, frozenset[tuple[str, str]]], PriceItem]:
    return {_key(item): item for item in book.items}


def _key(item: PriceItem) -> tuple[str, frozenset[tuple[str, str]]]:
    return item.meter, frozenset((name, spelling(value)) for name, value in item.match.items())


@lru_cache(maxsize=1)
def price_books() -> Mapping[str, PriceBook]:
    """The newest book of each region. Raises TollgateError for a damaged one, with every fault."""
    books: dict[str, PriceBook] = {}
    problems: list[Problem] = []
    for file in sorted((FOLDER / "prices").glob("*.yaml")):
        try:
            book = read_prices(file)
        except TollgateError as error:
            problems += error.problems
            continue
        if book.region not in books or books[book.region].effective < book.effective:
            books[book.region] = book
    if problems:
        raise TollgateError("A price book of this installation is damaged.", problems, advice="repair the lines named")
    return books


def read_prices(file: Path) -> PriceBook:
    """One book. Raises TollgateError with every fault: shape, unknown source, two prices for the same thing."""
    name = file.relative_to(FOLDER.parent.parent).as_posix()
    head, entries = read_numbered(file, "items")
    sources = head.get("sources") or {}
    problems: list[Problem] = []
    items: list[PriceItem] = []
    for number, entry in entries:
        try:
            item = PriceItem.model_validate({**entry, "source": _source(entry, sources), "file": name, "line": number})
        except (ValidationError, KeyError) as error:
            problems.append(Problem(f"{name}:{number}", _said(error)))
            continue
        if any(_key(item) == _key(other) for other in items):
            problems.append(Problem(f"{name}:{number}", f"{item.meter} has two prices for the same thing"))
        items.append(item)
    try:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        book = PriceBook.model_validate({**head, "items": items, "digest": digest})
    except ValidationError as error:
        problems += [Problem(name, f"{fault['loc'][0]}: {fault['msg']}") for fault in error.errors()]
    if problems:
        raise TollgateError(f"The price book {name} is damaged.", problems, advice="repair the lines named above")
    return book


def _source(entry: Mapping[str, Any], sources: Mapping[str, Any]) -> str:
    found = sources[entry["source"]]
    return f"{found['ref']}, as of {found['as_of']}"


def _said(error: ValidationError | KeyError) -> str:
    if isinstance(error, KeyError):
        return f"no source is called {error}; add it to sources"
    return "; ".join(str(fault["msg"]) for fault in error.errors())
