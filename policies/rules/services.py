"""Rules for who reaches pods: Services, network policies and entries from outside."""

from typing import Any

from tollgate.policy.addresses import each_narrow, narrow
from tollgate.policy.check import Check
from tollgate.policy.pods import picks_some
from tollgate.policy.reading import Reading
from tollgate.policy.severity import CRITICAL, HIGH, MEDIUM
from tollgate.policy.statement import rule

SERVICES = ("kubernetes:core/v1:Service", "kubernetes:core/v1:ServicePatch")
POLICIES = ("kubernetes:networking.k8s.io/v1:NetworkPolicy", "kubernetes:networking.k8s.io/v1:NetworkPolicyPatch")
# What makes a balancer internal: one annotation for each controller of AWS (AWS Load Balancer Controller; in-tree).
SCHEME = "service.beta.kubernetes.io/aws-load-balancer-scheme"
IN_TREE = "service.beta.kubernetes.io/aws-load-balancer-internal"


@rule(
    id="service-type-internal",
    why="A door to the outside that nobody decided upon will be tried by the whole internet.",
    severity=CRITICAL,
    controls=("PCI-DSS 1.3.1", "PCI-DSS 1.4.1", "PCI-DSS 1.4.4"),
    types=SERVICES,
    fix="set spec.type to ClusterIP; a LoadBalancer needs narrow loadBalancerSourceRanges or an internal scheme",
    good={"spec": {"type": "ClusterIP"}},
    bad={"spec": {"type": "LoadBalancer"}},
    also_good={
        "a name outside": {"spec": {"type": "ExternalName"}},
        "for a partner": {"spec": {"type": "LoadBalancer", "loadBalancerSourceRanges": ["203.0.113.0/24"]}},
        "inside": {"spec": {"type": "LoadBalancer"}, "metadata": {"annotations": {SCHEME: "internal"}}},
        "inside, in the older words": {
            "spec": {"type": "LoadBalancer"},
            "metadata": {"annotations": {IN_TREE: "true"}},
        },
    },
    also_bad={
        "a port of each node": {"spec": {"type": "NodePort"}},
        "a port of each node, and a word that means nothing there": {
            "spec": {"type": "NodePort"},
            "metadata": {"annotations": {SCHEME: "internal"}},
        },
        "for everybody": {"spec": {"type": "LoadBalancer", "loadBalancerSourceRanges": ["0.0.0.0/0"]}},
        "for nobody in particular": {"spec": {"type": "LoadBalancer", "loadBalancerSourceRanges": []}},
        "outside": {"spec": {"type": "LoadBalancer"}, "metadata": {"annotations": {SCHEME: "internet-facing"}}},
    },
    # Kubernetes API reference, ServiceSpec: ClusterIP when left out.
    defaults={"spec.type": "ClusterIP"},
)
def type_internal(service: Reading) -> Check:
    kind, ranges = service["spec.type"], service["spec.loadBalancerSourceRanges"]
    annotations = service["metadata.annotations"]
    inside = annotations.key(SCHEME).one_of("internal") | annotations.key(IN_TREE).one_of("true")
    guarded = (ranges.is_set() & each_narrow(ranges)) | inside
    return kind.one_of("ClusterIP", "ExternalName").unless(kind.one_of("LoadBalancer") & guarded)


@rule(
    id="service-address-own",
    why="A Service that names an outside address takes over traffic that is meant for it.",
    severity=HIGH,
    controls=("PCI-DSS 1.4.2",),
    types=SERVICES,
    fix="take spec.externalIPs out",
    good={"spec": {"externalIPs": []}},
    bad={"spec": {"externalIPs": ["203.0.113.7"]}},
    # Kubernetes API reference, ServiceSpec: none when left out.
    defaults={"spec.externalIPs": None},
)
def address_own(service: Reading) -> Check:
    return service["spec.externalIPs"].one_or_each(Reading.is_left_out)


def _ingress(*sources: Any) -> dict[str, Any]:
    return {"spec": {"ingress": [{"from": list(sources)}]}}


