"""What a caller may ask of the network."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from components.specs.foundation import LogDays, Spec, twice

# An availability zone by name, e.g. ap-southeast-1a: its region and one letter.
Zone = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d[a-z]$")]
# AWS services that the private subnets may reach without a way out (AWS PrivateLink, "Services that integrate").
Service = Literal[
    "appconfigdata",
    "ec2",
    "ecr.api",
    "ecr.dkr",
    "eks",
    "eks-auth",
    "elasticloadbalancing",
    "kms",
    "logs",
    "monitoring",
    "secretsmanager",
    "ssm",
    "sts",
]
# Without a NAT gateway, nodes and pods start through these or not at all (EKS user guide, "private clusters").
NEEDED_WITHOUT_NAT: tuple[Service, ...] = ("ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "logs", "sts")


# An IPv4 range in CIDR notation.
Range = Annotated[str, StringConstraints(pattern=r"^\d{1,3}(\.\d{1,3}){3}/\d{1,2}$")]


class NetworkSpec(Spec):
    """A VPC: its address range, its zones, its ways out, and its doors to AWS."""

    cidr: Range = Field(description="private IPv4 range of the VPC, /16 to /20")
    zones: tuple[Zone, ...] = Field(
        min_length=2,
        max_length=3,
        description="availability zones by name",
        examples=[["ap-southeast-1a", "ap-southeast-1b", "ap-southeast-1c"]],
    )
    nat_gateways: Literal["none", "one", "one_per_zone"] = Field(
        description="ways out; none: AWS is reached through endpoints only; one is cheaper, and one zone's fault"
    )
    interface_endpoints: tuple[Service, ...] = Field(
        description="AWS services reached inside the VPC, paid by the hour; S3 and DynamoDB always are, free of charge"
    )
    flow_log_retention_days: LogDays

    @property
    def region(self) -> str:
        """The region its zones lie in."""
        return self.zones[0][:-1]

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if (network := private_range(self.cidr)) is None or not 16 <= network.prefixlen <= 20:
            raise ValueError(
                f"cidr must be a private IPv4 range from /16 to /20, such as 10.20.0.0/16, and {self.cidr} is none"
            )
        for name, listed in (("zones", self.zones), ("interface_endpoints", self.interface_endpoints)):
            if again := twice(listed):
                raise ValueError(f"{name} names {', '.join(again)} twice; write it once")
        if len({zone[:-1] for zone in self.zones}) > 1:
            regions = ", ".join(sorted({zone[:-1] for zone in self.zones}))
            raise ValueError(f"zones must lie in one region, and lie in {regions}; make a stack for each region")
        return self

    @model_validator(mode="after")
    def _can_reach_aws(self) -> Self:
        missing = [name for name in NEEDED_WITHOUT_NAT if name not in self.interface_endpoints]
        if self.nat_gateways == "none" and missing:
            raise ValueError(
                f"nat_gateways none needs interface_endpoints for nodes to start: add {', '.join(missing)}"
            )
        return self


def private_range(text: str) -> IPv4Network | None:
    """A private IPv4 range (RFC 1918), or None when the text is none."""
    try:
        network = IPv4Network(text)
    except ValueError:
        return None
    return network if any(network.subnet_of(IPv4Network(wide)) for wide in PRIVATE_RANGES) else None


PRIVATE_RANGES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
