"""Rules for PostgreSQL on Kubernetes: CloudNativePG 1.30 and the Barman Cloud plugin."""

import re

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import HIGH, MEDIUM
from tollgate.policy.statement import rule
from tollgate.policy.units import is_amount, quantity

CLUSTER = "kubernetes:postgresql.cnpg.io/v1:Cluster"
ARCHIVER = "barman-cloud.cloudnative-pg.io"
_DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")
_A_DIGEST = "f" * 64
_NO_PLAIN_TEXT = re.compile(r"\s*hostnossl\s+all\s+all\s+all\s+reject\s*")
_NO_PLAIN_TEXT_LINE = "hostnossl all all all reject"


def _one_server(cluster: Reading) -> Check:
    """It has no other copy to wait for, to spread or to switch to."""
    return cluster["spec.instances"].at_most(1)


@rule(
    id="database-cluster-durable",
    why="A payment that was confirmed must survive the loss of the server that confirmed it.",
    severity=HIGH,
    types=(CLUSTER,),
    fix="set spec.postgresql.synchronous to method any, number 1, dataDurability required",
    good={"spec": {"instances": 3, "postgresql": {"synchronous": {"number": 1, "dataDurability": "required"}}}},
    bad={"spec": {"instances": 3, "postgresql": {"synchronous": {"number": 1, "dataDurability": "preferred"}}}},
    also_good={"one server": {"spec": {"instances": 1}}},
    also_bad={
        "no copy waits": {
            "spec": {"instances": 3, "postgresql": {"synchronous": {"number": 0, "dataDurability": "required"}}}
        },
        "two servers": {"spec": {"instances": 2}},
    },
    # CloudNativePG 1.30: one instance (CRD), and dataDurability is required (API reference), when left out.
    defaults={"spec.instances": 1, "spec.postgresql.synchronous.dataDurability": "required"},
)
def cluster_durable(cluster: Reading) -> Check:
    synchronous = cluster["spec.postgresql.synchronous"]
    waits = synchronous["number"].at_least(1) & synchronous["dataDurability"].one_of("required")
    return waits.unless(_one_server(cluster))


@rule(
    id="database-failover-quorum",
    why="A copy that may have missed the last payments must not become the database.",
    severity=MEDIUM,
    types=(CLUSTER,),
    fix="set spec.postgresql.synchronous.failoverQuorum to true, when there are three instances or more",
    good={"spec": {"instances": 3, "postgresql": {"synchronous": {"failoverQuorum": True}}}},
    bad={"spec": {"instances": 3, "postgresql": {"synchronous": {"failoverQuorum": False}}}},
    also_good={"too few to ask": {"spec": {"instances": 2}}},
    # CRD clusters.postgresql.cnpg.io: one instance when left out.
    defaults={"spec.instances": 1},
)
def failover_by_quorum(cluster: Reading) -> Check:
    asks = cluster["spec.postgresql.synchronous.failoverQuorum"].is_true()
    return asks.unless(cluster["spec.instances"].at_most(2))


@rule(
    id="database-cluster-modern",
    why="The old way to wait for copies gives up waiting by itself and has lost confirmed payments.",
    severity=MEDIUM,
    types=(CLUSTER,),
    fix="leave spec.minSyncReplicas and spec.maxSyncReplicas out and set spec.postgresql.synchronous",
    good={"spec": {"minSyncReplicas": 0, "maxSyncReplicas": 0}},
    bad={"spec": {"minSyncReplicas": 1, "maxSyncReplicas": 0}},
    also_bad={"the other one": {"spec": {"minSyncReplicas": 0, "maxSyncReplicas": 1}}},
    # CRD clusters.postgresql.cnpg.io: default 0 for both.
    defaults={"spec.minSyncReplicas": 0, "spec.maxSyncReplicas": 0},
)
def cluster_modern(cluster: Reading) -> Check:
    return cluster["spec.minSyncReplicas"].at_most(0) & cluster["spec.maxSyncReplicas"].at_most(0)


