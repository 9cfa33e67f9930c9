"""Plan and state together: what neither tells alone."""

from __future__ import annotations

from tollgate.plan.connections import moved_defaults
from tollgate.plan.model import Op, Plan, Step
from tollgate.plan.state import State, StateResource
from tollgate.plan.urn import split_urn


def with_state(plan: Plan, state: State) -> Plan:
    """The plan with the guards and ties that only the state knows, and the steps that the engine does not show.

    What the engine went through and the state does not hold makes the plan one of another state: it is marked.
    """
    known = {resource.urn: resource for resource in state.resources if not resource.leftover}
    made = {step.urn for step in plan.steps if step.op in (Op.CREATE, Op.IMPORT)}
    went_through = {step.urn_before for step in plan.steps if _must_be_known(step)} | (plan.seen or frozenset())
    strangers = sorted(went_through - known.keys() - made)
    steps = tuple(_enriched(step, known[step.urn_before]) if step.urn_before in known else step for step in plan.steps)
    told: tuple[str, ...] = ()
    if strangers:
        names = ", ".join(parts.name for urn in strangers[:3] if (parts := split_urn(urn)))
        told = (f"The state does not hold {len(strangers)} of the resources that the plan goes through ({names}).",)
    hidden = tuple(moved_defaults(plan.config, state))
    return plan.model_copy(update={"steps": (*steps, *hidden), "strangers": told})


def _must_be_known(step: Step) -> bool:
    return step.op in (Op.UPDATE, Op.REPLACE, Op.DELETE, Op.SAME)


def _enriched(step: Step, resource: StateResource) -> Step:
    known = {
        "protect_before": step.protect_before or resource.protect,
        "retain_on_delete": resource.retain_on_delete,
        "ties": step.ties or resource.ties,
    }
    if all(getattr(step, name) == value for name, value in known.items()):
        return step
    return step.model_copy(update=known)
