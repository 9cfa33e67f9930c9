"""Rules for message brokers and their queues: RabbitMQ on Kubernetes, Amazon MQ."""

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import CRITICAL, HIGH, MEDIUM
from tollgate.policy.statement import rule


@rule(
    id="broker-instance-private",
    why="A broker with a public address lets anyone who finds a password send payments.",
    severity=CRITICAL,
    controls=("PCI-DSS 1.4.4",),
    types=("aws:mq/broker:Broker",),
    fix="set publiclyAccessible to false",
    good={"publiclyAccessible": False},
    bad={"publiclyAccessible": True},
)
def broker_private(broker: Reading) -> Check:
    return broker["publiclyAccessible"].is_false()


@rule(
    id="broker-cluster-odd",
    why="An even number of brokers costs more and survives no more failures than one broker less.",
    severity=MEDIUM,
    types=("kubernetes:rabbitmq.com/v1beta1:RabbitmqCluster",),
    fix="set spec.replicas to 1, 3 or 5",
    good={"spec": {"replicas": 3}},
    bad={"spec": {"replicas": 4}},
    # RabbitMQ cluster operator, CRD rabbitmqclusters.rabbitmq.com: default 1.
    defaults={"spec.replicas": 1},
)
def cluster_odd(cluster: Reading) -> Check:
    return cluster["spec.replicas"].one_of(1, 3, 5)


@rule(
    id="queue-message-survive",
    why="A payment message must survive the loss of any one broker and a restart of all of them.",
    severity=HIGH,
    types=("kubernetes:rabbitmq.com/v1beta1:Queue",),
    fix="set spec.type to quorum, spec.durable to true and leave spec.autoDelete out",
    good={"spec": {"type": "quorum", "durable": True, "autoDelete": False}},
    bad={"spec": {"type": "classic", "durable": True, "autoDelete": False}},
    # CRD queues.rabbitmq.com: a boolean that is left out is false.
    defaults={"spec.autoDelete": False},
)
def message_survives(queue: Reading) -> Check:
    spec = queue["spec"]
    return spec["type"].one_of("quorum") & spec["durable"].is_true() & spec["autoDelete"].is_false()
