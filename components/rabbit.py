"""RabbitCluster: the message broker, run by the RabbitMQ cluster operator on every target that has one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.networking.v1 import NetworkPolicy
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget

from components.base import Component
from components.cluster import Place, custom_resource, whole
from components.naming import labels, physical
from components.specs import BrokerSpec, Safety, Target

NAME_LABEL = "app.kubernetes.io/name"
CLIENT, CLIENT_TLS = 5672, 5671
MANAGEMENT, MANAGEMENT_TLS = 15672, 15671
OPERATORS = "rabbitmq-system"  # where the RabbitMQ operators' own manifests put them


@dataclass(frozen=True)
class RabbitOutputs:
    """How to reach the broker. ``secret_ref`` names the Secret of the operator's own user."""

    cluster: str
    namespace: pulumi.Input[str]
    host: pulumi.Output[str]
    port: int
    secret_ref: str


class RabbitCluster(Component, token="tollgate:messaging:RabbitCluster"):
    """A RabbitMQ cluster.

    Declares: RabbitmqCluster, NetworkPolicy, and with three nodes or more a PodDisruptionBudget (the operator makes
    none). The aws target uses it too, on the cluster beside the managed services: Amazon MQ takes its user's password
    as an argument, so the password would be in Pulumi's state; here the operator makes it, in the cluster.

    Guarantees: nodes spread over hosts and zones; disks outlive the cluster object; with TLS, no plain port is open;
    new nodes get replicas of existing quorum queues. ``cluster_partition_handling`` is left out: from 4.3 it does
    nothing. Raises Refusal on edge.
    """

    def __init__(
        self,
        name: str,
        spec: BrokerSpec,
        *,
        target: Target,
        safety: Safety,
        place: Place,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, safety=safety, opts=opts)
        self.refuse(spec.refused_by(target))
        called = physical(name)
        self.cluster: CustomResource = custom_resource(
            self.child("cluster"),
            "rabbitmq.com/v1beta1",
            "RabbitmqCluster",
            place=place,
            called=called,
            ready="condition=AllReplicasReady",
            spec=_cluster_spec(called, spec, place),
            opts=self.stateful(),
        )
        self._doors(called, spec, place)
        if spec.replicas > 1:
            PodDisruptionBudget(
                self.child("disruptions"),
                metadata={"namespace": place.namespace},
                spec={"maxUnavailable": 1, "selector": {"matchLabels": {NAME_LABEL: called}}},
                opts=self.within(),
            )
        self.outputs = self.register(
            RabbitOutputs(
                cluster=called,
                namespace=place.namespace,
                host=pulumi.Output.concat(f"{called}.", place.namespace, ".svc"),
                port=CLIENT_TLS if spec.tls_secret_ref else CLIENT,
                secret_ref=f"{called}-default-user",
            )
        )

    def _doors(self, called: str, spec: BrokerSpec, place: Place) -> None:
        """Clients in the namespace, the topology operator, and the nodes among themselves; nobody else."""
        nodes = {"matchLabels": {NAME_LABEL: called}}
        tls = spec.tls_secret_ref is not None
        operators = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": OPERATORS}}}
        between = [_port(4369), _port(25672), {"protocol": "TCP", "port": 35672, "endPort": 35682}]
        NetworkPolicy(
            self.child("doors"),
            metadata={"namespace": place.namespace, "labels": labels(called)},
            spec={
                "podSelector": nodes,
                "policyTypes": ["Ingress"],
                "ingress": [
                    {"from": [{"podSelector": {}}], "ports": [_port(CLIENT_TLS if tls else CLIENT)]},
                    {"from": [operators], "ports": [_port(MANAGEMENT_TLS if tls else MANAGEMENT)]},
                    {"from": [{"podSelector": nodes}], "ports": between},
                ],
            },
            opts=self.within(),
        )


def _port(number: int) -> dict[str, Any]:
    return {"protocol": "TCP", "port": number}


def _cluster_spec(called: str, spec: BrokerSpec, place: Place) -> dict[str, Any]:
    """The operator's production example, with the disks kept: by default deleting the object deletes them."""
    ours = {"matchLabels": {NAME_LABEL: called}}
    statefulset: dict[str, Any] = {
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"}
    }
    if place.zoned and spec.replicas > 1:
        statefulset["template"] = {
            "spec": {
                "containers": [],
                "topologySpreadConstraints": [
                    {
                        "maxSkew": 1,
                        "topologyKey": "topology.kubernetes.io/zone",
                        "whenUnsatisfiable": "DoNotSchedule",
                        "labelSelector": ours,
                    }
                ],
            }
        }
    wanted: dict[str, Any] = {
        "image": f"rabbitmq:{spec.version}-management",
        "replicas": spec.replicas,
        "resources": whole(spec.cpu, spec.memory_gib),
        "persistence": {"storageClassName": place.storage_class, "storage": f"{spec.storage_gib}Gi"},
        "terminationGracePeriodSeconds": spec.termination_grace_seconds,
        "rabbitmq": {"additionalConfig": _configuration(spec)},
        "override": {"statefulSet": {"spec": statefulset}},
    }
    if spec.replicas > 1:
        wanted["affinity"] = {
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {"labelSelector": ours, "topologyKey": "kubernetes.io/hostname"}
                ]
            }
        }
    if spec.tls_secret_ref:
        wanted["tls"] = {
            "secretName": spec.tls_secret_ref,
            "caSecretName": spec.tls_secret_ref,
            "disableNonTLSListeners": True,
        }
    return wanted


def _configuration(spec: BrokerSpec) -> str:
    """rabbitmq.conf. The default disk alarm, 50 MB, is too late; as much as memory is the documented value."""
    lines = ["disk_free_limit.relative = 1.0", "collect_statistics_interval = 10000"]
    if spec.replicas > 1:
        group = "quorum_queue.continuous_membership_reconciliation"
        lines += [f"{group}.enabled = true", f"{group}.target_group_size = 3"]
    return "\n".join(lines) + "\n"
