"""Rules for Redis and Valkey in ElastiCache."""

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import HIGH, LOW, MEDIUM
from tollgate.policy.statement import rule

GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
# Words of an access string that let a user do everything, and those that take the dangerous part away again (Valkey,
# ACL). The order counts: later words win.
EVERYTHING = frozenset({"+@all", "allcommands", "+@dangerous", "+@admin"})
TAKEN_BACK = frozenset({"-@all", "nocommands", "-@dangerous"})


@rule(
    id="cache-replication-encrypt",
    why="Payment state in a cache is payment data: on disk and on the wire it must be unreadable to others.",
    severity=HIGH,
    controls=("PCI-DSS 3.5.1", "PCI-DSS 4.2.1", "FSBP ElastiCache.4", "FSBP ElastiCache.5"),
    types=(GROUP,),
    fix="set transitEncryptionEnabled and atRestEncryptionEnabled to true",
    good={"transitEncryptionEnabled": True, "atRestEncryptionEnabled": True},
    bad={"transitEncryptionEnabled": False, "atRestEncryptionEnabled": True},
    also_bad={"on disk": {"transitEncryptionEnabled": True, "atRestEncryptionEnabled": False}},
)
def replication_encrypted(cache: Reading) -> Check:
    return cache["transitEncryptionEnabled"].is_true() & cache["atRestEncryptionEnabled"].is_true()


@rule(
    id="cache-transport-demand",
    why="Encryption that is only preferred lets a client that forgets it talk in the clear.",
    severity=HIGH,
    controls=("PCI-DSS 4.2.1", "FSBP ElastiCache.5"),
    types=(GROUP,),
    fix="set transitEncryptionMode to required (preferred is for the day of a move only)",
    good={"transitEncryptionMode": "required"},
    bad={"transitEncryptionMode": "preferred"},
)
def transport_demanded(cache: Reading) -> Check:
    return cache["transitEncryptionMode"].one_of("required")


@rule(
    id="cache-storage-key",
    why="Only a key of our own can be withdrawn, watched and shared on our terms.",
    severity=MEDIUM,
    controls=("PCI-DSS 3.6.1",),
    types=(GROUP, "aws:elasticache/serverlessCache:ServerlessCache"),
    fix="set kmsKeyId to the platform's own key",
    good={"kmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/data"},
    bad={"kmsKeyId": ""},
    later=("kmsKeyId",),
)
def storage_key_own(cache: Reading) -> Check:
    return cache["kmsKeyId"].is_set()


@rule(
    id="cache-login-demand",
    why="A cache without sign-in is open to every program in the network, whatever it belongs to.",
    severity=HIGH,
    controls=("PCI-DSS 7.2.5", "PCI-DSS 8.6.2", "FSBP ElastiCache.6"),
    types=(GROUP,),
    fix="set userGroupIds to a group of users (or authToken to a secret)",
    good={"userGroupIds": ["payments"]},
    bad={"userGroupIds": []},
    also_good={"a shared secret": {"userGroupIds": [], "authToken": "only-for-the-example"}},
    later=("userGroupIds[*]",),
)
def login_demanded(cache: Reading) -> Check:
    return cache["userGroupIds"].has_items().unless(cache["authToken"].is_set())


@rule(
    id="cache-group-closed",
    why="The user called default needs no password and may do everything.",
    severity=HIGH,
    controls=("PCI-DSS 2.2.2", "PCI-DSS 7.2.5"),
    types=("aws:elasticache/userGroup:UserGroup",),
    fix="take default out of userIds and name a user for each service",
    good={"userIds": ["gateway", "clearing"]},
    bad={"userIds": ["gateway", "default"]},
    also_bad={"nobody": {"userIds": []}},
    also_good={"one": {"userIds": ["gateway"]}},
)
def group_closed(group: Reading) -> Check:
    users = group["userIds"]
    return users.has_items() & users.each(lambda user: user.none_of("default"))


