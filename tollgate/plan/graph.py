"""The dependency graph of a stack: who hangs on whom, and by which property. Bounded, and explained by path."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tollgate.plan.model import Plan
from tollgate.plan.state import State
from tollgate.plan.ties import Tie, TieKind

# All but the parent, which only says where a thing stands in the program, and the order of making.
USES = frozenset({TieKind.PROPERTY, TieKind.DELETED_WITH, TieKind.REPLACED_WITH, TieKind.PROVIDER})
MOST_REACHED = 1000  # resources that one question may bring; our choice: nobody reads more


class Hop(NamedTuple):
    """One step of a path: ``user`` hangs on ``tie.urn``."""

    user: str
    tie: Tie


class Reach(NamedTuple):
    """Everything that hangs on some resources, nearest first, each with the shortest path that leads to it.

    cut: there was more than was asked for.
    """

    paths: Mapping[str, tuple[Hop, ...]]
    cut: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """Both directions by URN. Circles and ties to what is not there do no harm."""

    needs: Mapping[str, tuple[Tie, ...]] = field(default_factory=dict)
    users: Mapping[str, tuple[Hop, ...]] = field(default_factory=dict)

    def used_by(self, urn: str, kinds: Collection[TieKind] = USES) -> tuple[Hop, ...]:
        """Who hangs on a resource directly, in a stable order."""
        return tuple(hop for hop in self.users.get(urn, ()) if hop.tie.kind in kinds)

    def reach(
        self, start: Iterable[str], *, kinds: Collection[TieKind] = USES, hops: int = 20, most: int = MOST_REACHED
    ) -> Reach:
        """All that hangs on these resources, directly or through others."""
        paths: dict[str, tuple[Hop, ...]] = dict.fromkeys(sorted(start), ())
        sources = set(paths)
        edge = list(paths)
        for _ in range(hops):
            following = []
            for urn in edge:
                for hop in self.used_by(urn, kinds):
                    if hop.user in paths:
                        continue
                    if len(paths) - len(sources) >= most:
                        return Reach(_without(paths, sources), cut=True)
                    paths[hop.user] = (*paths[urn], hop)
                    following.append(hop.user)
            edge = following
            if not edge:
                break
        return Reach(_without(paths, sources), cut=bool(edge))


def _without(paths: dict[str, tuple[Hop, ...]], sources: set[str]) -> dict[str, tuple[Hop, ...]]:
    return {urn: path for urn, path in paths.items() if urn not in sources}


def graph_of(plan: Plan, state: State | None) -> Graph:
    """The graph before the change: from the state, or without one from what the plan itself shows of it."""
    if state is not None:
        return _graph((resource.urn, resource.ties) for resource in state.resources)
    return _graph((step.urn_before, step.ties) for step in plan.steps if step.old is not None)


def _graph(resources: Iterable[tuple[str, tuple[Tie, ...]]]) -> Graph:
    needs = {urn: ties for urn, ties in resources if ties}
    users: dict[str, list[Hop]] = {}
    for urn in sorted(needs):
        for tie in needs[urn]:
            users.setdefault(tie.urn, []).append(Hop(urn, tie))
    return Graph(needs, {urn: tuple(hops) for urn, hops in users.items()})
