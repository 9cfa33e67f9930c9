"""Who is affected: by ownership, by what hangs on it, and over the services that call each other."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.assess.steps import plan, step
from tests.plan.previews import RDS, urn
from tollgate.assess.affected import MOST_HOPS, affected, services_here
from tollgate.assess.consequences import Felt
from tollgate.assess.impact import Span
from tollgate.assess.journeys import journeys
from tollgate.assess.register import ServiceRegister
from tollgate.books.effect_book import Notice
from tollgate.plan.graph import Graph, Hop
from tollgate.plan.model import Op
from tollgate.plan.state import State, StateResource
from tollgate.plan.ties import Tie, TieKind

REGISTER: dict[str, Any] = {
    "teams": {"ledger": {"title": "the ledger team", "reach": "a channel"}},
    "journeys": {"pay": {"title": "pay"}, "payout": {"title": "receive a payout"}},
    "services": {
        "gateway": {
            "title": "the gateway", "team": "ledger", "owns": ["pay-*-gateway*"], "serves": ["pay"],
            "calls": ["account"], "waits_on": ["broker"],
        },
        "account": {"title": "accounts", "team": "ledger", "owns": ["pay-*-account*"], "calls": ["network"]},
        "clearing": {
            "title": "clearing", "team": "ledger", "owns": ["pay-*-clearing*"], "delays": ["payout"],
            "waits_on": ["broker"],
        },
        "broker": {"title": "the broker", "team": "ledger", "owns": ["pay-*-queue*"]},
        "network": {"title": "the network", "team": "ledger", "owns": ["pay-*", "pay-*-net"]},
    },
}  # fmt: skip
SERVICES = ServiceRegister.model_validate(REGISTER)
ACCOUNT, CLEARING, NET = (urn(RDS, f"pay-prod-{name}") for name in ("account-db", "clearing-db", "net"))
SUBNETS = urn("aws:rds/subnetGroup:SubnetGroup", "strange")


def graph(*edges: tuple[str, str, str]) -> Graph:
    """(what hangs, on what, by which property)."""
    needs: dict[str, tuple[Tie, ...]] = {}
    users: dict[str, tuple[Hop, ...]] = {}
    for user, needed, name in edges:
        kind = TieKind.PARENT if name == "parent" else TieKind.PROPERTY
        tie = Tie(kind, needed, name)
        needs[user] = (*needs.get(user, ()), tie)
        users[needed] = (*users.get(needed, ()), Hop(user, tie))
    return Graph(needs, users)


def test_the_nearest_component_decides_and_then_the_longest_pattern() -> None:
    assert SERVICES.owner(("pay-prod-account", "pay-prod-gateway-role")) == "account"
    assert SERVICES.owner(("stack", "pay-prod-gateway-role")) == "gateway"
    assert SERVICES.owner(("pay-prod-net",)) == "network"
    assert SERVICES.owner(("pay-prod-anything",)) == "network"
    assert SERVICES.owner(("other",)) is None
    assert SERVICES.owner(()) is None


def test_a_change_reaches_its_own_service_and_those_that_hang_on_it() -> None:
    edges = graph((SUBNETS, NET, "subnetIds"), (ACCOUNT, SUBNETS, "dbSubnetGroupName"), (CLEARING, ACCOUNT, "parent"))
    found = affected(plan(step(Op.UPDATE, "pay-prod-net")), edges, SERVICES)
    assert [(one.service, [hop.property for hop in one.way]) for one in found.reached] == [
        ("network", []),
        ("account", ["subnetIds", "dbSubnetGroupName"]),
    ]
    assert found.owners() == {NET: "network"}
    assert found.unmapped == ()


def test_far_out_nothing_is_claimed() -> None:
    names = [urn(RDS, f"x{number}") for number in range(MOST_HOPS)]
    chain = [NET, *names, ACCOUNT]
    edges = graph(*((user, needed, "id") for needed, user in itertools.pairwise(chain)))
    found = affected(plan(step(Op.UPDATE, "pay-prod-net")), edges, SERVICES)
    assert [one.service for one in found.reached] == ["network"]


def test_what_nobody_owns_is_listed_and_a_component_or_a_read_is_not() -> None:
    steps = (step(Op.UPDATE, "strange"), step(Op.UPDATE, "pay-x", custom=False), step(Op.READ, "other"))
    found = affected(plan(*steps), Graph(), SERVICES)
    assert found.unmapped == (urn(RDS, "strange"),)
    assert found.reached == ()


def felt(notice: Notice, seconds: float = 60, *, at_least: bool = False) -> Felt:
    return Felt(notice=notice, lasts=Span(p50=seconds, p90=seconds), at_least=at_least)


@pytest.mark.parametrize(
    ("service", "notice", "expected"),
    [
        ("gateway", Notice.OUTAGE, {"pay": Notice.OUTAGE}),
        ("account", Notice.OUTAGE, {"pay": Notice.OUTAGE}),
        ("network", Notice.RECONNECT, {"pay": Notice.RECONNECT}),
        ("broker", Notice.OUTAGE, {"pay": Notice.DEGRADED, "payout": Notice.DEGRADED}),
        ("broker", Notice.RECONNECT, {"pay": Notice.RECONNECT, "payout": Notice.RECONNECT}),
        ("broker", Notice.DATA_LOSS, {"pay": Notice.DATA_LOSS, "payout": Notice.DATA_LOSS}),
        ("clearing", Notice.OUTAGE, {"payout": Notice.DEGRADED}),
        ("clearing", Notice.DATA_LOSS, {"payout": Notice.DATA_LOSS}),
        ("clearing", Notice.NOTHING, {}),
        ("nobody", Notice.OUTAGE, {}),
    ],
)
def test_what_customers_notice(service: str, notice: Notice, expected: dict[str, Notice]) -> None:
    found = journeys({service: felt(notice)}, SERVICES)
    assert {one.journey: one.felt.notice for one in found} == expected


def test_a_service_that_is_not_in_the_stack_notices_nothing() -> None:
    """Clearing is central; what a site's broker does is nothing to it."""
    change = plan(step(Op.UPDATE, "pay-edge-queue", parent=""))
    state = State(resources=(StateResource(urn=urn(RDS, "pay-edge-gateway-db")),))
    here = services_here(change, state, SERVICES)
    assert here == {"gateway", "broker"}
    assert services_here(change, None, SERVICES) == set(SERVICES.services)
    trouble = {"broker": felt(Notice.OUTAGE)}
    assert {one.journey for one in journeys(trouble, SERVICES)} == {"pay", "payout"}
    assert {one.journey for one in journeys(trouble, SERVICES.only(here))} == {"pay"}


