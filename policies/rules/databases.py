"""Rules for what a managed database keeps: RDS and Aurora, and the stores that share their settings."""

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import CRITICAL, HIGH, LOW, MEDIUM
from tollgate.policy.statement import rule

# The least that AWS FSBP RDS.11 asks for. A tier may ask for more; none may have less.
BACKUP_DAYS = 7
INSTANCE, CLUSTER = "aws:rds/instance:Instance", "aws:rds/cluster:Cluster"
MEMBER = "aws:rds/clusterInstance:ClusterInstance"
# DocumentDB and Neptune clusters are made by the same service and take the same settings.
STORES = (INSTANCE, CLUSTER, "aws:docdb/cluster:Cluster", "aws:neptune/cluster:Cluster")


@rule(
    id="database-backup-retain",
    why="A ledger that cannot be restored to last week cannot be trusted after a fault.",
    severity=HIGH,
    controls=("PCI-DSS 10.3.3", "FSBP RDS.11"),
    types=STORES,
    fix=f"set backupRetentionPeriod to {BACKUP_DAYS} days or more",
    good={"backupRetentionPeriod": BACKUP_DAYS},
    bad={"backupRetentionPeriod": BACKUP_DAYS - 1},
)
def backup_retained(database: Reading) -> Check:
    return database["backupRetentionPeriod"].at_least(BACKUP_DAYS, "days")


@rule(
    id="database-backup-keep",
    why="Backups that are deleted together with the database cannot bring it back.",
    severity=HIGH,
    controls=("PCI-DSS 10.3.3", "Seed 19"),
    types=(INSTANCE, CLUSTER),
    fix="set deleteAutomatedBackups to false",
    good={"deleteAutomatedBackups": False},
    bad={"deleteAutomatedBackups": True},
)
def backup_kept(database: Reading) -> Check:
    return database["deleteAutomatedBackups"].is_false()


@rule(
    id="database-backup-tag",
    why="A snapshot without its database's labels belongs to nobody and is cleaned away or kept for ever.",
    severity=LOW,
    controls=("FSBP RDS.16", "FSBP RDS.17"),
    types=(INSTANCE, CLUSTER),
    fix="set copyTagsToSnapshot to true",
    good={"copyTagsToSnapshot": True},
    bad={"copyTagsToSnapshot": False},
)
def backup_tagged(database: Reading) -> Check:
    return database["copyTagsToSnapshot"].is_true()


@rule(
    id="database-storage-encrypt",
    why="A disk or snapshot that leaves the account must not be readable.",
    severity=HIGH,
    controls=("PCI-DSS 3.5.1", "FSBP RDS.3", "FSBP RDS.27"),
    types=(*STORES, "aws:rds/globalCluster:GlobalCluster"),
    fix="set storageEncrypted to true",
    good={"storageEncrypted": True},
    bad={"storageEncrypted": False},
)
def storage_encrypted(database: Reading) -> Check:
    return database["storageEncrypted"].is_true()


@rule(
    id="database-storage-key",
    why="Only a key of our own can be withdrawn, watched and shared on our terms.",
    severity=MEDIUM,
    controls=("PCI-DSS 3.6.1", "PCI-DSS 3.7.4"),
    types=STORES,
    fix="set kmsKeyId to the platform's own key",
    good={"kmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/data"},
    bad={"kmsKeyId": ""},
    later=("kmsKeyId",),
)
def storage_key_own(database: Reading) -> Check:
    return database["kmsKeyId"].is_set()


@rule(
    id="database-storage-grow",
    why="A full disk is the commonest way for a database to stop.",
    severity=MEDIUM,
    types=(INSTANCE,),
    fix="set maxAllocatedStorage above allocatedStorage",
    good={"maxAllocatedStorage": 200, "allocatedStorage": 100},
    bad={"maxAllocatedStorage": 100, "allocatedStorage": 100},
    also_bad={"growth switched off": {"maxAllocatedStorage": 0, "allocatedStorage": 100}},
)
def storage_grows(database: Reading) -> Check:
    return database["maxAllocatedStorage"].more_than(database["allocatedStorage"])


@rule(
    id="database-instance-private",
    why="A database with a public address can be attacked from anywhere.",
    severity=CRITICAL,
    controls=("PCI-DSS 1.4.4", "FSBP RDS.2", "FSBP DMS.1"),
    types=(
        INSTANCE,
        MEMBER,
        "aws:dms/replicationInstance:ReplicationInstance",
        "aws:neptune/clusterInstance:ClusterInstance",
        "aws:redshift/cluster:Cluster",
    ),
    fix="set publiclyAccessible to false",
    good={"publiclyAccessible": False},
    bad={"publiclyAccessible": True},
)
def instance_private(instance: Reading) -> Check:
    return instance["publiclyAccessible"].is_false()


