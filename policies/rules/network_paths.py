"""Rules for the ways into and out of a network: subnets, endpoints, access lists, load balancers."""

from typing import Any

from tollgate.policy.addresses import narrow
from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import CRITICAL, HIGH, LOW, MEDIUM
from tollgate.policy.statement import rule

BALANCERS = ("aws:lb/loadBalancer:LoadBalancer", "aws:alb/loadBalancer:LoadBalancer")
LISTENERS = ("aws:lb/listener:Listener", "aws:alb/listener:Listener")
WITH_PORTS = ("tcp", "udp", "6", "17")  # by name and by number (IANA)
FIRST_ANSWER = 1024  # where answers to calls of our own come in (VPC user guide, ephemeral ports)
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
# Security policies of load balancers begin so when they allow nothing older than TLS 1.2 (ELB, security policies).
MODERN = ("ELBSecurityPolicy-TLS13-1-2", "ELBSecurityPolicy-TLS13-1-3")


@rule(
    id="network-subnet-private",
    why="A machine that gets a public address without being asked can be attacked from anywhere.",
    severity=HIGH,
    controls=("PCI-DSS 1.4.4", "FSBP EC2.15"),
    types=("aws:ec2/subnet:Subnet", "aws:ec2/defaultSubnet:DefaultSubnet"),
    fix="set mapPublicIpOnLaunch to false",
    good={"mapPublicIpOnLaunch": False},
    bad={"mapPublicIpOnLaunch": True},
)
def subnet_private(subnet: Reading) -> Check:
    return subnet["mapPublicIpOnLaunch"].is_false()


@rule(
    id="network-endpoint-policy",
    why="Without a policy of its own a door to AWS lets anybody's data out to anybody's account.",
    severity=HIGH,
    controls=("PCI-DSS 1.3.2", "PCI-DSS 7.2.5"),
    types=(ENDPOINT,),
    fix="set policy to what our own account may do through it",
    good={"policy": '{"Statement": []}'},
    bad={"policy": ""},
    later=("policy",),
)
def endpoint_has_policy(endpoint: Reading) -> Check:
    return endpoint["policy"].is_set()


@rule(
    id="network-endpoint-group",
    why="A door to AWS without a security group of its own opens to everything in the network.",
    severity=MEDIUM,
    controls=("PCI-DSS 1.3.1",),
    types=(ENDPOINT,),
    fix="set securityGroupIds to the door's security group",
    good={"vpcEndpointType": "Interface", "securityGroupIds": ["sg-door"]},
    bad={"vpcEndpointType": "Interface", "securityGroupIds": []},
    also_good={"a route, which has none": {"vpcEndpointType": "Gateway"}},
    # pulumi_aws 7.51.1: "Defaults to Gateway".
    defaults={"vpcEndpointType": "Gateway"},
    later=("securityGroupIds[*]",),
)
def endpoint_has_group(endpoint: Reading) -> Check:
    return endpoint["securityGroupIds"].has_items().unless(endpoint["vpcEndpointType"].one_of("Gateway"))


def _entry(addresses: str, **changed: Any) -> dict[str, Any]:
    both = {"action": "allow", "cidrBlock": addresses, "ipv6CidrBlock": "fd00::/48"}
    return {"ingress": [both | {"protocol": "tcp", "fromPort": 443} | changed]}


