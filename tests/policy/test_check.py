"""Checks obey Kleene's three-valued logic and keep the reasons that decided."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.policy.check import HOLDS, Check, Finding, Verdict, fails, unshown

FINDINGS = st.builds(Finding, path=st.sampled_from("abc"), found=st.just("is 1"), wanted=st.just("2"))
CHECKS = st.just(HOLDS) | FINDINGS.map(fails) | FINDINGS.map(unshown)

H, U, F = Verdict.HOLDS, Verdict.UNSHOWN, Verdict.FAILS


@pytest.mark.parametrize(
    ("left", "right", "both", "either"),
    [(H, H, H, H), (H, U, U, H), (H, F, F, H), (U, U, U, U), (U, F, F, U), (F, F, F, F)],
)
def test_truth_table(left, right, both, either):
    one, other = Check(left), Check(right)
    assert (one & other).verdict is (other & one).verdict is both
    assert (one | other).verdict is (other | one).verdict is either
    assert one.unless(other).verdict is other.unless(one).verdict is either


@given(CHECKS, CHECKS)
def test_a_decision_survives_whatever_an_unknown_turns_out_to_be(unknown, other):
    """What is decided with an unknown part is decided the same for each value of that part."""
    vague = Check(U)
    for combined, exact in ((vague & other, unknown & other), (vague | other, unknown | other)):
        if combined.verdict is not U:
            assert exact.verdict is combined.verdict


@given(CHECKS, CHECKS, CHECKS)
def test_order_and_grouping_do_not_change_the_verdict_or_the_reasons(a, b, c):
    for left, right in (((a & b) & c, a & (b & c)), ((a | b) | c, a | (b | c))):
        assert left.verdict is right.verdict
        assert set(left.findings) == set(right.findings)


@given(CHECKS, CHECKS)
def test_reasons_are_there_exactly_when_something_does_not_hold(a, b):
    for combined in (a & b, a | b):
        assert bool(combined.findings) is (combined.verdict is not H)


def test_one_who_is_not_exempt_is_not_told_to_become_so():
    open_door = fails(Finding("cidrBlocks", "is open", "a range"))
    not_egress = fails(Finding("type", "is ingress", "egress"))
    assert open_door.unless(not_egress) == open_door


def test_a_check_cannot_be_used_as_a_truth_value():
    with pytest.raises(TypeError, match="three-valued"):
        bool(HOLDS)
