"""What a caller may ask of each component: frozen, closed models of plain values, with bounds.

They import no cloud SDK, so settings and editors can use them offline. A field holds a secret's *name* (``..._ref``),
never a secret. ``refused_by`` says which promises a target cannot keep; the settings and the component both ask it.
Import every spec from here; its own module is a matter of space.
"""

from __future__ import annotations

from pydantic import Field

from components.specs.broker import (
    AmazonMqSpec,
    BrokerSpec,
    BrokerUserSpec,
    DelayedRetrySpec,
    QueueName,
    QueueSpec,
    ServiceName,
    queue_refusals,
)
from components.specs.cluster import AddonVersions, ClusterSpec
from components.specs.configuration import AlarmSpec, ConfigCentreSpec, ConfigValueSpec, RolloutSpec
from components.specs.database import DatabaseAlarms, DatabaseSpec
from components.specs.evidence import EvidenceSpec
from components.specs.foundation import Identifier, LogDays, Ref, Safety, Spec, Target
from components.specs.migrations import MigrationsSpec
from components.specs.namespace import NamespaceSpec
from components.specs.network import NetworkSpec
from components.specs.parameters import ParameterSpec, ParameterStoreSpec, SealedSpec

__all__ = [
    "AddonVersions",
    "AlarmSpec",
    "AmazonMqSpec",
    "BrokerSpec",
    "BrokerUserSpec",
    "ClusterSpec",
    "ConfigCentreSpec",
    "ConfigValueSpec",
    "DatabaseAlarms",
    "DatabaseSpec",
    "DelayedRetrySpec",
    "EvidenceSpec",
    "Identifier",
    "LogDays",
    "MigrationsSpec",
    "NamespaceSpec",
    "NetworkSpec",
    "ParameterSpec",
    "ParameterStoreSpec",
    "QueueName",
    "QueueSpec",
    "RedisSpec",
    "Ref",
    "RolloutSpec",
    "Safety",
    "SealedSpec",
    "ServiceName",
    "Spec",
    "Target",
    "queue_refusals",
]


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
