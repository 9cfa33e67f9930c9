"""The dependency graph: who hangs on whom, by which property, and how far it goes."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.plan import previews as p
from tollgate.plan.graph import Graph, graph_of
from tollgate.plan.read import read_plan
from tollgate.plan.state import read_state
from tollgate.plan.ties import TieKind


def urn(name: str) -> str:
    return p.urn(p.RDS, name)


def state(**resources: dict[str, Any]) -> str:
    entries = [{"urn": urn(name), "type": p.RDS, "custom": True} | more for name, more in resources.items()]
    return json.dumps({"version": 3, "deployment": {"resources": entries}})


def graph(**resources: dict[str, Any]) -> Graph:
    return graph_of(read_plan(p.digest()), read_state(state(**resources)))


def uses(*names: str, by: str = "kmsKeyId") -> dict[str, Any]:
    urns = [urn(name) for name in names]
    return {"dependencies": urns, "propertyDependencies": {by: urns, "engine": []}}


def test_the_property_that_makes_a_tie_is_told() -> None:
    found = graph(key={}, ledger=uses("key"))
    (hop,) = found.used_by(urn("key"))
    assert (hop.user, hop.tie.kind, hop.tie.input) == (urn("ledger"), TieKind.PROPERTY, "kmsKeyId")
    assert [tie.urn for tie in found.needs[urn("ledger")]] == [urn("key")]


def test_every_kind_of_tie_is_read() -> None:
    ties = {
        "parent": urn("a"),
        "provider": f"{urn('b')}::an-id",
        "deletedWith": urn("c"),
        "replaceWith": [urn("d")],
        "dependencies": [urn("e")],
    }
    found = graph(x=ties).needs[urn("x")]
    assert {(tie.kind, tie.urn[-1]) for tie in found} == {
        (TieKind.PARENT, "a"),
        (TieKind.PROVIDER, "b"),
        (TieKind.DELETED_WITH, "c"),
        (TieKind.REPLACED_WITH, "d"),
        (TieKind.ORDER, "e"),
    }


def test_what_hangs_on_a_resource_is_found_through_others_by_the_shortest_way() -> None:
    found = graph(key={}, ledger=uses("key"), api=uses("ledger", by="address"), report=uses("api", "key", by="x"))
    reach = found.reach([urn("key")])
    assert {each[-3:] for each in reach.paths} == {"ger", "api", "ort"}
    assert [hop.user for hop in reach.paths[urn("api")]] == [urn("ledger"), urn("api")]
    assert len(reach.paths[urn("report")]) == 1
    assert not reach.cut


def test_an_order_of_making_is_no_use() -> None:
    assert not graph(a={}, b={"dependencies": [urn("a")]}).reach([urn("a")]).paths


def test_a_long_answer_is_cut_and_says_so() -> None:
    chain = {f"r{n:03}": uses(f"r{n - 1:03}") if n else {} for n in range(100)}
    found = graph(**chain)
    assert found.reach([urn("r000")], hops=5).cut
    assert len(found.reach([urn("r000")], most=7, hops=99).paths) == 7
    assert len(found.reach([urn("r000")], hops=99).paths) == 99


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=30), st.data())
def test_circles_end_and_the_order_of_the_state_does_not_matter(
    pairs: list[tuple[int, int]], data: st.DataObject
) -> None:
    needs: dict[str, list[str]] = {f"r{n}": [] for n in range(9)}
    for one, other in pairs:
        needs[f"r{one}"].append(f"r{other}")
    shuffled = data.draw(st.permutations(sorted(needs)))
    one = graph(**{name: uses(*needs[name]) for name in needs})
    other = graph(**{name: uses(*needs[name]) for name in shuffled})
    assert one.reach([urn("r0")]) == other.reach([urn("r0")])
    for path in one.reach([urn("r0")]).paths.values():
        assert path[0].tie.urn == urn("r0")
        assert all(before.user == after.tie.urn for before, after in pairwise(path))


def test_without_a_state_a_digest_shows_the_ties_of_what_changes() -> None:
    step = p.step(
        "update",
        name="ledger",
        old={"a": 1},
        new={"a": 2},
        diff={"a": "update"},
        old_propertyDependencies={"a": [urn("key")]},
    )
    found = graph_of(read_plan(p.digest(step)), None)
    assert [hop.user for hop in found.used_by(urn("key"))] == [urn("ledger")]
