"""Who may do what in a store, as Valkey's access rules: the same for ElastiCache users and for our own servers.

Rules are written as ``ACL LIST`` writes them back (keys, channels, commands), so that a provider that reads them sees
no change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from components.specs import RedisUserSpec

# What a client library says before its first command (auth, hello, reset and quit ask for no rights), and how it finds
# its way in a cluster.
CONNECTING = ("ping", "command", "client|id", "client|getname", "client|setname", "client|setinfo")
FINDING_THE_SHARD = ("cluster|slots", "cluster|shards", "cluster|nodes", "readonly", "readwrite", "asking")
# How a client asks a Sentinel for the primary, by the old names and the new, and hears of a new one.
FINDING_THE_PRIMARY = (
    *("sentinel|get-primary-addr-by-name", "sentinel|get-master-addr-by-name"),
    *("sentinel|primary", "sentinel|master", "sentinel|primaries", "sentinel|masters"),
    *("sentinel|replicas", "sentinel|slaves", "sentinel|sentinels", "subscribe", "psubscribe", "unsubscribe"),
)
SWITCHED = "+switch-master"
HELLO = "__sentinel__:hello"  # the channel by which Sentinels find each other

# The store's own users. ``node``: a node's own scripts; ``monitor``: the exporter. It may not read the configuration,
# which holds a password, nor the slow log, which holds what was written.
LOADER, MONITOR, NODE, REPLICATION, SENTINEL = ("loader", "monitor", "node", "replication", "sentinel")
# valkey sentinel.conf 9.1, "auth-user". The last three are for a coordinated failover (valkey #2780).
WATCHING = (
    *("ping", "info", "role", "client|setname", "subscribe", "publish", "multi", "exec", "slaveof", "config|rewrite"),
    *("client|kill", "script|kill", "failover", "client|pause", "client|unpause"),
)


def rules(
    commands: Iterable[str], *, keys: Iterable[str] = (), reads: Iterable[str] = (), channels: Iterable[str] = ()
) -> str:
    """The rules of one user: these keys, these channels, these commands, and nothing else."""
    granted = [f"~{prefix}*" for prefix in keys] + [f"%R~{prefix}*" for prefix in reads]
    heard = [f"&{channel}" for channel in channels]
    allowed = [f"+{command}" for command in dict.fromkeys(commands)]
    return " ".join([*granted, "resetchannels", *heard, "-@all", *allowed])


def service_rules(user: RedisUserSpec, *, finding: Iterable[str] = ()) -> str:
    """The rules of a service. ``finding``: the commands by which its client finds the right node."""
    return rules([*CONNECTING, *finding, *user.commands], keys=user.keys, reads=user.reads)


def loader_rules(*, finding: Iterable[str] = ()) -> str:
    """The rules of who loads the Functions. It can call none of them, and read no key."""
    return rules([*CONNECTING, *finding, "function|load", "function|list"])


def node_users(users: Mapping[str, RedisUserSpec]) -> str:
    """users.acl of a data node, without the passwords: a line for each user."""
    return _lines(
        {service: service_rules(user) for service, user in users.items()}
        | {
            LOADER: loader_rules(),
            MONITOR: rules([*CONNECTING, "info", "latency|latest", "latency|histogram", "slowlog|len"]),
            NODE: rules(["ping", "role", "info"]),
            REPLICATION: rules(["ping", "psync", "replconf"]),
            SENTINEL: rules(WATCHING, channels=[HELLO]),
        }
    )


def sentinel_users(users: Mapping[str, RedisUserSpec]) -> str:
    """users.acl of a Sentinel, without the passwords: services may ask where the primary is, with the same ones."""
    peering = ("ping", "publish", "client|setname", "sentinel|is-master-down-by-addr", "sentinel|primary")
    asking = rules([*CONNECTING, *FINDING_THE_PRIMARY], channels=[SWITCHED])
    return _lines(
        dict.fromkeys(users, asking)
        | {
            LOADER: rules(["ping", "sentinel|primary"]),
            NODE: rules(["ping", "sentinel|primary", "sentinel|failover"]),
            SENTINEL: rules([*peering, "sentinel|ckquorum"], channels=[HELLO]),
        }
    )


def _lines(found: Mapping[str, str]) -> str:
    return "".join(f"user {name} {said}\n" for name, said in found.items())
