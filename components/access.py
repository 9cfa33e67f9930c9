"""Who may do what in AWS, said once: policy documents from their parts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pulumi

VERSION = "2012-10-17"  # the policy language's, the only current one


def assumed_by(service: str) -> str:
    """The trust of a role that an AWS service takes on."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": VERSION, "Statement": [statement]})


def assumed_by_pods(namespace: str, service_account: str) -> str:
    """The trust of a role that pods of one service account take on through EKS Pod Identity, and no others.

    The agent tags each session with where the pod lives (EKS user guide, "Pod Identity role").
    """
    where = {"kubernetes-namespace": namespace, "kubernetes-service-account": service_account}
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": {"StringEquals": {f"aws:RequestTag/{tag}": value for tag, value in where.items()}},
    }
    return json.dumps({"Version": VERSION, "Statement": [statement]})


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
    """A policy document of its statements."""
    return pulumi.Output.json_dumps({"Version": VERSION, "Statement": list(statements)})
