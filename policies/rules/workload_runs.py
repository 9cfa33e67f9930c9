"""Rules for how workloads run: their images, their share of the node, their copies, and their end."""

import re
from collections.abc import Mapping
from typing import Any

from tollgate.policy.check import Check
from tollgate.policy.pods import WORKLOADS, each_container, each_pod, picks_some, pod_defaults
from tollgate.policy.reading import Reading
from tollgate.policy.severity import HIGH, LOW, MEDIUM
from tollgate.policy.statement import rule
from tollgate.policy.units import is_amount, quantity

STATEFUL = "kubernetes:apps/v1:StatefulSet"
# What runs until it is stopped, so that somebody has to ask whether it is well.
SERVICES = ("kubernetes:apps/v1:DaemonSet", "kubernetes:apps/v1:Deployment", STATEFUL)
REPLICATED = ("kubernetes:apps/v1:Deployment", STATEFUL)
_DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")
# Images that get no repairs any more (Bitnami, August 2025: moved to bitnamilegacy).
_ABANDONED = re.compile(r"(.*/)?bitnami(legacy)?/.*")
_A_DIGEST = "f" * 64
# A third at most, which leaves a majority of three, five or seven.
_SMALL_SHARE = re.compile(r"([1-9]|[12]\d|3[0-3])%")


def _container(**container: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [container]}}}}


def _containers(*containers: Mapping[str, Any]) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": list(containers)}}}}


def _first(**container: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [], "initContainers": [container]}}}}


