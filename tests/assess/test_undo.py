"""The way back: what each operation takes to undo, in which order, and what a rehearsal of it shows."""

# ruff: noqa: E501  (tables are read by column)
from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.assess.steps import DEPLOYMENT, plan, step
from tests.plan.previews import RDS, UNKNOWN, urn
from tollgate.assess.backups import Backup, BackupRegister, unproven
from tollgate.assess.consequences import Tried, Undo, UndoProof, WayBack
from tollgate.assess.impact import Span
from tollgate.assess.proof import prove, refuted
from tollgate.assess.undo import undo
from tollgate.plan.model import Op, Plan, Step
from tollgate.plan.order import in_order
from tollgate.plan.ties import Tie, TieKind

TODAY = date(2026, 11, 27)
DATABASE = "payments-staging-clearing-instance"
TESTED = Backup(
    names=("payments-*-instance",), types=(RDS,), reference="snapshot nightly-7", restored_on=date(2026, 11, 1),
    restored_by="ben", minutes=30,
)  # fmt: skip
NO_BACKUPS = BackupRegister(restore_test_days=90)
BACKUPS = BackupRegister(restore_test_days=90, backups=(TESTED,))


def of(*steps: Step, backups: BackupRegister = NO_BACKUPS, **more: Any) -> Undo:
    defaults: dict[str, Any] = {"reversibility": {}, "seconds": {}, "owners": {}}
    return undo(plan(*steps), **defaults | more, backups=backups, today=TODAY)


