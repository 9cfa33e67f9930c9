"""PostgreSQL on Kubernetes and at the edge: a CloudNativePG cluster with its backups."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.base import Component
from components.cluster import Place, custom_resource, whole
from components.naming import physical
from components.postgres import (
    MIB_A_GIB,
    PORT,
    SIGN_IN,
    SLOW_STATEMENT_MS,
    BackupStore,
    DatabaseOutputs,
    Upstream,
    administrator,
    slot_limit_mib,
)
from components.specs import DatabaseSpec

BACKUP_PLUGIN = "barman-cloud.cloudnative-pg.io"
# Three copies: with two, one that is down leaves nobody to wait for; failover by quorum needs three as well.
COPIES = 3


def cnpg_cluster(
    home: Component,
    name: str,
    spec: DatabaseSpec,
    *,
    place: Place,
    backups: BackupStore,
    follows: Upstream | None = None,
) -> DatabaseOutputs:
    """A cluster, the store of its backups, and its daily backup."""
    called = physical(name)
    store = _backup_store(home, called, spec, place, backups)
    cluster = custom_resource(
        home.child("cluster"),
        "postgresql.cnpg.io/v1",
        "Cluster",
        place=place,
        called=called,
        ready="condition=Ready",
        spec={**_cluster_spec(called, spec, place), **_upstream(follows)},
        # What a cluster starts with is read once, so another database name is another cluster; its own name is taken.
        opts=home.stateful(depends_on=[store], replace_on_changes=["spec.bootstrap"], delete_before_replace=True),
    )
    custom_resource(
        home.child("daily"),
        "postgresql.cnpg.io/v1",
        "ScheduledBackup",
        place=place,
        called=called,
        spec={
            "schedule": _six_fields(spec.backup_window),
            "cluster": {"name": called},
            "backupOwnerReference": "none",  # backups outlive the schedule
            "method": "plugin",
            "pluginConfiguration": {"name": BACKUP_PLUGIN},
            "immediate": True,
        },
        opts=home.within(depends_on=[cluster], replace_on_changes=["spec.cluster"], delete_before_replace=True),
    )
    host = pulumi.Output.concat(f"{called}-rw.", place.namespace, ".svc")
    return DatabaseOutputs(host, PORT, spec.database_name, f"{called}-app", called, f"{called}-ca")


def _six_fields(backup_window: str) -> str:
    """The start of the window as CloudNativePG writes schedules: six fields, seconds first."""
    hour, minute = backup_window.partition("-")[0].split(":")
    return f"0 {int(minute)} {int(hour)} * * *"


def _backup_store(
    home: Component, called: str, spec: DatabaseSpec, place: Place, backups: BackupStore
) -> CustomResource:
    where = {
        "destinationPath": backups.destination,
        "s3Credentials": {
            "accessKeyId": {"name": backups.secret_ref, "key": "access_key_id"},
            "secretAccessKey": {"name": backups.secret_ref, "key": "secret_access_key"},
        },
        "wal": {"compression": "gzip"},
        "data": {"compression": "gzip"},
    }
    if backups.endpoint_url:
        where["endpointURL"] = backups.endpoint_url
    return custom_resource(
        home.child("backups"),
        "barmancloud.cnpg.io/v1",
        "ObjectStore",
        place=place,
        called=called,
        spec={"configuration": where, "retentionPolicy": f"{spec.backup_retention_days}d"},
        opts=home.stateful(),
    )


def _cluster_spec(called: str, spec: DatabaseSpec, place: Place) -> dict[str, Any]:
    """The CloudNativePG Cluster (1.30)."""
    storage = {"storageClass": place.storage_class, "resizeInUseVolumes": True}
    owner = administrator(spec)
    wanted: dict[str, Any] = {
        "instances": COPIES if spec.high_availability else 1,
        "imageCatalogRef": {
            "apiGroup": "postgresql.cnpg.io",
            "kind": "ClusterImageCatalog",
            "name": "postgresql",
            "major": spec.postgres_version,
        },
        "bootstrap": {"initdb": {"database": spec.database_name, "owner": owner, "dataChecksums": True}},
        # The owner makes the roles of the service, as the administrator does on RDS. It is no superuser.
        "managed": {"roles": [{"name": owner, "ensure": "present", "login": True, "createrole": True}]},
        "postgresql": _postgresql(spec),
        "storage": {"size": f"{spec.storage_gib}Gi", **storage},
        # A disk of its own for the write-ahead log: a full disk is the commonest outage (#7150).
        "walStorage": {"size": f"{spec.wal_gib}Gi", **storage},
        "resources": whole(spec.cpu, spec.memory_gib),
        "affinity": {
            "enablePodAntiAffinity": True,
            "podAntiAffinityType": "required" if spec.high_availability else "preferred",
            "topologyKey": "topology.kubernetes.io/zone" if place.zoned else "kubernetes.io/hostname",
        },
        "enablePDB": spec.high_availability,  # for one instance it would only block node drains
        "enableSuperuserAccess": False,
        # Supervised: a person says when the primary moves. One instance has nowhere to move, and must not be.
        "primaryUpdateStrategy": "supervised" if spec.high_availability else "unsupervised",
        "plugins": [{"name": BACKUP_PLUGIN, "isWALArchiver": True, "parameters": {"barmanObjectName": called}}],
    }
    if spec.high_availability and spec.logical_replication:  # a follower goes on reading after a failover
        wanted["replicationSlots"] = {"highAvailability": {"enabled": True, "synchronizeLogicalDecoding": True}}
    return wanted


def _upstream(follows: Upstream | None) -> dict[str, Any]:
    """The server that subscriptions of this database name."""
    if follows is None:
        return {}
    parameters = {
        "host": follows.host,
        "port": str(follows.port),
        "dbname": follows.database_name,
        "user": follows.user,
        "sslmode": "verify-full",
    }
    known_by = {
        "password": {"name": follows.password_ref, "key": "password"},
        "sslRootCert": {"name": follows.authority_ref, "key": "ca.crt"},
    }
    return {"externalClusters": [{"name": follows.name, "connectionParameters": parameters, **known_by}]}


def _postgresql(spec: DatabaseSpec) -> dict[str, Any]:
    """Server parameters, and replication. CloudNativePG's wal_level is logical already."""
    parameters = {
        "log_min_duration_statement": str(SLOW_STATEMENT_MS),
        "max_connections": str(spec.max_connections),
        "shared_buffers": f"{spec.memory_gib * MIB_A_GIB // 4}MB",  # PostgreSQL, resource consumption: 25 %
        "max_wal_size": f"{spec.wal_gib * MIB_A_GIB // 2}MB",
        "max_slot_wal_keep_size": f"{slot_limit_mib(spec.wal_gib)}MB",
    }
    roles = ",".join(f"{spec.database_name}_{role}" for role in SIGN_IN)
    wanted = {"parameters": parameters, "pg_hba": ["hostnossl all all all reject", f"hostssl all {roles} all cert"]}
    if not spec.high_availability:
        return wanted
    if spec.logical_replication:  # slots are kept in step on the standbys (PostgreSQL 17, slot synchronisation)
        parameters |= {"sync_replication_slots": "on", "hot_standby_feedback": "on"}
    # ``preferred`` lost data in 47 % of runs (#8790): required means that no standby, no commit.
    synchronous = {"method": "any", "number": 1, "dataDurability": "required", "failoverQuorum": True}
    return {**wanted, "synchronous": synchronous}
