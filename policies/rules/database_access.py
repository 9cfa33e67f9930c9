"""Rules for who reaches a managed database and how it is kept up to date: RDS and Aurora."""

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import HIGH, LOW, MEDIUM
from tollgate.policy.statement import rule

INSTANCE, CLUSTER = "aws:rds/instance:Instance", "aws:rds/cluster:Cluster"
MEMBER = "aws:rds/clusterInstance:ClusterInstance"
# Names that every attacker tries first (AWS FSBP RDS.24 and RDS.25).
COMMON_NAMES = ("admin", "administrator", "postgres", "root", "sa", "user")
# Parameters that refuse connections without TLS, in PostgreSQL and in MySQL (RDS user guide).
TLS_ONLY = ("rds.force_ssl", "require_secure_transport")
SWITCHED_ON = ("1", 1, "on", "ON")


@rule(
    id="database-password-managed",
    why="A password that nobody has ever seen cannot be leaked, written down or forgotten.",
    severity=HIGH,
    controls=("PCI-DSS 8.6.2", "PCI-DSS 8.6.3"),
    types=(INSTANCE, CLUSTER),
    fix="set manageMasterUserPassword to true and give no password",
    good={"manageMasterUserPassword": True},
    bad={"manageMasterUserPassword": False},
    also_good={
        "a copy takes its source's": {"manageMasterUserPassword": False, "replicateSourceDb": "ledger"},
        "so does a copy of a cluster": {"manageMasterUserPassword": False, "replicationSourceIdentifier": "ledger"},
    },
)
def password_managed(database: Reading) -> Check:
    copy = database["replicateSourceDb"].is_set() | database["replicationSourceIdentifier"].is_set()
    return database["manageMasterUserPassword"].is_true().unless(copy)


@rule(
    id="database-password-key",
    why="Who may read the database's password is decided by the key that it is locked with.",
    severity=MEDIUM,
    controls=("PCI-DSS 3.6.1",),
    types=(INSTANCE, CLUSTER),
    fix="set masterUserSecretKmsKeyId to the platform's own key",
    good={"manageMasterUserPassword": True, "masterUserSecretKmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/data"},
    bad={"manageMasterUserPassword": True, "masterUserSecretKmsKeyId": ""},
    also_good={"no password of its own": {"masterUserSecretKmsKeyId": ""}},
    # pulumi_aws 7.51.1: a password is managed only where this is set.
    defaults={"manageMasterUserPassword": False},
    later=("masterUserSecretKmsKeyId",),
)
def password_key_own(database: Reading) -> Check:
    return database["masterUserSecretKmsKeyId"].is_set().unless(database["manageMasterUserPassword"].is_false())


@rule(
    id="database-login-identity",
    why="Services that sign in with their identity need no password that could leak.",
    severity=MEDIUM,
    controls=("PCI-DSS 7.2.5", "FSBP RDS.10", "FSBP RDS.12"),
    types=(INSTANCE, CLUSTER),
    fix="set iamDatabaseAuthenticationEnabled to true",
    good={"iamDatabaseAuthenticationEnabled": True},
    bad={"iamDatabaseAuthenticationEnabled": False},
)
def login_by_identity(database: Reading) -> Check:
    return database["iamDatabaseAuthenticationEnabled"].is_true()


@rule(
    id="database-owner-own",
    why="A well-known name for the owner leaves only the password to be guessed.",
    severity=LOW,
    controls=("PCI-DSS 2.2.2", "FSBP RDS.24", "FSBP RDS.25"),
    types=(INSTANCE, CLUSTER),
    fix="give the owner a name of its own in username (for a cluster: masterUsername)",
    good={"username": "owner_of_ledger", "masterUsername": "owner_of_ledger"},
    bad={"username": "postgres", "masterUsername": "owner_of_ledger"},
    also_bad={
        "a cluster's": {"username": "owner_of_ledger", "masterUsername": "admin"},
        "in capitals": {"username": "owner_of_ledger", "masterUsername": "Admin"},
    },
    # pulumi_aws 7.51.1: each of the types has one of the two; a copy of another database has neither.
    defaults={"username": None, "masterUsername": None},
)
def owner_has_own_name(database: Reading) -> Check:
    return _uncommon(database["username"]) & _uncommon(database["masterUsername"])


