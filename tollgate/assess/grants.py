"""Firewall rules in any provider's spelling as grants: which addresses may reach which ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any

from tollgate.books.match import matches
from tollgate.policy.sentinels import is_secret, is_unknown

Network = IPv4Network | IPv6Network
# Private ranges: RFC 1918, RFC 6598 (carrier NAT), RFC 4193 (IPv6), loopback and link-local.
_PRIVATE: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)
_ALL_PORTS = (0, 65535)
# Azure's words for every address (network security groups, "service tags").
_EVERYONE = {"*": "0.0.0.0/0", "internet": "0.0.0.0/0", "any": "0.0.0.0/0"}


@dataclass(frozen=True, slots=True)
class Grant:
    """Addresses (a network) that may reach a range of ports over a protocol ("-1": any)."""

    network: Network
    protocol: str
    first: int
    last: int

    @property
    def ports(self) -> str:
        if (self.first, self.last) == _ALL_PORTS or self.protocol == "-1":
            return "all ports"
        return f"port {self.first}" if self.first == self.last else f"ports {self.first} to {self.last}"

    def covers_ports_of(self, other: Grant) -> bool:
        same_protocol = self.protocol in ("-1", other.protocol)
        return same_protocol and self.first <= other.first and self.last >= other.last


@dataclass(frozen=True, slots=True)
class Grants:
    """``hidden``: some rule could not be read (unknown, secret, or not an address)."""

    grants: frozenset[Grant]
    hidden: bool = False


def is_firewall(type_token: str) -> bool:
    """True for a type whose inputs can be read as grants."""
    return any(matches(type_token, patterns) for patterns, _ in _READERS)


@lru_cache(maxsize=16_384)
def _network(address: str) -> Network:
    return ip_network(_EVERYONE.get(address.lower(), address), strict=False)


@lru_cache(maxsize=16_384)
def is_private(network: Network) -> bool:
    """No address of the network is reachable from the internet."""
    return any(
        network.version == private.version and network.subnet_of(private)  # type: ignore[arg-type]
        for private in _PRIVATE
    )


def is_everyone(network: Network) -> bool:
    """Half of the internet or more: nobody in particular."""
    return network.prefixlen <= 1


def widened(before: Grants, after: Grants) -> list[Grant]:
    """Grants of the new side that the old side did not already give, in a stable order."""
    new = [grant for grant in after.grants if not _given(grant, before)]
    return sorted(new, key=lambda grant: (grant.network.prefixlen, str(grant.network), grant.first, grant.last))


def _given(grant: Grant, before: Grants) -> bool:
    """One old rule, or several old networks together with the same ports, already let these in."""
    nets: list[Any] = [
        old.network
        for old in before.grants
        if old.covers_ports_of(grant) and old.network.version == grant.network.version
    ]
    return any(grant.network.subnet_of(net) for net in collapse_addresses(nets))


def grants_of(type_token: str, inputs: Mapping[str, Any] | None) -> Grants | None:
    """The grants of a resource's inputs; None for a type that is no firewall. No inputs grant nothing."""
    for patterns, reader in _READERS:
        if matches(type_token, patterns):
            return _collect(reader(inputs)) if inputs else Grants(frozenset())
    return None


_Raw = tuple[Any, Any, Any, Any]  # address, protocol, first port, last port


def _collect(raws: Iterator[_Raw]) -> Grants:
    found, hidden = set(), False
    for address, protocol, first, last in raws:
        grant = _grant(address, protocol, first, last)
        if grant is None:
            hidden = True
        else:
            found.add(grant)
    return Grants(frozenset(found), hidden)


def _grant(address: Any, protocol: Any, first: Any, last: Any) -> Grant | None:
    if not isinstance(address, str) or _unreadable(address):
        return None
    try:
        network = _network(address)
    except ValueError:
        return None
    word = "-1" if protocol is None else str(protocol).lower().removesuffix(".0")
    word = "-1" if word in ("all", "*", "-1") else word
    if word == "-1" or (first is None and last is None):
        return Grant(network, word, *_ALL_PORTS)
    low, high = _port(first), _port(last if last is not None else first)
    return None if low is None or high is None else Grant(network, word, low, high)


