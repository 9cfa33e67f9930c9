"""Firewall rules in any provider's spelling, read as grants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from tollgate.assess.changed import hides
from tollgate.assess.grants import Grants, Raw, collect, unreadable
from tollgate.books.match import matches

Reader = Callable[[Mapping[str, Any]], Iterator[Raw]]


class Way(StrEnum):
    """Who begins the connection."""

    IN = "in"
    OUT = "out"


def is_firewall(type_token: str, way: Way = Way.IN) -> bool:
    """True for a type whose inputs can be read as grants."""
    return any(matches(type_token, patterns) for patterns, _ in _READERS[way])


def grants_of(type_token: str, inputs: Mapping[str, Any] | None, way: Way = Way.IN) -> Grants | None:
    """The grants of a resource's inputs; None for a type that is no firewall. No inputs grant nothing."""
    for patterns, reader in _READERS[way]:
        if matches(type_token, patterns):
            return collect(reader(inputs)) if inputs else Grants(frozenset())
    return None


# Parts of a rule in which one more item lets more through. All other parts may narrow it.
_WIDENING = frozenset({"cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "securityGroups", "from", "to", "ports"})

_MOST_PAIRS = 100_000  # rules before times rules after that are compared one by one; our choice: half a second


def keeps(old: Any, new: Any) -> bool:
    """All that the old list of rules let through, the new one lets through as well, whatever it adds.

    False, too, where that cannot be told from the rules alone.
    """
    if not (isinstance(old, list) and old and isinstance(new, list)):
        return False
    if len(old) * len(new) > _MOST_PAIRS or hides(old):
        return False
    return all(any(_covers(rule, before) for rule in new) for before in old)


def _covers(new: Any, old: Any) -> bool:
    """The rule is the same, but for more of what widens it. An empty part means everyone: it is not added to."""
    if not isinstance(old, Mapping) or not isinstance(new, Mapping) or old.keys() != new.keys():
        return bool(new == old)
    return all(
        new[key] == value
        or (
            key in _WIDENING
            and isinstance(value, list)
            and isinstance(new[key], list)
            and bool(value)
            and all(item in new[key] for item in value)
        )
        for key, value in old.items()
    )


def _list(value: Any) -> list[Any]:
    """A list as it is, nothing as no items, anything else (unknown, secret, one value) as one item."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _aws_rule(rule: Any) -> Iterator[Raw]:
    if not isinstance(rule, Mapping):
        yield None, None, None, None
        return
    for key in ("cidrBlocks", "ipv6CidrBlocks"):
        for address in _list(rule.get(key)):
            yield address, rule.get("protocol"), rule.get("fromPort"), rule.get("toPort")


def _aws_group(key: str) -> Reader:
    def read(inputs: Mapping[str, Any]) -> Iterator[Raw]:
        for rule in _list(inputs.get(key)):
            yield from _aws_rule(rule)

    return read


def _aws_separate(*, egress: bool) -> Reader:
    def read(inputs: Mapping[str, Any]) -> Iterator[Raw]:
        if (inputs.get("type") == "egress") is egress:
            yield from _aws_rule(inputs)

    return read


def _aws_vpc_rule(inputs: Mapping[str, Any]) -> Iterator[Raw]:
    for key in ("cidrIpv4", "cidrIpv6"):
        if inputs.get(key) is not None:
            yield inputs[key], inputs.get("ipProtocol"), inputs.get("fromPort"), inputs.get("toPort")


def _aws_list(inputs: Mapping[str, Any]) -> Iterator[Raw]:
    """A list of addresses is used by other firewalls, on ports that only they name."""
    for entry in _list(inputs.get("entries", inputs)):
        yield entry.get("cidr") if isinstance(entry, Mapping) else None, "-1", None, None


def _gcp_firewall(*, egress: bool) -> Reader:
    def read(inputs: Mapping[str, Any]) -> Iterator[Raw]:
        if (inputs.get("direction") == "EGRESS") is egress and inputs.get("disabled") is not True:
            yield from _gcp_grants(inputs, "destinationRanges" if egress else "sourceRanges")

    return read


def _gcp_grants(inputs: Mapping[str, Any], addresses: str) -> Iterator[Raw]:
    for address in _list(inputs.get(addresses)):
        for allowed in _list(inputs.get("allows")):
            if not isinstance(allowed, Mapping):
                yield None, None, None, None
                continue
            for ports in _list(allowed.get("ports")) or [None]:
                yield (address, allowed.get("protocol"), *_range(ports))


def _azure_rule(rule: Any) -> Iterator[Raw]:
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


def _azure_group(inputs: Mapping[str, Any]) -> Iterator[Raw]:
    for rule in _list(inputs.get("securityRules")):
        yield from _azure_rule(rule)


def _range(ports: Any) -> tuple[Any, Any]:
    """``"80-443"`` as two ports; ``"*"`` as all."""
    if ports in (None, "*"):
        return None, None
    first, dash, last = str(ports).partition("-")
    return first, last if dash else first


def _k8s_service(inputs: Mapping[str, Any]) -> Iterator[Raw]:
    """A Service of type LoadBalancer lets everyone in, unless it is internal or names its sources."""
    spec, metadata = inputs.get("spec"), inputs.get("metadata")
    if not isinstance(spec, Mapping):
        if spec is not None:
            yield None, None, None, None
        return
    if unreadable(spec.get("type")):
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


def _network_policy(direction: str, peers: str) -> Reader:
    """A NetworkPolicy of Kubernetes: a rule without peers means everyone."""

    def read(inputs: Mapping[str, Any]) -> Iterator[Raw]:
        spec = inputs.get("spec")
        if not isinstance(spec, Mapping):
            yield None, None, None, None
            return
        for rule in _list(spec.get(direction)):
            if not isinstance(rule, Mapping):
                yield None, None, None, None
                continue
            for port in _list(rule.get("ports")) or [{}]:
                yield from _peers(_list(rule.get(peers)), port if isinstance(port, Mapping) else {"port": port})

    return read


def _peers(peers: list[Any], port: Mapping[str, Any]) -> Iterator[Raw]:
    number = port.get("port")
    # A port by name is one that we cannot compare: it is taken for any.
    first = None if isinstance(number, str) and not number.isdigit() and not unreadable(number) else number
    ends = (port.get("protocol") if first is not None else None, first, port.get("endPort", first))
    if not peers:
        yield ("0.0.0.0/0", *ends)
    for peer in peers:
        block = peer.get("ipBlock") if isinstance(peer, Mapping) else peer
        if isinstance(block, Mapping):
            yield (block.get("cidr"), *ends)
        elif block is not None:
            yield None, None, None, None


def _public_cidrs(*path: str) -> Reader:
    def read(inputs: Mapping[str, Any]) -> Iterator[Raw]:
        value: Any = inputs
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        for address in _list(value):
            yield address, "tcp", 443, 443

    return read


_GROUPS = ("aws:ec2/securityGroup:SecurityGroup", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
NETWORK_POLICY = ("kubernetes:networking.k8s.io/v1:NetworkPolicy",)
ADDRESS_LISTS = ("aws:ec2/managedPrefixList*",)
_READERS: dict[Way, tuple[tuple[tuple[str, ...], Reader], ...]] = {
    Way.IN: (
        (_GROUPS, _aws_group("ingress")),
        (("aws:ec2/securityGroupRule:SecurityGroupRule",), _aws_separate(egress=False)),
        (("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",), _aws_vpc_rule),
        (ADDRESS_LISTS, _aws_list),
        (("aws:eks/cluster:Cluster",), _public_cidrs("vpcConfig", "publicAccessCidrs")),
        (("gcp:compute/firewall:Firewall",), _gcp_firewall(egress=False)),
        (("azure-native:network*:SecurityRule",), _azure_rule),
        (("azure-native:network*:NetworkSecurityGroup",), _azure_group),
        (("kubernetes:core/v1:Service",), _k8s_service),
        (NETWORK_POLICY, _network_policy("ingress", "from")),
    ),
    Way.OUT: (
        (_GROUPS, _aws_group("egress")),
        (("aws:ec2/securityGroupRule:SecurityGroupRule",), _aws_separate(egress=True)),
        (("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",), _aws_vpc_rule),
        (("gcp:compute/firewall:Firewall",), _gcp_firewall(egress=True)),
        (NETWORK_POLICY, _network_policy("egress", "to")),
    ),
}
