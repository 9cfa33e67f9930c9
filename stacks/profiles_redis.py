"""Tier profiles of the Valkey stores, and what each service may do in them.

Sources beyond those of stacks/profiles.py: [VK] Valkey 9.1 documentation
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from components.specs import Target
from stacks.settings import Tier

# Tag and digest (of the image index) as public.ecr.aws/valkey and Docker Hub publish them; the tests run this release.
VALKEY_IMAGE = "docker.io/valkey/valkey:9.1.2@sha256:418652cfb58ef879d4978c33553735d7147016032d5aefaa14c828e611eb9dfd"
# Digest of the image index of v1.90.0 on Docker Hub.
EXPORTER_IMAGE = (
    "docker.io/oliver006/redis_exporter:v1.90.0@sha256:a129504e65b87c54f79bc92f1afc403475e8ff646a3d7512de469904ceddf986"
)
# docker-library/repo-info, repos/python/remote/3.13-slim-trixie.md, commit 2986dca3a8 (August 2026): 3.13.14.
PYTHON_IMAGE = (
    "docker.io/library/python:3.13-slim-trixie@sha256:9662417aace5ae7b8e2609cce472b72a8958e134ba372808abe9cc1a0c0125e6"
)

_STORE: dict[str, Any] = {
    "version": "9.0",  # durability=sync needs 9.0 or newer [EC]
    "image": VALKEY_IMAGE,
    "exporter_image": EXPORTER_IMAGE,
    "maxmemory_percent": 70,  # within 60 to 75: the rest is for buffers and the fork; 75 is ElastiCache's own [EC]
    # UTC, as databases have them: after the day's settlement, far from the morning's peak. [ours]
    "snapshot_window": "18:30-19:30",
    "maintenance_window": "sun:20:00-sun:21:00",
    # Sentinel's default of 30 s is half a minute without locks; below 5 s, a slow disk looks like a death. [ours]
    "failover_after_seconds": 10,
    "alarms": {
        "memory_percent": 70,  # in time to add memory before writes are refused [ours]
        "cpu_percent": 90,  # [CW, EngineCPUUtilization]
        "replica_lag_seconds": 10,  # [ours] as long as a primary alone may go on writing
    },
    "loader": {
        "sign_in_image": PYTHON_IMAGE,
        "deadline_seconds": 600,  # [ours] the store has to come up first
        "retries": 2,  # [ours] it waits for the store itself; what failed three times needs a person
        "kept_seconds": 604_800,  # [ours] a week, to read the log after a weekend
    },
}
_COORDINATION: dict[str, Any] = {
    **_STORE,
    "purpose": "coordination",
    "eviction": "noeviction",
    "append_only": "always",  # each write is on disk before the answer
    "durable_writes": False,
}
_CACHE: dict[str, Any] = {
    **_STORE,
    "purpose": "cache",
    "eviction": "allkeys-lru",  # "a good pick if you are unsure" [VK, Key eviction]
    "append_only": "off",
    "durable_writes": False,
    "storage_gib": 0,
    "snapshot_retention_days": 0,
}

COORDINATION: dict[Tier, dict[str, Any]] = {
    Tier.DEV: {
        **_COORDINATION,
        "node_type": "cache.t4g.small",  # [ours]
        "cpu_milli": 250,  # [ours] a laptop runs all of it
        "memory_mib": 512,  # [ours]
        "storage_gib": 5,  # [ours]
        "replicas": 0,
        "snapshot_retention_days": 1,
        "log_retention_days": 14,
    },
    Tier.STAGING: {
        **_COORDINATION,
        "node_type": "cache.m7g.large",  # smallest of the families that allow durability=sync [EC]
        "cpu_milli": 2000,  # as m7g.large
        "memory_mib": 6144,  # as m7g.large
        "storage_gib": 20,  # [ours]
        "replicas": 1,  # durability=sync needs one per shard [EC]
        "snapshot_retention_days": 7,  # a week, FSBP ElastiCache.1 asks for one day or more
        "log_retention_days": 90,
    },
    Tier.PROD: {
        **_COORDINATION,
        "node_type": "cache.r7g.large",  # 13 GiB [EC]; size [ours]
        "cpu_milli": 2000,
        "memory_mib": 13312,
        "storage_gib": 40,
        "replicas": 2,  # one copy in each of three zones
        "snapshot_retention_days": 14,
        "log_retention_days": 400,  # 12 months [PCI 10.5.1]; 400 days is the next size CloudWatch offers
    },
    Tier.EDGE: {
        **_COORDINATION,
        "node_type": "cache.t4g.small",
        "cpu_milli": 250,  # [ours] k3s and the database have the rest of two cores
        "memory_mib": 256,  # [ours] locks and throttles of one gateway
        "storage_gib": 2,  # [ours]
        "append_only": "everysec",  # a card or small disk wears out by a sync for each write; a second may be lost
        "replicas": 0,
        "snapshot_retention_days": 1,
        "log_retention_days": 14,
    },
}
# None at the edge: the site's database is itself the copy near by, on the same node, and a cache beside it would take
# memory that the site does not have.
CACHE: dict[Tier, dict[str, Any]] = {
    Tier.DEV: {
        **_CACHE,
        "node_type": "cache.t4g.small",
        "cpu_milli": 250,
        "memory_mib": 256,  # [ours]
        "replicas": 0,
        "log_retention_days": 14,
    },
    Tier.STAGING: {
        **_CACHE,
        "node_type": "cache.m7g.large",
        "cpu_milli": 1000,  # [ours]
        "memory_mib": 6144,
        "replicas": 1,  # [ours] a node that goes takes the warmth of half the cache, not all
        "log_retention_days": 90,
    },
    Tier.PROD: {
        **_CACHE,
        "node_type": "cache.r7g.large",
        "cpu_milli": 2000,
        "memory_mib": 13312,
        "replicas": 1,
        "log_retention_days": 400,
    },
}

# What it takes to lock, to count, to watch and to call the Functions; and what it takes to cache. [ours]
COORDINATING = (
    *("get", "set", "del", "exists", "pexpire", "pttl", "incr", "decr", "incrby", "decrby"),
    *(
        "hset",
        "hget",
        "hgetall",
        "hincrby",
        "hdel",
        "watch",
        "unwatch",
        "multi",
        "exec",
        "discard",
        "fcall",
        "fcall_ro",
    ),
)
CACHING = (
    "get",
    "mget",
    "set",
    "mset",
    "del",
    "unlink",
    "exists",
    "expire",
    "pexpire",
    "pttl",
    "ttl",
    "hset",
    "hgetall",
)


def redis(tier: Tier, target: Target, services: Iterable[str]) -> dict[str, Any]:
    """The stores of an environment, by name. Each service has the keys that begin with its own name."""
    stores = {"coordination": _coordination(tier, target)}
    if tier in CACHE:
        stores["cache"] = CACHE[tier]
    services = tuple(services)
    return {
        name: {
            **store,
            "users": {service: _user(name, service, store["purpose"]) for service in services},
            "credentials_secret_ref": f"payments-{name}-users",
            "tls_secret_ref": f"payments-{name}-tls",
        }
        for name, store in stores.items()
    }


def _coordination(tier: Tier, target: Target) -> dict[str, Any]:
    store = COORDINATION[tier]
    if not store["replicas"]:
        return store
    if target is Target.AWS:
        return {**store, "durable_writes": True}
    return {**store, "replicas": 2}  # with one, the loss of either node would stop writes


def _user(store: str, service: str, purpose: str) -> dict[str, Any]:
    return {
        "keys": [f"{service}:"],
        "reads": [],
        "commands": COORDINATING if purpose == "coordination" else CACHING,
        "credentials_secret_ref": f"payments-{store}-{service}",
    }
