"""Rules for how a managed database is kept up to date: RDS, Aurora and the stores that share their settings."""

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import MEDIUM
from tollgate.policy.statement import rule

INSTANCE, CLUSTER = "aws:rds/instance:Instance", "aws:rds/cluster:Cluster"
MEMBER = "aws:rds/clusterInstance:ClusterInstance"
OLDEST_POSTGRES = 15  # 14 ended on 12 November 2026 (postgresql.org, versioning policy)


@rule(
    id="database-authority-modern",
    why="A certificate whose authority has expired makes careful clients stop and careless ones stop checking.",
    severity=MEDIUM,
    controls=("PCI-DSS 4.2.1",),
    types=(INSTANCE, MEMBER),
    fix="set caCertIdentifier to rds-ca-rsa2048-g1 (or rds-ca-rsa4096-g1, rds-ca-ecc384-g1), or leave it out",
    good={"caCertIdentifier": "rds-ca-rsa2048-g1"},
    bad={"caCertIdentifier": "rds-ca-2019"},
    also_good={
        "longer": {"caCertIdentifier": "rds-ca-rsa4096-g1"},
        "shorter": {"caCertIdentifier": "rds-ca-ecc384-g1"},
    },
    # RDS user guide, "Certificate authorities": the default of new databases.
    defaults={"caCertIdentifier": "rds-ca-rsa2048-g1"},
)
def authority_modern(instance: Reading) -> Check:
    return instance["caCertIdentifier"].one_of("rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1")


@rule(
    id="database-version-state",
    why="A database of a version that nobody repairs any more, or that nobody chose, has known holes.",
    severity=MEDIUM,
    controls=("PCI-DSS 6.3.3",),
    types=(INSTANCE, CLUSTER),
    fix=f"set engineVersion to {OLDEST_POSTGRES} or newer (of another engine: to one that you chose)",
    good={"engine": "postgres", "engineVersion": "15"},
    bad={"engine": "postgres", "engineVersion": "14.12"},
    also_good={
        "with its repairs": {"engine": "aurora-postgresql", "engineVersion": "17.4"},
        "another engine": {"engine": "mysql", "engineVersion": "8.4"},
        "a copy has its source's": {"replicateSourceDb": "ledger"},
    },
    also_bad={
        "another engine's, not said": {"engine": "mysql", "engineVersion": ""},
        "no number": {"engine": "postgres", "engineVersion": "x"},
    },
)
def version_stated(database: Reading) -> Check:
    version = database["engineVersion"]
    other = database["engine"].satisfies(lambda name: "postgres" not in str(name), "another engine")
    stated = version.is_set() & version.satisfies(_is_supported_postgres, f"{OLDEST_POSTGRES} or newer").unless(other)
    return stated.unless(database["replicateSourceDb"].is_set())


def _is_supported_postgres(version: object) -> bool:
    major = str(version).partition(".")[0]
    return major.isdecimal() and int(major) >= OLDEST_POSTGRES


@rule(
    id="database-version-patch",
    why="Known holes in a database must be closed within a month.",
    severity=MEDIUM,
    controls=("PCI-DSS 6.3.3", "FSBP RDS.13", "FSBP RDS.35"),
    types=(
        INSTANCE,
        MEMBER,
        "aws:neptune/clusterInstance:ClusterInstance",
        "aws:dms/replicationInstance:ReplicationInstance",
    ),
    fix="set autoMinorVersionUpgrade to true",
    good={"autoMinorVersionUpgrade": True},
    bad={"autoMinorVersionUpgrade": False},
)
def version_patched(instance: Reading) -> Check:
    return instance["autoMinorVersionUpgrade"].is_true()


@rule(
    id="database-version-hold",
    why="A new major version is a migration: it must not come along with some other change.",
    severity=MEDIUM,
    types=(INSTANCE, CLUSTER),
    fix="set allowMajorVersionUpgrade to false; set it to true only in the change that upgrades",
    good={"allowMajorVersionUpgrade": False},
    bad={"allowMajorVersionUpgrade": True},
    # pulumi_aws 7.51.1, argument allow_major_version_upgrade: "Defaults to false".
    defaults={"allowMajorVersionUpgrade": False},
)
def version_held(database: Reading) -> Check:
    return database["allowMajorVersionUpgrade"].is_false()


@rule(
    id="database-version-supported",
    why="A version past its end of life costs extra by the hour and gets its repairs late.",
    severity=MEDIUM,
    controls=("PCI-DSS 6.3.3",),
    types=(INSTANCE, CLUSTER),
    fix="set engineLifecycleSupport to open-source-rds-extended-support-disabled",
    good={"engineLifecycleSupport": "open-source-rds-extended-support-disabled"},
    bad={"engineLifecycleSupport": "open-source-rds-extended-support"},
)
def version_supported(database: Reading) -> Check:
    return database["engineLifecycleSupport"].one_of("open-source-rds-extended-support-disabled")


@rule(
    id="database-change-window",
    why="A change that takes effect at once may restart the store in the middle of the day's payments.",
    severity=MEDIUM,
    types=(
        INSTANCE,
        CLUSTER,
        MEMBER,
        "aws:docdb/cluster:Cluster",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        "aws:mq/broker:Broker",
        "aws:neptune/cluster:Cluster",
    ),
    fix="set applyImmediately to false",
    good={"applyImmediately": False},
    bad={"applyImmediately": True},
    # pulumi_aws 7.51.1, argument apply_immediately: "Default is false", of all of these types.
    defaults={"applyImmediately": False},
)
def change_waits_for_window(store: Reading) -> Check:
    return store["applyImmediately"].is_false()
