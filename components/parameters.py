"""ParameterStore: values that services start with, and secrets by name, each readable by its consumers only."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.core.v1 import ConfigMap
from pulumi_kubernetes.rbac.v1 import Role, RoleBinding

from components.base import Component, Refusal
from components.cluster import Place
from components.naming import sealed_of, values_of
from components.parameters_aws import AwsParameters
from components.specs import ParameterStoreSpec, Safety, Target


@dataclass(frozen=True)
class ParameterStoreOutputs:
    """Where each service finds what it reads.

    ``paths``: full path by ``owner.key``. By service: ``values``, the object with its values (a Secret on aws, a
    ConfigMap elsewhere); ``sealed``, the Secret with its secrets; ``revisions``, a digest of its values to put on its
    pods, since a running process never sees a change.
    """

    prefix: str
    paths: dict[str, str]
    values: dict[str, str]
    sealed: dict[str, str]
    revisions: dict[str, str]


class ParameterStore(Component, token="tollgate:configuration:ParameterStore"):
    """The parameters of one environment, at ``/<environment>/<tier>/<owner>/<key>``.

    Declares, on aws: a KMS key; an SSM parameter per value (SecureString under that key); a Secrets Manager secret per
    sealed name, with a rotation function and schedule for those that rotate; per consumer an IAM role with its policy,
    and an External Secrets SecretStore and ExternalSecret per store it reads. On kubernetes and edge: a ConfigMap per
    consumer. On all: per consumer a Role and RoleBinding for its service account.

    Guarantees: a service can read what names it as a consumer and nothing else; each value is written once, in the
    settings; no secret's value is in settings, inputs or state: it is made by the rotation function, or put in place by
    its owner (kubernetes and edge: Secret ``sealed-<consumer>`` with keys ``<owner>.<key>``).
    Raises Refusal when the target cannot keep a promise of the spec.
    Source: External Secrets Operator 2.9, provider aws; SSM and Secrets Manager user guides.
    """

    def __init__(
        self,
        name: str,
        spec: ParameterStoreSpec,
        *,
        target: Target,
        safety: Safety,
        environment: str,
        place: Place,
        region: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, safety=safety, opts=opts)
        self.refuse(spec.refused_by(target))
        self._spec = spec
        self._place = place
        if target is Target.AWS:
            if region is None:
                raise Refusal(f"{name}: on aws a parameter store needs a region")
            AwsParameters(
                self.child("aws"),
                spec,
                safety=safety,
                environment=environment,
                place=place,
                region=region,
                opts=self.within(),
            )
        for consumer in spec.consumers():
            if target is not Target.AWS and spec.values_for(consumer):
                self._config_map(consumer)
            self._grant(consumer, "configmaps" if target is not Target.AWS else "secrets")
        every = (*spec.entries(), *spec.secrets())
        self.outputs = self.register(
            ParameterStoreOutputs(
                prefix=f"/{environment}",
                paths={entry.field: f"/{environment}/{entry.path}" for entry in every},
                values={name: values_of(name) for name in spec.consumers() if spec.values_for(name)},
                sealed={name: sealed_of(name) for name in spec.consumers() if spec.secrets_for(name)},
                revisions={name: spec.revision(name) for name in spec.consumers()},
            )
        )

    def _config_map(self, consumer: str) -> None:
        ConfigMap(
            self.child(f"{consumer}-values"),
            metadata={"name": values_of(consumer), "namespace": self._place.namespace},
            data=self._spec.content(consumer),
            opts=self.within(),
        )

    def _grant(self, consumer: str, values_are: str) -> None:
        """The right to read its own objects, by name. Nothing may be listed: a list shows what others have."""
        rules = []
        if self._spec.values_for(consumer):
            rules.append(_reading(values_are, values_of(consumer)))
        if self._spec.secrets_for(consumer):
            rules.append(_reading("secrets", sealed_of(consumer)))
        role = Role(
            self.child(f"{consumer}-reader"),
            metadata={"namespace": self._place.namespace},
            rules=rules,
            opts=self.within(),
        )
        RoleBinding(
            self.child(f"{consumer}-reads"),
            metadata={"namespace": self._place.namespace},
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": role.metadata["name"]},
            subjects=[{"kind": "ServiceAccount", "name": consumer, "namespace": self._place.namespace}],
            opts=self.within(),
        )


def _reading(kind: str, called: str) -> dict[str, list[str]]:
    return {"api_groups": [""], "resources": [kind], "resource_names": [called], "verbs": ["get"]}
