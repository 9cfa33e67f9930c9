"""Runs in AWS Lambda: makes a new value for a secret, in the four steps that Secrets Manager asks for.

The value is a random text that nobody has seen. Services that share it must take the one before as well until all have
the new one (label AWSPREVIOUS); nothing has to be told of it, so two of the four steps have nothing to do.
"""

from __future__ import annotations

from typing import Any

import boto3

LENGTH = 64


def handler(event: dict[str, Any], _context: Any, client: Any = None) -> None:
    """One step of one rotation. Each may be repeated: a step that was done already changes nothing."""
    client = client or boto3.client("secretsmanager")
    secret, version, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    stages = client.describe_secret(SecretId=secret)["VersionIdsToStages"]
    if "AWSCURRENT" in stages.get(version, ()):
        return
    if step == "createSecret":
        create(client, secret, version)
    elif step == "finishSecret":
        finish(client, secret, version, stages)
    elif step not in ("setSecret", "testSecret"):
        raise ValueError(f"Secrets Manager has no step {step}")


def create(client: Any, secret: str, version: str) -> None:
    """Store a new value beside the one in use, unless an earlier try did."""
    try:
        client.get_secret_value(SecretId=secret, VersionId=version, VersionStage="AWSPENDING")
    except client.exceptions.ResourceNotFoundException:
        value = client.get_random_password(PasswordLength=LENGTH, ExcludePunctuation=True)["RandomPassword"]
        client.put_secret_value(
            SecretId=secret, ClientRequestToken=version, SecretString=value, VersionStages=["AWSPENDING"]
        )


def finish(client: Any, secret: str, version: str, stages: dict[str, list[str]]) -> None:
    """Make the new value the one in use. The one before keeps the label AWSPREVIOUS, which AWS sets."""
    current = next((each for each, labels in stages.items() if "AWSCURRENT" in labels), None)
    moved = {"RemoveFromVersionId": current} if current else {}
    client.update_secret_version_stage(SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=version, **moved)
