"""Alarms: when a person should look at a data service on AWS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
from pulumi_aws import cloudwatch

from components.base import Component

# Three spans of five minutes: a burst is not an alarm, and nobody learns of trouble later than in 15 minutes.
PERIOD_SECONDS = 300
PERIODS = 3


@dataclass(frozen=True)
class Bound:
    """One metric, and the value past which it is bad, for so many spans of five minutes."""

    part: str
    metric: str
    beyond: Literal["above", "below"]
    threshold: float
    meaning: str
    periods: int = PERIODS


def alarm(
    home: Component,
    bound: Bound,
    *,
    namespace: str,
    dimensions: Mapping[str, str],
    called: str,
    tell: Sequence[pulumi.Input[str]],
) -> None:
    """An alarm for a bound. ``tell``: ARNs of the topics that hear of it, and of its end."""
    above = bound.beyond == "above"
    cloudwatch.MetricAlarm(
        home.child(f"alarm-{bound.part}"),
        namespace=namespace,
        metric_name=bound.metric,
        dimensions=dict(dimensions),
        statistic="Maximum" if above else "Minimum",
        comparison_operator="GreaterThanThreshold" if above else "LessThanThreshold",
        threshold=bound.threshold,
        period=PERIOD_SECONDS,
        evaluation_periods=bound.periods,
        treat_missing_data="missing",
        alarm_description=f"{called}: {bound.meaning}",
        alarm_actions=list(tell),
        ok_actions=list(tell),
        opts=home.within(),
    )
