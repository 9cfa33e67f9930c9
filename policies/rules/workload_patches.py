"""Rules for patches of workloads: what is left out there is left as it is, and what is there must be no way around."""

import re
from typing import Any

from tollgate.policy.check import Check
from tollgate.policy.pods import WORKLOADS, each_container, each_pod, pod_defaults
from tollgate.policy.reading import Reading
from tollgate.policy.severity import CRITICAL, HIGH
from tollgate.policy.statement import rule

PATCHES = tuple(f"{kind}Patch" for kind in WORKLOADS)
_DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")
_A_DIGEST = "f" * 64


def _patch(container: dict[str, Any], **pod: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [container], **pod}}}}


def _context(**context: Any) -> dict[str, Any]:
    return _patch({"securityContext": {"privileged": False, "allowPrivilegeEscalation": False} | context})


def _host(**shared: bool) -> dict[str, Any]:
    kept_apart = {"hostNetwork": False, "hostPID": False, "hostIPC": False}
    return {"spec": {"template": {"spec": {"containers": [], **kept_apart, **shared}}}}


@rule(
    id="workload-patch-restrict",
    why="A patch must not give a pod the rights that its workload was refused.",
    severity=CRITICAL,
    controls=("PCI-DSS 2.2.6", "CIS-Kubernetes 5.2.2", "CIS-Kubernetes 5.2.5"),
    types=PATCHES,
    fix="take privileged, allowPrivilegeEscalation, hostNetwork, hostPID and hostIPC out",
    good=_context(),
    bad=_context(privileged=True),
    also_good={"something else": {"spec": {"replicas": 3}}, "of the pod": _host()},
    also_bad={
        "by way of a program": _context(allowPrivilegeEscalation=True),
        "the node's network": _host(hostNetwork=True),
        "the node's processes": _host(hostPID=True),
        "the node's memory": _host(hostIPC=True),
    },
    # Server-side apply: what a patch leaves out stays as it is.
    defaults=pod_defaults(
        {"containers": None, "hostNetwork": False, "hostPID": False, "hostIPC": False},
        {"securityContext.privileged": False, "securityContext.allowPrivilegeEscalation": False},
    ),
)
def patch_restricted(patch: Reading) -> Check:
    def apart(pod: Reading) -> Check:
        return pod["hostNetwork"].is_false() & pod["hostPID"].is_false() & pod["hostIPC"].is_false()

    def kept_in(container: Reading) -> Check:
        own = container["securityContext"]
        return own["privileged"].is_false() & own["allowPrivilegeEscalation"].is_false()

    return each_pod(patch, apart) & each_container(patch, kept_in)


@rule(
    id="workload-patch-pin",
    why="A patch must not bring in an image that nobody approved.",
    severity=HIGH,
    controls=("PCI-DSS 6.3.2", "Seed 14"),
    types=PATCHES,
    fix="set each image to one with its @sha256 digest",
    good=_patch({"image": f"ghcr.io/bank/gateway:1.4.2@sha256:{_A_DIGEST}"}),
    bad=_patch({"image": "ghcr.io/bank/gateway:1.4.2"}),
    also_good={"something else": {"spec": {"replicas": 3}}},
    # Server-side apply: what a patch leaves out stays as it is.
    defaults=pod_defaults({"containers": None}, {"image": None}),
)
def patch_pinned(patch: Reading) -> Check:
    return each_container(patch, lambda one: one["image"].matches(_DIGEST, "an image with its @sha256 digest"))
