"""Database: one PostgreSQL server for one domain."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_aws import rds
from pulumi_kubernetes.apiextensions import CustomResource

from components.base import Component, Refusal
from components.cluster import Place, custom_resource, whole
from components.naming import physical
from components.network import NetworkOutputs
from components.specs import DatabaseSpec, Safety, Target

PORT = 5432
# A statement slower than this is logged, in milliseconds. AWS "Working with query logging" starts at 1 s.
SLOW_STATEMENT_MS = 1000
BACKUP_PLUGIN = "barman-cloud.cloudnative-pg.io"


@dataclass(frozen=True)
class BackupStore:
    """Where CloudNativePG sends backups: an S3 path, and the Secret with access_key_id and secret_access_key."""

    destination: str
    endpoint_url: str | None
    secret_ref: str


@dataclass(frozen=True)
class DatabaseOutputs:
    """How to reach the database. ``secret_ref`` names the secret with its user and password: never the secret."""

    host: pulumi.Input[str]
    port: int
    database_name: str
    secret_ref: pulumi.Input[str]


class Database(Component, token="tollgate:data:Database"):
    """One PostgreSQL server.

    Declares, on aws: RDS parameter group and instance. On kubernetes and edge: CloudNativePG Cluster, backup
    ObjectStore, daily ScheduledBackup.

    Guarantees: encrypted at rest and in transit; private; point-in-time restore; the password is made and kept by
    the provider and is in no state file; with ``high_availability`` no acknowledged commit is lost with one server.
    Raises Refusal when the target cannot keep a promise of the spec.
    """

    def __init__(
        self,
        name: str,
        spec: DatabaseSpec,
        *,
        target: Target,
        safety: Safety,
        network: NetworkOutputs | None = None,
        key_arn: pulumi.Input[str] | None = None,
        place: Place | None = None,
        backups: BackupStore | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, safety=safety, opts=opts)
        self.refuse(spec.refused_by(target))
        if target is Target.AWS:
            if network is None or key_arn is None:
                raise Refusal(f"{name}: on aws a database needs a network and a KMS key")
            outputs = self._rds(name, spec, safety, network, key_arn)
        else:
            if place is None or backups is None:
                raise Refusal(f"{name}: on {target} a database needs a namespace and a backup store")
            outputs = self._cloudnative_pg(name, spec, place, backups)
        self.outputs = self.register(outputs)

    def _rds(
        self, name: str, spec: DatabaseSpec, safety: Safety, network: NetworkOutputs, key_arn: pulumi.Input[str]
    ) -> DatabaseOutputs:
        """Every provider default that is unsafe is set here (pulumi_aws.rds.Instance 7.51)."""
        settings = rds.ParameterGroup(
            self.child("settings"),
            family=f"postgres{spec.postgres_version}",
            description=f"{name}: TLS only, slow statements logged",
            parameters=[
                {"name": "rds.force_ssl", "value": "1"},
                {"name": "log_min_duration_statement", "value": str(SLOW_STATEMENT_MS)},
            ],
            opts=self.within(),
        )
        instance = rds.Instance(
            self.child("instance"),
            identifier=physical(name),
            engine="postgres",
            engine_version=str(spec.postgres_version),
            instance_class=spec.instance_class,
            db_name=spec.database_name,
            port=PORT,
            username="owner_of_" + spec.database_name[:54],  # 63 characters at most; admin names are guessed (RDS.25)
            manage_master_user_password=True,
            master_user_secret_kms_key_id=key_arn,
            iam_database_authentication_enabled=True,
            storage_type="gp3",
            allocated_storage=spec.storage_gib,
            max_allocated_storage=spec.max_storage_gib,
            storage_encrypted=True,
            kms_key_id=key_arn,
            multi_az=spec.high_availability,
            publicly_accessible=False,
            db_subnet_group_name=network.data_subnet_group,
            vpc_security_group_ids=[network.doors["database"]],
            parameter_group_name=settings.name,
            backup_retention_period=spec.backup_retention_days,
            delete_automated_backups=False,
            copy_tags_to_snapshot=True,
            skip_final_snapshot=not safety.final_snapshot,
            final_snapshot_identifier=f"{physical(name)}-final",
            deletion_protection=safety.deletion_protection,
            apply_immediately=False,
            auto_minor_version_upgrade=True,
            allow_major_version_upgrade=False,
            engine_lifecycle_support="open-source-rds-extended-support-disabled",
            enabled_cloudwatch_logs_exports=["postgresql", "upgrade"],
            performance_insights_enabled=True,
            performance_insights_kms_key_id=key_arn,
            performance_insights_retention_period=spec.insights_retention_days,
            opts=self.stateful(),
        )
        return DatabaseOutputs(
            host=instance.address,
            port=PORT,
            database_name=spec.database_name,
            secret_ref=instance.master_user_secrets.apply(lambda secrets: str(secrets[0].secret_arn)),
        )

    def _cloudnative_pg(self, name: str, spec: DatabaseSpec, place: Place, backups: BackupStore) -> DatabaseOutputs:
        called = physical(name)
        store = self._backup_store(called, spec, place, backups)
        cluster = custom_resource(
            self.child("cluster"),
            "postgresql.cnpg.io/v1",
            "Cluster",
            place=place,
            called=called,
            ready="condition=Ready",
            spec=_cluster_spec(called, spec, place),
            opts=self.stateful(depends_on=[store]),
        )
        custom_resource(
            self.child("daily"),
            "postgresql.cnpg.io/v1",
            "ScheduledBackup",
            place=place,
            called=called,
            spec={
                "schedule": "0 30 18 * * *",  # six fields, seconds first: 18:30 UTC, 02:30 in Shanghai
                "cluster": {"name": called},
                "backupOwnerReference": "none",  # backups outlive the schedule
                "method": "plugin",
                "pluginConfiguration": {"name": BACKUP_PLUGIN},
                "immediate": True,
            },
            opts=self.within(depends_on=[cluster], replace_on_changes=["spec.cluster"], delete_before_replace=True),
        )
        host = pulumi.Output.concat(f"{called}-rw.", place.namespace, ".svc")
        return DatabaseOutputs(host=host, port=PORT, database_name=spec.database_name, secret_ref=f"{called}-app")

    def _backup_store(self, called: str, spec: DatabaseSpec, place: Place, backups: BackupStore) -> CustomResource:
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
            self.child("backups"),
            "barmancloud.cnpg.io/v1",
            "ObjectStore",
            place=place,
            called=called,
            spec={"configuration": where, "retentionPolicy": f"{spec.backup_retention_days}d"},
            opts=self.stateful(),
        )


def _cluster_spec(called: str, spec: DatabaseSpec, place: Place) -> dict[str, object]:
    """The CloudNativePG Cluster (1.30). Synchronous ``required``: ``preferred`` lost data in 47 % of runs (#8790)."""
    postgresql: dict[str, object] = {"parameters": {"log_min_duration_statement": str(SLOW_STATEMENT_MS)}}
    if spec.high_availability:
        postgresql["synchronous"] = {
            "method": "any",
            "number": 1,
            "dataDurability": "required",
            "failoverQuorum": True,
        }
    storage = {"storageClass": place.storage_class, "resizeInUseVolumes": True}
    # A separate disk for the write-ahead log: a full disk is the commonest outage (#7150). The quarter is ours.
    wal_gib = max(10, spec.storage_gib // 4)
    return {
        "instances": 3 if spec.high_availability else 1,
        "imageCatalogRef": {
            "apiGroup": "postgresql.cnpg.io",
            "kind": "ClusterImageCatalog",
            "name": "postgresql",
            "major": spec.postgres_version,
        },
        "bootstrap": {"initdb": {"database": spec.database_name, "owner": spec.database_name, "dataChecksums": True}},
        "postgresql": postgresql,
        "storage": {"size": f"{spec.storage_gib}Gi", **storage},
        "walStorage": {"size": f"{wal_gib}Gi", **storage},
        "resources": whole(spec.cpu, spec.memory_gib),
        "affinity": {
            "enablePodAntiAffinity": True,
            "podAntiAffinityType": "required" if spec.high_availability else "preferred",
            "topologyKey": "topology.kubernetes.io/zone" if place.zoned else "kubernetes.io/hostname",
        },
        "enablePDB": spec.high_availability,  # for one instance it would only block node drains
        "enableSuperuserAccess": False,
        "primaryUpdateStrategy": "supervised" if spec.high_availability else "unsupervised",
        "plugins": [{"name": BACKUP_PLUGIN, "isWALArchiver": True, "parameters": {"barmanObjectName": called}}],
    }
