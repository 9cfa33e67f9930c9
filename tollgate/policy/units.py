"""Amounts as Kubernetes and Go write them: ``512Mi``, ``100m``, ``1h30m``."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

# Source: Kubernetes API reference, Quantity. "m" is a thousandth; the suffixes with i are powers of 1024.
_SUFFIXES = {"": Decimal(1), "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3")} | {
    letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", start=1)
}
_SUFFIXES |= {f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)}
_QUANTITY = re.compile(r"(?P<number>[+-]?\d*\.?\d+(?:[eE][+-]?\d{1,3})?|\d+\.)(?P<suffix>[a-zA-Z]*)", re.ASCII)
# Source: Go, time.ParseDuration.
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)", re.ASCII)


def quantity(value: Any) -> Decimal | None:
    """The amount of a Kubernetes quantity, a number or a text; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    match = _QUANTITY.fullmatch(str(value).strip())
    if match is None or match["suffix"] not in _SUFFIXES:
        return None
    return Decimal(match["number"]) * _SUFFIXES[match["suffix"]]


def is_amount(value: Any) -> bool:
    """A Kubernetes quantity above zero."""
    amount = quantity(value)
    return amount is not None and amount > 0


def seconds(value: Any) -> float | None:
    """The length of a Go duration such as ``1h30m``; None for what is none. ``0`` needs no unit."""
    if value == "0":
        return 0.0
    if not isinstance(value, str) or not re.fullmatch(f"(?:{_DURATION.pattern})+", value, re.ASCII):
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(value))
