"""Writes tollgate/books/terraform.yaml anew: ``python -m tests.terraform.table``. Needs terraform and checkov.

Which types are in it: those that a check of the locked checkov concerns, those of the book of replacements, and those
that our stacks use. Which Terraform type a Pulumi type is, is found by its name, and kept only where the inputs of the
two agree; the names that no rule finds are below.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.components.recording import STACKS, config_of, run
from tests.terraform.provider import VERSION, schemas
from tollgate.books import terraform as book
from tollgate.books.replacement import replacement_facts
from tollgate.books.terraform import Inputs, snake
from tollgate.rehearsal.packages import sdk_folders, sdk_version
from tollgate.rehearsal.sdk_types import Input, Sdk, Shape, fields_of
from tollgate.scan.environment import environment
from tollgate.scan.run import catalogue

FILE = Path(book.__file__).with_name(book.BOOK)
# Pulumi types whose Terraform name follows from no rule; each agrees with it in its inputs.
IRREGULAR = {
    "aws:alb/listener:Listener": "aws_lb_listener",
    "aws:alb/loadBalancer:LoadBalancer": "aws_lb",
    "aws:alb/targetGroup:TargetGroup": "aws_lb_target_group",
    "aws:appsync/graphQLApi:GraphQLApi": "aws_appsync_graphql_api",
    "aws:bedrock/agentAgent:AgentAgent": "aws_bedrockagent_agent",
    "aws:cfg/configurationAggregator:ConfigurationAggregator": "aws_config_configuration_aggregator",
    "aws:cfg/recorder:Recorder": "aws_config_configuration_recorder",
    "aws:cfg/recorderStatus:RecorderStatus": "aws_config_configuration_recorder_status",
    "aws:codepipeline/pipeline:Pipeline": "aws_codepipeline",
    "aws:ec2transitgateway/transitGateway:TransitGateway": "aws_ec2_transit_gateway",
    "aws:elasticbeanstalk/environment:Environment": "aws_elastic_beanstalk_environment",
    "aws:elb/loadBalancer:LoadBalancer": "aws_elb",
    "aws:fsx/openZfsFileSystem:OpenZfsFileSystem": "aws_fsx_openzfs_file_system",
    "aws:rds/clusterSnapshot:ClusterSnapshot": "aws_db_cluster_snapshot",
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": (
        "aws_db_instance_automated_backups_replication"
    ),
    "aws:rds/snapshot:Snapshot": "aws_db_snapshot",
    "aws:rds/snapshotCopy:SnapshotCopy": "aws_db_snapshot_copy",
    "aws:s3/bucketAclV2:BucketAclV2": "aws_s3_bucket_acl",
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": "aws_s3_bucket_replication_configuration",
    "aws:ec2/securityGroupAssociation:SecurityGroupAssociation": "aws_vpc_endpoint_security_group_association",
}
# Whole modules that Terraform spells otherwise.
MODULES = {"apigateway": "api_gateway"}
# Properties whose Terraform name follows from no rule.
RENAMED = {
    "aws:apigateway/authorizer:Authorizer": {"restApi": "rest_api_id"},
    "aws:apigateway/basePathMapping:BasePathMapping": {"restApi": "api_id"},
    "aws:apigateway/deployment:Deployment": {"restApi": "rest_api_id"},
    "aws:apigateway/integration:Integration": {"restApi": "rest_api_id"},
    "aws:apigateway/integrationResponse:IntegrationResponse": {"restApi": "rest_api_id"},
    "aws:apigateway/method:Method": {"restApi": "rest_api_id"},
    "aws:apigateway/methodResponse:MethodResponse": {"restApi": "rest_api_id"},
    "aws:apigateway/methodSettings:MethodSettings": {"restApi": "rest_api_id"},
    "aws:apigateway/model:Model": {"restApi": "rest_api_id"},
    "aws:apigateway/requestValidator:RequestValidator": {"restApi": "rest_api_id"},
    "aws:apigateway/resource:Resource": {"restApi": "rest_api_id"},
    "aws:apigateway/stage:Stage": {"restApi": "rest_api_id", "deployment": "deployment_id"},
    "aws:apigateway/vpcLink:VpcLink": {"targetArn": "target_arns"},
    "aws:batch/computeEnvironment:ComputeEnvironment": {
        "name": "compute_environment_name",
        "namePrefix": "compute_environment_name_prefix",
    },
    "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter": {"logGroup": "log_group_name"},
    "aws:cloudwatch/metricAlarm:MetricAlarm": {"name": "alarm_name"},
    "aws:elasticbeanstalk/environment:Environment": {"version": "version_label"},
    "aws:glue/catalogTable:CatalogTable": {"partitionIndices": "partition_index"},
    "aws:lambda/function:Function": {"name": "function_name", "code": "filename"},
    "aws:lambda/layerVersion:LayerVersion": {"code": "filename"},
    "aws:lambda/permission:Permission": {"function": "function_name"},
    "aws:s3/bucketWebsiteConfiguration:BucketWebsiteConfiguration": {"routingRuleDetails": "routing_rule"},
    "aws:sns/topicSubscription:TopicSubscription": {"topic": "topic_arn"},
}
# A check that names more types than this is about tags or the like, which every type has.
CONCERNS_EVERYTHING = 60
# A web ACL nests statements in statements without end in sight: 2 MB of schema.
DEEPEST = 4
ALIKE = 0.7  # share of inputs that must agree; the mean of both directions
HEAD = """\
# How AWS resources of Pulumi read in Terraform. Generated by `python -m tests.terraform.table`; do not edit.
#
# Read from: terraform-provider-aws {provider}, `terraform providers schema -json` (types and their inputs);
#   pulumi_aws {sdk} (which tokens there are, and which inputs are "newer": in the SDK, not in that provider).
# Which types: those that a check of checkov {checkov} concerns, those of the replacement books, those of our stacks.
#
# terraform: the type. inputs: Terraform's names by kind of value (text; plain: number or true/false; list; map, whose
# keys are the user's own; secret: sensitive; blocks: nested). open: nested deeper than this book follows.
# renamed: Pulumi's name to Terraform's where no rule gives it. newer: Pulumi's paths that this provider does not know;
# some of them are outputs that the SDK also lists among the inputs.
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tollgate-table-") as folder:
        known = schemas(Path(folder))
    FILE.write_text(text(known))
    sys.stdout.write(f"{FILE.name}: {FILE.stat().st_size} bytes\n")


