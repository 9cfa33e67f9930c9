"""What may be asked of a Valkey store: what it is for, how large it is, and what each service may do in it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from components.specs.broker import ServiceName
from components.specs.database import DAILY, MINUTES_A_DAY, WEEKLY, minutes
from components.specs.foundation import LogDays, Ref, Spec, Target

# The name of a store; after "payments-" and the longest stack name it must fit in 40 characters (ElastiCache).
StoreName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,15}$")]
# The beginning of a key. It ends in a colon, so no service's beginning is by accident another's as well.
KeyPrefix = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*:([a-z0-9-]+:)*$", max_length=64)]
_DIGEST = r"@sha256:[0-9a-f]{64}$"

# Commands that reach only the keys they name, so that key prefixes bound them (a test asks the server). Left out on
# purpose: what reaches every key or the server (flushall, keys, scan, config); what waits; setnx, which sets no expiry
# (set with nx and px does); persist, which takes one away.
_STRINGS = ("append", "decr", "decrby", "get", "getdel", "getex", "getrange", "incr", "incrby", "mget", "mset", "set")
_HASHES = ("hdel", "hexists", "hget", "hgetall", "hincrby", "hlen", "hmget", "hset")
_LISTS = ("lindex", "llen", "lpop", "lpush", "lrange", "lrem", "ltrim", "rpop", "rpush")
_SETS = ("sadd", "scard", "sismember", "smembers", "srem")
_SORTED_SETS = ("zadd", "zcard", "zcount", "zincrby", "zrange", "zrem", "zremrangebyscore", "zscore")
_ANY_KEY = ("del", "exists", "expire", "pexpire", "pexpireat", "pttl", "strlen", "ttl", "type", "unlink")
_TRANSACTIONS = ("discard", "exec", "multi", "unwatch", "watch")
_SCRIPTS = ("eval", "eval_ro", "evalsha", "evalsha_ro", "fcall", "fcall_ro")
GRANTABLE = {*_STRINGS, *_HASHES, *_LISTS, *_SETS, *_SORTED_SETS, *_ANY_KEY, *_TRANSACTIONS, *_SCRIPTS}
# The store's own users: a service of that name would take its password.
OWN_USERS = ("default", "loader", "monitor", "node", "replication", "sentinel")
# 9.1.0's Sentinel crashes after a coordinated failover (valkey #4066); 9.1.2 is what the tests run.
OLDEST_RELEASE = (9, 1, 2)
# ElastiCache user guide, "Durability": families that take durability=sync.
DURABLE_FAMILIES = frozenset({"r6g", "r7g", "r8g", "m6g", "m7g", "m8g", "c7gn", "c8gn"})
# With an append-only file or a replica the server forks, and buffers what it sends: 60 to 75 % is what is advised.
MOST_WITH_FORKS = 75
# While an append-only file is written anew, the old one lies beside it (Valkey documentation, "Persistence").
STORAGE_PER_MEMORY = 2
# Two replicas: with one, the loss of either node leaves nobody to copy to, and writes stop.
REPLICAS_THAT_SURVIVE = 2
# Half of the smallest k3s server, which has two cores and 2 GB (k3s, "Requirements").
EDGE_CPU_MILLI, EDGE_MEMORY_MIB = 1000, 1024
SHORTEST_WINDOW = 60  # minutes; ElastiCache, CreateReplicationGroup
SENTINELS = 3  # the least of which a majority is left when one is lost
# Of each Sentinel, and of the exporter beside each node. Ours: Sentinel needs some 10 MB, the exporter 20.
SENTINEL_CPU_MILLI, SENTINEL_MEMORY_MIB, SENTINEL_STORAGE_GIB = 100, 128, 1
EXPORTER_CPU_MILLI, EXPORTER_MEMORY_MIB = 50, 64


class RedisUserSpec(Spec):
    """A service's own login to a store: the keys it may touch and the commands it may give, and nothing else."""

    keys: tuple[KeyPrefix, ...] = Field(description="beginnings of the keys it reads and writes, such as gateway:")
    reads: tuple[KeyPrefix, ...] = Field(description="beginnings of the keys it reads only")
    commands: tuple[str, ...] = Field(
        min_length=1, description="by name; those for connecting are always allowed, fcall calls the loaded functions"
    )
    credentials_secret_ref: Ref = Field(
        description="Secret with password, and previous while it changes (kubernetes and edge; on aws IAM signs in)"
    )

    @field_validator("commands")
    @classmethod
    def _bounded(cls, commands: tuple[str, ...]) -> tuple[str, ...]:
        strange = [str(place) for place, command in enumerate(commands, 1) if command not in GRANTABLE]
        if strange:  # told by their place: what stands there might be a secret
            which = f"entry {strange[0]} is" if len(strange) == 1 else f"entries {', '.join(strange)} are"
            raise ValueError(
                f"{which} no command that can be granted; those that touch named keys only are "
                f"{', '.join(sorted(GRANTABLE))}"
            )
        return commands

    @model_validator(mode="after")
    def _has_work(self) -> Self:
        if not self.keys and not self.reads:
            raise ValueError("keys and reads are both empty; a user who may touch nothing is not needed")
        return self


