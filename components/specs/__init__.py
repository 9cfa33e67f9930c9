"""What a caller may ask of each component: frozen, closed models of plain values, with bounds.

They import no cloud SDK, so settings and editors can use them offline. A field holds a secret's *name* (``..._ref``),
never a secret. ``refused_by`` says which promises a target cannot keep; the settings and the component both ask it.
Import every spec from here; its own module is a matter of space.
"""

from __future__ import annotations

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
from components.specs.monolith import (
    CopiedTable,
    CopierSpec,
    DomainMigrationSpec,
    MonolithSource,
    MonolithSpec,
    Phase,
)
from components.specs.namespace import NamespaceSpec
from components.specs.network import NetworkSpec
from components.specs.parameters import ParameterSpec, ParameterStoreSpec, SealedSpec
from components.specs.redis import LoaderSpec, RedisAlarms, RedisSpec, RedisUserSpec, StoreName

__all__ = [
    "AddonVersions",
    "AlarmSpec",
    "AmazonMqSpec",
    "BrokerSpec",
    "BrokerUserSpec",
    "ClusterSpec",
    "ConfigCentreSpec",
    "ConfigValueSpec",
    "CopiedTable",
    "CopierSpec",
    "DatabaseAlarms",
    "DatabaseSpec",
    "DelayedRetrySpec",
    "DomainMigrationSpec",
    "EvidenceSpec",
    "Identifier",
    "LoaderSpec",
    "LogDays",
    "MigrationsSpec",
    "MonolithSource",
    "MonolithSpec",
    "NamespaceSpec",
    "NetworkSpec",
    "ParameterSpec",
    "ParameterStoreSpec",
    "Phase",
    "QueueName",
    "QueueSpec",
    "RedisAlarms",
    "RedisSpec",
    "RedisUserSpec",
    "Ref",
    "RolloutSpec",
    "Safety",
    "SealedSpec",
    "ServiceName",
    "Spec",
    "StoreName",
    "Target",
    "queue_refusals",
]
