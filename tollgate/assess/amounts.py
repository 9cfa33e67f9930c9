"""Amounts as configurations write them: numbers, sizes (``100Gi``), durations (``30d``, ``720h``, ``P30D``), machines
(``db.r7g.large``) and how often a schedule runs (``0 2 * * *``)."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from tollgate.assess.schedules import runs_a_year
from tollgate.books.guards import Unit

_NUMBER = re.compile(r"\s*([+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,2})?)\s*([A-Za-zµ]*)\s*")
# Quantities of Kubernetes: apimachinery/pkg/api/resource/suffix.go.
_SIZES: dict[str, Decimal | int] = {"": 1, "m": Decimal("0.001")}
for _tail, _base in (("", 1000), ("i", 1024)):
    _SIZES |= {letter + _tail: Decimal(_base) ** power for power, letter in enumerate("KMGTPE", start=1)}
_SIZES |= {"k": 1000} | {f"{letter}B": _SIZES[letter] for letter in "KMGTPE"}
_SIZES |= {f"{letter}iB": _SIZES[f"{letter}i"] for letter in "KMGTPE"}
# Seconds. d, w, m as in CloudNativePG's retentionPolicy (days, weeks, months); h, min, s, ms as in Go durations.
_DAY = 86_400
_DURATIONS: dict[str, Decimal | int] = {
    "": 1,
    "ms": Decimal("0.001"),
    "s": 1,
    "min": 60,
    "h": 3600,
    "d": _DAY,
    "w": 7 * _DAY,
    "m": 30 * _DAY,
}
_ISO = re.compile(
    r"P(?:(?P<y>\d+)Y)?(?:(?P<mo>\d+)M)?(?:(?P<w>\d+)W)?(?:(?P<d>\d+)D)?"
    r"(?:T(?:(?P<h>\d+)H)?(?:(?P<mi>\d+)M)?(?:(?P<s>\d+)S)?)?"
)
_ISO_SECONDS = {"y": 365 * _DAY, "mo": 30 * _DAY, "w": 7 * _DAY, "d": _DAY, "h": 3600, "mi": 60, "s": 1}
_GO_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(h|ms|m|s)")
_GO_SECONDS: dict[str, Decimal | int] = {"h": 3600, "m": 60, "s": 1, "ms": Decimal("0.001")}
# Size of a machine by its last word: normalization factors of
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/apply_ri.html.
_MACHINES = {
    word: Decimal(factor)
    for word, factor in (
        ("nano", "0.25"),
        ("micro", "0.5"),
        ("small", "1"),
        ("medium", "2"),
        ("large", "4"),
        ("xlarge", "8"),
        ("metal", "192"),
    )
}
_MACHINE = re.compile(rf"(?:[a-z0-9-]+\.)+([0-9]*)({'|'.join(_MACHINES)})")
_LONGEST = 64  # characters; no amount is longer


def amount(value: Any, unit: Unit) -> Decimal | None:
    """The value as a number of its smallest unit, None when it is no amount."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            number = Decimal(str(value))
        except (InvalidOperation, ValueError):
            return None
        return number if number.is_finite() else None
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    reader = _READERS.get(unit)
    return reader(value.strip()) if reader else _scaled(value, unit)


def _machine(text: str) -> Decimal | None:
    """How much of the smallest machine of its family it is; None for a text that names no size."""
    match = _MACHINE.fullmatch(text)
    return Decimal(match[1] or 1) * _MACHINES[match[2]] if match else None


def _scaled(text: str, unit: Unit) -> Decimal | None:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    table: dict[str, Decimal | int] = {"": 1} if unit is Unit.NUMBER else _SIZES
    factor = table.get(match[2])
    return None if factor is None else Decimal(match[1]) * factor


def _duration(text: str) -> Decimal | None:
    iso = _ISO.fullmatch(text)
    if iso and len(text) > 1:
        return sum((Decimal(n) * _ISO_SECONDS[key] for key, n in iso.groupdict().items() if n), Decimal(0))
    parts = _GO_PART.findall(text)
    # One part in months ("12m") is CloudNativePG's; Go's minutes come with hours or seconds around them.
    if len(parts) > 1 and "".join(number + word for number, word in parts) == text:
        return sum((Decimal(number) * _GO_SECONDS[word] for number, word in parts), Decimal(0))
    match = _NUMBER.fullmatch(text)
    factor = _DURATIONS.get(match[2]) if match else None
    return Decimal(match[1]) * factor if match and factor is not None else None


_READERS: dict[Unit, Callable[[str], Decimal | None]] = {
    Unit.DURATION: _duration,
    Unit.MACHINE: _machine,
    Unit.SCHEDULE: runs_a_year,
}
