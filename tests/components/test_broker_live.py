"""A QueueSet's topology on three real RabbitMQ nodes: read back, and held while nodes are killed under it.

The nodes are Debian's RabbitMQ 3.10, the newest that can be installed here; the platform runs 4.3. ``known_to_3_10``
takes away what 3.10 cannot be told, and nothing else. Of what is tested here these differ in 4.3:
  - delayed retry by the broker does not exist in 3.10 (policy keys from 4.3.1), so the retry ladder is tested;
  - in 3.10 every redelivery counts towards the delivery limit; in 4.3 ``basic.reject`` counts and ``basic.nack`` does
    not, so the poisoned message is rejected here;
  - in 3.10 there is no delivery limit unless one is set; from 4.0 it is 20;
  - in 3.10 definitions are kept in Mnesia; in 4.3 in Khepri, which itself needs a majority of nodes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import secrets
import threading
import time
import urllib.error
from collections.abc import Iterator
from typing import Any

import pika
import pytest

from components.specs import BrokerUserSpec
from components.topology import Binding, Exchange, Permission, Policy, Queue, Topology, User, dead, topology
from stacks.profiles import BROKER_USERS
from tests.components.test_broker import queue
from tests.servers.rabbitmq import ABSENT, PATIENCE, Cluster, installed, three_nodes, until

pytestmark = pytest.mark.skipif(not installed(), reason=ABSENT)

LIMIT = 3
WAITS = (1, 30)
NOT_IN_3_10 = {"target-group-size"}
USERS = {service: BrokerUserSpec.model_validate(spec, strict=False) for service, spec in BROKER_USERS.items()}
WANTED = topology(
    "payments",
    {"payments": queue(retry="ladder", retry_ladder_seconds=WAITS, delivery_limit=LIMIT)},
    USERS,
)
PASSWORDS = {service: secrets.token_urlsafe(16) for service in USERS}


def known_to_3_10(made: Topology) -> Topology:
    """Less what 3.10 cannot be told: policies for quorum queues alone (3.12), and the group size as a policy (3.13)."""
    policies = tuple(
        dataclasses.replace(
            policy,
            apply_to="queues",
            definition={key: value for key, value in policy.definition.items() if key not in NOT_IN_3_10},
        )
        for policy in made.policies
    )
    return dataclasses.replace(made, policies=policies)


def apply(made: Topology, cluster: Cluster) -> None:
    """What the topology operator does with the objects, in the order in which their dependencies put them."""
    put = functools.partial(cluster.api, "PUT")
    put("/vhosts/{v}", {})
    for exchange in made.exchanges:
        put(f"/exchanges/{{v}}/{exchange.name}", {"type": exchange.type, "durable": exchange.durable})
    for policy in made.policies:
        put(f"/policies/{{v}}/{policy.name}", _policy(policy))
    for one in made.queues:
        arguments = {"x-queue-type": one.type, **one.arguments}
        put(f"/queues/{{v}}/{one.name}", {"durable": one.durable, "arguments": arguments})
    for binding in made.bindings:
        path = f"/bindings/{{v}}/e/{binding.source}/q/{binding.destination}"
        cluster.api("POST", path, {"routing_key": binding.routing_key})
    for user in made.users:
        put(f"/users/{user.name}", {"password": PASSWORDS[user.name], "tags": ""})
    for permission in made.permissions:
        may = {key: getattr(permission, key) for key in ("configure", "write", "read")}
        put(f"/permissions/{{v}}/{permission.user}", may)


def _policy(policy: Policy) -> dict[str, Any]:
    return {
        "pattern": policy.pattern,
        "apply-to": policy.apply_to,
        "priority": policy.priority,
        "definition": dict(policy.definition),
    }


def read_back(cluster: Cluster, wanted: Topology) -> Topology:
    """The broker's own account of the virtual host, in the order of what was wanted; what is strange comes last."""

    def ordered(found: list[Any], like: tuple[Any, ...]) -> tuple[Any, ...]:
        places = {repr(one): place for place, one in enumerate(like)}
        return tuple(sorted(found, key=lambda one: (places.get(repr(one), len(places)), repr(one))))

    get = functools.partial(cluster.api, "GET")
    exchanges = [
        Exchange(one["name"], one["type"], one["durable"])
        for one in get("/exchanges/{v}")
        if one["name"] and not one["name"].startswith("amq.")
    ]
    queues = []
    for one in get("/queues/{v}"):
        arguments = dict(one["arguments"])
        queues.append(Queue(one["name"], arguments, arguments.pop("x-queue-type"), one["durable"]))
    bindings = [
        Binding(one["source"], one["destination"], one["routing_key"]) for one in get("/bindings/{v}") if one["source"]
    ]
    policies = []
    for one in get("/policies/{v}"):
        written = next((policy.definition for policy in wanted.policies if policy.name == one["name"]), {})
        definition = {key: one["definition"][key] for key in [*written, *one["definition"]] if key in one["definition"]}
        policies.append(Policy(one["name"], one["pattern"], one["priority"], definition, one["apply-to"]))
    # The name of the Secret is the cluster's affair; the broker knows the user.
    users = [
        User(one["name"], USERS[one["name"]].credentials_secret_ref) for one in get("/users") if one["name"] in USERS
    ]
    permissions = [
        Permission(one["user"], one["configure"], one["write"], one["read"])
        for one in get("/vhosts/{v}/permissions")
        if one["user"] != "guest"
    ]
    return Topology(
        vhost=get("/vhosts/{v}")["name"],
        exchanges=ordered(exchanges, wanted.exchanges),
        queues=ordered(queues, wanted.queues),
        policies=ordered(policies, wanted.policies),
        bindings=ordered(bindings, wanted.bindings),
        users=ordered(users, wanted.users),
        permissions=ordered(permissions, wanted.permissions),
    )


