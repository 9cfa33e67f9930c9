"""The decision follows from the assessment alone, and says so in sentences."""

from __future__ import annotations

import pytest

from tests.report.impacts import impact
from tollgate.assess.consequences import Felt, JourneyImpact
from tollgate.assess.impact import Moment, UnknownEffect
from tollgate.assess.model import Assessment, ChangedResource, Counts, Finding, Origin, Unknown
from tollgate.books.effect_book import Notice
from tollgate.books.lines import Operation
from tollgate.gate.decide import decide
from tollgate.gate.model import Verdict
from tollgate.policy.severity import CRITICAL, HIGH, LOW, MEDIUM, Severity


def finding(severity: Severity, *, mandatory: bool = False, sentence: str = "", rule: str = "r") -> Finding:
    return Finding(
        rule=rule, severity=severity, urn="u", sentence=sentence or f"It is {severity.value}.", origin=Origin.OPERATION,
        fix="repair it", mandatory=mandatory,
    )  # fmt: skip


def assessment(*findings: Finding, unknowns: tuple[Unknown, ...] = (), op: str = "update") -> Assessment:
    row = ChangedResource(urn="u", type="t", name="n", op=op)
    counts = Counts(update=1, create=2)
    return Assessment(facts_digest="0", counts=counts, findings=findings, unknowns=unknowns, resources=(row,))


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [
        ((), Verdict.ALLOW),
        ((finding(LOW),), Verdict.ALLOW),
        ((finding(MEDIUM),), Verdict.WAIT),
        ((finding(HIGH), finding(LOW)), Verdict.WAIT),
        ((finding(CRITICAL),), Verdict.DENY),
        ((finding(HIGH, mandatory=True),), Verdict.DENY),
        ((finding(LOW, mandatory=True),), Verdict.DENY),
    ],
)
def test_verdict(findings: tuple[Finding, ...], verdict: Verdict) -> None:
    decision = decide(assessment(*findings))
    assert decision.verdict is verdict
    assert bool(decision.asks) == (verdict is not Verdict.ALLOW)


@pytest.mark.parametrize(
    ("op", "verdict"), [("update", Verdict.WAIT), ("delete", Verdict.WAIT), ("create", Verdict.ALLOW)]
)
def test_an_unknown_about_what_exists_waits(op: str, verdict: Verdict) -> None:
    unknown = Unknown(what="value", sentence="It is not known.", urn="u")
    assert decide(assessment(unknowns=(unknown,), op=op)).verdict is verdict
    assert decide(assessment(unknowns=(unknown.model_copy(update={"urn": ""}),), op=op)).verdict is Verdict.WAIT


@pytest.mark.parametrize(
    ("unheard", "op", "verdict"),
    [(True, "update", Verdict.WAIT), (False, "update", Verdict.ALLOW), (True, "create", Verdict.ALLOW)],
)
def test_a_change_that_no_book_is_about_waits(unheard: bool, op: str, verdict: Verdict) -> None:
    effect = UnknownEffect(urn="u", type="t", op=Operation.UPDATE, sentence="Nobody knows.", unheard=unheard)
    decision = decide(assessment(op=op).model_copy(update={"impact": impact(unknown_effects=(effect,))}))
    assert decision.verdict is verdict
    assert decision.reasons == (("Nobody knows.",) if verdict is Verdict.WAIT else ())


@pytest.mark.parametrize("notice", Notice)
def test_a_journey_that_fails_waits_for_somebody_to_agree(notice: Notice) -> None:
    felt = Felt(notice=notice, moment=Moment.WINDOW)
    noticed = JourneyImpact(journey="authorise", title="pay", felt=felt, through=("gateway",))
    decision = decide(assessment().model_copy(update={"impact": impact(journeys=(noticed,))}))
    fails = notice.rank >= Notice.PARTIAL.rank
    assert decision.verdict is (Verdict.WAIT if fails else Verdict.ALLOW)
    assert bool(decision.asks) is fails
    if fails:
        assert decision.headline.startswith("Customers notice a")
        assert decision.headline.endswith("in the maintenance window: pay.")


def test_what_denies_is_said_first() -> None:
    found = (finding(HIGH, sentence="Second."), finding(HIGH, mandatory=True, sentence="First.", rule="s"))
    decision = decide(assessment(*found))
    assert decision.headline == "First. And 1 more reason."
    assert decision.reasons == ("First.", "Second.")
    assert decision.asks == ("Before it can go (s): repair it. This is about u.",)


def test_what_is_asked_says_of_which_resources() -> None:
    keys = [f"urn:pulumi:a::b::aws:kms/key:Key::key-{n}" for n in "xyz"]
    found = [finding(HIGH, rule="s").model_copy(update={"urn": urn}) for urn in [*keys, keys[0]]]
    (asked,) = decide(assessment(*found)).asks
    assert asked == "Judge whether it may go (s): repair it. This is about X's encryption key (key-x) and 2 more."
    assert decide(assessment(found[0].model_copy(update={"urn": ""}))).asks == (
        "Judge whether it may go (s): repair it.",
    )
    plain = found[0].model_copy(update={"fix": "", "sentence": "It stands alone."})
    assert decide(assessment(plain)).asks == ("Judge whether it may go: It stands alone.",)


def test_many_findings_of_one_rule_are_one_reason() -> None:
    found = tuple(finding(HIGH, sentence=f"Number {n}.") for n in range(4))
    assert decide(assessment(*found)).reasons == ("Number 0. (3 more like it.)",)


def test_routine_says_what_is_done() -> None:
    assert decide(assessment()).headline == "2 created and 1 updated; nothing dangerous was found."
