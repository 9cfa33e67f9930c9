"""Amounts as Kubernetes and Go write them."""

from decimal import Decimal

import pytest

from tollgate.policy.units import quantity, seconds


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1Gi", 2**30),
        ("1024Mi", 2**30),
        (1073741824.0, 2**30),
        (" 2Ki ", 2048),
        ("100m", Decimal("0.1")),
        ("0.1", Decimal("0.1")),
        (".5", Decimal("0.5")),
        ("5.", 5),
        ("1k", 1000),
        ("1.5M", 1_500_000),
        ("1e3", 1000),
        ("-1", -1),
        ("0", 0),
        ("3Ei", 3 * 2**60),
        ("1n", Decimal("1e-9")),
        ("1K", None),
        ("1gi", None),
        ("Gi", None),
        ("", None),
        ("1 Gi", None),
        ("\u0661", None),
        ("1e9999", None),
        (True, None),
        (None, None),
        ([], None),
    ],
)
def test_a_quantity_is_read_or_refused(text, amount):
    assert quantity(text) == amount


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("1h", 3600),
        ("1h30m", 5400),
        ("1.5m", 90),
        ("90s", 90),
        ("500ms", 0.5),
        ("0", 0),
        ("0s", 0),
        ("5", None),
        ("", None),
        ("1d", None),
        ("1h ", None),
        (0.0, None),
        (None, None),
    ],
)
def test_a_duration_is_read_or_refused(text, length):
    assert seconds(text) == length
