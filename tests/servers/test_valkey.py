"""One real Valkey node, started by its own script from its own files: settings, users, memory, locks."""

from __future__ import annotations

import concurrent.futures
import shutil
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import valkey
from valkey.exceptions import NoPermissionError, OutOfMemoryError

from components.redis_access import FINDING_THE_SHARD, LOADER, MONITOR, NODE, REPLICATION, loader_rules, service_rules
from components.specs import RedisSpec, RedisUserSpec, Target
from components.specs.redis import GRANTABLE
from components.valkey import ASSETS
from components.valkey_settings import data_node
from stacks.profiles_redis import redis
from stacks.settings import Tier
from tests.servers.valkey import Pod, answers, one_node, password_of, until

LOCKS = (ASSETS / "locks.lua").read_text()
SERVICES = ("gateway", "clearing")


def spec(
    name: str = "coordination", *, tier: Tier = Tier.EDGE, target: Target = Target.EDGE, **changes: Any
) -> RedisSpec:
    """A store of a profile."""
    return RedisSpec.model_validate({**redis(tier, target, SERVICES)[name], **changes}, strict=False)


def full(name: str) -> RedisSpec:
    """The least memory there is, of which Valkey itself needs little more than 1 MiB."""
    tier = Tier.EDGE if name == "coordination" else Tier.DEV
    return spec(name, tier=tier, target=Target.KUBERNETES, memory_mib=128, maxmemory_percent=40)


@pytest.fixture(scope="module")
def coordination() -> Iterator[Pod]:
    with one_node(spec()) as pod:
        pod.client(LOADER).function_load(LOCKS, replace=True)
        yield pod


DECLARED = {
    "edge": spec(),
    "dev": spec(tier=Tier.DEV, target=Target.KUBERNETES),
    "a cache": spec("cache", tier=Tier.DEV, target=Target.KUBERNETES),
    "with replicas": spec(tier=Tier.PROD, target=Target.KUBERNETES),
    "a cache with replicas": spec("cache", tier=Tier.PROD, target=Target.KUBERNETES),
}


@pytest.mark.parametrize("declared", DECLARED.values(), ids=DECLARED.keys())
def test_a_server_says_back_what_was_declared(declared: RedisSpec) -> None:
    alone = declared.model_copy(update={"replicas": 0})
    with one_node(alone) as pod:
        (pod.folder / "settings" / "valkey.conf").write_text(pod.replaced(data_node(declared)))
        with_administrator(pod)
        administrator = pod.client("administrator")
        wanted = dict(line.split(" ", 1) for line in pod.replaced(data_node(declared)).splitlines())
        said = {name: administrator.config_get(name)[name] for name in wanted}
        megabytes = str(int(wanted["maxmemory"].removesuffix("mb")) * 1024**2)
        assert said == wanted | {"maxmemory": megabytes, "save": ""}


def with_administrator(pod: Pod) -> None:
    """A user that the store does not have, to look at it from inside; the server is started anew for it."""
    pod.kill()
    rules = pod.folder / "settings" / "users.acl"
    rules.write_text(rules.read_text() + "user administrator ~* resetchannels &* +@all\n")
    pod.prepare({}, {"administrator": password_of("administrator")})
    pod.start()
    until(lambda: answers(pod), "it answers", pod)


def test_users_are_on_the_server_as_they_were_written() -> None:
    """A provider that reads rules back must find no difference, so they are written as the server writes them."""
    with one_node(spec()) as pod:
        with_administrator(pod)
        said = {line.split(" ", 4)[1]: line.split(" ") for line in pod.client("administrator").acl_list()}
        declared = (pod.folder / "settings" / "users.acl").read_text().splitlines()
        written = {line.split(" ")[1]: line.split(" ", 2)[2] for line in declared}
        assert said.pop("default")[2:] == ["off", "resetchannels", "-@all"]
        assert said.pop("administrator")
        assert written.pop("administrator")
        assert {name: " ".join(words[4:]) for name, words in said.items()} == written
        assert all(words[2] == "on" and words[3].startswith("#") for words in said.values())
        # The same rules, with what a cluster's client needs, are given to ElastiCache.
        for rules in (service_rules(spec().users["gateway"], finding=FINDING_THE_SHARD), loader_rules()):
            pod.client("administrator").execute_command("ACL", "SETUSER", "elsewhere", "reset", *rules.split(" "))
            (line,) = [line for line in pod.client("administrator").acl_list() if line.startswith("user elsewhere ")]
            assert line == f"user elsewhere off {rules}"


