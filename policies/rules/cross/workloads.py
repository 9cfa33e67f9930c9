"""Rules for what belongs to a workload: who may reach it, how it is scaled, how it is kept up, how it is found."""

from tollgate.policy.check import HOLDS, Check, Finding, fails
from tollgate.policy.cross import cross_rule
from tollgate.policy.kubernetes import (
    CNPG_CLUSTER,
    POD_MAKERS,
    RABBITMQ_CLUSTER,
    has_labels,
    is_named,
    near,
    pod_labels,
    same_namespace,
    selects,
)
from tollgate.policy.reading import Reading, State
from tollgate.policy.sentinels import UNKNOWN
from tollgate.policy.severity import HIGH, MEDIUM
from tollgate.policy.stack import Resource, Stack, any_of

NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
SERVICE = "kubernetes:core/v1:Service"
BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"
SCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
SCALED = {"Deployment": DEPLOYMENT, "StatefulSet": STATEFUL_SET}
# How many pods each makes; left out, one (Kubernetes API reference; the CRDs of the two operators).
REPLICAS = {
    DEPLOYMENT: "spec.replicas",
    STATEFUL_SET: "spec.replicas",
    CNPG_CLUSTER: "spec.instances",
    RABBITMQ_CLUSTER: "spec.replicas",
}

Made = tuple[str, dict[str, object]]


def _object(kind: str, name: str, spec: object) -> Made:
    return kind, {"metadata": {"name": name, "namespace": "payments"}, "spec": spec}


