"""What people looked at: the stacks that changes are tried on, values that cannot be derived, and why things are so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Base:
    """A stack on which settings are changed. ``settings``: over its own file. ``parts``: the settings walked there."""

    title: str
    stack: str
    told: str = ""
    settings: Any = field(default_factory=dict, hash=False)
    parts: tuple[tuple[str, ...], ...] = ((),)

    @property
    def target(self) -> str:
        return self.title.partition(",")[0]


@dataclass(frozen=True)
class Chosen:
    """Settings written together, since the one alone would contradict another. ``bases``: where only there."""

    path: str
    settings: Any
    bases: tuple[str, ...] = ()


AMAZON_MQ = {
    "broker": {
        "kind": "amazon-mq",
        "amazon_mq": {
            "engine_version": "4.2",
            "instance_type": "mq.m7g.large",
            "password_secret_ref": "payments/broker",
            "secret_store_ref": "payments-secrets",
            "maintenance_day": "SUNDAY",
            "maintenance_time": "18:00",
        },
    },
    "queues": {"payments": {"retry": "ladder"}},
}
AURORA = {"databases": {"clearing": {"engine": "aurora", "instance_class": "db.r7g.large"}}}
SEVERAL = {
    "kubernetes": {"zoned": True},
    "broker": {"replicas": 3},
    "queues": {"payments": {"copies": 3}},
    "databases": {"clearing": {"high_availability": True}},
    "namespace": {"quota": {"cpu": 50, "memory_gib": 100, "storage_gib": 1000}},
    "redis": {"coordination": {"replicas": 2}},
}
SOURCE = {
    "host": "monolith.internal",
    "addresses": "172.20.9.0/24",
    "port": 5432,
    "database_name": "payments",
    "user": "follower",
    "credentials_secret_ref": "monolith-follower",
    "authority_ref": "monolith-ca",
    "logical_replication": True,
}
ENTRIES = {"core.entries": {"key": ["id"], "compared_with": "clearing.entries"}}
LEAVING = {"domains": {"clearing": {"phase": "dual-write", "tables": ENTRIES}}}

BASES = (
    Base("aws", "staging"),
    Base("aws, Aurora", "staging", ", with an Aurora database", AURORA, (("databases", "clearing"),)),
    Base("aws, Amazon MQ", "staging", ", with Amazon MQ", AMAZON_MQ, (("broker",), ("queues",))),
    Base(
        "aws, leaving a monolith",
        "staging",
        ", with a domain that writes to both sides",
        {"monolith": LEAVING},
        (("monolith", "domains"), ("monolith", "queue"), ("monolith", "logins_ref")),
    ),
    Base("kubernetes", "local"),
    Base(
        "kubernetes, several copies",
        "local",
        ", in zones, with three nodes of the broker and of a database",
        SEVERAL,
        (("kubernetes", "zoned"), ("databases", "clearing"), ("broker",), ("redis", "coordination")),
    ),
    Base(
        "kubernetes, leaving a monolith",
        "local",
        ", with a domain that writes to both sides",
        {"monolith": {**LEAVING, "source": SOURCE}},
        (("monolith",),),
    ),
    Base("edge", "edge"),
)

EUROPE = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
OF_EUROPE = {"certificate_arn": "arn:aws:dms:eu-west-1:111122223333:cert:MONOLITHSTAGING"}
RDS_OF_EUROPE = {"copier": {"service_certificate_arn": "arn:aws:dms:eu-west-1:111122223333:cert:RDSEUWEST1"}}
NEXT = {"kubernetes_version": "1.36", "addons": {"kube_proxy": "v1.36.0-eksbuild.1"}}
THREE_NODES = {
    "broker": {"replicas": 3},
    "queues": {"payments": {"copies": 3}},
    "namespace": {"quota": {"cpu": 50}},
}
LATE = {"clearing": {"reconcile-after-minutes": {"tier": "shared", "consumers": ["clearing", "wallet"]}}}
SIGNING = {"gateway": {"callback-signing-key": {"tier": "shared", "consumers": ["gateway", "wallet"]}}}
OF_WALLET = {"tier": "service", "consumers": ["wallet"]}
SEVERAL_SERVICES = ("aws", "kubernetes")
CHOSEN = (
    Chosen(
        "aws.region",
        {
            "aws": {"region": "eu-west-1"},
            "network": {"zones": EUROPE},
            "monolith": {"source": OF_EUROPE, **RDS_OF_EUROPE},
        },
    ),
    Chosen("aws.alarm_topics", {"aws": {"alarm_topics": ["arn:aws:sns:ap-southeast-1:111122223333:oncall"]}}),
    Chosen("monolith.source", {"monolith": {"source": SOURCE}}, ("kubernetes",)),
    Chosen("monolith.comparer.schedule", {"monolith": {"comparer": {"schedule": "0 18 * * *"}}}),
    Chosen("monolith.domains.(one more)", {"monolith": {"domains": {"payouts": {"phase": "monolith"}}}}),
    *(
        Chosen(path, settings, tuple(f"{target}, leaving a monolith" for target in ("aws", "kubernetes")))
        for path, settings in (
            (
                "monolith.domains.clearing.service_reads_percent",
                {"monolith": {"domains": {"clearing": {"service_reads_percent": 25}}}},
            ),
            (
                "monolith.queue.retry_ladder_seconds",
                {"monolith": {"queue": {"retry": "ladder", "retry_ladder_seconds": [30, 300]}}},
            ),
        )
    ),
    Chosen(
        "monolith.queue.overflow",
        {"monolith": {"queue": {"overflow": "drop-head", "dead_letter_strategy": "at-most-once"}}},
    ),
    Chosen(
        "monolith.queue.copies",
        {"broker": {"replicas": 5}, "monolith": {"queue": {"copies": 5}}},
        ("aws, leaving a monolith",),
    ),
    Chosen(
        "monolith.queue.copies",
        {**THREE_NODES, "monolith": {"queue": {"copies": 3}}},
        ("kubernetes, leaving a monolith",),
    ),
    Chosen("network.cidr", {"network": {"cidr": "10.21.0.0/16"}}),
    Chosen("cluster.kubernetes_version", {"cluster": NEXT}),
    Chosen("cluster.api_ranges", {"cluster": {"api_ranges": ["10.99.0.0/24"]}}),
    Chosen("databases.clearing.engine", AURORA, ("aws",)),
    Chosen("databases.clearing.backup_window", {"databases": {"clearing": {"backup_window": "19:00-20:00"}}}),
    Chosen("databases.gateway.backup_window", {"databases": {"gateway": {"backup_window": "19:00-20:00"}}}),
    Chosen("databases.gateway.storage_gib", {"databases": {"gateway": {"storage_gib": 22, "max_storage_gib": 30}}}),
    Chosen("broker.kind", AMAZON_MQ, ("aws",)),
    Chosen("broker.kind", {"broker": {"kind": "operator", "amazon_mq": None}}, ("aws, Amazon MQ",)),
    Chosen("broker.amazon_mq", AMAZON_MQ, ("aws",)),
    Chosen("broker.replicas", THREE_NODES, ("kubernetes",)),
    Chosen("queues.payments.copies", {"broker": {"replicas": 5}, "queues": {"payments": {"copies": 5}}}, ("aws",)),
    Chosen(
        "queues.payments.overflow",
        {"queues": {"payments": {"overflow": "drop-head", "dead_letter_strategy": "at-most-once"}}},
    ),
    Chosen("broker_users.clearing.publishes", {"broker_users": {"clearing": {"publishes": ["payments"]}}}),
    Chosen(
        "broker_users.clearing.consumes", {"broker_users": {"clearing": {"publishes": ["payments"], "consumes": []}}}
    ),
    Chosen("parameters.values.clearing.reconcile-after-minutes.tier", {"parameters": {"values": LATE}}),
    Chosen("parameters.values.clearing.reconcile-after-minutes.consumers", {"parameters": {"values": LATE}}),
    Chosen(
        "parameters.values.(one more)",
        {"parameters": {"values": {"wallet": {"daily-limit": {**OF_WALLET, "value": 1000}}}}},
        SEVERAL_SERVICES,
    ),
    *(
        Chosen(
            f"parameters.sealed.gateway.callback-signing-key.{name}",
            {"parameters": {"sealed": SIGNING}},
            SEVERAL_SERVICES,
        )
        for name in ("tier", "consumers")
    ),
    Chosen(
        "parameters.sealed.(one more)",
        {"parameters": {"sealed": {"wallet": {"key": {**OF_WALLET, "rotation_months": None}}}}},
        SEVERAL_SERVICES,
    ),
)
# Settings of which a base can have no other value, beside those whose refusal says so.
ALONE: Mapping[tuple[str, str], str] = {
    ("edge", f"parameters.{part}.gateway.{key}.consumers"): "an edge site has one service"
    for part, key in (("values", "signature-tolerance-seconds"), ("sealed", "callback-signing-key"))
} | {
    ("aws", "monolith.source.cluster"): "DMS reaches a server by host, not through Kubernetes",
    ("kubernetes, leaving a monolith", "monolith.source.cluster"): "host is written, and both would contradict",
    **{
        (title, f"redis.cache.{setting}"): why
        for title in ("aws", "kubernetes")
        for setting, why in (
            ("storage_gib", "a cache keeps no file"),
            ("snapshot_retention_days", "a cache promises to keep nothing"),
        )
    },
    **{
        (title, f"redis.{store}.users.(one more)"): "every service has a user already"
        for title in ("aws", "kubernetes", "kubernetes, several copies")
        for store in ("coordination", "cache")
    },
    **{
        (title, "monolith.domains.(one more)"): "every domain is there already"
        for title in ("aws", "aws, leaving a monolith", "kubernetes", "kubernetes, leaving a monolith")
    },
}

# By setting: what is behind a change that takes data away, or that does more than one expects.
WHY: Mapping[str, str] = {
    "tier": "A tier is an environment: its number ranges and the paths of its parameters are its own. "
    "Make a stack of the other tier beside this one.",
    "aws.region": "Another region is another stack. Make one there, and move the data with the database's own means.",
    "kubernetes.context": "It names the cluster. If the new one is another cluster, everything in Kubernetes is made "
    "anew there; a rehearsal reads no kubeconfig, so it says that it does not know.",
    "kubernetes.namespace": "An object cannot move to another namespace, so all of them are made anew, and data does "
    "not come along.",
    "kubernetes.storage_class": "Disks that exist stay where they are: CloudNativePG and RabbitMQ use the new class "
    "for new disks only. On aws the class itself is made anew under its new name.",
    "network.cidr": "An address range is for the life of a network. The old subnets cannot go while anything is in "
    "them; the network is protected, so that this stops before it begins.",
    "network.zones": "A zone more adds subnets and nodes. A zone less takes its nodes away first, and AWS refuses to "
    "delete subnets in which a database still is.",
    "cluster.instance_types": "A managed node group cannot change its types. New groups come first, then the old ones "
    "are drained, within the disruption budgets.",
    "cluster.node_disk_gib": "A new version of the launch template: the nodes are replaced one by one.",
    "cluster.kubernetes_version": "One minor version at a time, and never back. The control plane goes first, then the "
    "nodes one by one.",
    "databases.*.engine": "Another engine is another, empty server. Move the data first.",
    "databases.*.database_name": "Another name is another, empty database: a server is given its name once.",
    "databases.*.postgres_version": "In place, with the server stopped, and never back. RDS refuses it until "
    "`allow_major_upgrade` is true; CloudNativePG does it at once.",
    "databases.*.high_availability": "Off means one copy. On Kubernetes commits wait for a standby as soon as it is "
    "on.",
    "migrations.*": "A Job cannot change what it runs, so it is made anew and runs again. What has been applied is not "
    "applied twice; a run that is under way is ended, and its transaction with it.",
    "broker.kind": "Another broker is another home for messages. Let consumers empty the old one first.",
    "broker.amazon_mq": "As broker.kind.",
    "broker.replicas": "Up only: the operator does not take nodes away.",
    "broker.image": "The nodes restart one after another; each waits until its queues have a quorum without it.",
    "queues.*.retry": "The waiting queues of a ladder come or go. Messages that wait in one that goes stay in the "
    "broker where the tier keeps data, but nothing sends them on.",
    "parameters.sealed.*.tier": "The path says who reads a secret, so a wider reach is another path and a new, empty "
    "secret. Its first value is made at once where it rotates, and set by its owner where not.",
    "parameters.sealed.*.consumers": "As its tier, where the tier follows from it.",
    "parameters.values.*.consumers": "The path says who reads a value: the new path is made before the old one goes.",
    "configuration.values.*": "A document is made anew with each value; AppConfig keeps the versions before it.",
    "configuration.rollout.*": "How the next change goes out. Nothing is deployed now.",
    "redis.*.durable_writes": "Whether a running store takes it in place depends on AWS (since October 2026 it does).",
    "tags.*": "On every AWS resource that can have tags, through the provider.",
}

# (target, setting, why it does nothing there). One spec serves all targets.
POD = "The size of a pod; on aws the class of the instance says it."
OF_RDS = "CloudNativePG has no such thing, or does it by itself."
NO_EFFECT = (
    ("aws", "databases.*.cpu", POD),
    ("aws", "databases.*.memory_gib", POD + " It bounds `max_connections` all the same."),
    ("aws", "databases.*.wal_gib", "RDS and Aurora keep their log with the data."),
    ("aws", "databases.*.alarms.replica_lag_seconds", "The standby of RDS cannot be read; Aurora's can."),
    ("aws", "databases.*.storage_gib", "Aurora's storage grows by itself; it counts with logical replication."),
    ("aws", "queues.*.retry_ladder_seconds", "Counts with `retry: ladder`."),
    ("aws", "queues.*.delayed_retry.*", "Counts with `retry: delayed`."),
    ("aws", "broker.*", "The operator's nodes; those of Amazon MQ have `amazon_mq`."),
    ("aws", "redis.*", "The size and the Secrets of a pod; ElastiCache has `node_type` and signs in by IAM."),
    ("kubernetes", "safety.deletion_protection", "Kubernetes has no guard of its own against a deletion."),
    ("kubernetes", "safety.final_snapshot", "The backups outlive the database."),
    ("kubernetes", "databases.*.allow_major_upgrade", OF_RDS),
    ("kubernetes", "databases.*.instance_class", "A class of RDS; here `cpu` and `memory_gib` say it."),
    ("kubernetes", "databases.*.max_storage_gib", "Volumes do not grow by themselves."),
    ("kubernetes", "databases.*.maintenance_window", OF_RDS),
    ("kubernetes", "databases.*.log_retention_days", "The cluster's log collector keeps logs."),
    ("kubernetes", "databases.*.logical_replication", "Always possible; with a standby its slots are kept there, too."),
    ("kubernetes", "databases.*.alarms.*", "CloudWatch's; Prometheus watches here."),
    ("kubernetes", "databases.*.insights_retention_days", OF_RDS),
    ("kubernetes", "queues.*.retry_ladder_seconds", "Counts with `retry: ladder`."),
    ("kubernetes", "redis.*", "ElastiCache's."),
    ("kubernetes", "parameters.sealed.*", "The owner puts it in the Secret, which its readers may read already."),
    ("kubernetes", "parameters.r*", "Secrets Manager's."),
    ("kubernetes", "configuration.values.*", "The bounds are for people here: settings refuse a value outside."),
    ("kubernetes", "tags.*", "Tags are AWS's."),
    ("edge", "*", "As on kubernetes."),
)

# (part of the settings, components that a change of it also touches): why. {entry}: the entry that is changed. A part
# that is not listed touches the component of its own name only.
EVERYWHERE = "It is about the whole stack."
REACH: Mapping[tuple[str, str], str] = {
    ("tier", "*"): EVERYWHERE,
    ("aws", "*"): EVERYWHERE,
    ("kubernetes", "*"): EVERYWHERE,
    ("safety", "*"): EVERYWHERE,
    ("tags", "*"): EVERYWHERE,
    ("network", "cluster"): "Nodes and the API lie in its subnets, behind its security groups.",
    ("network", "coordination, cache, account, clearing, gateway, risk, wallet"): "They lie in its data subnets.",
    ("network", "*-monolith"): "What copies from the monolith lies in its data subnets.",
    ("network", "namespace"): "It opens the way to the addresses of the data subnets.",
    ("databases", "{entry}-migrations"): "They sign in to it.",
    ("databases", "namespace"): "A new service has its service account.",
    ("migrations", "*-migrations"): "One for each database.",
    ("migrations", "*-monolith"): "The comparer signs in as they do.",
    ("monolith", "*-monolith"): "One for each domain.",
    ("monolith", "configuration"): "Gateways read there which side answers.",
    (
        "monolith",
        "account, wallet, gateway, risk, clearing",
    ): "On Kubernetes a database knows the server that it follows.",
    ("monolith", "rabbit, queues, namespace"): "More copies than the broker has nodes need more nodes.",
    ("broker", "rabbit"): "Its name.",
    ("broker", "queues"): "Its topology is in the broker.",
    ("broker", "namespace"): "The way to the broker; and a larger quota for more nodes.",
    ("queues", "queues"): "All queues are one set.",
    ("queues", "rabbit"): "More copies than the broker has nodes need more nodes.",
    ("broker_users", "queues"): "Users are in the set of the queues that they use.",
}