def text(known: Mapping[str, Any]) -> str:
    """The whole book."""
    checks = catalogue(environment(print))
    folder = sdk_folders(None)["aws"]
    sdk = Sdk(folder)
    kinds = dict(sorted(chosen(known, sdk, concerned(checks.checks.values()))))
    head = HEAD.format(provider=VERSION, sdk=sdk_version(folder), checkov=checks.version)
    entries = {token: entry(token, kind, known, sdk) for token, kind in kinds.items()}
    return head + yaml.dump(entries, sort_keys=False, width=140, default_flow_style=None)


def concerned(checks: Any) -> set[str]:
    """Terraform types that a check is about."""
    return {kind for check in checks if len(check.types) < CONCERNS_EVERYTHING for kind in check.types}


def chosen(known: Mapping[str, Any], sdk: Sdk, concerned: set[str]) -> Iterator[tuple[str, str]]:
    """Pulumi token and Terraform type of each entry."""
    used = {made.type for stack in STACKS for made in run(stack, config_of(stack)).resources}
    facts = {token: fact.terraform for token, fact in replacement_facts().items() if fact.terraform}
    for token in sdk.tokens():
        kind = facts.get(token) or IRREGULAR.get(token) or by_rule(token, known, sdk)
        if kind in known and (token in facts or token in used or kind in concerned):
            yield token, kind


def by_rule(token: str, known: Mapping[str, Any], sdk: Sdk) -> str | None:
    _, middle, name = token.split(":")
    module = middle.partition("/")[0]
    module = MODULES.get(module, module)
    likely = [kind for kind in (f"aws_{module}_{snake(name)}", f"aws_{snake(name)}") if kind in known]
    ranked = sorted(((alike(token, inputs(known[kind]["block"]), sdk), kind) for kind in likely), reverse=True)
    return ranked[0][1] if ranked and ranked[0][0] >= ALIKE else None


