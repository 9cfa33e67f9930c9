"""Who may do what in AWS, said once: policy documents from their parts, and roles."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi_aws import iam

VERSION = "2012-10-17"  # the policy language's, the only current one
# Policies that AWS keeps itself.
MANAGED = "arn:aws:iam::aws:policy/"


def document(*statements: Mapping[str, Any]) -> str:
    """A policy whose parts are all known. The keys are in one order, so the same policy is always the same text."""
    return json.dumps({"Version": VERSION, "Statement": list(statements)}, sort_keys=True)


def assumed_by(service: str) -> str:
    """The trust of a role that an AWS service takes on."""
    return document({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})


def assumed_by_pods(namespace: str, service_account: str) -> str:
    """The trust of a role that pods of one service account take on through EKS Pod Identity, and no others.

    The agent tags each session with where the pod lives (EKS user guide, "Pod Identity role").
    """
    where = {"kubernetes-namespace": namespace, "kubernetes-service-account": service_account}
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {"StringEquals": {f"aws:RequestTag/{tag}": value for tag, value in where.items()}},
        }
    )


def taken_on_by(role_arn: pulumi.Input[str]) -> pulumi.Output[str]:
    """The trust of a role that another role takes on. Session tags of pod identity go along, so tagging is allowed."""
    return pulumi.Output.json_dumps(
        {
            "Version": VERSION,
            "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": role_arn}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
            ],
        }
    )


def allow(
    *actions: str,
    on: Sequence[pulumi.Input[str]],
    when: tuple[str, Sequence[pulumi.Input[str]]] | None = None,
) -> dict[str, Any]:
    """A statement. ``when``: a condition key, and the values it may have."""
    said: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Resource": list(on)}
    return said | ({"Condition": {"StringEquals": {when[0]: list(when[1])}}} if when else {})


def policy(*statements: dict[str, Any]) -> pulumi.Output[str]:
    """A policy whose parts are known only later."""
    return pulumi.Output.json_dumps({"Version": VERSION, "Statement": list(statements)})


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
