"""The Valkey stores on aws: ElastiCache, its users, and who hears of trouble."""

from __future__ import annotations

import json

from components.redis_alarms import bounds
from components.redis_elasticache import user_name
from tests.components.test_redis import (
    asked,
    on_aws,
    recorded,
    settings,
)


@on_aws
def test_every_unsafe_default_of_elasticache_is_overridden(stack: str) -> None:
    for name, spec in settings(stack).redis.items():
        keeps = spec.purpose == "coordination"
        store = recorded(stack).one(f"payments-{stack}-{name}-store", "ReplicationGroup")
        safe = settings(stack).safety.final_snapshot and keeps
        wanted = {
            "engine": "valkey",
            "engineVersion": spec.version,
            "clusterMode": "enabled",
            "numNodeGroups": 1,
            "replicasPerNodeGroup": spec.replicas,
            "durability": "sync" if spec.durable_writes else "default",
            "dataTieringEnabled": False,
            "automaticFailoverEnabled": True,
            "multiAzEnabled": spec.replicas > 0,
            "atRestEncryptionEnabled": True,
            "transitEncryptionEnabled": True,
            "transitEncryptionMode": "required",
            "snapshotRetentionLimit": spec.snapshot_retention_days,
            "snapshotWindow": "18:30-19:30",
            "finalSnapshotIdentifier": f"payments-{stack}-{name}-final" if safe else None,
            "maintenanceWindow": "sun:20:00-sun:21:00",
            "autoMinorVersionUpgrade": True,
            "applyImmediately": False,
            "networkType": "ipv4",
            "ipDiscovery": "ipv4",
            "userGroupIds": [f"payments-{stack}-{name}"],
            "tags": {"purpose": spec.purpose},
        }
        assert {key: store.inputs.get(key) for key in wanted} == wanted
        assert store.inputs["kmsKeyId"]
        assert "authToken" not in store.inputs
        assert {log["logType"] for log in store.inputs["logDeliveryConfigurations"]} == {"engine-log", "slow-log"}


@on_aws
def test_a_store_has_parameters_of_its_own(stack: str) -> None:
    for name, spec in settings(stack).redis.items():
        group = recorded(stack).one(f"payments-{stack}-{name}-settings", "elasticache/parameterGroup:ParameterGroup")
        assert group.inputs["family"] == "valkey9"
        assert group.inputs["tags"] == {"purpose": spec.purpose}
        assert {part["name"]: part["value"] for part in group.inputs["parameters"]} == {
            "cluster-enabled": "yes",
            "maxmemory-policy": "noeviction" if spec.purpose == "coordination" else "allkeys-lru",
            "reserved-memory-percent": "30",
        }


@on_aws
def test_durability_is_synchronous_where_it_matters(stack: str) -> None:
    store = recorded(stack).one(f"payments-{stack}-coordination-store", "ReplicationGroup")
    assert store.inputs["durability"] == ("default" if stack == "dev" else "sync")


@on_aws
def test_services_sign_in_by_iam_each_as_itself_and_there_is_no_password(stack: str) -> None:
    record = recorded(stack)
    for name, spec in settings(stack).redis.items():
        ours = [made for made in record.of("elasticache/user:User") if f"-{name}-" in made.name]
        users = {made.name.rpartition("-")[2]: made for made in ours}
        assert set(users) == {*spec.users, *(["loader"] if spec.purpose == "coordination" else [])}
        for who, user in users.items():
            assert user.inputs["userId"] == user.inputs["userName"] == user_name(f"payments-{stack}-{name}", who)
            assert len(user.inputs["userId"]) <= 40
            assert user.inputs["authenticationMode"] == {"type": "iam"}
            assert not {"passwords", "passwordsWo", "noPasswordRequired"} & set(user.inputs)
            words = user.inputs["accessString"].split(" ")
            assert words[0] == "on"
            assert [word for word in words if word[0] in "~%"] == ([] if who == "loader" else [f"~{who}:*"])
            assert [word for word in words if word.startswith(("+@", "&", "allkeys", "allcommands"))] == []
            assert "-@all" in words
        group = record.one(f"payments-{stack}-{name}-users", "UserGroup")
        assert sorted(group.inputs["userIds"]) == sorted(user.inputs["userId"] for user in users.values())


@on_aws
def test_a_role_may_sign_in_to_a_store_as_its_own_service_only(stack: str) -> None:
    record = recorded(stack)
    for name, spec in settings(stack).redis.items():
        store = f"arn:aws:mock:::payments-{stack}-{name}-store"
        for service in spec.users:
            granted = record.one(f"payments-{stack}-{name}-{service}-connects", "RolePolicy")
            (right,) = json.loads(granted.inputs["policy"])["Statement"]
            assert right["Action"] == ["elasticache:Connect"]
            assert right["Resource"] == [store, f"arn:aws:mock:::payments-{stack}-{name}-user-{service}"]
            assert granted.inputs["role"].endswith(f"payments-{stack}-cluster-{service}")


@on_aws
def test_people_hear_of_trouble_on_each_node(stack: str) -> None:
    for name, spec in settings(stack).redis.items():
        alarms = [
            alarm.inputs
            for alarm in recorded(stack).of("MetricAlarm")
            if alarm.name.startswith(f"payments-{stack}-{name}-alarm-")
        ]
        watched = {(alarm["dimensions"]["CacheClusterId"], alarm["metricName"]) for alarm in alarms}
        metrics = {"EngineCPUUtilization"} | ({"ReplicationLag"} if spec.replicas else set())
        if spec.purpose == "coordination":
            metrics |= {"DatabaseMemoryUsagePercentage", "Evictions"}
        nodes = {f"payments-{stack}-{name}-0001-00{number}" for number in range(1, 2 + spec.replicas)}
        assert watched == {(node, metric) for node in nodes for metric in metrics}
        assert {alarm["namespace"] for alarm in alarms} == {"AWS/ElastiCache"}


def test_one_eviction_from_coordination_is_an_alarm() -> None:
    found = {bound.metric: bound for bound in bounds(asked())}
    assert (found["Evictions"].threshold, found["Evictions"].periods) == (0, 1)
    assert found["DatabaseMemoryUsagePercentage"].threshold == 70
