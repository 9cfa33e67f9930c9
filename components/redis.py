"""RedisStore: Valkey that services coordinate through (locks, throttles, state that SQL can rebuild)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import elasticache
from pulumi_kubernetes.apps.v1 import StatefulSet
from pulumi_kubernetes.core.v1 import ConfigMap, Service
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.base import Component, Refusal
from components.cluster import RESTRICTED_CONTAINER, Place, whole
from components.naming import labels, physical
from components.network import NetworkOutputs
from components.specs import RedisSpec, Safety, Target

PORT = 6379
# Share of memory that Valkey's own data may use; buffers and the fork for snapshots need the rest (60 to 75 %).
MEMORY_SHARE = 0.7
# The valkey image's own user and group.
VALKEY_USER = 999


@dataclass(frozen=True)
class RedisOutputs:
    """How to reach the store. ``access``: the IAM user (aws), or the name of the Secret with the ACL file."""

    host: pulumi.Output[str]
    port: int
    tls: bool
    access: str


class RedisStore(Component, token="tollgate:data:RedisStore"):
    """One Valkey store.

    Declares, on aws: ElastiCache subnet group, parameter group, IAM user and its group, replication group. On
    kubernetes and edge: ConfigMap, headless Service, NetworkPolicy, StatefulSet of one node. No PodDisruptionBudget
    there: for one node it would only block node drains.

    Guarantees: nothing is ever evicted (an evicted fence key would open the way to a double spend); with
    ``durable_writes`` no acknowledged write is lost; clients prove who they are, by IAM or by an ACL file.
    Raises Refusal when the target cannot keep a promise of the spec.
    """

    def __init__(
        self,
        name: str,
        spec: RedisSpec,
        *,
        target: Target,
        safety: Safety,
        network: NetworkOutputs | None = None,
        key_arn: pulumi.Input[str] | None = None,
        place: Place | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, safety=safety, opts=opts)
        self.refuse(spec.refused_by(target))
        if target is Target.AWS:
            if network is None or key_arn is None:
                raise Refusal(f"{name}: on aws a Valkey store needs a network and a KMS key")
            outputs = self._elasticache(name, spec, safety, network, key_arn)
        else:
            if place is None:
                raise Refusal(f"{name}: on {target} a Valkey store needs a namespace")
            outputs = self._stateful_set(name, spec, place)
        self.outputs = self.register(outputs)

    def _elasticache(
        self, name: str, spec: RedisSpec, safety: Safety, network: NetworkOutputs, key_arn: pulumi.Input[str]
    ) -> RedisOutputs:
        """Cluster mode with one shard: ``durability=sync`` needs cluster mode, and a script's keys need one slot."""
        called = physical(name)
        subnets = elasticache.SubnetGroup(self.child("subnets"), subnet_ids=network.data_subnet_ids, opts=self.within())
        settings = elasticache.ParameterGroup(
            self.child("settings"),
            family=f"valkey{spec.version.split('.')[0]}",
            description=f"{name}: nothing is evicted",
            parameters=[
                {"name": "cluster-enabled", "value": "yes"},
                {"name": "maxmemory-policy", "value": "noeviction"},
            ],
            opts=self.within(),
        )
        users = self._iam_access(called)
        group = elasticache.ReplicationGroup(
            self.child("store"),
            replication_group_id=called,
            description="Coordination of payment services; SQL holds the record",
            engine="valkey",
            engine_version=spec.version,
            node_type=spec.node_type,
            cluster_mode="enabled",
            num_node_groups=1,
            replicas_per_node_group=spec.replicas,
            durability="sync" if spec.durable_writes else "default",
            automatic_failover_enabled=True,  # cluster mode takes nothing else, even with no replica yet
            multi_az_enabled=spec.replicas > 0,
            at_rest_encryption_enabled=True,
            kms_key_id=key_arn,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            user_group_ids=[users.user_group_id],
            parameter_group_name=settings.name,
            subnet_group_name=subnets.name,
            security_group_ids=[network.doors["redis"]],
            port=PORT,
            snapshot_retention_limit=spec.snapshot_retention_days,
            final_snapshot_identifier=f"{called}-final" if safety.final_snapshot else None,
            auto_minor_version_upgrade=True,
            apply_immediately=False,
            opts=self.stateful(),
        )
        return RedisOutputs(host=group.configuration_endpoint_address, port=PORT, tls=True, access=called)

    def _iam_access(self, called: str) -> elasticache.UserGroup:
        """One user that signs in by IAM: there is no password to keep. Its id and its name must be equal for that."""
        user = elasticache.User(
            self.child("user"),
            user_id=called,
            user_name=called,
            engine="valkey",
            access_string="on ~* &* +@all -@dangerous",
            authentication_mode={"type": "iam"},
            opts=self.within(),
        )
        return elasticache.UserGroup(
            self.child("users"),
            user_group_id=called,
            engine="valkey",
            user_ids=[user.user_id],
            opts=self.within(),
        )

    def _stateful_set(self, name: str, spec: RedisSpec, place: Place) -> RedisOutputs:
        called = physical(name)
        selector = {"matchLabels": labels(called)}
        metadata = {"namespace": place.namespace, "labels": labels(called)}
        settings = ConfigMap(
            self.child("settings"),
            metadata=metadata,
            immutable=True,  # with Pulumi's name for it, new settings are a new map and a visible restart
            data={"valkey.conf": _configuration(spec)},
            opts=self.within(),
        )
        service = Service(
            self.child("service"),
            metadata={**metadata, "name": called},
            spec={"clusterIP": "None", "selector": labels(called), "ports": [{"name": "valkey", "port": PORT}]},
            opts=self.within(),
        )
        NetworkPolicy(
            self.child("doors"),
            metadata=metadata,
            spec={
                "podSelector": selector,
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": [{"podSelector": {}}], "ports": [{"protocol": "TCP", "port": PORT}]}],
                "egress": [],
            },
            opts=self.within(),
        )
        StatefulSet(
            self.child("store"),
            metadata={**metadata, "name": called},
            spec={
                "serviceName": service.metadata["name"],
                "replicas": 1,
                "selector": selector,
                "template": {
                    "metadata": {"labels": labels(called)},
                    "spec": _pod(spec, settings.metadata["name"]),
                },
                "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
                "volumeClaimTemplates": [
                    {
                        "metadata": {"name": "data"},
                        "spec": {
                            "accessModes": ["ReadWriteOnce"],
                            "storageClassName": place.storage_class,
                            "resources": {"requests": {"storage": f"{spec.storage_gib}Gi"}},
                        },
                    }
                ],
            },
            opts=self.stateful(),
        )
        host = pulumi.Output.concat(f"{called}.", place.namespace, ".svc")
        return RedisOutputs(host=host, port=PORT, tls=spec.tls_secret_ref is not None, access=spec.acl_secret_ref)


