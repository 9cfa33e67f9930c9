"""QueueSet: payment queues that lose nothing, each with the queue where failed work waits for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.base import Component
from components.cluster import Place, custom_resource
from components.rabbit import RabbitCluster
from components.specs import BrokerUserSpec, QueueSpec, Safety, queue_refusals
from components.topology import Policy, Queue, Topology, dead, retry_queues, topology

API = "rabbitmq.com/v1beta1"
REFERENCE = "spec.rabbitmqClusterReference"
# What the topology operator's webhook refuses to change (v1.20): such a change needs a new object.
FIXED = {
    "Vhost": ["spec.name", REFERENCE],
    "Exchange": ["spec"],
    "Binding": ["spec"],
    "Policy": ["spec.name", "spec.vhost", REFERENCE],
    "Queue": [
        "spec.name",
        "spec.vhost",
        "spec.type",
        "spec.durable",
        "spec.autoDelete",
        "spec.arguments",
        REFERENCE,
    ],
    "User": [REFERENCE],
    "Permission": ["spec.vhost", "spec.userReference", REFERENCE],
}


@dataclass(frozen=True)
class QueueSetOutputs:
    """The virtual host; by queue its exchange, its dead-letter queue and its waiting queues; by service its Secret."""

    vhost: str
    exchanges: dict[str, str]
    dead_letter_queues: dict[str, str]
    retry_queues: dict[str, list[str]]
    credentials: dict[str, str]


class QueueSet(Component, token="tollgate:messaging:QueueSet"):
    """Queues and users in one virtual host, on any RabbitCluster: the operator's or Amazon MQ.

    Declares: Vhost; per queue an exchange, the quorum queue, its binding and its policy, and the same for its
    dead-letter queue and for each step of its retry ladder (components/topology.py says what they are); per service a
    User and its Permission.

    Guarantees: a message that fails ``delivery_limit`` times moves to the dead-letter queue and is confirmed there
    before it leaves (at-least-once, which holds only together with reject-publish and a dead-letter exchange); a full
    queue refuses publishers and drops nothing; dead letters never expire. A service may publish and consume what its
    user says, and declare nothing. Limits are policies, since arguments cannot be changed afterwards; one policy
    applies to each queue. Each object waits for its broker, so that a destroy takes the broker last. Where the tier
    keeps its data, a queue outlives its object.
    Passwords are made outside and read by the operator from the services' Secrets; a Secret that changes rotates the
    user. Raises Refusal when the broker cannot keep a promise of a queue, or a user names a queue that is not there.
    """

    def __init__(
        self,
        name: str,
        queues: Mapping[str, QueueSpec],
        *,
        users: Mapping[str, BrokerUserSpec],
        broker: RabbitCluster,
        safety: Safety,
        place: Place,
        vhost: str = "payments",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, safety=safety, opts=opts)
        self.refuse((".".join(path), why) for path, why in queue_refusals(broker.spec, queues, users))
        self._place = place
        self._broker = broker
        self._kept = "retain" if safety.retain_on_delete else "delete"
        wanted = topology(vhost, queues, users)
        self._home = self._make(
            "vhost",
            "Vhost",
            {"name": vhost, "defaultQueueType": "quorum", "deletionPolicy": self._kept},
            after=broker.ready,
            holds_data=True,
        )
        self._queues(wanted)
        self._users(wanted)
        self.outputs = self.register(
            QueueSetOutputs(
                vhost=vhost,
                exchanges={queue: queue for queue in queues},
                dead_letter_queues={queue: dead(queue) for queue in queues},
                retry_queues={queue: retry_queues(queue, spec) for queue, spec in queues.items()},
                credentials={service: spec.credentials_secret_ref for service, spec in users.items()},
            )
        )

    def _queues(self, wanted: Topology) -> None:
        """Exchanges and policies first, then queues, which so never stand without their limits, then the ways there."""
        made: dict[str, CustomResource] = {}
        for exchange in wanted.exchanges:
            spec = {"name": exchange.name, "vhost": wanted.vhost, "type": exchange.type, "durable": exchange.durable}
            made[f"to {exchange.name}"] = self._make(f"{_part(exchange.name)}-exchange", "Exchange", spec)
        for policy, queue in zip(wanted.policies, wanted.queues, strict=True):
            part = _part(queue.name)
            limits = self._make(f"{part}-limits", "Policy", _policy(wanted.vhost, policy))
            made[queue.name] = self._make(
                f"{part}-queue", "Queue", self._queue(wanted.vhost, queue), after=limits, holds_data=True
            )
        for binding in wanted.bindings:
            spec = {
                "vhost": wanted.vhost,
                "source": binding.source,
                "destination": binding.destination,
                "destinationType": "queue",
                "routingKey": binding.routing_key,
            }
            after = [made[f"to {binding.source}"], made[binding.destination]]
            self._make(f"{_part(binding.destination)}-binding", "Binding", spec, after=after)

    def _queue(self, vhost: str, queue: Queue) -> dict[str, Any]:
        return {
            "name": queue.name,
            "vhost": vhost,
            "type": queue.type,
            "durable": queue.durable,
            "deletionPolicy": self._kept,
            # Quorum queues refuse a delete "if empty", so a queue that may be deleted cannot ask for it.
            "deleteIfEmpty": self._kept == "retain",
            "arguments": dict(queue.arguments),
        }

    def _users(self, wanted: Topology) -> None:
        users: dict[str, CustomResource] = {}
        for user in wanted.users:
            spec = {"importCredentialsSecret": {"name": user.credentials_secret_ref}}
            users[user.name] = self._make(f"user-{user.name}", "User", spec)
        for permission in wanted.permissions:
            may = {
                "vhost": wanted.vhost,
                "userReference": {"name": self.child(f"user-{permission.user}")},
                "permissions": {
                    "configure": permission.configure,
                    "write": permission.write,
                    "read": permission.read,
                },
            }
            self._make(f"user-{permission.user}-may", "Permission", may, after=users[permission.user])

    def _make(
        self,
        part: str,
        kind: str,
        spec: dict[str, Any],
        *,
        after: pulumi.Resource | list[CustomResource] | None = None,
        holds_data: bool = False,
    ) -> CustomResource:
        """One object of the topology operator. It depends on the broker, so that a destroy runs the other way round."""
        name = self.child(part)
        options = self.stateful if holds_data else self.within
        return custom_resource(
            name,
            API,
            kind,
            place=self._place,
            called=name,
            ready="condition=Ready",
            spec={**spec, "rabbitmqClusterReference": self._broker.reference},
            opts=options(depends_on=after or self._home, replace_on_changes=FIXED[kind], delete_before_replace=True),
        )


def _policy(vhost: str, policy: Policy) -> dict[str, Any]:
    return {
        "name": policy.name,
        "vhost": vhost,
        "pattern": policy.pattern,
        "applyTo": policy.apply_to,
        "priority": policy.priority,
        "definition": dict(policy.definition),
    }


def _part(name: str) -> str:
    """The part of a resource's name that a queue or an exchange gives."""
    return name.replace(".", "-")
