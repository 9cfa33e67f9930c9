"""Names that a provider makes up when the program gives none."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from tollgate.rehearsal.sdk_types import ResourceTypes
from tollgate.rehearsal.values import DEFAULTS, Properties, plain

# Inputs other than ``name`` that pulumi-aws fills in; read from pulumi_aws 7.51.1, where each is optional and is
# described as generated when omitted.
NAME_INPUTS = {
    "aws:eks/nodeGroup:NodeGroup": "nodeGroupName",
    "aws:elasticache/cluster:Cluster": "clusterId",
    "aws:elasticache/replicationGroup:ReplicationGroup": "replicationGroupId",
    "aws:mq/broker:Broker": "brokerName",
    "aws:rds/cluster:Cluster": "clusterIdentifier",
    "aws:rds/clusterInstance:ClusterInstance": "identifier",
    "aws:rds/instance:Instance": "identifier",
    "aws:s3/bucket:Bucket": "bucket",
    "aws:s3/bucketV2:BucketV2": "bucket",
}
# Types whose ``name`` has a fixed beginning.
NAME_BEGINNINGS = {"aws:kms/alias:Alias": "alias/"}
# Queues and topics whose name must end so when they are first-in-first-out.
FIFO_INPUTS = {"aws:sqs/queue:Queue": "fifoQueue", "aws:sns/topic:Topic": "fifoTopic"}
# Services that accept lower case only.
LOWER_CASE = ("aws:rds/", "aws:elasticache/", "aws:s3/", "aws:ecr/", "aws:docdb/", "aws:neptune/")

AUTONAMED = "pulumi.com/autonamed"  # the annotation of the Kubernetes provider
BRIDGE_DIGITS = 7  # random digits after an AWS name; pulumi-terraform-bridge
KUBERNETES_DIGITS = 8  # after a Kubernetes name; pulumi-kubernetes


@dataclass(frozen=True, slots=True)
class NameRequest:
    """What the engine says about naming in one Check. ``proposed`` is empty unless the project configures names."""

    resource: str
    seed: bytes
    proposed: str = ""
    disabled: bool = False

    def name(self, digits: int) -> str:
        if self.proposed:
            return self.proposed
        return f"{self.resource}-{hashlib.sha256(self.seed + self.resource.encode()).hexdigest()[:digits]}"


def name_input(token: str, types: ResourceTypes | None) -> str:
    """The input that the provider fills in when it is absent; empty for a type that is never named for the program."""
    if token in NAME_INPUTS:
        return NAME_INPUTS[token]
    name = types.inputs.get("name") if types else None
    return "name" if name is not None and not name.required and name.shape.kind == "str" else ""


def named_by_provider(properties: Properties, name: str) -> bool:
    """True when the provider filled this input in."""
    return name in (plain(properties.get(DEFAULTS)) or ())


def name_bridged(token: str, new: Properties, old: Properties, name: str, request: NameRequest) -> Properties:
    """The inputs with a name: the program's, else the one it was given before, else a fresh one."""
    if not name or new.get(name) is not None or new.get(f"{name}Prefix") is not None:
        return new
    if named_by_provider(old, name) and old.get(name) is not None:
        chosen = old[name]
    elif request.disabled:
        return new
    else:
        chosen = _fresh(token, new, request)
    return {**new, name: chosen, DEFAULTS: [name]}


def _fresh(token: str, new: Properties, request: NameRequest) -> str:
    chosen = NAME_BEGINNINGS.get(token, "") + request.name(BRIDGE_DIGITS)
    if plain(new.get(FIFO_INPUTS.get(token, ""))) is True:
        chosen += ".fifo"
    return chosen.lower() if token.startswith(LOWER_CASE) else chosen


def name_object(new: Properties, old: Properties, request: NameRequest) -> Properties:
    """The same for a Kubernetes object, which keeps its name in ``metadata`` and a note of it in an annotation."""
    metadata = plain(new.get("metadata")) or {}
    if not isinstance(metadata, dict) or metadata.get("name") is not None or metadata.get("generateName") is not None:
        return new
    before = plain(old.get("metadata")) or {}
    if isinstance(before, dict) and object_named_by_provider(old) and before.get("name") is not None:
        chosen = before["name"]
    elif request.disabled:
        return new
    else:
        chosen = request.name(KUBERNETES_DIGITS)
    annotations = {**(plain(metadata.get("annotations")) or {}), AUTONAMED: "true"}
    return {**new, "metadata": {**metadata, "name": chosen, "annotations": annotations}}


def object_named_by_provider(properties: Properties) -> bool:
    """True for a Kubernetes object whose name the provider made up."""
    metadata = plain(properties.get("metadata"))
    annotations: Any = plain(metadata.get("annotations")) if isinstance(metadata, dict) else None
    return isinstance(annotations, dict) and plain(annotations.get(AUTONAMED)) == "true"
