"""PostgreSQL on AWS: an RDS instance or an Aurora cluster, with every unsafe default of the provider overridden."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_aws import cloudwatch, rds

from components.base import Component
from components.naming import physical
from components.network import NetworkOutputs
from components.postgres import PORT, SLOW_STATEMENT_MS, DatabaseOutputs, administrator, slot_limit_mib
from components.specs import DatabaseSpec, Safety

# Out of support, AWS would go on patching an old version, and charge for it by the processor; we upgrade instead.
NO_EXTENDED_SUPPORT = "open-source-rds-extended-support-disabled"
AURORA = "aurora-postgresql"
# Aurora keeps its storage in this many zones, and adds what is missing to the list, which would replace the cluster.
AURORA_ZONES = 3


def rds_instance(
    home: Component,
    name: str,
    spec: DatabaseSpec,
    *,
    safety: Safety,
    network: NetworkOutputs,
    key_arn: pulumi.Input[str],
) -> DatabaseOutputs:
    """An RDS instance, with its parameters and its log groups."""
    called = physical(name)
    settings = rds.ParameterGroup(
        home.child("settings"),
        family=f"postgres{spec.postgres_version}",
        description=f"{name}: TLS only, slow statements logged",
        parameters=_parameters(spec),
        opts=home.within(),
    )
    exports = ["postgresql", "upgrade"]
    instance = rds.Instance(
        home.child("instance"),
        identifier=called,
        engine="postgres",
        engine_version=str(spec.postgres_version),
        instance_class=spec.instance_class,
        db_name=spec.database_name,
        port=PORT,
        username=administrator(spec),
        storage_type="gp3",
        allocated_storage=spec.storage_gib,
        max_allocated_storage=spec.max_storage_gib,
        multi_az=spec.high_availability,
        publicly_accessible=False,
        parameter_group_name=settings.name,
        backup_window=spec.backup_window,
        maintenance_window=spec.maintenance_window,
        auto_minor_version_upgrade=True,
        enabled_cloudwatch_logs_exports=exports,
        performance_insights_enabled=True,
        performance_insights_kms_key_id=key_arn,
        performance_insights_retention_period=spec.insights_retention_days,
        **_guards(called, spec, safety, network, key_arn),
        opts=home.stateful(depends_on=_log_groups(home, f"/aws/rds/instance/{called}", exports, spec)),
    )
    known_as = instance.resource_id
    return DatabaseOutputs(instance.address, PORT, spec.database_name, _secret(instance), resource_id=known_as)


def aurora_cluster(
    home: Component,
    name: str,
    spec: DatabaseSpec,
    *,
    safety: Safety,
    network: NetworkOutputs,
    key_arn: pulumi.Input[str],
    zones: tuple[str, ...],
) -> DatabaseOutputs:
    """An Aurora cluster: a writer, and with ``high_availability`` a reader that takes over."""
    called = physical(name)
    settings = rds.ClusterParameterGroup(
        home.child("settings"),
        family=f"{AURORA}{spec.postgres_version}",
        description=f"{name}: TLS only, slow statements logged",
        parameters=_parameters(spec),
        opts=home.within(),
    )
    exports = ["postgresql"]  # Aurora PostgreSQL has no upgrade log
    cluster = rds.Cluster(
        home.child("cluster"),
        cluster_identifier=called,
        engine=AURORA,
        engine_version=str(spec.postgres_version),
        database_name=spec.database_name,
        port=PORT,
        master_username=administrator(spec),
        storage_type="aurora-iopt1",  # payments write more than they read: no charge for each write
        availability_zones=list(zones) if len(zones) == AURORA_ZONES else None,
        db_cluster_parameter_group_name=settings.name,
        preferred_backup_window=spec.backup_window,
        preferred_maintenance_window=spec.maintenance_window,
        enabled_cloudwatch_logs_exports=exports,
        **_guards(called, spec, safety, network, key_arn),
        opts=home.stateful(
            ignore_changes=["availabilityZones"],
            depends_on=_log_groups(home, f"/aws/rds/cluster/{called}", exports, spec),
        ),
    )
    for number in range(2 if spec.high_availability else 1):
        rds.ClusterInstance(
            home.child(f"instance-{number}"),
            identifier=f"{called}-{number}",
            cluster_identifier=cluster.cluster_identifier,
            engine=AURORA,
            instance_class=spec.instance_class,
            promotion_tier=number,
            publicly_accessible=False,
            db_subnet_group_name=network.data_subnet_group,
            preferred_maintenance_window=spec.maintenance_window,
            auto_minor_version_upgrade=True,
            apply_immediately=False,
            copy_tags_to_snapshot=True,
            performance_insights_enabled=True,
            performance_insights_kms_key_id=key_arn,
            performance_insights_retention_period=spec.insights_retention_days,
            opts=home.stateful(),
        )
    known_as = cluster.cluster_resource_id
    return DatabaseOutputs(cluster.endpoint, PORT, spec.database_name, _secret(cluster), resource_id=known_as)


def _guards(
    called: str, spec: DatabaseSpec, safety: Safety, network: NetworkOutputs, key_arn: pulumi.Input[str]
) -> dict[str, Any]:
    """What an instance and a cluster have in common, nearly all of it off by default (pulumi_aws.rds 7.51)."""
    return {
        "manage_master_user_password": True,
        "master_user_secret_kms_key_id": key_arn,
        "iam_database_authentication_enabled": True,
        "storage_encrypted": True,
        "kms_key_id": key_arn,
        "db_subnet_group_name": network.data_subnet_group,
        "vpc_security_group_ids": [network.doors["database"]],
        "backup_retention_period": spec.backup_retention_days,
        "delete_automated_backups": False,
        "copy_tags_to_snapshot": True,
        "skip_final_snapshot": not safety.final_snapshot,
        "final_snapshot_identifier": f"{called}-final",
        "deletion_protection": safety.deletion_protection,
        "apply_immediately": False,
        "allow_major_version_upgrade": spec.allow_major_upgrade,
        "engine_lifecycle_support": NO_EXTENDED_SUPPORT,
    }


def _parameters(spec: DatabaseSpec) -> list[dict[str, str]]:
    """Server parameters. A static one waits for a restart; RDS refuses to apply it at once."""
    at_once = {"rds.force_ssl": "1", "log_min_duration_statement": str(SLOW_STATEMENT_MS)}
    at_restart = {"max_connections": str(spec.max_connections)}
    if spec.logical_replication:
        at_restart["rds.logical_replication"] = "1"
        if spec.engine == "postgres":  # Aurora's log lies in its storage, which grows
            at_once["max_slot_wal_keep_size"] = str(slot_limit_mib(spec.storage_gib))
    return [
        {"name": name, "value": value, "apply_method": method}
        for method, values in (("immediate", at_once), ("pending-reboot", at_restart))
        for name, value in values.items()
    ]


def _log_groups(home: Component, path: str, exports: list[str], spec: DatabaseSpec) -> list[cloudwatch.LogGroup]:
    """Made before the database: a group that RDS makes itself keeps its logs, and their price, for ever."""
    return [
        cloudwatch.LogGroup(
            home.child(f"log-{export}"),
            name=f"{path}/{export}",
            retention_in_days=spec.log_retention_days,
            opts=home.within(),
        )
        for export in exports
    ]


def _secret(made: rds.Instance | rds.Cluster) -> pulumi.Output[str]:
    """The ARN of the secret that RDS made for the administrator."""
    secret: pulumi.Output[str] = made.master_user_secrets.apply(lambda secrets: str(secrets[0].secret_arn))
    return secret
