"""What checkov is given: resources in Terraform's words, edges, names filled in, and no secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.scan.states import BLOCK, BUCKET, DATABASE, KEY, SECRET, UNKNOWN, footprint, manifest, resource, urn
from tollgate.scan.projection import A_PART, NO_OBJECT, NO_PROPERTY, NO_PROVIDER, NO_TYPE, Projection, project

ASSET = {"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", "text": "code"}


def planned(projection: Projection) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = projection.plan["planned_values"]["root_module"]["resources"]
    return found


def values(kind: str, inputs: dict[str, Any]) -> dict[str, Any]:
    (only,) = planned(project(footprint(resource(kind, "it", inputs))))
    found: dict[str, Any] = only["values"]
    return found


FUNCTION, TOPIC = "aws:lambda/function:Function", "aws:sns/topicSubscription:TopicSubscription"
POLICY = {"Version": "2012-10-17", "Statement": []}
TABLE: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "camel case": (DATABASE, {"storageEncrypted": True}, {"storage_encrypted": True}),
    "a single block becomes a list": (
        "aws:ecr/repository:Repository",
        {"imageScanningConfiguration": {"scanOnPush": True}},
        {"image_scanning_configuration": [{"scan_on_push": True}]},
    ),
    "a list of blocks loses its plural": (
        "aws:rds/parameterGroup:ParameterGroup",
        {"parameters": [{"name": "rds.force_ssl", "applyMethod": "immediate"}]},
        {"parameter": [{"name": "rds.force_ssl", "apply_method": "immediate"}]},
    ),
    "a plural in ies": (
        "aws:iam/role:Role",
        {"inlinePolicies": [{"name": "a", "policy": "{}"}]},
        {"inline_policy": [{"name": "a", "policy": "{}"}]},
    ),
    "keys of a map are the user's own": (
        BUCKET,
        {"tags": {"costCentre": "payTeam"}},
        {"tags": {"costCentre": "payTeam"}},
    ),
    "one text where a list belongs": (
        DATABASE,
        {"enabledCloudwatchLogsExports": "postgresql"},
        {"enabled_cloudwatch_logs_exports": ["postgresql"]},
    ),
    "an odd name": (TOPIC, {"topic": "arn:x", "protocol": "sqs"}, {"topic_arn": "arn:x", "protocol": "sqs"}),
    "a renamed file": (FUNCTION, {"name": "rotate", "code": ASSET}, {"function_name": "rotate", "filename": "[file]"}),
    "a document written as an object": (KEY, {"policy": POLICY}, {"policy": json.dumps(POLICY)}),
    "a secret": (DATABASE, {"username": SECRET}, {"username": "[secret]"}),
    "a sensitive input that nobody marked": (DATABASE, {"password": "hunter2"}, {"password": "[secret]"}),
    "not known yet": (DATABASE, {"kmsKeyId": UNKNOWN}, {"kms_key_id": None}),
    "not known in part": (
        DATABASE,
        {"vpcSecurityGroupIds": ["sg-1", UNKNOWN]},
        {"vpc_security_group_ids": ["sg-1", None]},
    ),
    "bookkeeping and nulls are left out": (DATABASE, {"__defaults": ["x"], "iops": None}, {}),
    "newer than the book": (DATABASE, {"region": "eu-west-1"}, {"region": "eu-west-1"}),
    "a rule for another group is none for everybody": (
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        {"referencedSecurityGroupId": "sg-1"},
        {"referenced_security_group_id": "sg-1", "cidr_ipv4": None, "cidr_ipv6": None},
    ),
}


@pytest.mark.parametrize(("kind", "inputs", "wanted"), TABLE.values(), ids=TABLE.keys())
def test_inputs_in_terraform_words(kind: str, inputs: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert values(kind, inputs) == wanted


def test_a_property_that_no_book_knows_is_reported_with_its_path() -> None:
    projection = project(footprint(resource(BUCKET, "it", {"frobs": 1, "corsRules": [{"allowedFrobs": []}]})))
    assert [(gap.urn, gap.path, gap.why) for gap in projection.gaps] == [
        (urn(BUCKET, "it"), "frobs", NO_PROPERTY),
        (urn(BUCKET, "it"), "corsRules.allowedFrobs", NO_PROPERTY),
    ]


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (resource("aws:quantum/computer:Computer", "it", {}), NO_TYPE),
        (resource("random:index/randomPassword:RandomPassword", "it", {}), NO_PROVIDER),
        (manifest("ServiceAccountPatch", "it"), A_PART),
        (resource("kubernetes:helm.sh/v3:Release", "it", {"chart": "x"}), NO_OBJECT),
    ],
)
def test_what_cannot_be_projected_is_reported(entry: dict[str, Any], why: str) -> None:
    projection = project(footprint(entry))
    assert [(gap.urn, gap.why) for gap in projection.gaps] == [(entry["urn"], why)]
    assert projection.urns == {}


def test_references_become_edges_to_what_is_in_the_plan() -> None:
    other = urn("random:index/randomId:RandomId", "id")
    bucket = resource(BUCKET, "records", {})
    block = resource(BLOCK, "closed", {"bucket": UNKNOWN}, {"bucket": [bucket["urn"], other], "skipDestroy": [other]})
    projection = project(footprint(bucket, block))
    first, second = projection.plan["configuration"]["root_module"]["resources"]
    assert first["expressions"] == {}
    target = first["address"]
    assert second["expressions"] == {"bucket": {"references": [f"{target}.id", target]}}
    assert projection.unknown[second["name"]] == {"bucket"}


def test_every_resource_is_found_again_by_its_label() -> None:
    twins = [resource(BUCKET, "one", {}), resource(BUCKET, "two", {}), manifest("ConfigMap", "one")]
    projection = project(footprint(*twins))
    assert sorted(projection.urns.values()) == sorted(twin["urn"] for twin in twins)


def test_keys_of_a_provider_are_shown_to_the_check_that_looks_for_them() -> None:
    provider = resource(
        "pulumi:providers:aws", "main", {"accessKey": "AKIAEXAMPLE", "secretKey": SECRET, "region": "x"}
    )
    (told,) = project(footprint(provider)).plan["configuration"]["provider_config"].values()
    assert told["expressions"] == {
        "access_key": {"constant_value": "AKIAEXAMPLE"},
        "secret_key": {"constant_value": "[secret]"},
    }


def manifest_of(entry: dict[str, Any]) -> dict[str, Any]:
    (only,) = project(footprint(entry)).manifests.values()
    return only


@pytest.mark.parametrize(
    ("metadata", "name"),
    [(None, "it"), ({}, "it"), ({"name": "given"}, "given"), ({"generateName": "some-"}, "some-")],
)
def test_an_object_always_has_a_name(metadata: dict[str, Any] | None, name: str) -> None:
    """checkov finds nothing wrong with an object that has none."""
    more = {} if metadata is None else {"metadata": metadata}
    assert manifest_of(manifest("ConfigMap", "it", **more))["metadata"]["name"] == name


def test_a_program_cannot_switch_checks_off_by_itself() -> None:
    annotations = {"checkov.io/skip1": "CKV_K8S_43=because", "team": "payments"}
    made = manifest_of(manifest("Pod", "it", metadata={"annotations": annotations}))
    assert made["metadata"]["annotations"] == {"team": "payments"}


def test_what_a_secret_holds_is_masked_even_when_nobody_marked_it() -> None:
    made = manifest_of(manifest("Secret", "it", stringData={"password": "hunter2"}, data={"token": "aHVudGVyMg=="}))
    assert (made["stringData"], made["data"]) == ({"password": "[secret]"}, {"token": "[secret]"})


PLANTED = "p1anted-secret"
MARKED = st.sampled_from(
    [{**SECRET, "plaintext": json.dumps(PLANTED)}, {**SECRET, "value": PLANTED}, {**SECRET, "ciphertext": PLANTED}]
)
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5))
NESTED = st.recursive(
    st.one_of(MARKED, PLAIN),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)
NAMES = (
    "tags",
    "userData",
    "password",
    "instanceClass",
    "restoreToPointInTime",
    "vpcSecurityGroupIds",
    "frobs",
    "policy",
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(inputs=st.dictionaries(st.sampled_from(NAMES), NESTED, max_size=4), data=NESTED)
def test_a_secret_is_in_no_file_that_checkov_reads(
    inputs: dict[str, Any], data: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("projection")
    project(footprint(resource(DATABASE, "it", inputs), manifest("ConfigMap", "it", spec=data, metadata={}))).write(
        folder
    )
    assert PLANTED not in "".join(file.read_text() for file in files(folder))


def files(folder: Path) -> list[Path]:
    found = [file for file in folder.rglob("*") if file.is_file()]
    assert len(found) == 2
    return found
