"""Everything a stack may say: frozen, closed models. What a stack leaves out, its tier profile says."""

from __future__ import annotations

from enum import StrEnum
from math import ceil
from typing import Annotated, Literal, Protocol, Self
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from components.specs import (
    BrokerSpec,
    BrokerUserSpec,
    ClusterSpec,
    ConfigCentreSpec,
    DatabaseSpec,
    EvidenceSpec,
    MigrationsSpec,
    MonolithSpec,
    NamespaceSpec,
    NetworkSpec,
    ParameterStoreSpec,
    QueueName,
    QueueSpec,
    RedisSpec,
    Ref,
    Safety,
    ServiceName,
    Spec,
    StoreName,
    Target,
    queue_refusals,
)
from components.specs.evidence import THIRTEEN_MONTHS

HTTPS = 443
# An SNS topic (SNS, CreateTopic: up to 256 letters, digits, hyphens and underscores; a FIFO topic ends in .fifo).
Topic = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$")]
Domain = Literal["account", "wallet", "gateway", "risk", "clearing"]
# AWS: tag keys 1 to 128 characters, values to 256; without the colon, the reserved "aws:" cannot be written.
TagKey = Annotated[str, StringConstraints(pattern=r"^[\w ./=+@-]{1,128}$")]
TagValue = Annotated[str, StringConstraints(max_length=256)]


class Tier(StrEnum):
    """How much is at stake: it chooses the numbers and the protection (stacks/profiles.py)."""

    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"
    EDGE = "edge"


class AwsSettings(Spec):
    """Which account and region. Credentials come from the environment."""

    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="AWS region", examples=["ap-southeast-1"])
    account_id: str | None = Field(
        default=None,
        pattern=r"^\d{12}$",
        description="the only AWS account allowed; any when left out",
        examples=["111122223333"],
    )
    alarm_topics: tuple[Topic, ...] = Field(
        default=(),
        max_length=5,
        description="SNS topics that hear of alarms",
        examples=[["arn:aws:sns:ap-southeast-1:111122223333:oncall"]],
    )


class BackupSettings(Spec):
    """Where databases on Kubernetes send their backups."""

    destination: str = Field(
        pattern=r"^s3://[a-z0-9][a-z0-9.-]+(/.*)?$", description="S3 path", examples=["s3://payments-backups/local"]
    )
    endpoint_url: str | None = Field(
        default=None,
        pattern=r"^https?://[a-z0-9][a-z0-9.-]*(:\d{1,5})?(/.*)?$",
        description="for an S3 that is not AWS's",
        examples=["http://minio.minio.svc:9000"],
    )
    secret_ref: Ref = Field(
        description="name of the Secret with access_key_id and secret_access_key", examples=["payments-backups"]
    )

    @field_validator("endpoint_url")
    @classmethod
    def _has_a_port_that_exists(cls, given: str | None) -> str | None:
        try:
            urlsplit(given or "").port  # noqa: B018  (it is read to see whether it can be)
        except ValueError:
            raise ValueError("there is no such port; write one from 1 to 65535") from None
        return given

    @property
    def port(self) -> int:
        """The port of the store, which the namespace has to open."""
        url = urlsplit(self.endpoint_url or "https://s3.amazonaws.com")
        return url.port or (HTTPS if url.scheme == "https" else 80)


class KubernetesSettings(Spec):
    """Which cluster, and where in it."""

    context: str = Field(
        min_length=1, description="kubeconfig context; no other cluster is ever touched", examples=["payments-example"]
    )
    namespace: Ref
    storage_class: str = Field(min_length=1, description="an encrypted StorageClass with reclaim policy Retain")
    zoned: bool = Field(description="the nodes lie in three zones, so copies are spread over zones")
    backups: BackupSettings | None = Field(description="needed where databases run on Kubernetes")


