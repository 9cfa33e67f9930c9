"""Steps of a plan made by hand, for the functions that read one."""

from __future__ import annotations

from typing import Any

from tests.plan.previews import RDS, urn
from tollgate.plan.model import ChangeKind, Op, Plan, PropertyChange, Source, Step

QUEUE_POLICY = "kubernetes:rabbitmq.com/v1beta1:Policy"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def step(op: Op, name: str = "payments-staging-clearing-instance", type_token: str = RDS, **fields: Any) -> Step:
    """A step; ``changes`` as a mapping of path to whether it replaces."""
    changes = fields.pop("changes", {})
    made = (
        None
        if changes is None
        else tuple(
            PropertyChange(path=path, kind=ChangeKind.UPDATE, replaces=replaces) for path, replaces in changes.items()
        )
    )
    address = urn(type_token, name)
    return Step(op=op, raw_op=op.value, urn=address, type=type_token, name=name, changes=made, **fields)


def plan(*steps: Step) -> Plan:
    return Plan(source=Source.EVENTS, project="pay", stack="staging", steps=steps)