@rule(
    id="database-cluster-spread",
    why="Copies on one machine are lost together with it.",
    severity=HIGH,
    types=(CLUSTER,),
    fix="set spec.affinity.podAntiAffinityType to required",
    good={"spec": {"instances": 3, "affinity": {"podAntiAffinityType": "required", "enablePodAntiAffinity": True}}},
    bad={"spec": {"instances": 3, "affinity": {"podAntiAffinityType": "preferred", "enablePodAntiAffinity": True}}},
    also_good={"one server": {"spec": {"instances": 1}}},
    also_bad={
        "switched off": {
            "spec": {"instances": 3, "affinity": {"podAntiAffinityType": "required", "enablePodAntiAffinity": False}}
        },
        "left to the default": {"spec": {"instances": 2}},
    },
    # CRD clusters.postgresql.cnpg.io: spread unless explicitly set to false; one instance when left out.
    defaults={"spec.instances": 1, "spec.affinity.enablePodAntiAffinity": True},
)
def cluster_spread(cluster: Reading) -> Check:
    affinity = cluster["spec.affinity"]
    spread = affinity["podAntiAffinityType"].one_of("required") & affinity["enablePodAntiAffinity"].is_true()
    return spread.unless(_one_server(cluster))


@rule(
    id="database-cluster-drain",
    why="A budget that can never be met blocks the repair of a machine, and none at all lets it stop the database.",
    severity=MEDIUM,
    types=(CLUSTER,),
    fix="set spec.enablePDB to true, and to false for one instance",
    good={"spec": {"instances": 3, "enablePDB": True}},
    bad={"spec": {"instances": 3, "enablePDB": False}},
    also_good={
        "one server": {"spec": {"instances": 1, "enablePDB": False}},
        "two": {"spec": {"instances": 2, "enablePDB": True}},
    },
    also_bad={
        "one server that may never move": {"spec": {"instances": 1, "enablePDB": True}},
        "two": {"spec": {"instances": 2, "enablePDB": False}},
    },
    # CRD clusters.postgresql.cnpg.io: one instance and a budget when left out.
    defaults={"spec.instances": 1, "spec.enablePDB": True},
)
def cluster_drains(cluster: Reading) -> Check:
    budget, alone = cluster["spec.enablePDB"], _one_server(cluster)
    several = cluster["spec.instances"].at_least(2)
    return budget.is_true().unless(alone) & budget.is_false().unless(several)


@rule(
    id="database-transport-refuse",
    why="A client that forgets encryption must be turned away, not served in the clear.",
    severity=HIGH,
    controls=("PCI-DSS 4.2.1",),
    types=(CLUSTER,),
    fix=f"set the first line of spec.postgresql.pg_hba to {_NO_PLAIN_TEXT_LINE}",
    good={"spec": {"postgresql": {"pg_hba": [_NO_PLAIN_TEXT_LINE]}}},
    bad={"spec": {"postgresql": {"pg_hba": ["host all all all scram-sha-256"]}}},
    also_good={"other spaces": {"spec": {"postgresql": {"pg_hba": ["hostnossl  all\tall all reject "]}}}},
    also_bad={
        "too late": {"spec": {"postgresql": {"pg_hba": ["host all all all md5", _NO_PLAIN_TEXT_LINE]}}},
        "one database only": {"spec": {"postgresql": {"pg_hba": ["hostnossl ledger all all reject"]}}},
    },
)
def plain_text_refused(cluster: Reading) -> Check:
    return cluster["spec.postgresql.pg_hba"][0].matches(_NO_PLAIN_TEXT, f'"{_NO_PLAIN_TEXT_LINE}" before all others')


@rule(
    id="database-archive-continue",
    why="Between two daily backups only the archived log can bring back today's payments.",
    severity=HIGH,
    controls=("PCI-DSS 10.3.3",),
    types=(CLUSTER,),
    fix=f"add {ARCHIVER} to spec.plugins with isWALArchiver true",
    good={"spec": {"plugins": [{"name": ARCHIVER, "isWALArchiver": True, "enabled": True}]}},
    bad={"spec": {"plugins": [{"name": ARCHIVER, "isWALArchiver": False, "enabled": True}]}},
    also_bad={
        "switched off": {"spec": {"plugins": [{"name": ARCHIVER, "isWALArchiver": True, "enabled": False}]}},
        "another plugin": {"spec": {"plugins": [{"name": "metrics", "isWALArchiver": True, "enabled": True}]}},
        "none": {"spec": {"plugins": []}},
    },
    # CRD clusters.postgresql.cnpg.io: a plugin is enabled unless it says otherwise.
    defaults={"spec.plugins[*].enabled": True},
)
def archive_continues(cluster: Reading) -> Check:
    def archives(plugin: Reading) -> Check:
        named = plugin["name"].one_of(ARCHIVER)
        return named & plugin["isWALArchiver"].is_true() & plugin["enabled"].is_true()

    return cluster["spec.plugins"].some(archives, f"{ARCHIVER} as the archiver")


