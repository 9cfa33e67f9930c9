"""Rules for RabbitMQ's policies: what queues do when they are full, when a message fails, and when it waits."""

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import HIGH, MEDIUM
from tollgate.policy.statement import rule

POLICY = "kubernetes:rabbitmq.com/v1beta1:Policy"
OPERATOR_POLICY = "kubernetes:rabbitmq.com/v1beta1:OperatorPolicy"
# A limit that no message ever reaches: "go on for ever", for a queue that has nowhere else to send messages to.
FOR_EVER = 1_000_000


@rule(
    id="queue-overflow-refuse",
    why="A full queue that drops its oldest message drops the payment that has waited longest.",
    severity=HIGH,
    controls=("Seed 16", "Seed 20"),
    types=(POLICY,),
    fix="set overflow in spec.definition to reject-publish",
    good={"spec": {"definition": {"overflow": "reject-publish"}}},
    bad={"spec": {"definition": {"overflow": "drop-head"}}},
    also_bad={"not for quorum queues": {"spec": {"definition": {"overflow": "reject-publish-dlx"}}}},
)
def overflow_refused(policy: Reading) -> Check:
    return policy["spec.definition.overflow"].one_of("reject-publish")


@rule(
    id="queue-length-bound",
    why="A queue without a bound grows until the broker's disk is full and all queues stop.",
    severity=HIGH,
    controls=("Seed 16", "Seed 20"),
    types=(POLICY,),
    fix="set max-length (or max-length-bytes) in spec.definition",
    good={"spec": {"definition": {"max-length": 1}}},
    bad={"spec": {"definition": {"max-length": 0}}},
    also_good={"in bytes": {"spec": {"definition": {"max-length": 0, "max-length-bytes": 1}}}},
    also_bad={"of no bytes": {"spec": {"definition": {"max-length": 0, "max-length-bytes": 0}}}},
)
def length_bounded(policy: Reading) -> Check:
    definition = policy["spec.definition"]
    return definition["max-length"].at_least(1).unless(definition["max-length-bytes"].at_least(1))


@rule(
    id="queue-letter-certain",
    why="Moving a failed payment aside must not be the moment at which it is lost.",
    severity=HIGH,
    controls=("Seed 11", "Seed 20"),
    types=(POLICY,),
    fix="set dead-letter-strategy in spec.definition to at-least-once, and overflow to reject-publish",
    good={
        "spec": {
            "definition": {
                "dead-letter-exchange": "dead",
                "dead-letter-strategy": "at-least-once",
                "overflow": "reject-publish",
            }
        }
    },
    bad={
        "spec": {
            "definition": {
                "dead-letter-exchange": "dead",
                "dead-letter-strategy": "at-most-once",
                "overflow": "reject-publish",
            }
        }
    },
    also_good={"nothing moves": {"spec": {"definition": {}}}},
    also_bad={
        "silently not": {
            "spec": {
                "definition": {
                    "dead-letter-exchange": "dead",
                    "dead-letter-strategy": "at-least-once",
                    "overflow": "drop-head",
                }
            }
        }
    },
    # RabbitMQ: left out, nothing is moved anywhere.
    defaults={'spec.definition["dead-letter-exchange"]': None},
)
def letters_certain(policy: Reading) -> Check:
    definition = policy["spec.definition"]
    certain = definition["dead-letter-strategy"].one_of("at-least-once") & definition["overflow"].one_of(
        "reject-publish"
    )
    return certain.unless(definition["dead-letter-exchange"].is_left_out())


