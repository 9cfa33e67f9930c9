"""Three data nodes and three Sentinels, each started by its own script from its own files, under names of pods.

``quick`` gives a primary up after 5 seconds of silence, as a test of failover needs. ``patient`` waits a minute, so
that nothing there is a matter of speed: only what a script asks for moves its primary.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator

import pytest
import valkey
from valkey.exceptions import NoPermissionError, ReadOnlyError

from components.redis_access import LOADER, NODE, SENTINEL
from components.specs import RedisSpec, Target
from components.valkey import shipped
from components.valkey_nodes import sentinel_files
from components.valkey_settings import sentinel as sentinel_settings
from stacks.settings import Tier
from tests.servers.test_valkey import spec
from tests.servers.valkey import Pod, Store, needs_names, one_node, pairs, password_of, store, until

pytestmark = needs_names
CALLED = "payments-here-coordination"


def replicated(failover_after_seconds: int, name: str = "coordination") -> RedisSpec:
    return spec(
        name,
        tier=Tier.STAGING,
        target=Target.KUBERNETES,
        memory_mib=256,
        failover_after_seconds=failover_after_seconds,
    )


@pytest.fixture(scope="module")
def _quick() -> Iterator[Store]:
    with store(CALLED, replicated(5)) as made:
        yield made


@pytest.fixture
def quick(_quick: Store) -> Store:
    _quick.heal()
    return _quick


@pytest.fixture(scope="module")
def _patient() -> Iterator[Store]:
    with store(CALLED, replicated(60)) as made:
        yield made


@pytest.fixture
def patient(_patient: Store) -> Store:
    _patient.heal()
    return _patient


def test_the_first_start_ever_makes_one_primary_that_all_agree_on() -> None:
    with store(CALLED, replicated(60)) as made:
        made.heal()  # none of them was ever up
        assert {made.primary(told_by=number).host for number in range(3)} == {made.nodes[0].host}
        assert [role(pod) for pod in made.nodes] == ["master", "slave", "slave"]
        replicas = [pairs(told) for told in made.ask(made.sentinels[1], "REPLICAS")]
        assert {replica["ip"] for replica in replicas} == {pod.host for pod in made.nodes[1:]}  # names, not addresses
        others = [pairs(told)["ip"] for told in made.ask(made.sentinels[1], "SENTINELS")]
        assert set(others) == {made.sentinels[0].host, made.sentinels[2].host}


def test_a_sentinel_says_back_what_was_declared(patient: Store) -> None:
    told = pairs(patient.ask(patient.sentinels[0], "PRIMARY"))
    declared = [line.split(" ") for line in sentinel_settings(CALLED, patient.spec).splitlines()]
    of_store = {words[1]: words[3] for words in declared if words[:1] == ["sentinel"] and words[2] == CALLED}
    assert set(of_store) == {"down-after-milliseconds", "failover-timeout", "parallel-syncs", "auth-user"}
    assert {name: told[name] for name in set(of_store) - {"auth-user"}} == {
        name: value for name, value in of_store.items() if name != "auth-user"
    }
    assert told["quorum"] == "2"
    written = (patient.sentinels[0].folder / "data" / "sentinel.conf").read_text()
    for line in ("resolve-hostnames yes", "announce-hostnames yes", "deny-scripts-reconfig yes"):
        assert f"sentinel {line}\n" in written


def test_a_service_may_ask_sentinels_where_the_primary_is_and_nothing_else(patient: Store) -> None:
    client = patient.sentinels[2].client("clearing")
    assert client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", CALLED)[0] == patient.nodes[0].host
    for command in (
        f"SENTINEL FAILOVER {CALLED}",
        f"SENTINEL SET {CALLED} quorum 1",
        f"SENTINEL REMOVE {CALLED}",
        "SENTINEL RESET *",
        "SENTINEL CONFIG GET *",
        "SHUTDOWN",
        "INFO",
        "ACL LIST",
    ):
        with pytest.raises(NoPermissionError):
            client.execute_command(*command.split())
    nobody = valkey.Valkey(host=patient.sentinels[2].address, port=patient.sentinels[2].port)
    with pytest.raises(valkey.AuthenticationError):
        nobody.ping()


def test_a_client_library_finds_the_primary_with_the_rights_of_a_service(patient: Store) -> None:
    program = """
        import sys
        from valkey.sentinel import Sentinel
        store, host, port, password = sys.argv[1:]
        signs_in = {"username": "gateway", "password": password}
        found = Sentinel([(host, int(port))], sentinel_kwargs=signs_in, **signs_in)
        found.master_for(store).set("gateway:found", 1)
        print(found.slave_for(store).ping())
    """
    asked = patient.sentinels[1]
    told = (CALLED, asked.host, str(asked.port), password_of("gateway"))
    command = [sys.executable, "-c", textwrap.dedent(program), *told]
    done = subprocess.run(
        command,
        env=asked.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
    assert patient.nodes[0].client("gateway").get("gateway:found") == "1"


def test_when_the_primary_dies_another_takes_over_and_what_comes_back_follows_it(quick: Store) -> None:
    before = quick.primary()
    before.client("gateway").set("gateway:kept", "yes")
    until(lambda: all(pod.client("gateway").get("gateway:kept") == "yes" for pod in quick.nodes), "all have it")
    before.kill()
    until(lambda: quick.primary() is not before, "another is named primary", quick.sentinels[0])
    after = quick.primary()
    until(lambda: role(after) == "master", "it leads", after)
    assert after.client("gateway").get("gateway:kept") == "yes"
    until(lambda: writes(after, "gateway:new"), "it takes writes", after)
    # First the container inside its pod, then the pod itself under a new address: each asks, and neither leads.
    before.restart_container()
    until(lambda: before.ready, "it follows", before)
    assert role(before) == "slave"
    before.kill()
    quick.heal()
    assert quick.primary() is after
    assert [role(pod) for pod in quick.nodes].count("master") == 1
    assert before.client("gateway").get("gateway:new") is not None
    with pytest.raises(ReadOnlyError):
        before.client("gateway").set("gateway:kept", "no")


def test_a_rolling_restart_loses_no_acknowledged_write(patient: Store) -> None:
    """As Kubernetes does it: one pod after the other, the last first, each ready before the next goes."""
    stopped, acknowledged = threading.Event(), set()

    def write(writer: int) -> None:
        for number in itertools.count():
            if stopped.is_set():
                return
            key = f"gateway:{writer}:{number}"
            try:
                patient.primary().client("gateway").set(key, 1)
            except (valkey.ConnectionError, valkey.ResponseError):
                continue  # it was not acknowledged, so nothing is promised
            acknowledged.add(key)

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(3)]
    for writer in writers:
        writer.start()
    led = []
    for pod in reversed(patient.nodes):
        before = len(acknowledged)
        until(lambda before=before: len(acknowledged) > before + 20, "writes flow")
        led.append(patient.primary())
        pod.stop()
        patient.move(pod)
        pod.start()
        until(lambda pod=pod: pod.ready, f"{pod.host} is ready again", pod)
    stopped.set()
    for writer in writers:
        writer.join()
    assert patient.primary() is not led[0]  # one of them led, and handed over
    assert {role(pod) for pod in patient.nodes if pod is not patient.primary()} == {"slave"}
    client = patient.primary().client("gateway")
    assert [key for key in acknowledged if not client.exists(key)] == []


def test_a_replica_that_stops_moves_nothing(patient: Store) -> None:
    before = patient.primary()
    replica = next(pod for pod in patient.nodes if pod is not before)
    replica.stop()
    assert patient.primary() is before
    assert role(before) == "master"


def test_a_primary_that_lost_its_data_does_not_lead_and_empties_nobody() -> None:
    with store(CALLED, replicated(60)) as made:
        made.heal()
        lost = made.primary()
        lost.client("gateway").set("gateway:kept", "yes")
        until(lambda: all(pod.client("gateway").get("gateway:kept") == "yes" for pod in made.nodes), "all have it")
        lost.kill()
        shutil.rmtree(lost.folder / "data")
        (lost.folder / "data").mkdir()
        lost.start()
        until(lambda: "has lost its data" in lost.log, "it says why it waits", lost)
        assert not lost.ready
        assert made.primary() is lost  # the Sentinels still wait; one is asked to choose another
        made.sentinels[0].client(NODE).execute_command("SENTINEL", "FAILOVER", CALLED)
        until(lambda: made.primary() is not lost, "another is named primary", made.sentinels[0])
        made.heal()
        assert [role(pod) for pod in made.nodes].count("master") == 1
        assert [pod.client("gateway").get("gateway:kept") for pod in made.nodes] == ["yes"] * 3


def test_a_node_waits_for_a_majority_of_sentinels_and_heeds_a_signal_meanwhile(patient: Store) -> None:
    node = next(pod for pod in patient.nodes if pod is not patient.primary())
    node.kill()
    for sentinel in patient.sentinels[:2]:
        sentinel.kill()
    node.start()
    until(lambda: "no majority of Sentinels answers" in node.log, "it says why it waits", node)
    assert node.up
    assert node.process is not None
    node.process.terminate()
    assert node.process.wait(timeout=30) == 143


def test_a_primary_that_has_lost_all_replicas_stops_writing(quick: Store) -> None:
    primary = quick.primary()
    primary.client("gateway").set("gateway:before", 1)
    for pod in quick.nodes:
        if pod is not primary:
            pod.kill()
    until(lambda: not writes(primary, "gateway:alone"), "it refuses writes", primary)
    assert primary.client("gateway").get("gateway:before") == "1"


def test_after_a_power_cut_the_primary_is_who_it_was_and_nothing_is_lost(patient: Store) -> None:
    # Not the first node: its number must not matter.
    made = patient
    if made.primary() is made.nodes[0]:
        made.nodes[0].stop()
        made.heal()
    before = made.primary()
    assert before is not made.nodes[0]
    before.client("gateway").set("gateway:cut", "yes")
    for pod in made.pods:
        pod.kill()
    made.heal()
    assert made.primary() is before
    assert role(before) == "master"
    assert before.client("gateway").get("gateway:cut") == "yes"


def test_after_a_power_cut_that_the_primary_does_not_survive_another_leads_with_the_data(quick: Store) -> None:
    gone = quick.primary()
    gone.client("gateway").set("gateway:survives", "yes")
    until(lambda: all(pod.client("gateway").get("gateway:survives") == "yes" for pod in quick.nodes), "all have it")
    for pod in quick.pods:
        pod.kill()
    for pod in quick.pods:
        if pod is not gone:
            quick.move(pod)
            pod.start()
    until(lambda: told(quick) and quick.primary() is not gone, "another is named primary", quick.sentinels[0])
    until(lambda: role(quick.primary()) == "master", "it leads")
    assert quick.primary().client("gateway").get("gateway:survives") == "yes"


def test_a_cache_that_starts_anew_is_copied_from_not_emptied_by_and_comes_up_by_itself() -> None:
    with store("payments-here-cache", replicated(5, "cache")) as made:
        made.heal()
        first, other = made.nodes
        first.client("gateway").set("gateway:warm", "yes")
        until(lambda: other.client("gateway").get("gateway:warm") == "yes", "both have it")
        first.kill()
        first.restart_container()  # at once, and empty: it may not lead again before the other has been chosen
        until(lambda: made.primary() is other, "the other is named primary", made.sentinels[0])
        made.heal()
        assert [pod.client("gateway").get("gateway:warm") for pod in made.nodes] == ["yes", "yes"]
        assert [file.name for pod in made.nodes for file in (pod.folder / "data").glob("*.rdb")] == []
        for pod in made.pods:
            pod.kill()
        made.heal()  # all are empty now, and one of them is chosen all the same
        assert sorted(role(pod) for pod in made.nodes) == ["master", "slave"]
        assert made.primary().client("gateway").get("gateway:warm") is None


def test_a_sentinel_keeps_what_it_has_learnt_and_learns_it_anew_from_others(patient: Store) -> None:
    sentinel, file = patient.sentinels[0], patient.sentinels[0].folder / "data" / "sentinel.conf"
    known = myself(file.read_text())
    sentinel.kill()
    patient.heal()
    assert myself(file.read_text()) == known
    assert patient.primary(told_by=0) is patient.primary(told_by=1)
    sentinel.kill()
    file.unlink()  # its volume is lost
    patient.heal()
    assert myself(file.read_text()) != known
    assert patient.primary(told_by=0) is patient.primary(told_by=1)


def test_sentinels_that_have_all_forgotten_take_the_primary_that_the_nodes_name(patient: Store) -> None:
    if patient.primary() is patient.nodes[0]:
        patient.nodes[0].stop()
        patient.heal()
    before = patient.primary()
    assert before is not patient.nodes[0]
    for sentinel in patient.sentinels:
        sentinel.kill()
        (sentinel.folder / "data" / "sentinel.conf").unlink()
    patient.heal()
    assert {patient.primary(told_by=number).host for number in range(3)} == {before.host}
    assert role(before) == "master"


def test_settings_of_a_sentinel_change_with_the_files_it_is_given(patient: Store) -> None:
    sentinel = patient.sentinels[1]
    sentinel.prepare(sentinel_files(CALLED, replicated(50)), {})
    sentinel.kill()
    patient.heal()
    assert pairs(patient.ask(sentinel, "PRIMARY"))["down-after-milliseconds"] == "50000"


def test_a_replica_counts_only_when_it_has_copied_its_primary() -> None:
    with one_node(spec()) as pod:
        assert pod.ready
        pod.client(SENTINEL).execute_command("SLAVEOF", "127.0.0.1", "1")  # where nobody answers
        assert not pod.ready
        pod.client(SENTINEL).execute_command("SLAVEOF", "NO", "ONE")
        assert pod.ready


def test_functions_are_loaded_into_the_primary_and_are_on_replicas_and_after_a_failover(quick: Store) -> None:
    for _ in range(2):  # the second time as a Job that is run again
        done = load(quick.nodes[2], "sentinel")
        assert done.returncode == 0, done.stderr
        assert "locks is loaded" in done.stderr
    until(lambda: all(has_locks(pod) for pod in quick.nodes), "all have the functions")
    before = quick.primary()
    assert before.client("gateway").fcall("lock_acquire", 1, "gateway:lock", "holder", 600_000) == 1
    before.stop()
    quick.heal()
    after = quick.primary()
    assert after is not before
    assert after.client("gateway").fcall("lock_acquire", 1, "gateway:lock", "another", 600_000) == 0
    assert after.client("gateway").fcall("lock_release", 1, "gateway:lock", "holder") == 1
    assert all(has_locks(pod) for pod in quick.nodes)


def test_a_library_that_does_not_load_ends_in_an_error_that_says_why(quick: Store) -> None:
    done = load(quick.nodes[0], "sentinel", {"locks.lua": "#!lua name=locks\nnot lua\n"})
    assert done.returncode == 1
    assert "locks was not loaded: ERR Error compiling function" in done.stderr


def test_the_loader_waits_for_replicas_and_ends_when_its_time_is_up(quick: Store) -> None:
    for pod in quick.nodes:
        if pod is not quick.primary():
            pod.kill()
    done = load(quick.nodes[0], "sentinel", seconds=5)
    assert done.returncode == 124
    assert "locks was not loaded: NOREPLICAS" in done.stderr


def test_functions_of_one_node_are_loaded_where_it_is() -> None:
    with one_node(spec()) as pod:
        assert load(pod, "address").returncode == 0
        assert has_locks(pod)


def load(
    beside: Pod, found_by: str, libraries: dict[str, str] | None = None, seconds: int = 60
) -> subprocess.CompletedProcess[str]:
    """What the Job does, with its own files, in the surroundings of a pod."""
    folder = beside.folder / "functions"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, text in {**shipped("common.sh", "load.sh", "*.lua"), **(libraries or {})}.items():
        (folder / name).write_text(text)
    return subprocess.run(
        ["timeout", str(seconds), "/bin/sh", str(folder / "load.sh")],
        env={**beside.environment, "FOUND_BY": found_by},
        capture_output=True,
        text=True,
        timeout=seconds + 30,
        check=False,
    )


def has_locks(pod: Pod) -> bool:
    return bool(pod.client(LOADER).function_list(library="locks"))


def role(pod: Pod) -> str:
    found: str = pod.client(NODE).execute_command("ROLE")[0]
    return found


def writes(pod: Pod, key: str) -> bool:
    """Whether it takes a write, or refuses it as a replica or for want of replicas."""
    try:
        pod.client("gateway").set(key, 1)
    except ReadOnlyError:
        return False
    except valkey.ResponseError as refused:
        if "NOREPLICAS" in str(refused):
            return False
        raise
    return True


def told(made: Store) -> bool:
    """Whether the first Sentinel takes questions yet."""
    try:
        made.primary()
    except valkey.ConnectionError:
        return False
    return True


def myself(text: str) -> str:
    (line,) = [line for line in text.splitlines() if line.startswith("sentinel myid ")]
    return line