@rule(
    id="database-archive-plugin",
    why="The built-in backup is gone in the next release of the operator, and backups would stop without a word.",
    severity=MEDIUM,
    types=(CLUSTER,),
    fix=f"leave spec.backup.barmanObjectStore out and use the plugin {ARCHIVER}",
    good={"spec": {"backup": {}}},
    bad={"spec": {"backup": {"barmanObjectStore": {"destinationPath": "s3://backups"}}}},
    also_good={"no word of it": {"spec": {}}},
)
def archive_by_plugin(cluster: Reading) -> Check:
    return cluster["spec.backup.barmanObjectStore"].is_left_out()


@rule(
    id="database-superuser-close",
    why="Whoever signs in as the superuser can change the ledger and the record of having done so.",
    severity=HIGH,
    controls=("PCI-DSS 7.2.5", "PCI-DSS 10.3.2"),
    types=(CLUSTER,),
    fix="set spec.enableSuperuserAccess to false",
    good={"spec": {"enableSuperuserAccess": False}},
    bad={"spec": {"enableSuperuserAccess": True}},
    # CRD clusters.postgresql.cnpg.io: default false.
    defaults={"spec.enableSuperuserAccess": False},
)
def superuser_closed(cluster: Reading) -> Check:
    return cluster["spec.enableSuperuserAccess"].is_false()


@rule(
    id="database-role-limit",
    why="A service's login that may do everything makes every other guard in the database worthless.",
    severity=HIGH,
    controls=("PCI-DSS 7.2.5",),
    types=("kubernetes:postgresql.cnpg.io/v1:DatabaseRole",),
    fix="set spec.superuser, spec.bypassrls, spec.createrole and spec.replication to false",
    good={"spec": {"superuser": False, "bypassrls": False, "createrole": False, "replication": False}},
    bad={"spec": {"superuser": True, "bypassrls": False, "createrole": False, "replication": False}},
    also_bad={
        "sees all rows": {"spec": {"superuser": False, "bypassrls": True, "createrole": False, "replication": False}},
        "makes roles": {"spec": {"superuser": False, "bypassrls": False, "createrole": True, "replication": False}},
        "copies all": {"spec": {"superuser": False, "bypassrls": False, "createrole": False, "replication": True}},
    },
    # CRD databaseroles.postgresql.cnpg.io: all four are false when left out.
    defaults={"spec.superuser": False, "spec.bypassrls": False, "spec.createrole": False, "spec.replication": False},
)
def role_limited(role: Reading) -> Check:
    spec = role["spec"]
    sees_all = spec["superuser"].is_false() & spec["bypassrls"].is_false()
    return sees_all & spec["createrole"].is_false() & spec["replication"].is_false()


@rule(
    id="database-owner-limit",
    why="A role that the cluster itself manages must not be a second superuser.",
    severity=HIGH,
    controls=("PCI-DSS 7.2.5",),
    types=(CLUSTER,),
    fix="set superuser and bypassrls of each of spec.managed.roles to false",
    good={"spec": {"managed": {"roles": [{"superuser": False, "bypassrls": False}]}}},
    bad={"spec": {"managed": {"roles": [{"superuser": True, "bypassrls": False}]}}},
    also_good={"two": {"spec": {"managed": {"roles": [{"superuser": False}, {"superuser": False}]}}}},
    also_bad={
        "sees all rows": {"spec": {"managed": {"roles": [{"superuser": False, "bypassrls": True}]}}},
        "one of two": {"spec": {"managed": {"roles": [{"superuser": False}, {"superuser": True}]}}},
    },
    # CRD clusters.postgresql.cnpg.io: no managed roles, and no such power, when left out.
    defaults={
        "spec.managed.roles": None,
        "spec.managed.roles[*].superuser": False,
        "spec.managed.roles[*].bypassrls": False,
    },
)
def owner_limited(cluster: Reading) -> Check:
    return cluster["spec.managed.roles"].each(lambda role: role["superuser"].is_false() & role["bypassrls"].is_false())


