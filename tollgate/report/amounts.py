"""Times and amounts of money in words: rounded as a person would say them."""

from __future__ import annotations

from decimal import Decimal

from tollgate.assess.impact import Money, Span
from tollgate.report.parts import Phrase, phrase

_MINUTE, _HOUR = 60, 3600
# Up to here a person counts in the smaller unit: 90 seconds, 90 minutes.
_MOST_SECONDS, _MOST_MINUTES = 90, 90


def time_in_words(seconds: float) -> Phrase:
    """About how long: seconds, minutes or hours, never less than one of them."""
    if seconds <= _MOST_SECONDS:
        return phrase("time_seconds", n=max(1, round(seconds)))
    if seconds <= _MOST_MINUTES * _MINUTE:
        return phrase("time_minutes", n=round(seconds / _MINUTE))
    hours = round(seconds / _HOUR, 1)
    return phrase("time_hours", n=int(hours) if hours.is_integer() else hours)


def lasts_in_words(span: Span | None, *, for_good: bool = False, at_least: bool = False) -> Phrase:
    """The usual time and that of a slow day; "not known" when there is none."""
    if for_good:
        return phrase("lasts_for_good")
    if span is None:
        return phrase("lasts_not_known") if at_least else phrase("lasts_nothing")
    usual, slow = time_in_words(span.p50), time_in_words(span.p90)
    if usual == slow:
        return phrase("lasts_at_least_one" if at_least else "lasts_one", time=usual)
    return phrase("lasts_at_least" if at_least else "lasts", usual=usual, slow=slow)


def money_in_words(amount: Money, currency: str) -> Phrase:
    """An amount a month: one figure, or from low to high. Saving is said as saving."""
    low, high = _whole(amount.low), _whole(amount.high)
    if low == high == 0:
        return phrase("money_nothing" if amount.low == amount.high == 0 else "money_under_one", currency=currency)
    if low == high:
        return phrase("money_more" if low > 0 else "money_less", n=abs(low), currency=currency)
    if low >= 0:
        return phrase("money_more_range", low=low, high=high, currency=currency)
    if high <= 0:
        return phrase("money_less_range", low=-high, high=-low, currency=currency)
    return phrase("money_either", less=-low, more=high, currency=currency)


def _whole(amount: Decimal) -> int:
    return int(amount.to_integral_value())