class Refusing(Protocol):
    """A spec that knows what a target cannot promise."""

    def refused_by(self, target: Target) -> tuple[tuple[str, str], ...]:
        """(field, reason) for each promise that the target cannot keep."""


class PlatformSettings(Spec):
    """One environment, complete."""

    tier: Tier
    target: Target
    aws: AwsSettings | None = Field(default=None, description="needed on aws")
    kubernetes: KubernetesSettings
    safety: Safety
    network: NetworkSpec | None = Field(default=None, description="needed on aws")
    cluster: ClusterSpec | None = Field(default=None, description="needed on aws; elsewhere there is a cluster already")
    namespace: NamespaceSpec
    evidence: EvidenceSpec | None = Field(
        default=None, description="null where there is no store that nobody can empty"
    )
    databases: dict[Domain, DatabaseSpec] = Field(min_length=1)
    migrations: MigrationsSpec = Field(description="how each database gets its roles and tables")
    broker: BrokerSpec | None = Field(default=None, description="null where nothing queues, as on edge")
    queues: dict[QueueName, QueueSpec]
    broker_users: dict[ServiceName, BrokerUserSpec]
    monolith: MonolithSpec | None = Field(default=None, description="null where no monolith is behind the services")
    redis: dict[StoreName, RedisSpec] = Field(min_length=1, description="Valkey stores by name")
    parameters: ParameterStoreSpec = Field(description="what services start with, each readable by its consumers")
    configuration: ConfigCentreSpec = Field(description="what changes while services run")
    tags: dict[TagKey, TagValue] = Field(description="on every AWS resource")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        found = [
            *self._target_contradictions(),
            *self._tier_contradictions(),
            *self._readers_that_are_not_here(),
            *self._monolith_contradictions(),
            *self._refusals(),
        ]
        if found:
            raise PydanticCustomError("contradictions", "settings contradict each other", {"found": found})
        return self

    def _target_contradictions(self) -> list[tuple[tuple[str, ...], str]]:
        found: list[tuple[tuple[str, ...], str]] = []
        on_aws = self.target is Target.AWS
        if on_aws and self.aws is None:
            found.append((("aws",), "is needed on aws; write below it region, such as ap-southeast-1"))
        for key, part in (("network", self.network), ("cluster", self.cluster)):
            if on_aws and part is None:
                found.append(((key,), "is needed on aws, and is null; leave the line out"))
        for key, value in (("aws", self.aws), ("network", self.network)):
            if not on_aws and value is not None:
                found.append(((key,), f"means nothing on {self.target}; remove it"))
        if on_aws and self.kubernetes.backups is not None:
            found.append((("kubernetes", "backups"), "means nothing on aws: RDS keeps its own backups; remove it"))
        if not on_aws and self.kubernetes.backups is None:
            why = f"is needed on {self.target}, where databases are pods; write below it destination and secret_ref"
            found.append((("kubernetes", "backups"), why))
        found += self._region_contradictions()
        return [*found, *self._broker_contradictions(), *self._store_contradictions(), *self._too_small()]

    def _region_contradictions(self) -> list[tuple[tuple[str, ...], str]]:
        if self.aws is None:
            return []
        found: list[tuple[tuple[str, ...], str]] = []
        region = self.aws.region
        wrong = [zone for zone in self.network.zones if not zone.startswith(region)] if self.network else []
        if wrong:
            said = f"{', '.join(wrong)} lies not in {region}, which aws.region names; write zones of it"
            found.append((("network", "zones"), said))
        strangers = [topic for topic in self.aws.alarm_topics if topic.split(":")[3] != region]
        if strangers:
            said = f"{', '.join(strangers)} lies not in {region}, where the alarms are; write topics of that region"
            found.append((("aws", "alarm_topics"), said))
        return found

    def _broker_contradictions(self) -> list[tuple[tuple[str, ...], str]]:
        found: list[tuple[tuple[str, ...], str]] = []
        for key, wanted in (("queues", self.queues), ("broker_users", self.broker_users)):
            if wanted and self.broker is None:
                found.append(
                    ((key,), f"{key} need a broker, and this environment has none; remove {', '.join(wanted)}")
                )
        if ("broker" in self.namespace.openings) != (self.broker is not None):
            done = "is none, and broker stands there; leave it out" if self.broker is None else "is one; add broker"
            found.append((("namespace", "openings"), f"broker must stand there where there is a broker; here {done}"))
        return found

    def _store_contradictions(self) -> list[tuple[tuple[str, ...], str]]:
        found: list[tuple[tuple[str, ...], str]] = []
        if not any(store.purpose == "coordination" for store in self.redis.values()):
            found.append((("redis",), "services lock and throttle through a store of purpose coordination; add one"))
        for name, store in self.redis.items():
            if name in (*self.databases, "rabbit"):
                found.append((("redis", name), "a database or the broker has this name; call the store otherwise"))
            absent = [service for service in store.users if service not in self.databases]
            if absent:
                why = f"this environment has no service {', '.join(absent)}; leave out what is not here"
                found.append((("redis", name, "users"), why))
        return found

    def _too_small(self) -> list[tuple[tuple[str, ...], str]]:
        """Data services that the namespace's quota would keep from starting."""
        cpu, memory, storage = 0.0, 0, 0
        for copies, spec in self._servers():
            cpu += copies * spec.cpu
            memory += copies * spec.memory_gib
            storage += copies * spec.storage_gib
        if self.target is not Target.AWS:
            milli, mib, gib = map(sum, zip(*(store.asks_of_cluster() for store in self.redis.values()), strict=True))
            cpu, memory, storage = cpu + -(-milli // 1000), memory + -(-mib // 1024), storage + gib
        quota = self.namespace.quota
        needs = {"cpu": (ceil(cpu), quota.cpu), "memory_gib": (memory, quota.memory_gib)}
        needs["storage_gib"] = (storage, quota.storage_gib)
        return [
            (
                ("namespace", "quota", name),
                f"must be at least {least}, and is {given}: the data services alone ask for that much",
            )
            for name, (least, given) in needs.items()
            if given < least
        ]

    def _servers(self) -> list[tuple[int, BrokerSpec | DatabaseSpec]]:
        """(copies, spec) of each data service that runs in the namespace."""
        found: list[tuple[int, BrokerSpec | DatabaseSpec]] = []
        if self.broker and self.broker.kind == "operator":
            found.append((self.broker.replicas, self.broker))
        if self.target is not Target.AWS:
            found += [(3 if spec.high_availability else 1, spec) for spec in self.databases.values()]
        return found

    def _tier_contradictions(self) -> list[tuple[tuple[str, ...], str]]:
        found: list[tuple[tuple[str, ...], str]] = []
        if (self.tier is Tier.EDGE) != (self.target is Target.EDGE):
            said = f"tier is {self.tier} and target is {self.target}: edge goes with edge only; write both or neither"
            found.append((("tier",), said))
        if self.tier is Tier.PROD:
            found += [
                (("safety", guard), "prod always guards its data; remove this line")
                for guard, on in self.safety.model_dump().items()
                if not on
            ]
            found += self._not_for_production()
        return found

    def _not_for_production(self) -> list[tuple[tuple[str, ...], str]]:
        found: list[tuple[tuple[str, ...], str]] = []
        if self.network and len(self.network.zones) < 3:
            found.append(
                (
                    ("network", "zones"),
                    f"prod runs in three zones, and {len(self.network.zones)} are named: quorums survive the loss of "
                    "one; name three",
                )
            )
        if self.target is Target.AWS and (self.evidence is None or self.evidence.retention_days < THIRTEEN_MONTHS):
            kept = "nothing" if self.evidence is None else f"it for {self.evidence.retention_days} days"
            why = f"prod keeps evidence for 13 months, and this keeps {kept}; write {THIRTEEN_MONTHS} or more"
            found.append((("evidence", "retention_days"), why))
        found += [
            (("redis", name, "replicas"), "is 0, and prod goes on coordinating when it loses a node; write 2")
            for name, store in self.redis.items()
            if store.purpose == "coordination" and not store.replicas
        ]
        return found

    def _monolith_contradictions(self) -> list[tuple[tuple[str, ...], str]]:
        found: list[tuple[tuple[str, ...], str]] = []
        if self.monolith is None:
            return found
        for domain, spec in self.monolith.moves.items():
            path = ("monolith", "domains", domain)
            if domain not in self.databases:
                found.append((path, f"this environment has no such domain; there is {', '.join(self.databases)}"))
                continue
            if spec.meaning.queued and self.broker is None:
                found.append(((*path, "phase"), f"{spec.phase} needs a broker, and this environment has none; add one"))
            own = f"{self.databases[domain].database_name}."
            found += [
                ((*path, "tables", name), f"the copy would land in schema {own[:-1]}, which is the service's own")
                for name in spec.tables
                if name.startswith(own)
            ]
        found += [
            (("configuration", "values", key), "is what the gateway reads of the monolith's phases; choose another key")
            for key in self.monolith.routing()
            if key in self.configuration.values
        ]
        if self.broker and any(spec.meaning.queued for spec in self.monolith.moves.values()):
            refused = self.monolith.queue.refused_by(self.broker)
            found += [(("monolith", "queue", field), why) for field, why in refused]
        return found + self._certificates_from_elsewhere(self.monolith)

    def _certificates_from_elsewhere(self, monolith: MonolithSpec) -> list[tuple[tuple[str, ...], str]]:
        """DMS keeps certificates per region."""
        named = {
            ("monolith", "source", "certificate_arn"): monolith.source and monolith.source.certificate_arn,
            ("monolith", "copier", "service_certificate_arn"): monolith.copier
            and monolith.copier.service_certificate_arn,
        }
        return [
            (path, f"lies in {there}, and DMS looks in {self.aws.region} only; import it there, write its ARN")
            for path, arn in named.items()
            if arn and self.aws and (there := arn.split(":")[3]) != self.aws.region
        ]

    def _readers_that_are_not_here(self) -> list[tuple[tuple[str, ...], str]]:
        """A right given to nobody today is a right for whoever takes the name tomorrow."""
        found: list[tuple[tuple[str, ...], str]] = []
        for part, entries in (("values", self.parameters.entries()), ("sealed", self.parameters.secrets())):
            for entry in entries:
                absent = [name for name in entry.spec.consumers if name not in self.databases]
                if absent:
                    path = ("parameters", part, entry.owner, entry.key, "consumers")
                    found.append(
                        (path, f"this environment has no service {', '.join(absent)}; leave out what is not here")
                    )
        return found

    def _refusals(self) -> list[tuple[tuple[str, ...], str]]:
        """What the target cannot promise, as the components themselves would say it."""
        parts: list[tuple[tuple[str, ...], Refusing]] = [
            (("namespace",), self.namespace),
            (("migrations",), self.migrations),
            (("parameters",), self.parameters),
            (("configuration",), self.configuration),
        ]
        parts += [(("databases", domain), spec) for domain, spec in self.databases.items()]
        parts += [(("redis", name), spec) for name, spec in self.redis.items()]
        if self.broker:
            parts.append((("broker",), self.broker))
        if self.cluster:
            parts.append((("cluster",), self.cluster))
        if self.evidence:
            parts.append((("evidence",), self.evidence))
        if self.monolith:
            parts.append((("monolith",), self.monolith))
        found = [
            ((*path, *field.split(".")), why) for path, spec in parts for field, why in spec.refused_by(self.target)
        ]
        return found + (queue_refusals(self.broker, self.queues, self.broker_users) if self.broker else [])
