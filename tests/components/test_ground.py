"""What everything stands on: network, cluster, namespace, evidence. What is declared, and what is refused."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from components.naming import opens
from components.openings import EVERY_POD, OPENINGS, Surroundings
from components.openings import policies as policies_of
from components.specs import ClusterSpec, EvidenceSpec, NamespaceSpec, NetworkSpec, Target
from components.specs.network import NEEDED_WITHOUT_NAT
from stacks.loading import SettingsError, load_settings
from stacks.profiles_ground import CLUSTER, EVIDENCE, NETWORK, namespace
from stacks.settings import PlatformSettings, Tier
from tests.components.recording import ROOT, STACKS, Record, Resource, config_of, run

AWS = ("dev", "staging", "prod")
on_each_stack = pytest.mark.parametrize("stack", STACKS)
on_aws = pytest.mark.parametrize("stack", AWS)


@cache
def recorded(stack: str) -> Record:
    return run(stack, config_of(stack))


def settings_of(stack: str, **change: Any) -> PlatformSettings:
    given = config_of(stack) | {f"payments:{key}": json.dumps(value) for key, value in change.items()}
    return load_settings(stack, given, [], root=ROOT)


def with_change(stack: str, **change: Any) -> Record:
    """The record of a stack whose settings are changed on top of its own file."""
    config = config_of(stack)
    for key, value in change.items():
        config[f"payments:{key}"] = json.dumps({**json.loads(config.get(f"payments:{key}", "{}")), **value})
    return run(stack, config)


def statements(policy: str) -> dict[str, dict[str, Any]]:
    return {said["Sid"]: said for said in json.loads(policy)["Statement"]}


# Network


@on_aws
def test_no_data_subnet_has_a_route_out_nor_a_door_to_aws(stack: str) -> None:
    record = recorded(stack)
    joined = record.of("RouteTableAssociation")
    data = [made for made in joined if "-data-" in made.name]
    assert len(data) == len(record.of("subnet:Subnet")) // 3
    assert {made.inputs["routeTableId"] for made in data} == {f"payments-{stack}-network-data-id"}
    assert record.one(f"payments-{stack}-network-data", "RouteTable").inputs["routes"] == []
    assert {made.inputs["subnetId"] for made in joined} == {f"{made.name}-id" for made in record.of("subnet:Subnet")}
    assert record.of("ec2/route:Route") == []
    doors = [table for made in endpoints(record, "Gateway") for table in made.inputs["routeTableIds"]]
    assert [table for table in doors if "-data" in table or "-public" in table] == []
    inside = [subnet for made in endpoints(record, "Interface") for subnet in made.inputs["subnetIds"]]
    assert [subnet for subnet in inside if "-private-" not in subnet] == []


@pytest.mark.parametrize(("nat", "gateways", "routes"), [("none", 0, [0]), ("one", 1, [1]), ("one_per_zone", 3, [1])])
def test_private_subnets_call_out_only_as_the_settings_say(nat: str, gateways: int, routes: list[int]) -> None:
    all_needed = sorted({*NEEDED_WITHOUT_NAT, "kms"})
    record = with_change("staging", network={"nat_gateways": nat, "interface_endpoints": all_needed})
    assert len(record.of("NatGateway")) == len(record.of("Eip")) == gateways
    private = [made for made in record.of("RouteTable") if "-private" in made.name]
    assert len(private) == (3 if nat == "one_per_zone" else 1)
    assert [len(made.inputs["routes"]) for made in private] == routes * len(private)
    assert all("gatewayId" not in route for made in private for route in made.inputs["routes"])
    served = {table for made in endpoints(record, "Gateway") for table in made.inputs["routeTableIds"]}
    assert served == {f"{made.name}-id" for made in private}


@on_aws
def test_endpoints_are_those_of_the_settings_and_serve_this_account_only(stack: str) -> None:
    record, spec = recorded(stack), settings_of(stack).network
    assert spec
    found = {made.inputs["serviceName"].partition("ap-southeast-1.")[2]: made for made in record.of("VpcEndpoint")}
    assert set(found) == {"s3", "dynamodb", *spec.interface_endpoints}
    us = {"aws:PrincipalAccount": "111122223333"}
    for service, made in found.items():
        said = statements(made.inputs["policy"])
        if made.inputs["vpcEndpointType"] == "Gateway":
            assert said.pop("OnlyOurs")["Condition"]["StringEquals"] == {**us, "aws:ResourceAccount": "111122223333"}
        else:
            assert said.pop("OnlyUs")["Condition"]["StringEquals"] == us
            assert made.inputs["privateDnsEnabled"] is True
            assert made.inputs["securityGroupIds"] == [f"payments-{stack}-network-aws-door-id"]
        every = json.loads(made.inputs["policy"])["Statement"]
        assert [part["Action"] for part in every if part["Action"] == "*" or not part["Condition"]] == []
        if service == "s3":
            layers = said.pop("ImageLayers")
            assert (layers["Action"], layers["Resource"].count("ap-southeast-1-starport")) == ("s3:GetObject", 1)
        assert said == {}


@on_aws
def test_nothing_of_the_network_is_open_to_the_world_but_the_way_out(stack: str) -> None:
    record = recorded(stack)
    rules = record.of("SecurityGroupIngressRule")
    assert rules
    assert [rule.name for rule in rules if "cidrIpv4" in rule.inputs or "cidrIpv6" in rule.inputs] == []
    assert [made.name for made in record.of("Subnet") if made.inputs["mapPublicIpOnLaunch"]] == []
    (default,) = record.of("DefaultSecurityGroup")
    assert (default.inputs["ingress"], default.inputs["egress"]) == ([], [])
    ports = {rule.name: rule.inputs["toPort"] for rule in rules if "-network-" in rule.name}
    network = f"payments-{stack}-network-"
    doors = {f"{network}database-in": 5432, f"{network}redis-in": 6379}
    assert ports == doors | ({f"{network}aws-in": 443} if endpoints(record, "Interface") else {})
    (flow,) = record.of("FlowLog")
    assert flow.inputs["trafficType"] == "ALL"


def endpoints(record: Record, kind: str) -> list[Resource]:
    return [made for made in record.of("VpcEndpoint") if made.inputs["vpcEndpointType"] == kind]


# Cluster


@on_aws
def test_every_unsafe_default_of_eks_is_overridden(stack: str) -> None:
    settings = settings_of(stack)
    (cluster,) = recorded(stack).of("eks/cluster:Cluster")
    wanted = {
        "name": f"payments-{stack}-cluster",
        "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
        "bootstrapSelfManagedAddons": False,
        "enabledClusterLogTypes": ["api", "audit", "authenticator", "controllerManager", "scheduler"],
        "encryptionConfig": {
            "provider": {"keyArn": f"arn:aws:mock:::payments-{stack}-cluster-key"},
            "resources": ["secrets"],
        },
        "upgradePolicy": {"supportType": "STANDARD"},
        "deletionProtection": settings.safety.deletion_protection,
    }
    assert {key: cluster.inputs.get(key) for key in wanted} == wanted
    vpc = cluster.inputs["vpcConfig"]
    assert (vpc["endpointPrivateAccess"], vpc["endpointPublicAccess"]) == (True, False)
    assert all("-private-" in subnet for subnet in vpc["subnetIds"])
    (logs,) = [made for made in recorded(stack).of("LogGroup") if made.name.endswith("-cluster-logs")]
    assert logs.inputs["name"] == f"/aws/eks/payments-{stack}-cluster/cluster"  # EKS writes to no other
    assert any("-cluster-logs" in urn for urn in cluster.depends_on)


@on_aws
def test_nodes_keep_their_secrets_and_lie_in_every_zone(stack: str) -> None:
    settings = settings_of(stack)
    assert settings.network
    (template,) = recorded(stack).of("LaunchTemplate")
    metadata = template.inputs["metadataOptions"]
    assert (metadata["httpTokens"], metadata["httpPutResponseHopLimit"]) == ("required", 1)
    (disk,) = template.inputs["blockDeviceMappings"]
    assert (disk["ebs"]["encrypted"], disk["ebs"]["kmsKeyId"]) == (
        "true",
        f"arn:aws:mock:::payments-{stack}-cluster-key",
    )
    groups = recorded(stack).of("NodeGroup")
    assert {made.name.rpartition("nodes-")[2] for made in groups} == set(settings.network.zones)
    for made in groups:
        zone = made.name.rpartition("nodes-")[2]
        assert made.inputs["subnetIds"] == [f"payments-{stack}-network-private-{zone}-id"]
        assert made.inputs["amiType"] == "AL2023_ARM_64_STANDARD"
        # A node without an address for pods is never ready, and the group's creation fails.
        assert any("-vpc-cni" in urn for urn in made.depends_on)
    # Auto Scaling starts nodes as itself: without this statement a node with our key on its disk stops at once.
    (key,) = [made for made in recorded(stack).of("kms/key:Key") if made.name.endswith("-cluster-key")]
    asked = statements(key.inputs["policy"])["Disks"]
    assert {"kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey*"} <= set(asked["Action"])
    assert asked["Condition"]["StringEquals"] == {
        "kms:CallerAccount": "111122223333",
        "kms:ViaService": "ec2.ap-southeast-1.amazonaws.com",
    }


@on_aws
def test_addons_are_pinned_enforce_network_policies_and_act_as_themselves(stack: str) -> None:
    spec = settings_of(stack).cluster
    assert spec
    addons = {made.inputs["addonName"]: made for made in recorded(stack).of("Addon")}
    pinned = {name: made.inputs["addonVersion"] for name, made in addons.items()}
    assert pinned == {
        "vpc-cni": spec.addons.vpc_cni,
        "coredns": spec.addons.coredns,
        "kube-proxy": spec.addons.kube_proxy,
        "aws-ebs-csi-driver": spec.addons.ebs_csi,
        "eks-pod-identity-agent": spec.addons.pod_identity_agent,
    }
    assert json.loads(addons["vpc-cni"].inputs["configurationValues"])["enableNetworkPolicy"] == "true"
    for name, account in (("vpc-cni", "aws-node"), ("aws-ebs-csi-driver", "ebs-csi-controller-sa")):
        (association,) = addons[name].inputs["podIdentityAssociations"]
        assert association["serviceAccount"] == account
    for name in ("coredns", "aws-ebs-csi-driver"):  # they have nowhere to run before
        assert any("nodeGroup" in urn for urn in addons[name].depends_on)


@on_aws
def test_a_role_is_taken_on_by_its_own_service_only(stack: str) -> None:
    record = recorded(stack)
    pairs = record.of("PodIdentityAssociation")
    ours = {made.inputs["serviceAccount"] for made in pairs if made.inputs["namespace"] == "payments"}
    assert ours == {*settings_of(stack).databases, f"payments-{stack}-coordination-functions"}
    for made in pairs:
        (trust,) = json.loads(record.one(made.name, "iam/role:Role").inputs["assumeRolePolicy"])["Statement"]
        assert sorted(trust["Action"]) == ["sts:AssumeRole", "sts:TagSession"]
        assert trust["Condition"]["StringEquals"] == {
            "aws:RequestTag/kubernetes-namespace": made.inputs["namespace"],
            "aws:RequestTag/kubernetes-service-account": made.inputs["serviceAccount"],
        }


@on_aws
def test_disks_of_pods_are_encrypted_outlive_their_claims_and_are_where_the_pod_is(stack: str) -> None:
    (disks,) = recorded(stack).of("StorageClass")
    assert disks.inputs["metadata"]["name"] == settings_of(stack).kubernetes.storage_class
    assert disks.inputs["parameters"]["encrypted"] == "true"
    assert (disks.inputs["reclaimPolicy"], disks.inputs["volumeBindingMode"]) == ("Retain", "WaitForFirstConsumer")


def test_people_reach_the_api_from_named_ranges_only() -> None:
    record = with_change("staging", cluster={"api_ranges": ["10.99.0.0/24"]})
    named = [rule for rule in record.of("SecurityGroupIngressRule") if "cidrIpv4" in rule.inputs]
    assert [(rule.inputs["cidrIpv4"], rule.inputs["toPort"]) for rule in named] == [("10.99.0.0/24", 443)]


# Namespace


@on_each_stack
def test_the_namespace_is_closed_to_every_pod_both_ways_and_each_opening_is_named(stack: str) -> None:
    spec = settings_of(stack).namespace
    prefix = f"payments-{stack}-namespace-"
    ours = {made.name.removeprefix(prefix): made.inputs["spec"] for made in policies(stack) if prefix in made.name}
    # No key but these: an empty list of rules closes, a list with an empty rule opens to all.
    assert ours.pop("closed") == {"podSelector": EVERY_POD, "policyTypes": ["Ingress", "Egress"]}
    assert set(spec.openings) <= set(ours)
    for name, opening in ours.items():
        rules = [*opening.get("ingress", []), *opening.get("egress", [])]
        assert rules, name
        # A rule without peers or ports lets everybody through, or on every port.
        assert all(rule.get("ports") and (rule.get("to") or rule.get("from")) for rule in rules), name
        if name in OPENINGS and name != "metrics":
            assert opening["podSelector"] == {"matchLabels": opens(name)}, name
    assert ours["dns"]["podSelector"] == EVERY_POD
    assert {port["protocol"] for port in ours["dns"]["egress"][0]["ports"]} == {"UDP", "TCP"}
    assert "except" in ours["internet"]["egress"][0]["to"][0]["ipBlock"]


@on_each_stack
def test_databases_are_opened_where_they_are(stack: str) -> None:
    ours = {made.name.rpartition("-namespace-")[2]: made.inputs["spec"] for made in policies(stack)}
    (rule,) = ours["database"]["egress"]
    settings = settings_of(stack)
    if settings.target is Target.AWS:
        data = [made.inputs["cidrBlock"] for made in recorded(stack).of("subnet:Subnet") if "-data-" in made.name]
        assert sorted(peer["ipBlock"]["cidr"] for peer in rule["to"]) == sorted(data)
        # Pods get their AWS rights from the agent on the node; closed without this, no service could call AWS.
        assert ours["identity"]["egress"][0]["to"] == [{"ipBlock": {"cidr": "169.254.170.23/32"}}]
        assert not [name for name in ours if name.startswith("postgres")]
    else:
        assert rule["to"] == [{"podSelector": EVERY_POD}]
        assert {"postgres-callers", "postgres-peers", "postgres-replication", "postgres-api"} <= set(ours)
        (port,) = ours["postgres-backups"]["egress"][0]["ports"]
        assert settings.kubernetes.backups
        assert port["port"] == settings.kubernetes.backups.port


@pytest.mark.parametrize("stack", ["local", "dev"])
def test_pods_that_call_a_data_service_bear_the_label_that_lets_them_through(stack: str) -> None:
    jobs = recorded(stack).of("batch/v1:Job")
    assert jobs
    for made in jobs:
        labels = made.inputs["spec"]["template"]["metadata"]["labels"]
        opening = "database" if made.name.endswith("-migrations-job") else "redis"
        assert opens(opening).items() <= labels.items(), made.name


def test_a_broker_outside_is_reached_where_it_is() -> None:
    spec = settings_of("prod").namespace
    inside = policies_of(spec, Surroundings(("10.30.128.0/20",), cloud="10.30.0.0/16"))
    outside = policies_of(spec, Surroundings(("10.30.128.0/20",), ("10.30.128.0/20",), cloud="10.30.0.0/16"))
    assert {"broker-nodes", "broker-api"} <= set(inside)
    assert not {"broker-nodes", "broker-api"} & set(outside)
    assert outside["broker"]["egress"][0]["to"] == [{"ipBlock": {"cidr": "10.30.128.0/20"}}]


@on_each_stack
def test_pods_are_restricted_by_a_pinned_release_and_get_no_token(stack: str) -> None:
    record, spec = recorded(stack), settings_of(stack).namespace
    (made,) = record.of("core/v1:Namespace")
    labels = {key.partition("/")[2]: value for key, value in made.inputs["metadata"]["labels"].items()}
    for mode in ("enforce", "audit", "warn"):
        assert (labels[mode], labels[f"{mode}-version"]) == ("restricted", spec.pod_security_version)
    accounts = [*record.of("core/v1:ServiceAccount"), *record.of("core/v1:ServiceAccountPatch")]
    names = [made.inputs["metadata"]["name"] for made in accounts]
    assert {"default", *settings_of(stack).databases} <= set(names)
    assert [made.name for made in accounts if made.inputs["automountServiceAccountToken"] is not False] == []
    (quota,) = record.of("ResourceQuota")
    hard = quota.inputs["spec"]["hard"]
    assert (hard["services.loadbalancers"], hard["services.nodeports"]) == ("0", "0")
    (defaults,) = record.of("LimitRange")
    (limits,) = defaults.inputs["spec"]["limits"]
    # The quota refuses a container that names none of these: the defaults must name them all.
    assert {f"requests.{name}" for name in limits["defaultRequest"]} == {"requests.cpu", "requests.memory"}
    assert {f"limits.{name}" for name in limits["default"]} == {key for key in hard if key.startswith("limits.")}


def policies(stack: str) -> list[Resource]:
    return recorded(stack).of("NetworkPolicy")


# Evidence


@on_aws
def test_evidence_can_be_neither_changed_nor_read_unseen(stack: str) -> None:
    record, spec = recorded(stack), settings_of(stack).evidence
    assert spec
    evidence, log = f"payments-{stack}-evidence-evidence", f"payments-{stack}-evidence-access"
    buckets = {made.name: made for made in record.of("s3/bucket:Bucket")}
    assert set(buckets) == {evidence, log}
    assert buckets[evidence].inputs["objectLockEnabled"] is True
    (lock,) = record.of("BucketObjectLockConfiguration")
    assert lock.inputs["rule"]["defaultRetention"] == {"mode": "COMPLIANCE", "days": spec.retention_days}
    # S3 delivers no log into a bucket with a default lock or with a key of ours: it would be lost without a word.
    (sent,) = record.of("BucketLogging")
    assert (sent.inputs["bucket"], sent.inputs["targetBucket"]) == (f"{evidence}-id", f"{log}-id")
    keys = {made.name: made.inputs["rules"][0] for made in record.of("BucketServerSideEncryptionConfiguration")}
    ours = keys[evidence]["applyServerSideEncryptionByDefault"]
    assert ours == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": f"arn:aws:mock:::payments-{stack}-evidence-key"}
    assert keys[log]["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
    for name in buckets:
        said = statements(record.one(name, "BucketPolicy").inputs["policy"])
        tls = said["TlsOnly"]
        assert (tls["Effect"], tls["Principal"], tls["Action"]) == ("Deny", "*", "s3:*")
        assert len(tls["Resource"]) == 2
        assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        block = record.one(name, "BucketPublicAccessBlock").inputs
        assert all(block[key] for key in block if key != "bucket")
        assert record.one(name, "BucketVersioning").inputs["versioningConfiguration"] == {"status": "Enabled"}
    ages = record.one(evidence, "BucketLifecycleConfiguration").inputs["rules"][0]
    assert "expiration" not in ages
    assert ages["noncurrentVersionExpiration"]["noncurrentDays"] >= spec.retention_days


# Refusals


NET = {**NETWORK[Tier.PROD], "zones": ("eu-west-1a", "eu-west-1b", "eu-west-1c")}
SPACE = namespace(Tier.PROD, Target.AWS, None)
REFUSED: dict[str, tuple[type[Any], dict[str, Any], dict[str, Any], str]] = {
    "a public network": (NetworkSpec, NET, {"cidr": "8.8.0.0/16"}, "such as 10.20.0.0/16"),
    "a network too small": (NetworkSpec, NET, {"cidr": "10.0.0.0/21"}, "from /16 to /20"),
    "a zone twice": (NetworkSpec, NET, {"zones": ("eu-west-1a", "eu-west-1a")}, "zones names eu-west-1a twice"),
    "two regions": (NetworkSpec, NET, {"zones": ("eu-west-1a", "eu-west-2a")}, "make a stack for each region"),
    "no zone name": (NetworkSpec, NET, {"zones": ("euw1-az1", "euw1-az2")}, "pattern"),
    "one zone": (NetworkSpec, NET, {"zones": ("eu-west-1a",)}, "at least 2"),
    "no way to aws": (
        NetworkSpec,
        NET,
        {"nat_gateways": "none", "interface_endpoints": ("ecr.api", "logs")},
        "add ec2, ecr.dkr, eks, eks-auth, sts",
    ),
    "an endpoint twice": (NetworkSpec, NET, {"interface_endpoints": ("kms", "kms")}, "names kms twice"),
    "a proxy newer than its API": (
        ClusterSpec,
        CLUSTER[Tier.PROD],
        {"kubernetes_version": "1.34"},
        "kube_proxy must be a release for kubernetes_version 1.34",
    ),
    "two kinds of processor": (
        ClusterSpec,
        CLUSTER[Tier.PROD],
        {"instance_types": ("m7g.large", "m7i.large")},
        "must all be Graviton",
    ),
    "an API for the world": (ClusterSpec, CLUSTER[Tier.PROD], {"api_ranges": ("0.0.0.0/0",)}, "such as 10.99.0.0/24"),
    "no node": (ClusterSpec, CLUSTER[Tier.PROD], {"nodes_per_zone": 0}, "greater than or equal to 1"),
    "an opening twice": (NamespaceSpec, SPACE, {"openings": ("redis", "redis")}, "names redis twice"),
    "an opening nobody knows": (NamespaceSpec, SPACE, {"openings": ("ssh",)}, "'broker', 'cloud'"),
    "a default beyond the quota": (
        NamespaceSpec,
        SPACE,
        {"quota": {**SPACE["quota"], "memory_gib": 1}, "container": {"cpu_milli": 10, "memory_mib": 2048}},
        "must fit in quota.memory_gib",
    ),
    "a log shorter than what it is about": (
        EvidenceSpec,
        EVIDENCE[Tier.PROD],
        {"access_log_retention_days": 90},
        "must be at least 397, which is retention_days, and is 90",
    ),
    "no retention": (EvidenceSpec, EVIDENCE[Tier.PROD], {"retention_days": 0}, "greater than or equal to 1"),
}


@pytest.mark.parametrize(("kind", "base", "change", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_spec_out_of_bounds_says_what_to_write(
    kind: type[Any], base: dict[str, Any], change: dict[str, Any], said: str
) -> None:
    assert kind.model_validate_json(json.dumps(base))
    with pytest.raises(ValueError, match="validation error") as caught:
        kind.model_validate_json(json.dumps({**base, **change}))
    assert said in str(caught.value)


CONTRADICTIONS: dict[str, tuple[str, dict[str, Any], str]] = {
    "two zones in production": (
        "prod",
        {"network": {"zones": ["ap-southeast-1a", "ap-southeast-1b"]}},
        r"network\.zones: prod runs in three zones",
    ),
    "evidence for a year only": ("prod", {"evidence": {"retention_days": 365}}, "for 365 days; write 397 or more"),
    "no evidence in production": ("prod", {"evidence": None}, "keeps nothing; write 397 or more"),
    "no cluster on aws": ("dev", {"cluster": None}, "cluster: is needed on aws"),
    "a cluster where there is one": ("edge", {"cluster": CLUSTER[Tier.DEV]}, "exists already.*leave out `cluster`"),
    "evidence that its owner can delete": ("local", {"evidence": EVIDENCE[Tier.DEV]}, "leave out `evidence`"),
    "a way to a cloud that is not there": ("local", {"namespace": {"openings": ["broker", "cloud"]}}, "leave it out"),
    "a broker nobody can reach": ("prod", {"namespace": {"openings": ["database"]}}, "broker must stand there"),
    "a quota that the broker does not fit": (
        "prod",
        {"namespace": {"quota": {"cpu": 10}}},
        r"namespace\.quota\.cpu: must be at least 12",
    ),
    "an edge node that is too small": (
        "edge",
        {"namespace": {"quota": {"memory_gib": 1}}},
        r"namespace\.quota\.memory_gib: must be at least 2",
    ),
}


@pytest.mark.parametrize(("stack", "change", "said"), CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_settings_that_contradict_each_other_say_what_to_write(stack: str, change: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        settings_of(stack, **change)