@rule(
    id="cache-user-password",
    why="A user who needs no password is everybody.",
    severity=HIGH,
    controls=("PCI-DSS 8.3.1",),
    types=("aws:elasticache/user:User",),
    fix="set authenticationMode.type to iam (or password), and leave noPasswordRequired out",
    good={"authenticationMode": {"type": "iam"}, "noPasswordRequired": False},
    bad={"authenticationMode": {"type": "no-password-required"}, "noPasswordRequired": False},
    also_good={"a password": {"authenticationMode": {"type": "password"}, "noPasswordRequired": False}},
    also_bad={"said otherwise": {"authenticationMode": {"type": "iam"}, "noPasswordRequired": True}},
    # pulumi_aws 7.51.1: a password is required unless this says otherwise.
    defaults={"noPasswordRequired": False},
)
def user_signs_in(user: Reading) -> Check:
    return user["authenticationMode.type"].one_of("iam", "password") & user["noPasswordRequired"].is_false()


@rule(
    id="cache-user-limit",
    why="A service that may empty the whole store or change its settings can lose every payment in flight.",
    severity=HIGH,
    controls=("PCI-DSS 7.2.5",),
    types=("aws:elasticache/user:User",),
    fix="add -@dangerous at the end of accessString, or name the commands that are needed",
    good={"accessString": "on ~payments:* +@all -@dangerous"},
    bad={"accessString": "on ~payments:* +@all"},
    also_good={
        "named": {"accessString": "on ~payments:* -@all +get +set"},
        "in other words": {"accessString": "on ~* ALLCOMMANDS -@dangerous +get"},
    },
    also_bad={
        "given back": {"accessString": "on ~payments:* -@dangerous +@all"},
        "the administrator's": {"accessString": "on ~payments:* -@all +@admin"},
        "the dangerous ones": {"accessString": "on ~payments:* +get +@dangerous"},
        "in capitals": {"accessString": "on ~payments:* +@ALL"},
        "no text": {"accessString": ["+get"]},
    },
)
def user_limited(user: Reading) -> Check:
    return user["accessString"].satisfies(_is_limited, "an access string without dangerous commands")


def _is_limited(text: object) -> bool:
    words = [word.lower() for word in text.split()] if isinstance(text, str) else ["+@all"]
    steps = [word in EVERYTHING for word in words if word in EVERYTHING | TAKEN_BACK]
    return not (steps and steps[-1])


@rule(
    id="cache-network-place",
    why="Without a place of its own a cache stands in the account's default network, beside everything else.",
    severity=HIGH,
    controls=("PCI-DSS 1.3.1", "FSBP ElastiCache.7"),
    types=(GROUP,),
    fix="set subnetGroupName to the data subnets and securityGroupIds to the cache's security group",
    good={"subnetGroupName": "data", "securityGroupIds": ["sg-cache"]},
    bad={"subnetGroupName": "data", "securityGroupIds": []},
    also_bad={
        "default subnets": {"subnetGroupName": "default", "securityGroupIds": ["sg-cache"]},
        "no subnets": {"subnetGroupName": "", "securityGroupIds": ["sg-cache"]},
    },
    later=("subnetGroupName", "securityGroupIds[*]"),
)
def network_place_own(cache: Reading) -> Check:
    return cache["subnetGroupName"].none_of("", "default") & cache["securityGroupIds"].has_items()


@rule(
    id="cache-failover-enable",
    why="When the first server is lost, another must take over without waiting for a person.",
    severity=HIGH,
    controls=("FSBP ElastiCache.3",),
    types=(GROUP,),
    fix="set automaticFailoverEnabled to true",
    good={"automaticFailoverEnabled": True},
    bad={"automaticFailoverEnabled": False},
)
def failover_enabled(cache: Reading) -> Check:
    return cache["automaticFailoverEnabled"].is_true()


@rule(
    id="cache-zone-redundant",
    why="The loss of one data centre must not stop payments.",
    severity=LOW,  # a small stack does without; staging and prod make it mandatory
    controls=("FSBP ElastiCache.3",),
    types=(GROUP,),
    fix="set multiAzEnabled to true",
    good={"multiAzEnabled": True},
    bad={"multiAzEnabled": False},
)
def zone_redundant(cache: Reading) -> Check:
    return cache["multiAzEnabled"].is_true()


@rule(
    id="cache-write-durable",
    why="A lock or a step of a payment that was acknowledged must survive the loss of the server that held it.",
    severity=LOW,  # a small stack does without; staging and prod make it mandatory
    controls=("Seed 5", "Seed 8"),
    types=(GROUP,),
    fix="set durability to sync (Valkey 9 and cluster mode), or tag a mere cache with purpose: cache",
    good={"durability": "sync"},
    bad={"durability": "default"},
    also_good={"a mere cache": {"durability": "default", "tags": {"purpose": "cache"}}},
    also_bad={"after a while": {"durability": "async"}},
)
def write_durable(cache: Reading) -> Check:
    return cache["durability"].one_of("sync").unless(cache["tags.purpose"].one_of("cache"))


