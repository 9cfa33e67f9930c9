"""Rules for what a pod may do on its node, whatever makes the pod."""

from collections.abc import Mapping
from typing import Any

from tollgate.policy.check import Check
from tollgate.policy.pods import WORKLOADS, each_container, each_pod, pod_defaults
from tollgate.policy.reading import Reading
from tollgate.policy.severity import CRITICAL, HIGH, MEDIUM
from tollgate.policy.statement import rule

# Kinds of volume that the Pod Security Standard "restricted" allows (Kubernetes, Pod Security Standards).
VOLUMES = (
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
)
# The one capability that "restricted" lets a container add.
ADDABLE = "NET_BIND_SERVICE"


def _pod(**spec: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [], **spec}}}}


def _container(*containers: Mapping[str, Any], **spec: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": list(containers), **spec}}}}


def _context(**context: Any) -> dict[str, Any]:
    return _container({"securityContext": context})


@rule(
    id="workload-pod-restrict",
    why="A program that breaks out of its container must not find itself root on the node.",
    severity=HIGH,
    controls=("PCI-DSS 2.2.6", "CIS-Kubernetes 5.2.6", "CIS-Kubernetes 5.2.7"),
    types=WORKLOADS,
    fix="set runAsNonRoot to true for the pod and allowPrivilegeEscalation to false for each container",
    good=_container(
        {"securityContext": {"allowPrivilegeEscalation": False, "runAsNonRoot": True}},
        initContainers=[{"securityContext": {"allowPrivilegeEscalation": False, "runAsNonRoot": True}}],
        securityContext={"runAsNonRoot": True},
    ),
    bad=_container(
        {"securityContext": {"allowPrivilegeEscalation": True, "runAsNonRoot": True}},
        initContainers=[{"securityContext": {"allowPrivilegeEscalation": False, "runAsNonRoot": True}}],
        securityContext={"runAsNonRoot": True},
    ),
    also_good={"nothing said of its own": _container(securityContext={"runAsNonRoot": True})},
    also_bad={
        "the pod": _container(securityContext={"runAsNonRoot": False}),
        "a container that says otherwise": _container(
            {"securityContext": {"allowPrivilegeEscalation": False, "runAsNonRoot": False}},
            initContainers=[{"securityContext": {"allowPrivilegeEscalation": False, "runAsNonRoot": True}}],
            securityContext={"runAsNonRoot": True},
        ),
        "one that starts first": _container(
            {"securityContext": {"allowPrivilegeEscalation": False, "runAsNonRoot": True}},
            initContainers=[{"securityContext": {"allowPrivilegeEscalation": True, "runAsNonRoot": True}}],
            securityContext={"runAsNonRoot": True},
        ),
    },
    # Kubernetes API reference, SecurityContext: a container takes the pod's runAsNonRoot unless it sets its own. The
    # pod's must be true, so that is what a container gets.
    defaults=pod_defaults(container={"securityContext.runAsNonRoot": True}),
)
def pod_restricted(workload: Reading) -> Check:
    pods = each_pod(workload, lambda pod: pod["securityContext.runAsNonRoot"].is_true())
    return pods & each_container(workload, _kept_in)


def _kept_in(container: Reading) -> Check:
    own = container["securityContext"]
    return own["allowPrivilegeEscalation"].is_false() & own["runAsNonRoot"].is_true()


@rule(
    id="workload-pod-rootless",
    why="The number 0 is root, whatever else is said.",
    severity=HIGH,
    controls=("PCI-DSS 2.2.6", "CIS-Kubernetes 5.2.7"),
    types=WORKLOADS,
    fix="set runAsUser to the number of a user of the image's own, or leave it out",
    good=_container({"securityContext": {"runAsUser": 1}}, securityContext={"runAsUser": 1}),
    bad=_container({"securityContext": {"runAsUser": 1}}, securityContext={"runAsUser": 0}),
    also_bad={
        "a container": _container({"securityContext": {"runAsUser": 0}}, securityContext={"runAsUser": 1}),
    },
    # Kubernetes API reference: left out, the image's own user, who must not be root (workload-pod-restrict).
    defaults=pod_defaults({"securityContext.runAsUser": None}, {"securityContext.runAsUser": None}),
)
def pod_rootless(workload: Reading) -> Check:
    def rootless(part: Reading) -> Check:
        return part["securityContext.runAsUser"].at_least(1)

    return each_pod(workload, rootless) & each_container(workload, rootless)


@rule(
    id="workload-container-plain",
    why="A privileged container is root on its node, and can read every other pod's secrets there.",
    severity=CRITICAL,
    controls=("PCI-DSS 2.2.6", "CIS-Kubernetes 5.2.2"),
    types=WORKLOADS,
    fix="set securityContext.privileged of each container to false",
    good=_context(privileged=False),
    bad=_context(privileged=True),
    also_bad={
        "in a CronJob": {
            "spec": {
                "jobTemplate": {
                    "spec": {"template": {"spec": {"containers": [{"securityContext": {"privileged": True}}]}}}
                }
            }
        },
        "one for looking into it": _pod(ephemeralContainers=[{"securityContext": {"privileged": True}}]),
        "a Pod": {"spec": {"containers": [{"securityContext": {"privileged": True}}]}},
    },
    also_good={
        "a CronJob": {
            "spec": {
                "jobTemplate": {
                    "spec": {"template": {"spec": {"containers": [{"securityContext": {"privileged": False}}]}}}
                }
            }
        },
        "one for looking into it": _pod(ephemeralContainers=[{"securityContext": {"privileged": False}}]),
        "a Pod": {"spec": {"containers": [{"securityContext": {"privileged": False}}]}},
    },
    # Kubernetes API reference, SecurityContext: false when left out.
    defaults=pod_defaults(container={"securityContext.privileged": False}),
)
def container_plain(workload: Reading) -> Check:
    return each_container(workload, lambda container: container["securityContext.privileged"].is_false())


@rule(
    id="workload-capability-drop",
    why="Rights of the kernel that a program does not need are tools for whoever takes it over.",
    severity=HIGH,
    controls=("PCI-DSS 2.2.4", "CIS-Kubernetes 5.2.8", "CIS-Kubernetes 5.2.9"),
    types=WORKLOADS,
    fix="set capabilities.drop to ALL for each container, and add nothing but NET_BIND_SERVICE",
    good=_context(capabilities={"drop": ["ALL"], "add": [ADDABLE]}),
    bad=_context(capabilities={"drop": ["NET_RAW"], "add": [ADDABLE]}),
    also_good={"twice": _context(capabilities={"drop": ["ALL"], "add": [ADDABLE, ADDABLE]})},
    also_bad={
        "taken back": _context(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]}),
        "one of two": _context(capabilities={"drop": ["ALL"], "add": [ADDABLE, "SYS_ADMIN"]}),
        "none": _context(capabilities={"drop": [], "add": [ADDABLE]}),
    },
    # Kubernetes API reference, Capabilities: nothing is added when left out.
    defaults=pod_defaults(container={"securityContext.capabilities.add": None}),
)
def capabilities_dropped(workload: Reading) -> Check:
    def dropped(container: Reading) -> Check:
        capabilities = container["securityContext.capabilities"]
        all_gone = capabilities["drop"].some(lambda name: name.one_of("ALL"), "ALL among them")
        return all_gone & capabilities["add"].each(lambda name: name.one_of(ADDABLE))

    return each_container(workload, dropped)


