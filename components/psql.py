"""Pods that run SQL scripts with psql: the one shape they have, and how they know the server and sign in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.cluster import RESTRICTED_CONTAINER, Place, custom_resource
from components.postgres import DatabaseOutputs
from components.specs import MigrationsSpec

SCRATCH = "/tmp"  # noqa: S108  (the pod's own, in memory)
# psql and a shell. Requests equal to limits, so that a Job is not the first to be evicted.
SIZE = {"cpu": "100m", "memory": "128Mi"}
SCRATCH_SIZE = "8Mi"


@dataclass(frozen=True)
class Given:
    """What a script is given.

    plain: variables. folders: where files come from, by the volume's name, as (the folder they stand in, the volume's
    source); secrets are files. owned: files belong to the pod's own group, as libpq asks of a private key.
    """

    plain: Mapping[str, pulumi.Input[str]]
    folders: Mapping[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    owned: bool = False


def pod(name: str, script: str, spec: MigrationsSpec, given: Given) -> dict[str, Any]:
    """A pod with one container that runs a script. Restricted, without a token, writing to memory only."""
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": spec.user_id,
            **({"fsGroup": spec.user_id} if given.owned else {}),
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": name,
                "image": spec.image,
                "command": ["/bin/sh", script],
                "env": [{"name": key, "value": value} for key, value in {**given.plain, "TMPDIR": SCRATCH}.items()],
                "resources": {"requests": SIZE, "limits": SIZE},
                "securityContext": RESTRICTED_CONTAINER,
                "volumeMounts": [
                    *({"name": key, "mountPath": path, "readOnly": True} for key, (path, _) in given.folders.items()),
                    {"name": "scratch", "mountPath": SCRATCH},
                ],
            }
        ],
        "volumes": [
            *({"name": key, **source} for key, (_, source) in given.folders.items()),
            {"name": "scratch", "emptyDir": {"medium": "Memory", "sizeLimit": SCRATCH_SIZE}},
        ],
    }


def authority(database: DatabaseOutputs, spec: MigrationsSpec) -> dict[str, Any]:
    """Where the ca.crt that signs the server's certificate comes from: the operator's Secret, or Amazon's bundle."""
    bundle = {"items": [{"key": "ca.crt", "path": "ca.crt"}]}
    if database.authority_ref:
        return {"secret": {"secretName": database.authority_ref, **bundle}}
    return {"configMap": {"name": spec.authority_ref, **bundle}}


def login(secret: pulumi.Input[str], *parts: str) -> dict[str, Any]:
    """The parts of a Secret, as files of their names. In the environment they would end up in dumps."""
    return {"secret": {"secretName": secret, "items": [{"key": part, "path": part} for part in parts]}}


def copied_login(
    name: str,
    called: str,
    secret: pulumi.Input[str],
    spec: MigrationsSpec,
    *,
    place: Place,
    opts: pulumi.ResourceOptions,
) -> CustomResource:
    """User and password of a secret in Secrets Manager, as a Secret that pods can read. aws only."""
    return custom_resource(
        name,
        "external-secrets.io/v1",
        "ExternalSecret",
        place=place,
        called=called,
        ready="condition=Ready",
        spec={
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": spec.secret_store_ref},
            "refreshInterval": "5m",  # RDS rotates it every 7 days; a Job that runs in between tries again
            "target": {"name": called, "creationPolicy": "Owner"},
            "data": [
                {"secretKey": part, "remoteRef": {"key": secret, "property": part}} for part in ("username", "password")
            ],
        },
        opts=opts,
    )