def _uncommon(name: Reading) -> Check:
    return name.satisfies(lambda text: str(text).lower() not in COMMON_NAMES, "a name that is not the usual one")


@rule(
    id="database-transport-encrypt",
    why="Payment data must not cross the network in a form that others can read.",
    severity=HIGH,
    controls=("PCI-DSS 4.2.1", "FSBP RDS.38"),
    types=("aws:rds/parameterGroup:ParameterGroup", "aws:rds/clusterParameterGroup:ClusterParameterGroup"),
    fix="set the parameter rds.force_ssl (MySQL: require_secure_transport) to 1",
    good={"parameters": [{"name": "rds.force_ssl", "value": "1"}]},
    bad={"parameters": [{"name": "rds.force_ssl", "value": "0"}]},
    also_good={
        "MySQL": {"parameters": [{"name": "require_secure_transport", "value": "ON"}]},
        "a number": {"parameters": [{"name": "rds.force_ssl", "value": 1}]},
        "among others": {"parameters": [{"name": "x", "value": "0"}, {"name": "rds.force_ssl", "value": "1"}]},
        "twice": {"parameters": [{"name": "rds.force_ssl", "value": "1"}, {"name": "rds.force_ssl", "value": "1"}]},
    },
    also_bad={
        "not there": {"parameters": [{"name": "rds.log_retention_period", "value": "1"}]},
        "taken back": {
            "parameters": [{"name": "rds.force_ssl", "value": "1"}, {"name": "rds.force_ssl", "value": "0"}]
        },
        "left to the default": {"parameters": []},
    },
)
def transport_encrypted(group: Reading) -> Check:
    wanted = f"{TLS_ONLY[0]} or {TLS_ONLY[1]}, set to 1"

    def is_about_tls(parameter: Reading) -> Check:
        return parameter["name"].one_of(*TLS_ONLY)

    def leaves_tls_on(parameter: Reading) -> Check:
        return parameter["name"].none_of(*TLS_ONLY) | parameter["value"].one_of(*SWITCHED_ON)

    parameters = group["parameters"]
    said = parameters.some(is_about_tls, wanted) & parameters.each(leaves_tls_on)
    return parameters.any_of([said], f"{wanted}, once and for all")


@rule(
    id="database-proxy-encrypt",
    why="A proxy that takes connections in the clear undoes what the database behind it demands.",
    severity=HIGH,
    controls=("PCI-DSS 4.2.1",),
    types=("aws:rds/proxy:Proxy",),
    fix="set requireTls to true",
    good={"requireTls": True},
    bad={"requireTls": False},
)
def proxy_encrypted(proxy: Reading) -> Check:
    return proxy["requireTls"].is_true()


@rule(
    id="database-parameter-own",
    why="The provider's default settings are shared by everyone, cannot be changed and change without notice.",
    severity=MEDIUM,
    controls=("PCI-DSS 2.2.1",),
    types=(INSTANCE,),
    fix="set parameterGroupName to a group of the database's own",
    good={"parameterGroupName": "ledger-settings"},
    bad={"parameterGroupName": "default.postgres17"},
    also_bad={"no name": {"parameterGroupName": ""}},
    later=("parameterGroupName",),
)
def parameters_own(database: Reading) -> Check:
    return _own_group(database["parameterGroupName"])


@rule(
    id="database-cluster-parameter",
    why="The provider's default settings for clusters are shared by everyone and cannot be changed.",
    severity=MEDIUM,
    controls=("PCI-DSS 2.2.1",),
    types=(CLUSTER,),
    fix="set dbClusterParameterGroupName to a group of the cluster's own",
    good={"dbClusterParameterGroupName": "ledger-settings"},
    bad={"dbClusterParameterGroupName": "default.aurora-postgresql17"},
    later=("dbClusterParameterGroupName",),
)
def cluster_parameters_own(cluster: Reading) -> Check:
    return _own_group(cluster["dbClusterParameterGroupName"])


def _own_group(name: Reading) -> Check:
    return name.is_set() & name.satisfies(lambda text: not str(text).startswith("default."), "a group of its own")


