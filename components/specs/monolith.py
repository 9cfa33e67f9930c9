"""What may be asked of the way out of a monolith: where each domain stands, and what it needs to stand there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from components.specs.broker import QueueSpec, ServiceName
from components.specs.configuration import ConfigValueSpec
from components.specs.database import WEEKLY
from components.specs.foundation import Identifier, LogDays, Ref, Spec, Target
from components.specs.network import private_range
from components.specs.parameters import Key

_NAME = "[a-z_][a-z0-9_]{0,62}"
# A table or view with its schema. Lower case only: nothing has to be quoted anywhere.
TableName = Annotated[str, StringConstraints(pattern=rf"^{_NAME}\.{_NAME}$")]
Side = Literal["monolith", "service"]
# An imported certificate of DMS (ImportCertificate).
CertificateArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:dms:[a-z0-9-]+:\d{12}:cert:[A-Za-z0-9-]+$")]
A_CERTIFICATE = "arn:aws:dms:ap-southeast-1:111122223333:cert:RDSAPSOUTHEAST1"
# Minute, hour, day, month, weekday, as a CronJob has them.
_PART = r"[0-9*,/-]+"


class Phase(StrEnum):
    """Where a domain stands on its way from the monolith to its service."""

    MONOLITH = "monolith"
    SHADOW = "shadow"
    DUAL_WRITE = "dual-write"
    CUTOVER = "cutover"
    SERVICE = "service"
    RETIRED = "retired"


@dataclass(frozen=True)
class Meaning:
    """What a phase means.

    record: whose rows count; all writes go there first. reads: least and most percent of reads that the service may
    answer; most reads stay with the side that holds the record. copied: the monolith's tables are followed and
    compared. queued: there are queues between the two sides. told: the side that holds the record tells the other one
    of each write through its queue, and writes may be held while the record changes sides.
    """

    record: Side
    reads: tuple[int, int]
    copied: bool = False
    queued: bool = False
    told: bool = False


MEANING: dict[Phase, Meaning] = {
    Phase.MONOLITH: Meaning("monolith", (0, 0)),
    Phase.SHADOW: Meaning("monolith", (0, 0), copied=True),
    Phase.DUAL_WRITE: Meaning("monolith", (0, 50), copied=True, queued=True, told=True),
    Phase.CUTOVER: Meaning("service", (50, 100), copied=True, queued=True, told=True),
    Phase.SERVICE: Meaning("service", (100, 100), queued=True),
    Phase.RETIRED: Meaning("service", (100, 100)),
}
# From `service` on the monolith misses what was written since, so it can only be filled anew.
IRREVERSIBLE = (Phase.SERVICE, Phase.RETIRED)
# A domain that is new here may begin to copy at once: nobody reads the copy.
STARTS = (Phase.MONOLITH, Phase.SHADOW)


class MonolithSource(Spec):
    """The monolith's database: PostgreSQL 11 or newer, followed by logical replication.

    ``host`` with ``addresses``, or on kubernetes ``cluster``. On aws the secret is one of Secrets Manager and has host
    and port, too, as DMS wants it.
    """

    host: str | None = Field(
        default=None,
        max_length=253,
        pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
        description="its name in DNS",
        examples=["monolith.payments.internal"],
    )
    cluster: Ref | None = Field(
        default=None,
        description="CloudNativePG cluster of the same namespace; its publication is then made here",
        examples=["monolith"],
    )
    addresses: str | None = Field(
        default=None, description="private IPv4 range it answers from", examples=["10.9.8.0/24"]
    )
    port: int = Field(ge=1, le=65535, examples=[5432])
    database_name: Identifier = Field(description="the database inside the server", examples=["payments"])
    user: Identifier = Field(
        description="the role that follows it: it may replicate, and read the tables", examples=["follower"]
    )
    credentials_secret_ref: Ref = Field(
        description="name of the secret with that role's username and password", examples=["payments-monolith-follower"]
    )
    authority_ref: Ref = Field(
        description="name of the Secret with the ca.crt that signs its certificate", examples=["payments-monolith-ca"]
    )
    certificate_arn: CertificateArn | None = Field(
        default=None, description="the same authority, imported into DMS; needed on aws", examples=[A_CERTIFICATE]
    )
    logical_replication: bool = Field(
        description="its log is logical (wal_level, a restart); nobody here can see that, so its owner says so",
        examples=[True],
    )

    @model_validator(mode="after")
    def _can_be_found(self) -> Self:
        if (self.host is None) == (self.cluster is None):
            raise ValueError("write host, or on kubernetes cluster, and not both")
        if (self.host is None) != (self.addresses is None):
            raise ValueError("host and addresses go together: the closed namespace has to be opened to a range")
        if self.addresses is not None and private_range(self.addresses) is None:
            raise ValueError("addresses must be a private IPv4 range, such as 10.9.8.0/24")
        return self


class CopiedTable(Spec):
    """A table of the monolith that is followed. The copy has the same schema and name in the service's database.

    ``compared_with`` has the same columns as the table, but for those in ``ignored``.
    """

    key: tuple[Identifier, ...] = Field(
        min_length=1, max_length=8, description="columns of its primary key", examples=[["id"]]
    )
    compared_with: TableName | None = Field(
        default=None,
        description="the service's own table or view; left out, the copy itself is compared",
        examples=["risk.rules"],
    )
    ignored: tuple[Identifier, ...] = Field(
        default=(), max_length=50, description="columns that are not compared", examples=[["changed_by"]]
    )

    @model_validator(mode="after")
    def _key_is_compared(self) -> Self:
        both = sorted(set(self.key) & set(self.ignored))
        if both:
            raise ValueError(f"ignored must not name {', '.join(both)}: rows are known by their key")
        return self


class DomainMigrationSpec(Spec):
    """Where one domain stands. The phase alone decides what exists (components/monolith.py)."""

    phase: Phase = Field(description="moves by one step at a time, forward or back")
    service_reads_percent: int | None = Field(
        default=None,
        ge=0,
        le=100,
        description="share of reads that the service answers; left out: the phase's least",
        examples=[0],
    )
    hold_writes: bool = Field(
        default=False, description="writes wait, while the record changes sides", examples=[False]
    )
    tables: dict[TableName, CopiedTable] = Field(
        default_factory=dict,
        max_length=200,
        description="the monolith's tables of this domain",
        examples=[{"core.rules": {"key": ["id"]}}],
    )

    @property
    def meaning(self) -> Meaning:
        return MEANING[self.phase]

    @property
    def reads(self) -> int:
        """Percent of reads that the service answers."""
        return self.meaning.reads[0] if self.service_reads_percent is None else self.service_reads_percent

    @model_validator(mode="after")
    def _reads_stay_with_the_record(self) -> Self:
        least, most = self.meaning.reads
        if not least <= self.reads <= most:
            allowed = f"{least}" if least == most else f"{least} to {most}"
            raise ValueError(
                f"service_reads_percent must be {allowed} in phase {self.phase}, where the {self.meaning.record} "
                "holds the record"
            )
        return self

    @model_validator(mode="after")
    def _holds_only_for_a_move(self) -> Self:
        if self.hold_writes and not self.meaning.told:
            raise ValueError(
                f"hold_writes means nothing in phase {self.phase}: the record moves between dual-write and cutover; "
                "write false"
            )
        return self

    @model_validator(mode="after")
    def _tables_are_told(self) -> Self:
        if not self.meaning.copied:
            return self
        if not self.tables:
            raise ValueError(f"tables is needed in phase {self.phase}: name the monolith's tables, each with its key")
        if self.meaning.told:
            lacking = [name for name, table in self.tables.items() if table.compared_with in (None, name)]
            if lacking:
                raise ValueError(
                    f"tables.{lacking[0]}.compared_with must name the service's own table in phase {self.phase}: "
                    "a comparison with the copy would only show that copying works"
                )
        return self

    def routing(self, domain: str) -> dict[Key, ConfigValueSpec]:
        """What the gateway reads at run time. Bounds are the phase's, so a hand in the console is held to them too."""
        least, most = self.meaning.reads
        return {
            f"{domain}-record": ConfigValueSpec(value=self.meaning.record),
            f"{domain}-service-reads-percent": ConfigValueSpec(value=self.reads, minimum=least, maximum=most),
            f"{domain}-writes-held": ConfigValueSpec(value=self.hold_writes),
        }


