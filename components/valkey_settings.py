"""The configuration files of Valkey on Kubernetes: of a data node and of a Sentinel. The scripts add what a pod knows.

Source of the values: Valkey 9.1, valkey.conf and sentinel.conf; platform rules are in the spec.
"""

from __future__ import annotations

from collections.abc import Mapping

from components.specs import RedisSpec
from components.valkey import PORT, SENTINEL_PORT

DATA, RUN, SETTINGS, PASSWORDS, CERTIFICATES = "/data", "/run/valkey", "/etc/valkey", "/run/passwords", "/run/tls"
AUTHORITY = f"{CERTIFICATES}/ca.crt"
# A majority of three.
QUORUM = 2
# How long a failover may take, as many times the silence that it began with. Twice as long after one that failed the
# next is tried, so with Sentinel's own ratio of 6 locks would be gone for two minutes. Ours.
FAILOVER_PER_SILENCE = 3


def data_node(spec: RedisSpec) -> str:
    """valkey.conf. ``include``d by what a node's script writes: its own name, its primary, its password."""
    lines = {
        "dir": DATA,
        "aclfile": f"{RUN}/users.acl",
        **_certificates(PORT),
        "maxmemory": f"{spec.maxmemory_mib}mb",
        "maxmemory-policy": spec.eviction,
        "busy-reply-threshold": "5000",  # milliseconds; a script that takes longer is one that never should
        # No snapshots beside the append-only file: each is a fork, and would be read by nobody.
        "save": '""',
        "appendonly": "no" if spec.append_only == "off" else "yes",
    }
    if spec.append_only == "off":
        lines["rdb-del-sync-files"] = "yes"  # what a replica was sent; a later start would take it for the present
    else:
        lines["appendfsync"] = spec.append_only
        lines["aof-timestamp-enabled"] = "yes"  # a file can be cut back to a moment before a mistake
    if spec.replicas and spec.purpose == "coordination":
        # Cut off from all replicas, a primary stops taking writes before the others choose a new one.
        lines |= {"min-replicas-to-write": "1", "min-replicas-max-lag": str(spec.failover_after_seconds)}
    return _file(lines)


def sentinel(store: str, spec: RedisSpec) -> str:
    """What a Sentinel is told about the store. Its script writes which primary to begin with before this."""
    silence = spec.failover_after_seconds * 1000
    of_store = {
        "down-after-milliseconds": silence,
        "failover-timeout": silence * FAILOVER_PER_SILENCE,
        "parallel-syncs": 1,
        "auth-user": "sentinel",
    }
    lines = {
        "dir": DATA,
        "aclfile": f"{RUN}/users.acl",
        **_certificates(SENTINEL_PORT),
        # Addresses of pods change; their names do not.
        "sentinel resolve-hostnames": "yes",
        "sentinel announce-hostnames": "yes",
        "sentinel deny-scripts-reconfig": "yes",
        "sentinel sentinel-user": "sentinel",
        **{f"sentinel {name} {store}": str(value) for name, value in of_store.items()},
    }
    return _file(lines)


def _certificates(port: int) -> dict[str, str]:
    """TLS on the only port, and TLS towards each other."""
    return {
        "port": "0",
        "tls-port": str(port),
        "tls-cert-file": f"{CERTIFICATES}/tls.crt",
        "tls-key-file": f"{CERTIFICATES}/tls.key",
        "tls-ca-cert-file": AUTHORITY,
        "tls-auth-clients": "no",  # clients prove who they are by password
        "tls-replication": "yes",
    }


def _file(lines: Mapping[str, str]) -> str:
    return "".join(f"{name} {value}\n" for name, value in lines.items())