@rule(
    id="database-log-export",
    why="Who signed in and what failed must be kept where the database's own users cannot remove it.",
    severity=HIGH,
    controls=("PCI-DSS 10.2.1", "FSBP RDS.9", "FSBP RDS.36", "FSBP RDS.37"),
    types=(INSTANCE, CLUSTER),
    fix="set enabledCloudwatchLogsExports to postgresql (MySQL: audit)",
    good={"enabledCloudwatchLogsExports": ["postgresql"]},
    bad={"enabledCloudwatchLogsExports": ["upgrade"]},
    also_good={"MySQL": {"enabledCloudwatchLogsExports": ["audit"]}},
    also_bad={"none": {"enabledCloudwatchLogsExports": []}},
)
def logs_exported(database: Reading) -> Check:
    exported = database["enabledCloudwatchLogsExports"]
    return exported.some(lambda kind: kind.one_of("postgresql", "audit"), "postgresql or audit among them")


@rule(
    id="database-insight-enable",
    why="Without a record of what a database was busy with, a slow payment cannot be explained.",
    severity=LOW,
    types=(INSTANCE, MEMBER),
    fix="set performanceInsightsEnabled to true",
    good={"performanceInsightsEnabled": True},
    bad={"performanceInsightsEnabled": False},
)
def insights_enabled(instance: Reading) -> Check:
    return instance["performanceInsightsEnabled"].is_true()


@rule(
    id="database-insight-key",
    why="What a database was busy with holds parts of its data, and is read by whoever may use the key.",
    severity=LOW,
    controls=("PCI-DSS 3.6.1",),
    types=(INSTANCE, MEMBER),
    fix="set performanceInsightsKmsKeyId to the platform's own key",
    good={
        "performanceInsightsEnabled": True,
        "performanceInsightsKmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/d",
    },
    bad={"performanceInsightsEnabled": True, "performanceInsightsKmsKeyId": ""},
    also_good={"not recorded": {"performanceInsightsEnabled": False}},
    # pulumi_aws 7.51.1: nothing is recorded when left out.
    defaults={"performanceInsightsEnabled": False},
    later=("performanceInsightsKmsKeyId",),
)
def insights_key_own(instance: Reading) -> Check:
    return instance["performanceInsightsKmsKeyId"].is_set().unless(instance["performanceInsightsEnabled"].is_false())


@rule(
    id="database-copy-encrypt",
    why="Data on its way from the old system to a service is payment data, too.",
    severity=HIGH,
    controls=("PCI-DSS 4.2.1", "FSBP DMS.9", "Seed 17"),
    types=("aws:dms/endpoint:Endpoint",),
    fix="set sslMode to require, verify-ca or verify-full",
    good={"sslMode": "require"},
    bad={"sslMode": "none"},
    also_good={"checked": {"sslMode": "verify-ca"}, "checked by name, too": {"sslMode": "verify-full"}},
)
def copy_encrypted(endpoint: Reading) -> Check:
    return endpoint["sslMode"].one_of("require", "verify-ca", "verify-full")


@rule(
    id="database-copy-heartbeat",
    why="A copy that nobody reads for a while holds back the source's log until its disk is full.",
    severity=MEDIUM,
    controls=("Seed 17",),
    types=("aws:dms/endpoint:Endpoint",),
    fix="set postgresSettings.heartbeatEnable to true",
    good={"endpointType": "source", "postgresSettings": {"heartbeatEnable": True}},
    bad={"endpointType": "source", "postgresSettings": {"heartbeatEnable": False}},
    also_good={
        "where the copy goes to": {"endpointType": "target"},
        "no PostgreSQL": {"endpointType": "source", "engineName": "mysql"},
    },
    also_bad={"Aurora": {"endpointType": "source", "engineName": "aurora-postgresql"}},
)
def copy_has_heartbeat(endpoint: Reading) -> Check:
    another = endpoint["engineName"].satisfies(lambda name: "postgres" not in str(name), "another engine")
    return (
        endpoint["postgresSettings.heartbeatEnable"]
        .is_true()
        .unless(endpoint["endpointType"].one_of("target") | another)
    )
