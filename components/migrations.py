"""Migrations: the Job that gives a database its roles and its tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi_kubernetes.batch.v1 import Job
from pulumi_kubernetes.core.v1 import ConfigMap
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.base import Component
from components.cluster import Place, custom_resource
from components.naming import digest_of, labels, opens, physical
from components.postgres import SIGN_IN, DatabaseOutputs
from components.psql import Given, authority, copied_login, login, pod
from components.specs import MigrationsSpec, Target

SQL = Path(__file__).parent / "assets" / "sql"
SCRIPTS = "/migrations"
AUTHORITY = "/authority"
LOGIN = "/login"
# A Job's name ends up in a label of its pods, 63 characters (Kubernetes); 14 of them are the revision.
LONGEST_NAME = 49


@dataclass(frozen=True)
class MigrationsOutputs:
    """Up to where the database is brought: the last migration's number, and a digest of all that was shipped.

    ``login_ref``: name of the Secret with the administrator's username and password, which pods of the namespace read.
    """

    revision: str
    job: pulumi.Output[str]
    login_ref: pulumi.Input[str]


class Migrations(Component, token="tollgate:data:Migrations"):
    """The migrations of one database.

    Declares: ConfigMap with the SQL files and their script, named by a digest of its content; Job that runs them, its
    name carrying the revision; NetworkPolicy for its pod. On aws also an ExternalSecret that copies the
    administrator's password from Secrets Manager; on kubernetes and edge a DatabaseRole for each role that signs in,
    with a client certificate.

    Units: seconds.

    Guarantees: each migration is applied and recorded once, or not at all, also when two Jobs run (a lock in the
    database); a migration waits ``lock_timeout_seconds`` for a table and then gives up whole; the run ends red on an
    invalid index. The server's certificate is checked. The pod is restricted, has no token, and reaches DNS and
    databases only. No password is in settings or state: it is read by reference. The Job is removed
    ``kept_seconds`` after its end; a refresh then finds it gone and the next update runs it again, which changes
    nothing.

    Errors: Refusal when the target lacks the way in.

    Source: Kubernetes Job and Pod Security documentation; components/assets/sql says what runs.
    """

    def __init__(
        self,
        name: str,
        spec: MigrationsSpec,
        *,
        target: Target,
        database: DatabaseOutputs,
        after: pulumi.Resource,
        place: Place,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts=opts)
        self.refuse(spec.refused_by(target))
        self._name, self._place, self._database = physical(name, LONGEST_NAME), place, database
        files = {file.name: file.read_text(encoding="utf-8") for file in sorted(SQL.iterdir())}
        digest = digest_of(files)
        # The database's own last number, then what was shipped: a changed helper must run too.
        revision = f"{max(file[:4] for file in files if file[:4].isdigit())}-{digest}"
        scripts = ConfigMap(
            self.child("sql"),
            metadata={"name": f"{self._name}-{digest}", "namespace": place.namespace},
            immutable=True,
            data=files,
            opts=self.within(),
        )
        waits_for = [after, self._way_out()]
        password = database.secret_ref
        if target is Target.AWS:
            # The administrator's, which RDS made and rotates.
            password = self._name
            made_by_rds = database.secret_ref
            waits_for.append(
                copied_login(self.child("password"), password, made_by_rds, spec, place=place, opts=self.within())
            )
        pod = self._pod(spec, scripts.metadata["name"], password)
        job = Job(
            self.child("job"),
            metadata={
                "name": f"{self._name}-{revision}",
                "namespace": place.namespace,
                "labels": labels(self._name),
            },
            spec={
                "parallelism": 1,
                "completions": 1,
                "podReplacementPolicy": "Failed",  # no second pod while the first one is still ending
                "backoffLimit": spec.retries,
                "activeDeadlineSeconds": spec.deadline_seconds,
                "ttlSecondsAfterFinished": spec.kept_seconds,
                "template": {"metadata": {"labels": {**labels(self._name), **opens("database")}}, "spec": pod},
            },
            opts=self.within(depends_on=waits_for),
        )
        if target is not Target.AWS:
            self._certificates(job)
        self.outputs = self.register(MigrationsOutputs(revision, job.metadata["name"], password))

    def _pod(self, spec: MigrationsSpec, scripts: pulumi.Input[str], password: pulumi.Input[str]) -> dict[str, Any]:
        database = self._database
        given = Given(
            plain={
                "PGHOST": database.host,
                "PGPORT": str(database.port),
                "PGDATABASE": database.database_name,
                "PGSSLMODE": "verify-full",
                "PGSSLROOTCERT": f"{AUTHORITY}/ca.crt",
                "PGAPPNAME": "migrations",
                "SERVICE": database.database_name,
                "LOCK_TIMEOUT": f"{spec.lock_timeout_seconds}s",
                "LOGIN": LOGIN,
            },
            folders={
                "scripts": (SCRIPTS, {"configMap": {"name": scripts}}),
                "authority": (AUTHORITY, authority(database, spec)),
                "login": (LOGIN, login(password, "username", "password")),
            },
        )
        return pod("migrate", f"{SCRIPTS}/migrate.sh", spec, given)

    def _way_out(self) -> NetworkPolicy:
        """To DNS and to databases; nothing calls the pod."""
        to_dns = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
        return NetworkPolicy(
            self.child("way-out"),
            metadata={"namespace": self._place.namespace},
            spec={
                "podSelector": {"matchLabels": labels(self._name)},
                "policyTypes": ["Ingress", "Egress"],
                "egress": [{"ports": to_dns}, {"ports": [{"protocol": "TCP", "port": self._database.port}]}],
            },
            opts=self.within(),
        )

    def _certificates(self, job: Job) -> None:
        """A client certificate for each role that signs in, renewed by the operator. The Job has made the role."""
        service = self._database.database_name
        for role in SIGN_IN:
            called = f"{self._name.removesuffix('-migrations')}-{role}"
            custom_resource(
                self.child(role),
                "postgresql.cnpg.io/v1",
                "DatabaseRole",
                place=self._place,
                called=called,
                spec={
                    "cluster": {"name": self._database.cluster},
                    "name": f"{service}_{role}",
                    "login": True,
                    "inherit": False,
                    # The operator takes away each membership that is not named here.
                    "inRoles": [f"{service}_owner"] if role == "migrator" else [],
                    "clientCertificate": {"enabled": True},
                    "databaseRoleReclaimPolicy": "retain",
                },
                opts=self.within(depends_on=[job]),
            )