class CopierSpec(Spec):
    """The replication instance of DMS that follows the monolith. aws only; Kubernetes servers follow by themselves."""

    instance_class: str = Field(pattern=r"^dms\.[a-z0-9]+\.[a-z0-9]+$", description="DMS instance class")
    engine_version: str = Field(pattern=r"^3\.\d+\.\d+$", description="DMS engine; 3.6.1 and newer sign in by IAM")
    storage_gib: int = Field(ge=5, le=6144, description="GiB for changes that wait; bounds of DMS")
    high_availability: bool = Field(description="a standby in another zone")
    lag_alarm_seconds: int = Field(ge=10, le=86400, description="alarm when the copy is further behind than this")
    log_retention_days: LogDays
    maintenance_window: str = Field(pattern=WEEKLY, description="when aws may patch it, e.g. sun:20:00-sun:21:00")
    service_certificate_arn: CertificateArn | None = Field(
        default=None,
        description="Amazon's authority for RDS, imported into DMS; needed while something is copied",
        examples=[A_CERTIFICATE],
    )


class ComparerSpec(Spec):
    """How often rows are compared, and how patiently."""

    schedule: str = Field(pattern=rf"^{_PART}( {_PART}){{4}}$", description="UTC, five fields, e.g. 30 18 * * *")
    buckets: int = Field(ge=1, le=65536, description="parts of a table that are compared as one before their rows are")
    pause_seconds: int = Field(ge=1, le=600, description="a row that is still unlike after this wait counts")
    deadline_seconds: int = Field(ge=60, le=86400, description="a run that takes longer is ended, and has failed")
    statement_seconds: int = Field(ge=10, le=14400, description="the longest that one statement may read")

    @model_validator(mode="after")
    def _has_time(self) -> Self:
        if self.deadline_seconds < self.statement_seconds:
            raise ValueError(f"deadline_seconds must be at least {self.statement_seconds}, which is statement_seconds")
        return self