@rule(
    id="service-policy-closed",
    why="A network policy that lets everybody in is worse than none: it looks like a wall.",
    severity=HIGH,
    controls=("PCI-DSS 1.3.1", "CIS-Kubernetes 5.3.2"),
    types=POLICIES,
    fix="name pods, namespaces or narrow ranges in from of each of spec.ingress",
    good=_ingress({"ipBlock": {"cidr": "10.0.0.0/8"}}),
    bad=_ingress({"ipBlock": {"cidr": "0.0.0.0/0"}}),
    also_good={
        "pods": _ingress({"podSelector": {"matchLabels": {"app": "gateway"}}}),
        "a namespace": _ingress({"namespaceSelector": {"matchLabels": {"team": "payments"}}}),
        "no way in": {"spec": {"ingress": []}},
        "nothing said": {"spec": {}},
    },
    also_bad={
        "from anywhere": _ingress(),
        "from nothing named": _ingress({}),
        "by the newer protocol": _ingress({"ipBlock": {"cidr": "::/0"}}),
        "every namespace": _ingress({"namespaceSelector": {}}),
        "in other words": _ingress({"namespaceSelector": {"matchLabels": {}}}),
    },
    # Kubernetes API reference, NetworkPolicySpec: no ingress lets nothing in.
    defaults={"spec.ingress": None},
)
def policy_closed(policy: Reading) -> Check:
    def named(source: Reading) -> Check:
        spaces = source["namespaceSelector"]
        addresses = source["ipBlock.cidr"]
        some = narrow(addresses).unless(addresses.is_left_out()) & picks_some(spaces).unless(spaces.is_left_out())
        return _names_something(source) & some

    def closed(way: Reading) -> Check:
        return way["from"].is_set() & way["from"].each(named)

    return policy["spec.ingress"].each(closed)


def _names_something(peer: Reading) -> Check:
    kinds = [peer[kind].satisfies(lambda _: True, "") for kind in ("podSelector", "namespaceSelector", "ipBlock.cidr")]
    return peer.any_of(kinds, "pods, namespaces or a range of addresses")


@rule(
    id="service-policy-outward",
    why="A way out to everywhere, on every port, is a way out for stolen data.",
    severity=MEDIUM,
    controls=("PCI-DSS 1.3.2",),
    types=POLICIES,
    fix="name ports (or where to, in to) in each of spec.egress",
    good={"spec": {"egress": [{"ports": [{"port": 443}]}]}},
    bad={"spec": {"egress": [{"ports": []}]}},
    also_good={
        "to some": {"spec": {"egress": [{"to": [{"podSelector": {}}]}]}},
        "two": {"spec": {"egress": [{"ports": [{"port": 443}]}, {"ports": [{"port": 53}]}]}},
        "to two": {"spec": {"egress": [{"to": [{"podSelector": {}}, {"podSelector": {}}]}]}},
    },
    also_bad={
        "neither": {"spec": {"egress": [{}]}},
        "one of two": {"spec": {"egress": [{"ports": [{"port": 443}]}, {"ports": []}]}},
        "to nowhere named": {"spec": {"egress": [{"to": []}]}},
        "to anything named": {"spec": {"egress": [{"to": [{"podSelector": {}}, {}]}]}},
    },
    # Kubernetes API reference, NetworkPolicySpec: no egress lets nothing out.
    defaults={"spec.egress": None},
)
def policy_limits_outward(policy: Reading) -> Check:
    def limited(way: Reading) -> Check:
        ports = way["ports"].some(lambda port: port["port"].is_set(), "a port")
        return ports.unless(way["to"].is_set() & way["to"].each(_names_something))

    return policy["spec.egress"].each(limited)


@rule(
    id="service-entry-encrypt",
    why="Payment data must not cross the network in a form that others can read.",
    severity=HIGH,
    controls=("PCI-DSS 4.2.1",),
    types=("kubernetes:networking.k8s.io/v1:Ingress",),
    fix="name the hosts and their certificate in spec.tls",
    good={"spec": {"tls": [{"secretName": "gateway-tls", "hosts": ["pay.example.com"]}]}},
    bad={"spec": {"tls": [{"secretName": "", "hosts": ["pay.example.com"]}]}},
    also_bad={
        "none": {"spec": {"tls": []}},
        "for no host": {"spec": {"tls": [{"secretName": "gateway-tls", "hosts": []}]}},
    },
)
def entry_encrypted(entry: Reading) -> Check:
    certificates = entry["spec.tls"]
    return certificates.is_set() & certificates.each(lambda one: one["secretName"].is_set() & one["hosts"].has_items())
