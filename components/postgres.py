"""What every way to run PostgreSQL shares: its port, its outputs, its memory and its parameters."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.specs import DatabaseSpec

PORT = 5432
# A statement slower than this is logged, in milliseconds. AWS "Working with query logging" starts at 1 s.
SLOW_STATEMENT_MS = 1000
MIB_A_GIB = 1024
# The roles of a service that sign in, after its name and an underscore (components/assets/sql/roles.sql).
SIGN_IN = ("migrator", "writer", "reader")


@dataclass(frozen=True)
class DatabaseOutputs:
    """How to reach the database. ``secret_ref`` names the secret with its user and password: never the secret.

    On kubernetes and edge: ``cluster``, CloudNativePG's name for it, and ``authority_ref``, the Secret with the ca.crt
    that signs the server's certificate. On aws the certificate is signed by Amazon, and ``resource_id`` is the name by
    which IAM knows the server.
    """

    host: pulumi.Input[str]
    port: int
    database_name: str
    secret_ref: pulumi.Input[str]
    cluster: str | None = None
    authority_ref: str | None = None
    resource_id: pulumi.Output[str] | None = None


@dataclass(frozen=True)
class Upstream:
    """Another server that a database may follow: where it is, and the Secrets with its password and its ca.crt.

    name: what the database calls it.
    """

    name: str
    host: pulumi.Input[str]
    port: int
    database_name: str
    user: str
    password_ref: str
    authority_ref: str


@dataclass(frozen=True)
class BackupStore:
    """Where CloudNativePG sends backups: an S3 path, and the Secret with access_key_id and secret_access_key."""

    destination: str
    endpoint_url: str | None
    secret_ref: str


def administrator(spec: DatabaseSpec) -> str:
    """The user that owns the database. Not a name that is guessed (FSBP RDS.25)."""
    return f"owner_of_{spec.database_name}"


def slot_limit_mib(volume_gib: int) -> int:
    """How much log a slot that nobody reads may hold back: half the volume. Past it the slot is lost, not the disk."""
    return volume_gib * MIB_A_GIB // 2
