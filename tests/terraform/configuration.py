"""A footprint as a Terraform configuration (``.tf.json``), for the real provider to judge."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.terraform.provider import initialised
from tollgate.plan.footprint import Footprint
from tollgate.policy.sentinels import SECRET
from tollgate.scan.projection import Projection, project

# Nobody is called: not for credentials, not for the account.
PROVIDER = {
    "region": "ap-southeast-1",
    "access_key": "none",
    "secret_key": "none",
    **dict.fromkeys(
        (
            "skip_credentials_validation",
            "skip_metadata_api_check",
            "skip_requesting_account_id",
            "skip_region_validation",
        ),
        True,
    ),
}
# What stands in for values that the projection masks, where the provider looks at their form.
UNMASKED = {("aws_appconfig_configuration_profile", "content"): "{}"}
# Arguments of ours that came after the provider that is judged by (the book lists all of them as newer), and why they
# are right all the same. The provider of Pulumi has them: it is built on the next major version.
NEWER = {
    ("aws_eks_cluster", "deletion_protection"): "pulumi_aws 7.51.1, eks.Cluster: whether the cluster may be deleted",
    ("aws_elasticache_replication_group", "durability"): (
        "pulumi_aws 7.51.1, elasticache.ReplicationGroup: whether a write waits for its copy"
    ),
    ("aws_dms_endpoint", "postgres_settings.authentication_method"): (
        "pulumi_aws 7.51.1, dms.EndpointPostgresSettings: password or iam"
    ),
    ("aws_dms_endpoint", "postgres_settings.service_access_role_arn"): (
        "pulumi_aws 7.51.1, dms.EndpointPostgresSettings: the role that signs in by IAM"
    ),
}


class Configuration:
    """The configuration of a footprint, and the resource behind each of its addresses."""

    def __init__(self, footprint: Footprint, schemas: Mapping[str, Any]) -> None:
        self.projection: Projection = project(footprint)
        self.left_out: set[tuple[str, str]] = set()
        self.resources: dict[str, dict[str, Any]] = {}
        for planned in self.projection.plan["planned_values"]["root_module"]["resources"]:
            kind = planned["type"]
            arguments = dict(self._arguments(kind, planned["values"], schemas[kind]["block"]))
            self.resources.setdefault(kind, {})[planned["name"]] = arguments

    def write(self, folder: Path) -> Path:
        """A folder in which terraform can judge it."""
        text = json.dumps({"provider": {"aws": PROVIDER}, "resource": self.resources})
        (initialised(folder) / "main.tf.json").write_text(text)
        return folder

    def _arguments(self, kind: str, values: Mapping[str, Any], block: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, value in values.items():
            if value is None or name == "tags_all":  # computed: from tags, and from those of the provider
                continue
            if (kind, name) in NEWER:
                self.left_out.add((kind, name))
                continue
            inner = fields(block.get("attributes", {}).get(name, {}))
            whole = [{**dict.fromkeys(inner), **item} for item in value] if inner else value
            yield name, self._without_newer(kind, name, written(kind, name, whole))

    def _without_newer(self, kind: str, block: str, value: Any) -> Any:
        """The value without what came later inside of its blocks."""
        later = {name.partition(".")[2] for of_kind, name in NEWER if of_kind == kind and name.startswith(f"{block}.")}
        if not later or not isinstance(value, list):
            return value
        self.left_out |= {(kind, f"{block}.{name}") for item in value for name in later & item.keys()}
        return [{name: part for name, part in item.items() if name not in later} for item in value]


def fields(attribute: Mapping[str, Any]) -> list[str]:
    """The fields of an argument that holds objects: unlike a block's, each must be there, if only as null."""
    kind = attribute.get("type")
    while isinstance(kind, list) and kind[0] in ("list", "set"):
        kind = kind[1]
    return list(kind[1]) if isinstance(kind, list) and kind[0] == "object" else []


def written(kind: str, name: str, value: Any) -> Any:
    """A value as text of the language: what looks like a template of it is none."""
    if isinstance(value, dict):
        return {key: written(kind, key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [written(kind, name, item) for item in value]
    if value == SECRET:
        return UNMASKED.get((kind, name), SECRET)
    return value.replace("${", "$${").replace("%{", "%%{") if isinstance(value, str) else value
