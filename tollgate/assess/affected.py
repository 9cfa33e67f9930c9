"""Who is affected: from a changed resource to the services it serves, by ownership and by what hangs on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tollgate.assess.consequences import Affected, Reached, Through
from tollgate.assess.register import ServiceRegister
from tollgate.plan.graph import Graph
from tollgate.plan.model import Op, Plan, Step
from tollgate.plan.state import State
from tollgate.plan.ties import Tie, TieKind
from tollgate.plan.urn import split_urn

# Our choice: a database behind a subnet group behind a subnet behind a network is four. Further out everything
# hangs on everything, and a list of everything tells a reader nothing.
MOST_HOPS = 4
# A connection to a cloud ties all to all; what a change of it does is told resource by resource.
_LEADS_ON = frozenset({TieKind.PROPERTY, TieKind.DELETED_WITH, TieKind.REPLACED_WITH})
_QUIET = (Op.READ, Op.REFRESH)


def affected(plan: Plan, graph: Graph, register: ServiceRegister) -> Affected:
    """Every service that a changed resource serves, each with the shortest way to it.

    A component is no resource of its own: what is in it tells. Bounded to MOST_HOPS.
    """
    reached: set[Reached] = set()
    unmapped: set[str] = set()
    for step in plan.steps:
        if not step.custom or step.op in _QUIET:
            continue
        found = list(_reached(step, graph, register))
        reached.update(found)
        if not found:
            unmapped.add(step.urn)
    return Affected(
        reached=tuple(sorted(reached, key=lambda found: (found.urn, len(found.way), found.service))),
        unmapped=tuple(sorted(unmapped)),
        titles={name: service.title for name, service in register.services.items()},
    )


def services_here(plan: Plan, state: State | None, register: ServiceRegister) -> frozenset[str]:
    """The services that own something in this stack, before or after the change; all of them when there is no state."""
    if state is None:
        return frozenset(register.services)
    before = ((resource.urn, _parent_in(resource.ties)) for resource in state.resources)
    after = ((step.urn, step.parent) for step in plan.steps)
    found = {register.owner(_names(urn, parent)) for urn, parent in (*before, *after)}
    return frozenset(service for service in found if service)


def _reached(step: Step, graph: Graph, register: ServiceRegister) -> Iterator[Reached]:
    """The graph gives the nearest first, so that the first way found to a service is a shortest one."""
    own = register.owner(_names(step.urn, step.parent))
    served = {own}
    if own is not None:
        yield Reached(urn=step.urn, service=own)
    for urn, path in graph.reach([step.urn_before or step.urn], kinds=_LEADS_ON, hops=MOST_HOPS).paths.items():
        service = register.owner(_names(urn, _parent(urn, graph)))
        if service is None or service in served:
            continue
        served.add(service)
        way = tuple(Through(urn=hop.user, property=hop.tie.input or hop.tie.kind.value) for hop in path)
        yield Reached(urn=step.urn, service=service, way=way)


def _parent(urn: str, graph: Graph) -> str:
    return _parent_in(graph.needs.get(urn, ()))


def _parent_in(ties: Iterable[Tie]) -> str:
    return next((tie.urn for tie in ties if tie.kind is TieKind.PARENT), "")


def _names(urn: str, parent: str) -> tuple[str, ...]:
    """The names that tell whose a resource is: that of the component that holds it, then its own."""
    parts = [split_urn(address) for address in (parent, urn) if address]
    return tuple(part.name for part in parts if part is not None)