@rule(
    id="queue-message-park",
    why="A message that failed too often is thrown away unless it has a place to wait for a person.",
    severity=HIGH,
    controls=("Seed 11", "Seed 20"),
    types=(POLICY,),
    fix="set delivery-limit and dead-letter-exchange in spec.definition",
    good={"spec": {"definition": {"delivery-limit": 12, "dead-letter-exchange": "dead"}}},
    bad={"spec": {"definition": {"delivery-limit": 12, "dead-letter-exchange": ""}}},
    also_good={
        "the place itself": {"spec": {"definition": {"delivery-limit": FOR_EVER}}},
        "one try": {"spec": {"definition": {"delivery-limit": 1, "dead-letter-exchange": "dead"}}},
    },
    also_bad={
        "endless, which some versions choke on": {
            "spec": {"definition": {"delivery-limit": -1, "dead-letter-exchange": "dead"}}
        },
        "no try": {"spec": {"definition": {"delivery-limit": 0, "dead-letter-exchange": "dead"}}},
        "no place": {"spec": {"definition": {"delivery-limit": FOR_EVER - 1}}},
    },
)
def message_parked(policy: Reading) -> Check:
    definition = policy["spec.definition"]
    limit = definition["delivery-limit"]
    return limit.at_least(1) & definition["dead-letter-exchange"].is_set().unless(limit.at_least(FOR_EVER))


@rule(
    id="queue-message-expire",
    why="A message that expires with nowhere to go is a payment that disappears without a trace.",
    severity=HIGH,
    controls=("Seed 11",),
    types=(POLICY, OPERATOR_POLICY),
    fix="take message-ttl out of spec.definition, or give a dead-letter-exchange",
    good={"spec": {"definition": {"message-ttl": 60000, "dead-letter-exchange": "retry"}}},
    bad={"spec": {"definition": {"message-ttl": 60000, "dead-letter-exchange": ""}}},
    also_good={"for ever": {"spec": {"definition": {}}}},
    # RabbitMQ: left out, messages do not expire.
    defaults={'spec.definition["message-ttl"]': None},
)
def message_expires_somewhere(policy: Reading) -> Check:
    definition = policy["spec.definition"]
    return definition["dead-letter-exchange"].is_set().unless(definition["message-ttl"].is_left_out())


@rule(
    id="queue-retry-spread",
    why="A payment that is tried again at once, or without counting, hits a provider that is down for ever.",
    severity=MEDIUM,
    controls=("Seed 11",),
    types=(POLICY,),
    fix="set delayed-retry-type in spec.definition to failed, and delayed-retry-min to a second or more",
    good={"spec": {"definition": {"delayed-retry-type": "failed", "delayed-retry-min": 1000}}},
    bad={"spec": {"definition": {"delayed-retry-type": "all", "delayed-retry-min": 1000}}},
    also_good={
        "not used": {"spec": {"definition": {}}},
        "switched off": {"spec": {"definition": {"delayed-retry-type": "disabled"}}},
    },
    also_bad={"at once": {"spec": {"definition": {"delayed-retry-type": "failed", "delayed-retry-min": 999}}}},
    # RabbitMQ 4.3: left out, retries are not delayed.
    defaults={'spec.definition["delayed-retry-type"]': "disabled"},
)
def retries_spread(policy: Reading) -> Check:
    definition = policy["spec.definition"]
    kind = definition["delayed-retry-type"]
    spread = kind.one_of("failed") & definition["delayed-retry-min"].at_least(1000, "ms")
    return spread.unless(kind.one_of("disabled"))


@rule(
    id="queue-mirror-gone",
    why="Mirrored queues were removed in RabbitMQ 4: what asks for them protects nothing.",
    severity=HIGH,
    controls=("Seed 20",),
    types=(POLICY, OPERATOR_POLICY),
    fix="take ha-mode, ha-params and ha-sync-mode out of spec.definition and use quorum queues",
    good={"spec": {"definition": {}}},
    bad={"spec": {"definition": {"ha-mode": "all"}}},
    also_bad={
        "how many": {"spec": {"definition": {"ha-params": 2}}},
        "how they catch up": {"spec": {"definition": {"ha-sync-mode": "automatic"}}},
    },
)
def mirrors_gone(policy: Reading) -> Check:
    definition = policy["spec.definition"]
    first = definition["ha-mode"].is_left_out() & definition["ha-params"].is_left_out()
    return first & definition["ha-sync-mode"].is_left_out()
