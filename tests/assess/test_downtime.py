"""Downtime per service: who is hit, how long, in which order, and what must always hold."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.plan import previews as p
from tollgate.assess.downtime import WHOLE_STACK, downtime, peers_in
from tollgate.assess.effects import effects
from tollgate.assess.impact import Downtime, Moment
from tollgate.books.effect_book import Notice, effect_book
from tollgate.plan.read import read_plan
from tollgate.plan.state import read_state

SERVER = "aws:rds/clusterInstance:ClusterInstance"
QUEUE = "aws:sqs/queue:Queue"
HOME = "urn:pulumi:staging::pay::tollgate:data:Database::clearing"
NOW = {"applyImmediately": True}


def of(*steps: dict[str, Any], **more: Any) -> tuple[Downtime, ...]:
    plan = read_plan(p.digest(*steps))
    return downtime(plan, effects(plan), **more)


def seconds(line: str) -> tuple[float, float]:
    lasts = next(each.lasts for each in effect_book().lines if each.id == line)
    assert lasts
    return lasts


def resized(name: str, *needs: str, kind: str = p.RDS, parent: str = HOME, **same: Any) -> dict[str, Any]:
    old, new = {"instanceClass": "db.r7g.large", **same}, {"instanceClass": "db.r7g.xlarge", **same}
    marks = {"old_parent": parent, "new_parent": parent, "new_dependencies": list(needs)}
    return p.step("update", kind, name, old=old, new=new, diff={"instanceClass": "update"}, **marks)


def test_a_service_is_the_component_above() -> None:
    (row,) = of(resized("one", **NOW))
    assert (row.service, row.notice, row.moment) == ("clearing", Notice.OUTAGE, Moment.CHANGE)
    assert row.lasts
    assert (row.lasts.p50, row.lasts.p90) == seconds("rds-class-alone")
    assert [effect.source.id for effect in row.because] == ["rds-class-alone"]


def test_what_belongs_to_no_component_belongs_to_the_stack() -> None:
    root = "urn:pulumi:staging::pay::pulumi:pulumi:Stack::pay-staging"
    assert [row.service for row in of(resized("one", parent=root), resized("two", parent=""))] == [WHOLE_STACK]


def test_the_caller_may_say_whose_it_is() -> None:
    services = {p.urn(p.RDS, "one"): "refunds"}
    assert [row.service for row in of(resized("one"), services=services)] == ["refunds"]
    assert [row.service for row in of(resized("two"), services=services)] == [WHOLE_STACK]


def test_two_outages_may_overlap_or_follow_each_other() -> None:
    (row,) = of(resized("one", **NOW), resized("two", **NOW))
    p50, p90 = seconds("rds-class-alone")
    assert row.lasts
    assert (row.lasts.p50, row.lasts.p90) == (p50, 2 * p90)


def test_two_outages_that_wait_for_each_other_add_up() -> None:
    between = p.step("create", QUEUE, "between", new={}, new_dependencies=[p.urn(p.RDS, "one")])
    rows = of(resized("one", **NOW), between, resized("two", p.urn(QUEUE, "between"), **NOW))
    assert rows[0].lasts
    assert rows[0].lasts.p50 == 2 * seconds("rds-class-alone")[0]


def test_the_window_is_another_moment() -> None:
    rows = of(resized("one", **NOW), resized("two"))
    assert {row.moment for row in rows} == {Moment.CHANGE, Moment.WINDOW}


def test_an_unknown_effect_makes_it_at_least() -> None:
    stranger = p.step("delete", "acme:index/ledger:Ledger", "book", old={}, old_parent=HOME)
    (row,) = of(resized("one", **NOW), stranger)
    assert (row.notice, row.at_least, row.not_known) == (
        Notice.OUTAGE,
        True,
        (p.urn("acme:index/ledger:Ledger", "book"),),
    )
    (alone,) = of(stranger)
    assert (alone.notice, alone.at_least, alone.because) == (Notice.NOTHING, True, ())


def test_what_does_not_end_has_no_length() -> None:
    (row,) = of(p.step("delete", old={"skipFinalSnapshot": True}, old_parent=HOME))
    assert (row.notice, row.for_good, row.lasts) == (Notice.DATA_LOSS, True, None)


def test_the_worst_kind_counts_and_names_its_reasons() -> None:
    tagged = p.step(
        "update", QUEUE, "q", old={"tags": {}}, new={"tags": {"a": "b"}}, diff={"tags.a": "add"}, new_parent=HOME
    )
    (row,) = of(resized("one", **NOW), tagged)
    assert [effect.urn for effect in row.because] == [p.urn(p.RDS, "one")]


def test_a_peer_that_goes_on_spares_users() -> None:
    alone = of(resized("one", kind=SERVER, **NOW))[0]
    spared = of(resized("one", kind=SERVER, **NOW), peers={p.urn(SERVER, "one"): 1})[0]
    assert (alone.notice, spared.notice) == (Notice.OUTAGE, Notice.RECONNECT)
    assert "another server of its cluster takes over" in spared.because[0].sentence


def test_peers_that_are_hit_at_the_same_time_spare_nobody() -> None:
    peers = {p.urn(SERVER, name): 1 for name in ("one", "two")}
    together = of(resized("one", kind=SERVER, **NOW), resized("two", kind=SERVER, **NOW), peers=peers)
    in_turn = of(
        resized("one", kind=SERVER, **NOW), resized("two", p.urn(SERVER, "one"), kind=SERVER, **NOW), peers=peers
    )
    in_window = of(resized("one", kind=SERVER), resized("two", p.urn(SERVER, "one"), kind=SERVER), peers=peers)
    assert [rows[0].notice for rows in (together, in_turn, in_window)] == [
        Notice.OUTAGE,
        Notice.RECONNECT,
        Notice.OUTAGE,
    ]


def test_a_peer_that_is_hit_in_another_way_spares_nobody() -> None:
    """Whatever people notice of it, and also when that is not known, it may not be there to take over."""
    peers = {p.urn(SERVER, "one"): 1}
    marks = {"old_parent": HOME, "new_parent": HOME}
    other = p.step("delete", SERVER, "two", old={}, **marks)
    signed, strange = (
        p.step("update", SERVER, "two", old={path: "1"}, new={path: "2"}, diff={path: "update"}, **marks)
        for path in ("caCertIdentifier", "novel")
    )
    for step in (other, signed, strange):
        assert of(resized("one", kind=SERVER, **NOW), step, peers=peers)[0].notice is Notice.OUTAGE
    assert of(resized("one", kind=SERVER, **NOW), peers=peers)[0].notice is Notice.RECONNECT


def _kept(name: str, kind: str = SERVER, parent: str = HOME, **marks: Any) -> dict[str, Any]:
    return {"urn": p.urn(kind, name), "type": kind, "custom": True, "parent": parent, **marks}


def test_peers_are_those_that_the_state_has_and_keeps() -> None:
    elsewhere = HOME.replace("clearing", "wallet")
    there = [
        _kept("one"),
        _kept("two"),
        _kept("three"),
        _kept("going"),
        _kept("left", delete=True),
        _kept("half", pendingReplacement=True),
        _kept("marked", taint=True),
        _kept("far", parent=elsewhere),
        _kept("queue", kind=QUEUE),
    ]
    state = read_state(json.dumps({"version": 3, "deployment": {"resources": there}}))
    going = p.step("delete", SERVER, "going", old={}, old_parent=HOME)
    new = p.step("create", SERVER, "new", new={}, new_parent=HOME)
    found = peers_in(state, read_plan(p.digest(resized("one", kind=SERVER), going, new)))
    assert found == {p.urn(SERVER, "one"): 2, p.urn(SERVER, "going"): 3, p.urn(SERVER, "new"): 3}


def test_peers_spare_nobody_where_the_book_does_not_say_so() -> None:
    assert of(resized("one", **NOW), peers={p.urn(p.RDS, "one"): 9})[0].notice is Notice.OUTAGE


def test_a_circle_does_not_stop_it() -> None:
    one, two = p.urn(p.RDS, "one"), p.urn(p.RDS, "two")
    (row,) = of(resized("one", two, **NOW), resized("two", one, **NOW))
    assert row.lasts
    assert row.lasts.p50 >= seconds("rds-class-alone")[0]


@st.composite
def plans(draw: st.DrawFn) -> list[dict[str, Any]]:
    names = [f"r{n}" for n in range(draw(st.integers(1, 7)))]
    kinds = {name: draw(st.sampled_from([p.RDS, SERVER])) for name in names}
    steps = []
    for name in names:
        needs = [p.urn(kinds[other], other) for other in draw(st.lists(st.sampled_from(names), max_size=2))]
        same = draw(st.sampled_from([{}, NOW, {"multiAz": True}, {"multiAz": p.UNKNOWN}]))
        parent = draw(st.sampled_from([HOME, HOME.replace("clearing", "wallet"), ""]))
        steps.append(resized(name, *needs, kind=kinds[name], parent=parent, **same))
    return steps


def _peers(steps: list[dict[str, Any]]) -> dict[str, int]:
    return {step["urn"]: 2 for step in steps}


@settings(max_examples=80)
@given(steps=plans(), data=st.data())
def test_order_does_not_matter(steps: list[dict[str, Any]], data: st.DataObject) -> None:
    assert of(*steps, peers=_peers(steps)) == of(*data.draw(st.permutations(steps)), peers=_peers(steps))


@settings(max_examples=80)
@given(steps=plans())
def test_a_step_more_is_never_noticed_less(steps: list[dict[str, Any]]) -> None:
    peers = _peers(steps)
    fewer = {(row.service, row.moment): row for row in of(*steps[:-1], peers=peers)}
    more = {(row.service, row.moment): row for row in of(*steps, peers=peers)}
    for key, row in fewer.items():
        now = more[key]
        assert now.notice.rank >= row.notice.rank
        assert now.at_least >= row.at_least
        if now.notice is row.notice and row.lasts and now.lasts:
            assert now.lasts.p50 >= row.lasts.p50
            assert now.lasts.p90 >= row.lasts.p90
