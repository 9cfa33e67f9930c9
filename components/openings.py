"""Openings: the NetworkPolicies of a namespace that is closed both ways, each named for what it lets through.

A pod is let through an opening by a label of its own (``components.naming.opens``). Servers of data guard their own
door as well: an opening for callers here, a door there, and both must agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from components.naming import opens
from components.specs import NamespaceSpec
from components.specs.namespace import Opening
from components.specs.network import PRIVATE_RANGES

Policy = dict[str, Any]

EVERY_POD: Policy = {}
NAMESPACE_NAME = "kubernetes.io/metadata.name"
# Labels that operators put on the pods they make (CloudNativePG, "Labels and annotations"; RabbitMQ cluster operator).
POSTGRES = {"matchExpressions": [{"key": "cnpg.io/cluster", "operator": "Exists"}]}
RABBIT = {"matchLabels": {"app.kubernetes.io/component": "rabbitmq"}}
# Where CloudNativePG's own manifests put its operator.
POSTGRES_OPERATOR = "cnpg-system"
# The Pod Identity agent's address on each node (EKS user guide, "How Pod Identity works"). The instance metadata
# service, next door at .254, stays closed.
POD_IDENTITY = "169.254.170.23/32"
# Link-local and shared address space (RFC 3927, RFC 6598) are no more the internet than private ranges are.
NOT_THE_INTERNET = [*PRIVATE_RANGES, "169.254.0.0/16", "100.64.0.0/10"]
EXPORTERS = (9187, 15692, 15691, 9121)  # CloudNativePG, RabbitMQ plain and TLS, the Valkey exporter
SENTINEL = 26379


@dataclass(frozen=True)
class Surroundings:
    """What lies around the namespace. Ranges are empty where the data services are pods of the namespace itself.

    ``cloud``: the VPC's range, on aws. ``backup_port``: of the object store that databases in the namespace write to.
    """

    data_ranges: tuple[str, ...] = ()
    broker_ranges: tuple[str, ...] = ()
    cloud: str | None = None
    backup_port: int = 443


def policies(spec: NamespaceSpec, around: Surroundings) -> dict[str, Policy]:
    """The spec of each NetworkPolicy by name. The first closes the namespace both ways; the others open it."""
    found: dict[str, Policy] = {
        "closed": {"podSelector": EVERY_POD, "policyTypes": ["Ingress", "Egress"]},
        "dns": _out(EVERY_POD, [_dns()], [53], protocols=("UDP", "TCP")),
    }
    if around.cloud:
        found["identity"] = _out(EVERY_POD, [_range(POD_IDENTITY)], [80])
    if "broker" in spec.openings and not around.broker_ranges:
        found["broker-nodes"] = _out(RABBIT, [{"podSelector": RABBIT}], [4369, 25672, (35672, 35682)])
        found["broker-api"] = _api(RABBIT, around)
    if not around.data_ranges:
        found |= _postgres(around)
    for name in spec.openings:
        found[name] = OPENINGS[name](spec, around)
    return found


def _database(_: NamespaceSpec, around: Surroundings) -> Policy:
    return _out(_labelled("database"), _servers(around), [5432])


def _redis(_: NamespaceSpec, around: Surroundings) -> Policy:
    return _out(_labelled("redis"), _servers(around), [6379, SENTINEL])


def _broker(_: NamespaceSpec, around: Surroundings) -> Policy:
    ranges: list[Policy] = [_range(cidr) for cidr in around.broker_ranges]
    return _out(_labelled("broker"), ranges or [{"podSelector": RABBIT}], [5671])


def _cloud(_: NamespaceSpec, around: Surroundings) -> Policy:
    return _out(_labelled("cloud"), [_range(str(around.cloud))], [443])


def _internet(_: NamespaceSpec, __: Surroundings) -> Policy:
    return _out(_labelled("internet"), [_range("0.0.0.0/0", NOT_THE_INTERNET)], [443])


def _metrics(spec: NamespaceSpec, _: Surroundings) -> Policy:
    """Prometheus reads exporters, and the port named metrics of any pod."""
    return _in(EVERY_POD, [_namespace(spec.monitoring_namespace)], [*EXPORTERS, "metrics"])


OPENINGS: Mapping[Opening, Callable[[NamespaceSpec, Surroundings], Policy]] = {
    "broker": _broker,
    "cloud": _cloud,
    "database": _database,
    "internet": _internet,
    "metrics": _metrics,
    "redis": _redis,
}


def _postgres(around: Surroundings) -> dict[str, Policy]:
    """What CloudNativePG's pods need: callers and each other, their operator (8000: status), the API, the backups."""
    peers = [{"podSelector": POSTGRES}]
    return {
        "postgres-callers": _in(POSTGRES, [{"podSelector": _labelled("database")}], [5432]),
        "postgres-peers": _in(POSTGRES, [*peers, _namespace(POSTGRES_OPERATOR)], [5432, 8000]),
        "postgres-replication": _out(POSTGRES, peers, [5432, 8000]),
        "postgres-api": _api(POSTGRES, around),
        "postgres-backups": _out(POSTGRES, [_range("0.0.0.0/0")], [around.backup_port]),
    }


def _api(pods: Policy, around: Surroundings) -> Policy:
    """The Kubernetes API has no pod to select. It is in the VPC on aws, and on a private address of 443 or 6443."""
    ranges = [around.cloud] if around.cloud else list(PRIVATE_RANGES)
    return _out(pods, [_range(cidr) for cidr in ranges], [443, 6443])


def _servers(around: Surroundings) -> list[Policy]:
    """Where data services answer: the data subnets, or pods of this namespace, which guard their own doors."""
    return [_range(cidr) for cidr in around.data_ranges] or [{"podSelector": EVERY_POD}]


def _labelled(opening: str) -> Policy:
    return {"matchLabels": opens(opening)}


def _namespace(name: str) -> Policy:
    return {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: name}}}


def _dns() -> Policy:
    return {**_namespace("kube-system"), "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}


def _range(cidr: str, but: list[str] | None = None) -> Policy:
    return {"ipBlock": {"cidr": cidr, "except": but}} if but else {"ipBlock": {"cidr": cidr}}


Port = int | str | tuple[int, int]


def _out(pods: Policy, to: list[Policy], ports: list[Port], protocols: tuple[str, ...] = ("TCP",)) -> Policy:
    rule = {"to": to, "ports": _ports(ports, protocols)}
    return {"podSelector": pods, "policyTypes": ["Egress"], "egress": [rule]}


def _in(pods: Policy, sources: list[Policy], ports: list[Port]) -> Policy:
    rule = {"from": sources, "ports": _ports(ports, ("TCP",))}
    return {"podSelector": pods, "policyTypes": ["Ingress"], "ingress": [rule]}


def _ports(ports: list[Port], protocols: tuple[str, ...]) -> list[Policy]:
    return [_port(port, protocol) for port in ports for protocol in protocols]


def _port(port: Port, protocol: str) -> Policy:
    if isinstance(port, tuple):
        return {"protocol": protocol, "port": port[0], "endPort": port[1]}
    return {"protocol": protocol, "port": port}
