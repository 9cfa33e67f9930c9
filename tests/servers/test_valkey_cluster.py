"""A cluster of one shard, as ElastiCache has it: the loader and a service's client find the primary with their rights.

Valkey 9.1.2 in cluster mode stands in for ElastiCache: same protocol, same rules of users, names of nodes instead of
addresses. Not seen here: IAM as the password, TLS, and what AWS adds.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pytest
import valkey

from components.redis_access import FINDING_THE_SHARD, LOADER, NODE, REPLICATION, loader_rules, rules, service_rules
from components.valkey_nodes import node_files
from tests.servers.test_valkey import spec
from tests.servers.test_valkey_failover import has_locks, load
from tests.servers.valkey import Pod, Store, free_port, needs_names, password_of, store, until

pytestmark = needs_names
USERS = {
    "gateway": service_rules(spec().users["gateway"], finding=FINDING_THE_SHARD),
    LOADER: loader_rules(finding=FINDING_THE_SHARD),
    NODE: rules(["ping", "info", "role"]),
    REPLICATION: rules(["ping", "psync", "replconf"]),
    "maker": "~* resetchannels -@all +@all",  # of the cluster; AWS's own
}
CLUSTER = """
cluster-enabled yes
cluster-port {bus}
cluster-preferred-endpoint-type hostname
cluster-announce-hostname {host}
"""


@pytest.fixture(scope="module")
def shard() -> Iterator[Store]:
    bus = free_port()  # a port of its own: by itself it is 10,000 above the other, and that can be too high
    with store("cluster", spec().model_copy(update={"replicas": 1, "append_only": "off"})) as made:
        for pod in made.nodes:
            pod.environment["SENTINELS"] = ""  # a cluster needs none
            pod.prepare(
                {
                    **node_files(spec()),
                    "valkey.conf": node_files(spec())["valkey.conf"] + CLUSTER.format(host=pod.host, bus=bus),
                    "users.acl": "".join(f"user {name} {said}\n" for name, said in USERS.items()),
                },
                {"maker": password_of("maker")},
            )
            pod.start()
        primary, replica = made.nodes
        for pod in made.nodes:
            until(lambda pod=pod: pings(pod), "it answers", pod)
        primary.client("maker").execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        replica.client("maker").execute_command("CLUSTER", "MEET", primary.address, primary.port, bus)
        myself = primary.client("maker").execute_command("CLUSTER", "MYID")
        until(lambda: replicates(replica, myself), "it knows the primary", replica)
        until(lambda: replica.client(NODE).execute_command("ROLE")[3] == "connected", "it follows", replica)
        yield made


def pings(pod: Pod) -> bool:
    try:
        return bool(pod.client("maker").ping())
    except valkey.ConnectionError:
        return False


def replicates(pod: Pod, primary: str) -> bool:
    try:
        pod.client("maker").execute_command("CLUSTER", "REPLICATE", primary)
    except valkey.ResponseError:  # "Unknown node": it has not heard of it yet
        return False
    return True


def test_the_loader_finds_the_primary_whichever_node_it_asks(shard: Store) -> None:
    for asked in reversed(shard.nodes):
        done = load(asked, "cluster")
        assert done.returncode == 0, done.stderr
    until(lambda: all(has_locks(pod) for pod in shard.nodes), "both have the functions")


def test_a_cluster_client_works_with_the_rights_of_a_service(shard: Store) -> None:
    program = """
        import sys
        from valkey.cluster import ValkeyCluster
        host, port, password = sys.argv[1:]
        client = ValkeyCluster(host=host, port=int(port), username="gateway", password=password)
        client.set("gateway:{order}:a", 1)
        print(client.get("gateway:{order}:a"), client.fcall("lock_acquire", 1, "gateway:lock", "holder", 60000))
    """
    replica = shard.nodes[1]
    load(replica, "cluster")
    command = [sys.executable, "-c", textwrap.dedent(program), replica.host, str(replica.port), password_of("gateway")]
    done = subprocess.run(command, env=replica.environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "b'1' 1\n"), done.stderr
