"""What a caller may ask of each component: frozen, closed models of plain values, with bounds.

They import no cloud SDK, so settings and editors can use them offline. A field holds a secret's *name* (``..._ref``),
never a secret. ``refused_by`` says which promises a target cannot keep; the settings and the component both ask it.
Import every spec from here; its own module is a matter of space.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from components.specs.database import DatabaseAlarms, DatabaseSpec
from components.specs.foundation import Identifier, LogDays, Ref, Safety, Spec, Target
from components.specs.network import NetworkSpec

__all__ = [
    "BrokerSpec",
    "DatabaseAlarms",
    "DatabaseSpec",
    "Identifier",
    "LogDays",
    "NetworkSpec",
    "QueueSpec",
    "RedisSpec",
    "Ref",
    "Safety",
    "Spec",
    "Target",
]


class BrokerSpec(Spec):
    """A RabbitMQ cluster."""

    version: str = Field(pattern=r"^4\.\d+\.\d+$", description="RabbitMQ release, e.g. 4.3.5")
    replicas: Literal[1, 3, 5] = Field(description="nodes; only 1, 3 and 5 are tested by the operator")
    cpu: int = Field(ge=1, le=64, description="cores per node, request and limit")
    memory_gib: int = Field(ge=2, le=512, description="GiB per node, request and limit")
    storage_gib: int = Field(ge=10, le=16384, description="GiB per node; 0 would mean a disk that is lost")
    termination_grace_seconds: int = Field(ge=60, le=604800, description="how long a node may wait for its quorum")
    tls_secret_ref: Ref | None = Field(description="name of the Secret with tls.crt, tls.key and ca.crt")

    @model_validator(mode="after")
    def _release(self) -> Self:
        if tuple(int(part) for part in self.version.split(".")) < (4, 3, 5):
            raise ValueError("version must be 4.3.5 or newer: older releases lose quorum-queue data in known ways")
        return self

    def refused_by(self, target: Target) -> tuple[tuple[str, str], ...]:
        """(field, reason) for each promise that the target cannot keep."""
        if target is Target.EDGE:
            return (("replicas", "an edge site stores and forwards; it runs no broker; leave out `broker`"),)
        return ()


class QueueSpec(Spec):
    """One quorum queue with its dead-letter queue. Work that cannot be done is kept, never dropped."""

    delivery_limit: int = Field(ge=1, le=100, description="failed tries before a message goes to the dead-letter queue")
    max_length: int = Field(ge=1000, le=5_000_000, description="messages; beyond it publishers are refused")
    dead_letter_max_length: int = Field(ge=1000, le=5_000_000, description="messages kept for a person to look at")


class RedisSpec(Spec):
    """A Valkey store that services coordinate through. Never the only record: the SQL fence decides."""

    version: str = Field(pattern=r"^9\.\d+$", description="Valkey major.minor, e.g. 9.1")
    node_type: str = Field(pattern=r"^cache\.[a-z0-9]+\.[a-z0-9]+$", description="ElastiCache node type")
    cpu: int = Field(ge=1, le=64, description="cores")
    memory_gib: int = Field(ge=1, le=512, description="GiB; Valkey itself may use 70 % of it")
    storage_gib: int = Field(ge=1, le=1024, description="GiB for the append-only file")
    replicas: int = Field(ge=0, le=5, description="copies besides the primary")
    durable_writes: bool = Field(description="no acknowledged write is ever lost")
    snapshot_retention_days: int = Field(ge=1, le=35)
    acl_secret_ref: Ref = Field(description="name of the Secret with the key users.acl (kubernetes and edge)")
    tls_secret_ref: Ref | None = Field(description="name of the Secret with tls.crt, tls.key and ca.crt")

    def refused_by(self, target: Target) -> tuple[tuple[str, str], ...]:
        """(field, reason) for each promise that the target cannot keep."""
        if target is Target.AWS:
            if self.durable_writes and self.replicas < 1:
                return (("durable_writes", "ElastiCache needs a replica for it; write replicas: 1 or more"),)
            return ()
        refused = []
        if self.replicas:
            refused.append(("replicas", f"{target} has one Valkey node and no failover yet; write 0"))
        if self.durable_writes:
            reason = f"one Valkey node on {target} can lose its volume; only aws keeps this promise; write false"
            refused.append(("durable_writes", reason))
        return tuple(refused)
