"""Small footprints, written as a stack export has them."""

from __future__ import annotations

import json
from typing import Any

from tollgate.plan.footprint import Footprint, read_footprint

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
BUCKET, BLOCK = "aws:s3/bucket:Bucket", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
KEY, DATABASE = "aws:kms/key:Key", "aws:rds/instance:Instance"


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:prod::pay::{kind}::{name}"


def resource(
    kind: str, name: str, inputs: dict[str, Any], made_of: dict[str, list[str]] | None = None
) -> dict[str, Any]:
    """An entry of a state. made_of: the URNs that a property's value comes from."""
    return {
        "urn": urn(kind, name),
        "type": kind,
        "custom": True,
        "inputs": inputs,
        "propertyDependencies": made_of or {},
    }


def export(*resources: dict[str, Any]) -> str:
    return json.dumps({"version": 3, "deployment": {"resources": list(resources)}})


def footprint(*resources: dict[str, Any]) -> Footprint:
    return read_footprint(export(*resources))


def manifest(kind: str, name: str, *, api: str = "v1", **more: Any) -> dict[str, Any]:
    token = f"kubernetes:{api if '/' in api else f'core/{api}'}:{kind}"
    return resource(token, name, {"apiVersion": api, "kind": kind, **more})
