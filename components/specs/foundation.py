"""What all specs share: how strict they are, the names they may hold, where a footprint runs, what guards its data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class Spec(BaseModel):
    """Base of every spec: immutable and closed. Types are strict: "14" is not 14, and true is not 1."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def twice(names: Sequence[str]) -> list[str]:
    """The names that stand in a list more than once."""
    return [name for name, count in Counter(names).items() if count > 1]


# A Kubernetes object name (RFC 1123 label or subdomain), which is also a legal path in AWS Secrets Manager.
Ref = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9./]*[a-z0-9])?$", max_length=253)]
# Lower-case SQL identifier; RDS allows 63 characters (CreateDBInstance, DBName).
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
# The sizes CloudWatch accepts (PutRetentionPolicy, retentionInDays); 0 ("never expire") is not offered.
LogDays = Literal[7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]


class Target(StrEnum):
    """Where a footprint runs: AWS managed services, any conformant Kubernetes cluster, or one k3s node at the edge."""

    AWS = "aws"
    KUBERNETES = "kubernetes"
    EDGE = "edge"


class Safety(Spec):
    """What guards stateful resources. Comes from the tier profile."""

    protect: bool = Field(description="Pulumi refuses to delete or replace the resource")
    retain_on_delete: bool = Field(description="a delete only forgets the resource; the real thing stays")
    deletion_protection: bool = Field(description="the provider's own guard, where it has one")
    final_snapshot: bool = Field(description="take a last snapshot before a database goes")
