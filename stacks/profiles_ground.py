"""Tier profiles of what everything stands on: network, cluster, namespace, evidence.

Sources beyond those of stacks/profiles.py: [EKS] EKS user guide
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.specs import Target
from stacks.settings import Tier

# What runs on nodes calls these all day; inside the VPC it needs no NAT, and NAT bills by the gigabyte. [ours]
_ENDPOINTS = ("ecr.api", "ecr.dkr", "kms", "logs", "secretsmanager", "ssm", "sts")

NETWORK: dict[Tier, dict[str, Any]] = {
    # Flow logs: 12 months where cards are handled [PCI 10.5.1]; 400 days is the next size CloudWatch offers.
    # An interface endpoint costs 0.01 USD an hour and zone: dev does without.
    Tier.DEV: {
        "cidr": "10.10.0.0/16",
        "nat_gateways": "one",
        "interface_endpoints": (),
        "flow_log_retention_days": 14,
    },
    Tier.STAGING: {
        "cidr": "10.20.0.0/16",
        "nat_gateways": "one",
        "interface_endpoints": _ENDPOINTS,
        "flow_log_retention_days": 90,
    },
    Tier.PROD: {
        "cidr": "10.30.0.0/16",
        "nat_gateways": "one_per_zone",
        # With these too, nodes start while every NAT gateway is down [EKS, private clusters].
        "interface_endpoints": (*_ENDPOINTS, "appconfigdata", "ec2", "eks", "eks-auth", "monitoring"),
        "flow_log_retention_days": 400,
    },
}

# Kubernetes 1.35 is in standard support until March 2027 [EKS, release calendar], and the releases of its add-ons are
# pinned: EKS's own default changes by itself. `aws eks describe-addon-versions` lists what may follow.
_KUBERNETES = {
    "kubernetes_version": "1.35",
    "addons": {
        "vpc_cni": "v1.21.1-eksbuild.3",
        "coredns": "v1.13.2-eksbuild.1",
        "kube_proxy": "v1.35.0-eksbuild.2",
        "ebs_csi": "v1.54.0-eksbuild.1",
        "pod_identity_agent": "v1.3.10-eksbuild.2",
    },
    "api_ranges": (),
}

CLUSTER: dict[Tier, dict[str, Any]] = {
    Tier.DEV: {
        **_KUBERNETES,
        "instance_types": ("m7g.large",),  # 2 cores, 8 GiB: a broker of dev and a few services [ours]
        "nodes_per_zone": 1,
        "node_disk_gib": 50,  # [ours]
        "log_retention_days": 14,
    },
    Tier.STAGING: {
        **_KUBERNETES,
        "instance_types": ("m7g.2xlarge",),  # 8 cores, 32 GiB: a broker node takes 4 [RMQ]
        "nodes_per_zone": 1,
        "node_disk_gib": 100,  # [ours]
        "log_retention_days": 90,
    },
    Tier.PROD: {
        **_KUBERNETES,
        "instance_types": ("m7g.4xlarge", "m8g.4xlarge"),  # 16 cores, 64 GiB; a second type for when one runs short
        "nodes_per_zone": 2,  # one may be away for an upgrade while its zone goes on [ours]
        "node_disk_gib": 100,
        "log_retention_days": 400,  # audit logs: 12 months [PCI 10.5.1]
    },
}

# Room for services [ours]; where the data services are pods too, theirs is added (QUOTA_OF_DATA).
QUOTA: dict[Tier, dict[str, int]] = {
    Tier.DEV: {"cpu": 4, "memory_gib": 12, "storage_gib": 50, "pods": 50},
    Tier.STAGING: {"cpu": 20, "memory_gib": 60, "storage_gib": 200, "pods": 150},
    Tier.PROD: {"cpu": 80, "memory_gib": 300, "storage_gib": 2000, "pods": 500},
    Tier.EDGE: {"cpu": 1, "memory_gib": 1, "storage_gib": 10, "pods": 20},
}
QUOTA_OF_DATA: dict[Tier, dict[str, int]] = {
    # Five databases, a broker and Valkey as the profiles below have them, with room to move one while another runs.
    Tier.DEV: {"cpu": 10, "memory_gib": 20, "storage_gib": 250, "pods": 20},
    Tier.STAGING: {"cpu": 40, "memory_gib": 150, "storage_gib": 3000, "pods": 50},
    Tier.PROD: {"cpu": 80, "memory_gib": 600, "storage_gib": 15000, "pods": 50},
    Tier.EDGE: {"cpu": 2, "memory_gib": 3, "storage_gib": 50, "pods": 10},  # of a node of 4 cores and 8 GiB [ours]
}

NAMESPACE: dict[str, Any] = {
    "pod_security_version": "v1.34",  # the oldest that CloudNativePG 1.30 supports, so every cluster knows it [CNPG]
    "monitoring_namespace": "monitoring",  # where kube-prometheus-stack is usually installed
    "container": {"cpu_milli": 100, "memory_mib": 256},  # [ours]
}

EVIDENCE: dict[Tier, dict[str, Any]] = {
    # Nobody can shorten a lock, so where nothing is worth keeping it lasts a day.
    Tier.DEV: {"retention_days": 1, "archive_after_days": 90, "access_log_retention_days": 30},
    Tier.STAGING: {"retention_days": 30, "archive_after_days": 90, "access_log_retention_days": 90},
    # 12 months, the last three at hand [PCI 10.5.1], and one month to hold the audit in.
    Tier.PROD: {"retention_days": 397, "archive_after_days": 90, "access_log_retention_days": 400},
}


def namespace(tier: Tier, target: Target, broker: Mapping[str, Any] | None) -> dict[str, Any]:
    """The namespace's profile: what is opened, and how much it may take."""
    on_aws = target is Target.AWS
    openings = ["database", "redis", "internet", "metrics"]
    openings += ["broker"] if broker else []
    openings += ["cloud"] if on_aws else []
    data = QUOTA_OF_DATA[tier]
    if on_aws:  # of the data services only the broker is in the cluster
        data = {
            name: broker["replicas"] * broker[name] if broker else 0 for name in ("cpu", "memory_gib", "storage_gib")
        }
        data["pods"] = 10
    quota = {name: QUOTA[tier][name] + data[name] for name in QUOTA[tier]}
    return {**NAMESPACE, "openings": sorted(openings), "quota": quota}
