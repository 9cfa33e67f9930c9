"""Rules for what grows and shrinks by itself: HorizontalPodAutoscaler and KEDA."""

from typing import Any

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import LOW, MEDIUM
from tollgate.policy.statement import rule

SCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
OLD_SCALER = "kubernetes:autoscaling/v1:HorizontalPodAutoscaler"
KEDA = "kubernetes:keda.sh/v1alpha1:ScaledObject"
MOST = 100  # copies: the largest worker pool of article 17


@rule(
    id="scale-copy-bound",
    why="A service that may grow without end turns one bad hour into a month's bill, and into the database's end.",
    severity=MEDIUM,
    controls=("Seed 17",),
    types=(SCALER, OLD_SCALER),
    fix=f"set spec.maxReplicas to {MOST} or less",
    good={"spec": {"maxReplicas": MOST}},
    bad={"spec": {"maxReplicas": MOST + 1}},
)
def copies_bounded(scaler: Reading) -> Check:
    return scaler["spec.maxReplicas"].at_most(MOST, "copies")


@rule(
    id="scale-copy-two",
    why="One copy is an outage with every restart.",
    severity=MEDIUM,
    controls=("Seed 17",),
    types=(SCALER, OLD_SCALER),
    fix="set spec.minReplicas to 2 or more",
    good={"spec": {"minReplicas": 2}},
    bad={"spec": {"minReplicas": 1}},
)
def two_copies_stay(scaler: Reading) -> Check:
    return scaler["spec.minReplicas"].at_least(2, "copies")


@rule(
    id="scale-measure-name",
    why="A scaler without a measure does nothing, and looks as if it did.",
    severity=MEDIUM,
    controls=("Seed 17",),
    types=(SCALER,),
    fix="name a measure in spec.metrics",
    good={"spec": {"metrics": [{"type": "Resource"}]}},
    bad={"spec": {"metrics": []}},
)
def measure_named(scaler: Reading) -> Check:
    return scaler["spec.metrics"].some(lambda measure: measure["type"].is_set(), "a measure")


@rule(
    id="scale-worker-bound",
    why="Workers that grow with the queue, without end, move the jam to the database.",
    severity=MEDIUM,
    controls=("Seed 17",),
    types=(KEDA,),
    fix=f"set spec.maxReplicaCount to {MOST} or less",
    good={"spec": {"maxReplicaCount": MOST}},
    bad={"spec": {"maxReplicaCount": MOST + 1}},
)
def workers_bounded(scaler: Reading) -> Check:
    return scaler["spec.maxReplicaCount"].at_most(MOST, "copies")


def _trigger(kind: str, **metadata: Any) -> dict[str, Any]:
    return {"spec": {"triggers": [{"type": kind, "metadata": metadata}]}}


@rule(
    id="scale-worker-busy",
    why="A count that leaves out messages being worked on takes busy workers away in the middle of a payment.",
    severity=MEDIUM,
    controls=("Seed 17",),
    types=(KEDA,),
    fix="set protocol to http and leave excludeUnacknowledged at false in the rabbitmq trigger's metadata",
    good=_trigger("rabbitmq", protocol="http", excludeUnacknowledged="false"),
    bad=_trigger("rabbitmq", protocol="amqp", excludeUnacknowledged="false"),
    also_good={
        "another measure": _trigger("cron", protocol="amqp"),
        "two": {"spec": {"triggers": [{"type": "cron"}, {"type": "rabbitmq", "metadata": {"protocol": "http"}}]}},
    },
    also_bad={
        "left out": _trigger("rabbitmq", protocol="http", excludeUnacknowledged="true"),
        "one of two": {
            "spec": {"triggers": [{"type": "cron"}, {"type": "rabbitmq", "metadata": {"protocol": "amqp"}}]}
        },
    },
    # KEDA, scaler rabbitmq-queue: false when left out.
    defaults={"spec.triggers[*].metadata.excludeUnacknowledged": "false"},
)
def busy_workers_counted(scaler: Reading) -> Check:
    def counts(trigger: Reading) -> Check:
        metadata = trigger["metadata"]
        counted = metadata["protocol"].one_of("http") & metadata["excludeUnacknowledged"].one_of("false")
        return counted.unless(trigger["type"].none_of("rabbitmq"))

    return scaler["spec.triggers"].each(counts)


@rule(
    id="scale-worker-fallback",
    why="When the measure cannot be read, the number of workers must not depend on luck.",
    severity=LOW,
    controls=("Seed 17",),
    types=(KEDA,),
    fix="set spec.fallback.replicas and spec.fallback.failureThreshold",
    good={"spec": {"fallback": {"replicas": 1, "failureThreshold": 1}}},
    bad={"spec": {"fallback": {"replicas": 0, "failureThreshold": 1}}},
    also_bad={"never": {"spec": {"fallback": {"replicas": 1, "failureThreshold": 0}}}},
)
def fallback_set(scaler: Reading) -> Check:
    fallback = scaler["spec.fallback"]
    return fallback["replicas"].at_least(1, "copies") & fallback["failureThreshold"].at_least(1)
