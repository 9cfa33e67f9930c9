"""The pods of a Valkey store, as manifests: data nodes, each with its exporter, and Sentinels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pulumi

from components.cluster import RESTRICTED_CONTAINER, Place
from components.naming import labels
from components.redis_access import LOADER, MONITOR, NODE, REPLICATION, SENTINEL
from components.specs import RedisSpec
from components.specs.redis import (
    EXPORTER_CPU_MILLI,
    EXPORTER_MEMORY_MIB,
    SENTINEL_CPU_MILLI,
    SENTINEL_MEMORY_MIB,
    SENTINEL_STORAGE_GIB,
    SENTINELS,
)
from components.valkey import PORT, SENTINEL_PORT
from components.valkey_settings import AUTHORITY, CERTIFICATES, DATA, PASSWORDS, QUORUM, RUN, SETTINGS

Manifest = dict[str, Any]

VALKEY_USER = 999  # the valkey image's own user and group
EXPORTER_USER = 59000  # redis_exporter's
EXPORTER_PORT = 9121
SCRATCH_SIZE = "16Mi"  # users and what a script writes; in memory
# Longer than what stop.sh (20 s) and the server itself (shutdown-timeout, 10 s) take.
GRACE_SECONDS = 60
TLS = f"--tls --cacert {AUTHORITY}"


def sentinels_of(called: str) -> str:
    """The name of a store's set of Sentinels."""
    return f"{called}-sentinel"


def hosts(members: str, count: int, namespace: pulumi.Input[str]) -> pulumi.Output[str]:
    """The network names of a set's pods, which are what certificates must be for: ``*.<set>.<namespace>.svc``."""
    return pulumi.Output.from_input(namespace).apply(
        lambda namespace: " ".join(f"{members}-{ordinal}.{members}.{namespace}.svc" for ordinal in range(count))
    )


def surroundings(called: str, spec: RedisSpec, namespace: pulumi.Input[str]) -> dict[str, pulumi.Input[str]]:
    """What the scripts must know, wherever they run (components/assets/redis/common.sh)."""
    return {
        "STORE": called,
        "PORT": str(PORT),
        "SENTINEL_PORT": str(SENTINEL_PORT),
        "SENTINELS": hosts(sentinels_of(called), SENTINELS, namespace) if spec.replicas else "",
        "PASSWORDS_FOLDER": PASSWORDS,
        "TLS": TLS,
    }


def data_set(called: str, spec: RedisSpec, *, place: Place, settings: pulumi.Input[str]) -> Manifest:
    """The StatefulSet of data nodes. A cache keeps nothing, so it has no volume that outlives its pods."""
    ask = ["/bin/sh", f"{SETTINGS}/ready.sh"]
    server: Manifest = {
        "name": "valkey",
        "image": spec.image,
        "command": ["/bin/sh", f"{SETTINGS}/node.sh"],
        "env": _environment(called, called, spec, place),
        "ports": [{"name": "valkey", "containerPort": PORT}],
        "resources": _size(spec.cpu_milli, spec.memory_mib),
        "securityContext": RESTRICTED_CONTAINER,
        # Until the Sentinels have told it where the primary is, and its file is loaded: five minutes, then again.
        "startupProbe": {**_listening(PORT), "failureThreshold": 60},
        "livenessProbe": {**_listening(PORT), "failureThreshold": 6},
        "readinessProbe": {"exec": {"command": ask}, "periodSeconds": 5, "timeoutSeconds": 5},
        "volumeMounts": _mounts("own"),
    }
    if spec.replicas:
        server["lifecycle"] = {"preStop": {"exec": {"command": ["/bin/sh", f"{SETTINGS}/stop.sh"]}}}
    pod = _pod(
        called, spec, place, settings, [*spec.users, LOADER, MONITOR, NODE, REPLICATION, SENTINEL], [REPLICATION, NODE]
    )
    pod["containers"] = [server, _exporter(called, spec, place)]
    if not spec.storage_gib:  # room for what a replica is sent at first
        pod["volumes"].append({"name": "data", "emptyDir": {"sizeLimit": f"{spec.memory_mib}Mi"}})
    return _stateful_set(called, 1 + spec.replicas, spec, pod, spec.storage_gib, place)


