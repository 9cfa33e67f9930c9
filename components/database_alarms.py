"""When a person should look at a database on AWS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pulumi

from components.alarms import Bound, alarm
from components.base import Component
from components.postgres import slot_limit_mib
from components.specs import DatabaseSpec

GIB = 1024**3
MIB = 1024**2


def alarms(home: Component, called: str, spec: DatabaseSpec, *, tell: Sequence[pulumi.Input[str]]) -> None:
    """An alarm for each bound. ``tell``: ARNs of the topics that hear of it, and of its end."""
    dimension = "DBClusterIdentifier" if spec.engine == "aurora" else "DBInstanceIdentifier"
    for bound in bounds(spec):
        alarm(home, bound, namespace="AWS/RDS", dimensions={dimension: called}, called=called, tell=tell)


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
