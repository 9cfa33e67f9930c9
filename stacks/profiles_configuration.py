"""Tier profiles of what services read: parameters they start with, and configuration that changes while they run.

Sources beyond those of stacks/profiles.py:
[AC] AppConfig user guide, predefined deployment strategies · [SM] Secrets Manager user guide ·
[DTM] dtm, its barrier and its alert after three tries · [PAY] common practice of payment systems, no one source
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.specs import Target
from stacks.settings import Domain, Tier

# Clocks must agree better than the tolerance of a signature. Amazon's own is a link-local address (EC2 user guide,
# Amazon Time Sync Service); elsewhere the public pool (pool.ntp.org).
TIME_SERVER = {Target.AWS: "169.254.169.123", Target.KUBERNETES: "pool.ntp.org", Target.EDGE: "pool.ntp.org"}
PAYMENT_TIMEOUT_SECONDS = 1800  # an order not paid in half an hour is closed [PAY]
SIGNATURE_TOLERANCE_SECONDS = 300  # Stripe, webhook signatures: five minutes
RECONCILE_AFTER_MINUTES = 10  # an order pending longer is asked after at the provider [PAY]
KEY_ROTATION_MONTHS = 3  # [ours]; PCI DSS 3.7.4 wants a period, and leaves its length to us

RECOVERY_DAYS = {Tier.DEV: 0, Tier.STAGING: 7, Tier.PROD: 30, Tier.EDGE: 30}  # 30 is the most [SM]; dev reuses names
ROTATION_HOUR_UTC = 18  # 02:00 in Shanghai [ours]
ROTATION_WINDOW_HOURS = 2  # [ours]: over before the morning's load

ROLLOUT = {
    # Staging and prod: the two that AWS recommends for production, Canary10Percent20Minutes and
    # Linear20PercentEvery6Minutes [AC]. Dev: all at once, and the shortest watch.
    Tier.DEV: {"growth": "linear", "first_share_percent": 100, "over_minutes": 0, "bake_minutes": 1},
    Tier.STAGING: {"growth": "exponential", "first_share_percent": 10, "over_minutes": 20, "bake_minutes": 10},
    Tier.PROD: {"growth": "linear", "first_share_percent": 20, "over_minutes": 30, "bake_minutes": 30},
}
# Failures a minute that no quiet day has, three minutes in a row. [ours]: set them from the first weeks' figures.
FAILURES_A_MINUTE = {Tier.DEV: 5, Tier.STAGING: 10, Tier.PROD: 50}
BAD_MINUTES = 3

VALUES = {
    "accept-payments": {"value": True},  # the switch that stops new payments and lets running ones end
    "retry-ceiling": {"value": 3, "minimum": 1, "maximum": 20},  # tries before a person is called [DTM]
    "query-interval-seconds": {"value": 30, "minimum": 5, "maximum": 86400},  # asking after a pending payment [PAY]
    "query-batch-rows": {"value": 100, "minimum": 1, "maximum": 1000},  # rows of one such round [PAY]
}


def parameters(tier: Tier, target: Target, domains: Sequence[Domain]) -> dict[str, Any]:
    """The parameters of the domains that an environment has."""
    gateway = {
        "payment-timeout-seconds": _read(PAYMENT_TIMEOUT_SECONDS, "gateway", ("gateway", "wallet"), domains),
        "signature-tolerance-seconds": _read(SIGNATURE_TOLERANCE_SECONDS, "gateway", ("gateway",), domains),
    }
    values: dict[str, Any] = {
        "platform": {"time-server": {"value": TIME_SERVER[target], "tier": "global", "consumers": sorted(domains)}},
        "gateway": gateway,
    }
    if "clearing" in domains:
        late = _read(RECONCILE_AFTER_MINUTES, "clearing", ("clearing",), domains)
        values["clearing"] = {"reconcile-after-minutes": late}
    months = KEY_ROTATION_MONTHS if target is Target.AWS else None
    signing = {"tier": "service", "consumers": ["gateway"], "rotation_months": months}
    return {
        "values": values,
        "sealed": {"gateway": {"callback-signing-key": signing}},
        "recovery_days": RECOVERY_DAYS[tier],
        "rotation_hour_utc": ROTATION_HOUR_UTC,
        "rotation_window_hours": ROTATION_WINDOW_HOURS,
    }


def configuration(tier: Tier, target: Target) -> dict[str, Any]:
    """The run-time configuration, and on aws how it goes out."""
    on_aws = target is Target.AWS and tier in ROLLOUT
    failures = {
        "namespace": "Payments",
        "metric": "PaymentFailures",
        "more_than": FAILURES_A_MINUTE.get(tier, 0),
        "bad_minutes": BAD_MINUTES,
    }
    return {
        "values": VALUES,
        "rollout": ROLLOUT[tier] if on_aws else None,
        "alarms": {"payment-failures": failures} if on_aws else {},
    }


def _read(value: int, owner: str, consumers: Sequence[str], domains: Sequence[str]) -> dict[str, Any]:
    """A value for those of its consumers that an environment has, in the tier that follows."""
    here = [name for name in consumers if name in domains]
    return {"value": value, "tier": "service" if here == [owner] else "shared", "consumers": here}