def sentinel_set(called: str, spec: RedisSpec, *, place: Place, settings: pulumi.Input[str]) -> Manifest:
    """The StatefulSet of Sentinels. What one has learnt is on its volume."""
    members = sentinels_of(called)
    ask = ["/bin/sh", f"{SETTINGS}/sentinel-ready.sh"]
    more: dict[str, pulumi.Input[str]] = {
        "NODES": hosts(called, 1 + spec.replicas, place.namespace),
        "QUORUM": str(QUORUM),
    }
    sentinel = {
        "name": "sentinel",
        "image": spec.image,
        "command": ["/bin/sh", f"{SETTINGS}/sentinel.sh"],
        "env": _environment(called, members, spec, place, more),
        "ports": [{"name": "sentinel", "containerPort": SENTINEL_PORT}],
        "resources": _size(SENTINEL_CPU_MILLI, SENTINEL_MEMORY_MIB),
        "securityContext": RESTRICTED_CONTAINER,
        "startupProbe": {**_listening(SENTINEL_PORT), "failureThreshold": 60},
        "livenessProbe": {**_listening(SENTINEL_PORT), "failureThreshold": 6},
        "readinessProbe": {"exec": {"command": ask}, "periodSeconds": 5, "timeoutSeconds": 5},
        "volumeMounts": _mounts("own"),
    }
    pod = _pod(members, spec, place, settings, [*spec.users, LOADER, NODE, SENTINEL], [SENTINEL])
    pod["containers"] = [sentinel]
    return _stateful_set(members, SENTINELS, spec, pod, SENTINEL_STORAGE_GIB, place)


def passwords(spec: RedisSpec, users: Iterable[str]) -> Manifest:
    """A volume with a folder per user: its password, and the one before while it is being changed."""
    sources = []
    for user in users:
        if user in spec.users:
            secret, keys = spec.users[user].credentials_secret_ref, ("password", "previous")
        else:
            secret, keys = spec.credentials_secret_ref, (user, f"{user}-previous")
        sources += [
            {"secret": {"name": secret, "items": [{"key": keys[0], "path": f"{user}/password"}]}},
            {"secret": {"name": secret, "items": [{"key": keys[1], "path": f"{user}/previous"}], "optional": True}},
        ]
    return {"projected": {"defaultMode": 0o440, "sources": sources}}


def environment(values: dict[str, pulumi.Input[str]]) -> list[Manifest]:
    """Variables of a container."""
    return [{"name": name, "value": value} for name, value in values.items()]


