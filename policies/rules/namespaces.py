"""Rules for namespaces of Kubernetes: what may run in them, how much, and that nothing stands outside of one."""

from typing import Any

from tollgate.policy.check import Check
from tollgate.policy.pods import WORKLOADS
from tollgate.policy.reading import Reading
from tollgate.policy.severity import HIGH, LOW, MEDIUM
from tollgate.policy.statement import rule

NAMESPACES = ("kubernetes:core/v1:Namespace", "kubernetes:core/v1:NamespacePatch")
ENFORCE = "pod-security.kubernetes.io/enforce"
VERSION = "pod-security.kubernetes.io/enforce-version"
# Namespaces that are there before anybody decides anything, and those of the cluster itself.
NOBODYS = ("", "default", "kube-node-lease", "kube-public", "kube-system")


@rule(
    id="namespace-pod-restrict",
    why="The cluster itself must refuse pods that could break out, whoever sends them.",
    severity=HIGH,
    controls=("PCI-DSS 2.2.6", "CIS-Kubernetes 5.2.1"),
    types=NAMESPACES,
    fix=f"set the label {ENFORCE} to restricted",
    good={"metadata": {"labels": {ENFORCE: "restricted"}}},
    bad={"metadata": {"labels": {ENFORCE: "baseline"}}},
    also_bad={"not at all": {"metadata": {"labels": {ENFORCE: "privileged"}}}},
)
def pods_restricted(namespace: Reading) -> Check:
    return namespace["metadata.labels"].key(ENFORCE).one_of("restricted")


@rule(
    id="namespace-pod-version",
    why="A standard that changes with the cluster may refuse tomorrow what it took today.",
    severity=LOW,
    types=NAMESPACES,
    fix=f"set the label {VERSION} to a version such as v1.34",
    good={"metadata": {"labels": {VERSION: "v1.34"}}},
    bad={"metadata": {"labels": {VERSION: "latest"}}},
    also_bad={"none": {"metadata": {"labels": {VERSION: ""}}}},
)
def standard_pinned(namespace: Reading) -> Check:
    return namespace["metadata.labels"].key(VERSION).none_of("latest", "")


@rule(
    id="namespace-workload-own",
    why="What stands in the default namespace stands outside every wall that namespaces make.",
    severity=MEDIUM,
    controls=("PCI-DSS 2.2.3", "CIS-Kubernetes 5.7.4"),
    types=(*WORKLOADS, "kubernetes:core/v1:Secret", "kubernetes:core/v1:Service", "kubernetes:core/v1:ServiceAccount"),
    fix="set metadata.namespace to a namespace of the platform's own",
    good={"metadata": {"namespace": "payments"}},
    bad={"metadata": {"namespace": "default"}},
    also_bad={"the cluster's own": {"metadata": {"namespace": "kube-system"}}},
)
def workload_in_own(thing: Reading) -> Check:
    return thing["metadata.namespace"].none_of(*NOBODYS)


def _quota(**changed: str) -> dict[str, Any]:
    amounts = {"requests.cpu": "14", "requests.memory": "32Gi", "limits.memory": "32Gi", "pods": "70"}
    return {"spec": {"hard": {**amounts, **{key.replace("_", "."): value for key, value in changed.items()}}}}


@rule(
    id="namespace-quota-bound",
    why="A namespace without bounds lets one team's mistake take the machines of all.",
    severity=MEDIUM,
    controls=("Seed 16", "Seed 17"),
    types=("kubernetes:core/v1:ResourceQuota",),
    fix="set requests.cpu, requests.memory, limits.memory and pods in spec.hard",
    good=_quota(),
    bad=_quota(pods=""),
    also_bad={
        "any share of the processors": _quota(requests_cpu=""),
        "any amount of memory": _quota(requests_memory=""),
        "any limit": _quota(limits_memory=""),
    },
)
def quota_bounds(quota: Reading) -> Check:
    hard = quota["spec.hard"]
    memory = hard.key("requests.memory").is_set() & hard.key("limits.memory").is_set()
    return hard.key("requests.cpu").is_set() & memory & hard["pods"].is_set()


@rule(
    id="namespace-quota-closed",
    why="A door to the outside must be asked for, not opened by a line in somebody's Service.",
    severity=MEDIUM,
    controls=("PCI-DSS 1.4.1",),
    types=("kubernetes:core/v1:ResourceQuota",),
    fix='set services.nodeports and services.loadbalancers in spec.hard to "0"',
    good={"spec": {"hard": {"services.nodeports": "0", "services.loadbalancers": "0"}}},
    bad={"spec": {"hard": {"services.nodeports": "5", "services.loadbalancers": "0"}}},
    also_good={"as numbers": {"spec": {"hard": {"services.nodeports": 0, "services.loadbalancers": 0}}}},
    also_bad={"balancers": {"spec": {"hard": {"services.nodeports": "0", "services.loadbalancers": "1"}}}},
)
def quota_closes(quota: Reading) -> Check:
    hard = quota["spec.hard"]
    return hard.key("services.nodeports").one_of("0", 0) & hard.key("services.loadbalancers").one_of("0", 0)


@rule(
    id="namespace-default-bound",
    why="A container that forgets its limits must get some from the namespace.",
    severity=LOW,
    controls=("Seed 14",),
    types=("kubernetes:core/v1:LimitRange",),
    fix="set default.memory and defaultRequest.memory of a limit of type Container",
    good={
        "spec": {"limits": [{"type": "Container", "default": {"memory": "1Gi"}, "defaultRequest": {"memory": "1Gi"}}]}
    },
    bad={"spec": {"limits": [{"type": "Pod", "default": {"memory": "1Gi"}, "defaultRequest": {"memory": "1Gi"}}]}},
    also_bad={
        "no limit": {
            "spec": {"limits": [{"type": "Container", "default": {"memory": ""}, "defaultRequest": {"memory": "1Gi"}}]}
        },
        "no share": {
            "spec": {"limits": [{"type": "Container", "default": {"memory": "1Gi"}, "defaultRequest": {"memory": ""}}]}
        },
    },
)
def defaults_bound(limits: Reading) -> Check:
    def bounds(limit: Reading) -> Check:
        amounts = limit["default.memory"].is_set() & limit["defaultRequest.memory"].is_set()
        return limit["type"].one_of("Container") & amounts

    return limits["spec.limits"].some(bounds, "one for containers, with memory")
