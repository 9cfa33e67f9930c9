"""AwsParameters: the half of a ParameterStore that lives in AWS, and the way from there into Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import eks, iam, secretsmanager, ssm
from pulumi_kubernetes.apiextensions import CustomResource

from components.access import allow, assumed_by_pods, policy, taken_on_by
from components.base import Component
from components.cluster import Place, custom_resource
from components.encryption import EncryptionKey
from components.naming import sealed_of, values_of
from components.rotation import RotationFunction
from components.specs import ParameterSpec, ParameterStoreSpec, Safety, SealedSpec
from components.specs.parameters import Entry

API = "external-secrets.io/v1"
# Namespace and service account of the operator, as its Helm chart names them.
OPERATOR = "external-secrets"
# External Secrets' default. At 1 minute many secrets were throttled and dear (external-secrets #1393, #1769, #4065).
REFRESH = "1h0m0s"
# A hand in the console is held to it too: text that is no number is refused where a number belongs.
PATTERNS = {bool: "^(true|false)$", int: "^-?[0-9]+$"}


@dataclass(frozen=True)
class AwsParametersOutputs:
    """The role that External Secrets runs as; it may take on the readers' roles and do nothing else."""

    operator_role_arn: pulumi.Output[str]


class AwsParameters(Component, token="tollgate:configuration:AwsParameters"):
    """SSM parameters and Secrets Manager secrets, with a reader's role per consumer. aws only.

    Declares: KMS key; SSM parameters; secrets, each with its rotation where it has one; the role of External Secrets,
    given to it by EKS Pod Identity; per consumer its role and policy, and per store it reads a SecretStore and an
    ExternalSecret.

    Guarantees: a reader's policy names each path it may read, and the key only for those paths; a secret has no value
    here. The operator waits for what has a value; a secret that its owner must fill first holds nothing up.
    """

    def __init__(
        self,
        name: str,
        spec: ParameterStoreSpec,
        *,
        safety: Safety,
        environment: str,
        place: Place,
        region: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, safety=safety, opts=opts)
        self._spec, self._place, self._region = spec, place, region
        self._key_arn = EncryptionKey(self.child("key"), safety=safety, opts=self.within()).outputs.arn
        self._parameters = {entry.path: self._parameter(entry, environment) for entry in spec.entries()}
        self._secrets = {entry.path: self._secret(entry, environment) for entry in spec.secrets()}
        self._rotations = self._rotate()
        operator = iam.Role(
            self.child("operator"), assume_role_policy=assumed_by_pods(OPERATOR, OPERATOR), opts=self.within()
        )
        if place.cluster is not None:
            eks.PodIdentityAssociation(
                self.child("operator"),
                cluster_name=place.cluster,
                namespace=OPERATOR,
                service_account=OPERATOR,
                role_arn=operator.arn,
                opts=self.within(),
            )
        readers = [self._consumer(consumer, operator) for consumer in spec.consumers()]
        iam.RolePolicy(
            self.child("operator-rights"),
            role=operator.id,
            policy=policy(allow("sts:AssumeRole", "sts:TagSession", on=[reader.arn for reader in readers])),
            opts=self.within(),
        )
        self.outputs = self.register(AwsParametersOutputs(operator_role_arn=operator.arn))

    def _parameter(self, entry: Entry[ParameterSpec], environment: str) -> ssm.Parameter:
        """SecureString for what is no secret too: to read it takes a grant on the path and another on the key."""
        return ssm.Parameter(
            self.child(_part(entry)),
            name=f"/{environment}/{entry.path}",
            type="SecureString",
            tier="Standard",
            key_id=self._key_arn,
            value=entry.spec.text,
            allowed_pattern=PATTERNS.get(type(entry.spec.value)),
            # Only another path replaces it, and that one is free: so the value is never absent.
            opts=self.within(delete_before_replace=False),
        )

    def _secret(self, entry: Entry[SealedSpec], environment: str) -> secretsmanager.Secret:
        return secretsmanager.Secret(
            self.child(_part(entry)),
            name=f"/{environment}/{entry.path}",
            kms_key_id=self._key_arn,
            recovery_window_in_days=self._spec.recovery_days,
            opts=self.stateful(),
        )

    def _rotate(self) -> dict[str, secretsmanager.SecretRotation]:
        """A schedule for each secret that rotates. The first value is made at once."""
        due = {entry: entry.spec.rotation_months for entry in self._spec.secrets() if entry.spec.rotation_months}
        if not due:
            return {}
        secrets = {_part(entry): self._secrets[entry.path] for entry in due}
        function = RotationFunction(self.child("rotation"), secrets, key_arn=self._key_arn, opts=self.within())
        hour, window = self._spec.rotation_hour_utc, self._spec.rotation_window_hours
        return {
            entry.path: secretsmanager.SecretRotation(
                self.child(f"{_part(entry)}-rotation"),
                secret_id=self._secrets[entry.path].id,
                rotation_lambda_arn=function.outputs.arn,
                rotate_immediately=True,
                rotation_rules={"schedule_expression": f"cron(0 {hour} 1 1/{months} ? *)", "duration": f"{window}h"},
                opts=self.within(depends_on=function.calls),
            )
            for entry, months in due.items()
        }

    def _consumer(self, consumer: str, operator: iam.Role) -> iam.Role:
        """A role that reads what this consumer reads, and the objects that bring it into Kubernetes."""
        values, secrets = self._spec.values_for(consumer), self._spec.secrets_for(consumer)
        parameter_arns = [self._parameters[entry.path].arn for entry in values]
        secret_arns = [self._secrets[entry.path].arn for entry in secrets]
        rights = []
        if values:
            rights += [
                allow("ssm:GetParameter", "ssm:GetParameters", on=parameter_arns),
                allow("kms:Decrypt", on=[self._key_arn], when=("kms:EncryptionContext:PARAMETER_ARN", parameter_arns)),
            ]
        if secrets:
            rights += [
                allow("secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret", on=secret_arns),
                allow("kms:Decrypt", on=[self._key_arn], when=("kms:EncryptionContext:SecretARN", secret_arns)),
            ]
        role = iam.Role(
            self.child(f"{consumer}-reader"), assume_role_policy=taken_on_by(operator.arn), opts=self.within()
        )
        granted = iam.RolePolicy(
            self.child(f"{consumer}-reads"), role=role.id, policy=policy(*rights), opts=self.within()
        )
        if values:
            found = {entry.field: self._parameters[entry.path].name for entry in values}
            self._bring(values_of(consumer), "ParameterStore", found, role, [granted, *self._parameters.values()])
        if secrets:
            found = {entry.field: self._secrets[entry.path].name for entry in secrets}
            rotations = [self._rotations[entry.path] for entry in secrets if entry.path in self._rotations]
            filled = len(rotations) == len(secrets)
            self._bring(sealed_of(consumer), "SecretsManager", found, role, [granted, *rotations], filled=filled)
        return role

    def _bring(
        self,
        called: str,
        service: str,
        found: Mapping[str, pulumi.Input[str]],
        role: iam.Role,
        after: list[pulumi.Resource],
        *,
        filled: bool = True,
    ) -> CustomResource:
        """A SecretStore that is read as the consumer's role, and the ExternalSecret that makes a Secret of it."""
        store = custom_resource(
            self.child(f"{called}-store"),
            API,
            "SecretStore",
            place=self._place,
            called=called,
            ready="condition=Ready",
            spec={"provider": {"aws": {"service": service, "region": self._region, "role": role.arn}}},
            opts=self.within(depends_on=after),
        )
        return custom_resource(
            self.child(f"{called}-secret"),
            API,
            "ExternalSecret",
            place=self._place,
            called=called,
            ready="condition=Ready" if filled else None,
            spec={
                "refreshPolicy": "Periodic",
                "refreshInterval": REFRESH,
                "secretStoreRef": {"kind": "SecretStore", "name": called},
                "target": {"name": called, "creationPolicy": "Owner", "deletionPolicy": "Retain"},
                "data": [{"secretKey": key, "remoteRef": {"key": where}} for key, where in found.items()],
            },
            opts=self.within(depends_on=[store]),
        )


def _part(entry: Entry[Any]) -> str:
    """An entry's part in the names of its resources."""
    return f"{entry.owner}-{entry.key}"