def identity(user: int) -> Manifest:
    """A pod that runs as one user, never root."""
    return {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": user,
        "fsGroup": user,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _environment(
    called: str, members: str, spec: RedisSpec, place: Place, more: dict[str, pulumi.Input[str]] | None = None
) -> list[Manifest]:
    own: dict[str, pulumi.Input[str]] = {
        "HOST": pulumi.Output.concat(f"$(POD).{members}.", place.namespace, ".svc"),
        "SETTINGS": SETTINGS,
        "RUN": RUN,
        "DATA": DATA,
    }
    pod = {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    return [pod, *environment({**surroundings(called, spec, place.namespace), **own, **(more or {})})]


def _pod(
    members: str,
    spec: RedisSpec,
    place: Place,
    settings: pulumi.Input[str],
    all_users: Iterable[str],
    own: Iterable[str],
) -> Manifest:
    """What both kinds of pod have in common. Only the first container sees the passwords of services."""
    selector = {"matchLabels": labels(members)}
    pod: Manifest = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": identity(VALKEY_USER),
        "initContainers": [
            {
                "name": "users",
                "image": spec.image,
                "command": ["/bin/sh", f"{SETTINGS}/users.sh", f"{SETTINGS}/users.acl", f"{RUN}/users.acl"],
                "env": environment({"STORE": members, "PASSWORDS_FOLDER": PASSWORDS}),
                "resources": _size(SENTINEL_CPU_MILLI, SENTINEL_MEMORY_MIB),
                "securityContext": RESTRICTED_CONTAINER,
                "volumeMounts": [
                    {"name": "settings", "mountPath": SETTINGS, "readOnly": True},
                    {"name": "run", "mountPath": RUN},
                    {"name": "passwords", "mountPath": PASSWORDS, "readOnly": True},
                ],
            }
        ],
        "volumes": [
            {"name": "settings", "configMap": {"name": settings}},
            {"name": "tls", "secret": {"secretName": spec.tls_secret_ref, "defaultMode": 0o440}},
            {"name": "run", "emptyDir": {"medium": "Memory", "sizeLimit": SCRATCH_SIZE}},
            {"name": "passwords", **passwords(spec, all_users)},
            {"name": "own", **passwords(spec, own)},
        ],
    }
    if spec.replicas:
        apart = {"labelSelector": selector, "topologyKey": "kubernetes.io/hostname"}
        pod["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [apart]}}
    if spec.replicas and place.zoned:
        pod["topologySpreadConstraints"] = [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": selector,
            }
        ]
    return pod


def _stateful_set(
    members: str, replicas: int, spec: RedisSpec, pod: Manifest, storage_gib: int, place: Place
) -> Manifest:
    """All pods at once: in order, the first would wait for a primary that is never started before it."""
    made: Manifest = {
        "serviceName": members,
        "replicas": replicas,
        "podManagementPolicy": "Parallel",
        "minReadySeconds": spec.failover_after_seconds if spec.replicas else 0,
        "selector": {"matchLabels": labels(members)},
        "template": {"metadata": {"labels": labels(members)}, "spec": pod},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    }
    if storage_gib:
        claim = {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": place.storage_class,
            "resources": {"requests": {"storage": f"{storage_gib}Gi"}},
        }
        made["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": claim}]
    return made


def _exporter(called: str, spec: RedisSpec, place: Place) -> Manifest:
    """Metrics of the node beside it. It asks by the node's name, since that is what the certificate is for."""
    pod = {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    secret = {"secretKeyRef": {"name": spec.credentials_secret_ref, "key": MONITOR}}
    told: dict[str, pulumi.Input[str]] = {
        "REDIS_ADDR": pulumi.Output.concat(f"rediss://$(POD).{called}.", place.namespace, f".svc:{PORT}"),
        "REDIS_USER": MONITOR,
        "REDIS_EXPORTER_TLS_CA_CERT_FILE": AUTHORITY,
        "REDIS_EXPORTER_CONFIG_COMMAND": "-",  # it may not read the configuration, which holds a password
    }
    return {
        "name": "metrics",
        "image": spec.exporter_image,
        "env": [pod, *environment(told), {"name": "REDIS_PASSWORD", "valueFrom": secret}],
        "ports": [{"name": "metrics", "containerPort": EXPORTER_PORT}],
        "livenessProbe": {"httpGet": {"path": "/health", "port": "metrics"}, "periodSeconds": 10},
        "readinessProbe": {"httpGet": {"path": "/health", "port": "metrics"}, "periodSeconds": 10},
        "resources": _size(EXPORTER_CPU_MILLI, EXPORTER_MEMORY_MIB),
        "securityContext": {**RESTRICTED_CONTAINER, "runAsUser": EXPORTER_USER},
        "volumeMounts": [{"name": "tls", "mountPath": CERTIFICATES, "readOnly": True}],
    }


def _mounts(own: str) -> list[Manifest]:
    return [
        {"name": "data", "mountPath": DATA},
        {"name": "run", "mountPath": RUN},
        {"name": "settings", "mountPath": SETTINGS, "readOnly": True},
        {"name": "tls", "mountPath": CERTIFICATES, "readOnly": True},
        {"name": own, "mountPath": PASSWORDS, "readOnly": True},
    ]


def _listening(port: int) -> Manifest:
    return {"tcpSocket": {"port": port}, "periodSeconds": 5}


def _size(cpu_milli: int, memory_mib: int) -> Manifest:
    """Requests equal to limits: a store gets what it asks for, and is the last to be evicted."""
    amount = {"cpu": f"{cpu_milli}m", "memory": f"{memory_mib}Mi"}
    return {"requests": amount, "limits": amount}
