"""What a broker holds for a set of payment queues: one description, with no cluster and no cloud in it.

The Kubernetes objects are made from it (components/queues.py), and so is what the tests give to a real broker.

Per queue there are: the queue and its exchange; the parking lot ``<queue>.dead``, where failed messages wait for a
person, with no further dead-letter exchange and no expiry; and with a retry ladder one waiting queue per step,
``<queue>.retry.1`` and so on, behind the exchange ``<queue>.retry``. A consumer that wants to try again later publishes
the message to that exchange, waits for the confirm and acknowledges the first one; it counts tries in a header of its
own, for brokers from 4.0 ignore an ``x-death`` that a client sends. One queue per step, never an expiry per message:
messages expire only at the head of a queue, so a long wait would hold up the short ones behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components.specs import BrokerUserSpec, QueueSpec

# Arguments cannot change, so this one never does: on fewer nodes the broker makes fewer copies. How many there are in
# the end is the policy's ``target-group-size``.
INITIAL_COPIES = 3
# A parked message is read again and again by people and replay tools. Past the limit it would be dropped, there being
# no further queue; -1 (no limit) made some 4.x releases re-apply the policy every 5 s (rabbitmq-server #14202).
PARKED_DELIVERY_LIMIT = 1_000_000
# One policy applies to a queue, the one of highest priority, and nothing is merged. Room is left below and above.
PRIORITY = 10
NOTHING = "^$"


@dataclass(frozen=True)
class Exchange:
    """An exchange. The operator's default for ``durable`` is false, so it is always said."""

    name: str
    type: str = "direct"
    durable: bool = True


@dataclass(frozen=True)
class Queue:
    """A queue."""

    name: str
    arguments: Mapping[str, Any]
    type: str = "quorum"
    durable: bool = True


@dataclass(frozen=True)
class Policy:
    """The limits of one queue: all that may change later."""

    name: str
    pattern: str
    priority: int
    definition: Mapping[str, Any]
    apply_to: str = "quorum_queues"


@dataclass(frozen=True)
class Binding:
    """The way from an exchange to a queue."""

    source: str
    destination: str
    routing_key: str


@dataclass(frozen=True)
class User:
    """A service's login. ``credentials_secret_ref`` names the Secret that holds its user name and password."""

    name: str
    credentials_secret_ref: str


@dataclass(frozen=True)
class Permission:
    """What a user may touch, as patterns: declare things, write to exchanges, read from queues."""

    user: str
    configure: str
    write: str
    read: str


@dataclass(frozen=True)
class Topology:
    """All of one virtual host. Queues, exchanges, bindings and policies stand in the order in which they are needed."""

    vhost: str
    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    policies: tuple[Policy, ...]
    bindings: tuple[Binding, ...]
    users: tuple[User, ...]
    permissions: tuple[Permission, ...]


@dataclass(frozen=True)
class _Part:
    """One queue with the exchange in front of it and its limits."""

    queue: str
    exchange: str
    limits: Mapping[str, Any]


def topology(vhost: str, queues: Mapping[str, QueueSpec], users: Mapping[str, BrokerUserSpec]) -> Topology:
    """The description of a virtual host with these queues and users."""
    parts = [part for name, spec in queues.items() for part in _parts(name, spec)]
    return Topology(
        vhost=vhost,
        exchanges=tuple(Exchange(name) for name in dict.fromkeys(part.exchange for part in parts)),
        queues=tuple(Queue(part.queue, {"x-quorum-initial-group-size": INITIAL_COPIES}) for part in parts),
        policies=tuple(Policy(part.queue, exactly([part.queue]), PRIORITY, part.limits) for part in parts),
        bindings=tuple(Binding(part.exchange, part.queue, part.queue) for part in parts),
        users=tuple(User(service, spec.credentials_secret_ref) for service, spec in users.items()),
        permissions=tuple(_permission(service, spec, queues) for service, spec in users.items()),
    )


def dead(queue: str) -> str:
    """The name of a queue's parking lot and of the exchange in front of it."""
    return f"{queue}.dead"


def retry_exchange(queue: str) -> str:
    """The exchange through which a queue's messages are sent to wait."""
    return f"{queue}.retry"


def retry_queues(queue: str, spec: QueueSpec) -> list[str]:
    """The waiting queues, shortest wait first. They are named by step: a wait may change, a name may not."""
    return [f"{queue}.retry.{step}" for step in range(1, len(spec.ladder) + 1)]


def exactly(names: Iterable[str]) -> str:
    """The pattern that matches these names and nothing else."""
    wanted = "|".join(name.replace(".", "[.]") for name in names)
    return f"^({wanted})$" if wanted else NOTHING


def _parts(queue: str, spec: QueueSpec) -> Iterator[_Part]:
    """A queue and the queues beside it; those that messages go to come first."""
    everywhere = {"queue-leader-locator": "balanced", "target-group-size": spec.copies}
    parked = {
        "delivery-limit": PARKED_DELIVERY_LIMIT,
        "overflow": "reject-publish",
        "max-length": spec.dead_letter_max_length,
    }
    yield _Part(dead(queue), dead(queue), parked | everywhere)
    for name, seconds in zip(retry_queues(queue, spec), spec.ladder, strict=True):
        waiting = {
            "message-ttl": seconds * 1000,
            "delivery-limit": PARKED_DELIVERY_LIMIT,  # nobody takes from it but people who look
            "max-length": spec.max_length,
            **_moves_to(queue, spec),
        }
        yield _Part(name, retry_exchange(queue), waiting | everywhere)
    work = {"delivery-limit": spec.delivery_limit, "max-length": spec.max_length, **_moves_to(dead(queue), spec)}
    yield _Part(queue, queue, work | _delayed_retry(spec) | everywhere)


def _moves_to(exchange: str, spec: QueueSpec) -> dict[str, Any]:
    """At-least-once holds only when all of these stand together; else it is at-most-once, silently."""
    return {
        "dead-letter-exchange": exchange,
        "dead-letter-routing-key": exchange,
        "dead-letter-strategy": spec.dead_letter_strategy,
        "overflow": spec.overflow,
    }


def _delayed_retry(spec: QueueSpec) -> dict[str, Any]:
    """The broker's own waiting. ``failed`` counts rejected messages only, so that the limit is reached in the end."""
    if spec.retry != "delayed":
        return {}
    return {
        "delayed-retry-type": "failed",
        "delayed-retry-min": spec.delayed_retry.min_seconds * 1000,
        "delayed-retry-max": spec.delayed_retry.max_seconds * 1000,
    }


def _permission(service: str, spec: BrokerUserSpec, queues: Mapping[str, QueueSpec]) -> Permission:
    """Nobody declares anything. A consumer may also write to the retry exchanges of the queues it takes from."""
    waits = [retry_exchange(queue) for queue in spec.consumes if queues[queue].ladder]
    return Permission(
        user=service,
        configure=NOTHING,
        write=exactly([*spec.publishes, *waits]),
        read=exactly(spec.consumes),
    )
