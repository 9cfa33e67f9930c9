"""A Valkey store of our own on Kubernetes: one node, or nodes with three Sentinels that move the primary."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_kubernetes.apps.v1 import StatefulSet
from pulumi_kubernetes.core.v1 import ConfigMap, Service
from pulumi_kubernetes.networking.v1 import NetworkPolicy
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget

from components.base import Component
from components.cluster import Place
from components.naming import digest_of, labels, opens
from components.redis_access import node_users, sentinel_users
from components.specs import RedisSpec
from components.valkey import PORT, SENTINEL_PORT, shipped
from components.valkey_pods import data_set, sentinel_set, sentinels_of
from components.valkey_settings import data_node, sentinel

OF_NODES = ("common.sh", "users.sh", "node.sh", "ready.sh", "stop.sh")
OF_SENTINELS = ("common.sh", "users.sh", "sentinel.sh", "sentinel-ready.sh")


def node_files(spec: RedisSpec) -> dict[str, str]:
    """What a data node is given: its scripts, its configuration, its users without their passwords."""
    return {**shipped(*OF_NODES), "valkey.conf": data_node(spec), "users.acl": node_users(spec.users)}


def sentinel_files(called: str, spec: RedisSpec) -> dict[str, str]:
    """What a Sentinel is given."""
    return {
        **shipped(*OF_SENTINELS),
        "sentinel.conf": sentinel(called, spec),
        "users.acl": sentinel_users(spec.users),
    }


def valkey_store(
    home: Component, called: str, spec: RedisSpec, *, place: Place
) -> tuple[pulumi.Output[str], StatefulSet]:
    """The objects of a store. Returns where services begin (the Sentinels, or the one node there is), and its nodes."""
    members = _Members(home, place, spec.purpose)
    files = members.files("settings", called, node_files(spec))
    service = members.service("service", called, "valkey", PORT)
    members.doors("doors", called, _node_doors(called))
    if spec.replicas:
        members.budget("disruptions", called)
        _sentinels(members, called, spec)
    store = StatefulSet(
        home.child("store"),
        metadata=members.metadata(called, named=True),
        spec=data_set(called, spec, place=place, settings=files.metadata["name"]),
        opts=home.stateful(depends_on=[service]),
    )
    first = sentinels_of(called) if spec.replicas else called
    return pulumi.Output.concat(f"{first}.", place.namespace, ".svc"), store


def _sentinels(members: _Members, called: str, spec: RedisSpec) -> None:
    named = sentinels_of(called)
    files = members.files("sentinel-settings", named, sentinel_files(called, spec))
    service = members.service("sentinel-service", named, "sentinel", SENTINEL_PORT)
    members.doors("sentinel-doors", named, _sentinel_doors(called))
    members.budget("sentinel-disruptions", named)
    StatefulSet(
        members.home.child("sentinel"),
        metadata=members.metadata(named, named=True),
        spec=sentinel_set(called, spec, place=members.place, settings=files.metadata["name"]),
        opts=members.home.stateful(depends_on=[service]),
    )


class _Members:
    """The objects that data nodes and Sentinels have alike, each for the pods of one name."""

    def __init__(self, home: Component, place: Place, purpose: str) -> None:
        self.home, self.place, self.purpose = home, place, purpose

    def metadata(self, called: str, *, named: bool = False) -> dict[str, Any]:
        named_for = {**labels(called), "app.kubernetes.io/component": self.purpose}
        found: dict[str, Any] = {"namespace": self.place.namespace, "labels": named_for}
        return {**found, "name": called} if named else found

    def files(self, part: str, called: str, data: dict[str, str]) -> ConfigMap:
        """Named by a digest of its content: other content is another map, and a rollout that can be seen."""
        metadata = self.metadata(called) | {"name": f"{called}-{digest_of(data)}"}
        return ConfigMap(self.home.child(part), metadata=metadata, immutable=True, data=data, opts=self.home.within())

    def service(self, part: str, called: str, port_name: str, port: int) -> Service:
        """A name for each pod, from its start: they find each other before they are ready."""
        return Service(
            self.home.child(part),
            metadata=self.metadata(called, named=True),
            spec={
                "clusterIP": "None",
                "publishNotReadyAddresses": True,
                "selector": labels(called),
                "ports": [{"name": port_name, "port": port}],
            },
            opts=self.home.within(),
        )

    def budget(self, part: str, called: str) -> None:
        """One pod at a time, and never the second while the first is not well."""
        PodDisruptionBudget(
            self.home.child(part),
            metadata=self.metadata(called),
            spec={
                "maxUnavailable": 1,
                "unhealthyPodEvictionPolicy": "IfHealthyBudget",
                "selector": {"matchLabels": labels(called)},
            },
            opts=self.home.within(),
        )

    def doors(self, part: str, called: str, rules: dict[str, Any]) -> None:
        spec = {
            "podSelector": {"matchLabels": labels(called)},
            "policyTypes": ["Ingress", "Egress"],
            **rules,
        }
        NetworkPolicy(self.home.child(part), metadata=self.metadata(called), spec=spec, opts=self.home.within())


def _node_doors(called: str) -> dict[str, Any]:
    """In: services that say they use a store, other nodes, Sentinels. Out: other nodes, Sentinels, names."""
    nodes, sentinels = _pods(labels(called)), _pods(labels(sentinels_of(called)))
    return {
        "ingress": [{"from": [_pods(opens("redis")), nodes, sentinels], "ports": [_tcp(PORT)]}],
        "egress": [
            {"to": [nodes], "ports": [_tcp(PORT)]},
            {"to": [sentinels], "ports": [_tcp(SENTINEL_PORT)]},
            NAMES,
        ],
    }


def _sentinel_doors(called: str) -> dict[str, Any]:
    """In: services that ask where the primary is, nodes, other Sentinels. Out: nodes, other Sentinels, names."""
    nodes, sentinels = _pods(labels(called)), _pods(labels(sentinels_of(called)))
    return {
        "ingress": [{"from": [_pods(opens("redis")), nodes, sentinels], "ports": [_tcp(SENTINEL_PORT)]}],
        "egress": [
            {"to": [nodes], "ports": [_tcp(PORT)]},
            {"to": [sentinels], "ports": [_tcp(SENTINEL_PORT)]},
            NAMES,
        ],
    }


def _pods(of: dict[str, str]) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": of}}


def _tcp(port: int) -> dict[str, Any]:
    return {"protocol": "TCP", "port": port}


# DNS is a part of every cluster's kube-system.
NAMES = {
    "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
    "ports": [_tcp(53), {"protocol": "UDP", "port": 53}],
}
