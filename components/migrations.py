"""Migrations: the Job that gives a database its roles and its tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.batch.v1 import Job
from pulumi_kubernetes.core.v1 import ConfigMap
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.base import Component
from components.cluster import RESTRICTED_CONTAINER, Place, custom_resource
from components.naming import digest_of, labels, opens, physical
from components.postgres import SIGN_IN, DatabaseOutputs
from components.specs import MigrationsSpec, Target

SQL = Path(__file__).parent / "assets" / "sql"
SCRIPTS = "/migrations"
AUTHORITY = "/authority"
LOGIN = "/login"
SCRATCH = "/tmp"  # noqa: S108  (the pod's own, in memory)
# psql and a shell. Requests equal to limits, so that the Job is not the first to be evicted.
SIZE = {"cpu": "100m", "memory": "128Mi"}
SCRATCH_SIZE = "8Mi"
# A Job's name ends up in a label of its pods, 63 characters (Kubernetes); 14 of them are the revision.
LONGEST_NAME = 49


@dataclass(frozen=True)
class MigrationsOutputs:
    """Up to where the database is brought: the last migration's number, and a digest of all that was shipped."""

    revision: str
    job: pulumi.Output[str]


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
            copied = self._copied_password(spec)
            password = self._name
            waits_for.append(copied)
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
        self.outputs = self.register(MigrationsOutputs(revision, job.metadata["name"]))

    def _pod(self, spec: MigrationsSpec, scripts: pulumi.Input[str], password: pulumi.Input[str]) -> dict[str, Any]:
        """Restricted (Pod Security Standards), without a token, writing to memory only."""
        database = self._database
        bundle = {"items": [{"key": "ca.crt", "path": "ca.crt"}]}
        authority = (
            {"secret": {"secretName": database.authority_ref, **bundle}}
            if database.authority_ref
            else {"configMap": {"name": spec.authority_ref, **bundle}}
        )
        login = [{"key": field, "path": field} for field in ("username", "password")]
        given = {
            "PGHOST": database.host,
            "PGPORT": str(database.port),
            "PGDATABASE": database.database_name,
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": f"{AUTHORITY}/ca.crt",
            "PGAPPNAME": "migrations",
            "SERVICE": database.database_name,
            "LOCK_TIMEOUT": f"{spec.lock_timeout_seconds}s",
            "TMPDIR": SCRATCH,
            "LOGIN": LOGIN,
        }
        return {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": spec.user_id,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "migrate",
                    "image": spec.image,
                    "command": ["/bin/sh", f"{SCRIPTS}/migrate.sh"],
                    "env": [{"name": key, "value": value} for key, value in given.items()],
                    "resources": {"requests": SIZE, "limits": SIZE},
                    "securityContext": RESTRICTED_CONTAINER,
                    "volumeMounts": [
                        {"name": "scripts", "mountPath": SCRIPTS, "readOnly": True},
                        {"name": "authority", "mountPath": AUTHORITY, "readOnly": True},
                        {"name": "login", "mountPath": LOGIN, "readOnly": True},
                        {"name": "scratch", "mountPath": SCRATCH},
                    ],
                }
            ],
            "volumes": [
                {"name": "scripts", "configMap": {"name": scripts}},
                {"name": "authority", **authority},
                {"name": "login", "secret": {"secretName": password, "items": login}},
                {"name": "scratch", "emptyDir": {"medium": "Memory", "sizeLimit": SCRATCH_SIZE}},
            ],
        }

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

    def _copied_password(self, spec: MigrationsSpec) -> CustomResource:
        """The administrator's user and password, which RDS made and rotates, as a Secret that pods can read."""
        return custom_resource(
            self.child("password"),
            "external-secrets.io/v1",
            "ExternalSecret",
            place=self._place,
            called=self._name,
            ready="condition=Ready",
            spec={
                "secretStoreRef": {"kind": "ClusterSecretStore", "name": spec.secret_store_ref},
                "refreshInterval": "5m",  # RDS rotates it every 7 days; a Job that runs in between tries again
                "target": {"name": self._name, "creationPolicy": "Owner"},
                "data": [
                    {"secretKey": field, "remoteRef": {"key": self._database.secret_ref, "property": field}}
                    for field in ("username", "password")
                ],
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
