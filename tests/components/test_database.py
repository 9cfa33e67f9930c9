"""Databases on each target: no unsafe default is left, and no promise is made that the target cannot keep."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pulumi
import pytest
from pydantic import ValidationError

from components.database_alarms import bounds
from components.specs import DatabaseSpec, Target
from components.specs.database import minutes
from stacks.loading import load_settings
from stacks.profiles import DATABASE
from stacks.settings import Tier
from tests.components.crds import needs_crds, refusals
from tests.components.recording import ROOT, Record, config_of, run

on_aws = pytest.mark.parametrize("stack", ["dev", "staging", "prod"])


@cache
def recorded(stack: str, clearing: str = "{}") -> Record:
    """A stack with some settings of clearing's database changed."""
    config = config_of(stack)
    databases = json.loads(config["payments:databases"])
    changed = {**databases, "clearing": {**databases.get("clearing", {}), **json.loads(clearing)}}
    return run(stack, config | {"payments:databases": json.dumps(changed if clearing != "{}" else databases)})


def with_clearing(stack: str, **settings: Any) -> Record:
    return recorded(stack, json.dumps(settings))


def spec(**changes: Any) -> DatabaseSpec:
    """Staging's database, changed."""
    given = {"database_name": "risk", **DATABASE[Tier.STAGING], **changes}
    return DatabaseSpec.model_validate_json(json.dumps(given))


def common(stack: str, domain: str) -> dict[str, Any]:
    """What must be on an instance and a cluster alike. The provider's default is the unsafe one for nearly all."""
    settings = load_settings(stack, config_of(stack), [], root=ROOT)
    return {
        "storageEncrypted": True,
        "manageMasterUserPassword": True,
        "iamDatabaseAuthenticationEnabled": True,
        "copyTagsToSnapshot": True,
        "deleteAutomatedBackups": False,
        "applyImmediately": False,
        "allowMajorVersionUpgrade": False,
        "engineLifecycleSupport": "open-source-rds-extended-support-disabled",
        "deletionProtection": settings.safety.deletion_protection,
        "skipFinalSnapshot": not settings.safety.final_snapshot,
        "finalSnapshotIdentifier": f"payments-{stack}-{domain}-final",
        "backupRetentionPeriod": settings.databases[domain].backup_retention_days,  # type: ignore[index]
    }


NAMED = ("kmsKeyId", "masterUserSecretKmsKeyId", "dbSubnetGroupName", "vpcSecurityGroupIds")


@on_aws
def test_every_unsafe_default_of_rds_is_overridden(stack: str) -> None:
    settings = load_settings(stack, config_of(stack), [], root=ROOT)
    instances = recorded(stack).of("aws:rds/instance:Instance")
    assert len(instances) == 5
    for made in instances:
        domain = made.name.removeprefix(f"payments-{stack}-").removesuffix("-instance")
        asked = settings.databases[domain]  # type: ignore[index]
        wanted = common(stack, domain) | {
            "publiclyAccessible": False,
            "autoMinorVersionUpgrade": True,
            "enabledCloudwatchLogsExports": ["postgresql", "upgrade"],
            "performanceInsightsEnabled": True,
            "storageType": "gp3",
            "identifier": f"payments-{stack}-{domain}",
            "multiAz": asked.high_availability,
            "allocatedStorage": asked.storage_gib,
            "maxAllocatedStorage": asked.max_storage_gib,
            "backupWindow": asked.backup_window,
            "maintenanceWindow": asked.maintenance_window,
        }
        assert {key: made.inputs.get(key) for key in wanted} == wanted
        for key in (*NAMED, "parameterGroupName", "performanceInsightsKmsKeyId"):
            assert made.inputs.get(key), key
        assert "password" not in made.inputs
        assert sum("LogGroup" in urn for urn in made.depends_on) == 2  # or RDS makes them, and keeps logs for ever
    for group in recorded(stack).of("aws:rds/parameterGroup:ParameterGroup"):
        assert parameters(group)["rds.force_ssl"] == ("1", "immediate")


