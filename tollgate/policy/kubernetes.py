"""What the Kubernetes API means by places, labels and selectors; source: the Kubernetes API reference, v1.36."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tollgate.policy.check import HOLDS, Check, Finding, fails, unshown
from tollgate.policy.pods import WORKLOADS
from tollgate.policy.reading import Reading, State
from tollgate.policy.sentinels import UNKNOWN
from tollgate.policy.stack import Resource, Stack, equal

CNPG_CLUSTER = "kubernetes:postgresql.cnpg.io/v1:Cluster"
RABBITMQ_CLUSTER = "kubernetes:rabbitmq.com/v1beta1:RabbitmqCluster"
_NAME = "{name}"  # stands for the name of the object
# Operators give the pods that they make labels of their own; sources: CloudNativePG 1.30, "Labels and annotations";
# RabbitMQ cluster operator, internal/metadata/label.go.
_OPERATOR_LABELS: Mapping[str, Mapping[str, str]] = {
    CNPG_CLUSTER: {"cnpg.io/cluster": _NAME, "cnpg.io/podRole": "instance"},
    RABBITMQ_CLUSTER: {
        "app.kubernetes.io/name": _NAME,
        "app.kubernetes.io/component": "rabbitmq",
        "app.kubernetes.io/part-of": "rabbitmq",
    },
}
POD_MAKERS = (*WORKLOADS, *_OPERATOR_LABELS)
# Where the template of the pods is kept, when not in spec.template.
_TEMPLATES = {"kubernetes:batch/v1:CronJob": "spec.jobTemplate.spec.template.", "kubernetes:core/v1:Pod": ""}


NAMESPACE = "metadata.namespace"


def near(resource: Resource, stack: Stack, *types: str) -> list[Resource]:
    """The objects of these types that may be in the same namespace."""
    return stack.alike(NAMESPACE, resource[NAMESPACE], *types)


def same_namespace(one: Resource, other: Resource) -> Check:
    return equal(one[NAMESPACE], other[NAMESPACE])


def is_named(resource: Resource, name: Reading) -> Check:
    """Whether a reading is the name of an object."""
    return equal(resource["metadata.name"], name)


def pod_labels(resource: Resource) -> Reading:
    """The labels of the pods of a workload, or of an operator's object."""
    if resource.type in _OPERATOR_LABELS:
        name = resource["metadata.name"]
        given = UNKNOWN if name.state is State.UNKNOWN else name.value
        return Reading({key: given if text == _NAME else text for key, text in _OPERATOR_LABELS[resource.type].items()})
    return resource[f"{_TEMPLATES.get(resource.type, 'spec.template.')}metadata.labels"]


def selects(selector: Reading, labels: Reading) -> Check:
    """Whether a label selector selects pods with these labels. An empty one selects all; one left out, none."""
    if selector.state is State.MISSING:
        return fails(Finding("", "has no selector", "one that selects the pods"))
    result = HOLDS
    for check in (*_matches_labels(selector["matchLabels"], labels), *_matches_expressions(selector, labels)):
        result &= check
    return result if selector.state is State.KNOWN else selector.is_set()


def _matches_labels(wanted: Reading, labels: Reading) -> Iterator[Check]:
    if wanted.state is State.UNKNOWN:
        yield wanted.is_set()
    elif isinstance(wanted.value, Mapping):
        yield has_labels(wanted, labels)


def has_labels(wanted: Reading, labels: Reading) -> Check:
    """Every one of these labels is there with this value."""
    if wanted.state is not State.KNOWN or not isinstance(wanted.value, Mapping):
        return wanted.is_set()
    result = HOLDS
    for key in wanted.value:
        mine = labels.key(key)
        result &= fails(_lacks(key)) if mine.state is State.MISSING else equal(wanted.key(key), mine)
    return result


def _matches_expressions(selector: Reading, labels: Reading) -> Iterator[Check]:
    expressions = selector["matchExpressions"]
    if expressions.state is State.UNKNOWN:
        yield expressions.is_set()
    if isinstance(expressions.value, list):
        yield from (_holds(expressions[place], labels) for place in range(len(expressions.value)))


def _holds(expression: Reading, labels: Reading) -> Check:
    key, operator, values = expression["key"], expression["operator"], expression["values"]
    if State.UNKNOWN in (expression.state, key.state, operator.state, values.state):
        return unshown(Finding("", "has an expression that is not known", "one that is known"))
    label = labels.key(str(key.value))
    if label.state is State.UNKNOWN:
        return label.is_set()
    allowed = values.value if isinstance(values.value, list) else []
    present = label.state is State.KNOWN
    met = {
        "In": present and label.value in allowed,
        "NotIn": label.value not in allowed,
        "Exists": present,
        "DoesNotExist": not present,
    }.get(str(operator.value), False)
    return HOLDS if met else fails(_lacks(str(key.value)))


def _lacks(key: str) -> Finding:
    return Finding("", f"selects by {key}", "a label that the pods have")