class RedisAlarms(Spec):
    """When a person should look at a store. Each bound is judged over 15 minutes."""

    memory_percent: int = Field(ge=50, le=95, description="alarm when coordination uses more of its memory than this")
    cpu_percent: int = Field(ge=50, le=100, description="alarm when the engine's thread is busier than this")
    replica_lag_seconds: int = Field(ge=1, le=3600, description="alarm when a replica is further behind than this")


class LoaderSpec(Spec):
    """The Job that loads the Valkey Functions."""

    sign_in_image: str = Field(
        pattern=rf"^[a-z0-9][a-z0-9./:_-]*{_DIGEST}", max_length=255, description="Python, by digest (aws only)"
    )
    deadline_seconds: int = Field(ge=60, le=86400, description="a run that takes longer is ended")
    retries: int = Field(ge=0, le=6, description="further tries after one that failed")
    kept_seconds: int = Field(ge=3600, le=2_592_000, description="how long the finished Job's log can be read")


class RedisSpec(Spec):
    """One Valkey store. Never the only record: the SQL fence decides.

    ``coordination`` is for locks, throttles and state: it keeps everything, and refuses writes when it is full.
    ``cache`` is for what can be had again: it forgets what is used least, and everything when it restarts.
    ``version`` and ``node_type`` are the release and the size on aws; ``image``, ``cpu_milli``, ``memory_mib`` and
    ``storage_gib`` those on kubernetes and edge, for each node. Windows are in UTC.
    """

    purpose: Literal["coordination", "cache"]
    version: str = Field(pattern=r"^9\.\d+$", description="Valkey major.minor; aws chooses the patch release")
    image: str = Field(
        pattern=rf"^[a-z0-9./:-]+:9\.\d+\.\d+{_DIGEST}",
        description="image with its release and its digest, e.g. docker.io/valkey/valkey:9.1.2@sha256:…",
    )
    exporter_image: str = Field(pattern=rf"^[a-z0-9][a-z0-9./:_-]*{_DIGEST}", description="redis_exporter, by digest")
    node_type: str = Field(pattern=r"^cache\.[a-z0-9]+\.[a-z0-9]+$", description="ElastiCache node type")
    cpu_milli: int = Field(ge=50, le=64_000, description="thousandths of a core, request and limit")
    memory_mib: int = Field(ge=128, le=524_288, description="MiB, request and limit")
    maxmemory_percent: int = Field(ge=40, le=85, description="share of the memory for data; the rest is for buffers")
    storage_gib: int = Field(ge=0, le=1024, description="GiB for the append-only file; 0 for a cache")
    replicas: int = Field(ge=0, le=5, description="copies besides the primary; from 1 on Sentinels move the primary")
    eviction: Literal["noeviction", "allkeys-lru", "allkeys-lfu"] = Field(description="what a full store does")
    append_only: Literal["always", "everysec", "off"] = Field(description="when a write is forced to disk")
    durable_writes: bool = Field(description="no acknowledged write is ever lost (aws only)")
    snapshot_retention_days: int = Field(ge=0, le=35, description="aws; 0 for a cache")
    snapshot_window: str = Field(pattern=DAILY, description="when aws takes the snapshot, e.g. 18:30-19:30")
    maintenance_window: str = Field(pattern=WEEKLY, description="when aws may patch, e.g. sun:20:00-sun:21:00")
    log_retention_days: LogDays
    failover_after_seconds: int = Field(
        ge=2, le=60, description="silence after which Sentinels replace a primary, and a primary alone stops writing"
    )
    alarms: RedisAlarms
    loader: LoaderSpec
    users: dict[ServiceName, RedisUserSpec] = Field(min_length=1, description="who may do what, by service")
    credentials_secret_ref: Ref = Field(
        description="Secret with a password for each of the store's own users: "
        "loader, monitor, node, replication, sentinel (kubernetes and edge)"
    )
    tls_secret_ref: Ref = Field(description="Secret with tls.crt, tls.key and ca.crt (kubernetes and edge)")

    @field_validator("image")
    @classmethod
    def _new_enough(cls, image: str) -> str:
        release = tuple(int(part) for part in re.findall(r":(\d+)\.(\d+)\.(\d+)@", image)[0])
        if release < OLDEST_RELEASE:
            raise ValueError("must be 9.1.2 or newer: Sentinels of older releases crash or lose writes in failovers")
        return image

    @model_validator(mode="after")
    def _keeps_to_its_purpose(self) -> Self:
        wanted: dict[str, tuple[bool, str]]
        if self.purpose == "coordination":
            wanted = {
                "eviction": (self.eviction == "noeviction", "noeviction: an evicted lock or fence is a double spend"),
                "append_only": (self.append_only != "off", "always or everysec: a lock must outlive a restart"),
                "snapshot_retention_days": (self.snapshot_retention_days > 0, "1 or more: FSBP ElastiCache.1"),
            }
        else:
            wanted = {
                "eviction": (self.eviction != "noeviction", "allkeys-lru: a full cache that evicts nothing is stuck"),
                "append_only": (self.append_only == "off", "off: what a cache holds can be had again"),
                "durable_writes": (not self.durable_writes, "false: a cache promises to keep nothing"),
                "snapshot_retention_days": (self.snapshot_retention_days == 0, "0: a cache promises to keep nothing"),
                "storage_gib": (self.storage_gib == 0, "0: a cache keeps no file"),
            }
        wrong = [f"for {self.purpose}, {field} must be {why}" for field, (right, why) in wanted.items() if not right]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @model_validator(mode="after")
    def _fits(self) -> Self:
        forks = self.append_only != "off" or self.replicas > 0
        if forks and self.maxmemory_percent > MOST_WITH_FORKS:
            raise ValueError(
                f"maxmemory_percent must be at most {MOST_WITH_FORKS}: the rest of the memory is for the copies that "
                "an append-only file or a replica needs"
            )
        least = -(-self.memory_mib * STORAGE_PER_MEMORY // 1024)
        if self.append_only != "off" and self.storage_gib < least:
            raise ValueError(
                f"storage_gib must be at least {least}, twice memory_mib: a file is rewritten beside itself"
            )
        return self

    @model_validator(mode="after")
    def _windows_lie_apart(self) -> Self:
        snapshot, maintenance = minutes(self.snapshot_window), minutes(self.maintenance_window)
        for name, length in (("snapshot_window", len(snapshot)), ("maintenance_window", len(maintenance))):
            if not SHORTEST_WINDOW <= length <= MINUTES_A_DAY:
                raise ValueError(f"{name} must last {SHORTEST_WINDOW} minutes to 24 hours")
        if {minute % MINUTES_A_DAY for minute in snapshot} & {minute % MINUTES_A_DAY for minute in maintenance}:
            raise ValueError("maintenance_window must not overlap snapshot_window: ElastiCache refuses it; move one")
        return self

    @model_validator(mode="after")
    def _users_stay_apart(self) -> Self:
        """The same prefix for two services is sharing, and meant; one inside another's is a hole in it."""
        taken = sorted(set(self.users) & set(OWN_USERS))
        if taken:
            raise ValueError(f"users.{taken[0]}: the store has a user of that name itself; call the service otherwise")
        claimed = [(service, prefix) for service, user in self.users.items() for prefix in user.keys]
        for service, prefix in claimed:
            for other, inner in claimed:
                if service != other and inner != prefix and inner.startswith(prefix):
                    raise ValueError(
                        f"users.{service}.keys: {prefix} lets {service} write all of {other}'s {inner}; "
                        f"give {service} a longer beginning, or both the same"
                    )
        return self

    @property
    def maxmemory_mib(self) -> int:
        """What data may take, in MiB."""
        return self.memory_mib * self.maxmemory_percent // 100

    def asks_of_cluster(self) -> tuple[int, int, int]:
        """What its pods ask for on kubernetes and edge together: thousandths of cores, MiB, GiB of volumes."""
        nodes, sentinels = 1 + self.replicas, SENTINELS if self.replicas else 0
        return (
            nodes * (self.cpu_milli + EXPORTER_CPU_MILLI) + sentinels * SENTINEL_CPU_MILLI,
            nodes * (self.memory_mib + EXPORTER_MEMORY_MIB) + sentinels * SENTINEL_MEMORY_MIB,
            nodes * self.storage_gib + sentinels * SENTINEL_STORAGE_GIB,
        )

    def refused_by(self, target: Target) -> tuple[tuple[str, str], ...]:
        """(field, reason) for each promise that the target cannot keep."""
        refused = []
        if target is Target.AWS and self.durable_writes:
            if self.replicas < 1:
                refused.append(("durable_writes", "ElastiCache needs a replica for it; write replicas: 1 or more"))
            if self.node_type.split(".")[1] not in DURABLE_FAMILIES:
                families = ", ".join(sorted(DURABLE_FAMILIES))
                refused.append(("node_type", f"durable_writes needs one of the families {families}"))
        if target is not Target.AWS and self.durable_writes:
            why = (
                f"Valkey on {target} copies after it has answered, so a failover can lose writes; only aws keeps this "
            )
            refused.append(("durable_writes", why + "promise; write false"))
        if target is Target.KUBERNETES and self.purpose == "coordination" and self.replicas == 1:
            why = f"with one replica the loss of either node stops all writes; write {REPLICAS_THAT_SURVIVE}, or 0"
            refused.append(("replicas", why))
        if target is Target.EDGE:
            refused += self._over_budget()
        return tuple(refused)

    def _over_budget(self) -> list[tuple[str, str]]:
        most: dict[str, tuple[Any, int, str]] = {
            "replicas": (self.replicas, 0, "an edge site has one node, so a replica would be lost with its primary"),
            "cpu_milli": (self.cpu_milli, EDGE_CPU_MILLI, "an edge node has two cores for everything"),
            "memory_mib": (self.memory_mib, EDGE_MEMORY_MIB, "an edge node has 2 GB for everything"),
        }
        return [(field, f"{why}; write {top} or less") for field, (given, top, why) in most.items() if given > top]
