"""What a caller may ask of the namespace that services live in."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from components.specs.foundation import Spec, Target, twice

# A name of an object in Kubernetes (RFC 1123 label).
Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
# What a pod may be let through to; all else is closed. DNS is always open: without it nothing finds anything.
Opening = Literal["broker", "cloud", "database", "internet", "metrics", "redis"]


class Quota(Spec):
    """The most that all pods of the namespace may ask for together."""

    cpu: int = Field(ge=1, le=10_000, description="cores, as requested")
    memory_gib: int = Field(ge=1, le=100_000, description="GiB, as requested and as the limit")
    storage_gib: int = Field(ge=1, le=1_000_000, description="GiB of all volumes")
    pods: int = Field(ge=1, le=10_000)


class ContainerDefaults(Spec):
    """What a container gets that asks for nothing: the quota would refuse it otherwise."""

    cpu_milli: int = Field(ge=10, le=4000, description="thousandths of a core")
    memory_mib: int = Field(ge=32, le=16384, description="MiB, as request and as limit")


class NamespaceSpec(Spec):
    """The namespace: how strict it is, what its pods may reach, how much they may take."""

    # A cluster knows the standards of its own and of older versions (Kubernetes, Pod Security Admission).
    pod_security_version: str = Field(pattern=r"^v1\.\d\d$", description="release of the Pod Security Standards")
    openings: tuple[Opening, ...] = Field(description="what pods may be let through to, each pod by its own label")
    monitoring_namespace: Label = Field(description="namespace of the Prometheus that reads the metrics")
    quota: Quota
    container: ContainerDefaults

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if len(set(self.openings)) != len(self.openings):
            raise ValueError(f"openings names {', '.join(twice(self.openings))} twice; write it once")
        if self.container.memory_mib > self.quota.memory_gib * 1024:
            raise ValueError(
                f"container.memory_mib must fit in quota.memory_gib, or no such pod could ever start, and "
                f"{self.container.memory_mib} MiB is more than {self.quota.memory_gib} GiB; write less, or more"
            )
        return self

    def refused_by(self, target: Target) -> tuple[tuple[str, str], ...]:
        """(field, reason) for each promise that the target cannot keep."""
        if target is not Target.AWS and "cloud" in self.openings:
            return (("openings", f"cloud opens the way to AWS inside the VPC, and {target} has none; leave it out"),)
        return ()
