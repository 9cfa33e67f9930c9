"""The footprint: all that a stack declares, as a ``pulumi stack export`` has it."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tollgate.errors import Problem, TollgateError
from tollgate.plan.model import Frozen, Plan, Step
from tollgate.plan.state import STATE_ADVICE, deployment_of
from tollgate.plan.steps import blind
from tollgate.plan.text import decode, parse_json
from tollgate.plan.ties import Tie, TieKind, ties_of
from tollgate.plan.urn import split_urn

_MADE_FROM_OR_AFTER = (TieKind.PROPERTY, TieKind.ORDER)


class Declared(Frozen):
    """One resource that a provider looks after. ``inputs`` as in tollgate.plan.model.Step: secrets are blinded.

    references: by property, the URNs of the resources that its value was made of. ties: these, and
    what it is made after.
    """

    urn: str
    type: str
    name: str
    inputs: dict[str, Any]
    references: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    ties: tuple[Tie, ...] = ()


class Footprint(Frozen):
    """Every resource of a stack, and the providers that look after them; components and what is only read are not."""

    resources: tuple[Declared, ...]

    @property
    def region(self) -> str:
        """The one region that all its AWS providers name; empty when they name none or several."""
        found = {one.inputs.get("region") for one in self.resources if one.type == "pulumi:providers:aws"}
        region = found.pop() if len(found) == 1 else ""
        return region if isinstance(region, str) else ""


def read_footprint(text: str | bytes) -> Footprint:
    """The Footprint in a stack export. Raises TollgateError when the text is no stack export."""
    deployment = deployment_of(parse_json(decode(text, STATE_ADVICE), "state", STATE_ADVICE))
    problems: list[Problem] = []
    found = [
        _declared(entry, f"deployment.resources[{number}]", problems)
        for number, entry in enumerate(deployment.get("resources") or [])
        if _is_ours(entry)
    ]
    if problems:
        raise TollgateError("The state is not shaped as Pulumi writes it.", problems[:20], advice=STATE_ADVICE)
    return Footprint(resources=tuple(found))


def with_footprint(plan: Plan, footprint: Footprint) -> Plan:
    """The plan with what its resources are made from, and made after, once the change is carried out."""
    known = {one.urn: one.ties for one in footprint.resources}
    return plan.model_copy(update={"steps": tuple(_tied(step, known.get(step.urn, ())) for step in plan.steps)})


def _tied(step: Step, ties: tuple[Tie, ...]) -> Step:
    """An event of a preview names parent and connection of what is new, and not what it is made from or after."""
    told = {tie.kind for tie in step.ties_after}
    if not ties or told & set(_MADE_FROM_OR_AFTER):
        return step
    return step.model_copy(update={"ties_after": (*step.ties_after, *ties)})


def _is_ours(entry: Any) -> bool:
    """A resource that a provider makes; neither read from elsewhere nor on its way out."""
    return (
        isinstance(entry, dict)
        and entry.get("custom") is True
        and not entry.get("external")
        and not entry.get("delete")
    )


def _declared(entry: dict[str, Any], where: str, problems: list[Problem]) -> Declared:
    urn = entry.get("urn")
    parts = split_urn(urn) if isinstance(urn, str) else None
    inputs, references = entry.get("inputs") or {}, entry.get("propertyDependencies") or {}
    if parts is None or not isinstance(inputs, dict) or not isinstance(references, dict):
        problems.append(Problem(where, "expected a resource with a URN, inputs and dependencies by property"))
        return Declared(urn="", type="", name="", inputs={})
    return Declared(
        urn=str(urn),
        type=parts.type,
        name=parts.name,
        inputs=blind(inputs),
        references={name: tuple(urns) for name, urns in references.items() if urns},
        ties=tuple(tie for tie in ties_of(entry) if tie.kind in _MADE_FROM_OR_AFTER),
    )
