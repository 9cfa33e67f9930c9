"""What a caller may ask of the message broker, its queues and its users."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from components.specs.foundation import Ref, Spec, Target

# The name of a queue, its exchange and its policy; ".dead" and ".retry.1" are added for the queues beside it.
QueueName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,40}$")]
# A service, which is also its user's name in the broker.
ServiceName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Release = tuple[int, int, int]

# 4.3.3 to 4.3.5 fixed the last known ways in which 4.3 lost quorum-queue data (release notes).
OLDEST_RELEASE: Release = (4, 3, 5)
# The delayed-retry policy keys exist from here (rabbitmq-server #16395).
DELAYS_FROM: Release = (4, 3, 1)
# Replicas that a lost node leaves with a majority (quorum-queue documentation).
COPIES_THAT_SURVIVE = 3
# "Node memory of at least 3 to 4 times the WAL" (quorum-queue documentation): the safer end.
MEMORY_PER_WAL = 4
# The disk alarm stops publishers when less than the memory's size is free, so as much again must be there to use. Ours.
STORAGE_PER_MEMORY = 2


class AmazonMqSpec(Spec):
    """An Amazon MQ broker: its size, its login, and when AWS may touch it. Always three nodes in three zones."""

    engine_version: str = Field(
        pattern=r"^4\.\d+$", description="RabbitMQ major.minor; AWS chooses the patch release", examples=["4.2"]
    )
    instance_type: str = Field(
        pattern=r"^mq\.m7g\.[a-z0-9]+$",
        description="RabbitMQ 4 runs on mq.m7g classes only",
        examples=["mq.m7g.large"],
    )
    password_secret_ref: Ref = Field(
        description="Secrets Manager secret whose text is the administrator's password", examples=["payments/broker"]
    )
    secret_store_ref: Ref = Field(
        description="ClusterSecretStore by which External Secrets reads that secret", examples=["payments-secrets"]
    )
    maintenance_day: Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"] = Field(
        examples=["SUNDAY"]
    )
    maintenance_time: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="UTC", examples=["18:00"])


class BrokerSpec(Spec):
    """A RabbitMQ cluster: run by the cluster operator (the fields from ``image`` on are its size), or Amazon MQ."""

    kind: Literal["operator", "amazon-mq"] = Field(description="who runs the nodes")
    image: str = Field(
        pattern=r"^[a-z0-9./:-]+:4\.\d+\.\d+-management@sha256:[0-9a-f]{64}$",
        description="image with its release and its digest, e.g. docker.io/library/rabbitmq:4.3.5-management@sha256:…",
    )
    replicas: Literal[1, 3, 5] = Field(description="nodes; only 1, 3 and 5 are tested by the operator")
    cpu: int = Field(ge=1, le=64, description="cores per node, request and limit")
    memory_gib: int = Field(ge=2, le=512, description="GiB per node, request and limit")
    storage_gib: int = Field(ge=10, le=16384, description="GiB per node; 0 would mean a disk that is lost")
    wal_mib: int = Field(
        ge=64, le=4096, description="MiB of the write-ahead log that all quorum queues of a node share"
    )
    termination_grace_seconds: int = Field(ge=60, le=604800, description="how long a node may wait for its quorum")
    tls_secret_ref: Ref = Field(description="name of the Secret with tls.crt, tls.key and ca.crt")
    amazon_mq: AmazonMqSpec | None = Field(description="needed with kind amazon-mq")

    @field_validator("replicas", mode="before")
    @classmethod
    def _odd(cls, given: Any) -> Any:
        if isinstance(given, int) and given % 2 == 0:
            raise ValueError(f"{given} nodes survive no more failures than one node less; write 1, 3 or 5")
        return given

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if (self.kind == "amazon-mq") != (self.amazon_mq is not None):
            here = "is not" if self.amazon_mq is None else "is"
            raise ValueError(
                f"kind is {self.kind} and amazon_mq {here} written: amazon-mq and its settings go together; "
                "write both or neither"
            )
        if self.kind == "operator" and self.release < OLDEST_RELEASE:
            release = ".".join(map(str, self.release))
            raise ValueError(
                f"image must be 4.3.5 or newer, and is {release}: older releases lose quorum-queue data in known ways"
            )
        if self.memory_gib * 1024 < self.wal_mib * MEMORY_PER_WAL:
            most = self.memory_gib * 1024 // MEMORY_PER_WAL
            raise ValueError(
                f"wal_mib must be at most {most}, a quarter of memory_gib, and is {self.wal_mib}: "
                "the log is kept in memory, too"
            )
        if self.storage_gib < self.memory_gib * STORAGE_PER_MEMORY:
            least = self.memory_gib * STORAGE_PER_MEMORY
            raise ValueError(
                f"storage_gib must be at least {least}, twice memory_gib, and is {self.storage_gib}: "
                "publishing stops when less is free"
            )
        return self

    @property
    def release(self) -> Release:
        """The oldest release that this can be. AWS chooses the patch release, so it may be the first."""
        tag = self.image.partition("-management@")[0].rpartition(":")[2]
        written = f"{self.amazon_mq.engine_version}.0" if self.amazon_mq else tag
        major, minor, patch = (int(part) for part in written.split("."))
        return major, minor, patch

    def refused_by(self, target: Target) -> tuple[tuple[str, str], ...]:
        """(field, reason) for each promise that the target cannot keep."""
        if target is Target.EDGE:
            return (("replicas", "an edge site stores and forwards; it runs no broker; leave out `broker`"),)
        if self.kind == "amazon-mq" and target is not Target.AWS:
            return (("kind", f"there is no Amazon MQ on {target}; write operator"),)
        if self.kind == "amazon-mq" and self.replicas != COPIES_THAT_SURVIVE:
            return (("replicas", "an Amazon MQ cluster has three nodes, no more and no fewer; write 3"),)
        return ()


class DelayedRetrySpec(Spec):
    """The broker holds a failed message back for min_seconds times its tries, max_seconds at most: linear, no more.

    Only ``basic.reject`` counts as a try. ``basic.nack`` does not (from 4.3): a nacked message comes back after
    min_seconds for ever, and never reaches the dead-letter queue.
    """

    min_seconds: int = Field(ge=1, le=3600, description="wait after the first failure")
    max_seconds: int = Field(ge=1, le=86400, description="longest wait")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max_seconds < self.min_seconds:
            raise ValueError(
                f"max_seconds must be at least {self.min_seconds}, which is min_seconds, and is {self.max_seconds}"
            )
        return self


class QueueSpec(Spec):
    """One quorum queue with its dead-letter queue. Work that cannot be done is kept, never dropped.

    ``retry``: delayed is the broker's own waiting; ladder, for older brokers and Amazon MQ, has one waiting queue per
    step, from which messages come back by themselves.
    """

    copies: int = Field(ge=1, le=7, description="nodes that hold each message; odd")
    delivery_limit: int = Field(ge=1, le=100, description="failed tries before a message goes to the dead-letter queue")
    max_length: int = Field(ge=1000, le=5_000_000, description="messages; beyond it `overflow` decides")
    dead_letter_max_length: int = Field(ge=1000, le=5_000_000, description="messages kept for a person to look at")
    overflow: Literal["reject-publish", "drop-head"] = Field(description="what a full queue does")
    dead_letter_strategy: Literal["at-least-once", "at-most-once"] = Field(description="how a failed message moves")
    retry: Literal["delayed", "ladder"] = Field(description="how a failed message waits; delayed from RabbitMQ 4.3.1")
    delayed_retry: DelayedRetrySpec = Field(description="waits between tries, with retry delayed")
    retry_ladder_seconds: tuple[Annotated[int, Field(ge=1, le=86400)], ...] = Field(
        min_length=1, max_length=8, description="waits between tries, one queue for each, with retry ladder"
    )

    @field_validator("dead_letter_max_length", mode="before")
    @classmethod
    def _has_dead_letters(cls, given: Any) -> Any:
        if given is None:
            raise ValueError(
                "is needed: past delivery_limit (20 when none is set) a message with no dead-letter queue is dropped; "
                "write how many messages to keep"
            )
        return given

    @field_validator("copies")
    @classmethod
    def _odd(cls, copies: int) -> int:
        if copies % 2 == 0:
            raise ValueError(f"{copies} copies survive no more failures than {copies - 1}; write {copies - 1}")
        return copies

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.dead_letter_strategy == "at-least-once" and self.overflow != "reject-publish":
            raise ValueError(
                f"dead_letter_strategy at-least-once needs overflow reject-publish, and overflow is {self.overflow}: "
                "with it, it is at-most-once; write reject-publish, or at-most-once"
            )
        steps = self.retry_ladder_seconds
        if list(steps) != sorted(set(steps)):
            raise ValueError(
                f"retry_ladder_seconds must grow from step to step, and is {list(steps)}; write {sorted(set(steps))}"
            )
        return self

    @property
    def ladder(self) -> tuple[int, ...]:
        """The waits of the waiting queues; none where the broker itself waits."""
        return self.retry_ladder_seconds if self.retry == "ladder" else ()

    def refused_by(self, broker: BrokerSpec) -> tuple[tuple[str, str], ...]:
        """(field, reason) for each promise that the broker cannot keep."""
        refused = []
        if self.retry == "delayed" and broker.release < DELAYS_FROM:
            refused.append(
                ("retry", "delayed needs RabbitMQ 4.3.1 or newer, which this broker may not be; write ladder")
            )
        if self.copies > broker.replicas:
            most = broker.replicas
            nodes = f"{most} node{'s' if most > 1 else ''}"
            refused.append(("copies", f"is {self.copies}, and the broker has {nodes}; write {most} or less"))
        least = min(COPIES_THAT_SURVIVE, broker.replicas)
        if self.copies < least:
            refused.append(("copies", f"one copy is lost with its node, and the broker has more; write {least}"))
        return tuple(refused)


class BrokerUserSpec(Spec):
    """A service's own login to the broker: the queues it may publish to and take from, and nothing else."""

    publishes: tuple[QueueName, ...] = Field(description="queues it may publish to")
    consumes: tuple[QueueName, ...] = Field(description="queues it may take from, and send to wait")
    credentials_secret_ref: Ref = Field(
        description="name of the Secret with username, which must be the service's name, and password"
    )

    @model_validator(mode="after")
    def _has_work(self) -> Self:
        if not self.publishes and not self.consumes:
            raise ValueError("publishes and consumes are both empty; a user who may do nothing is not needed")
        return self


def queue_refusals(
    broker: BrokerSpec, queues: Mapping[str, QueueSpec], users: Mapping[str, BrokerUserSpec]
) -> list[tuple[tuple[str, ...], str]]:
    """(path, reason) for each thing that queues and users ask for and that is not there."""
    found: list[tuple[tuple[str, ...], str]] = [
        (("queues", name, field), why) for name, queue in queues.items() for field, why in queue.refused_by(broker)
    ]
    for name in queues:
        # "a.dead" would be made under the same name as a queue "a-dead".
        beside = re.fullmatch(r"(.+)-(dead|retry-\d)", name)
        if beside and beside[1] in queues:
            found.append((("queues", name), f"this is the name of a queue beside {beside[1]}; choose another"))
    for service, user in users.items():
        for field, named in (("publishes", user.publishes), ("consumes", user.consumes)):
            strange = sorted(set(named) - set(queues))
            if strange:
                there = ", ".join(queues) or "none"
                found.append((("broker_users", service, field), f"no queue {', '.join(strange)}; there is {there}"))
    return found