@pytest.fixture(scope="session")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with three_nodes(tmp_path_factory.mktemp("rabbitmq"), WANTED.vhost) as cluster:
        apply(known_to_3_10(WANTED), cluster)
        yield cluster


@pytest.fixture
def cluster(nodes: Cluster) -> Cluster:
    """All three nodes up, and all queues empty."""
    nodes.heal()
    with nodes.channel() as channel:
        for one in WANTED.queues:
            channel.queue_purge(one.name)
    return nodes


def publish(channel: Any, text: str, *, exchange: str = "payments", key: str = "payments", **headers: Any) -> None:
    """Publish and wait for the confirm. Raises pika's error when the broker refuses."""
    properties = pika.BasicProperties(delivery_mode=2, headers=headers or None)
    channel.basic_publish(exchange, key, text.encode(), properties, mandatory=True)


def take(channel: Any, name: str, *, seconds: float = 20, acknowledge: bool = True) -> tuple[Any, Any, str] | None:
    """The next message of a queue: (delivery, properties, text). None when none comes in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        delivery, properties, body = channel.basic_get(name)
        if delivery is not None:
            if acknowledge:
                channel.basic_ack(delivery.delivery_tag)
            return delivery, properties, body.decode()
        time.sleep(0.05)
    return None


def test_the_topology_is_read_back_equal_and_each_queue_obeys_its_own_policy(cluster: Cluster) -> None:
    wanted = known_to_3_10(WANTED)
    assert read_back(cluster, wanted) == wanted
    apply(wanted, cluster)  # the operator says everything again at each reconciliation
    assert read_back(cluster, wanted) == wanted

    def obeyed() -> set[tuple[str, str | None, int]]:  # told by the statistics, which come a little later
        told = cluster.api("GET", "/queues/{v}")
        return {(one["name"], one.get("policy"), len(one.get("online", ()))) for one in told}

    until(lambda: obeyed() == {(one.name, one.name, 3) for one in wanted.queues}, "each queue has its policy")


@pytest.mark.parametrize("key", ["target-group-size", "delayed-retry-type"])
def test_a_policy_key_that_a_broker_does_not_know_is_refused_and_never_quietly_ignored(
    cluster: Cluster, key: str
) -> None:
    body = {"pattern": "^none$", "apply-to": "queues", "definition": {key: "failed"}}
    with pytest.raises(urllib.error.HTTPError, match="400"):
        cluster.api("PUT", "/policies/{v}/strange", body)


def test_arguments_of_a_queue_cannot_change_afterwards(cluster: Cluster) -> None:
    arguments = {"x-queue-type": "quorum", "x-quorum-initial-group-size": 3, "x-max-length": 5}
    with pytest.raises(urllib.error.HTTPError, match="400"):
        cluster.api("PUT", "/queues/{v}/payments", {"durable": True, "arguments": arguments})


def test_a_queue_that_is_to_be_deleted_only_when_empty_is_never_deleted(cluster: Cluster) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        cluster.api("DELETE", "/queues/{v}/payments?if-empty=true")


def test_a_poisoned_message_ends_in_the_parking_lot_and_stays_there(cluster: Cluster) -> None:
    with cluster.channel() as channel:
        publish(channel, "poison")
        for _ in range(LIMIT + 1):
            taken = take(channel, "payments", acknowledge=False)
            assert taken is not None, "it went before its limit"
            channel.basic_reject(taken[0].delivery_tag, requeue=True)
        parked = take(channel, dead("payments"), acknowledge=False)
        assert parked is not None
        delivery, properties, text = parked
        assert text == "poison"
        (death,) = properties.headers["x-death"]
        assert (death["queue"], death["reason"]) == ("payments", "delivery_limit")
        assert properties.delivery_mode == 2
        channel.basic_reject(delivery.delivery_tag, requeue=True)  # looked at, and put back
        assert take(channel, dead("payments")) is not None


def test_a_message_waits_on_the_ladder_and_comes_back_each_time_without_blocking_others(cluster: Cluster) -> None:
    with cluster.channel("clearing", PASSWORDS["clearing"]) as channel:
        publish(channel, "long", exchange="payments.retry", key="payments.retry.2")
        publish(channel, "short", exchange="payments.retry", key="payments.retry.1", **{"x-attempt": 1})
        for attempt in (1, 2):
            before = time.monotonic()
            taken = take(channel, "payments")
            assert taken is not None, "a message was lost on the ladder"
            _, properties, text = taken
            assert (text, properties.headers["x-attempt"]) == ("short", attempt)
            assert time.monotonic() - before < WAITS[1] / 2
            if attempt == 1:
                publish(channel, "short", exchange="payments.retry", key="payments.retry.1", **{"x-attempt": 2})


FORBIDDEN = {
    "take what it only publishes": ("gateway", lambda channel: channel.basic_get("payments")),
    "publish what it only takes": ("clearing", lambda channel: publish(channel, "x")),
    "park a message itself": ("gateway", lambda channel: publish(channel, "x", exchange="payments.dead", key="x")),
    "go round the exchanges": ("gateway", lambda channel: publish(channel, "x", exchange="", key="payments")),
    "read the parking lot": ("clearing", lambda channel: channel.basic_get("payments.dead")),
    "declare a queue": ("gateway", lambda channel: channel.queue_declare("mine", durable=True)),
    "delete a queue": ("clearing", lambda channel: channel.queue_delete("payments")),
    "purge the parking lot": ("clearing", lambda channel: channel.queue_purge("payments.dead")),
}


@pytest.mark.parametrize(("service", "act"), FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_a_service_is_refused_what_it_has_no_permission_for(cluster: Cluster, service: str, act: Any) -> None:
    refused = pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED")
    with cluster.channel(service, PASSWORDS[service]) as channel, refused:
        act(channel)


def test_services_can_do_their_work(cluster: Cluster) -> None:
    with cluster.channel("gateway", PASSWORDS["gateway"]) as channel:
        publish(channel, "pay")
    with cluster.channel("clearing", PASSWORDS["clearing"]) as channel:
        taken = take(channel, "payments")
    assert taken is not None
    assert taken[2] == "pay"


def test_one_node_down_loses_nothing_confirmed_and_two_down_confirm_nothing(cluster: Cluster) -> None:
    leader = cluster.node(cluster.api("GET", "/queues/{v}/payments")["leader"])
    survivor, second = (node for node in cluster.nodes if node is not leader)
    wanted = {str(number) for number in range(200)}
    with cluster.channel(node=survivor) as channel:
        for number in range(200):
            if number == 100:
                leader.kill()
            publish(channel, str(number))  # returns only when a majority has it
        assert everything(channel) == wanted
        publish(channel, "before")
    second.kill()
    confirmed = threading.Event()

    def publish_one() -> None:
        with cluster.channel(node=survivor) as channel:
            while not confirmed.is_set():
                with contextlib.suppress(pika.exceptions.NackError):  # refused: a publisher tries again
                    publish(channel, "during")
                    confirmed.set()

    threading.Thread(target=publish_one, daemon=True).start()
    assert not confirmed.wait(5), "one node of three confirmed a message by itself"
    second.start()
    assert confirmed.wait(PATIENCE)
    with cluster.channel(node=survivor) as channel:
        assert everything(channel) == {"before", "during"}


def everything(channel: Any) -> set[str]:
    """All that the work queue holds."""
    return {taken[2] for taken in iter(lambda: take(channel, "payments", seconds=2), None)}