# (user, command, whether it may)
RIGHTS: list[tuple[str, str, bool]] = [
    ("gateway", "SET gateway:a 1", True),
    ("gateway", "GET gateway:a", True),
    ("gateway", "INCR gateway:{x}:n", True),
    ("gateway", "MULTI", True),
    ("gateway", "FCALL lock_acquire 1 gateway:lock t 1000", True),
    ("gateway", "SET clearing:a 1", False),
    ("gateway", "GET clearing:a", False),
    ("gateway", "GET gatewaya", False),
    ("gateway", "FCALL lock_acquire 1 clearing:lock t 1000", False),
    ("gateway", "DEL gateway:a clearing:a", False),
    ("gateway", "SETNX gateway:a 1", False),
    ("gateway", "EVAL return 0", False),
    ("gateway", "FLUSHALL", False),
    ("gateway", "FLUSHDB", False),
    ("gateway", "KEYS gateway:*", False),
    ("gateway", "SCAN 0", False),
    ("gateway", "RANDOMKEY", False),
    ("gateway", "CONFIG GET maxmemory", False),
    ("gateway", "CONFIG SET maxmemory-policy allkeys-lru", False),
    ("gateway", "ACL LIST", False),
    ("gateway", "FUNCTION LIST", False),
    ("gateway", "FUNCTION FLUSH", False),
    ("gateway", "PUBLISH gateway:x 1", False),
    ("gateway", "SUBSCRIBE gateway:x", False),
    ("gateway", "REPLICAOF NO ONE", False),
    ("gateway", "SHUTDOWN", False),
    ("gateway", "CLIENT KILL TYPE normal", False),
    ("gateway", "INFO", False),
    ("clearing", "SET clearing:a 1", True),
    ("clearing", "SET gateway:a 1", False),
    (LOADER, "FUNCTION LIST", True),
    (LOADER, "FUNCTION FLUSH", False),
    (LOADER, "FCALL lock_acquire 1 gateway:lock t 1000", False),
    (LOADER, "GET gateway:a", False),
    (MONITOR, "INFO", True),
    (MONITOR, "CONFIG GET primaryauth", False),
    (MONITOR, "SLOWLOG GET", False),
    (MONITOR, "GET gateway:a", False),
    (NODE, "ROLE", True),
    (NODE, "FAILOVER", False),
    (REPLICATION, "GET gateway:a", False),
    (REPLICATION, "FLUSHALL", False),
]


@pytest.mark.parametrize(("user", "command", "may"), RIGHTS, ids=[f"{user} {command}" for user, command, _ in RIGHTS])
def test_a_user_can_do_its_work_and_nothing_else(coordination: Pod, user: str, command: str, may: bool) -> None:
    client = coordination.client(user)
    if may:
        client.execute_command(*command.split())
        return
    with pytest.raises(NoPermissionError):
        client.execute_command(*command.split())


def test_nobody_signs_in_without_a_password(coordination: Pod) -> None:
    nobody = valkey.Valkey(host=coordination.address, port=coordination.port, decode_responses=True)
    with pytest.raises(valkey.AuthenticationError, match="Authentication required"):
        nobody.get("gateway:a")
    with pytest.raises(valkey.AuthenticationError):
        coordination.client("gateway", password_of("clearing")).ping()


def test_each_command_that_can_be_granted_reaches_named_keys_only() -> None:
    without_keys = {"multi", "exec", "discard", "unwatch"}
    with one_node(spec()) as pod:
        with_administrator(pod)
        told = pod.client("administrator").execute_command("COMMAND", "INFO", *sorted(GRANTABLE))
        commands = {entry["name"]: entry for entry in told.values()} if isinstance(told, dict) else {}
        assert set(commands) == GRANTABLE
        for kind in ("admin", "dangerous", "blocking", "pubsub"):
            inside = set(pod.client("administrator").execute_command("ACL", "CAT", kind))
            assert inside & GRANTABLE == set(), kind
        for name, entry in commands.items():
            found_by_rule = "movablekeys" in entry["flags"]
            assert (entry["first_key_pos"] > 0 or found_by_rule) == (name not in without_keys), name


def test_a_prefix_may_be_read_and_not_written() -> None:
    reader = RedisUserSpec(
        keys=("gateway:",), reads=("clearing:",), commands=("get", "set"), credentials_secret_ref="payments-gateway"
    )
    users = {**spec().users, "gateway": reader}
    with one_node(spec().model_copy(update={"users": users})) as pod:
        pod.client("clearing").set("clearing:a", "told")
        assert pod.client("gateway").get("clearing:a") == "told"
        with pytest.raises(NoPermissionError):
            pod.client("gateway").set("clearing:a", "untold")