def _configuration(spec: RedisSpec) -> str:
    """valkey.conf. Each accepted write is on disk before the answer: this node has no copy to fall back on."""
    maxmemory_mb = int(spec.memory_gib * 1024 * MEMORY_SHARE)
    lines = [
        "dir /data",
        "appendonly yes",
        "appendfsync always",
        f"maxmemory {maxmemory_mb}mb",
        "maxmemory-policy noeviction",
        "busy-reply-threshold 5000",
        "aclfile /etc/valkey/acl/users.acl",
    ]
    if spec.tls_secret_ref:
        lines += [
            "port 0",
            f"tls-port {PORT}",
            "tls-cert-file /etc/valkey/tls/tls.crt",
            "tls-key-file /etc/valkey/tls/tls.key",
            "tls-ca-cert-file /etc/valkey/tls/ca.crt",
            "tls-auth-clients no",
        ]
    else:
        lines.append(f"port {PORT}")
    return "\n".join(lines) + "\n"


def _pod(spec: RedisSpec, settings: pulumi.Input[str]) -> dict[str, Any]:
    volumes: list[dict[str, Any]] = [
        {"name": "settings", "configMap": {"name": settings}},
        {"name": "acl", "secret": {"secretName": spec.acl_secret_ref}},
    ]
    mounts: list[dict[str, Any]] = [
        {"name": "data", "mountPath": "/data"},
        {"name": "settings", "mountPath": "/etc/valkey/settings", "readOnly": True},
        {"name": "acl", "mountPath": "/etc/valkey/acl", "readOnly": True},
    ]
    if spec.tls_secret_ref:
        volumes.append({"name": "tls", "secret": {"secretName": spec.tls_secret_ref}})
        mounts.append({"name": "tls", "mountPath": "/etc/valkey/tls", "readOnly": True})
    # A TCP probe needs no password, and a store that is loading its file does not listen as ready for long.
    listening = {"tcpSocket": {"port": PORT}, "periodSeconds": 5}
    return {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 60,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": VALKEY_USER,
            "fsGroup": VALKEY_USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "valkey",
                "image": f"docker.io/valkey/valkey:{spec.version}",
                "command": ["valkey-server", "/etc/valkey/settings/valkey.conf"],
                "ports": [{"name": "valkey", "containerPort": PORT}],
                "resources": whole(spec.cpu, spec.memory_gib),
                "securityContext": RESTRICTED_CONTAINER,
                "startupProbe": {**listening, "failureThreshold": 60},
                "readinessProbe": listening,
                "livenessProbe": {**listening, "failureThreshold": 6},
                "volumeMounts": mounts,
            }
        ],
        "volumes": volumes,
    }