@rule(
    id="database-network-place",
    why="Without a place of its own a database stands in the account's default network, beside everything else.",
    severity=HIGH,
    controls=("PCI-DSS 1.3.1", "PCI-DSS 1.4.4"),
    types=(INSTANCE, CLUSTER),
    fix="set dbSubnetGroupName to the data subnets and vpcSecurityGroupIds to the database's security group",
    good={"dbSubnetGroupName": "data", "vpcSecurityGroupIds": ["sg-database"]},
    bad={"dbSubnetGroupName": "data", "vpcSecurityGroupIds": []},
    also_bad={"default subnets": {"dbSubnetGroupName": "", "vpcSecurityGroupIds": ["sg-database"]}},
    later=("dbSubnetGroupName", "vpcSecurityGroupIds[*]"),
)
def network_place_own(database: Reading) -> Check:
    return database["dbSubnetGroupName"].is_set() & database["vpcSecurityGroupIds"].has_items()


@rule(
    id="database-delete-protect",
    why="One wrong word in a change must not be able to delete a ledger.",
    severity=LOW,  # a stack that is thrown away does without; staging, prod and edge make it mandatory
    controls=("FSBP RDS.7", "FSBP RDS.8", "Seed 19"),
    types=(*STORES, "aws:rds/globalCluster:GlobalCluster"),
    fix="set deletionProtection to true",
    good={"deletionProtection": True},
    bad={"deletionProtection": False},
)
def deletion_protected(database: Reading) -> Check:
    return database["deletionProtection"].is_true()


@rule(
    id="database-snapshot-final",
    why="The last state of a database that is deleted is the one that auditors ask for.",
    severity=LOW,  # a stack that is thrown away does without; staging, prod and edge make it mandatory
    controls=("PCI-DSS 10.3.3", "Seed 19"),
    types=STORES,
    fix="set skipFinalSnapshot to false and give a finalSnapshotIdentifier",
    good={"skipFinalSnapshot": False, "finalSnapshotIdentifier": "ledger-final"},
    bad={"skipFinalSnapshot": True, "finalSnapshotIdentifier": "ledger-final"},
    also_bad={"no name for it": {"skipFinalSnapshot": False, "finalSnapshotIdentifier": ""}},
    # pulumi_aws 7.51.1, argument skip_final_snapshot: "Default is false".
    defaults={"skipFinalSnapshot": False},
)
def final_snapshot_taken(database: Reading) -> Check:
    return database["skipFinalSnapshot"].is_false() & database["finalSnapshotIdentifier"].is_set()


@rule(
    id="database-zone-redundant",
    why="The loss of one data centre must not stop payments.",
    severity=LOW,  # a small stack does without; staging and prod make it mandatory
    controls=("FSBP RDS.5",),
    types=(INSTANCE,),
    fix="set multiAz to true",
    good={"multiAz": True},
    bad={"multiAz": False},
    also_good={"a copy of another database": {"multiAz": False, "replicateSourceDb": "ledger"}},
)
def zone_redundant(database: Reading) -> Check:
    return database["multiAz"].is_true().unless(database["replicateSourceDb"].is_set())


@rule(
    id="database-cluster-zones",
    why="A cluster with fewer than three zones named is deleted and made anew by the next change.",
    severity=MEDIUM,
    types=(CLUSTER,),
    fix="set availabilityZones to three zones",
    good={"availabilityZones": ["a", "b", "c"]},
    bad={"availabilityZones": ["a", "b"]},
    also_bad={"one without a name": {"availabilityZones": ["a", "b", ""]}},
)
def cluster_zones_stated(cluster: Reading) -> Check:
    zones = cluster["availabilityZones"]
    return zones.has_items() & zones.satisfies(lambda names: isinstance(names, list) and len(names) == 3, "3 zones")


@rule(
    id="database-cluster-awake",
    why="A ledger that falls asleep lets the first payment of the morning wait, or fail.",
    severity=MEDIUM,
    types=(CLUSTER,),
    fix="set serverlessv2ScalingConfiguration.minCapacity to 0.5 or more, or leave the block out",
    good={"serverlessv2ScalingConfiguration": {"minCapacity": 0.5}},
    bad={"serverlessv2ScalingConfiguration": {"minCapacity": 0.0}},
    also_good={"no serverless cluster": {}},
)
def cluster_stays_awake(cluster: Reading) -> Check:
    scaling = cluster["serverlessv2ScalingConfiguration"]
    return scaling["minCapacity"].at_least(0.5, "units").unless(scaling.is_left_out())


@rule(
    id="database-snapshot-private",
    why="A snapshot that is shared with all is a copy of the ledger for everyone.",
    severity=CRITICAL,
    controls=("PCI-DSS 7.2.1", "FSBP RDS.1"),
    types=("aws:rds/snapshot:Snapshot", "aws:rds/clusterSnapshot:ClusterSnapshot", "aws:rds/snapshotCopy:SnapshotCopy"),
    fix="take all out of sharedAccounts",
    good={"sharedAccounts": ["111122223333"]},
    bad={"sharedAccounts": ["all"]},
    also_bad={"beside one account": {"sharedAccounts": ["111122223333", "all"]}},
    also_good={"two accounts": {"sharedAccounts": ["111122223333", "444455556666"]}},
    # pulumi_aws 7.51.1: a snapshot is shared with nobody unless this says so.
    defaults={"sharedAccounts": None},
)
def snapshot_private(snapshot: Reading) -> Check:
    return snapshot["sharedAccounts"].each(lambda account: account.none_of("all"))
