"""Rules for queues, virtual hosts, exchanges and users of RabbitMQ (messaging topology operator)."""

import re

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import HIGH, LOW, MEDIUM
from tollgate.policy.statement import rule

QUEUE, POLICY = "kubernetes:rabbitmq.com/v1beta1:Queue", "kubernetes:rabbitmq.com/v1beta1:Policy"
VHOST = "kubernetes:rabbitmq.com/v1beta1:Vhost"
OPERATOR_POLICY = "kubernetes:rabbitmq.com/v1beta1:OperatorPolicy"
# Tags that let a user manage the broker (RabbitMQ, management plugin, and impersonator of access control).
MANAGING = ("administrator", "impersonator", "management", "monitoring", "policymaker")
# A name that no permission is meant for.
UNRELATED = "zq-nobodys-queue-7"


@rule(
    id="queue-message-survive",
    why="A payment message must survive the loss of any one broker and a restart of all of them.",
    severity=HIGH,
    controls=("Seed 11", "Seed 20"),
    types=(QUEUE,),
    fix="set spec.type to quorum, spec.durable to true and leave spec.autoDelete out",
    good={"spec": {"type": "quorum", "durable": True, "autoDelete": False}},
    bad={"spec": {"type": "classic", "durable": True, "autoDelete": False}},
    also_bad={
        "gone after a restart": {"spec": {"type": "quorum", "durable": False, "autoDelete": False}},
        "gone with its last reader": {"spec": {"type": "quorum", "durable": True, "autoDelete": True}},
    },
    # CRD queues.rabbitmq.com: a boolean that is left out is false.
    defaults={"spec.autoDelete": False},
)
def message_survives(queue: Reading) -> Check:
    spec = queue["spec"]
    return spec["type"].one_of("quorum") & spec["durable"].is_true() & spec["autoDelete"].is_false()


@rule(
    id="queue-group-odd",
    why="An even number of copies costs more and survives no more failures than one copy less.",
    severity=HIGH,
    controls=("Seed 20",),
    types=(QUEUE,),
    fix='set spec.arguments["x-quorum-initial-group-size"] to 3 (or 1, 5, 7)',
    good={"spec": {"arguments": {"x-quorum-initial-group-size": 3}}},
    bad={"spec": {"arguments": {"x-quorum-initial-group-size": 2}}},
    also_good={
        "one": {"spec": {"arguments": {"x-quorum-initial-group-size": 1}}},
        "five": {"spec": {"arguments": {"x-quorum-initial-group-size": 5}}},
        "seven": {"spec": {"arguments": {"x-quorum-initial-group-size": 7}}},
    },
    # RabbitMQ, quorum queues: three copies when left out.
    defaults={'spec.arguments["x-quorum-initial-group-size"]': 3},
)
def group_odd(queue: Reading) -> Check:
    return queue["spec.arguments"].key("x-quorum-initial-group-size").one_of(1, 3, 5, 7)


@rule(
    id="queue-argument-modern",
    why="RabbitMQ 4.3 refuses to make a queue that asks for what is gone, and payments have nowhere to go.",
    severity=HIGH,
    controls=("Seed 20",),
    types=(QUEUE,),
    fix="take x-queue-mode, x-queue-version and x-ha-policy out of spec.arguments",
    good={"spec": {"arguments": {}}},
    bad={"spec": {"arguments": {"x-queue-mode": "lazy"}}},
    also_good={"none": {"spec": {}}},
    also_bad={
        "an old version": {"spec": {"arguments": {"x-queue-version": 1}}},
        "mirrors": {"spec": {"arguments": {"x-ha-policy": "all"}}},
    },
)
def arguments_modern(queue: Reading) -> Check:
    gone = queue["spec.arguments"]
    old = gone.key("x-queue-mode").is_left_out() & gone.key("x-queue-version").is_left_out()
    return old & gone.key("x-ha-policy").is_left_out()


@rule(
    id="queue-life-endless",
    why="A queue that removes itself when nobody reads takes the payments in it along.",
    severity=HIGH,
    controls=("Seed 11",),
    types=(QUEUE, POLICY, OPERATOR_POLICY),
    fix="take x-expires out of spec.arguments (in a policy: expires out of spec.definition)",
    good={"spec": {"arguments": {}, "definition": {}}},
    bad={"spec": {"arguments": {"x-expires": 3600000}, "definition": {}}},
    also_bad={"by policy": {"spec": {"arguments": {}, "definition": {"expires": 3600000}}}},
)
def life_endless(queue: Reading) -> Check:
    spec = queue["spec"]
    return spec["arguments"].key("x-expires").is_left_out() & spec["definition.expires"].is_left_out()


