"""In which region of a cloud a resource is: from what it says itself, from its provider, or from its neighbours."""

from __future__ import annotations

from typing import Any

from tollgate.plan.model import Plan, Step
from tollgate.policy.sentinels import is_secret, is_unknown

_AWS = "aws:"
_PROVIDER = "pulumi:providers:aws"


class Regions:
    """The regions of a plan's resources. Empty text: not known."""

    def __init__(self, plan: Plan, given: str = "") -> None:
        """``given``: where resources are that do not say so themselves, and whose provider does not either."""
        self._given = given
        self._providers = {
            step.urn: region for step in plan.steps if step.type == _PROVIDER and (region := _said(step, "region"))
        }
        seen = {region for step in plan.steps if (region := _of_arn(step))} | set(self._providers.values())
        self._only = next(iter(seen)) if len(seen) == 1 else ""

    def of(self, step: Step) -> str:
        """Its own region; else that of its provider; else the given one; else the only one that the plan shows."""
        if not step.type.startswith(_AWS):
            return ""
        own = _said(step, "region") or _of_arn(step)
        return own or self._providers.get(step.provider.rpartition("::")[0], "") or self._given or self._only


def _said(step: Step, name: str) -> str:
    for side in (step.new, step.old):
        value: Any = side.get(name) if side else None
        if isinstance(value, str) and value and not is_unknown(value) and not is_secret(value):
            return value
    return ""


def _of_arn(step: Step) -> str:
    """The region in the resource's own name at AWS: arn:aws:service:region:account:…; global services have none."""
    arn = step.old_outputs.get("arn") if step.old_outputs else None
    parts = arn.split(":") if isinstance(arn, str) else []
    return parts[3] if len(parts) > 5 and parts[0] == "arn" else ""
