"""What the books of effects, durations and prices say, as pages: docs/reference/effects.md and prices.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TypeVar

from tests.components.recording import ROOT
from tests.reference.tables import table
from tollgate.books.duration_book import DurationLine, duration_book
from tollgate.books.effect_book import EffectLine, Notice, Reversible, effect_book
from tollgate.books.lines import ANY, Change, Line, Operation, Placed, Test, spelling
from tollgate.books.meter_book import Meter, MeterLine, meter_book, usage_book
from tollgate.books.price_book import PriceBook, PriceItem, price_books

FOLDER = ROOT / "docs" / "reference"
GENERATED = "<!-- Written by `python -m tests.reference`, from tollgate/books. Do not edit. -->\n"
OURS = "[ours]"
LineType = TypeVar("LineType", bound=Line)

_EFFECTS = """# What people notice of a change

Each line of the [effects book](../../tollgate/books/effects) says what users notice when a resource is made, replaced
or deleted, or when one of its properties changes. The line that says most exactly what happens counts: the longer
property first, then the resource type that is spelled out, then the line with more conditions. What no line speaks of
is not known, and the report says so. It is never taken as nothing.

*Nothing*, *less in reserve* (all works as before; the next fault, rush or restart is felt more), *brief reconnect*
(open connections are cut once), *degraded* (slower or later), *partial outage* (some requests, customers or functions),
*outage*, *data loss*: from the mildest to the worst. *Usually* is reached in half of the cases, *at most* in nine of
ten. A line marked *ours* rests on general knowledge and was not looked up, and
nearly all seconds are ours unless the line says otherwise: earlier runs correct the durations below, not these.
"""
_DURATIONS = """## How long operations take

From [durations.yaml](../../tollgate/books/durations.yaml). The whole change takes as long as its longest chain of
operations that wait for each other, or as all the work shared by {parallel} operations at once, whichever is longer.
A replacement is a creation and a deletion. Earlier runs correct these figures; what is in neither is not known, and
the total is then "at least".
"""
_PRICES = """# Prices

List prices, on demand, without tax and discounts. A price is taken from the book of the resource's own region for
exactly its size, or there is none: no other region, size or day stands in for it. What has no known price is told
apart in the report. It never counts as nothing, and nothing is said to be saved on a resource with anything unknown.
A new day's prices are a new file beside the old one.
"""
_METERS = """## What is charged for a resource

