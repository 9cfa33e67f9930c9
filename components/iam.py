"""IAM documents and roles, in the few shapes that components share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi_aws import iam

# Policies that AWS keeps itself.
MANAGED = "arn:aws:iam::aws:policy/"


def document(*statements: Mapping[str, Any]) -> str:
    """A policy as text. The keys are in one order, so that the same policy is always the same text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, sort_keys=True)


def assumed_by(service: str) -> str:
    """The trust of a role that an AWS service takes on."""
    return document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}})


def assumed_by_pods(namespace: str, service_account: str) -> str:
    """The trust of a role that pods of one service account take on through EKS Pod Identity, and no others.

    The agent tags each session with where the pod lives (EKS user guide, "Pod Identity role").
    """
    tags = {"kubernetes-namespace": namespace, "kubernetes-service-account": service_account}
    return document(
        {
            "Effect": "Allow",
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Condition": {"StringEquals": {f"aws:RequestTag/{key}": value for key, value in tags.items()}},
        }
    )


def role(
    name: str, trust: pulumi.Input[str], managed: Sequence[str] = (), *, opts: pulumi.ResourceOptions
) -> tuple[iam.Role, list[pulumi.Resource]]:
    """A role with policies of AWS's own, and all that must be there before the role is of use."""
    made = iam.Role(name, assume_role_policy=trust, opts=opts)
    within = pulumi.ResourceOptions(parent=opts.parent)
    attached = [
        iam.RolePolicyAttachment(
            f"{name}-{policy.rpartition('/')[2].lower().replace('_', '-')}",
            role=made.name,
            policy_arn=f"{MANAGED}{policy}",
            opts=within,
        )
        for policy in managed
    ]
    return made, [made, *attached]
