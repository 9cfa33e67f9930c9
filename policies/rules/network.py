"""Rules for who may reach what: security groups in all their spellings."""

from typing import Any

from tollgate.policy.addresses import each_narrow, narrow
from tollgate.policy.check import Check
from tollgate.policy.reading import Reading, State
from tollgate.policy.severity import CRITICAL, HIGH
from tollgate.policy.statement import rule

GROUPS = ("aws:ec2/securityGroup:SecurityGroup", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
WHY = "A door that is open to the whole internet will be tried by the whole internet."
FIX = "name the address ranges or security groups that need to come in"
CONTROLS = ("PCI-DSS 1.3.1", "PCI-DSS 1.4.2", "FSBP EC2.13", "FSBP EC2.18", "FSBP EC2.19")
WHY_PORTS = "A range of addresses that may use every port may use the one that was forgotten."
FIX_PORTS = "name the protocol, and 100 ports at most, or let a security group in instead of addresses"
CONTROLS_PORTS = ("PCI-DSS 1.2.5", "PCI-DSS 1.4.2")
MOST_PORTS = 100  # [ours] a service and its neighbours; RabbitMQ's distribution takes 11
# Protocols of which a rule names ports, by name and by number (IANA).
WITH_PORTS = ("tcp", "udp", "6", "17")


@rule(
    id="network-group-closed",
    why=WHY,
    severity=CRITICAL,
    controls=CONTROLS,
    types=GROUPS,
    fix=FIX,
    good={"ingress": [{"cidrBlocks": ["10.20.0.0/16"], "ipv6CidrBlocks": ["fd00::/48"]}]},
    bad={"ingress": [{"cidrBlocks": ["0.0.0.0/0"], "ipv6CidrBlocks": ["fd00::/48"]}]},
    also_good={"two": {"ingress": [{"cidrBlocks": ["10.20.0.0/16"]}] * 2}},
    also_bad={
        "one of two": {"ingress": [{"cidrBlocks": ["10.20.0.0/16"]}, {"cidrBlocks": ["0.0.0.0/0"]}]},
        "by the newer protocol": {"ingress": [{"cidrBlocks": ["10.20.0.0/16"], "ipv6CidrBlocks": ["::/0"]}]},
        "half of it": {"ingress": [{"cidrBlocks": ["128.0.0.0/1"], "ipv6CidrBlocks": ["fd00::/48"]}]},
        "side by side": {
            "ingress": [{"cidrBlocks": ["203.0.0.0/16", "203.1.0.0/16"], "ipv6CidrBlocks": ["fd00::/48"]}]
        },
    },
    # pulumi_aws 7.51.1: no ingress block, or none of these in it, lets no address range in.
    defaults={"ingress": None, "ingress[*].cidrBlocks": None, "ingress[*].ipv6CidrBlocks": None},
)
def group_closed(group: Reading) -> Check:
    return group["ingress"].each(_closed)


@rule(
    id="network-rule-closed",
    why=WHY,
    severity=CRITICAL,
    controls=CONTROLS,
    types=(RULE,),
    fix=FIX,
    good={"type": "ingress", "cidrBlocks": ["10.20.0.0/16"], "ipv6CidrBlocks": ["fd00::/48"]},
    bad={"type": "ingress", "cidrBlocks": ["10.20.0.0/16"], "ipv6CidrBlocks": ["::/0"]},
    also_good={"the way out": {"type": "egress", "cidrBlocks": ["0.0.0.0/0"]}},
    also_bad={"neither in nor out": {"type": "Egress", "cidrBlocks": ["0.0.0.0/0"]}},
    # pulumi_aws 7.51.1: a rule without these lets in security groups or itself only.
    defaults={"cidrBlocks": None, "ipv6CidrBlocks": None},
)
def rule_closed(ingress: Reading) -> Check:
    return _closed(ingress).unless(ingress["type"].one_of("egress"))


@rule(
    id="network-ingress-closed",
    why=WHY,
    severity=CRITICAL,
    controls=CONTROLS,
    types=(INGRESS,),
    fix=FIX,
    good={"cidrIpv4": "10.20.0.0/16", "cidrIpv6": "fd00::/48"},
    bad={"cidrIpv4": "0.0.0.0/0", "cidrIpv6": "fd00::/48"},
    also_bad={"by the newer protocol": {"cidrIpv4": "10.20.0.0/16", "cidrIpv6": "2000::/3"}},
    # pulumi_aws 7.51.1: a rule has one source; without these it is a security group or a prefix list.
    defaults={"cidrIpv4": None, "cidrIpv6": None},
)
def ingress_closed(ingress: Reading) -> Check:
    return narrow(ingress["cidrIpv4"]) & narrow(ingress["cidrIpv6"])


def _closed(block: Reading) -> Check:
    return each_narrow(block["cidrBlocks"]) & each_narrow(block["ipv6CidrBlocks"])


def _ports(protocol: str, first: int, last: int) -> dict[str, Any]:
    return {"cidrBlocks": ["10.20.0.0/16"], "protocol": protocol, "fromPort": first, "toPort": last}


@rule(
    id="network-group-ports",
    why=WHY_PORTS,
    severity=HIGH,
    controls=CONTROLS_PORTS,
    types=GROUPS,
    fix=FIX_PORTS,
    good={"ingress": [_ports("tcp", 5000, 5099)]},
    bad={"ingress": [_ports("tcp", 5000, 5100)]},
    also_good={
        "a security group": {"ingress": [{"securityGroups": ["sg-1"], "protocol": "-1"}]},
        "no addresses": {"ingress": [{"cidrBlocks": [], "ipv6CidrBlocks": [], "protocol": "-1"}]},
        "by number": {"ingress": [_ports("17", 53, 53)]},
        "two": {"ingress": [_ports("tcp", 53, 53), _ports("udp", 53, 53)]},
        "by the newer protocol": {
            "ingress": [{"ipv6CidrBlocks": ["fd00::/48"], "protocol": "udp", "fromPort": 53, "toPort": 53}]
        },
    },
    also_bad={
        "any protocol": {"ingress": [_ports("-1", 5000, 5099)]},
        "one of two": {"ingress": [_ports("tcp", 53, 53), _ports("-1", 53, 53)]},
        "below where it begins": {"ingress": [_ports("tcp", 5000, 4999)]},
        "by the newer protocol": {
            "ingress": [{"ipv6CidrBlocks": ["fd00::/48"], "protocol": "-1", "fromPort": 53, "toPort": 53}]
        },
    },
    # pulumi_aws 7.51.1: no ingress block lets nothing in, and one without addresses lets in groups or itself only.
    defaults={"ingress": None, "ingress[*].cidrBlocks": None},
)
def group_names_ports(group: Reading) -> Check:
    return group["ingress"].each(lambda block: _few_ports(block, "protocol").unless(_no_addresses(block)))


@rule(
    id="network-rule-ports",
    why=WHY_PORTS,
    severity=HIGH,
    controls=CONTROLS_PORTS,
    types=(RULE,),
    fix=FIX_PORTS,
    good={"type": "ingress", **_ports("tcp", 0, 99)},
    bad={"type": "ingress", **_ports("tcp", 0, 65535)},
    also_good={
        "the way out": {"type": "egress", **_ports("all", 0, 99)},
        "itself": {"type": "ingress", "self": True, "protocol": "-1"},
    },
    also_bad={"any protocol": {"type": "ingress", **_ports("all", 0, 99)}},
    # pulumi_aws 7.51.1: a rule without addresses lets in security groups or itself only.
    defaults={"cidrBlocks": None},
)
def rule_names_ports(ingress: Reading) -> Check:
    exempt = ingress["type"].one_of("egress") | _no_addresses(ingress)
    return _few_ports(ingress, "protocol").unless(exempt)


@rule(
    id="network-ingress-ports",
    why=WHY_PORTS,
    severity=HIGH,
    controls=CONTROLS_PORTS,
    types=(INGRESS,),
    fix=FIX_PORTS,
    good={"cidrIpv4": "10.20.0.0/16", "ipProtocol": "tcp", "fromPort": 5432, "toPort": 5432},
    bad={"cidrIpv4": "10.20.0.0/16", "ipProtocol": "-1", "fromPort": 5432, "toPort": 5432},
    also_good={
        "a security group": {"referencedSecurityGroupId": "sg-1", "ipProtocol": "-1"},
        "by the newer protocol": {"cidrIpv6": "fd00::/48", "ipProtocol": "tcp", "fromPort": 53, "toPort": 53},
    },
    also_bad={"by the newer protocol": {"cidrIpv6": "fd00::/48", "ipProtocol": "-1", "fromPort": 53, "toPort": 53}},
    # pulumi_aws 7.51.1: a rule has one source; without addresses it is a security group or a prefix list.
    defaults={"cidrIpv4": None},
)
def ingress_names_ports(ingress: Reading) -> Check:
    no_addresses = ingress["cidrIpv4"].is_left_out() & ingress["cidrIpv6"].is_left_out()
    return _few_ports(ingress, "ipProtocol").unless(no_addresses)


def _no_addresses(block: Reading) -> Check:
    return _empty(block["cidrBlocks"]) & _empty(block["ipv6CidrBlocks"])


def _empty(addresses: Reading) -> Check:
    return addresses.one_or_each(Reading.is_left_out)


def _few_ports(block: Reading, protocol: str) -> Check:
    return block[protocol].one_of(*WITH_PORTS) & _near(block["fromPort"], block["toPort"])


def _near(first: Reading, last: Reading) -> Check:
    if first.state is State.UNKNOWN:
        return first.is_set()
    start = first.value if isinstance(first.value, int | float) else None
    near = f"fromPort, or up to {MOST_PORTS - 1} above it"
    return last.satisfies(
        lambda port: start is not None and isinstance(port, int | float) and start <= port < start + MOST_PORTS, near
    )


@rule(
    id="network-default-closed",
    why="Whatever is made without a security group gets the default one: it must let nothing in or out.",
    severity=HIGH,
    controls=("PCI-DSS 1.3.1", "PCI-DSS 1.3.2", "FSBP EC2.2"),
    types=("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",),
    fix="set ingress and egress to empty lists",
    good={"ingress": [], "egress": []},
    bad={"ingress": [{"self": True}], "egress": []},
    also_bad={"the way out": {"ingress": [], "egress": [{"protocol": "-1"}]}},
    # pulumi_aws 7.51.1: managing the default group without rules takes all of them out.
    defaults={"ingress": None, "egress": None},
)
def default_closed(group: Reading) -> Check:
    return _empty(group["ingress"]) & _empty(group["egress"])
