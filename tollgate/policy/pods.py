"""Reading pods, whatever holds them: a Pod, or a template in a Deployment, a Job, a CronJob and so on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from tollgate.policy.check import HOLDS, Check
from tollgate.policy.reading import Reading, State

# Everything in Kubernetes' own groups that makes pods (pulumi_kubernetes 4.34.2; versions that no API server serves
# any more are left out).
WORKLOADS = (
    "kubernetes:apps/v1:DaemonSet",
    "kubernetes:apps/v1:Deployment",
    "kubernetes:apps/v1:ReplicaSet",
    "kubernetes:apps/v1:StatefulSet",
    "kubernetes:batch/v1:CronJob",
    "kubernetes:batch/v1:Job",
    "kubernetes:core/v1:Pod",
    "kubernetes:core/v1:ReplicationController",
)
# What holds a pod, and where in it the pod is.
_HOLDERS = {"spec.template": "spec", "spec.jobTemplate": "spec.template.spec"}
_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_NONE: Mapping[str, Any] = MappingProxyType({})


def each_pod(workload: Reading, check: Callable[[Reading], Check]) -> Check:
    """Every pod spec that the object holds passes ``check``. One that holds none is read as a Pod."""
    holders = [(workload[holder], inside) for holder, inside in _HOLDERS.items()]
    found = [holder[inside] for holder, inside in holders if holder.state is not State.MISSING]
    own = workload["spec"]
    if not found or own["containers"].state is not State.MISSING:
        found.append(own)
    result = HOLDS
    for pod in found:
        result &= check(pod)
    return result


def each_container(workload: Reading, check: Callable[[Reading], Check]) -> Check:
    """Every container of every pod passes ``check``: those that start first and those for debugging, too."""

    def judge(pod: Reading) -> Check:
        return (
            pod["containers"].each(check) & pod["initContainers"].each(check) & pod["ephemeralContainers"].each(check)
        )

    return each_pod(workload, judge)


def picks_some(selector: Reading) -> Check:
    """A label selector that names something. An empty one picks everything there is."""
    labels, expressions = selector["matchLabels"], selector["matchExpressions"]
    by_label = labels.is_set() & labels.each_value(Reading.is_set)
    by_expression = expressions.some(lambda term: term["key"].is_set(), "an expression")
    return selector.any_of([by_label, by_expression], "a label or an expression")


def pod_defaults(pod: Mapping[str, Any] = _NONE, container: Mapping[str, Any] = _NONE) -> dict[str, Any]:
    """A rule's ``defaults`` in every place where a pod may stand, from paths below the pod and below a container.

    Init and ephemeral containers are optional (Kubernetes API reference, PodSpec).
    """
    below = {"initContainers": None, "ephemeralContainers": None, **pod}
    below |= {f"{kind}[*].{path}": value for kind in _CONTAINERS for path, value in container.items()}
    places = ("spec", *(f"{holder}.{inside}" for holder, inside in _HOLDERS.items()))
    return {f"{place}.{path}": value for place in places for path, value in below.items()}
