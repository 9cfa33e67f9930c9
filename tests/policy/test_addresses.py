"""Ranges of addresses: private, a partner's own, or nobody in particular."""

import pytest

from tollgate.policy.addresses import each_narrow, narrow
from tollgate.policy.check import Verdict
from tollgate.policy.reading import Reading
from tollgate.policy.sentinels import UNKNOWN


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("10.0.0.0/8", True),
        ("10.1.2.3", True),
        ("172.16.0.0/12", True),
        ("172.0.0.0/8", False),
        ("9.0.0.0/7", False),
        ("203.0.113.0/24", True),
        ("203.0.0.0/16", True),
        ("202.0.0.0/15", False),
        ("0.0.0.0/0", False),
        ("0.0.0.0/1", False),
        ("128.0.0.0/1", False),
        ("10.0.0.0/0", False),
        ("::/0", False),
        ("2000::/7", False),
        ("2001:db8::/32", True),
        ("fd00::/8", True),
        ("::ffff:0:0/96", False),
        ("64:ff9b::/97", False),
        ("::ffff:10.0.0.0/104", True),
        ("everywhere", False),
        ("", False),
        (0.0, False),
        (True, False),
    ],
)
def test_a_range_is_narrow_or_not(text, holds):
    assert narrow(Reading({"a": text})["a"]).verdict is (Verdict.HOLDS if holds else Verdict.FAILS)


def judged(*texts):
    return each_narrow(Reading({"a": list(texts)})["a"])


def test_the_internet_in_slices_is_still_the_internet():
    assert judged(*(f"{first}.{second}.0.0/16" for first in (8, 9) for second in range(256))).verdict is Verdict.FAILS
    assert judged("203.0.0.0/16", "198.51.0.0/16").verdict is Verdict.HOLDS
    assert judged("2001:db8::/32", "2001:db9::/32").verdict is Verdict.FAILS
    assert judged("10.0.0.0/9", "10.128.0.0/9", "fd00::/8").verdict is Verdict.HOLDS


def test_one_wide_range_is_one_finding_and_an_unknown_one_is_not_known():
    wide = judged("10.0.0.0/8", "0.0.0.0/0")
    assert [finding.path for finding in wide.findings] == ["a[1]"]
    assert judged("10.0.0.0/8", UNKNOWN).verdict is Verdict.UNSHOWN
    assert judged("202.0.0.0/16", "202.1.0.0/16", UNKNOWN).verdict is not Verdict.HOLDS
    assert judged().verdict is Verdict.HOLDS
    assert each_narrow(Reading({})["a"]).verdict is Verdict.FAILS
    assert each_narrow(Reading({"a": UNKNOWN})["a"]).verdict is Verdict.UNSHOWN
