"""How long a change takes: the book, the longest chain, recorded runs, and what must always hold."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.assess.lines import step_for
from tests.assess.test_books import _checkable, installed
from tests.assess.test_effects_book import _inputs_of_stacks, _step
from tests.plan import previews as p
from tollgate.assess.changed import changed
from tollgate.assess.duration import duration
from tollgate.assess.impact import Duration, RecordedRun
from tollgate.assess.lookup import Index
from tollgate.books.duration_book import DurationLine, duration_book
from tollgate.books.line_files import ambiguous
from tollgate.books.lines import Operation
from tollgate.books.match import matches
from tollgate.plan.read import read_plan

_BOOK = duration_book()
_INDEX = Index(_BOOK)
NAT = "aws:ec2/natGateway:NatGateway"
VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"
UNHEARD = "acme:index/ledger:Ledger"


def seconds(line: str) -> tuple[float, float]:
    return next(each.seconds for each in _BOOK.lines if each.id == line)


def of(*steps: dict[str, Any], **more: Any) -> Duration:
    return duration(read_plan(p.digest(*steps)), **more)


def made(kind: str, name: str, *needs: str) -> dict[str, Any]:
    return p.step("create", kind, name, new={}, new_dependencies=list(needs))


def gone(kind: str, name: str, *needs: str) -> dict[str, Any]:
    return p.step("delete", kind, name, old={}, old_dependencies=list(needs))


def test_no_two_lines_contradict_each_other() -> None:
    assert [str(problem) for problem in ambiguous(_BOOK.lines)] == []


@pytest.mark.parametrize("line", _BOOK.lines, ids=lambda line: line.id)
def test_the_line_speaks(line: DurationLine) -> None:
    for op in line.ops:
        step = step_for(line, op)
        changes = [*changed(step)] if op is Operation.UPDATE else [None]
        found = [_INDEX.find(step, op, change) for change in changes]
        assert any(each.sure and each.lines[-1].id == line.id for each in found), found


@pytest.mark.parametrize("token", sorted({t for line in _BOOK.lines for t in line.types if _checkable(t)}))
def test_the_type_exists(token: str) -> None:
    assert any(matches(known, [token]) for known in installed()), token


def test_every_type_of_our_stacks_has_its_durations() -> None:
    missing = []
    for token, shapes in _inputs_of_stacks().items():
        for op in (Operation.CREATE, Operation.DELETE):
            missing += [f"{token} {op}" for inputs in shapes if not _INDEX.find(_step(token, inputs), op).lines]
        missing += (
            [] if any(line.path == "*" for line, _ in _INDEX.of(token, Operation.UPDATE)) else [f"{token} update"]
        )
    assert missing == []


def test_one_step_takes_what_the_book_says_and_names_its_line() -> None:
    found = of(made(NAT, "one"))
    assert (found.total.p50, found.total.p90) == seconds("time-nat")
    assert [(step.urn, step.source.id if step.source else "") for step in found.critical] == [
        (p.urn(NAT, "one"), "time-nat")
    ]
    assert not found.at_least


def test_what_depends_on_another_waits_for_it_and_what_does_not_goes_beside_it() -> None:
    chain = of(made(VPC, "net"), made(SUBNET, "a", p.urn(VPC, "net")), made(NAT, "out", p.urn(SUBNET, "a")))
    p50 = sum(seconds(line)[0] for line in ("time-vpc", "time-subnet", "time-nat"))
    assert chain.total.p50 == p50
    assert [step.urn.rpartition("::")[2] for step in chain.critical] == ["net", "a", "out"]
    beside = of(made(VPC, "net"), made(SUBNET, "a"), made(NAT, "out"))
    assert beside.total.p50 == seconds("time-nat")[0]
    assert beside.total.p90 < chain.total.p90


def test_deletions_run_backwards_and_at_the_end() -> None:
    both = of(gone(VPC, "net"), gone(NAT, "out", p.urn(VPC, "net")), made(SUBNET, "b"))
    assert [(step.op, step.urn.rpartition("::")[2]) for step in both.critical] == [
        (Operation.CREATE, "b"),
        (Operation.DELETE, "out"),
        (Operation.DELETE, "net"),
    ]
    assert both.total.p50 == seconds("time-subnet")[0] + seconds("time-nat-delete")[0] + seconds("time-net-delete")[0]


def test_a_replacement_is_a_creation_and_a_deletion() -> None:
    replaced = p.step("replace", NAT, old={}, new={}, diff={"subnetId": "update-replace"}, old_delete=True)
    assert of(replaced).total.p50 == seconds("time-nat")[0] + seconds("time-nat-delete")[0]


def test_what_is_retained_is_not_deleted_and_takes_no_time_for_it() -> None:
    kept: dict[str, Any] = {"old": {}, "old_retainOnDelete": True}
    assert of(p.step("delete", NAT, **kept)).total.p50 == 0
    replaced = p.step("replace", NAT, **kept, new={}, diff={"subnetId": "update-replace"})
    assert of(replaced).total.p50 == seconds("time-nat")[0]


def test_what_goes_with_another_takes_no_time_of_its_own() -> None:
    network = p.step("delete", VPC, "net", old={})
    alone, with_it = (
        p.step("delete", NAT, "out", old={}, **more) for more in ({}, {"old_deletedWith": p.urn(VPC, "net")})
    )
    assert of(network, alone).total.p50 > of(network, with_it).total.p50 == seconds("time-net-delete")[0]
    assert of(with_it).total.p50 == of(alone).total.p50


def test_more_than_the_engine_does_at_once_takes_longer() -> None:
    many = [made(NAT, f"out-{n}") for n in range(16)]
    assert of(*many, parallel=16).total.p50 == seconds("time-nat")[0]
    few = of(*many, parallel=4).total
    usual, slow = seconds("time-nat")
    assert (few.p50, few.p90) == (pytest.approx(4 * usual), pytest.approx(slow + 15 * slow / 4))
    assert of(*many).parallel == int(_BOOK.numbers["parallel"].value)


def test_an_unheard_of_type_is_counted_and_makes_it_at_least() -> None:
    found = of(made(NAT, "out"), made(UNHEARD, "ledger"))
    assert found.at_least
    assert [unknown.sentence for unknown in found.unknown] == [
        "The ledger ledger: how long its creation takes is not known."
    ]
    assert found.total.p50 == seconds("time-nat")[0]


def test_an_update_takes_as_long_as_its_longest_property() -> None:
    old, new = {"instanceClass": "a", "tags": {}}, {"instanceClass": "b", "tags": {"x": "y"}, "applyImmediately": True}
    diff = dict.fromkeys(("instanceClass", "tags.x"), "update")
    now = of(p.step("update", old=old, new=new, diff=diff))
    later = of(p.step("update", old=old, new=new | {"applyImmediately": False}, diff=diff))
    assert now.total.p50 == seconds("time-rds-class-now/instanceClass")[0]
    assert later.total.p50 == seconds("time-rds-class-later/instanceClass")[0]


def test_one_property_of_unknown_length_makes_it_unknown() -> None:
    diff = dict.fromkeys(("tags.x", "size"), "update")
    strange = p.step(
        "update", "aws:new/thing:Thing", old={"size": 1, "tags": {}}, new={"size": 2, "tags": {"x": "y"}}, diff=diff
    )
    assert of(strange).at_least


def test_a_cycle_is_counted_one_after_the_other() -> None:
    one, other = p.urn(VPC, "one"), p.urn(VPC, "other")
    assert of(made(VPC, "one", other), made(VPC, "other", one)).total.p50 == 2 * seconds("time-vpc")[0]


def test_components_and_what_stays_take_no_time() -> None:
    part = p.step("create", "tollgate:data:Database", new={}, new_custom=False)
    assert of(part, p.step("same", old={}, new={}, old_protect=True)).total.p90 == 0


def runs(count: int, took: float, kind: str = NAT) -> list[RecordedRun]:
    return [RecordedRun(type=kind, op=Operation.CREATE, seconds=took)] * count


def test_recorded_runs_draw_the_book_towards_themselves() -> None:
    book = seconds("time-nat")[0]
    few, many = (of(made(NAT, "out"), runs=runs(count, 10 * book)).total for count in (1, 500))
    assert book < few.p50 < many.p50 < 10 * book
    assert many.p50 == pytest.approx(10 * book, rel=0.05)
    assert of(made(NAT, "out"), runs=runs(3, book)).recorded == 3


def test_runs_of_others_change_nothing() -> None:
    assert of(made(NAT, "out"), runs=runs(50, 9999, VPC)).total == of(made(NAT, "out")).total


def test_enough_runs_make_a_type_known() -> None:
    least = int(_BOOK.numbers["least_runs"].value)
    few = of(made(UNHEARD, "ledger"), runs=runs(least - 1, 30, UNHEARD))
    enough = of(made(UNHEARD, "ledger"), runs=runs(least, 30, UNHEARD))
    assert (few.at_least, enough.at_least) == (True, False)
    assert enough.total.p50 == pytest.approx(30)


_KINDS = st.sampled_from([VPC, SUBNET, NAT, UNHEARD, "aws:rds/instance:Instance"])
_OPS = st.sampled_from(["create", "delete", "update", "replace"])


@st.composite
def plans(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Steps that depend on each other in any way, cycles and all."""
    names = [f"r{n}" for n in range(draw(st.integers(1, 8)))]
    kinds = {name: draw(_KINDS) for name in names}
    steps = []
    for name in names:
        needs = [p.urn(kinds[other], other) for other in draw(st.lists(st.sampled_from(names), max_size=3))]
        op = draw(_OPS)
        old = {"size": 1} if op != "create" else None
        new = {"size": 2} if op != "delete" else None
        steps.append(
            p.step(
                op,
                kinds[name],
                name,
                old=old,
                new=new,
                diff={"size": "update"} if old and new else None,
                old_dependencies=needs,
                new_dependencies=needs,
                old_delete=draw(st.booleans()),
            )
        )
    return steps


