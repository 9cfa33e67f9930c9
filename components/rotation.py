"""RotationFunction: what gives secrets their values inside AWS, so that no person and no state file sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi
from pulumi_aws import cloudwatch, iam, lambda_, secretsmanager

from components.access import allow, assumed_by, policy
from components.base import Component

SOURCE = Path(__file__).with_name("assets") / "rotation" / "rotate.py"
# Lambda's newest Python that boto3 comes with; in support until June 2029 (Lambda runtimes).
RUNTIME = "python3.13"
# A step makes three calls to Secrets Manager; Lambda's default of 3 s leaves no room for a cold start and a retry.
TIMEOUT_SECONDS = 30
LOG_DAYS = 400  # 12 months of audit log (PCI DSS 10.5.1), in the next size that CloudWatch offers


@dataclass(frozen=True)
class RotationFunctionOutputs:
    """The function's ARN."""

    arn: pulumi.Output[str]


class RotationFunction(Component, token="tollgate:security:RotationFunction"):
    """One Lambda function that renews the secrets it is given, and no other. aws only.

    Declares: log group, IAM role with its policy, function, and per secret the permission for Secrets Manager to call.

    Guarantees: a value is made in AWS and goes nowhere else; the function may touch no other secret.
    Source: Secrets Manager user guide, "Lambda rotation functions".
    """

    def __init__(
        self,
        name: str,
        secrets: Mapping[str, secretsmanager.Secret],
        *,
        key_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts=opts)
        logs = cloudwatch.LogGroup(self.child("logs"), retention_in_days=LOG_DAYS, opts=self.within())
        role = iam.Role(self.child("role"), assume_role_policy=assumed_by("lambda.amazonaws.com"), opts=self.within())
        arns = [secret.arn for secret in secrets.values()]
        rights = iam.RolePolicy(
            self.child("rights"),
            role=role.id,
            policy=policy(
                allow(
                    "secretsmanager:DescribeSecret",
                    "secretsmanager:GetSecretValue",
                    "secretsmanager:PutSecretValue",
                    "secretsmanager:UpdateSecretVersionStage",
                    on=arns,
                ),
                allow("secretsmanager:GetRandomPassword", on=["*"]),  # it belongs to no secret
                allow(
                    "kms:Decrypt", "kms:GenerateDataKey", on=[key_arn], when=("kms:EncryptionContext:SecretARN", arns)
                ),
                allow("logs:CreateLogStream", "logs:PutLogEvents", on=[pulumi.Output.concat(logs.arn, ":*")]),
            ),
            opts=self.within(),
        )
        function = lambda_.Function(
            self.child("function"),
            description="Gives secrets new values; see components/assets/rotation/rotate.py",
            code=pulumi.AssetArchive({"rotate.py": pulumi.StringAsset(SOURCE.read_text(encoding="utf-8"))}),
            handler="rotate.handler",
            runtime=RUNTIME,
            timeout=TIMEOUT_SECONDS,
            role=role.arn,
            logging_config={"log_format": "JSON", "log_group": logs.name},
            opts=self.within(depends_on=[rights]),
        )
        self.calls = [
            lambda_.Permission(
                self.child(f"calls-{part}"),
                action="lambda:InvokeFunction",
                function=function.name,
                principal="secretsmanager.amazonaws.com",
                source_arn=secret.arn,
                opts=self.within(),
            )
            for part, secret in secrets.items()
        ]
        self.outputs = self.register(RotationFunctionOutputs(arn=function.arn))
