"""Tier profiles of the way out of the monolith.

A tier says how it is done, not how far it is: each environment leaves the monolith at its own pace, so phases stand in
the stack files, and here every domain begins in the monolith.

Sources beyond those of stacks/profiles.py: [DMS] DMS user guide
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.specs import Phase, Target
from stacks.settings import Domain, Tier

COPIER: dict[Tier, dict[str, Any]] = {
    Tier.DEV: {
        "instance_class": "dms.t3.medium",  # burstable classes are for tests [DMS, choosing an instance]
        "storage_gib": 50,  # the default [DMS]
        "high_availability": False,
        "lag_alarm_seconds": 3600,  # [ours]
        "log_retention_days": 14,
    },
    Tier.STAGING: {
        "instance_class": "dms.c6i.large",  # [ours] 2 cores, 4 GiB; not burstable, so rehearsed timings hold
        "storage_gib": 100,  # [ours]
        "high_availability": True,
        "lag_alarm_seconds": 300,  # [ours] the comparer's pause, and some minutes of a burst
        "log_retention_days": 90,
    },
    Tier.PROD: {
        "instance_class": "dms.r6i.xlarge",  # [ours] 4 cores, 32 GiB: changes wait in memory while all rows are loaded
        "storage_gib": 500,  # [ours] a day of changes, while the target is away
        "high_availability": True,
        "lag_alarm_seconds": 300,
        "log_retention_days": 400,  # 12 months [PCI 10.5.1]
    },
}
_COPIER = {
    "engine_version": "3.6.1",  # the first that signs in to RDS by IAM [DMS, IAM authentication for RDS endpoints]
    "maintenance_window": "sun:21:00-sun:22:00",  # after the databases' own [ours]
}

COMPARER: dict[Tier, dict[str, Any]] = {
    # Every row is read, on both sides: at night in Shanghai, before the databases' backup. [ours]
    Tier.DEV: {"schedule": "0 17 * * *", "deadline_seconds": 3600, "statement_seconds": 600},
    Tier.STAGING: {"schedule": "0 17 * * *", "deadline_seconds": 3600, "statement_seconds": 1800},
    Tier.PROD: {"schedule": "0 16 * * *", "deadline_seconds": 7200, "statement_seconds": 3600},
}
_COMPARER = {
    "buckets": 1024,  # [ours] of 10 million rows 10,000 are in each: what one unlike row adds to the reading
    "pause_seconds": 30,  # [ours] a row that is later than this is no longer only late
}


def monolith(tier: Tier, target: Target, domains: Sequence[Domain], queue: Mapping[str, Any] | None) -> Any:
    """The profile of the monolith behind an environment; None where no broker connects the two, as on edge."""
    if tier not in COPIER or queue is None:
        return None
    return {
        "source": None,
        "domains": {domain: {"phase": Phase.MONOLITH.value} for domain in domains},
        "queue": queue,
        "logins_ref": "payments-broker",
        "copier": {**COPIER[tier], **_COPIER} if target is Target.AWS else None,
        "comparer": {**COMPARER[tier], **_COMPARER},
    }