def alike(token: str, there: Inputs, sdk: Sdk) -> float:
    """How far the inputs of a Pulumi and a Terraform type agree: 0 to 1."""
    types = sdk.types(token)
    here = set(types.inputs) - {"region"} if types else set()
    agreed = {there.spelt(RENAMED.get(token, {}).get(name, name)) for name in here} - {None}
    names = set(there.text | there.plain | there.list | there.map | there.secret | there.blocks.keys())
    return (len(agreed) / max(1, len(here)) + len(agreed) / max(1, len(names))) / 2


def inputs(block: Mapping[str, Any], depth: int = 0) -> Inputs:
    """The settable names of a block of the schema."""
    settable = {
        name: attribute
        for name, attribute in block.get("attributes", {}).items()
        # tags_all: with the provider's own tags, which pulumi-aws puts among the inputs, whatever the type says.
        if attribute.get("optional") or attribute.get("required") or name == "tags_all"
    }
    if depth == 0:
        settable.pop("id", None)
    kinds: dict[str, set[str]] = {}
    blocks: dict[str, Inputs] = {}
    for name, attribute in settable.items():
        inner = objects(attribute)
        if inner is not None:
            blocks[name] = inputs(inner, depth + 1)
        else:
            kinds.setdefault("secret" if attribute.get("sensitive") else kind_of(attribute["type"]), set()).add(name)
    for name, nested in block.get("block_types", {}).items():
        if name != "timeouts":
            blocks[name] = inputs(nested["block"], depth + 1) if depth < DEEPEST else Inputs(open=True)
    return Inputs.model_validate({**kinds, "blocks": blocks})


def objects(attribute: Mapping[str, Any]) -> dict[str, Any] | None:
    """The block that an attribute amounts to, when it holds objects."""
    if "nested_type" in attribute:
        nested: dict[str, Any] = attribute["nested_type"]
        return nested
    kind = attribute["type"]
    while isinstance(kind, list) and kind[0] in ("list", "set"):
        kind = kind[1]
    if isinstance(kind, list) and kind[0] == "object":
        return {"attributes": {name: {"type": inner, "optional": True} for name, inner in kind[1].items()}}
    return None


def kind_of(kind: Any) -> str:
    if isinstance(kind, list):
        return "map" if kind[0] == "map" else "list"
    return "text" if kind == "string" else "plain"


def entry(token: str, kind: str, known: Mapping[str, Any], sdk: Sdk) -> dict[str, Any]:
    there = inputs(known[kind]["block"])
    renamed = RENAMED.get(token, {})
    types = sdk.types(token)
    newer = sorted(unknown(types.inputs if types else {}, there, renamed, ()))
    return {
        "terraform": kind,
        "inputs": written(there),
        **({"renamed": renamed} if renamed else {}),
        **({"newer": newer} if newer else {}),
    }


def written(inputs: Inputs) -> dict[str, Any]:
    """Inputs as plain data, in a fixed order, without what is empty."""
    kinds = {name: sorted(getattr(inputs, name)) for name in ("text", "plain", "list", "map", "secret")}
    blocks = {name: written(block) for name, block in sorted(inputs.blocks.items())}
    every = {**kinds, "blocks": blocks, "open": inputs.open}
    return {name: value for name, value in every.items() if value}


def unknown(
    fields: Mapping[str, Input], there: Inputs, renamed: Mapping[str, str], path: tuple[str, ...]
) -> Iterator[str]:
    """Pulumi's paths that the provider has no name for."""
    for name, field in fields.items():
        spelt = renamed.get(name) or there.spelt(name)
        if spelt is None:
            yield ".".join((*path, name))
        elif spelt in there.blocks:
            inner = within(field.shape)
            yield from unknown(inner, there.blocks[spelt], {}, (*path, name)) if inner else ()


def within(shape: Shape) -> Mapping[str, Input] | None:
    while shape.kind == "list" and shape.item:
        shape = shape.item
    return fields_of(shape.fields) if shape.kind == "object" and shape.fields else None


if __name__ == "__main__":
    main()
