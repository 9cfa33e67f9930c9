"""Database: one PostgreSQL server for one domain."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.base import Component, Refusal
from components.cluster import Place
from components.database_alarms import alarms
from components.naming import physical
from components.network import NetworkOutputs
from components.postgres import BackupStore, DatabaseOutputs, Upstream
from components.postgres_cnpg import cnpg_cluster
from components.postgres_rds import aurora_cluster, rds_instance
from components.specs import DatabaseSpec, Safety, Target

__all__ = ["BackupStore", "Database", "DatabaseOutputs"]


class Database(Component, token="tollgate:data:Database"):
    """One PostgreSQL server.

    Declares, on aws: for ``engine: postgres`` an RDS parameter group and instance, for ``aurora`` a cluster parameter
    group, cluster and one or two instances; CloudWatch log groups; alarms on processor, connections, storage, lag of
    a reader and of the slowest follower. On kubernetes and edge: CloudNativePG Cluster, backup ObjectStore, daily
    ScheduledBackup.

    Units: storage and memory in GiB, windows in UTC.

    Guarantees: encrypted at rest and in transit; private; point-in-time restore; a last snapshot, and backups that
    outlive the server; the password is made and kept by the provider and is in no state file; with
    ``high_availability`` no acknowledged commit is lost with one server; a follower that stops cannot fill the disk
    (its slot is given up first; Aurora's storage grows). Changing ``logical_replication`` or ``max_connections`` takes
    effect at the next restart.

    ``follows`` makes another server known to a CloudNativePG cluster, for subscriptions to name.

    Errors: Refusal when the target cannot keep a promise of the spec, or a dependency of the target is missing.

    Source: pulumi_aws.rds 7.51 (defaults), RDS and Aurora user guides, CloudNativePG 1.30 documentation.
    """

    def __init__(
        self,
        name: str,
        spec: DatabaseSpec,
        *,
        target: Target,
        safety: Safety,
        network: NetworkOutputs | None = None,
        zones: tuple[str, ...] = (),
        key_arn: pulumi.Input[str] | None = None,
        tell: Sequence[pulumi.Input[str]] = (),
        place: Place | None = None,
        backups: BackupStore | None = None,
        follows: Upstream | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, safety=safety, opts=opts)
        self.refuse(spec.refused_by(target))
        if target is Target.AWS:
            if network is None or key_arn is None:
                raise Refusal(f"{name}: on aws a database needs a network and a KMS key")
            if spec.engine == "aurora":
                outputs = aurora_cluster(self, name, spec, safety=safety, network=network, key_arn=key_arn, zones=zones)
            else:
                outputs = rds_instance(self, name, spec, safety=safety, network=network, key_arn=key_arn)
            alarms(self, physical(name), spec, tell=tell)
        else:
            if place is None or backups is None:
                raise Refusal(f"{name}: on {target} a database needs a namespace and a backup store")
            outputs = cnpg_cluster(self, name, spec, place=place, backups=backups, follows=follows)
        self.outputs = self.register(outputs)