@settings(max_examples=80)
@given(steps=plans(), data=st.data())
def test_order_does_not_matter(steps: list[dict[str, Any]], data: st.DataObject) -> None:
    assert of(*steps) == of(*data.draw(st.permutations(steps)))


@settings(max_examples=80)
@given(steps=plans(), parallel=st.integers(1, 9))
def test_a_step_more_never_shortens_it(steps: list[dict[str, Any]], parallel: int) -> None:
    fewer, more = of(*steps[:-1], parallel=parallel), of(*steps, parallel=parallel)
    assert more.total.p50 >= fewer.total.p50 - 1e-9
    assert more.total.p90 >= fewer.total.p90 - 1e-9
    assert more.at_least >= fewer.at_least


@settings(max_examples=40)
@given(steps=plans())
def test_more_hands_never_make_it_longer_and_never_shorter_than_the_chain(steps: list[dict[str, Any]]) -> None:
    alone, few, many = (of(*steps, parallel=count).total for count in (1, 4, 1000))
    assert alone.p50 >= few.p50 >= many.p50
    assert alone.p90 + 1e-9 >= few.p90 >= many.p90
    assert all(math.isfinite(span.p90) and span.p50 <= span.p90 for span in (alone, few, many))


@settings(max_examples=40)
@given(took=st.lists(st.floats(0.01, 1e5), min_size=1, max_size=20))
def test_recorded_runs_never_lead_out_of_what_was_seen(took: list[float]) -> None:
    past = [RecordedRun(type=NAT, op=Operation.CREATE, seconds=each) for each in took]
    span = of(made(NAT, "out"), runs=past).total
    book = seconds("time-nat")
    assert min(*took, book[0]) * 0.999 <= span.p50 <= max(*took, book[0]) * 1.001
    assert span.p50 <= span.p90


def test_the_book_is_plain_json_ready() -> None:
    assert json.loads(of(made(NAT, "out")).model_dump_json())["total"]["p50"] == seconds("time-nat")[0]