@rule(
    id="network-list-closed",
    why="An access list that lets the whole internet in is no second line behind the security groups.",
    severity=MEDIUM,
    controls=("PCI-DSS 1.3.1", "FSBP EC2.21"),
    types=("aws:ec2/networkAcl:NetworkAcl", "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl"),
    fix="name the address ranges of each ingress that allows, except for answers, which come to 1024 and above",
    good=_entry("10.0.0.0/8"),
    bad=_entry("0.0.0.0/0"),
    also_good={
        "refused": _entry("0.0.0.0/0", action="deny"),
        "answers": _entry("0.0.0.0/0", fromPort=FIRST_ANSWER),
        "two": {"ingress": [*_entry("10.0.0.0/8")["ingress"], *_entry("10.0.0.0/8")["ingress"]]},
    },
    also_bad={
        "by the newer protocol": _entry("10.0.0.0/8", ipv6CidrBlock="::/0"),
        "every protocol": _entry("0.0.0.0/0", fromPort=FIRST_ANSWER, protocol="-1"),
        "one of two": {"ingress": [*_entry("10.0.0.0/8")["ingress"], *_entry("0.0.0.0/0")["ingress"]]},
    },
    # pulumi_aws 7.51.1: a list without entries lets nothing in; an entry has one of the two ranges.
    defaults={"ingress": None, "ingress[*].cidrBlock": None, "ingress[*].ipv6CidrBlock": None},
)
def list_closed(access: Reading) -> Check:
    return access["ingress"].each(lambda entry: _entry_closed(entry, entry["action"]))


@rule(
    id="network-entry-closed",
    why="An access list that lets the whole internet in is no second line behind the security groups.",
    severity=MEDIUM,
    controls=("PCI-DSS 1.3.1", "FSBP EC2.21"),
    types=("aws:ec2/networkAclRule:NetworkAclRule",),
    fix="name the address range, except for answers, which come to 1024 and above",
    good={"ruleAction": "allow", "cidrBlock": "10.0.0.0/8", "protocol": "tcp", "fromPort": 443},
    bad={"ruleAction": "allow", "cidrBlock": "0.0.0.0/0", "protocol": "tcp", "fromPort": 443},
    also_good={
        "the way out": {"ruleAction": "allow", "cidrBlock": "0.0.0.0/0", "egress": True},
        "refused": {"ruleAction": "deny", "cidrBlock": "0.0.0.0/0"},
        "answers by number": {"ruleAction": "allow", "cidrBlock": "0.0.0.0/0", "protocol": "6", "fromPort": 1024},
    },
    # pulumi_aws 7.51.1: an entry has one of the two ranges.
    defaults={"cidrBlock": None, "ipv6CidrBlock": None},
)
def entry_closed(entry: Reading) -> Check:
    return _entry_closed(entry, entry["ruleAction"]).unless(entry["egress"].is_true())


def _entry_closed(entry: Reading, action: Reading) -> Check:
    named = narrow(entry["cidrBlock"]) & narrow(entry["ipv6CidrBlock"])
    answers = entry["protocol"].one_of(*WITH_PORTS) & entry["fromPort"].at_least(FIRST_ANSWER)
    return named.unless(action.one_of("deny") | answers)


@rule(
    id="edge-balancer-internal",
    why="What takes calls from the internet must have been decided upon, not left to a default.",
    severity=HIGH,
    controls=("PCI-DSS 1.4.1", "PCI-DSS 1.4.4"),
    types=BALANCERS,
    fix="set internal to true; ask for an exception for the one that takes callbacks",
    good={"internal": True},
    bad={"internal": False},
)
def balancer_internal(balancer: Reading) -> Check:
    return balancer["internal"].is_true()


@rule(
    id="edge-balancer-protect",
    why="One wrong word in a change must not be able to cut all callers off.",
    severity=LOW,  # a stack that is thrown away does without; staging and prod make it mandatory
    controls=("FSBP ELB.6", "Seed 19"),
    types=BALANCERS,
    fix="set enableDeletionProtection to true",
    good={"enableDeletionProtection": True},
    bad={"enableDeletionProtection": False},
)
def balancer_protected(balancer: Reading) -> Check:
    return balancer["enableDeletionProtection"].is_true()


