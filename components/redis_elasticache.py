"""A Valkey store on AWS: ElastiCache in cluster mode, with every unsafe default of the provider overridden."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_aws import cloudwatch, elasticache, iam

from components.access import allow, policy
from components.base import Component
from components.naming import digest_of
from components.network import NetworkOutputs
from components.redis_access import FINDING_THE_SHARD, LOADER, loader_rules, service_rules
from components.specs import RedisSpec, Safety
from components.valkey import PORT

LOGS = ("engine-log", "slow-log")


def elasticache_store(
    home: Component,
    called: str,
    spec: RedisSpec,
    *,
    safety: Safety,
    network: NetworkOutputs,
    key_arn: pulumi.Input[str],
    users: Mapping[str, elasticache.User],
) -> elasticache.ReplicationGroup:
    """Cluster mode with one shard: ``durability=sync`` needs cluster mode, and a script's keys need one slot."""
    subnets = elasticache.SubnetGroup(home.child("subnets"), subnet_ids=network.data_subnet_ids, opts=home.within())
    settings = elasticache.ParameterGroup(
        home.child("settings"),
        family=f"valkey{spec.version.split('.')[0]}",
        description=f"{called}: {spec.purpose}, {spec.eviction}",
        parameters=[{"name": name, "value": value} for name, value in parameters(spec).items()],
        tags={"purpose": spec.purpose},
        opts=home.within(),
    )
    group = elasticache.UserGroup(
        home.child("users"),
        user_group_id=called,
        engine="valkey",
        user_ids=[user.user_id for user in users.values()],
        opts=home.within(),
    )
    logs = {kind: _log_group(home, called, kind, spec) for kind in LOGS}
    return elasticache.ReplicationGroup(
        home.child("store"),
        replication_group_id=called,
        description=f"{spec.purpose.capitalize()} of payment services; SQL holds the record",
        tags={"purpose": spec.purpose},
        engine="valkey",
        engine_version=spec.version,
        node_type=spec.node_type,
        cluster_mode="enabled",
        num_node_groups=1,
        replicas_per_node_group=spec.replicas,
        durability="sync" if spec.durable_writes else "default",
        data_tiering_enabled=False,
        automatic_failover_enabled=True,  # cluster mode takes nothing else, even with no replica yet
        multi_az_enabled=spec.replicas > 0,
        at_rest_encryption_enabled=True,
        kms_key_id=key_arn,
        transit_encryption_enabled=True,
        transit_encryption_mode="required",
        user_group_ids=[group.user_group_id],
        parameter_group_name=settings.name,
        subnet_group_name=subnets.name,
        security_group_ids=[network.doors["redis"]],
        network_type="ipv4",
        ip_discovery="ipv4",
        port=PORT,
        snapshot_retention_limit=spec.snapshot_retention_days,
        snapshot_window=spec.snapshot_window,
        final_snapshot_identifier=_last_snapshot(called, spec, safety),
        maintenance_window=spec.maintenance_window,
        auto_minor_version_upgrade=True,
        apply_immediately=False,
        log_delivery_configurations=[
            {"log_type": kind, "log_format": "json", "destination_type": "cloudwatch-logs", "destination": made.name}
            for kind, made in logs.items()
        ],
        opts=home.stateful(),
    )


def parameters(spec: RedisSpec) -> dict[str, str]:
    """Server parameters. The default group has an evicting policy (volatile-lru)."""
    return {
        "cluster-enabled": "yes",
        "maxmemory-policy": spec.eviction,
        "reserved-memory-percent": str(100 - spec.maxmemory_percent),
    }


def iam_users(home: Component, called: str, spec: RedisSpec) -> dict[str, elasticache.User]:
    """A user per service, and one that loads the Functions of a coordination store.

    They sign in by IAM: there is no password to keep or to rotate. Its id and its name must be equal for that.
    """
    wanted = {service: service_rules(user, finding=FINDING_THE_SHARD) for service, user in spec.users.items()}
    if spec.purpose == "coordination":
        wanted[LOADER] = loader_rules(finding=FINDING_THE_SHARD)
    return {
        name: elasticache.User(
            home.child(f"user-{name}"),
            user_id=user_name(called, name),
            user_name=user_name(called, name),
            engine="valkey",
            access_string=f"on {rules}",
            authentication_mode={"type": "iam"},
            opts=home.within(),
        )
        for name, rules in wanted.items()
    }


def user_name(called: str, who: str) -> str:
    """The id and name of a user: an account has it once, and it may have 40 characters (ElastiCache, CreateUser).

    So it begins with who it is, and ends in a digest of the store's name, not in that name.
    """
    return f"{who}-{digest_of({called: who})}"


def may_connect(
    home: Component, who: str, role_arn: pulumi.Input[str], store: elasticache.ReplicationGroup, user: elasticache.User
) -> iam.RolePolicy:
    """The right of a role to sign in to a store as one user."""
    return iam.RolePolicy(
        home.child(f"{who}-connects"),
        role=pulumi.Output.from_input(role_arn).apply(lambda arn: arn.rpartition("/")[2]),
        policy=policy(allow("elasticache:Connect", on=[store.arn, user.arn])),
        opts=home.within(),
    )


def _log_group(home: Component, called: str, kind: str, spec: RedisSpec) -> cloudwatch.LogGroup:
    # Under this path AWS lets its services write without a line for each group in the account's one log policy.
    return cloudwatch.LogGroup(
        home.child(kind),
        name=f"/aws/vendedlogs/elasticache/{called}/{kind}",
        retention_in_days=spec.log_retention_days,
        opts=home.within(),
    )


def _last_snapshot(called: str, spec: RedisSpec, safety: Safety) -> str | None:
    return f"{called}-final" if safety.final_snapshot and spec.purpose == "coordination" else None
