"""The comparer: rows of the monolith held against rows of a service, again and again, while both are written to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi_kubernetes.batch.v1 import CronJob
from pulumi_kubernetes.core.v1 import ConfigMap
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.base import Component
from components.cluster import Place
from components.naming import digest_of, labels, opens
from components.postgres import DatabaseOutputs, Upstream
from components.psql import Given, authority, login, pod
from components.specs import CopiedTable, MigrationsSpec
from components.specs.monolith import ComparerSpec

FILES = Path(__file__).parent / "assets" / "comparison"
SCRIPTS = "/comparison"
AUTHORITY = "/authority"
THEIR_AUTHORITY = "/monolith-authority"
LOGIN = "/login"
THEIR_LOGIN = "/monolith-login"
# libpq takes a private key that nobody but its owner and the owner's group can read.
KEY_MODE = 0o440
# Runs whose logs can still be read: the last good one, and a few that were not (CronJob's own defaults are 3 and 1).
KEPT_GOOD, KEPT_BAD = 1, 5


@dataclass(frozen=True)
class Sides:
    """The two servers. ``login_ref``: the Secret of the database's administrator, where its reader has no own one."""

    monolith: Upstream
    addresses: str | None
    database: DatabaseOutputs
    login_ref: pulumi.Input[str]


def comparer(
    home: Component,
    called: str,
    spec: ComparerSpec,
    tables: Mapping[str, CopiedTable],
    sides: Sides,
    *,
    runs: MigrationsSpec,
    place: Place,
    after: Sequence[pulumi.Resource] = (),
) -> CronJob:
    """The schedule, with the scripts that it runs and its way to the monolith."""
    files = {file.name: file.read_text(encoding="utf-8") for file in sorted(FILES.iterdir())}
    files["tables"] = "".join(_line(name, table) for name, table in sorted(tables.items()))
    scripts = ConfigMap(
        home.child("comparison"),
        metadata={"name": f"{called}-comparison-{digest_of(files)}", "namespace": place.namespace},
        immutable=True,
        data=files,
        opts=home.within(),
    )
    if sides.addresses:
        _way_out(home, called, sides, place)
    given = _given(spec, sides, runs, scripts.metadata["name"])
    marks = {**labels(f"{called}-comparer"), **opens("database")}
    return CronJob(
        home.child("comparer"),
        metadata={"name": called, "namespace": place.namespace, "labels": labels(f"{called}-comparer")},
        spec={
            "schedule": spec.schedule,
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": spec.deadline_seconds,
            "successfulJobsHistoryLimit": KEPT_GOOD,
            "failedJobsHistoryLimit": KEPT_BAD,
            "jobTemplate": {
                "spec": {
                    "backoffLimit": 0,  # a difference does not go away by looking once more at once
                    "activeDeadlineSeconds": spec.deadline_seconds,
                    "template": {
                        "metadata": {"labels": marks},
                        "spec": pod("compare", f"{SCRIPTS}/compare.sh", runs, given),
                    },
                }
            },
        },
        opts=home.within(depends_on=list(after)),
    )


def _line(name: str, table: CopiedTable) -> str:
    """One table as the script reads it."""
    return f"{name} {table.compared_with or name} {','.join(table.key)} {','.join(table.ignored) or '-'}\n"


def _given(spec: ComparerSpec, sides: Sides, runs: MigrationsSpec, scripts: pulumi.Input[str]) -> Given:
    monolith, database = sides.monolith, sides.database
    plain: dict[str, pulumi.Input[str]] = {
        "TABLES": f"{SCRIPTS}/tables",
        "BUCKETS": str(spec.buckets),
        "PAUSE": str(spec.pause_seconds),
        "STATEMENT_TIMEOUT": f"{spec.statement_seconds}s",
        "PGSSLMODE": "verify-full",
        "MONOLITH_HOST": monolith.host,
        "MONOLITH_PORT": str(monolith.port),
        "MONOLITH_DATABASE": monolith.database_name,
        "MONOLITH_USER": monolith.user,
        "MONOLITH_LOGIN": THEIR_LOGIN,
        "MONOLITH_AUTHORITY": f"{THEIR_AUTHORITY}/ca.crt",
        "SERVICE_HOST": database.host,
        "SERVICE_PORT": str(database.port),
        "SERVICE_DATABASE": database.database_name,
        "SERVICE_LOGIN": LOGIN,
        "SERVICE_AUTHORITY": f"{AUTHORITY}/ca.crt",
    }
    reader = f"{database.database_name}_reader"
    folders: dict[str, tuple[str, dict[str, Any]]] = {
        "scripts": (SCRIPTS, {"configMap": {"name": scripts}}),
        "authority": (AUTHORITY, authority(database, runs)),
        "monolith-authority": (THEIR_AUTHORITY, login(monolith.authority_ref, "ca.crt")),
        "monolith-login": (THEIR_LOGIN, login(monolith.password_ref, "password")),
    }
    if database.cluster is None:
        # RDS knows the reader by IAM alone, whose tokens psql cannot make: the administrator signs in, as for
        # migrations, and is the reader from its first statement on.
        folders["login"] = (LOGIN, login(sides.login_ref, "username", "password"))
        return Given({**plain, "SERVICE_ROLE": reader}, folders)
    # CloudNativePG names the Secret of a role's certificate so (CRD databaseroles, clientCertificate).
    certificate = login(f"{database.cluster}-reader-client-cert", "tls.crt", "tls.key")
    certificate["secret"]["defaultMode"] = KEY_MODE
    return Given({**plain, "SERVICE_USER": reader}, {**folders, "login": (LOGIN, certificate)}, owned=True)


def _way_out(home: Component, called: str, sides: Sides, place: Place) -> None:
    """To the monolith, which lies outside of the closed namespace; the opening for databases leads to the service's."""
    NetworkPolicy(
        home.child("comparer-way-out"),
        metadata={"namespace": place.namespace},
        spec={
            "podSelector": {"matchLabels": labels(f"{called}-comparer")},
            "policyTypes": ["Egress"],
            "egress": [
                {
                    "to": [{"ipBlock": {"cidr": sides.addresses}}],
                    "ports": [{"protocol": "TCP", "port": sides.monolith.port}],
                }
            ],
        },
        opts=home.within(),
    )