CASES: list[tuple[str, Step, WayBack]] = [
    ("made", step(Op.CREATE), WayBack.REVERSIBLE),
    ("taken over", step(Op.IMPORT), WayBack.REVERSIBLE),
    ("guards", step(Op.SAME, protect_before=True), WayBack.REVERSIBLE),
    ("workload deleted", step(Op.DELETE, "d", "aws:cloudwatch/metricAlarm:MetricAlarm"), WayBack.REVERSIBLE),
    ("data deleted", step(Op.DELETE), WayBack.WITH_LOSS),
    ("a folder of things deleted", step(Op.DELETE, "ns", "kubernetes:core/v1:Namespace"), WayBack.WITH_LOSS),
    ("data deleted, but kept", step(Op.DELETE, retain_on_delete=True), WayBack.REVERSIBLE),
    ("a type nobody knows deleted", step(Op.DELETE, "x", "strange:index/thing:Thing"), WayBack.WITH_LOSS),
    ("data replaced", step(Op.REPLACE, changes={"dbName": True}), WayBack.WITH_LOSS),
    ("data replaced, the old kept", step(Op.REPLACE, changes={"dbName": True}, retain_on_delete=True), WayBack.WITH_LOSS),
    ("alarm replaced", step(Op.REPLACE, "a", "aws:cloudwatch/metricAlarm:MetricAlarm", changes={"name": True}), WayBack.REVERSIBLE),
    ("updated, and the book knows nothing", step(Op.UPDATE, changes={"a": False}), WayBack.UNKNOWN),
    ("an operation that we do not know", step(Op.UNRECOGNISED), WayBack.UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(("what", "one", "expected"), CASES, ids=[case[0] for case in CASES])
def test_way_back(what: str, one: Step, expected: WayBack) -> None:
    found = of(one)
    assert found.way_back is expected
    assert [part.urn for part in found.steps] == [one.urn]
    assert bool(found.no_return) is (expected.rank > WayBack.UNKNOWN.rank)


@pytest.mark.parametrize("way_back", WayBack)
def test_the_book_decides_for_an_update(way_back: WayBack) -> None:
    one = step(Op.UPDATE, changes={"engineVersion": False})
    assert of(one, reversibility={one.urn: way_back}).way_back is way_back


SHOWN = [
    # what the book says, what the rehearsal says of this part → what is said of this part, and of the whole
    (WayBack.REVERSIBLE, True, Tried.CONFIRMED, True),
    (WayBack.UNKNOWN, True, Tried.CONFIRMED, True),
    (WayBack.WITH_LOSS, True, Tried.SETTINGS, True),
    (WayBack.ONE_WAY, True, Tried.REFUTED, False),  # a stand-in makes any disk smaller again, a real cloud none
    (WayBack.NONE, True, Tried.REFUTED, False),
    *((way_back, False, Tried.REFUTED, False) for way_back in WayBack),
]


@pytest.mark.parametrize(("way_back", "put_back", "tried", "whole"), SHOWN)
def test_each_part_says_whether_the_rehearsal_confirms_it(
    way_back: WayBack, put_back: bool, tried: Tried, whole: bool
) -> None:
    one = step(Op.UPDATE, changes={"engineVersion": False})
    proof = UndoProof(
        confirmed=put_back, refuted=() if put_back else (one.urn,), differences=() if put_back else ("It stays.",)
    )
    found = of(one, reversibility={one.urn: way_back}, proof=proof)
    assert [part.tried for part in found.steps] == [tried]
    assert found.proof is not None
    assert (found.proof.confirmed, bool(found.proof.differences)) == (whole, not whole)


def test_a_way_back_that_nobody_could_rehearse_says_nothing_of_its_parts() -> None:
    one = step(Op.UPDATE, changes={"engineVersion": False})
    for proof in (None, refuted("The engine refused.")):
        found = of(one, reversibility={one.urn: WayBack.NONE}, proof=proof)
        assert [part.tried for part in found.steps] == [Tried.NOT]
        assert found.proof == proof


def test_the_way_back_goes_the_other_way_round_and_names_owner_and_time() -> None:
    network = step(Op.CREATE, "network", "aws:ec2/vpc:Vpc")
    database = step(Op.CREATE, ties=(Tie(TieKind.PROPERTY, network.urn, "vpcId"),))
    seconds = {database.urn: Span(p50=60, p90=120)}
    found = of(database, network, owners={network.urn: "platform"}, seconds=seconds)
    assert [part.urn for part in found.steps] == [database.urn, network.urn]
    assert [part.owner for part in found.steps] == ["", "platform"]
    assert [part.seconds for part in found.steps] == [Span(p50=60, p90=120), None]


ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
NAMESPACE = "kubernetes:core/v1:Namespace"
ADDRESS = "aws:ec2/eip:Eip"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
HELD = "Its protection has to come off first"
STAYS = "until somebody deletes it"


@pytest.mark.parametrize(
    ("one", "said", "not_said"),
    [
        (step(Op.CREATE), "goes with it", STAYS),
        (step(Op.CREATE, "alarm", ALARM), "is deleted again.", "goes with it"),
        (step(Op.DELETE, "rabbit", NAMESPACE), "what was in it is gone", "is made again."),
        (
            step(Op.REPLACE, "alarm", ALARM, retain_on_delete=True),
            "still stands and is imported again.",
            "replaced again",
        ),
        (step(Op.REPLACE, "rabbit", NAMESPACE), "what was in the old one is gone", "like the old one"),
        (step(Op.DELETE, "door", ADDRESS), "may be another one", "is gone"),
        (step(Op.DELETE, "cache", CACHE), "held for a time does not come back", "is gone"),
        (step(Op.CREATE, retain_after=True), STAYS, "deleted again"),
        (step(Op.CREATE, protect_after=True), HELD, STAYS),
        (step(Op.REPLACE, protect_before=True, protect_after=True), HELD, STAYS),
        (step(Op.REPLACE, protect_after=True), "is made again", HELD),  # the old definition takes it off by itself
        (step(Op.UPDATE, protect_after=True), "is set back", HELD),
        (step(Op.IMPORT), "else the engine deletes it", HELD),
    ],
)
def test_what_the_engine_would_refuse_or_leave_behind_on_the_way_back_is_said(
    one: Step, said: str, not_said: str
) -> None:
    (part,) = of(one).steps
    assert said in part.sentence
    assert not_said not in part.sentence


def test_nobody_knows_how_long_it_takes_to_set_back_what_cannot_be_set_back() -> None:
    one = step(Op.UPDATE)
    seconds = {one.urn: Span(p50=60, p90=120)}
    assert of(one, seconds=seconds, reversibility={one.urn: WayBack.ONE_WAY}).steps[0].seconds == seconds[one.urn]
    assert of(one, seconds=seconds, reversibility={one.urn: WayBack.NONE}).steps[0].seconds is None


def test_the_point_of_no_return_is_the_first_part_that_loses_something() -> None:
    first = step(Op.CREATE, "a")
    second = step(Op.REPLACE, "b", changes={"dbName": True}, ties=(Tie(TieKind.PROPERTY, first.urn, "a"),))
    third = step(Op.DELETE, "c")
    assert "(b)" in of(third, second, first).no_return or " b " in of(third, second, first).no_return


def test_a_tested_backup_is_part_of_the_way_back_and_an_old_or_missing_one_is_a_finding() -> None:
    gone = step(Op.DELETE)
    seconds = {gone.urn: Span(p50=600, p90=900)}
    found = of(gone, backups=BACKUPS, seconds=seconds)
    assert found.steps[0].backup == "snapshot nightly-7"
    assert (found.steps[0].seconds, found.steps[0].restore_seconds) == (Span(p50=600, p90=900), 1800)
    assert list(unproven([gone], BACKUPS, TODAY)) == []
    last_good_day, day_after = date(2027, 1, 30), date(2027, 1, 31)
    assert list(unproven([gone], BACKUPS, last_good_day)) == []
    (old,) = unproven([gone], BACKUPS, day_after)
    assert "2026-11-01" in old.sentence
    (missing,) = unproven([gone], NO_BACKUPS, TODAY)
    assert "no backup" in missing.sentence
    assert of(gone, seconds=seconds).steps[0].backup == ""
    harmless = [step(Op.DELETE, retain_on_delete=True), step(Op.UPDATE), step(Op.DELETE, "d", DEPLOYMENT)]
    assert list(unproven(harmless, NO_BACKUPS, TODAY)) == []


def test_two_backups_for_one_thing_are_refused() -> None:
    with pytest.raises(ValidationError, match="two backups claim"):
        BackupRegister(restore_test_days=90, backups=(TESTED, TESTED))


NAMES = "abcdef"
EDGES = st.dictionaries(st.sampled_from(NAMES), st.sets(st.sampled_from(NAMES), max_size=3), max_size=6)


@given(EDGES, st.sets(st.sampled_from(NAMES)), st.randoms())
def test_what_is_needed_comes_first_and_deletions_go_the_other_way(
    edges: dict[str, set[str]], deleted: set[str], rng: Any
) -> None:
    needs = {name: {need for need in edges.get(name, ()) if need < name} for name in NAMES}  # no circle
    steps = [
        step(
            Op.DELETE if name in deleted else Op.CREATE,
            name,
            ties=tuple(Tie(TieKind.ORDER, urn(RDS, need)) for need in sorted(needs[name])),
        )
        for name in NAMES
    ]
    ordered = [one.name for one in in_order(plan(*rng.sample(steps, len(steps))))]
    assert ordered == [one.name for one in in_order(plan(*steps))]
    assert sorted(ordered) == sorted(NAMES)
    assert [name in deleted for name in ordered] == sorted(name in deleted for name in ordered)
    for name, needed in needs.items():
        for need in needed:
            if (name in deleted) is (need in deleted):
                first, second = (name, need) if name in deleted else (need, name)
                assert ordered.index(first) < ordered.index(second)


def test_a_circle_loses_nothing() -> None:
    steps = [step(Op.CREATE, a, ties=(Tie(TieKind.ORDER, urn(RDS, b)),)) for a, b in ("ab", "ba", "ca")]
    assert [one.name for one in in_order(plan(*steps))] == ["a", "b", "c"]


def changed(before: Any, after: Any, **fields: Any) -> Step:
    return step(Op.UPDATE, old={"size": before}, new={"size": after}, changes={"size": False}, **fields)


def _group(name: str) -> Step:
    return step(Op.REPLACE, "settings", changes={"family": True}, old={"name": "a"}, new={"name": name})


_NAMES_IT = (Tie(TieKind.PROPERTY, _group("b").urn, "size"),)
PROOFS: list[tuple[str, Plan, Plan, str]] = [
    ("set back", plan(changed(1, 2)), plan(changed(2, 1)), ""),
    ("made and deleted", plan(step(Op.CREATE, new={"a": UNKNOWN})), plan(step(Op.DELETE, old={"a": 1})), ""),
    ("a value that is not shown", plan(changed(1, "[secret]")), plan(changed("[secret]", 1)), ""),
    ("not touched", plan(changed(1, 2)), plan(), "would not be put back"),
    ("something else as well", plan(), plan(changed(1, 2)), "Going back would also update"),
    ("another value", plan(changed(1, 2)), plan(changed(2, 3)), "would not get its old value back"),
    ("another property", plan(changed(1, 2)), plan(step(Op.UPDATE, old={"b": 1}, new={"b": 2}, changes={"b": False})), "on one way only"),
    ("another name of what is made anew both times", plan(changed(1, 2, ties_after=_NAMES_IT), _group("b")), plan(changed(2, 3), _group("c")), ""),
    ("another name of what stays", plan(changed(1, 2, ties_after=_NAMES_IT)), plan(changed(2, 3)), "would not get its old value back"),
    ("replaced on the way back", plan(changed(1, 2)), plan(step(Op.REPLACE, changes={"size": True})), "does not take the change back"),
    ("kept, and made anew", plan(step(Op.DELETE, retain_on_delete=True, old={})), plan(step(Op.CREATE, new={})), "import the old one"),
    ("kept beside the new one", plan(step(Op.REPLACE, retain_on_delete=True)), plan(step(Op.REPLACE)), "import the old one"),
    ("replaced again", plan(step(Op.REPLACE)), plan(step(Op.REPLACE)), ""),
]  # fmt: skip


@pytest.mark.parametrize(("what", "forward", "backward", "expected"), PROOFS, ids=[proof[0] for proof in PROOFS])
def test_proof(what: str, forward: Plan, backward: Plan, expected: str) -> None:
    found = prove(forward, backward)
    assert found.confirmed is not bool(expected)
    assert expected in " ".join(found.differences)


def test_many_differences_are_counted() -> None:
    found = prove(plan(), plan(*(step(Op.CREATE, f"n{number}") for number in range(25))))
    assert len(found.differences) == 21
    assert found.differences[-1] == "And 5 more."
