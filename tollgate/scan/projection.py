"""A footprint in the two forms that checkov reads: a Terraform plan for AWS, manifests for Kubernetes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tollgate.books.terraform import terraform_type
from tollgate.plan.footprint import Declared, Footprint
from tollgate.policy.sentinels import SECRET
from tollgate.scan.model import Gap
from tollgate.scan.values import Translated, masked, translate

AWS, KUBERNETES = "aws:", "kubernetes:"
PROVIDER = "pulumi:providers:aws"
# What a provider is asked about: keys written down beside the program (CKV_AWS_41).
PROVIDER_KEYS = {"accessKey": "access_key", "secretKey": "secret_key"}
# An annotation that switches a check off for one object. What is accepted stands in the register, where it is reviewed.
SKIP = "checkov.io/skip"
# Inputs that a real plan holds as null when they are left out, and that a check misreads when they are not there at
# all: a rule for another firewall group would be taken for one for everybody (CKV_AWS_24, 25, 260, 277).
NULL_WHEN_LEFT_OUT = {"aws_vpc_security_group_ingress_rule": ("cidr_ipv4", "cidr_ipv6")}
NO_TYPE = "how this type reads in Terraform is not in our table"
NO_PROPERTY = "how this property reads in Terraform is not in our table"
NO_PROVIDER = "checkov is asked about AWS and Kubernetes only"
A_PART = "it holds a part of an object that stands elsewhere"
NO_OBJECT = "it is no object with an API version and a kind"


@dataclass
class Projection:
    """plan: as `terraform show -json` prints it. manifests: by label. urns: of each label that checkov was given.

    unknown: by label, the top-level names whose values are not known yet. gaps: what could not be projected.
    """

    plan: dict[str, Any]
    manifests: dict[str, dict[str, Any]] = field(default_factory=dict)
    urns: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, set[str]] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """The files that the worker reads."""
        (folder / "plan.json").write_text(json.dumps(self.plan))
        (folder / "manifests").mkdir()
        for label, manifest in self.manifests.items():
            (folder / "manifests" / f"{label}.json").write_text(json.dumps(manifest))


def project(footprint: Footprint) -> Projection:
    """The projection of a footprint. Nothing is left out without a gap that says so."""
    labels = {resource.urn: f"r{number}" for number, resource in enumerate(footprint.resources)}
    kinds = {resource.urn: known for resource in footprint.resources if (known := terraform_type(resource.type))}
    addresses = {urn: f"{known.terraform}.{labels[urn]}" for urn, known in kinds.items()}
    projection = Projection(plan={})
    planned, configured, providers = [], [], {}
    for resource in footprint.resources:
        label = labels[resource.urn]
        if resource.type == PROVIDER:
            providers[label] = _provider(resource, label)
            projection.urns[label] = resource.urn
        elif resource.type.startswith("pulumi:"):
            continue
        elif resource.urn in kinds:
            told = translate(resource.inputs, kinds[resource.urn])
            planned.append(_planned(addresses[resource.urn], told.values))
            configured.append(_configured(addresses[resource.urn], told, resource.references, addresses))
            projection.urns[label] = resource.urn
            projection.unknown[label] = told.unknown
            projection.gaps += [_gap(resource, NO_PROPERTY, path) for path in told.unmapped]
        else:
            _kubernetes(resource, label, projection)
    projection.plan.update(_plan(planned, configured, providers))
    return projection


def _planned(address: str, values: dict[str, Any]) -> dict[str, Any]:
    kind, _, label = address.partition(".")
    values = dict.fromkeys(NULL_WHEN_LEFT_OUT.get(kind, ())) | values
    return {"address": address, "mode": "managed", "type": kind, "name": label, "values": values}


def _configured(
    address: str, told: Translated, references: Mapping[str, Iterable[str]], addresses: Mapping[str, str]
) -> dict[str, Any]:
    """What the plan says of how values came about: checkov draws its graph from it."""
    kind, _, label = address.partition(".")
    expressions = {}
    for name, urns in references.items():
        pointed = [addresses[urn] for urn in urns if urn in addresses]
        if name in told.names and pointed:
            expressions[told.names[name]] = {"references": [way for at in pointed for way in (f"{at}.id", at)]}
    return {"address": address, "type": kind, "name": label, "expressions": expressions}


def _provider(resource: Declared, label: str) -> dict[str, Any]:
    given = {there: masked(resource.inputs[here]) for here, there in PROVIDER_KEYS.items() if here in resource.inputs}
    expressions = {name: {"constant_value": value} for name, value in given.items()}
    return {"name": "aws", "alias": label, "expressions": expressions}


def _plan(planned: list[Any], configured: list[Any], providers: dict[str, Any]) -> dict[str, Any]:
    """The keys that checkov needs; without a ``terraform_version`` it quietly looks at nothing."""
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "planned_values": {"root_module": {"resources": planned}},
        "configuration": {"provider_config": providers, "root_module": {"resources": configured}},
    }


def _kubernetes(resource: Declared, label: str, projection: Projection) -> None:
    """A manifest, or the gap that says why there is none."""
    inputs = resource.inputs
    if not resource.type.startswith(KUBERNETES):
        why = NO_TYPE if resource.type.startswith(AWS) else NO_PROVIDER
        projection.gaps.append(_gap(resource, why))
    elif resource.type.endswith("Patch"):
        projection.gaps.append(_gap(resource, A_PART))
    elif not isinstance(inputs.get("apiVersion"), str) or not isinstance(inputs.get("kind"), str):
        projection.gaps.append(_gap(resource, NO_OBJECT))
    else:
        projection.manifests[label] = _manifest(resource)
        projection.urns[label] = resource.urn


def _manifest(resource: Declared) -> dict[str, Any]:
    """The object as it is sent, under a name: checkov finds nothing wrong with an object that has none."""
    manifest = {name: masked(value) for name, value in resource.inputs.items() if not name.startswith("__")}
    metadata = dict(manifest.get("metadata") or {})
    metadata["name"] = metadata.get("name") or metadata.get("generateName") or resource.name
    annotations = metadata.get("annotations") or {}
    metadata["annotations"] = {name: value for name, value in annotations.items() if not name.startswith(SKIP)}
    if manifest["kind"] == "Secret":
        manifest |= {
            name: dict.fromkeys(manifest[name], SECRET) for name in ("data", "stringData") if manifest.get(name)
        }
    return {**manifest, "metadata": metadata}


def _gap(resource: Declared, why: str, path: str = "") -> Gap:
    return Gap(urn=resource.urn, type=resource.type, path=path, why=why)
