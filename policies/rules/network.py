"""Rules for who may reach what."""

from ipaddress import ip_network
from typing import Any

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import CRITICAL
from tollgate.policy.statement import rule

_WHY = "A door that is open to the whole internet will be tried by the whole internet."
_FIX = "name the address ranges or security groups that need to come in"
# The largest ranges that can be private: 10.0.0.0/8 (RFC 1918) and fc00::/7 (RFC 4193). Anything wider, such
# as two halves of the internet side by side, is public in all but name.
_WIDEST_PREFIX = {4: 8, 6: 7}


def _narrow(addresses: Reading) -> Check:
    return addresses.satisfies(_is_narrow, "a range no wider than 10.0.0.0/8 or fc00::/7")


def _is_narrow(text: Any) -> bool:
    try:
        network = ip_network(str(text), strict=False)
    except ValueError:
        return False
    return network.prefixlen >= _WIDEST_PREFIX[network.version]


@rule(
    id="network-group-closed",
    why=_WHY,
    severity=CRITICAL,
    controls=("PCI-DSS 1.3.1", "PCI-DSS 1.4.2", "FSBP EC2.18"),
    types=("aws:ec2/securityGroup:SecurityGroup",),
    fix=_FIX,
    good={"ingress": [{"cidrBlocks": ["10.20.0.0/16"], "ipv6CidrBlocks": ["fd00::/48"]}]},
    bad={"ingress": [{"cidrBlocks": ["0.0.0.0/0"], "ipv6CidrBlocks": ["fd00::/48"]}]},
    # pulumi_aws 7.51.1: no ingress block, or none of these in it, lets no address range in.
    defaults={"ingress": None, "ingress[*].cidrBlocks": None, "ingress[*].ipv6CidrBlocks": None},
)
def group_closed(group: Reading) -> Check:
    return group["ingress"].each(_closed)


@rule(
    id="network-rule-closed",
    why=_WHY,
    severity=CRITICAL,
    controls=("PCI-DSS 1.3.1", "PCI-DSS 1.4.2", "FSBP EC2.18"),
    types=("aws:ec2/securityGroupRule:SecurityGroupRule",),
    fix=_FIX,
    good={"type": "ingress", "cidrBlocks": ["10.20.0.0/16"], "ipv6CidrBlocks": ["fd00::/48"]},
    bad={"type": "ingress", "cidrBlocks": ["10.20.0.0/16"], "ipv6CidrBlocks": ["::/0"]},
    # pulumi_aws 7.51.1: a rule without these lets in security groups or itself only.
    defaults={"cidrBlocks": None, "ipv6CidrBlocks": None},
)
def rule_closed(ingress: Reading) -> Check:
    return _closed(ingress).unless(ingress["type"].one_of("egress"))


@rule(
    id="network-ingress-closed",
    why=_WHY,
    severity=CRITICAL,
    controls=("PCI-DSS 1.3.1", "PCI-DSS 1.4.2", "FSBP EC2.18"),
    types=("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",),
    fix=_FIX,
    good={"cidrIpv4": "10.20.0.0/16", "cidrIpv6": "fd00::/48"},
    bad={"cidrIpv4": "0.0.0.0/0", "cidrIpv6": "fd00::/48"},
    # pulumi_aws 7.51.1: a rule has one source; without these it is a security group or a prefix list.
    defaults={"cidrIpv4": None, "cidrIpv6": None},
)
def ingress_closed(ingress: Reading) -> Check:
    return _narrow(ingress["cidrIpv4"]) & _narrow(ingress["cidrIpv6"])


def _closed(block: Reading) -> Check:
    return block["cidrBlocks"].each(_narrow) & block["ipv6CidrBlocks"].each(_narrow)
