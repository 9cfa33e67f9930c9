"""Where in Kubernetes a component puts its objects, and the few shapes they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

# Pod Security "restricted" (Kubernetes, Pod Security Standards), and a read-only root, which it does not ask for.
RESTRICTED_CONTAINER = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


@dataclass(frozen=True)
class Place:
    """A namespace with storage. ``zoned``: its nodes lie in several zones, so copies must too.

    ``cluster``: name of the EKS cluster, where that is what it lies in: pods get roles there by pod identity.
    """

    namespace: pulumi.Input[str]
    storage_class: str
    zoned: bool
    cluster: pulumi.Input[str] | None = None


def custom_resource(
    name: str,
    api_version: str,
    kind: str,
    *,
    place: Place,
    called: str,
    spec: dict[str, Any],
    opts: pulumi.ResourceOptions,
    ready: str | None = None,
) -> CustomResource:
    """An object of an operator's own kind.

    ``called`` is its name in the cluster. ``ready`` is a condition to wait for ("condition=Ready"): Pulumi does not
    wait for custom resources of its own accord (pulumi-kubernetes, annotation pulumi.com/waitFor).
    """
    metadata: dict[str, Any] = {"name": called, "namespace": place.namespace}
    if ready:
        metadata["annotations"] = {"pulumi.com/waitFor": ready}
    return CustomResource(name, api_version=api_version, kind=kind, metadata=metadata, spec=spec, opts=opts)


def whole(cpu: float, memory_gib: int) -> dict[str, dict[str, str]]:
    """Requests equal to limits: data services get what they ask for, and are the last to be evicted."""
    amount = {"cpu": f"{cpu:g}", "memory": f"{memory_gib}Gi"}
    return {"requests": amount, "limits": amount}
