"""Tier profiles: every number a stack does not give itself, with where it comes from.

Sources, named in brackets:
[CNPG] CloudNativePG 1.30 docs · [CW] CloudWatch user guide, recommended alarms · [EC] ElastiCache user guide ·
[OP] RabbitMQ cluster operator, docs/examples · [PCI] PCI DSS 4.0.1 · [RDS] RDS user guide ·
[RMQ] RabbitMQ production checklist and quorum-queue docs ·
[ours] a choice of this project, to be changed by those who know the load.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.specs import Target
from stacks.profiles_configuration import configuration, parameters
from stacks.profiles_ground import CLUSTER, EVIDENCE, NETWORK, namespace
from stacks.profiles_migration import monolith
from stacks.profiles_redis import redis
from stacks.settings import Domain, Tier

# An edge site takes payments and forwards them; accounts and ledgers stay central, so it has the gateway's buffer only.
DOMAINS: dict[Tier, tuple[Domain, ...]] = {
    Tier.DEV: ("account", "wallet", "gateway", "risk", "clearing"),
    Tier.STAGING: ("account", "wallet", "gateway", "risk", "clearing"),
    Tier.PROD: ("account", "wallet", "gateway", "risk", "clearing"),
    Tier.EDGE: ("gateway",),
}

# Everything guards the data from staging up: staging rehearses what production will do. [ours]
SAFETY = {
    Tier.DEV: {"protect": False, "retain_on_delete": False, "deletion_protection": False, "final_snapshot": False},
    Tier.STAGING: {"protect": True, "retain_on_delete": True, "deletion_protection": True, "final_snapshot": True},
    Tier.PROD: {"protect": True, "retain_on_delete": True, "deletion_protection": True, "final_snapshot": True},
    Tier.EDGE: {"protect": True, "retain_on_delete": True, "deletion_protection": True, "final_snapshot": True},
}

# UTC. 02:30 and 04:00 in Shanghai, after the day's settlement and far from the morning's peak. [ours]
WINDOWS = {"backup_window": "18:30-19:30", "maintenance_window": "sun:20:00-sun:21:00"}

DATABASE_ALARMS = {
    "free_storage_percent": 15,  # look into it when 85 % is used [RDS, best practices]
    "connections_percent": 80,  # [ours] time to act before the last one is gone
    "cpu_percent": 90,  # [CW]
    "replica_lag_seconds": 60,  # [CW, ReplicaLag]
}

DATABASE: dict[Tier, dict[str, Any]] = {
    Tier.DEV: {
        "engine": "postgres",
        "postgres_version": 17,  # in community support until November 2029 (postgresql.org, versioning policy)
        "allow_major_upgrade": False,  # a slip of the hand must not move a ledger to another major version [ours]
        "instance_class": "db.t4g.medium",  # smallest class with Performance Insights [RDS]
        "cpu": 1,  # [ours]
        "memory_gib": 2,  # [ours]
        "storage_gib": 20,  # least that gp3 takes [RDS]
        "max_storage_gib": 100,  # [ours]
        "wal_gib": 10,  # [ours] half the storage
        "max_connections": 100,  # [ours]
        "backup_retention_days": 7,  # [ours] a week: a fault made on Friday is found on Monday
        **WINDOWS,
        "log_retention_days": 14,  # [ours]
        "logical_replication": False,  # a slot that nobody reads fills the disk: on only while something follows
        "alarms": DATABASE_ALARMS,
        "high_availability": False,
        "insights_retention_days": 7,  # free tier of Performance Insights [RDS]
    },
    Tier.STAGING: {
        "engine": "postgres",
        "postgres_version": 17,
        "allow_major_upgrade": False,
        "instance_class": "db.m7g.large",  # 2 vCPU, 8 GiB; not burstable, so rehearsed timings hold [RDS]
        "cpu": 2,  # as m7g.large
        "memory_gib": 8,  # as m7g.large
        "storage_gib": 100,  # [ours]
        "max_storage_gib": 500,  # [ours]
        "wal_gib": 25,  # [ours] a quarter of the storage: a full disk is the commonest outage [CNPG #7150]
        "max_connections": 400,  # [ours]
        "backup_retention_days": 14,  # [ours] two release cycles
        **WINDOWS,
        "log_retention_days": 90,  # [ours]
        "logical_replication": False,  # a slot that nobody reads fills the disk: on only while something follows
        "alarms": DATABASE_ALARMS,
        "high_availability": True,
        "insights_retention_days": 7,
    },
    Tier.PROD: {
        "engine": "postgres",
        "postgres_version": 17,
        "allow_major_upgrade": False,
        "instance_class": "db.r7g.xlarge",  # 4 vCPU, 32 GiB; ledgers live in memory [RDS], size [ours]
        "cpu": 4,  # as r7g.xlarge
        "memory_gib": 32,  # as r7g.xlarge
        "storage_gib": 500,  # [ours]; from 400 GiB gp3 stripes over four volumes: 12,000 IOPS [RDS]
        "max_storage_gib": 4000,  # [ours]
        "wal_gib": 125,  # [ours] a quarter of the storage: a full disk is the commonest outage [CNPG #7150]
        "max_connections": 1000,  # [ours]
        "backup_retention_days": 35,  # the most RDS keeps [RDS]
        **WINDOWS,
        "log_retention_days": 400,  # 12 months [PCI 10.5.1]; 400 days is the next size CloudWatch offers
        "logical_replication": False,  # a slot that nobody reads fills the disk: on only while something follows
        "alarms": DATABASE_ALARMS,
        "high_availability": True,
        "insights_retention_days": 731,  # two years: compare with last year's peak [RDS]
    },
    Tier.EDGE: {
        "engine": "postgres",
        "postgres_version": 17,
        "allow_major_upgrade": False,
        "instance_class": "db.t4g.medium",
        "cpu": 1,  # k3s needs the other core [k3s requirements: server 2 cores, 2 GB]
        "memory_gib": 1,
        "storage_gib": 20,  # [ours]
        "max_storage_gib": 22,
        "wal_gib": 5,  # [ours] least that is offered; the card or disk is small
        "max_connections": 50,  # [ours]
        "backup_retention_days": 7,  # [ours] longer than any outage of the link that is planned for
        **WINDOWS,
        "log_retention_days": 14,  # [ours]
        "logical_replication": False,  # a slot that nobody reads fills the disk: on only while something follows
        "alarms": DATABASE_ALARMS,
        "high_availability": False,
        "insights_retention_days": 7,
    },
}

# A development cluster of one's own is one node, such as kind or k3d makes: all of it fits in 6 cores and 12 GiB, with
# room for the operators (tests/stacks/test_local.py adds it up). [ours]
SMALL_DATABASE = {"cpu": 0.25, "memory_gib": 1, "wal_gib": 5}

# 4.3.5 is the first 4.3 without known data-loss faults (release notes 4.3.3 to 4.3.5) [RMQ]. The digest is the image
# index's in docker-library/repo-info, repos/rabbitmq/remote/4.3.5-management.md, commit 0639f311d4 (August 2026).
RABBIT_IMAGE = (
    "docker.io/library/rabbitmq:4.3.5-management"
    "@sha256:06fb591136a49e861e01aaaf9ce45085839ca23c35913d45a1e83519bb9778ca"
)

MIGRATIONS: dict[str, Any] = {
    # Version and digest as CloudNativePG publishes them (postgres-containers, ClusterImageCatalog-bookworm, commit
    # 1dc2196e7b24). A newer psql works with older servers, so one image serves all.
    "image": "ghcr.io/cloudnative-pg/postgresql:17.5-8-bookworm"
    "@sha256:83996acbde2fa906e9ac6fa40aa8d34d6089c18d4998d831e364b4e476d3370a",
    "user_id": 26,  # postgres in that image [CNPG, container image requirements]
    "deadline_seconds": 3600,  # [ours] an index over a large ledger; longer than that is planned as work of its own
    "lock_timeout_seconds": 3,  # [ours] within 2 to 5: while it waits, everyone behind it waits too
    "retries": 2,  # [ours] the most that is offered: a table that is busy now is free a minute later
    "kept_seconds": 604_800,  # [ours] a week, to read the log after a weekend
}

BROKER: dict[Tier, dict[str, Any] | None] = {
    Tier.DEV: {
        "kind": "operator",
        "image": RABBIT_IMAGE,
        "replicas": 1,
        "cpu": 1,  # operator's default request [OP]
        "memory_gib": 2,  # operator's default [OP]
        "storage_gib": 10,  # operator's default [OP]
        "wal_mib": 512,  # RabbitMQ's default [RMQ]
        "termination_grace_seconds": 60,  # [ours] dev data may be lost
        "tls_secret_ref": "payments-broker-tls",
        "amazon_mq": None,
    },
    Tier.STAGING: {
        "kind": "operator",
        "image": RABBIT_IMAGE,
        "replicas": 3,  # least that survives the loss of a node [RMQ]
        "cpu": 4,  # production minimum 4 cores, 4 GiB per node [RMQ]
        "memory_gib": 4,
        "storage_gib": 50,  # [ours]
        "wal_mib": 512,
        "termination_grace_seconds": 604800,  # operator's default: a node waits for its quorum [OP]
        "tls_secret_ref": "payments-broker-tls",
        "amazon_mq": None,
    },
    Tier.PROD: {
        "kind": "operator",
        "image": RABBIT_IMAGE,
        "replicas": 3,
        "cpu": 4,  # 1 billion messages of 8 kB a day on 3 x (4 cores, 10 GiB, 500 GiB) [OP, production-ready]
        "memory_gib": 10,
        "storage_gib": 500,
        "wal_mib": 512,
        "termination_grace_seconds": 604800,
        "tls_secret_ref": "payments-broker-tls",
        "amazon_mq": None,
    },
    Tier.EDGE: None,  # an edge site stores and forwards: RabbitMQ wants 4 cores and 4 GiB of its own [RMQ]
}

_QUEUE: dict[str, Any] = {
    # 12 tries: past an outage of minutes, short of a poison message's endless loop. [ours; the default is 20, RMQ]
    "delivery_limit": 12,
    "overflow": "reject-publish",
    "dead_letter_strategy": "at-least-once",
    "retry": "delayed",
    # 15 s after the first try, an hour at most; linear, so 12 tries wait 20 minutes in all. [ours]
    "delayed_retry": {"min_seconds": 15, "max_seconds": 3600},
    "retry_ladder_seconds": [15, 60, 600, 3600],  # [ours]
}
QUEUE: dict[Tier, dict[str, Any]] = {
    # About 1 MB of memory per 30,000 messages [RMQ], so a million waiting is 33 MB per node.
    Tier.DEV: {**_QUEUE, "copies": 1, "max_length": 10_000, "dead_letter_max_length": 10_000},
    Tier.STAGING: {**_QUEUE, "copies": 3, "max_length": 200_000, "dead_letter_max_length": 50_000},
    Tier.PROD: {**_QUEUE, "copies": 3, "max_length": 1_000_000, "dead_letter_max_length": 200_000},
}

# The gateway takes payments in and clearing works them off. Each signs in as itself. [ours]
BROKER_USERS: dict[str, dict[str, Any]] = {
    "gateway": {"publishes": ["payments"], "consumes": [], "credentials_secret_ref": "payments-broker-gateway"},
    "clearing": {"publishes": [], "consumes": ["payments"], "credentials_secret_ref": "payments-broker-clearing"},
}


def profile(tier: Tier, target: Target) -> dict[str, Any]:
    """What a stack of this tier and target has before its own file is read."""
    small = SMALL_DATABASE if (tier, target) == (Tier.DEV, Target.KUBERNETES) else {}
    return {
        "tier": tier.value,
        "target": target.value,
        "kubernetes": {
            "namespace": "payments",
            "storage_class": "encrypted-retain",
            "zoned": tier in (Tier.STAGING, Tier.PROD),
            "backups": None,
        },
        "safety": SAFETY[tier],
        "network": NETWORK.get(tier) if target is Target.AWS else None,
        "cluster": CLUSTER.get(tier) if target is Target.AWS else None,
        "namespace": namespace(tier, target, BROKER[tier]),
        "evidence": EVIDENCE.get(tier) if target is Target.AWS else None,
        "databases": {domain: {"database_name": domain, **DATABASE[tier], **small} for domain in DOMAINS[tier]},
        "migrations": {
            **MIGRATIONS,
            "secret_store_ref": "payments-secrets" if target is Target.AWS else None,
            "authority_ref": "rds-authority" if target is Target.AWS else None,
        },
        "broker": BROKER[tier],
        "queues": {"payments": QUEUE[tier]} if BROKER[tier] else {},
        "broker_users": BROKER_USERS if BROKER[tier] else {},
        "monolith": monolith(tier, target, DOMAINS[tier], QUEUE.get(tier)),
        "redis": redis(tier, target, DOMAINS[tier]),
        "parameters": parameters(tier, target, DOMAINS[tier]),
        "configuration": configuration(tier, target),
        "tags": {"platform": "payments", "tier": tier.value, "owner": "payments-platform"},
    }


def merged(base: Any, overrides: Any) -> Any:
    """Overrides over a base: mappings key by key, all else replaced."""
    if not isinstance(base, Mapping) or not isinstance(overrides, Mapping):
        return overrides
    added = {key: value for key, value in overrides.items() if key not in base}
    return {key: merged(value, overrides[key]) if key in overrides else value for key, value in base.items()} | added
