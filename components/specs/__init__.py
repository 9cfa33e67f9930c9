"""What a caller may ask of each component: frozen, closed models of plain values, with bounds.

They import no cloud SDK, so settings and editors can use them offline. A field holds a secret's *name* (``..._ref``),
never a secret. ``refused_by`` says which promises a target cannot keep; the settings and the component both ask it.
Import every spec from here; its own module is a matter of space.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from components.specs.foundation import Identifier, LogDays, Ref, Safety, Spec, Target
from components.specs.network import NetworkSpec

__all__ = [
    "BrokerSpec",
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


class DatabaseSpec(Spec):
    """One PostgreSQL database.

    ``instance_class`` is the size on aws; ``cpu`` (cores) and ``memory_gib`` are the size on kubernetes and edge.
    """

    database_name: Identifier = Field(description="the database inside the server; a new name is a new, empty server")
    postgres_version: int = Field(ge=14, le=18, description="major version; CloudNativePG 1.30 serves 14 to 18")
    instance_class: str = Field(pattern=r"^db\.[a-z0-9]+\.[a-z0-9]+$", description="RDS instance class")
    cpu: int = Field(ge=1, le=96, description="cores")
    memory_gib: int = Field(ge=1, le=768, description="GiB")
    # RDS gp3 for PostgreSQL: 20 to 65536 GiB (RDS user guide, storage types).
    storage_gib: int = Field(ge=20, le=65536, description="GiB; can grow, can never shrink in place")
    max_storage_gib: int = Field(ge=20, le=65536, description="GiB; RDS grows by itself up to this")
    # 0 would turn backups off, so it is not offered; 35 is the most that RDS keeps.
    backup_retention_days: int = Field(ge=1, le=35, description="days that point-in-time restore can reach back")
    high_availability: bool = Field(description="a synchronous standby in another zone")
    # RDS accepts 7, 731 or a multiple of 31.
    insights_retention_days: Literal[7, 31, 62, 93, 124, 155, 186, 217, 248, 279, 310, 341, 372, 731]

    @model_validator(mode="after")
    def _room_to_grow(self) -> Self:
        # RDS refuses an autoscaling limit less than 10 % above the storage it starts from.
        if self.max_storage_gib * 10 < self.storage_gib * 11:
            least = -(-self.storage_gib * 11 // 10)
            raise ValueError(f"max_storage_gib must be at least {least}, 10 % above storage_gib")
        return self

    def refused_by(self, target: Target) -> tuple[tuple[str, str], ...]:
        """(field, reason) for each promise that the target cannot keep."""
        if target is Target.EDGE and self.high_availability:
            return (("high_availability", "an edge site has one node, so no standby can exist; write false"),)
        return ()


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