class MonolithSpec(Spec):
    """The monolith behind an environment, and how far each domain has left it."""

    source: MonolithSource | None = Field(default=None, description="needed from phase shadow to cutover")
    domains: dict[ServiceName, DomainMigrationSpec | None] = Field(
        description="null for a domain that no monolith is behind, here or any more"
    )
    queue: QueueSpec = Field(description="each of the queues by which the two sides tell each other of writes")
    logins_ref: Ref = Field(
        description="begins the names of the Secrets of their logins: <this>-<domain>-monolith and -service"
    )
    copier: CopierSpec | None = Field(default=None, description="needed on aws")
    comparer: ComparerSpec

    @property
    def moves(self) -> dict[str, DomainMigrationSpec]:
        """The domains that a monolith is behind."""
        return {domain: spec for domain, spec in self.domains.items() if spec is not None}

    @property
    def copied(self) -> dict[str, DomainMigrationSpec]:
        """The domains whose tables are followed."""
        return {domain: spec for domain, spec in self.moves.items() if spec.meaning.copied}

    def routing(self) -> dict[Key, ConfigValueSpec]:
        """What the gateway reads of all domains."""
        return {key: value for domain, spec in self.moves.items() for key, value in spec.routing(domain).items()}

    def refused_by(self, target: Target) -> tuple[tuple[str, str], ...]:
        """(field, reason) for each promise that the target cannot keep."""
        if target is Target.EDGE:
            return (("domains", "no monolith is behind an edge site, which stores and forwards; leave out `monolith`"),)
        return (*self._refused_source(target), *self._refused_copier(target))

    def _refused_source(self, target: Target) -> Iterator[tuple[str, str]]:
        if self.source is None:
            needs = (
                "host, addresses, port, database_name, user, credentials_secret_ref, authority_ref, logical_replication"
            )
            for domain, spec in self.copied.items():
                yield f"domains.{domain}.phase", f"{spec.phase} copies the monolith's tables; write source: {needs}"
            return
        if self.copied and not self.source.logical_replication:
            yield (
                "source.logical_replication",
                "a copy follows the log, which must be logical: set wal_level there, restart it, then write true",
            )
        if target is Target.AWS and self.source.cluster is not None:
            yield "source.cluster", "DMS reaches a server by host, not through Kubernetes; write host and addresses"
        if target is not Target.AWS and self.source.certificate_arn is not None:
            yield "source.certificate_arn", f"there is no DMS on {target}; remove it"

    def _refused_copier(self, target: Target) -> Iterator[tuple[str, str]]:
        if target is not Target.AWS:
            if self.copier is not None:
                yield "copier", f"there is no DMS on {target}, where the database follows by itself; write null"
            return
        if self.copier is None:
            yield "copier", "on aws DMS does the copying; say its size"
            return
        if self.copied and self.copier.service_certificate_arn is None:
            yield "copier.service_certificate_arn", "DMS checks who answers; import Amazon's authority, write its ARN"
        if self.copied and self.source is not None and self.source.certificate_arn is None:
            yield "source.certificate_arn", "DMS checks who answers; import the monolith's authority, write its ARN"