def test_every_unsafe_default_of_aurora_is_overridden() -> None:
    record = with_clearing("prod", engine="aurora")
    cluster = record.one("payments-prod-clearing-cluster", "aws:rds/cluster:Cluster")
    wanted = common("prod", "clearing") | {
        "engine": "aurora-postgresql",
        "enabledCloudwatchLogsExports": ["postgresql"],
        "preferredBackupWindow": "18:30-19:30",
        "preferredMaintenanceWindow": "sun:20:00-sun:21:00",
        "storageType": "aurora-iopt1",
        "availabilityZones": ["ap-southeast-1a", "ap-southeast-1b", "ap-southeast-1c"],
    }
    assert {key: cluster.inputs.get(key) for key in wanted} == wanted
    assert all(cluster.inputs.get(key) for key in (*NAMED, "dbClusterParameterGroupName"))
    assert "masterPassword" not in cluster.inputs
    # What Aurora adds to the list of zones would replace the cluster.
    assert cluster.ignore_changes == ("availabilityZones",)
    # A ledger that pauses makes the first payment of the morning wait; the block is not used at all.
    assert "serverlessv2ScalingConfiguration" not in cluster.inputs
    instances = record.of("aws:rds/clusterInstance:ClusterInstance")
    assert [made.inputs["promotionTier"] for made in instances] == [0, 1]
    for made in instances:
        assert (made.inputs["publiclyAccessible"], made.inputs["copyTagsToSnapshot"]) == (False, True)
        assert made.inputs["performanceInsightsEnabled"] is True
    (group,) = record.of("ClusterParameterGroup")
    assert parameters(group)["rds.force_ssl"] == ("1", "immediate")
    assert not [made for made in record.of("aws:rds/instance:Instance") if "clearing" in made.name]


def test_aurora_over_two_zones_leaves_the_choice_of_the_third_to_aurora() -> None:
    record = with_clearing("dev", engine="aurora", instance_class="db.t4g.medium")
    (cluster,) = record.of("aws:rds/cluster:Cluster")
    assert "availabilityZones" not in cluster.inputs
    assert cluster.ignore_changes == ("availabilityZones",)


@pytest.mark.parametrize("engine", ["postgres", "aurora"])
def test_the_switch_for_logical_replication_waits_for_a_restart_and_is_watched(engine: str) -> None:
    record = with_clearing("prod", engine=engine, logical_replication=True)
    groups = [made for made in record.of("ParameterGroup") if made.type.startswith("aws:rds/")]
    (group,) = [made for made in groups if made.name == "payments-prod-clearing-settings"]
    assert parameters(group)["rds.logical_replication"] == ("1", "pending-reboot")
    assert parameters(group)["max_connections"][1] == "pending-reboot"
    slot = record.one("payments-prod-clearing-alarm-slot", "MetricAlarm").inputs
    assert slot["metricName"] == "OldestReplicationSlotLag"
    if engine == "postgres":  # half of 1000 GiB, and the alarm comes at half of that
        assert parameters(group)["max_slot_wal_keep_size"] == ("512000", "immediate")
        assert slot["threshold"] == 250 * 1024**3
    assert [made for made in groups if "rds.logical_replication" in parameters(made)] == [group]


def test_each_alarm_has_its_bound_in_the_units_of_its_metric() -> None:
    found = {bound.metric: (bound.beyond, bound.threshold) for bound in bounds(spec())}
    assert found == {
        "CPUUtilization": ("above", 90),
        "DatabaseConnections": ("above", 320),
        "FreeStorageSpace": ("below", 15 * 1024**3),
    }
    found = {
        bound.metric: (bound.beyond, bound.threshold)
        for bound in bounds(spec(engine="aurora", instance_class="db.r7g.large"))
    }
    assert found["VolumeBytesUsed"] == ("above", pytest.approx(425 * 1024**3))
    assert found["AuroraReplicaLagMaximum"] == ("above", 60_000)
    assert "FreeStorageSpace" not in found