@rule(
    id="edge-balancer-header",
    why="Headers that one program reads differently from the next are how requests are smuggled past checks.",
    severity=MEDIUM,
    controls=("PCI-DSS 6.4.2", "FSBP ELB.4"),
    types=BALANCERS,
    fix="set dropInvalidHeaderFields to true",
    good={"dropInvalidHeaderFields": True},
    bad={"dropInvalidHeaderFields": False},
    also_good={
        "one that reads no headers": {"loadBalancerType": "network"},
        "one before firewalls": {"loadBalancerType": "gateway"},
    },
)
def balancer_drops_headers(balancer: Reading) -> Check:
    reads_none = balancer["loadBalancerType"].one_of("network", "gateway")
    return balancer["dropInvalidHeaderFields"].is_true().unless(reads_none)


@rule(
    id="edge-balancer-record",
    why="Who called, and when, is asked first after a fraud.",
    severity=MEDIUM,
    controls=("PCI-DSS 10.2.1", "FSBP ELB.5"),
    types=BALANCERS,
    fix="set accessLogs.enabled to true and its bucket",
    good={"accessLogs": {"enabled": True, "bucket": "access-logs"}},
    bad={"accessLogs": {"enabled": False, "bucket": "access-logs"}},
)
def balancer_records(balancer: Reading) -> Check:
    return balancer["accessLogs.enabled"].is_true()


def _listener(protocol: str, **given: Any) -> dict[str, Any]:
    return {"protocol": protocol, **given}


@rule(
    id="edge-listener-encrypt",
    why="Payment data must not cross the network in a form that others can read.",
    severity=CRITICAL,
    controls=("PCI-DSS 4.2.1", "FSBP ELB.1"),
    types=LISTENERS,
    fix="set protocol to HTTPS or TLS (HTTP only to redirect to HTTPS)",
    good=_listener("HTTPS"),
    bad=_listener("HTTP"),
    also_good={
        "below HTTP": _listener("TLS"),
        "sends callers on": _listener("HTTP", defaultActions=[{"type": "redirect", "redirect": {"protocol": "HTTPS"}}]),
    },
    also_bad={
        "sends callers nowhere safer": _listener(
            "HTTP", defaultActions=[{"type": "redirect", "redirect": {"protocol": "HTTP"}}]
        ),
        "goes on": _listener("HTTP", defaultActions=[{"type": "forward", "redirect": {"protocol": "HTTPS"}}]),
        "in the clear": _listener("TCP"),
        "in the clear, with a redirect that nobody reads": _listener(
            "TCP", defaultActions=[{"type": "redirect", "redirect": {"protocol": "HTTPS"}}]
        ),
        "does nothing": _listener("HTTP", defaultActions=[]),
        "sends some on": _listener(
            "HTTP",
            defaultActions=[{"type": "redirect", "redirect": {"protocol": "HTTPS"}}, {"type": "forward"}],
        ),
    },
)
def listener_encrypted(listener: Reading) -> Check:
    def sends_on(action: Reading) -> Check:
        return action["type"].one_of("redirect") & action["redirect.protocol"].one_of("HTTPS")

    actions = listener["defaultActions"]
    redirects = listener["protocol"].one_of("HTTP") & actions.has_items() & actions.each(sends_on)
    return listener["protocol"].one_of("HTTPS", "TLS").unless(redirects)


@rule(
    id="edge-listener-modern",
    why="Old versions of encryption can be broken, and a caller may ask for the oldest that is offered.",
    severity=HIGH,
    controls=("PCI-DSS 4.2.1", "FSBP ELB.17"),
    types=LISTENERS,
    fix=f"set sslPolicy to one that begins with {MODERN[0]}",
    good={"protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06"},
    bad={"protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-2016-08"},
    also_good={
        "newer": {"protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-TLS13-1-3-2021-06"},
        "sends callers on": {"protocol": "HTTP"},
    },
)
def listener_modern(listener: Reading) -> Check:
    modern = listener["sslPolicy"].satisfies(lambda name: str(name).startswith(MODERN), f"{MODERN[0]}…")
    return modern.unless(listener["protocol"].one_of("HTTP"))
