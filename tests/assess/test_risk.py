"""Risk: the sentences at the head of the book hold, and more danger never counts less."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.assess.steps import plan, step
from tollgate.assess.consequences import Band, Risk, WayBack
from tollgate.assess.model import Finding, Origin, Unknown
from tollgate.assess.risk import Outcome, PastChange, risk
from tollgate.books.effect_book import Notice
from tollgate.books.risk import risk_book
from tollgate.plan.model import Op
from tollgate.policy.severity import CRITICAL, HIGH, LOW, MEDIUM

PLAN = plan(step(Op.UPDATE, changes={"tags": False}))
KIND = "aws:rds/instance:Instance update"


def finding(severity: object = HIGH, rule: str = "one", urn: str = "urn:1") -> Finding:
    return Finding(rule=rule, severity=severity, urn=urn, sentence=f"{rule} {urn}.", origin=Origin.OPERATION)


def of(
    findings: tuple[Finding, ...] = (),
    unknowns: tuple[Unknown, ...] = (),
    journeys: dict[str, Notice] | None = None,
    way_back: WayBack = WayBack.REVERSIBLE,
    **more: object,
) -> Risk:
    return risk(PLAN, findings, unknowns, journeys=journeys or {}, way_back=way_back, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("severity", "origin", "urn", "counts"),
    [
        (LOW, Origin.POLICY, "urn:elsewhere", False),
        (LOW, Origin.CHECKOV, "urn:elsewhere", False),
        (LOW, Origin.POLICY, PLAN.steps[0].urn, True),  # the change touches it
        (LOW, Origin.POLICY, "", True),  # it is about the whole
        (LOW, Origin.OPERATION, "urn:elsewhere", True),  # a rule over steps: the change pulls it along
        (MEDIUM, Origin.POLICY, "urn:elsewhere", True),  # more than advice
    ],
)
def test_advice_about_what_the_change_leaves_alone_is_told_and_counts_nothing(
    severity: object, origin: Origin, urn: str, counts: bool
) -> None:
    found = of(findings=(finding(severity, urn=urn).model_copy(update={"origin": origin}),))
    assert (found.points > 0) is counts
    assert ("standing" in {factor.rule for factor in found.factors}) is not counts


UNKNOWN = Unknown(what="value", sentence="s", urn="urn:1")


@pytest.mark.parametrize(
    ("found", "band"),
    [
        (of(), Band.LOW),
        (of(findings=tuple(finding(LOW, f"r{n}") for n in range(3))), Band.LOW),
        (of(journeys={"pay": Notice.RECONNECT}), Band.LOW),
        (of(findings=(finding(MEDIUM),)), Band.MEDIUM),
        (of(unknowns=(UNKNOWN,)), Band.MEDIUM),
        (of(way_back=WayBack.UNKNOWN), Band.MEDIUM),
        (of(findings=(finding(HIGH),)), Band.HIGH),
        (of(journeys={"pay": Notice.OUTAGE}), Band.HIGH),
        (of(way_back=WayBack.WITH_LOSS), Band.HIGH),
        (of(findings=(finding(CRITICAL),)), Band.CRITICAL),
        (of(journeys={"pay": Notice.DATA_LOSS}), Band.CRITICAL),
    ],
)
def test_what_the_book_says_of_its_weights_is_so(found: Risk, band: Band) -> None:
    assert found.band is band, found.factors
    assert found.points == sum(factor.points for factor in found.factors)


def test_no_customer_and_no_history_are_said_and_count_nothing() -> None:
    said = {factor.rule: factor for factor in of().factors}
    assert said["history"].points == said["notice"].points == said["undo"].points == 0
    assert "No past change" in said["history"].sentence


def test_less_in_reserve_is_a_risk_that_no_customer_notices() -> None:
    def said(journeys: dict[str, Notice]) -> str:
        return {factor.rule: factor for factor in of(journeys=journeys).factors}["notice"].sentence

    only = {"pay": Notice.RESERVE, "refund": Notice.RESERVE}
    assert said(only) == "No customer notices it, but there is less in reserve behind: pay, refund."
    assert said({**only, "payout": Notice.OUTAGE}) == "1 customer journey notices it; the worst is outage for: payout."
    assert of(journeys=only).points > of(journeys={"pay": Notice.RESERVE}).points > of().points


def test_what_customers_notice_and_the_way_back_name_what_they_come_from() -> None:
    found = of(journeys={"pay": Notice.OUTAGE}, way_back=WayBack.NONE, noticed_from=("urn:1",), stays_done=("urn:2",))
    evidence = {factor.rule: factor.evidence for factor in found.factors}
    assert (evidence["notice"], evidence["undo"]) == (("urn:1",), ("urn:2",))
    assert of(noticed_from=("urn:1",)) == of()


def test_history_counts_changes_of_the_same_kinds_only() -> None:
    def past(name: str, outcome: Outcome, kind: str = KIND) -> PastChange:
        return PastChange(id=name, made_on=date(2026, 1, 1), outcome=outcome, kinds=(kind,))

    bad = past("1", Outcome.FAILED)
    good = past("2", Outcome.SUCCEEDED)
    other = past("3", Outcome.TAKEN_BACK, "aws:s3/bucket:Bucket delete")
    points = {factor.rule: factor.points for factor in of(history=(bad, good, other)).factors}
    assert points["history"] == risk_book().history.all_failed / 2
    assert {f.rule: f.points for f in of(history=(other,)).factors}["history"] == 0


FINDINGS = st.builds(
    finding, st.sampled_from([LOW, MEDIUM, HIGH, CRITICAL]), st.sampled_from("abc"), st.sampled_from(["urn:1", "urn:2"])
)
UNKNOWNS = st.builds(Unknown, what=st.just("value"), sentence=st.text(max_size=3), urn=st.sampled_from(["", "urn:1"]))
JOURNEYS = st.dictionaries(st.sampled_from(["pay", "refund", "payout"]), st.sampled_from(Notice))


@given(st.lists(FINDINGS, max_size=8), st.lists(UNKNOWNS, max_size=4), JOURNEYS, st.sampled_from(WayBack), st.randoms())
def test_order_does_not_matter(findings, unknowns, journeys, way_back, rng) -> None:  # type: ignore[no-untyped-def]
    shuffled = rng.sample(findings, len(findings)), rng.sample(unknowns, len(unknowns))
    turned = dict(reversed(journeys.items()))
    assert of(tuple(findings), tuple(unknowns), journeys, way_back) == of(
        tuple(shuffled[0]), tuple(shuffled[1]), turned, way_back
    )


@given(
    st.lists(FINDINGS, max_size=8),
    st.lists(UNKNOWNS, max_size=4),
    JOURNEYS,
    st.sampled_from(WayBack),
    FINDINGS,
    UNKNOWNS,
    st.sampled_from(["pay", "refund", "payout"]),
)
def test_more_danger_never_counts_less(findings, unknowns, journeys, way_back, one_more, unknown, journey) -> None:  # type: ignore[no-untyped-def]
    before = of(tuple(findings), tuple(unknowns), journeys, way_back)
    worse_notice = {**journeys, journey: max(Notice, key=lambda notice: notice.rank)}
    for worse in (
        of((*findings, one_more), tuple(unknowns), journeys, way_back),
        of(tuple(findings), (*unknowns, unknown), journeys, way_back),
        of(tuple(findings), tuple(unknowns), worse_notice, way_back),
        of(tuple(findings), tuple(unknowns), journeys, max(way_back, WayBack.WITH_LOSS, key=lambda way: way.rank)),
        of(tuple(findings), tuple(unknowns), journeys, way_back, unmapped=("urn:9",)),
    ):
        assert worse.points >= before.points
        assert worse.band.rank >= before.band.rank