@rule(
    id="cache-memory-keep",
    why="A lock that is thrown out when memory runs short lets the same payment through twice.",
    severity=HIGH,
    controls=("Seed 5",),
    types=("aws:elasticache/parameterGroup:ParameterGroup",),
    fix="set the parameter maxmemory-policy to noeviction, or tag a mere cache's group with purpose: cache",
    good={"parameters": [{"name": "maxmemory-policy", "value": "noeviction"}]},
    bad={"parameters": [{"name": "maxmemory-policy", "value": "volatile-lru"}]},
    also_good={
        "a mere cache": {
            "parameters": [{"name": "maxmemory-policy", "value": "volatile-lru"}],
            "tags": {"purpose": "cache"},
        },
        "among others": {
            "parameters": [
                {"name": "cluster-enabled", "value": "yes"},
                {"name": "maxmemory-policy", "value": "noeviction"},
            ]
        },
    },
    also_bad={
        "left to the default": {"parameters": []},
        "another parameter": {"parameters": [{"name": "maxmemory-samples", "value": "noeviction"}]},
    },
)
def memory_kept(group: Reading) -> Check:
    def keeps(parameter: Reading) -> Check:
        return parameter["name"].one_of("maxmemory-policy") & parameter["value"].one_of("noeviction")

    kept = group["parameters"].some(keeps, "maxmemory-policy noeviction among them")
    return kept.unless(group["tags.purpose"].one_of("cache"))


@rule(
    id="cache-parameter-own",
    why="The provider's default settings throw data out when memory runs short, and cannot be changed.",
    severity=HIGH,
    controls=("Seed 5",),
    types=(GROUP,),
    fix="set parameterGroupName to a group of the store's own",
    good={"parameterGroupName": "payments-settings"},
    bad={"parameterGroupName": "default.valkey9"},
    also_bad={"no name": {"parameterGroupName": ""}},
    later=("parameterGroupName",),
)
def parameters_own(cache: Reading) -> Check:
    name = cache["parameterGroupName"]
    return name.is_set() & name.satisfies(lambda text: not str(text).startswith("default."), "a group of its own")


@rule(
    id="cache-backup-retain",
    why="A store that cannot be filled again from a backup starts empty, and forgets which payments are under way.",
    severity=HIGH,
    controls=("PCI-DSS 10.3.3", "FSBP ElastiCache.1"),
    types=(GROUP,),
    fix="set snapshotRetentionLimit to 1 day or more, or tag a mere cache with purpose: cache",
    good={"snapshotRetentionLimit": 1},
    bad={"snapshotRetentionLimit": 0},
    also_good={"a mere cache": {"snapshotRetentionLimit": 0, "tags": {"purpose": "cache"}}},
)
def backup_retained(cache: Reading) -> Check:
    return cache["snapshotRetentionLimit"].at_least(1, "days").unless(cache["tags.purpose"].one_of("cache"))


@rule(
    id="cache-version-patch",
    why="Known holes in a store must be closed within a month.",
    severity=MEDIUM,
    controls=("PCI-DSS 6.3.3", "FSBP ElastiCache.2"),
    types=(GROUP, "aws:mq/broker:Broker"),
    fix="set autoMinorVersionUpgrade to true",
    good={"autoMinorVersionUpgrade": True},
    bad={"autoMinorVersionUpgrade": False},
)
def version_patched(store: Reading) -> Check:
    return store["autoMinorVersionUpgrade"].is_true()


@rule(
    id="cache-cluster-replicate",
    why="A lone cache server can neither encrypt what it says nor be replaced when it fails.",
    severity=HIGH,
    controls=("PCI-DSS 4.2.1", "FSBP ElastiCache.3"),
    types=("aws:elasticache/cluster:Cluster",),
    fix="use a replication group, and set replicationGroupId for a server that joins one",
    good={"replicationGroupId": "payments"},
    bad={"replicationGroupId": ""},
    later=("replicationGroupId",),
)
def cluster_replicated(cluster: Reading) -> Check:
    return cluster["replicationGroupId"].is_set()