def test_the_way_to_a_journey_is_told_from_where_it_begins() -> None:
    (pay,) = journeys({"network": felt(Notice.OUTAGE)}, SERVICES)
    assert pay.through == ("network", "account", "gateway")


def test_what_is_not_known_is_passed_on() -> None:
    (pay,) = journeys({"account": felt(Notice.NOTHING, at_least=True)}, SERVICES)
    assert pay.felt.at_least


NAMES = list(REGISTER["services"])
FELT = st.builds(felt, st.sampled_from(Notice), st.integers(0, 100), at_least=st.booleans())


@given(st.dictionaries(st.sampled_from(NAMES), FELT), st.sampled_from(NAMES))
def test_more_trouble_is_never_less_for_anyone(services: dict[str, Felt], where: str) -> None:
    before = {one.journey: one.felt.notice.rank for one in journeys(services, SERVICES)}
    after = {
        one.journey: one.felt.notice.rank
        for one in journeys({**services, where: felt(Notice.DATA_LOSS, 200)}, SERVICES)
    }
    assert all(after[journey] >= rank for journey, rank in before.items())
    assert journeys(dict(reversed(services.items())), SERVICES) == journeys(services, SERVICES)


def changed(service: str, **fields: Any) -> dict[str, Any]:
    return REGISTER | {"services": REGISTER["services"] | {service: REGISTER["services"][service] | fields}}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (changed("gateway", team="nobody"), "services.gateway.team: 'nobody' is not here; write one of ledger"),
        (changed("gateway", serves=["fly"]), "services.gateway.serves: 'fly'"),
        (changed("gateway", calls=["gatway"]), "services.gateway.calls: 'gatway'"),
        (changed("gateway", owns=["pay-*-account*"]), "'pay-*-account*' stands in two services"),
        (changed("gateway", owns=[]), "owns"),
        (changed("gateway", colour="red"), "colour"),
    ],
)
def test_a_register_that_contradicts_itself_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words.replace("*", r"\*").replace("'", ".")):
        ServiceRegister.model_validate(wrong)