def _pod(**spec: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": spec}}}


@rule(
    id="workload-image-pin",
    why="An image that can change under its name runs code that nobody approved.",
    severity=HIGH,
    controls=("PCI-DSS 6.3.2", "Seed 14"),
    types=WORKLOADS,
    fix="set each image to one with its @sha256 digest",
    good=_container(image=f"ghcr.io/bank/gateway:1.4.2@sha256:{_A_DIGEST}"),
    bad=_container(image="ghcr.io/bank/gateway:latest"),
    also_good={"one that starts first": _first(image=f"ghcr.io/bank/wait@sha256:{_A_DIGEST}")},
    also_bad={
        "a version can change, too": _container(image="ghcr.io/bank/gateway:1.4.2"),
        "one that starts first": _first(image="ghcr.io/bank/wait"),
        "half a digest": _container(image="ghcr.io/bank/gateway@sha256:ffff"),
    },
    defaults=pod_defaults(),
)
def image_pinned(workload: Reading) -> Check:
    return each_container(workload, lambda one: one["image"].matches(_DIGEST, "an image with its @sha256 digest"))


@rule(
    id="workload-image-kept",
    why="An image that nobody repairs any more collects known holes.",
    severity=HIGH,
    controls=("PCI-DSS 6.3.3",),
    types=WORKLOADS,
    fix="use an image that is still maintained instead of bitnami's",
    good=_container(image="docker.io/valkey/valkey"),
    bad=_container(image="docker.io/bitnami/valkey"),
    also_bad={"where it was moved": _container(image="bitnamilegacy/valkey")},
    defaults=pod_defaults(),
)
def image_kept(workload: Reading) -> Check:
    def kept(container: Reading) -> Check:
        return container["image"].satisfies(lambda name: not _ABANDONED.fullmatch(str(name)), "a maintained image")

    return each_container(workload, kept)


def _resources(requests: Mapping[str, Any], limits: Mapping[str, Any]) -> dict[str, Any]:
    return _container(resources={"requests": requests, "limits": limits})


@rule(
    id="workload-resource-bound",
    why="A program without limits can take the memory of every payment service on its node.",
    severity=HIGH,
    controls=("Seed 14", "Seed 16"),
    types=WORKLOADS,
    fix="set resources.requests.cpu, resources.requests.memory and resources.limits.memory of each container",
    good=_resources({"cpu": "100m", "memory": "128Mi"}, {"memory": "256Mi"}),
    bad=_resources({"cpu": "100m", "memory": "128Mi"}, {"memory": "0"}),
    also_bad={
        "no share of the processor": _resources({"cpu": "0", "memory": "128Mi"}, {"memory": "256Mi"}),
        "no share of the memory": _resources({"cpu": "100m", "memory": ""}, {"memory": "256Mi"}),
        "one that starts first": _first(resources={"requests": {"cpu": 1, "memory": 1}, "limits": {"memory": "0"}}),
    },
    also_good={
        "one that starts first": _first(resources={"requests": {"cpu": 1, "memory": 1}, "limits": {"memory": 2}}),
    },
    # Kubernetes API reference: containers for looking into a pod cannot have resources.
    defaults=pod_defaults(),
)
def resources_bounded(workload: Reading) -> Check:
    def bounded(container: Reading) -> Check:
        resources = container["resources"]
        asked = _some(resources["requests.cpu"]) & _some(resources["requests.memory"])
        return asked & _some(resources["limits.memory"])

    return each_pod(workload, lambda pod: pod["containers"].each(bounded) & pod["initContainers"].each(bounded))


def _some(amount: Reading) -> Check:
    return amount.satisfies(is_amount, "an amount above 0")


_SAME = {"requests": {"memory": "1Gi"}, "limits": {"memory": "1Gi"}}
_RESERVED = {"resources": _SAME}


@rule(
    id="workload-memory-reserve",
    why="A store whose memory is promised to others is the first to be killed when they use it.",
    severity=HIGH,
    controls=("Seed 16", "Seed 20"),
    types=(STATEFUL,),
    fix="set resources.requests.memory and resources.limits.memory of each container to the same amount",
    good=_resources({"memory": "1Gi"}, {"memory": "1024Mi"}),
    bad=_resources({"memory": "512Mi"}, {"memory": "1024Mi"}),
    also_good={"two": _containers(_RESERVED, _RESERVED)},
    also_bad={"one of two": _containers(_RESERVED, {"resources": {**_SAME, "requests": {"memory": "512Mi"}}})},
    defaults=pod_defaults(),
)
def memory_reserved(workload: Reading) -> Check:
    def reserved(container: Reading) -> Check:
        resources = container["resources"]
        return resources["requests.memory"].same_as(resources["limits.memory"], quantity)

    return each_pod(workload, lambda pod: pod["containers"].each(reserved))


@rule(
    id="workload-scratch-bound",
    why="A scratch folder without a limit can fill the node's disk and stop every pod on it.",
    severity=MEDIUM,
    controls=("Seed 16",),
    types=WORKLOADS,
    fix="set emptyDir.sizeLimit",
    good=_pod(volumes=[{"emptyDir": {"sizeLimit": "64Mi"}}]),
    bad=_pod(volumes=[{"emptyDir": {"sizeLimit": "0"}}]),
    also_good={
        "another kind": _pod(volumes=[{"secret": {"secretName": "db"}}]),
        "two": _pod(volumes=[{"emptyDir": {"sizeLimit": "1"}}, {"emptyDir": {"sizeLimit": "1"}}]),
    },
    also_bad={
        "none said": _pod(volumes=[{"emptyDir": {}}]),
        "one of two": _pod(volumes=[{"emptyDir": {"sizeLimit": "1"}}, {"emptyDir": {"sizeLimit": "0"}}]),
    },
    # Kubernetes API reference, PodSpec: no volumes when left out.
    defaults=pod_defaults({"volumes": None}),
)
def scratch_bounded(workload: Reading) -> Check:
    def bounded(volume: Reading) -> Check:
        return _some(volume["emptyDir.sizeLimit"]).unless(volume["emptyDir"].is_left_out())

    return each_pod(workload, lambda pod: pod["volumes"].each(bounded))


_PROBE = {"tcpSocket": {"port": 6379}}


@rule(
    id="workload-probe-ready",
    why="Without a question whether it is ready, a service gets payments before it can take them.",
    severity=MEDIUM,
    controls=("Seed 18",),
    types=SERVICES,
    fix="give each container a readinessProbe",
    good=_container(readinessProbe={"tcpSocket": {"port": 6379}}),
    bad=_container(readinessProbe={}),
    also_good={
        "by a page": _container(readinessProbe={"httpGet": {"port": 8080}}),
        "by a call": _container(readinessProbe={"grpc": {"port": 9090}}),
        "by a command": _container(readinessProbe={"exec": {"command": ["ready"]}}),
        "two": _containers({"readinessProbe": _PROBE}, {"readinessProbe": _PROBE}),
    },
    also_bad={"one of two": _containers({"readinessProbe": _PROBE}, {"readinessProbe": {}})},
    defaults=pod_defaults(),
)
def probe_ready(workload: Reading) -> Check:
    return each_pod(workload, lambda pod: pod["containers"].each(lambda one: _asks(one["readinessProbe"])))


@rule(
    id="workload-probe-alive",
    why="Without a question whether it is alive, a program that hangs is never started again.",
    severity=MEDIUM,
    controls=("Seed 18",),
    types=SERVICES,
    fix="give each container a livenessProbe",
    good=_container(livenessProbe={"tcpSocket": {"port": 6379}}),
    bad=_container(livenessProbe={}),
    also_good={"two": _containers({"livenessProbe": _PROBE}, {"livenessProbe": _PROBE})},
    also_bad={"one of two": _containers({"livenessProbe": _PROBE}, {"livenessProbe": {}})},
    defaults=pod_defaults(),
)
def probe_alive(workload: Reading) -> Check:
    return each_pod(workload, lambda pod: pod["containers"].each(lambda one: _asks(one["livenessProbe"])))


def _asks(probe: Reading) -> Check:
    questions = [probe[where].is_set() for where in ("exec.command", "grpc.port", "httpGet.port", "tcpSocket.port")]
    return probe.any_of(questions, "a question: exec, grpc, httpGet or tcpSocket")


def _copies(replicas: int, **pod: Any) -> dict[str, Any]:
    return {"spec": {"replicas": replicas, "template": {"spec": pod}}}


def _kept_apart(*terms: Any) -> dict[str, Any]:
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}}


