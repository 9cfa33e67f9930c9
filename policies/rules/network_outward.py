"""Rules for what may leave a network: the ways out of security groups, in all their spellings."""

from typing import Any

from tollgate.policy.addresses import each_narrow, narrow
from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import HIGH
from tollgate.policy.statement import rule

WHY = "A way out to everywhere, with every protocol, is a way out for stolen data."
FIX = "name the protocol and one port, such as tcp 443, or the addresses that are called"
CONTROLS = ("PCI-DSS 1.3.2",)
# Protocols of which a rule names ports, by name and by number (IANA).
WITH_PORTS = ("tcp", "udp", "6", "17")


def _way(protocol: str, first: int, last: int, **to: Any) -> dict[str, Any]:
    return {"protocol": protocol, "fromPort": first, "toPort": last, **to}


def _to_anyone(protocol: str, first: int, last: int) -> dict[str, Any]:
    return _way(protocol, first, last, cidrBlocks=["0.0.0.0/0"])


@rule(
    id="network-group-outward",
    why=WHY,
    severity=HIGH,
    controls=CONTROLS,
    types=("aws:ec2/securityGroup:SecurityGroup",),
    fix=FIX,
    good={"egress": [_to_anyone("tcp", 443, 443)]},
    bad={"egress": [_to_anyone("-1", 443, 443)]},
    also_good={
        "inside": {"egress": [_way("-1", 0, 0, cidrBlocks=["10.20.0.0/16"], ipv6CidrBlocks=["fd00::/48"])]},
        "to a group": {"egress": [_way("-1", 0, 0, securityGroups=["sg-1"])]},
        "two": {"egress": [_to_anyone("tcp", 443, 443), _to_anyone("udp", 123, 123)]},
        "by the newer protocol": {"egress": [_way("6", 443, 443, ipv6CidrBlocks=["::/0"])]},
    },
    also_bad={
        "many ports": {"egress": [_to_anyone("tcp", 443, 65535)]},
        "one of two": {"egress": [_to_anyone("tcp", 443, 443), _to_anyone("udp", 123, 124)]},
        "by the newer protocol": {"egress": [_way("-1", 443, 443, ipv6CidrBlocks=["::/0"])]},
        "half of it": {"egress": [_way("-1", 0, 0, cidrBlocks=["128.0.0.0/1"], ipv6CidrBlocks=["fd00::/48"])]},
    },
    # pulumi_aws 7.51.1: no egress block lets nothing out, and one without addresses lets out to groups or itself only.
    defaults={"egress": None, "egress[*].cidrBlocks": None, "egress[*].ipv6CidrBlocks": None},
)
def group_outward(group: Reading) -> Check:
    return group["egress"].each(lambda way: _one_port(way, "protocol").unless(_to_some(way)))


@rule(
    id="network-rule-outward",
    why=WHY,
    severity=HIGH,
    controls=CONTROLS,
    types=("aws:ec2/securityGroupRule:SecurityGroupRule",),
    fix=FIX,
    good={"type": "egress", **_to_anyone("tcp", 443, 443)},
    bad={"type": "egress", **_to_anyone("-1", 443, 443)},
    also_good={
        "the way in": {"type": "ingress", **_to_anyone("-1", 443, 443)},
        "inside": {"type": "egress", **_way("-1", 0, 0, cidrBlocks=["10.20.0.0/16"])},
    },
    # pulumi_aws 7.51.1: a rule without addresses lets out to security groups or itself only.
    defaults={"cidrBlocks": None, "ipv6CidrBlocks": None},
)
def rule_outward(way: Reading) -> Check:
    return _one_port(way, "protocol").unless(way["type"].one_of("ingress") | _to_some(way))


@rule(
    id="network-egress-outward",
    why=WHY,
    severity=HIGH,
    controls=CONTROLS,
    types=("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",),
    fix=FIX,
    good={"cidrIpv4": "0.0.0.0/0", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443},
    bad={"cidrIpv4": "0.0.0.0/0", "ipProtocol": "-1", "fromPort": 443, "toPort": 443},
    also_good={
        "inside": {"cidrIpv4": "10.20.0.0/16", "ipProtocol": "-1"},
        "to a group": {"referencedSecurityGroupId": "sg-1", "ipProtocol": "-1"},
        "by the newer protocol": {"cidrIpv6": "::/0", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443},
    },
    also_bad={"by the newer protocol": {"cidrIpv6": "::/0", "ipProtocol": "-1", "fromPort": 443, "toPort": 443}},
    # pulumi_aws 7.51.1: a rule has one destination; without addresses it is a security group or a prefix list.
    defaults={"cidrIpv4": None, "cidrIpv6": None},
)
def egress_outward(way: Reading) -> Check:
    to_some = narrow(way["cidrIpv4"]) & narrow(way["cidrIpv6"])
    return _one_port(way, "ipProtocol").unless(to_some)


def _to_some(way: Reading) -> Check:
    return each_narrow(way["cidrBlocks"]) & each_narrow(way["ipv6CidrBlocks"])


def _one_port(way: Reading, protocol: str) -> Check:
    one = way["toPort"].same_as(way["fromPort"], lambda port: port)
    return way[protocol].one_of(*WITH_PORTS) & one