def _worker(*, labels: object, replicas: int = 3, requests: object = None) -> Made:
    container = {"name": "worker", "resources": {"requests": requests or {"cpu": "1"}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return _object(DEPLOYMENT, "worker", {"replicas": replicas, "template": template})


_LABELS = {"app": "worker"}
_WORKER = _worker(labels=_LABELS)


def _selecting(labels: object) -> dict[str, object]:
    return {"matchLabels": labels}


@cross_rule(
    id="workload-network-select",
    why="A pod that no network policy selects takes calls from every other pod of the cluster.",
    severity=HIGH,
    controls=("PCI-DSS 1.3.1", "CIS-Kubernetes 5.3.2"),
    types=POD_MAKERS,
    reads=(NETWORK_POLICY,),
    fix="add a NetworkPolicy for Ingress in the pods' namespace whose podSelector selects them",
    good={"worker": _WORKER, "closed": _object(NETWORK_POLICY, "closed", {"podSelector": _selecting(_LABELS)})},
    bad={"worker": _WORKER, "closed": _object(NETWORK_POLICY, "closed", {"podSelector": _selecting({"app": "web"})})},
    unknown={"worker": _WORKER, "closed": _object(NETWORK_POLICY, "closed", {"podSelector": UNKNOWN})},
    missing={"worker": _WORKER},
)
def governed(workload: Resource, stack: Stack) -> Check:
    labels = pod_labels(workload)
    policies = (
        same_namespace(policy, workload) & selects(policy["spec.podSelector"], labels) & _on_the_way_in(policy)
        for policy in near(workload, stack, NETWORK_POLICY)
    )
    return any_of(
        policies, Finding("the pods", "are selected by no network policy", "one for Ingress that selects them")
    )


def _on_the_way_in(policy: Resource) -> Check:
    """Kubernetes API reference, NetworkPolicySpec: a policy that names no type is one for Ingress."""
    types = policy["spec.policyTypes"]
    if types.state is State.MISSING:
        return HOLDS
    return types.satisfies(lambda value: isinstance(value, list) and "Ingress" in value, 'a list with "Ingress"')


def _service(selector: object) -> Made:
    return _object(SERVICE, "worker", {"selector": selector})


@cross_rule(
    id="service-pods-match",
    why="A service that finds no pods answers no payment, and says nothing about it.",
    severity=MEDIUM,
    types=(SERVICE,),
    reads=POD_MAKERS,
    fix="set spec.selector to labels that the pods of a workload in the same namespace have",
    good={"worker": _WORKER, "service": _service(_LABELS)},
    bad={"worker": _WORKER, "service": _service({"app": "werker"})},
    unknown={"worker": _WORKER, "service": _service(UNKNOWN)},
    missing={"service": _service(_LABELS)},
)
def found(service: Resource, stack: Stack) -> Check:
    selector = service["spec.selector"]
    if selector.state is State.MISSING:
        return HOLDS  # its owner keeps the addresses by hand, or it is another name for a host outside
    there = (
        same_namespace(workload, service) & has_labels(selector, pod_labels(workload))
        for workload in near(service, stack, *POD_MAKERS)
    )
    return any_of(
        there, Finding("spec.selector", "matches no pod of this stack", "labels that a workload gives its pods")
    )


def _scaler(*, kind: str = "Deployment", name: object = "worker") -> Made:
    return _object(SCALER, "worker", {"scaleTargetRef": {"kind": kind, "name": name}, "minReplicas": 3})


@cross_rule(
    id="scaler-target-request",
    why="Scaling by use of the processor needs a stated share of it: without one, nothing is ever scaled.",
    severity=HIGH,
    controls=("Seed 18",),
    types=(SCALER,),
    reads=(DEPLOYMENT, STATEFUL_SET),
    fix="point scaleTargetRef to a workload of the stack, and set resources.requests.cpu in each of its containers",
    good={"worker": _WORKER, "scaler": _scaler()},
    bad={"worker": _worker(labels=_LABELS, requests={"memory": "1Gi"}), "scaler": _scaler()},
    unknown={"worker": _WORKER, "scaler": _scaler(name=UNKNOWN)},
    missing={"scaler": _scaler()},
)
def scalable(scaler: Resource, stack: Stack) -> Check:
    targets = (
        _targets(scaler, workload) & workload["spec.template.spec.containers"].each(_asks_for_processor)
        for workload in near(scaler, stack, DEPLOYMENT, STATEFUL_SET)
    )
    missing = Finding("spec.scaleTargetRef", "leads to no workload with a CPU request", "one whose containers have one")
    return any_of(targets, missing)


def _asks_for_processor(container: Reading) -> Check:
    """Kubernetes API reference, ResourceRequirements: a request that is left out is the limit, where there is one."""
    resources = container["resources"]
    return resources["requests.cpu"].is_set() | resources["limits.cpu"].is_set()


def _targets(scaler: Resource, workload: Resource) -> Check:
    target = scaler["spec.scaleTargetRef"]
    kind = target["kind"].satisfies(lambda value: SCALED.get(str(value)) == workload.type, "the kind of the workload")
    return same_namespace(scaler, workload) & kind & is_named(workload, target["name"])


def _budget(selector: object, **limits: object) -> Made:
    return _object(BUDGET, "worker", {"selector": selector, **limits})


_ONE = {"maxUnavailable": 1}


@cross_rule(
    id="budget-pods-spare",
    why="A budget that selects nothing protects nothing, and one that spares no pod stops every upgrade of a node.",
    severity=HIGH,
    controls=("Seed 20",),
    types=(BUDGET,),
    reads=(*POD_MAKERS, SCALER),
    fix="select the pods of a workload in the same namespace, and let at least one of them be away",
    good={"worker": _WORKER, "budget": _budget(_selecting(_LABELS), **_ONE)},
    bad={"worker": _WORKER, "budget": _budget(_selecting(_LABELS), minAvailable=3)},
    unknown={"worker": _WORKER, "budget": _budget(_selecting({"app": UNKNOWN}), **_ONE)},
    missing={"budget": _budget(_selecting(_LABELS), **_ONE)},
)
def spares(budget: Resource, stack: Stack) -> Check:
    protected = (
        same_namespace(workload, budget)
        & selects(budget["spec.selector"], pod_labels(workload))
        & _lets_one_go(budget, _replicas(workload, stack))
        for workload in near(budget, stack, *POD_MAKERS)
    )
    missing = Finding(
        "the budget", "selects no pods, or lets none of them be away", "one that selects pods and spares one"
    )
    return any_of(protected, missing)


def _replicas(workload: Resource, stack: Stack) -> Reading:
    """How many pods there are at least: a scaler's least number goes before the workload's own."""
    for scaler in near(workload, stack, SCALER):
        if _targets(scaler, workload) == HOLDS:
            return scaler["spec.minReplicas"]
    return workload[REPLICAS.get(workload.type, "spec.replicas")]


def _lets_one_go(budget: Resource, replicas: Reading) -> Check:
    """Kubernetes API reference, PodDisruptionBudgetSpec: one of the two is given; each is a number or a percentage."""
    most, least = budget["spec.maxUnavailable"], budget["spec.minAvailable"]
    if most.state is not State.MISSING:
        return most.satisfies(lambda value: value not in (0, "0", "0%"), "1 or more")
    if least.state is State.MISSING:
        return fails(Finding("spec.maxUnavailable", "is left out", "1 or more"))
    if State.UNKNOWN in (least.state, replicas.state):
        return (least if least.state is State.UNKNOWN else replicas).is_set()
    count = replicas.value if isinstance(replicas.value, int | float) else 1
    return least.satisfies(lambda value: _kept(value, count) < count, f"fewer than the {count:g} pods there are")


def _kept(least: object, count: float) -> float:
    """Of a percentage Kubernetes keeps the next whole number of pods (disruption controller)."""
    text = str(least)
    if text.endswith("%") and text[:-1].isdigit():
        return -(-int(text[:-1]) * count // 100)
    return float(least) if isinstance(least, int | float) else count