@rule(
    id="queue-argument-overflow",
    why="An argument of the queue wins over every policy, and this one drops the payment that has waited longest.",
    severity=HIGH,
    controls=("Seed 20",),
    types=(QUEUE,),
    fix="take x-overflow out of spec.arguments, or set it to reject-publish",
    good={"spec": {"arguments": {"x-overflow": "reject-publish"}}},
    bad={"spec": {"arguments": {"x-overflow": "drop-head"}}},
    # RabbitMQ: left out, the policy decides.
    defaults={'spec.arguments["x-overflow"]': None},
)
def overflow_not_overridden(queue: Reading) -> Check:
    return queue["spec.arguments"].key("x-overflow").one_of("reject-publish")


@rule(
    id="queue-record-retain",
    why="Taking a queue out of the list must not throw away the payments in it.",
    severity=LOW,  # a stack that is thrown away does without; staging and prod make it mandatory
    controls=("Seed 19",),
    types=(QUEUE, VHOST),
    fix="set spec.deletionPolicy to retain",
    good={"spec": {"deletionPolicy": "retain"}},
    bad={"spec": {"deletionPolicy": "delete"}},
)
def record_retained(queue: Reading) -> Check:
    return queue["spec.deletionPolicy"].one_of("retain")


@rule(
    id="queue-vhost-quorum",
    why="A queue that a program makes by itself must be as safe as those that we declare.",
    severity=MEDIUM,
    controls=("Seed 20",),
    types=(VHOST,),
    fix="set spec.defaultQueueType to quorum",
    good={"spec": {"defaultQueueType": "quorum"}},
    bad={"spec": {"defaultQueueType": "classic"}},
)
def vhost_quorum(vhost: Reading) -> Check:
    return vhost["spec.defaultQueueType"].one_of("quorum")


@rule(
    id="queue-exchange-durable",
    why="An exchange that is gone after a restart turns every payment away, or loses it.",
    severity=HIGH,
    controls=("Seed 11",),
    types=("kubernetes:rabbitmq.com/v1beta1:Exchange",),
    fix="set spec.durable to true and leave spec.autoDelete out",
    good={"spec": {"durable": True, "autoDelete": False}},
    bad={"spec": {"durable": False, "autoDelete": False}},
    also_bad={"gone with its last queue": {"spec": {"durable": True, "autoDelete": True}}},
    # CRD exchanges.rabbitmq.com: a boolean that is left out is false.
    defaults={"spec.autoDelete": False},
)
def exchange_durable(exchange: Reading) -> Check:
    return exchange["spec.durable"].is_true() & exchange["spec.autoDelete"].is_false()


def _permissions(configure: str, write: str, read: str) -> dict[str, object]:
    return {"spec": {"permissions": {"configure": configure, "write": write, "read": read}}}


@rule(
    id="queue-permission-narrow",
    why="A service that may read or write every queue can take or forge other services' payments.",
    severity=HIGH,
    controls=("PCI-DSS 7.2.5",),
    types=("kubernetes:rabbitmq.com/v1beta1:Permission",),
    fix="name the queues in spec.permissions, as in ^(payments)$, and set what is not needed to ^$",
    good=_permissions("^$", "^(payments)$", "^(payments)$"),
    bad=_permissions("^$", ".*", "^(payments)$"),
    also_bad={
        "to read": _permissions("^$", "^(payments)$", "^"),
        "to make and delete": _permissions(".+", "^(payments)$", "^(payments)$"),
        "anything that begins so": _permissions("^$", "^[a-z]", "^(payments)$"),
        "no expression": _permissions("^$", "(", "^(payments)$"),
    },
)
def permission_narrow(permission: Reading) -> Check:
    allowed = permission["spec.permissions"]
    return _named(allowed["configure"]) & _named(allowed["write"]) & _named(allowed["read"])


def _named(expression: Reading) -> Check:
    return expression.satisfies(lambda text: isinstance(text, str) and not _takes_in(text, UNRELATED), "queues by name")


def _takes_in(expression: str, name: str) -> bool:
    try:
        return re.search(expression, name) is not None
    except re.error:
        return True


@rule(
    id="queue-user-plain",
    why="A service's login that may also manage the broker can change or remove every queue.",
    severity=HIGH,
    controls=("PCI-DSS 7.2.5",),
    types=("kubernetes:rabbitmq.com/v1beta1:User",),
    fix="leave the tags that manage the broker out of spec.tags",
    good={"spec": {"tags": ["payments"]}},
    bad={"spec": {"tags": ["administrator"]}},
    also_good={"none": {"spec": {"tags": []}}},
    also_bad={"to look around": {"spec": {"tags": ["monitoring"]}}},
    # CRD users.rabbitmq.com: without tags a user can do nothing but send and receive.
    defaults={"spec.tags": None},
)
def user_plain(user: Reading) -> Check:
    return user["spec.tags"].each(lambda tag: tag.none_of(*MANAGING))
