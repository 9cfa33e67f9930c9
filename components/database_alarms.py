"""When a person should look at a database on AWS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
from pulumi_aws import cloudwatch

from components.base import Component
from components.postgres import slot_limit_mib
from components.specs import DatabaseSpec

GIB = 1024**3
MIB = 1024**2
# Three spans of five minutes: a burst is not an alarm, and nobody learns of a full disk later than in 15 minutes.
PERIOD_SECONDS = 300
PERIODS = 3


@dataclass(frozen=True)
class Bound:
    """One metric of AWS/RDS, and the value past which it is bad."""

    part: str
    metric: str
    beyond: Literal["above", "below"]
    threshold: float
    meaning: str


def alarms(home: Component, called: str, spec: DatabaseSpec, *, tell: Sequence[pulumi.Input[str]]) -> None:
    """An alarm for each bound. ``tell``: ARNs of the topics that hear of it, and of its end."""
    dimension = "DBClusterIdentifier" if spec.engine == "aurora" else "DBInstanceIdentifier"
    for bound in bounds(spec):
        above = bound.beyond == "above"
        cloudwatch.MetricAlarm(
            home.child(f"alarm-{bound.part}"),
            namespace="AWS/RDS",
            metric_name=bound.metric,
            dimensions={dimension: called},
            statistic="Maximum" if above else "Minimum",
            comparison_operator="GreaterThanThreshold" if above else "LessThanThreshold",
            threshold=bound.threshold,
            period=PERIOD_SECONDS,
            evaluation_periods=PERIODS,
            treat_missing_data="missing",
            alarm_description=f"{called}: {bound.meaning}",
            alarm_actions=list(tell),
            ok_actions=list(tell),
            opts=home.within(),
        )


def bounds(spec: DatabaseSpec) -> Iterator[Bound]:
    """What is watched, with thresholds from the spec in the units of the metric."""
    wanted = spec.alarms
    yield Bound("cpu", "CPUUtilization", "above", wanted.cpu_percent, "the processor is busy")
    used = spec.max_connections * wanted.connections_percent / 100
    yield Bound("connections", "DatabaseConnections", "above", used, "connections run out")
    free = wanted.free_storage_percent / 100
    if spec.engine == "aurora":
        # Aurora never runs out within the limit we plan for, so what is watched is that limit.
        most = spec.max_storage_gib * GIB * (1 - free)
        yield Bound("storage", "VolumeBytesUsed", "above", most, "nearly as large as planned")
        if spec.high_availability:
            lag = wanted.replica_lag_seconds * 1000  # milliseconds
            yield Bound("lag", "AuroraReplicaLagMaximum", "above", lag, "the reader is behind")
    else:
        yield Bound("storage", "FreeStorageSpace", "below", spec.storage_gib * GIB * free, "the disk fills up")
    if spec.logical_replication:
        most = slot_limit_mib(spec.storage_gib) * MIB / 2
        yield Bound("slot", "OldestReplicationSlotLag", "above", most, "a follower stopped reading; its log piles up")
