"""EncryptionKey: the key under which a platform's data services store what they hold."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_aws import kms

from components.access import document
from components.base import Component
from components.naming import physical
from components.specs import Safety

# The longest wait KMS offers before a key is gone, with all it encrypts (ScheduleKeyDeletion: 7 to 30 days).
DELETION_WINDOW_DAYS = 30
# An alias has 256 characters (CreateAlias), "alias/" among them.
LONGEST_ALIAS = 250


@dataclass(frozen=True)
class EncryptionKeyOutputs:
    """The key's ARN, and the alias people know it by."""

    arn: pulumi.Output[str]
    alias: pulumi.Output[str]


class EncryptionKey(Component, token="tollgate:security:EncryptionKey"):
    """One KMS key. aws only.

    Declares: KMS key and alias. Guarantees: rotated every year (PCI DSS 3.7.4); kept like the data it guards, since
    data without its key is lost. ``policy``: who may use it; left out, the account's own IAM policies say so.
    """

    def __init__(
        self,
        name: str,
        *,
        safety: Safety,
        policy: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, safety=safety, opts=opts)
        key = kms.Key(
            self.child("key"),
            description=f"{name}: data at rest",
            enable_key_rotation=True,
            deletion_window_in_days=DELETION_WINDOW_DAYS,
            policy=policy,
            opts=self.stateful(),
        )
        alias = kms.Alias(
            self.child("alias"),
            name=f"alias/{physical(name, LONGEST_ALIAS)}",
            target_key_id=key.key_id,
            opts=self.within(),
        )
        self.outputs = self.register(EncryptionKeyOutputs(arn=key.arn, alias=alias.name))


def for_disks(account: str, region: str) -> str:
    """The policy of a key for disks of nodes and pods: IAM says who manages it, and EC2 may use it for this account.

    Auto Scaling starts nodes as a role of its own, to which IAM policies cannot be given; without the second statement
    a node with such a disk stops at once (EC2 Auto Scaling user guide, "Required KMS key policy").
    """
    return document(
        {
            "Sid": "Account",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Sid": "Disks",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [
                "kms:CreateGrant",
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey*",
                "kms:ReEncrypt*",
            ],
            "Resource": "*",
            "Condition": {
                "StringEquals": {"kms:CallerAccount": account, "kms:ViaService": f"ec2.{region}.amazonaws.com"}
            },
        },
    )
