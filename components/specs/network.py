"""What a caller may ask of the network."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Literal, Self

from pydantic import Field, model_validator

from components.specs.foundation import LogDays, Spec


class NetworkSpec(Spec):
    """A VPC: its address range, its zones, its ways out."""

    cidr: str = Field(description="private IPv4 range of the VPC, /16 to /20, e.g. 10.20.0.0/16")
    zones: tuple[str, ...] = Field(min_length=2, max_length=3, description="availability zones by name")
    nat_gateways: Literal["one", "one_per_zone"] = Field(description="ways out; one is cheaper, and one zone's fault")
    flow_log_retention_days: LogDays

    @model_validator(mode="after")
    def _usable(self) -> Self:
        try:
            network = IPv4Network(self.cidr)
        except ValueError:
            network = None
        if network is None or not network.is_private or not 16 <= network.prefixlen <= 20:
            raise ValueError("cidr must be a private IPv4 range from /16 to /20, such as 10.20.0.0/16")
        if len(set(self.zones)) != len(self.zones):
            raise ValueError("zones names a zone twice")
        return self
