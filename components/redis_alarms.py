"""When a person should look at a store on AWS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pulumi

from components.alarms import Bound, alarm
from components.base import Component
from components.specs import RedisSpec


def alarms(home: Component, called: str, spec: RedisSpec, *, tell: Sequence[pulumi.Input[str]]) -> None:
    """An alarm for each bound of each node. A node of a cluster's only shard is called <cluster>-0001-<number>."""
    for number in range(1, 2 + spec.replicas):
        node = f"{called}-0001-{number:03}"
        for bound in bounds(spec, f"-{number}"):
            alarm(
                home,
                bound,
                namespace="AWS/ElastiCache",
                dimensions={"CacheClusterId": node},
                called=node,
                tell=tell,
            )


def bounds(spec: RedisSpec, node: str = "") -> Iterator[Bound]:
    """What is watched of each node. A cache may be full, and then it evicts: that is what it is for."""
    wanted = spec.alarms
    yield Bound(f"cpu{node}", "EngineCPUUtilization", "above", wanted.cpu_percent, "the engine's thread is busy")
    if spec.replicas:
        lag = wanted.replica_lag_seconds
        yield Bound(f"lag{node}", "ReplicationLag", "above", lag, "a replica is behind")
    if spec.purpose == "coordination":
        used = wanted.memory_percent
        yield Bound(f"memory{node}", "DatabaseMemoryUsagePercentage", "above", used, "full, it refuses writes")
        lost = "something that must stay was evicted"
        yield Bound(f"evictions{node}", "Evictions", "above", 0, lost, periods=1)