def test_the_password_before_is_taken_while_it_is_being_changed() -> None:
    with one_node(spec()) as pod:
        folder = pod.folder / "passwords" / "gateway"
        (folder / "previous").write_text((folder / "password").read_text())
        (folder / "password").write_text("a-new-one")
        pod.kill()
        pod.start()
        until(lambda: answers(pod), "it answers", pod)
        for secret in ("a-new-one", password_of("gateway")):
            assert pod.client("gateway", secret).ping()
        (folder / "previous").unlink()
        pod.kill()
        pod.start()
        until(lambda: answers(pod), "it answers", pod)
        with pytest.raises(valkey.AuthenticationError):
            pod.client("gateway").ping()


@pytest.mark.parametrize(
    ("secret", "said"),
    [(None, "user gateway has no password"), ("", "has no password"), ('x" off', "letters, digits, - and _ only")],
)
def test_a_user_without_a_sound_password_stops_the_start(secret: str | None, said: str) -> None:
    with one_node(spec()) as pod:
        folder = pod.folder / "passwords" / "gateway"
        shutil.rmtree(folder)
        if secret is not None:
            pod.prepare({}, {"gateway": secret})
        made = pod.run("users.sh", str(pod.folder / "settings" / "users.acl"), str(pod.folder / "run" / "new.acl"))
        assert made.returncode == 1
        assert said in made.stderr
        assert not (pod.folder / "run" / "new.acl").exists()


def test_the_file_of_users_holds_no_password(coordination: Pod) -> None:
    made = (coordination.folder / "run" / "users.acl").read_text()
    assert made.count("#") == len(SERVICES) + 5
    assert [user for user in SERVICES if password_of(user) in made] == []


def test_a_full_coordination_store_refuses_writes_and_evicts_nothing() -> None:
    with one_node(full("coordination")) as pod:
        client = pod.client("gateway")
        pod.client(LOADER).function_load(LOCKS)
        assert client.fcall("lock_acquire", 1, "gateway:lock", "holder", 60_000) == 1
        written = fill(client)
        told = pod.client(MONITOR).info()
        assert told["evicted_keys"] == 0
        assert client.exists(*[f"gateway:{number}" for number in range(written)]) == written
        with pytest.raises(OutOfMemoryError):
            client.fcall("lock_acquire", 1, "gateway:other", "holder", 60_000)
        # What is held can still be kept, and given back.
        assert client.fcall("lock_renew", 1, "gateway:lock", "holder", 60_000) == 1
        assert client.fcall("lock_release", 1, "gateway:lock", "holder") == 1


def test_a_full_cache_evicts_and_never_grows() -> None:
    with one_node(full("cache")) as pod:
        client = pod.client("gateway")
        monitor = pod.client(MONITOR)
        value = "x" * 100_000
        largest = 0
        for number in range(2000):  # 200 MB into 51 MiB
            client.set(f"gateway:{number}", value)
            if number % 100 == 0:
                largest = max(largest, monitor.info("memory")["used_memory_dataset"])
        told = monitor.info()
        assert told["evicted_keys"] > 1000
        assert largest <= told["maxmemory"]
        assert client.get("gateway:1999") == value
        assert client.get("gateway:0") is None


def fill(client: valkey.Valkey[str]) -> int:
    """Write until the store refuses even what is small; how many keys it took."""
    number, sizes = 0, [100_000, 1_000, 10]
    while sizes:
        assert number < 100_000, "it is never full"
        try:
            client.set(f"gateway:{number}", "x" * sizes[0])
        except OutOfMemoryError:
            sizes.pop(0)
        else:
            number += 1
    return number


def test_of_a_hundred_who_ask_at_once_one_gets_the_lock(coordination: Pod) -> None:
    key = f"gateway:{uuid.uuid4()}"

    def acquire(holder: int) -> int:
        got: int = coordination.client("gateway").fcall("lock_acquire", 1, key, f"holder-{holder}", 60_000)
        return got

    with concurrent.futures.ThreadPoolExecutor(100) as crowd:
        told = list(crowd.map(acquire, range(100)))
    assert sorted(told) == [0] * 99 + [1]
    assert coordination.client("gateway").get(key) == f"holder-{told.index(1)}"
    assert 0 < coordination.client("gateway").pttl(key) <= 60_000


