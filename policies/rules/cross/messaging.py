"""Rules for where a message goes that nobody could handle."""

import re
from collections.abc import Iterator

from tollgate.policy.check import HOLDS, Check, Finding, Verdict, fails
from tollgate.policy.cross import cross_rule
from tollgate.policy.reading import Reading, State
from tollgate.policy.sentinels import UNKNOWN
from tollgate.policy.severity import HIGH
from tollgate.policy.stack import Example, Resource, Stack, any_of, equal

QUEUE = "kubernetes:rabbitmq.com/v1beta1:Queue"
POLICY = "kubernetes:rabbitmq.com/v1beta1:Policy"
EXCHANGE = "kubernetes:rabbitmq.com/v1beta1:Exchange"
BINDING = "kubernetes:rabbitmq.com/v1beta1:Binding"
VHOST = "spec.vhost"
_BROKER = {"vhost": "payments", "rabbitmqClusterReference": {"name": "rabbit", "namespace": "payments"}}
_NONE = Finding("the queue", "has no dead-letter exchange", "one that is declared and leads to a queue")


def _example(*, exchange: object = "orders.dead", source: object = "orders.dead") -> Example:
    return {
        "orders": (QUEUE, {"spec": {**_BROKER, "name": "orders"}}),
        "orders-limits": (
            POLICY,
            {
                "spec": {
                    **_BROKER,
                    "pattern": "^orders$",
                    "priority": 10,
                    "definition": {"dead-letter-exchange": exchange},
                }
            },
        ),
        "dead-exchange": (EXCHANGE, {"spec": {**_BROKER, "name": "orders.dead"}}),
        "dead-binding": (
            BINDING,
            {"spec": {**_BROKER, "source": source, "destination": "orders.dead", "destinationType": "queue"}},
        ),
        "dead": (QUEUE, {"spec": {**_BROKER, "name": "orders.dead"}}),
    }


def _without(example: Example, *names: str) -> Example:
    return {name: made for name, made in example.items() if name not in names}


@cross_rule(
    id="queue-deadletter-arrive",
    why="A payment message that nobody could handle must wait for a person, not vanish.",
    severity=HIGH,
    controls=("Seed 11", "Seed 20"),
    types=(QUEUE,),
    reads=(POLICY, EXCHANGE, BINDING),
    fix="name a dead-letter-exchange in a Policy of the queue, and declare that Exchange and a Binding to a queue",
    good=_example(),
    bad=_without(_example(exchange="orders.lost"), "dead", "dead-binding"),
    unknown=_without(_example(exchange=UNKNOWN), "dead"),
    missing=_without(_example(), "orders-limits", "dead"),
)
def dead_letters_arrive(queue: Resource, stack: Stack) -> Check:
    """A queue that is itself where dead letters end needs no further one."""
    return _leads_on(queue, stack).unless(_is_the_end(queue, stack))


def _leads_on(queue: Resource, stack: Stack) -> Check:
    """RabbitMQ documentation, "Dead letter exchanges": an argument of the queue goes before a policy."""
    own = queue["spec.arguments"]
    if own.state is State.UNKNOWN:
        return own.is_set()
    exchange = own.key("x-dead-letter-exchange")
    if exchange.state is not State.MISSING:
        return _arrives(exchange, own.key("x-dead-letter-routing-key"), queue, stack)
    result = None
    for applies, policy in _policies(queue, stack):
        definition = policy["spec.definition"]
        exchange = definition.key("dead-letter-exchange")
        found = _NONE if exchange.state is State.MISSING else None
        there = fails(found) if found else _arrives(exchange, definition.key("dead-letter-routing-key"), queue, stack)
        result = there if result is None else result & there
        if applies.verdict is Verdict.HOLDS:
            return result
        result &= applies
    return fails(_NONE) if result is None else result


