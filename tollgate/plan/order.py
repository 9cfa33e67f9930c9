"""The order in which the engine does a plan, as far as its dependencies tell."""

from __future__ import annotations

import heapq

from tollgate.plan.model import Op, Plan, Step


def in_order(plan: Plan) -> list[Step]:
    """What is needed comes before what needs it; deletions come last, and among them the other way round.

    Where nothing decides, the URN does: the order in which a plan was written does not matter. What needs itself in a
    circle comes after everything else.
    """
    rising = _by_need([step for step in plan.steps if step.op is not Op.DELETE])
    falling = _by_need([step for step in plan.steps if step.op is Op.DELETE])
    return [*rising, *reversed(falling)]


def _by_need(steps: list[Step]) -> list[Step]:
    by_urn: dict[str, list[Step]] = {}
    for step in sorted(steps, key=lambda step: (step.urn, step.raw_op)):
        by_urn.setdefault(step.urn, []).append(step)
    needs = {urn: {n for s in same for n in s.needs if n in by_urn and n != urn} for urn, same in by_urn.items()}
    needed_by: dict[str, list[str]] = {urn: [] for urn in by_urn}
    for urn, wanted in needs.items():
        for need in wanted:
            needed_by[need].append(urn)
    ready = [urn for urn, wanted in needs.items() if not wanted]
    heapq.heapify(ready)
    ordered: list[str] = []
    while ready:
        urn = heapq.heappop(ready)
        ordered.append(urn)
        for dependent in needed_by[urn]:
            needs[dependent].discard(urn)
            if not needs[dependent]:
                heapq.heappush(ready, dependent)
    ordered += sorted(by_urn.keys() - set(ordered))
    return [step for urn in ordered for step in by_urn[urn]]
