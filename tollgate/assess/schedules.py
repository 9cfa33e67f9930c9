"""How often a schedule runs in a year: cron of Kubernetes and of CloudNativePG, and the expressions of AWS."""

from __future__ import annotations

import re
from decimal import Decimal

_YEAR = {"minute": 525_600, "hour": 8_760, "day": 365}
_MACROS = {
    "@yearly": 1,
    "@annually": 1,
    "@monthly": 12,
    "@weekly": 52,
    "@daily": 365,
    "@midnight": 365,
    "@hourly": 8_760,
}
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_AWS_CRON = re.compile(r"cron\((.+)\)")
# minute, hour, day of the month, month, day of the week: the values that each can take.
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_NAMES = {
    name: str(number)
    for names, first in (("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC", 1), ("SUN MON TUE WED THU FRI SAT", 0))
    for number, name in enumerate(names.split(), start=first)
}
_PART = re.compile(r"(?:(\d+)(?:-(\d+))?|\*)(?:/(\d+))?")


def runs_a_year(text: str) -> Decimal | None:
    """Runs in a year of 365 days, on average; None for what is no schedule that we can read."""
    if text in _MACROS:
        return Decimal(_MACROS[text])
    if rate := _RATE.fullmatch(text):
        return Decimal(_YEAR[rate[2]]) / Decimal(rate[1]) if int(rate[1]) else None
    aws = _AWS_CRON.fullmatch(text)
    fields = (aws[1] if aws else text).split()
    if aws and len(fields) == 6:
        fields = fields[:5]  # the last one is the year
    elif len(fields) == 6:
        fields = fields[1:]  # the first one is the second
    return _cron(fields) if len(fields) == 5 else None


def _cron(fields: list[str]) -> Decimal | None:
    counts = [_values(field, *bounds) for field, bounds in zip(fields, _RANGES, strict=True)]
    if None in counts:
        return None
    minutes, hours, days, months, weekdays = (Decimal(count or 0) for count in counts)
    by_date, by_weekday = days / 31, weekdays / 7
    # Both given: either of them makes it run (https://man7.org/linux/man-pages/man5/crontab.5.html).
    share = by_date * by_weekday if 1 in (by_date, by_weekday) else by_date + by_weekday - by_date * by_weekday
    return minutes * hours * Decimal(365) * share * months / 12


def _values(field: str, low: int, high: int) -> int | None:
    """How many values a field stands for."""
    if field == "?":
        return high - low + 1
    found: set[int] = set()
    for part in field.upper().split(","):
        for name, number in _NAMES.items():
            part = part.replace(name, number)  # noqa: PLW2901
        match = _PART.fullmatch(part)
        if match is None:
            return None
        first = int(match[1]) if match[1] else low
        last = int(match[2]) if match[2] else (high if match[1] is None or match[3] else first)
        step = int(match[3] or 1)
        latest = 7 if high == 6 else high  # Sunday is 0 and 7
        if step == 0 or not low <= first <= last <= latest:
            return None
        found.update(value % 7 if high == 6 else value for value in range(first, last + 1, step))
    return len(found)
