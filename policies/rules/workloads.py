"""Rules for pods, whatever makes them."""

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import HIGH
from tollgate.policy.statement import rule

_RESTRICTED = {
    "securityContext": {"runAsNonRoot": True},
    "containers": [{"securityContext": {"allowPrivilegeEscalation": False}}],
}
_ESCALATING = {
    "securityContext": {"runAsNonRoot": True},
    "containers": [{"securityContext": {"allowPrivilegeEscalation": True}}],
}


@rule(
    id="workload-pod-restrict",
    why="A program that breaks out of its container must not find itself root on the node.",
    severity=HIGH,
    controls=("PCI-DSS 2.2.6", "CIS-Kubernetes 5.2"),
    types=(
        "kubernetes:apps/v1:Deployment",
        "kubernetes:apps/v1:StatefulSet",
        "kubernetes:batch/v1:Job",
    ),
    fix="set runAsNonRoot to true for the pod and allowPrivilegeEscalation to false for each container",
    good={"spec": {"template": {"spec": _RESTRICTED}}},
    bad={"spec": {"template": {"spec": _ESCALATING}}},
    # Kubernetes API reference, PodSpec: init containers are optional.
    defaults={"spec.template.spec.initContainers": None},
)
def pod_restricted(workload: Reading) -> Check:
    pod = workload["spec.template.spec"]
    return (
        pod["securityContext.runAsNonRoot"].is_true()
        & pod["containers"].each(_cannot_escalate)
        & pod["initContainers"].each(_cannot_escalate)
    )


def _cannot_escalate(container: Reading) -> Check:
    return container["securityContext.allowPrivilegeEscalation"].is_false()
