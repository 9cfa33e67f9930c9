"""Rules for pods, whatever makes them."""

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import HIGH
from tollgate.policy.statement import rule

_KEPT_IN = {"allowPrivilegeEscalation": False, "runAsNonRoot": True}
_RESTRICTED = {
    "securityContext": {"runAsNonRoot": True},
    "containers": [{"securityContext": _KEPT_IN}],
    "initContainers": [{"securityContext": _KEPT_IN}],
}
_ESCALATING = {**_RESTRICTED, "containers": [{"securityContext": {**_KEPT_IN, "allowPrivilegeEscalation": True}}]}


@rule(
    id="workload-pod-restrict",
    why="A program that breaks out of its container must not find itself root on the node.",
    severity=HIGH,
    controls=("PCI-DSS 2.2.6", "CIS-Kubernetes 5.2"),
    types=(
        "kubernetes:apps/v1:DaemonSet",
        "kubernetes:apps/v1:Deployment",
        "kubernetes:apps/v1:StatefulSet",
        "kubernetes:batch/v1:Job",
    ),
    fix="set runAsNonRoot to true for the pod and allowPrivilegeEscalation to false for each container",
    good={"spec": {"template": {"spec": _RESTRICTED}}},
    bad={"spec": {"template": {"spec": _ESCALATING}}},
    # Kubernetes API reference: init containers are optional (PodSpec), and a container takes the pod's runAsNonRoot
    # unless it sets its own (SecurityContext). The pod's must be true, so that is what a container gets.
    defaults={
        "spec.template.spec.initContainers": None,
        "spec.template.spec.containers[*].securityContext.runAsNonRoot": True,
        "spec.template.spec.initContainers[*].securityContext.runAsNonRoot": True,
    },
)
def pod_restricted(workload: Reading) -> Check:
    pod = workload["spec.template.spec"]
    return (
        pod["securityContext.runAsNonRoot"].is_true()
        & pod["containers"].each(_kept_in)
        & pod["initContainers"].each(_kept_in)
    )


def _kept_in(container: Reading) -> Check:
    own = container["securityContext"]
    return own["allowPrivilegeEscalation"].is_false() & own["runAsNonRoot"].is_true()