From [meters.yaml](../../tollgate/books/meters.yaml). What no program states, like the bytes that pass through a
gateway, is assumed below; so every amount is an interval.
"""
_OPERATIONS = {
    Operation.CREATE: "it is made",
    Operation.REPLACE: "it is replaced, the new one first",
    Operation.RECREATE: "it is replaced, the old one deleted first",
    Operation.DELETE: "it is deleted",
    Operation.FORGET: "it is left where it is, and no longer managed",
}
_CHANGES = {
    Change.ADDED: "is added",
    Change.REMOVED: "is removed",
    Change.ADDS: "lets more through, and nothing less",
    Change.GROWS: "grows",
    Change.SHRINKS: "shrinks",
    Change.NEW_RELEASE: "goes to a new release",
    Change.SAME_RELEASE: "changes within its release",
    Change.OLDER: "goes back to an older version",
}
_WAY_BACK = {each: each.value for each in Reversible}


def pages() -> dict[str, str]:
    """The text of each page by file name."""
    return {"effects.md": effects_page(), "prices.md": prices_page()}


def effects_page() -> str:
    lines = effect_book().lines
    parts = [GENERATED + _EFFECTS, _overview(lines)]
    for file, own in groupby(lines, key=lambda line: line.file):
        parts.append(f"## {domain(file)}\n")
        by_types: dict[tuple[str, ...], list[EffectLine]] = {}
        for line in own:
            by_types.setdefault(line.types, []).append(line)
        for types, said in by_types.items():
            head = ("when", "people notice", "usually", "at most", "begins", "can be taken back", "in words", "from")
            parts.append(f"{_codes(types)}\n\n{table(head, map(_effect_row, entries(said)))}")
    return "\n".join([*parts, _durations()])


def _durations() -> str:
    book = duration_book()
    said = _DURATIONS.format(parallel=spelling(book.numbers["parallel"].value))
    rows = map(_duration_row, entries(book.lines))
    return f"{said}\n{table(('resource', 'when', 'usually', 'at most', 'from'), rows)}"


def domain(file: str) -> str:
    """The subject of a file of the effects book."""
    return file.rpartition("/")[2].removesuffix(".yaml")


def entries(lines: Iterable[LineType]) -> Iterator[list[LineType]]:
    """The lines as they stand in the file: one that names several properties is one entry."""
    for _, same in groupby(lines, key=lambda line: (line.file, line.line)):
        yield list(same)


def _overview(lines: Iterable[EffectLine]) -> str:
    rows = []
    for file, own in groupby(lines, key=lambda line: line.file):
        said = list(entries(own))
        types = {token for entry in said for token in entry[0].types}
        ours = sum(entry[0].source.startswith(OURS) for entry in said)
        rows.append((f"[{domain(file)}](#{domain(file)})", str(len(types)), str(len(said)), str(ours)))
    return table(("part", "resource types", "lines", "of these ours"), rows)


def _effect_row(entry: list[EffectLine]) -> tuple[str, ...]:
    line = entry[0]
    usually, at_most = ("for good", "for good") if line.for_good else _span(line.lasts)
    words = line.says.replace("{subject}", "It").replace("{path}", "this")
    if line.within:
        words += f" Nothing, when {_codes(line.within, ' or ')} is new in the same change."
    if line.spared:
        other = line.spared.says.replace("{subject}", "it").replace("{path}", "this")
        words += f" While an equal one goes on: {line.spared.notice.value}; {other}"
    begins = "with the change" if not line.waits else "in the maintenance window"
    if line.unless:
        begins += f", or at once with `{line.unless}`"
    notice = line.notice.value
    if line.or_worse:
        notice = "depends on its content" if line.notice is Notice.NOTHING else f"{notice}, or worse"
    return _when(entry), notice, usually, at_most, begins, _WAY_BACK[line.reversible], words, _from(line)


def _duration_row(entry: list[DurationLine]) -> tuple[str, ...]:
    return _codes(entry[0].types), _when(entry), *_span(entry[0].seconds), _from(entry[0])


def _when(entry: Sequence[Line]) -> str:
    """When a line speaks, in words."""
    line = entry[0]
    if Operation.UPDATE not in line.ops:
        said = " or ".join(_happens(line.ops))
    else:
        paths = [each.path for each in entry]
        what = "any other property" if paths == [ANY] else _codes(paths, " or ")
        said = f"{what} {_CHANGES[line.change] if line.change else 'changes'}"
        for word, values in (("from", line.before), ("to", line.after)):
            said += f" {word} {_codes(values, ' or ')}" if values else ""
    conditions = [f"`{path}` {_test(test)}" for path, test in line.when.items()]
    return f"{said}, while {' and '.join(conditions)}" if conditions else said


def _happens(ops: Sequence[Operation]) -> Iterator[str]:
    either_way = {Operation.REPLACE, Operation.RECREATE} <= set(ops)
    for op in ops:
        if not either_way or op not in (Operation.REPLACE, Operation.RECREATE):
            yield _OPERATIONS[op]
    if either_way:
        yield "it is replaced"


def _test(test: Test) -> str:
    if test.values:
        return f"is {_codes(test.values, ' or ')}"
    if test.is_set is not None:
        return "is set" if test.is_set else "is not set"
    return f"is {spelling(test.at_least)} or more" if test.at_least is not None else f"is below {spelling(test.below)}"


def _codes(values: Iterable[object], between: str = ", ") -> str:
    return between.join(f"`{spelling(value)}`" for value in values)


def _span(seconds: tuple[float, float] | None) -> tuple[str, str]:
    return (_time(seconds[0]), _time(seconds[1])) if seconds else ("", "")


def _time(seconds: float) -> str:
    """Seconds as a person would say them."""
    for length, word in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{round(seconds / length, 1):g} {word}"
    return f"{seconds:g} s"


def _from(line: Placed) -> str:
    return f"[{line.file.rpartition('/')[2]}:{line.line}](../../{line.file}#L{line.line}), {_linked(line.source)}"


def _linked(source: str) -> str:
    """A source that begins with an address as a link; what was not looked up as what it is."""
    address = re.match(r"https://[^\s,]+", source)
    if address is None:
        return source.replace(OURS, "ours:").rstrip(":")
    return f"[source]({address[0]}){source.removeprefix(address[0])}"


def prices_page() -> str:
    parts = [GENERATED + _PRICES]
    for book in price_books().values():
        days = f"Oldest source {book.effective}, to be read anew by {book.review_by}."
        said = f"{days} A month has {book.hours_per_month} hours."
        head = ("charged", "for", "unit", f"price in {book.currency}", "from")
        parts.append(f"## {book.region}\n\n{said}\n\n{table(head, (_price_row(book, item) for item in book.items))}")
    meters = [line for line in meter_book().lines if line.meters]
    rows = (row for line in meters for row in _meter_rows(line))
    parts += [_METERS, table(("resource", "charged", "price found by", "how much", "from"), rows)]
    free = sorted({token for line in meter_book().lines if not line.meters for token in line.types})
    parts.append(f"## Without a price of their own\n\n{_codes(free)}\n")
    usages = [
        (f"`{name}`", spelling(usage.low), spelling(usage.high), usage.unit, _linked(usage.source))
        for name, usage in usage_book().items()
    ]
    parts += ["## Assumed in a month\n", table(("what", "at least", "at most", "unit", "from"), usages)]
    return "\n".join(parts)


def _price_row(book: PriceBook, item: PriceItem) -> tuple[str, ...]:
    price = str(item.price)
    if item.tiers:
        price = ", ".join(
            f"{tier.price} up to {tier.upto}" if tier.upto else f"{tier.price} above" for tier in item.tiers
        )
    match = ", ".join(f"{name.replace('_', ' ')} `{spelling(value)}`" for name, value in item.match.items())
    place = item.place
    return (
        f"`{item.meter}`",
        match,
        item.unit,
        price,
        f"[line {place.line}](../../{place.file}#L{place.line}), {_linked(item.source)}",
    )


def _meter_rows(line: MeterLine) -> Iterator[tuple[str, ...]]:
    for meter in line.meters:
        yield _codes(line.types), f"{meter.words} (`{meter.meter}`)", _found_by(meter), _how_much(meter), _from(line)


def _found_by(meter: Meter) -> str:
    found = [
        f"`{dimension.path}`" if dimension.path else f"{name.replace('_', ' ')} {_codes(dimension.values, ' or ')}"
        for name, dimension in meter.match.items()
    ]
    return ", ".join(found)


def _how_much(meter: Meter) -> str:
    parts = ["every hour"] if meter.hourly else []
    parts += [f"`{factor.path}`" + (f" + {factor.plus}" if factor.plus else "") for factor in meter.times]
    parts += [f"`{meter.usage}`, assumed"] if meter.usage else []
    when = [f"`{path}` {_test(test)}" for path, test in meter.when.items()]
    return " times ".join(parts) + (f", while {' and '.join(when)}" if when else "")
