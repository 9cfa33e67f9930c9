"""Rules for databases: RDS and Aurora on AWS, CloudNativePG on Kubernetes."""

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import CRITICAL, HIGH
from tollgate.policy.statement import rule

# The least that AWS FSBP RDS.11 asks for. A tier may ask for more; none may have less.
BACKUP_DAYS = 7


@rule(
    id="database-backup-retain",
    why="A ledger that cannot be restored to last week cannot be trusted after a fault.",
    severity=HIGH,
    controls=("PCI-DSS 10.3.3", "FSBP RDS.11"),
    types=("aws:rds/instance:Instance", "aws:rds/cluster:Cluster"),
    fix=f"set backupRetentionPeriod to {BACKUP_DAYS} days or more",
    good={"backupRetentionPeriod": BACKUP_DAYS},
    bad={"backupRetentionPeriod": BACKUP_DAYS - 1},
)
def backup_retained(database: Reading) -> Check:
    return database["backupRetentionPeriod"].at_least(BACKUP_DAYS, "days")


@rule(
    id="database-storage-encrypt",
    why="A disk or snapshot that leaves the account must not be readable.",
    severity=HIGH,
    controls=("PCI-DSS 3.5.1", "FSBP RDS.3", "FSBP RDS.27"),
    types=("aws:rds/instance:Instance", "aws:rds/cluster:Cluster"),
    fix="set storageEncrypted to true",
    good={"storageEncrypted": True},
    bad={"storageEncrypted": False},
)
def storage_encrypted(database: Reading) -> Check:
    return database["storageEncrypted"].is_true()


@rule(
    id="database-instance-private",
    why="A database with a public address can be attacked from anywhere.",
    severity=CRITICAL,
    controls=("PCI-DSS 1.4.4", "FSBP RDS.2"),
    types=("aws:rds/instance:Instance", "aws:rds/clusterInstance:ClusterInstance"),
    fix="set publiclyAccessible to false",
    good={"publiclyAccessible": False},
    bad={"publiclyAccessible": True},
    # pulumi_aws 7.51.1, argument publicly_accessible: "Default is false".
    defaults={"publiclyAccessible": False},
)
def instance_private(instance: Reading) -> Check:
    return instance["publiclyAccessible"].is_false()


@rule(
    id="database-cluster-durable",
    why="A payment that was confirmed must survive the loss of the server that confirmed it.",
    severity=HIGH,
    types=("kubernetes:postgresql.cnpg.io/v1:Cluster",),
    fix="set spec.postgresql.synchronous to method any, number 1, dataDurability required",
    good={
        "spec": {
            "instances": 3,
            "postgresql": {"synchronous": {"method": "any", "number": 1, "dataDurability": "required"}},
        }
    },
    bad={
        "spec": {
            "instances": 3,
            "postgresql": {"synchronous": {"method": "any", "number": 1, "dataDurability": "preferred"}},
        }
    },
    # CloudNativePG 1.30: one instance (CRD), and dataDurability is required (API reference), when left out.
    defaults={"spec.instances": 1, "spec.postgresql.synchronous.dataDurability": "required"},
)
def cluster_durable(cluster: Reading) -> Check:
    synchronous = cluster["spec.postgresql.synchronous"]
    one_server = cluster["spec.instances"].at_most(1)  # it has no other copy to wait for
    waits = synchronous["number"].at_least(1) & synchronous["dataDurability"].one_of("required")
    return waits.unless(one_server)
