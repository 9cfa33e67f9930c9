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
from components.specs import QueueSpec, Safety

API = "rabbitmq.com/v1beta1"
# What the topology operator's webhook refuses to change (v1.20): such a change needs a new object.
FIXED = {
    "Vhost": ["spec.name", "spec.rabbitmqClusterReference"],
    "Exchange": ["spec"],
    "Binding": ["spec"],
    "Policy": ["spec.name", "spec.vhost", "spec.rabbitmqClusterReference"],
    "Queue": [
        "spec.name",
        "spec.vhost",
        "spec.type",
        "spec.durable",
        "spec.autoDelete",
        "spec.arguments",
        "spec.rabbitmqClusterReference",
    ],
}
# Fixed, for arguments cannot change: on fewer nodes RabbitMQ makes fewer copies, and more when nodes are added.
COPIES = 3
# A dead message is read again and again by people and replay tools. Past the limit it would be dropped, there being no
# further queue; -1 (no limit) made some 4.x releases re-apply the policy every 5 s (rabbitmq-server #14202).
DEAD_DELIVERY_LIMIT = 1_000_000


@dataclass(frozen=True)
class QueueSetOutputs:
    """The virtual host, and by queue its exchange and its dead-letter queue."""

    vhost: str
    exchanges: dict[str, str]
    dead_letter_queues: dict[str, str]


class QueueSet(Component, token="tollgate:messaging:QueueSet"):
    """Queues in one virtual host.

    Declares: Vhost; per queue an exchange, the quorum queue, its binding and its policy, and the same four for its
    dead-letter queue.

    Guarantees: quorum queues of three copies; a message that fails ``delivery_limit`` times moves to the dead-letter
    queue and is confirmed there before it leaves (at-least-once, which holds only together with reject-publish and a
    dead-letter exchange); a full queue refuses publishers and drops nothing; dead letters never expire.
    Limits are policies, since arguments cannot be changed afterwards.
    """

    def __init__(
        self,
        name: str,
        queues: Mapping[str, QueueSpec],
        *,
        broker: RabbitCluster,
        safety: Safety,
        place: Place,
        vhost: str = "payments",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, safety=safety, opts=opts)
        self._place = place
        self._broker = broker
        self._kept = "retain" if safety.retain_on_delete else "delete"
        self._vhost = vhost
        self._home = self._make(
            "vhost",
            "Vhost",
            {"name": vhost, "defaultQueueType": "quorum", "deletionPolicy": self._kept},
            after=broker.cluster,
            holds_data=True,
        )
        for queue, spec in queues.items():
            self._dead_letters(queue, spec)
            self._work(queue, spec)
        self.outputs = self.register(
            QueueSetOutputs(
                vhost=vhost,
                exchanges={queue: queue for queue in queues},
                dead_letter_queues={queue: dead(queue) for queue in queues},
            )
        )

    def _work(self, queue: str, spec: QueueSpec) -> None:
        self._queue(
            queue,
            {
                "delivery-limit": spec.delivery_limit,
                "dead-letter-exchange": dead(queue),
                "dead-letter-routing-key": dead(queue),
                "dead-letter-strategy": "at-least-once",
                "overflow": "reject-publish",
                "max-length": spec.max_length,
            },
        )

    def _dead_letters(self, queue: str, spec: QueueSpec) -> None:
        self._queue(
            dead(queue),
            {
                "delivery-limit": DEAD_DELIVERY_LIMIT,
                "overflow": "reject-publish",
                "max-length": spec.dead_letter_max_length,
            },
        )

    def _queue(self, queue: str, limits: dict[str, Any]) -> None:
        """An exchange, a quorum queue, the way from one to the other, and the queue's limits."""
        part = queue.replace(".", "-")
        policy = self._make(
            f"{part}-limits",
            "Policy",
            {
                "name": queue,
                "vhost": self._vhost,
                "pattern": f"^{queue.replace('.', '[.]')}$",
                "applyTo": "quorum_queues",
                "priority": 10,  # one policy applies per queue, the highest; room is left below and above
                "definition": {**limits, "queue-leader-locator": "balanced", "target-group-size": COPIES},
            },
        )
        exchange = self._make(
            f"{part}-exchange",
            "Exchange",
            {"name": queue, "vhost": self._vhost, "type": "direct", "durable": True},
        )
        made = self._make(
            f"{part}-queue",
            "Queue",
            {
                "name": queue,
                "vhost": self._vhost,
                "type": "quorum",
                "durable": True,
                "deletionPolicy": self._kept,
                # Quorum queues refuse a delete "if empty", so a queue that may be deleted cannot ask for it.
                "deleteIfEmpty": self._kept == "retain",
                "arguments": {"x-quorum-initial-group-size": COPIES},
            },
            after=policy,
            holds_data=True,
        )
        self._make(
            f"{part}-binding",
            "Binding",
            {
                "vhost": self._vhost,
                "source": queue,
                "destination": queue,
                "destinationType": "queue",
                "routingKey": queue,
            },
            after=[exchange, made],
        )

    def _make(
        self,
        part: str,
        kind: str,
        spec: dict[str, Any],
        *,
        after: CustomResource | list[CustomResource] | None = None,
        holds_data: bool = False,
    ) -> CustomResource:
        """One object of the topology operator. It depends on the broker, so that a destroy runs the other way round."""
        name = self.child(part)
        options = self.stateful if holds_data else self.within
        outputs = self._broker.outputs
        return custom_resource(
            name,
            API,
            kind,
            place=self._place,
            called=name,
            ready="condition=Ready",
            spec={
                **spec,
                "rabbitmqClusterReference": {"name": outputs.cluster, "namespace": outputs.namespace},
            },
            opts=options(depends_on=after or self._home, replace_on_changes=FIXED[kind], delete_before_replace=True),
        )


def dead(queue: str) -> str:
    """The name of a queue's dead-letter queue and exchange."""
    return f"{queue}.dead"