def test_a_holder_whose_time_ran_out_cannot_release_nor_renew_the_lock_of_the_next(coordination: Pod) -> None:
    client, key = coordination.client("gateway"), f"gateway:{uuid.uuid4()}"
    assert client.fcall("lock_acquire", 1, key, "slow", 50) == 1
    until(lambda: client.fcall("lock_acquire", 1, key, "next", 60_000) == 1, "the lock is free again")
    assert client.fcall("lock_release", 1, key, "slow") == 0
    assert client.fcall("lock_renew", 1, key, "slow", 60_000) == 0
    assert client.get(key) == "next"
    assert client.fcall("lock_release", 1, key, "next") == 1
    assert client.exists(key) == 0


def test_the_holder_may_ask_again_and_renew_and_a_lock_always_expires(coordination: Pod) -> None:
    client, key = coordination.client("gateway"), f"gateway:{uuid.uuid4()}"
    assert client.fcall("lock_acquire", 1, key, "holder", 1_000) == 1
    # An answer may be lost on its way, and the question asked again: it is still held, and no longer than before.
    assert client.fcall("lock_acquire", 1, key, "holder", 60_000) == 1
    assert 0 < client.pttl(key) <= 1_000
    assert client.fcall("lock_renew", 1, key, "holder", 60_000) == 1
    assert 1_000 < client.pttl(key) <= 60_000


WRONG_CALLS: dict[str, tuple[Any, ...]] = {
    "no key": ("lock_acquire", 0, "holder", 1000),
    "two keys": ("lock_acquire", 2, "gateway:p", "gateway:q", "holder", 1000),
    "no time": ("lock_acquire", 1, "gateway:p", "holder"),
    "time zero": ("lock_acquire", 1, "gateway:p", "holder", 0),
    "time below zero": ("lock_acquire", 1, "gateway:p", "holder", -1),
    "half a millisecond": ("lock_acquire", 1, "gateway:p", "holder", "0.5"),
    "no number": ("lock_renew", 1, "gateway:p", "holder", "soon"),
    "for ever": ("lock_acquire", 1, "gateway:p", "holder", 10**12),
    "nobody": ("lock_acquire", 1, "gateway:p", "", 1000),
    "nobody gives back": ("lock_release", 1, "gateway:p", ""),
    "too much": ("lock_release", 1, "gateway:p", "holder", 1000),
}


@pytest.mark.parametrize("call", WRONG_CALLS.values(), ids=WRONG_CALLS.keys())
def test_a_wrong_call_says_what_to_give_and_changes_nothing(coordination: Pod, call: tuple[Any, ...]) -> None:
    client = coordination.client("gateway")
    with pytest.raises(valkey.ResponseError, match=r"one key|token|milliseconds"):
        client.fcall(*call)
    assert client.exists("gateway:p", "gateway:q") == 0


def test_functions_and_locks_survive_a_power_cut_where_each_write_is_forced_to_disk() -> None:
    with one_node(spec(append_only="always")) as pod:
        pod.client(LOADER).function_load(LOCKS)
        pod.client(LOADER).function_load(LOCKS, replace=True)  # as each further run of the Job does
        assert pod.client("gateway").fcall("lock_acquire", 1, "gateway:lock", "holder", 600_000) == 1
        pod.kill()
        pod.start()
        until(lambda: answers(pod), "it answers", pod)
        client = pod.client("gateway")
        assert client.fcall("lock_acquire", 1, "gateway:lock", "another", 600_000) == 0
        assert client.fcall("lock_release", 1, "gateway:lock", "holder") == 1


def test_of_fifty_who_watch_the_last_piece_one_takes_it() -> None:
    """The optimistic way: WATCH, test, MULTI, DECR, EXEC. A service needs no more rights for it than it has."""
    with one_node(spec()) as pod:
        pod.client("gateway").set("gateway:stock", 1)

        def take(_: int) -> bool:
            with pod.client("gateway").pipeline() as attempt:
                attempt.watch("gateway:stock")
                if int(attempt.get("gateway:stock") or 0) < 1:
                    return False
                attempt.multi()
                attempt.decr("gateway:stock")
                try:
                    attempt.execute()
                except valkey.WatchError:
                    return False
                return True

        with concurrent.futures.ThreadPoolExecutor(50) as crowd:
            assert sorted(crowd.map(take, range(50))) == [False] * 49 + [True]
        assert pod.client("gateway").get("gateway:stock") == "0"