def test_alarms_tell_the_topics_of_the_account() -> None:
    topic = "arn:aws:sns:ap-southeast-1:111122223333:oncall"
    config = config_of("staging")
    aws = {**json.loads(config["payments:aws"]), "alarm_topics": [topic]}
    record = run("staging", config | {"payments:aws": json.dumps(aws)})
    alarms = [made for made in record.of("MetricAlarm") if made.inputs["namespace"] == "AWS/RDS"]
    assert len(alarms) == 3 * 5
    for made in alarms:
        assert made.inputs["alarmActions"] == made.inputs["okActions"] == [topic]
        assert (made.inputs["period"], made.inputs["evaluationPeriods"]) == (300, 3)


@needs_crds
@pytest.mark.parametrize("highly", [True, False])
@pytest.mark.parametrize("logical", [True, False])
@pytest.mark.parametrize("stack", ["local", "edge"])
def test_every_object_of_cloudnativepg_is_what_its_operator_takes(stack: str, highly: bool, logical: bool) -> None:
    domain = "gateway" if stack == "edge" else "clearing"
    wanted = {domain: {"high_availability": highly and stack != "edge", "logical_replication": logical}}
    record = run(stack, config_of(stack) | {"payments:databases": json.dumps(wanted)})
    objects = [
        made
        for group in ("postgresql.cnpg.io", "barmancloud.cnpg.io")
        for made in record.resources
        if f":{group}/" in made.type
    ]
    assert {made.inputs["kind"] for made in objects} == {"Cluster", "ObjectStore", "ScheduledBackup", "DatabaseRole"}
    for made in objects:
        assert refusals({key: made.inputs[key] for key in ("apiVersion", "kind", "metadata", "spec")}) == [], made.name


def test_a_highly_available_postgres_on_kubernetes_waits_for_its_standby() -> None:
    record = with_clearing("local", high_availability=True, logical_replication=True)
    cluster = record.one("payments-local-clearing-cluster", "Cluster").inputs["spec"]
    assert cluster["instances"] == 3
    assert cluster["postgresql"]["synchronous"] == {
        "method": "any",
        "number": 1,
        "dataDurability": "required",  # preferred with a quorum lost data in 47 % of runs (#8790)
        "failoverQuorum": True,
    }
    assert not {"minSyncReplicas", "maxSyncReplicas", "backup"} & set(cluster)  # deprecated; in-tree Barman goes
    assert cluster["affinity"]["podAntiAffinityType"] == "required"
    assert (cluster["enablePDB"], cluster["primaryUpdateStrategy"]) == (True, "supervised")
    assert cluster["walStorage"]["size"] == "5Gi"
    assert cluster["plugins"][0] | {"isWALArchiver": True} == cluster["plugins"][0]
    # A follower's slot is there on the standby that takes over (PostgreSQL 17).
    assert cluster["replicationSlots"]["highAvailability"]["synchronizeLogicalDecoding"] is True
    assert cluster["postgresql"]["parameters"]["sync_replication_slots"] == "on"
    assert "wal_level" not in cluster["postgresql"]["parameters"]  # fixed by the operator, and logical already
    assert not cluster["enableSuperuserAccess"]


@pytest.mark.parametrize("stack", ["local", "edge"])
def test_a_single_postgres_lets_its_node_be_drained_and_is_backed_up_each_day(stack: str) -> None:
    record = recorded(stack)
    for made in record.of("cnpg.io/v1:Cluster"):
        cluster = made.inputs["spec"]
        assert (cluster["instances"], cluster["enablePDB"]) == (1, False)
        assert cluster["primaryUpdateStrategy"] == "unsupervised"  # the operator refuses the other for one instance
        assert "synchronous" not in cluster["postgresql"]
    schedules = [made.inputs["spec"] for made in record.of("ScheduledBackup")]
    assert {made["schedule"] for made in schedules} == {"0 30 18 * * *"}  # six fields: 18:30, not 00:30 each 18th
    assert {made["method"] for made in schedules} == {"plugin"}


