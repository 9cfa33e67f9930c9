"""What a caller may ask of the Kubernetes cluster."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from components.specs.foundation import LogDays, Spec, Target
from components.specs.network import Range, private_range

AddonVersion = Annotated[str, StringConstraints(pattern=r"^v\d+\.\d+\.\d+-eksbuild\.\d+$")]
InstanceType = Annotated[str, StringConstraints(pattern=r"^[a-z]+\d[a-z0-9-]*\.[a-z0-9]+$")]


class AddonVersions(Spec):
    """The release of each add-on, e.g. v1.21.1-eksbuild.3 (`aws eks describe-addon-versions` lists them)."""

    vpc_cni: AddonVersion
    coredns: AddonVersion
    kube_proxy: AddonVersion
    ebs_csi: AddonVersion
    pod_identity_agent: AddonVersion


class ClusterSpec(Spec):
    """A Kubernetes cluster that the platform makes and owns: EKS, on aws. Elsewhere the cluster exists already."""

    kubernetes_version: str = Field(pattern=r"^1\.\d\d$", description="minor version, e.g. 1.35; goes up by one a time")
    instance_types: tuple[InstanceType, ...] = Field(
        min_length=1, max_length=20, description="EC2 types of the nodes, most wanted first, of one processor family"
    )
    # EKS allows 450 nodes in a managed node group (EKS user guide, quotas).
    nodes_per_zone: int = Field(ge=1, le=450, description="nodes in each zone")
    # 20 GiB is the EKS default for Linux; gp3 ends at 65536 GiB (EC2 user guide).
    node_disk_gib: int = Field(ge=20, le=65536, description="GiB of each node's disk: images, logs, scratch space")
    log_retention_days: LogDays = Field(description="days that the control plane's logs are kept")
    api_ranges: tuple[Range, ...] = Field(
        description="private IPv4 ranges, beside the network's own workloads, from which people and CI reach the API",
        examples=[["10.99.0.0/24"]],
    )
    addons: AddonVersions

    @property
    def arm(self) -> bool:
        """Whether the nodes have Graviton processors: the letters after the generation hold a g (m7g, c7gn)."""
        return _graviton(self.instance_types[0])

    @model_validator(mode="after")
    def _one_image_fits_all(self) -> Self:
        if len({_graviton(name) for name in self.instance_types}) > 1:
            arm = ", ".join(name for name in self.instance_types if _graviton(name))
            raise ValueError(
                f"instance_types must all be Graviton or none, and only {arm} is: one node image has to fit them all; "
                "leave out the one kind or the other"
            )
        return self

    @model_validator(mode="after")
    def _versions_fit(self) -> Self:
        # Kubernetes version skew policy: kube-proxy must not be newer than the API server; we keep them equal.
        if not self.addons.kube_proxy.startswith(f"v{self.kubernetes_version}."):
            raise ValueError(
                f"addons.kube_proxy must be a release for kubernetes_version {self.kubernetes_version}, and is "
                f"{self.addons.kube_proxy}; write one that begins with v{self.kubernetes_version}."
            )
        return self

    @model_validator(mode="after")
    def _private(self) -> Self:
        wrong = [text for text in self.api_ranges if private_range(text) is None]
        if wrong:
            raise ValueError(
                f"api_ranges must be private IPv4 ranges, such as 10.99.0.0/24, and {', '.join(wrong)} is none: "
                "the API is not public"
            )
        return self

    def refused_by(self, target: Target) -> tuple[tuple[str, str], ...]:
        """(field, reason) for each promise that the target cannot keep."""
        if target is Target.AWS:
            return ()
        why = f"on {target} the cluster exists already, and its owner sets this; leave out `cluster`"
        return (("kubernetes_version", why),)


def _graviton(instance_type: str) -> bool:
    return bool(re.match(r"[a-z]+\d+[a-z]*g", instance_type.partition(".")[0]))
