"""What may not be asked of a Valkey store, and what the refusal says to write instead."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from components.specs import RedisUserSpec, Target
from components.specs.redis import GRANTABLE
from stacks.loading import SettingsError
from stacks.profiles_redis import COORDINATING, redis
from stacks.settings import Tier
from tests.components.test_redis import (
    asked,
    settings,
)


def user(**changes: Any) -> dict[str, Any]:
    return {
        "keys": ["gateway:"],
        "reads": [],
        "commands": ["get"],
        "credentials_secret_ref": "payments-gateway",
        **changes,
    }


OLD = "docker.io/valkey/valkey:9.1.0@sha256:" + "0" * 64
REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "coordination that evicts": ("coordination", {"eviction": "allkeys-lru"}, "eviction must be noeviction"),
    "coordination that forgets": ("coordination", {"append_only": "off"}, "append_only must be always or everysec"),
    "coordination without backups": (
        "coordination",
        {"snapshot_retention_days": 0},
        "snapshot_retention_days must be 1 or more",
    ),
    "a cache that does not evict": ("cache", {"eviction": "noeviction"}, "eviction must be allkeys-lru"),
    "a cache that promises": ("cache", {"durable_writes": True}, "durable_writes must be false"),
    "a cache with a file": ("cache", {"append_only": "everysec", "storage_gib": 20}, "append_only must be off"),
    "a cache with backups": ("cache", {"snapshot_retention_days": 1}, "snapshot_retention_days must be 0"),
    "a cache with a volume": ("cache", {"storage_gib": 5}, "storage_gib must be 0"),
    "a policy that needs expiries": (
        "cache",
        {"eviction": "volatile-lru"},
        "should be 'noeviction', 'allkeys-lru'",
    ),
    "no memory for a fork": ("coordination", {"maxmemory_percent": 80}, "maxmemory_percent must be at most 75"),
    "no memory for a copy": ("cache", {"maxmemory_percent": 80}, "maxmemory_percent must be at most 75"),
    "all memory": ("cache", {"maxmemory_percent": 100, "replicas": 0}, "less than or equal to 85"),
    "no room to rewrite": ("coordination", {"storage_gib": 11}, "storage_gib must be at least 12, twice memory_mib"),
    "windows that meet": (
        "coordination",
        {"maintenance_window": "sun:19:00-sun:20:00"},
        "must not overlap snapshot_window",
    ),
    "a window too short": ("coordination", {"snapshot_window": "18:30-19:00"}, "snapshot_window must last 60 minutes"),
    "a tag": ("coordination", {"image": "valkey/valkey:9.1.2"}, "String should match pattern"),
    "a release that crashes": ("coordination", {"image": OLD}, "must be 9.1.2 or newer"),
    "nobody": ("coordination", {"users": {}}, "at least 1 item"),
    "everyone's keys": ("coordination", {"users": {"gateway": user(keys=["*"])}}, "String should match pattern"),
    "half a word": ("coordination", {"users": {"gateway": user(keys=["gate"])}}, "String should match pattern"),
    "no keys": ("coordination", {"users": {"gateway": user(keys=[])}}, "keys and reads are both empty"),
    "another's keys": (
        "coordination",
        {"users": {"gateway": user(keys=["tcc:"]), "clearing": user(keys=["tcc:clearing:"])}},
        "lets gateway write all of clearing's tcc:clearing:",
    ),
    "a name that is taken": ("coordination", {"users": {"monitor": user()}}, "the store has a user of that name"),
    "all of a service's": (
        "coordination",
        {"users": {"gateway": user(commands=["@all"])}},
        "entry 1 is no command that can be granted",
    ),
    "nothing to say": ("coordination", {"users": {"gateway": user(commands=[])}}, "at least 1 item"),
} | {
    f"the command {command}": (
        "coordination",
        {"users": {"gateway": user(commands=["get", command])}},
        "entry 2 is no command that can be granted; those that touch named keys only are append",
    )
    for command in ("flushall", "keys", "scan", "config", "setnx", "persist", "function", "eval ", "GET", "blpop")
}


@pytest.mark.parametrize(("name", "change", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_contradicts_itself_is_refused_with_what_to_write(name: str, change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        asked(name, **change)
    assert said in str(caught.value)


def test_all_that_contradicts_a_purpose_is_told_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        asked("cache", eviction="noeviction", append_only="always", storage_gib=20)
    for field in ("eviction", "append_only", "storage_gib"):
        assert f"for cache, {field} must be" in str(caught.value)


def test_services_may_share_a_prefix_when_both_say_so() -> None:
    shared = {"gateway": user(keys=["tcc:"]), "clearing": user(keys=["tcc:"], reads=["gateway:"])}
    assert asked(users=shared).users["clearing"].keys == ("tcc:",)


def test_what_profiles_grant_is_least() -> None:
    assert set(COORDINATING) <= GRANTABLE
    assert {"eval", "evalsha", "mget"}.isdisjoint(COORDINATING)
    assert RedisUserSpec.model_validate(user(commands=sorted(GRANTABLE)), strict=False)


BY_TARGET: list[tuple[str, Target, dict[str, Any], dict[str, str]]] = [
    ("coordination", Target.AWS, {}, {}),
    ("coordination", Target.AWS, {"replicas": 0}, {"durable_writes": "write replicas: 1 or more"}),
    (
        "coordination",
        Target.AWS,
        {"node_type": "cache.t4g.small"},
        {"node_type": "families c7gn, c8gn, m6g"},
    ),
    ("coordination", Target.KUBERNETES, {"durable_writes": True}, {"durable_writes": "write false"}),
    ("coordination", Target.KUBERNETES, {"replicas": 1}, {"replicas": "write 2, or 0"}),
    ("coordination", Target.KUBERNETES, {"replicas": 0}, {}),
    ("cache", Target.KUBERNETES, {"replicas": 1}, {}),
    ("coordination", Target.EDGE, {}, {}),
    (
        "coordination",
        Target.EDGE,
        {"replicas": 2, "cpu_milli": 2000, "memory_mib": 2048, "storage_gib": 8, "durable_writes": True},
        {
            "durable_writes": "write false",
            "replicas": "write 0 or less",
            "cpu_milli": "write 1000 or less",
            "memory_mib": "write 1024 or less",
        },
    ),
]


@pytest.mark.parametrize(("name", "target", "change", "wanted"), BY_TARGET)
def test_a_target_refuses_what_it_cannot_keep(
    name: str, target: Target, change: dict[str, Any], wanted: dict[str, str]
) -> None:
    tier = Tier.EDGE if target is Target.EDGE else Tier.STAGING
    refused = dict(asked(name, tier, target, **change).refused_by(target))
    assert set(refused) == set(wanted)
    assert all(said in refused[field] for field, said in wanted.items())


IN_SETTINGS: list[tuple[str, dict[str, Any], str]] = [
    ("staging", {"redis": {"clearing": {}}}, "redis.clearing"),
    ("edge", {"redis": {"coordination": {"users": {"clearing": user()}}}}, "this environment has no service clearing"),
    ("prod", {"redis": {"coordination": {"replicas": 0, "durable_writes": False}}}, "prod goes on coordinating when"),
    (
        "edge",
        {"redis": {"coordination": {"memory_mib": 1024, "storage_gib": 2}}, "namespace": {"quota": {"memory_gib": 2}}},
        "namespace.quota.memory_gib: must be at least 3",
    ),
    ("edge", {"redis": {"coordination": {"purpose": "cache"}}}, "for cache, eviction must be allkeys-lru"),
]


@pytest.mark.parametrize(("stack", "overrides", "said"), IN_SETTINGS)
def test_stores_that_do_not_fit_their_stack_are_refused(stack: str, overrides: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(stack, **overrides)
    assert said in str(caught.value)


def test_a_stack_without_coordination_is_refused() -> None:
    cache_only = {**redis(Tier.DEV, Target.EDGE, ["gateway"])["cache"], "memory_mib": 128, "cpu_milli": 50}
    with pytest.raises(SettingsError, match="through a store of purpose coordination; add one"):
        settings("edge", redis={"coordination": cache_only})
