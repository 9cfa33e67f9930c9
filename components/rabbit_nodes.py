"""The nodes of a RabbitMQ cluster on Kubernetes, as manifests: what the operator is told, and who may reach them."""

from __future__ import annotations

from typing import Any

from components.cluster import Place, whole
from components.specs import BrokerSpec
from components.specs.broker import COPIES_THAT_SURVIVE

NAME_LABEL = "app.kubernetes.io/name"
CLIENT, MANAGEMENT = 5671, 15671  # both with TLS; 5672 and 15672 are closed
NAMES, DISTRIBUTION = 4369, 25672  # epmd, and the Erlang distribution by which nodes copy messages
TOOLS = (35672, 35682)  # by which the command-line tools of one node ask another
OPERATORS = "rabbitmq-system"  # where the RabbitMQ operators' own manifests put them


def cluster_manifest(called: str, spec: BrokerSpec, place: Place) -> dict[str, Any]:
    """The operator's production example, with the disks kept: by default deleting the object deletes them."""
    wanted: dict[str, Any] = {
        "image": spec.image,
        "replicas": spec.replicas,
        "resources": whole(spec.cpu, spec.memory_gib),
        "persistence": {"storageClassName": place.storage_class, "storage": f"{spec.storage_gib}Gi"},
        "terminationGracePeriodSeconds": spec.termination_grace_seconds,
        "tls": {
            "secretName": spec.tls_secret_ref,
            "caSecretName": spec.tls_secret_ref,
            "disableNonTLSListeners": True,
        },
        "rabbitmq": {"additionalConfig": configuration(spec)},
        "override": {"statefulSet": {"spec": _stateful_set(called, spec, place)}},
    }
    if spec.replicas > 1:
        apart = {"labelSelector": _nodes(called), "topologyKey": "kubernetes.io/hostname"}
        wanted["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [apart]}}
    return wanted


def configuration(spec: BrokerSpec) -> str:
    """rabbitmq.conf. ``cluster_partition_handling`` is left out: from 4.3 it is accepted and does nothing."""
    lines = {
        # The default alarm, at 50 MB, is too late; as much as memory is the documented value.
        "disk_free_limit.relative": "1.0",
        "collect_statistics_interval": "10000",
        "raft.wal_max_size_bytes": str(spec.wal_mib * 1024 * 1024),
    }
    if spec.replicas > 1:
        # Off by default: without it a node that is added, or made anew, gets no copies of existing queues.
        group = "quorum_queue.continuous_membership_reconciliation"
        lines |= {f"{group}.enabled": "true", f"{group}.target_group_size": str(COPIES_THAT_SURVIVE)}
    return "".join(f"{key} = {value}\n" for key, value in lines.items())


def disruption_budget(called: str) -> dict[str, Any]:
    """One node at a time, and never the second while the first is not well. The operator makes no budget."""
    return {"maxUnavailable": 1, "unhealthyPodEvictionPolicy": "IfHealthyBudget", "selector": _nodes(called)}


def doors(called: str) -> dict[str, Any]:
    """In: clients of the namespace, the topology operator, other nodes. Out: other nodes, and names. Nobody else."""
    nodes = {"podSelector": _nodes(called)}
    between = [_tcp(NAMES), _tcp(DISTRIBUTION), _tcp(TOOLS[0]) | {"endPort": TOOLS[1]}]
    dns = [_tcp(53), _tcp(53) | {"protocol": "UDP"}]
    return {
        "podSelector": _nodes(called),
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            {"from": [{"podSelector": {}}], "ports": [_tcp(CLIENT)]},
            {"from": [_namespace(OPERATORS)], "ports": [_tcp(MANAGEMENT)]},
            {"from": [nodes], "ports": between},
        ],
        # From 4.1 nodes find each other by name alone, so they need no way to the Kubernetes API.
        "egress": [{"to": [nodes], "ports": between}, {"to": [_namespace("kube-system")], "ports": dns}],
    }


def _stateful_set(called: str, spec: BrokerSpec, place: Place) -> dict[str, Any]:
    changed: dict[str, Any] = {
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"}
    }
    if place.zoned and spec.replicas > 1:
        spread = {
            "maxSkew": 1,
            "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": _nodes(called),
        }
        changed["template"] = {"spec": {"containers": [], "topologySpreadConstraints": [spread]}}
    return changed


def _nodes(called: str) -> dict[str, Any]:
    return {"matchLabels": {NAME_LABEL: called}}


def _namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _tcp(port: int) -> dict[str, Any]:
    return {"protocol": "TCP", "port": port}
