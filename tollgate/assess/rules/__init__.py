"""All operation rules. A rule looks at one step, or at the plan as a whole."""

from __future__ import annotations

from tollgate.assess.rules import (
    admission,
    alarms,
    brokers,
    cascades,
    data,
    endpoints,
    exposure,
    guarded,
    health,
    identity,
    ladders,
    leftovers,
    marks,
    protection,
    releases,
    renames,
    truth,
    versions,
    whole,
    wildcards,
    workflows,
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
    *alarms.RULES,
    *health.RULES,
    *brokers.RULES,
    *workflows.RULES,
    *admission.RULES,
    *marks.RULES,
    *wildcards.RULES,
)
PLAN_RULES = (*truth.RULES, *cascades.RULES, *leftovers.RULES, *renames.RULES, *whole.RULES)
