"""NamespaceBaseline: a namespace in which nothing runs unchecked, nothing is reached unnamed, nothing takes it all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_kubernetes.core.v1 import LimitRange, Namespace, ResourceQuota, ServiceAccount, ServiceAccountPatch
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.base import Component
from components.openings import Surroundings, policies
from components.specs import NamespaceSpec, Safety, Target

STANDARD = "restricted"


@dataclass(frozen=True)
class NamespaceOutputs:
    """The namespace, and the service account of each service by the service's name."""

    name: pulumi.Output[str]
    service_accounts: dict[str, pulumi.Output[str]]


class NamespaceBaseline(Component, token="tollgate:compute:NamespaceBaseline"):
    """A namespace for services, on every target.

    Declares: Namespace with Pod Security labels; a NetworkPolicy that closes it both ways, and one per opening;
    ResourceQuota; LimitRange; a ServiceAccount per service; a patch of the default ServiceAccount.

    Guarantees: pods that break the Pod Security standard ``restricted`` are refused, by the rules of a pinned release
    (enforce, audit, warn); every pod is closed in both directions but for DNS and the openings that it bears the label
    of; no pod gets a token for the Kubernetes API unless it asks for one; every container has a request and a memory
    limit; no Service becomes a load balancer or a node port.
    Raises Refusal for an opening that the target does not have.

    Before 0.2 the Namespace was a child of the platform itself: its alias says so, and nothing is replaced.
    """

    def __init__(
        self,
        name: str,
        spec: NamespaceSpec,
        *,
        target: Target,
        safety: Safety,
        called: str,
        services: Collection[str],
        around: Surroundings,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, safety=safety, opts=opts)
        self.refuse(spec.refused_by(target))
        former = [pulumi.Alias(parent=opts.parent)] if opts and opts.parent else []
        namespace = Namespace(
            name,
            metadata={"name": called, "labels": _pod_security(spec.pod_security_version)},
            opts=self.stateful(aliases=former, depends_on=list(after)),
        )
        self._metadata = {"namespace": namespace.metadata["name"]}
        for opening, policy in policies(spec, around).items():
            NetworkPolicy(self.child(opening), metadata=self._metadata, spec=policy, opts=self.within())
        self._shares(spec)
        accounts = self._service_accounts(services)
        self.outputs = self.register(NamespaceOutputs(name=namespace.metadata["name"], service_accounts=accounts))

    def _shares(self, spec: NamespaceSpec) -> None:
        """How much the namespace may take, and what a container takes that does not say."""
        quota, each = spec.quota, spec.container
        most = {
            "requests.cpu": str(quota.cpu),
            "requests.memory": f"{quota.memory_gib}Gi",
            "limits.memory": f"{quota.memory_gib}Gi",
            "requests.storage": f"{quota.storage_gib}Gi",
            "pods": str(quota.pods),
            "services.loadbalancers": "0",
            "services.nodeports": "0",
        }
        ResourceQuota(self.child("quota"), metadata=self._metadata, spec={"hard": most}, opts=self.within())
        memory = f"{each.memory_mib}Mi"
        defaults = {
            "type": "Container",
            "defaultRequest": {"cpu": f"{each.cpu_milli}m", "memory": memory},
            "default": {"memory": memory},  # no limit of CPU: it would slow a payment while the node is idle
        }
        LimitRange(self.child("defaults"), metadata=self._metadata, spec={"limits": [defaults]}, opts=self.within())

    def _service_accounts(self, services: Collection[str]) -> dict[str, pulumi.Output[str]]:
        """One per service, known by the service's name to grants and pod identities; none mounts a token."""
        ServiceAccountPatch(
            self.child("default"),
            metadata={**self._metadata, "name": "default"},
            automount_service_account_token=False,
            opts=self.within(),
        )
        accounts = {}
        for service in services:
            account = ServiceAccount(
                self.child(service),
                metadata={**self._metadata, "name": service},
                automount_service_account_token=False,
                opts=self.within(),
            )
            accounts[service] = account.metadata["name"]
        return accounts


def _pod_security(version: str) -> dict[str, Any]:
    """The labels of Pod Security Admission. Without a version a cluster's upgrade would change the rules by itself."""
    prefix = "pod-security.kubernetes.io/"
    return {
        label: value
        for mode in ("enforce", "audit", "warn")
        for label, value in ((f"{prefix}{mode}", STANDARD), (f"{prefix}{mode}-version", version))
    }