@rule(
    id="workload-call-filter",
    why="Most ways out of a container use calls to the kernel that no payment service needs.",
    severity=MEDIUM,
    controls=("PCI-DSS 2.2.6", "CIS-Kubernetes 5.7.2"),
    types=WORKLOADS,
    fix="set securityContext.seccompProfile.type of the pod to RuntimeDefault",
    good=_container(
        {"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}},
        securityContext={"seccompProfile": {"type": "RuntimeDefault"}},
    ),
    bad=_container(
        {"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}},
        securityContext={"seccompProfile": {"type": "Unconfined"}},
    ),
    also_good={"a list of its own": _container(securityContext={"seccompProfile": {"type": "Localhost"}})},
    also_bad={
        "a container without": _container(
            {"securityContext": {"seccompProfile": {"type": "Unconfined"}}},
            securityContext={"seccompProfile": {"type": "RuntimeDefault"}},
        )
    },
    # Kubernetes API reference, SecurityContext: a container takes the pod's unless it sets its own.
    defaults=pod_defaults(container={"securityContext.seccompProfile.type": None}),
)
def calls_filtered(workload: Reading) -> Check:
    def filtered(part: Reading) -> Check:
        return part["securityContext.seccompProfile.type"].one_of("RuntimeDefault", "Localhost")

    return each_pod(workload, filtered) & each_container(workload, filtered)


@rule(
    id="workload-root-readonly",
    why="A program that cannot change its own files cannot be made to run somebody else's.",
    severity=MEDIUM,
    controls=("PCI-DSS 2.2.6", "PCI-DSS 11.5.2"),
    types=WORKLOADS,
    fix="set securityContext.readOnlyRootFilesystem of each container to true, with an emptyDir for what it writes",
    good=_context(readOnlyRootFilesystem=True),
    bad=_context(readOnlyRootFilesystem=False),
    defaults=pod_defaults(),
)
def root_readonly(workload: Reading) -> Check:
    return each_container(workload, lambda container: container["securityContext.readOnlyRootFilesystem"].is_true())


@rule(
    id="workload-host-apart",
    why="A pod that shares its node's network, processes or memory sees those of everybody else on it.",
    severity=CRITICAL,
    controls=("PCI-DSS 2.2.6", "CIS-Kubernetes 5.2.3", "CIS-Kubernetes 5.2.4", "CIS-Kubernetes 5.2.5"),
    types=WORKLOADS,
    fix="set hostNetwork, hostPID and hostIPC to false",
    good=_pod(hostNetwork=False, hostPID=False, hostIPC=False),
    bad=_pod(hostNetwork=True, hostPID=False, hostIPC=False),
    also_bad={
        "processes": _pod(hostNetwork=False, hostPID=True, hostIPC=False),
        "memory": _pod(hostNetwork=False, hostPID=False, hostIPC=True),
    },
    # Kubernetes API reference, PodSpec: false when left out.
    defaults=pod_defaults({"hostNetwork": False, "hostPID": False, "hostIPC": False}),
)
def host_apart(workload: Reading) -> Check:
    def apart(pod: Reading) -> Check:
        return pod["hostNetwork"].is_false() & pod["hostPID"].is_false() & pod["hostIPC"].is_false()

    return each_pod(workload, apart)


@rule(
    id="workload-host-port",
    why="A port of the node is reached around every network policy.",
    severity=HIGH,
    controls=("PCI-DSS 1.2.5", "CIS-Kubernetes 5.2.13"),
    types=WORKLOADS,
    fix="take hostPort out and use a Service",
    good=_container({"ports": [{"hostPort": 0}]}),
    bad=_container({"ports": [{"hostPort": 8080}]}),
    also_good={"two": _container({"ports": [{"hostPort": 0}, {"hostPort": 0}]})},
    also_bad={"one of two": _container({"ports": [{"hostPort": 0}, {"hostPort": 8080}]})},
    # Kubernetes API reference, ContainerPort: no port of the node when left out.
    defaults=pod_defaults(container={"ports": None, "ports[*].hostPort": 0}),
)
def host_ports_unused(workload: Reading) -> Check:
    return each_container(workload, lambda container: container["ports"].each(lambda port: port["hostPort"].one_of(0)))


@rule(
    id="workload-volume-kind",
    why="A folder of the node in a pod is a way to the node, and to all that runs there.",
    severity=CRITICAL,
    controls=("PCI-DSS 2.2.6", "CIS-Kubernetes 5.2.12"),
    types=WORKLOADS,
    fix="use a volume claim, emptyDir, secret or configMap instead of hostPath",
    good=_pod(volumes=[{"name": "data", "emptyDir": {"sizeLimit": "1Gi"}}]),
    bad=_pod(volumes=[{"name": "data", "emptyDir": {"sizeLimit": "1Gi"}, "hostPath": {"path": "/"}}]),
    also_bad={
        "a share without sign-in": _pod(volumes=[{"name": "data", "nfs": {"server": "files"}}]),
        "one of two": _pod(volumes=[{"name": "a"}, {"name": "b", "hostPath": {"path": "/"}}]),
    },
    also_good={
        "none of its own": _pod(volumes=[{"name": "data"}]),
        "two": _pod(volumes=[{"name": "a"}, {"name": "b"}]),
    },
    # Kubernetes API reference, PodSpec: no volumes when left out.
    defaults=pod_defaults({"volumes": None}),
)
def volumes_allowed(workload: Reading) -> Check:
    return each_pod(workload, lambda pod: pod["volumes"].each(lambda volume: volume.has_only("name", *VOLUMES)))


@rule(
    id="workload-token-absent",
    why="A program that never calls the cluster must not carry a key to it.",
    severity=HIGH,
    controls=("PCI-DSS 7.2.5", "CIS-Kubernetes 5.1.6"),
    types=WORKLOADS,
    fix="set automountServiceAccountToken of the pod to false",
    good=_pod(automountServiceAccountToken=False),
    bad=_pod(automountServiceAccountToken=True),
    defaults=pod_defaults(),
)
def token_absent(workload: Reading) -> Check:
    return each_pod(workload, lambda pod: pod["automountServiceAccountToken"].is_false())


@rule(
    id="workload-process-apart",
    why="A helper that sees the main program's processes sees its secrets.",
    severity=MEDIUM,
    controls=("PCI-DSS 2.2.6",),
    types=WORKLOADS,
    fix="set shareProcessNamespace to false",
    good=_pod(shareProcessNamespace=False),
    bad=_pod(shareProcessNamespace=True),
    # Kubernetes API reference, PodSpec: false when left out.
    defaults=pod_defaults({"shareProcessNamespace": False}),
)
def processes_apart(workload: Reading) -> Check:
    return each_pod(workload, lambda pod: pod["shareProcessNamespace"].is_false())