@rule(
    id="database-image-pin",
    why="A database image that can change under its name changes a ledger's engine without anybody's approval.",
    severity=HIGH,
    controls=("PCI-DSS 6.3.2", "Seed 14"),
    types=(CLUSTER,),
    fix="set spec.imageName to an image with its @sha256 digest, or spec.imageCatalogRef to a catalogue",
    good={"spec": {"imageName": f"ghcr.io/cloudnative-pg/postgresql:17.5@sha256:{_A_DIGEST}"}},
    bad={"spec": {"imageName": "ghcr.io/cloudnative-pg/postgresql:17.5"}},
    also_good={"a catalogue": {"spec": {"imageCatalogRef": {"name": "postgresql"}}}},
    also_bad={"neither": {"spec": {}}},
)
def image_pinned(cluster: Reading) -> Check:
    by_name = cluster["spec.imageName"].matches(_DIGEST, "an image with its @sha256 digest")
    return by_name.unless(cluster["spec.imageCatalogRef.name"].is_set())


@rule(
    id="database-catalog-pin",
    why="A catalogue whose images can change under their names pins nothing.",
    severity=HIGH,
    controls=("PCI-DSS 6.3.2", "Seed 14"),
    types=(
        "kubernetes:postgresql.cnpg.io/v1:ClusterImageCatalog",
        "kubernetes:postgresql.cnpg.io/v1:ImageCatalog",
    ),
    fix="set each of spec.images to an image with its @sha256 digest",
    good={"spec": {"images": [{"image": f"ghcr.io/cloudnative-pg/postgresql:17.5@sha256:{_A_DIGEST}"}]}},
    bad={"spec": {"images": [{"image": "ghcr.io/cloudnative-pg/postgresql:17.5"}]}},
    also_good={"two": {"spec": {"images": [{"image": f"postgresql@sha256:{_A_DIGEST}"}] * 2}}},
    also_bad={
        "one of two": {
            "spec": {"images": [{"image": f"postgresql@sha256:{_A_DIGEST}"}, {"image": "postgresql:latest"}]}
        }
    },
)
def catalog_pinned(catalog: Reading) -> Check:
    return catalog["spec.images"].each(
        lambda found: found["image"].matches(_DIGEST, "an image with its @sha256 digest")
    )


@rule(
    id="database-memory-reserve",
    why="A database whose memory is promised to others is the first to be killed when they use it.",
    severity=HIGH,
    controls=("Seed 20",),
    types=(CLUSTER,),
    fix="set spec.resources.requests.memory and spec.resources.limits.memory to the same amount",
    good={"spec": {"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "2Gi"}}}},
    bad={"spec": {"resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "2Gi"}}}},
    also_good={
        "in other words": {"spec": {"resources": {"requests": {"memory": "2048Mi"}, "limits": {"memory": "2Gi"}}}}
    },
)
def memory_reserved(cluster: Reading) -> Check:
    resources = cluster["spec.resources"]
    return resources["requests.memory"].same_as(resources["limits.memory"], quantity)


@rule(
    id="database-log-disk",
    why="A log that shares the data's disk fills it when a copy falls behind, and everything stops.",
    severity=MEDIUM,
    types=(CLUSTER,),
    fix="set spec.walStorage.size: the log gets a disk of its own",
    good={"spec": {"walStorage": {"size": "10Gi"}}},
    bad={"spec": {"walStorage": {"size": "0"}}},
)
def log_has_own_disk(cluster: Reading) -> Check:
    return cluster["spec.walStorage.size"].satisfies(is_amount, "a size")


@rule(
    id="database-record-retain",
    why="Taking a database out of the list must not throw its tables away.",
    severity=HIGH,
    controls=("Seed 19",),
    types=("kubernetes:postgresql.cnpg.io/v1:Database", "kubernetes:postgresql.cnpg.io/v1:DatabaseRole"),
    fix="set spec.databaseReclaimPolicy (for a role: spec.databaseRoleReclaimPolicy) to retain",
    good={"spec": {"databaseReclaimPolicy": "retain", "databaseRoleReclaimPolicy": "retain"}},
    bad={"spec": {"databaseReclaimPolicy": "delete", "databaseRoleReclaimPolicy": "retain"}},
    also_bad={"a role": {"spec": {"databaseReclaimPolicy": "retain", "databaseRoleReclaimPolicy": "delete"}}},
    # CRDs databases and databaseroles of postgresql.cnpg.io: each has one of the two, default retain.
    defaults={"spec.databaseReclaimPolicy": "retain", "spec.databaseRoleReclaimPolicy": "retain"},
)
def record_retained(record: Reading) -> Check:
    spec = record["spec"]
    return spec["databaseReclaimPolicy"].one_of("retain") & spec["databaseRoleReclaimPolicy"].one_of("retain")
