"""All operation rules. A rule looks at one step, or at the plan as a whole."""

from __future__ import annotations

from tollgate.assess.rules import data, endpoints, exposure, guarded, identity, ladders, protection, versions, whole

STEP_RULES = (
    *data.RULES,
    *protection.RULES,
    *guarded.RULES,
    *exposure.RULES,
    *identity.RULES,
    *versions.RULES,
    *endpoints.RULES,
    *ladders.RULES,
)
PLAN_RULES = whole.RULES