def _policies(queue: Resource, stack: Stack) -> Iterator[tuple[Check, Resource]]:
    """Those that may apply, most important first: RabbitMQ applies only one, the one of the highest priority."""
    found = [(_applies(policy, queue), policy) for policy in _beside(queue, stack, POLICY)]
    possible = [(check, policy) for check, policy in found if check.verdict is not Verdict.FAILS]
    return iter(sorted(possible, key=lambda pair: -_priority(pair[1]["spec.priority"])))


def _priority(reading: Reading) -> float:
    """Left out is 0 (CRD policies.rabbitmq.com). One that is not known yet may be the highest."""
    if reading.state is State.UNKNOWN:
        return float("inf")
    return float(reading.value) if isinstance(reading.value, int | float) else 0.0


def _applies(policy: Resource, queue: Resource) -> Check:
    pattern, name = policy["spec.pattern"], queue["spec.name"]
    if State.UNKNOWN in (pattern.state, name.state):
        asked = pattern if pattern.state is State.UNKNOWN else name
        return _same_broker(policy, queue) & asked.is_set()
    return _same_broker(policy, queue) & pattern.satisfies(
        lambda value: _matches(value, name.value), f"a pattern that matches {name.found}"
    )


def _matches(pattern: object, name: object) -> bool:
    try:
        return re.search(str(pattern), str(name)) is not None
    except re.error:
        return False


def _arrives(exchange: Reading, key: Reading, queue: Resource, stack: Stack) -> Check:
    """The exchange is declared, and something leads on from it to a queue."""
    if exchange.value == "":  # RabbitMQ's own exchange: the routing key is the name of a queue
        return any_of(
            (_same_broker(other, queue) & equal(other["spec.name"], key) for other in _beside(queue, stack, QUEUE)),
            _NONE,
        )
    declared = any_of(
        (_same_broker(other, queue) & equal(other["spec.name"], exchange) for other in _beside(queue, stack, EXCHANGE)),
        Finding("the queue", "names a dead-letter exchange that is not declared", "an Exchange of that name"),
    )
    if declared.verdict is Verdict.FAILS:
        return declared
    return declared & any_of(
        (_same_broker(other, queue) & _leads_from(other, exchange) for other in _beside(queue, stack, BINDING)),
        Finding("the queue", "has a dead-letter exchange that leads nowhere", "a Binding from it to a queue"),
    )


def _leads_from(binding: Resource, exchange: Reading) -> Check:
    return equal(binding["spec.source"], exchange) & binding["spec.destinationType"].one_of("queue")


def _is_the_end(queue: Resource, stack: Stack) -> Check:
    """Bound to an exchange that another queue gives its dead letters to."""
    exchanges = list(_dead_letter_exchanges(queue, stack))
    to_here = (
        _same_broker(binding, queue)
        & equal(binding["spec.destination"], queue["spec.name"])
        & any_of((there & equal(binding["spec.source"], exchange) for there, exchange in exchanges), _NONE)
        for binding in _beside(queue, stack, BINDING)
    )
    return any_of(to_here, _NONE)


def _dead_letter_exchanges(queue: Resource, stack: Stack) -> Iterator[tuple[Check, Reading]]:
    """Where dead letters go on this broker: whether it is this broker, and the exchange."""
    places = [
        *((other, other["spec.arguments"].key("x-dead-letter-exchange")) for other in _beside(queue, stack, QUEUE)),
        *((other, other["spec.definition"].key("dead-letter-exchange")) for other in _beside(queue, stack, POLICY)),
    ]
    return ((_same_broker(other, queue), place) for other, place in places if place.state is not State.MISSING)


def _beside(queue: Resource, stack: Stack, kind: str) -> list[Resource]:
    """What may be in the same virtual host."""
    return stack.alike(VHOST, queue[VHOST], kind)


def _same_broker(one: Resource, other: Resource) -> Check:
    result = HOLDS
    for path in (VHOST, "spec.rabbitmqClusterReference.name"):
        result &= equal(one[path], other[path])
    return result
