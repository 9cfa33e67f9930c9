"""What is charged for a resource in one state: quantities from its properties and assumptions, prices from a book."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import product
from typing import Any, NamedTuple

from tollgate.assess.amounts import amount
from tollgate.assess.changed import hidden, values_at
from tollgate.books.guards import Unit
from tollgate.books.lines import Scalar, Test, property_path, spelling
from tollgate.books.meter_book import Dimension, Factor, Meter, Usage, usage_book
from tollgate.books.price_book import PriceBook, PriceItem

Inputs = Mapping[str, Any]


class Key(NamedTuple):
    """All that the price and the quantity of a meter depend on. None, or no choice: not known.

    At the same key the same is charged, whether or not there is a price for it.
    """

    meter: str
    dimensions: tuple[tuple[str, tuple[str, ...]], ...]
    factors: tuple[Decimal | None, ...]
    runs: tuple[bool | None, ...]

    @property
    def tellable(self) -> bool:
        """Nothing of it is unknown."""
        return all(values for _, values in self.dimensions) and None not in self.factors and None not in self.runs


class Reading(NamedTuple):
    """What one meter reads: how much, at which of the prices that may apply. ``unknown``: why it cannot be told."""

    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    item: PriceItem | None = None
    usage: Usage | None = None
    unknown: str = ""


class Resource(NamedTuple):
    """One side of a step: inputs, what the provider computed, and the defaults of its type."""

    type: str
    inputs: Inputs | None
    outputs: Inputs | None
    defaults: Mapping[str, Scalar]

    def values(self, path: str) -> list[Any]:
        """What stands at a path, else what was computed, else the provider's default; items of a list one by one."""
        wanted = property_path(path)
        found = values_at(self.inputs, wanted) or values_at(self.outputs, wanted)
        if not found and f"{self.type} {path}" in self.defaults:
            found = [self.defaults[f"{self.type} {path}"]]
        return found


def key_of(meter: Meter, resource: Resource) -> Key | None:
    """What the price and the quantity of a meter depend on, for a resource; None when it does not run for it."""
    runs = tuple(_runs(test, resource.values(path)) for path, test in meter.when.items())
    if False in runs:
        return None
    dimensions = tuple((name, _choices(dimension, resource)) for name, dimension in meter.match.items())
    factors = tuple(_factor(factor, resource) for factor in meter.times)
    return Key(meter.meter, dimensions, factors, runs)


def read(meter: Meter, key: Key, book: PriceBook | None, region: str) -> Reading:
    """What a meter reads at this key."""
    usage = usage_book()[meter.usage] if meter.usage else None
    why = _why_not(meter, key, book, region)
    if why or book is None:
        return Reading(usage=usage, unknown=why)
    quantity = Decimal(book.hours_per_month if meter.hourly else 1)
    for factor in key.factors:
        quantity *= factor or Decimal(0)
    names = [name for name, _ in key.dimensions]
    choices = product(*(values for _, values in key.dimensions))
    found = [book.find(meter.meter, dict(zip(names, values, strict=True))) for values in choices]
    items = [item for item in found if item]
    if len(items) < len(found) or not items:
        return Reading(usage=usage, unknown=_no_price(meter, key, region))
    low, high = (usage.low, usage.high) if usage else (Decimal(1), Decimal(1))
    costs = [(item.cost(quantity * low), item.cost(quantity * high)) for item in items]
    dearest = max(items, key=lambda item: (item.cost(quantity * high), item.line))
    return Reading(min(cost[0] for cost in costs), max(cost[1] for cost in costs), dearest, usage)


def _why_not(meter: Meter, key: Key, book: PriceBook | None, region: str) -> str:
    if not key.tellable:
        return f"how much is charged for {meter.words} is not known until it runs"
    if not region:
        return f"no price is known for {meter.words}"
    return "" if book else f"no price is known for {meter.words}: there is no price book for {region}"


def _no_price(meter: Meter, key: Key, region: str) -> str:
    said = [f"{name.replace('_', ' ')} {' or '.join(values)}" for name, values in sorted(key.dimensions)]
    exactly = f" ({', '.join(said)})" if said else ""
    return f"no price is known for {meter.words}{exactly} in {region}"


def _runs(test: Test, found: list[Any]) -> bool | None:
    if test.is_set is not None:
        return bool(found) is test.is_set
    if not found or any(hidden(value) for value in found):
        return None
    if test.values:
        return spelling(found[0]) in {spelling(value) for value in test.values}
    number = amount(found[0], Unit.NUMBER)
    if number is None:
        return None
    return number >= Decimal(str(test.at_least)) if test.at_least is not None else number < Decimal(str(test.below))


def _choices(dimension: Dimension, resource: Resource) -> tuple[str, ...]:
    """The values that a dimension may have, sorted; none when that is not known."""
    if dimension.values:
        return tuple(sorted(map(spelling, dimension.values)))
    found = resource.values(dimension.path)
    items = [item for value in found for item in (value if isinstance(value, list) else (value,))]
    if any(not isinstance(item, (bool, int, float, str)) or hidden(item) for item in items):
        return ()
    return tuple(sorted({spelling(item) for item in items}))


def _factor(factor: Factor, resource: Resource) -> Decimal | None:
    """A property as a number: a list by its length, several items of a path with ``[*]`` together."""
    found = resource.values(factor.path)
    numbers = [Decimal(len(each)) if isinstance(each, list) else amount(each, Unit.SIZE) for each in found]
    if not numbers or any(number is None or number < 0 for number in numbers):
        return None
    return sum((number for number in numbers if number is not None), Decimal(factor.plus))