@rule(
    id="workload-copy-spread",
    why="Copies that share one machine are lost together with it.",
    severity=MEDIUM,
    controls=("Seed 20",),
    types=REPLICATED,
    fix="set topologySpreadConstraints, or require podAntiAffinity, when there is more than one copy",
    good=_copies(3, topologySpreadConstraints=[{"topologyKey": "kubernetes.io/hostname"}]),
    bad=_copies(3, topologySpreadConstraints=[]),
    also_good={
        "kept apart": _copies(3, affinity=_kept_apart({"topologyKey": "kubernetes.io/hostname"})),
        "one copy": _copies(1),
    },
    also_bad={"wishes only": _copies(3, affinity=_kept_apart()), "two": _copies(2)},
    # Kubernetes API reference: one copy when left out.
    defaults={"spec.replicas": 1},
)
def copies_spread(workload: Reading) -> Check:
    pod = workload["spec.template.spec"]
    apart = pod["affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution"]
    spread = _over_machines(pod["topologySpreadConstraints"]).unless(_over_machines(apart))
    return spread.unless(workload["spec.replicas"].at_most(1))


def _over_machines(terms: Reading) -> Check:
    return terms.some(lambda term: term["topologyKey"].is_set(), "one with a topologyKey")


@rule(
    id="workload-drain-allow",
    why="A budget that can never be met stops the repair of machines; one that is too large stops payments.",
    severity=HIGH,
    controls=("Seed 20",),
    types=("kubernetes:policy/v1:PodDisruptionBudget",),
    fix="set spec.maxUnavailable to 1, or to 33% at most, and name the pods in spec.selector",
    good={"spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "gateway"}}}},
    bad={"spec": {"maxUnavailable": 0, "selector": {"matchLabels": {"app": "gateway"}}}},
    also_good={
        "a share": {"spec": {"maxUnavailable": "33%", "selector": {"matchLabels": {"app": "gateway"}}}},
        "by expression": {"spec": {"maxUnavailable": 1, "selector": {"matchExpressions": [{"key": "app"}]}}},
    },
    also_bad={
        "no share": {"spec": {"maxUnavailable": "0%", "selector": {"matchLabels": {"app": "gateway"}}}},
        "too large a share": {"spec": {"maxUnavailable": "34%", "selector": {"matchLabels": {"app": "gateway"}}}},
        "two of three": {"spec": {"maxUnavailable": 2, "selector": {"matchLabels": {"app": "gateway"}}}},
        "all pods there are": {"spec": {"maxUnavailable": 1, "selector": {}}},
    },
)
def drain_allowed(budget: Reading) -> Check:
    spec = budget["spec"]
    few = spec["maxUnavailable"].one_of(1) | spec["maxUnavailable"].matches(_SMALL_SHARE, "33% at most")
    return spec["maxUnavailable"].any_of([few], "1, or 33% at most") & picks_some(spec["selector"])


@rule(
    id="workload-stop-gentle",
    why="A program that is killed at once cannot finish the payment that it is working on.",
    severity=MEDIUM,
    controls=("Seed 18",),
    types=WORKLOADS,
    fix="set terminationGracePeriodSeconds to what the longest payment takes, or leave it out",
    good=_pod(terminationGracePeriodSeconds=1),
    bad=_pod(terminationGracePeriodSeconds=0),
    # Kubernetes API reference, PodSpec: 30 when left out.
    defaults=pod_defaults({"terminationGracePeriodSeconds": 30}),
)
def stop_gentle(workload: Reading) -> Check:
    return each_pod(workload, lambda pod: pod["terminationGracePeriodSeconds"].at_least(1, "seconds"))


@rule(
    id="workload-update-rolling",
    why="Stopping all copies before the new ones start is an outage with every release.",
    severity=MEDIUM,
    controls=("Seed 18",),
    types=("kubernetes:apps/v1:Deployment",),
    fix="set spec.strategy.type to RollingUpdate",
    good={"spec": {"strategy": {"type": "RollingUpdate"}}},
    bad={"spec": {"strategy": {"type": "Recreate"}}},
    # Kubernetes API reference, DeploymentStrategy: RollingUpdate when left out.
    defaults={"spec.strategy.type": "RollingUpdate"},
)
def update_rolling(workload: Reading) -> Check:
    return workload["spec.strategy.type"].one_of("RollingUpdate")


@rule(
    id="workload-label-owner",
    why="A workload that does not say what it belongs to is nobody's when it fails or costs too much.",
    severity=LOW,
    controls=("PCI-DSS 12.5.1", "Seed 13"),
    types=WORKLOADS,
    fix="set the labels app.kubernetes.io/name and app.kubernetes.io/part-of",
    good={"metadata": {"labels": {"app.kubernetes.io/name": "gateway", "app.kubernetes.io/part-of": "payments"}}},
    bad={"metadata": {"labels": {"app.kubernetes.io/name": "gateway", "app.kubernetes.io/part-of": ""}}},
    also_bad={
        "no name": {"metadata": {"labels": {"app.kubernetes.io/name": "", "app.kubernetes.io/part-of": "payments"}}}
    },
)
def label_owner(workload: Reading) -> Check:
    labels = workload["metadata.labels"]
    return labels.key("app.kubernetes.io/name").is_set() & labels.key("app.kubernetes.io/part-of").is_set()