REFUSED_VALUES = {
    "storage cannot grow": ({"max_storage_gib": 100}, "max_storage_gib must be at least 110"),
    "too many connections": ({"max_connections": 1000}, "max_connections must be at most 896"),
    "a log volume too small": ({"memory_gib": 64, "wal_gib": 20}, "wal_gib must be at least 32"),
    "windows overlap": ({"maintenance_window": "sun:19:00-sun:20:00"}, "must not overlap backup_window"),
    "windows overlap past midnight": (
        {"backup_window": "23:30-00:30", "maintenance_window": "mon:00:00-mon:00:45"},
        "must not overlap backup_window",
    ),
    "windows overlap around the week": (
        {"backup_window": "00:00-00:30", "maintenance_window": "sun:23:30-mon:00:10"},
        "must not overlap backup_window",
    ),
    "a window too short": ({"backup_window": "18:30-18:45"}, "backup_window must last 30 minutes to 24 hours"),
    "a window of days": ({"maintenance_window": "mon:01:00-wed:01:00"}, "maintenance_window must last 30 minutes"),
    "no such hour": ({"backup_window": "18:30-25:00"}, "String should match pattern"),
    "a class that Aurora has not": ({"engine": "aurora"}, "write an r class, such as db.r7g.large"),
    "backups off": ({"backup_retention_days": 0}, "greater than or equal to 1"),
    "more than RDS keeps": ({"backup_retention_days": 36}, "less than or equal to 35"),
    "a version out of support": ({"postgres_version": 14}, "greater than or equal to 15"),
    "disks below gp3's least": ({"storage_gib": 19}, "greater than or equal to 20"),
    "insights that RDS refuses": ({"insights_retention_days": 30}, "Input should be 7, 31"),
    "an alarm that never comes": (
        {"alarms": {**DATABASE[Tier.STAGING]["alarms"], "connections_percent": 100}},
        "less than or equal to 95",
    ),
}


@pytest.mark.parametrize(("change", "said"), REFUSED_VALUES.values(), ids=REFUSED_VALUES.keys())
def test_a_value_out_of_bounds_is_refused_and_the_refusal_says_what_to_write(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        spec(**change)


def test_windows_that_only_touch_are_right() -> None:
    assert spec(backup_window="23:00-00:00", maintenance_window="mon:00:00-mon:00:30")
    assert len(minutes("sun:23:30-mon:00:30")) == 60


REFUSED_BY_TARGET = [
    ({"high_availability": True}, Target.EDGE, "write false"),
    ({"engine": "aurora", "instance_class": "db.r7g.large"}, Target.KUBERNETES, "write postgres"),
    ({"high_availability": True, "logical_replication": True, "postgres_version": 16}, Target.KUBERNETES, "write 17"),
]


@pytest.mark.parametrize(("change", "target", "said"), REFUSED_BY_TARGET)
def test_a_target_refuses_what_it_cannot_keep(change: dict[str, Any], target: Target, said: str) -> None:
    asked = spec(**{"high_availability": False, **change})
    (refused,) = asked.refused_by(target)
    assert said in refused[1]
    assert asked.refused_by(Target.AWS) == ()
    stack = {Target.EDGE: "edge", Target.KUBERNETES: "local"}[target]
    domain = {"edge": "gateway", "local": "clearing"}[stack]
    with pytest.raises(pulumi.RunError, match=said):
        run(stack, config_of(stack) | {"payments:databases": json.dumps({domain: change})})


def parameters(group: Any) -> dict[str, tuple[str, str]]:
    return {found["name"]: (found["value"], found["applyMethod"]) for found in group.inputs["parameters"]}
