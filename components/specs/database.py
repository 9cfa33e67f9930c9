"""What may be asked of a database."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from components.specs.foundation import Identifier, LogDays, Spec, Target

# Windows as RDS writes them (CreateDBInstance, PreferredBackupWindow and PreferredMaintenanceWindow).
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
_DAY = "(mon|tue|wed|thu|fri|sat|sun)"
DAILY = rf"^{_CLOCK}-{_CLOCK}$"
WEEKLY = rf"^{_DAY}:{_CLOCK}-{_DAY}:{_CLOCK}$"
MINUTES_A_DAY = 24 * 60
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class DatabaseAlarms(Spec):
    """When a person should look at a database. Each bound is judged over 15 minutes."""

    free_storage_percent: int = Field(ge=5, le=50, description="alarm when less of the storage than this is free")
    connections_percent: int = Field(ge=50, le=95, description="alarm when more of max_connections than this is used")
    cpu_percent: int = Field(ge=50, le=100, description="alarm when the processor is busier than this")
    replica_lag_seconds: int = Field(ge=1, le=3600, description="alarm when a reader is further behind than this")


class DatabaseSpec(Spec):
    """One PostgreSQL database.

    ``instance_class`` is the size on aws; ``cpu`` (cores) and ``memory_gib`` are the size on kubernetes and edge, and
    must be what the class has on aws. Windows are in UTC.
    """

    engine: Literal["postgres", "aurora"] = Field(description="postgres: RDS or CloudNativePG; aurora: aws only")
    # PostgreSQL names have 63 characters, and the administrator's and the roles' add up to 9.
    database_name: Identifier = Field(
        max_length=54, description="the database inside the server; a new name is a new, empty server"
    )
    # Before 15 everyone may create tables in schema public; 14 is out of support since November 2026.
    postgres_version: int = Field(ge=15, le=18, description="major version; CloudNativePG 1.30 serves up to 18")
    allow_major_upgrade: bool = Field(
        description="let RDS move to another postgres_version; true for that one change, which stops the server (aws)"
    )
    instance_class: str = Field(pattern=r"^db\.[a-z0-9]+\.[a-z0-9]+$", description="RDS instance class")
    cpu: float = Field(ge=0.25, le=96, multiple_of=0.25, description="cores, in quarters")
    memory_gib: int = Field(ge=1, le=768, description="GiB")
    # RDS gp3 for PostgreSQL: 20 to 65536 GiB (RDS user guide, storage types).
    storage_gib: int = Field(ge=20, le=65536, description="GiB; can grow, can never shrink in place")
    max_storage_gib: int = Field(ge=20, le=65536, description="GiB; RDS and Aurora grow by themselves up to this")
    wal_gib: int = Field(ge=5, le=1024, description="GiB of the write-ahead log's own volume (kubernetes and edge)")
    max_connections: int = Field(ge=20, le=5000, description="a change restarts the server")
    # 0 would turn backups off, so it is not offered; 35 is the most that RDS keeps.
    backup_retention_days: int = Field(ge=1, le=35, description="days that point-in-time restore can reach back")
    backup_window: str = Field(pattern=DAILY, description="when the daily backup starts and ends, e.g. 18:30-19:30")
    maintenance_window: str = Field(pattern=WEEKLY, description="when aws may patch, e.g. sun:20:00-sun:21:00")
    log_retention_days: LogDays
    logical_replication: bool = Field(description="others may follow the changes; a change restarts the server")
    alarms: DatabaseAlarms
    high_availability: bool = Field(description="a synchronous standby in another zone")
    # RDS accepts 7, 731 or a multiple of 31.
    insights_retention_days: Literal[7, 31, 62, 93, 124, 155, 186, 217, 248, 279, 310, 341, 372, 731]

    @model_validator(mode="after")
    def _room_to_grow(self) -> Self:
        # RDS refuses an autoscaling limit less than 10 % above the storage it starts from.
        if self.max_storage_gib * 10 < self.storage_gib * 11:
            least = -(-self.storage_gib * 11 // 10)
            raise ValueError(
                f"max_storage_gib must be at least {least}, 10 % above storage_gib, and is {self.max_storage_gib}"
            )
        return self

    @model_validator(mode="after")
    def _memory_is_enough(self) -> Self:
        # RDS gives each connection 9,531,392 bytes (parameter max_connections): 112 to a GiB.
        if self.max_connections > 112 * self.memory_gib:
            raise ValueError(
                f"max_connections must be at most {112 * self.memory_gib}, 112 for each of memory_gib, and is "
                f"{self.max_connections}"
            )
        # After a checkpoint each changed page is logged whole once: half the volume must hold all shared buffers,
        # which are a quarter of the memory.
        if self.wal_gib * 2 < self.memory_gib:
            raise ValueError(
                f"wal_gib must be at least {-(-self.memory_gib // 2)}, half of memory_gib, and is {self.wal_gib}"
            )
        return self

    @model_validator(mode="after")
    def _windows_lie_apart(self) -> Self:
        backup, maintenance = minutes(self.backup_window), minutes(self.maintenance_window)
        for name, length in (("backup_window", len(backup)), ("maintenance_window", len(maintenance))):
            if not 30 <= length <= MINUTES_A_DAY:  # CreateDBInstance: at least 30 minutes
                raise ValueError(f"{name} must last 30 minutes to 24 hours, and lasts {length} minutes; move its end")
        if {minute % MINUTES_A_DAY for minute in backup} & {minute % MINUTES_A_DAY for minute in maintenance}:
            raise ValueError(
                f"maintenance_window must not overlap backup_window, and {self.maintenance_window} overlaps "
                f"{self.backup_window}: RDS refuses it; move one of them"
            )
        return self

    @model_validator(mode="after")
    def _aurora_runs_on_it(self) -> Self:
        if self.engine == "aurora" and self.instance_class.startswith("db.m"):
            raise ValueError(
                f"instance_class is {self.instance_class}, and Aurora has no m classes; write an r class, such as "
                "db.r7g.large"
            )
        return self

    def refused_by(self, target: Target) -> tuple[tuple[str, str], ...]:
        """(field, reason) for each promise that the target cannot keep."""
        refused = []
        if target is Target.EDGE and self.high_availability:
            refused.append(("high_availability", "an edge site has one node, so no standby can exist; write false"))
        if target is not Target.AWS and self.engine == "aurora":
            refused.append(("engine", f"Aurora is on aws only, and this is {target}; write postgres"))
        followed = self.high_availability and self.logical_replication
        if target is Target.KUBERNETES and followed and self.postgres_version < 17:
            # sync_replication_slots came with PostgreSQL 17
            why = "before PostgreSQL 17 a failover loses the slots that followers read from; write 17 or more"
            refused.append(("postgres_version", why))
        return tuple(refused)


def minutes(window: str) -> range:
    """The minutes of a window, counted from Monday 00:00; one that ends before it starts runs past midnight."""
    start, end = (_minute(moment) for moment in window.split("-"))
    turn = MINUTES_A_DAY * len(WEEKDAYS) if window[0].isalpha() else MINUTES_A_DAY
    return range(start, end if end > start else end + turn)


def _minute(moment: str) -> int:
    *day, hour, minute = moment.split(":")
    return (WEEKDAYS.index(day[0]) if day else 0) * MINUTES_A_DAY + int(hour) * 60 + int(minute)