def _port(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 6:
        return int(value)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _unreadable(value: Any) -> bool:
    return is_unknown(value) or is_secret(value)


def _list(value: Any) -> list[Any]:
    """A list as it is, nothing as no items, anything else (unknown, secret, one value) as one item."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _aws_rule(rule: Any) -> Iterator[_Raw]:
    if not isinstance(rule, Mapping):
        yield None, None, None, None
        return
    for key in ("cidrBlocks", "ipv6CidrBlocks"):
        for address in _list(rule.get(key)):
            yield address, rule.get("protocol"), rule.get("fromPort"), rule.get("toPort")


def _aws_group(inputs: Mapping[str, Any]) -> Iterator[_Raw]:
    for rule in _list(inputs.get("ingress")):
        yield from _aws_rule(rule)


def _aws_separate(inputs: Mapping[str, Any]) -> Iterator[_Raw]:
    if inputs.get("type") != "egress":
        yield from _aws_rule(inputs)


def _aws_ingress(inputs: Mapping[str, Any]) -> Iterator[_Raw]:
    for key in ("cidrIpv4", "cidrIpv6"):
        if inputs.get(key) is not None:
            yield inputs[key], inputs.get("ipProtocol"), inputs.get("fromPort"), inputs.get("toPort")


def _gcp_firewall(inputs: Mapping[str, Any]) -> Iterator[_Raw]:
    if inputs.get("direction") == "EGRESS" or inputs.get("disabled") is True:
        return
    for address in _list(inputs.get("sourceRanges")):
        for allowed in _list(inputs.get("allows")):
            if not isinstance(allowed, Mapping):
                yield None, None, None, None
                continue
            for ports in _list(allowed.get("ports")) or [None]:
                yield (address, allowed.get("protocol"), *_range(ports))


def _azure_rule(rule: Any) -> Iterator[_Raw]:
    if not isinstance(rule, Mapping):
        yield None, None, None, None
        return
    if rule.get("direction") == "Outbound" or rule.get("access") == "Deny":
        return
    addresses = _list(rule.get("sourceAddressPrefix")) + _list(rule.get("sourceAddressPrefixes"))
    ports = _list(rule.get("destinationPortRange")) + _list(rule.get("destinationPortRanges"))
    for address in addresses:
        for port in ports or [None]:
            yield (address, rule.get("protocol"), *_range(port))


def _azure_group(inputs: Mapping[str, Any]) -> Iterator[_Raw]:
    for rule in _list(inputs.get("securityRules")):
        yield from _azure_rule(rule)


def _range(ports: Any) -> tuple[Any, Any]:
    """``"80-443"`` as two ports; ``"*"`` as all."""
    if ports in (None, "*"):
        return None, None
    first, dash, last = str(ports).partition("-")
    return first, last if dash else first


def _k8s_service(inputs: Mapping[str, Any]) -> Iterator[_Raw]:
    """A Service of type LoadBalancer lets everyone in, unless it is internal or names its sources."""
    spec, metadata = inputs.get("spec"), inputs.get("metadata")
    if not isinstance(spec, Mapping):
        if spec is not None:
            yield None, None, None, None
        return
    if _unreadable(spec.get("type")):
        yield None, None, None, None
    if spec.get("type") != "LoadBalancer" or _internal(metadata):
        return
    for address in _list(spec.get("loadBalancerSourceRanges")) or ["0.0.0.0/0"]:
        for port in _list(spec.get("ports")):
            number = port.get("port") if isinstance(port, Mapping) else None
            yield address, "tcp", number, number


# What makes a load balancer of Kubernetes internal: one annotation for each cloud, with any of these values.
_INTERNAL = frozenset({"true", "internal", "0.0.0.0/0"})
_INTERNAL_KEYS = (
    "service.beta.kubernetes.io/aws-load-balancer-internal",
    "service.beta.kubernetes.io/aws-load-balancer-scheme",
    "service.beta.kubernetes.io/azure-load-balancer-internal",
    "networking.gke.io/load-balancer-type",
    "cloud.google.com/load-balancer-type",
)


def _internal(metadata: Any) -> bool:
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    if not isinstance(annotations, Mapping):
        return False
    return any(str(annotations.get(key, "")).lower() in _INTERNAL for key in _INTERNAL_KEYS)


def _public_cidrs(*path: str) -> Callable[[Mapping[str, Any]], Iterator[_Raw]]:
    def read(inputs: Mapping[str, Any]) -> Iterator[_Raw]:
        value: Any = inputs
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        for address in _list(value):
            yield address, "tcp", 443, 443

    return read


_READERS: tuple[tuple[tuple[str, ...], Callable[[Mapping[str, Any]], Iterator[_Raw]]], ...] = (
    (("aws:ec2/securityGroup:SecurityGroup", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"), _aws_group),
    (("aws:ec2/securityGroupRule:SecurityGroupRule",), _aws_separate),
    (("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",), _aws_ingress),
    (("aws:eks/cluster:Cluster",), _public_cidrs("vpcConfig", "publicAccessCidrs")),
    (("gcp:compute/firewall:Firewall",), _gcp_firewall),
    (("azure-native:network*:SecurityRule",), _azure_rule),
    (("azure-native:network*:NetworkSecurityGroup",), _azure_group),
    (("kubernetes:core/v1:Service",), _k8s_service),
)
