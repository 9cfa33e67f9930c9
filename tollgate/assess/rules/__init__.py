"""All operation rules. A rule looks at one step, or at the plan as a whole."""

from __future__ import annotations

from tollgate.assess.rules import (
    cascades,
    data,
    endpoints,
    exposure,
    guarded,
    identity,
    ladders,
    leftovers,
    protection,
    releases,
    renames,
    truth,
    versions,
    whole,
)

STEP_RULES = (
    *data.RULES,
    *protection.RULES,
    *guarded.RULES,
    *exposure.RULES,
    *identity.RULES,
    *versions.RULES,
    *releases.RULES,
    *endpoints.RULES,
    *ladders.RULES,
)
PLAN_RULES = (*truth.RULES, *cascades.RULES, *leftovers.RULES, *renames.RULES, *whole.RULES)
