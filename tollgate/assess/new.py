"""What a change makes, and whether something is set only on that: then nobody notices it yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tollgate.books.match import matches
from tollgate.plan.model import Op, Plan, Step
from tollgate.plan.urn import split_urn

NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
# The label that says which program a pod is of (Kubernetes, recommended labels). Pods of a program that is made in this
# change are new, too; any other label may be on pods that run already.
PROGRAM = "app.kubernetes.io/name"
_TEMPLATES = (("spec", "template"), ("spec", "jobTemplate", "spec", "template"))


@dataclass(frozen=True)
class New:
    """urns: of all that is made. programs: labels of the pods of each workload that is made."""

    urns: frozenset[str]
    programs: tuple[Mapping[str, Any], ...]

    def has(self, step: Step, types: tuple[str, ...]) -> bool:
        """Whether the step is set on something new: a direct dependency of one of the types."""
        found = (split_urn(urn) for urn in step.needs if urn in self.urns)
        return any(parts and matches(parts.type, types) for parts in found)

    def has_all_pods_of(self, step: Step) -> bool:
        """Whether a network policy selects the pods of one program only, and that is new."""
        if step.type != NETWORK_POLICY:
            return False
        selector = _below(step.new, ("spec", "podSelector"))
        wanted = _below(selector, ("matchLabels",))
        return PROGRAM in wanted and any(wanted.items() <= labels.items() for labels in self.programs)


def made_by(plan: Plan) -> New:
    """All that a plan makes."""
    made = [step for step in plan.steps if step.op is Op.CREATE]
    labels = (_below(step.new, (*path, "metadata", "labels")) for step in made for path in _TEMPLATES)
    return New(frozenset(step.urn for step in made), tuple(found for found in labels if found))


def _below(value: Any, path: tuple[str, ...]) -> Mapping[str, Any]:
    """The mapping at a path; an empty one where there is none."""
    for segment in path:
        value = value.get(segment) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}
