"""What every way to run PostgreSQL shares: its port, its outputs, its memory and its parameters."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.specs import DatabaseSpec

PORT = 5432
# A statement slower than this is logged, in milliseconds. AWS "Working with query logging" starts at 1 s.
SLOW_STATEMENT_MS = 1000
MIB_A_GIB = 1024


@dataclass(frozen=True)
class DatabaseOutputs:
    """How to reach the database. ``secret_ref`` names the secret with its user and password: never the secret."""

    host: pulumi.Input[str]
    port: int
    database_name: str
    secret_ref: pulumi.Input[str]


@dataclass(frozen=True)
class BackupStore:
    """Where CloudNativePG sends backups: an S3 path, and the Secret with access_key_id and secret_access_key."""

    destination: str
    endpoint_url: str | None
    secret_ref: str


def administrator(spec: DatabaseSpec) -> str:
    """The user that owns the database. Not a name that is guessed (FSBP RDS.25); 63 characters at most."""
    return "owner_of_" + spec.database_name[:54]


def slot_limit_mib(volume_gib: int) -> int:
    """How much log a slot that nobody reads may hold back: half the volume. Past it the slot is lost, not the disk."""
    return volume_gib * MIB_A_GIB // 2
