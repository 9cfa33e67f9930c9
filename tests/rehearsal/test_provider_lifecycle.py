"""Check, Create, Update, Read, Invoke of the stand-ins, asked over gRPC."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import provider_pb2

from tests.rehearsal.stubs import Caller, Made, cloud
from tollgate.policy.sentinels import UNKNOWN
from tollgate.rehearsal import decisions
from tollgate.rehearsal.server import stand_ins
from tollgate.rehearsal.values import Secret, read_struct, write_struct

RDS = "aws:rds/instance:Instance"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
CLUSTER = "kubernetes:postgresql.cnpg.io/v1:Cluster"
DATABASE = {"instanceClass": "db.r7g.large", "engine": "postgres", "engineVersion": "17.4", "identifier": "clearing"}
POD = {"containers": [{"name": "app", "image": "x"}]}
OBJECT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"labels": {"app": "a"}},
    "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "a"}}, "template": {"spec": POD}},
}
DEFINITION = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"


def definition(**spec: Any) -> dict[str, Any]:
    """A definition of a resource whose schema says this of its spec."""
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"plural": "tenants", "kind": "Tenant"}
    return {"spec": {"group": "a.example", "names": names, "scope": "Namespaced", "versions": [version]}}


@pytest.fixture(scope="module")
def aws() -> Iterator[Caller]:
    with cloud("aws") as (_, caller):
        caller.configure(region="eu-central-1", defaultTags=json.dumps({"tags": {"team": "payments"}}))
        yield caller


@pytest.fixture(scope="module")
def kubernetes() -> Iterator[Caller]:
    with cloud("kubernetes") as (_, caller):
        caller.configure()
        yield caller


def without(given: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in names}


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (DATABASE, []),
        (without(DATABASE, "instanceClass"), ["instanceClass: is required and was not given; set it"]),
        ({**DATABASE, "instanceClass": UNKNOWN, "engine": Secret(UNKNOWN)}, []),
        (
            {**DATABASE, "storage_encrypted": True},
            ["storage_encrypted: no such property; did you mean storageEncrypted?"],
        ),
        (
            {**DATABASE, "restoreToPointInTime": {"useLatestRestoreableTime": True}},
            ["restoreToPointInTime.useLatestRestoreableTime: no such property; did you mean useLatestRestorableTime?"],
        ),
        ({**DATABASE, "tags": ["a"]}, ["tags: must be an object"]),
        ({**DATABASE, "vpcSecurityGroupIds": "sg-1"}, ["vpcSecurityGroupIds: must be a list"]),
    ],
)
def test_aws_inputs_are_checked(aws: Caller, inputs: dict[str, Any], expected: list[str]) -> None:
    assert aws.check(RDS, inputs)[1] == expected


@pytest.mark.parametrize(
    ("token", "inputs", "expected"),
    [
        (DEPLOYMENT, OBJECT, []),
        (
            DEPLOYMENT,
            {**OBJECT, "kind": "Deploy"},
            ["kind: is not one of the values it can have; write one of: Deployment"],
        ),
        (
            DEPLOYMENT,
            {**OBJECT, "spec": {**OBJECT["spec"], "template": {"spec": {"containers": [{"imagee": "x"}]}}}},
            [
                "spec.template.spec.containers[0].imagee: no such property; did you mean image?",
                "spec.template.spec.containers[0].name: is required and was not given; set it",
            ],
        ),
        # A schema's extensions are spelled otherwise in the SDKs than in a manifest.
        (DEFINITION, definition(x_kubernetes_preserve_unknown_fields=True), []),
        (DEFINITION, definition(**{"x-kubernetes-preserve-unknown-fields": True}), []),
        # Of a custom resource only the metadata is known; its spec is the operator's.
        (CLUSTER, {"metadata": {"name": "a"}, "spec": {"anything": 1}}, []),
        (CLUSTER, {"metadata": {"lables": {}}}, ["metadata.lables: no such property; did you mean labels?"]),
    ],
)
def test_kubernetes_inputs_are_checked(
    kubernetes: Caller, token: str, inputs: dict[str, Any], expected: list[str]
) -> None:
    assert sorted(kubernetes.check(token, inputs)[1]) == sorted(expected)


def test_names_are_generated_kept_and_given_up(aws: Caller) -> None:
    nameless = without(DATABASE, "identifier")
    first, _ = aws.check(RDS, nameless, seed=b"one")
    assert re.fullmatch(r"thing-[0-9a-f]{7}", first["identifier"])
    assert aws.check(RDS, nameless, seed=b"one")[0] == first
    assert aws.check(RDS, nameless, seed=b"two")[0]["identifier"] != first["identifier"]
    assert aws.check(RDS, nameless, first, seed=b"two")[0]["identifier"] == first["identifier"]
    assert aws.check(RDS, DATABASE, first)[0]["identifier"] == "clearing"
    assert aws.check(RDS, nameless, DATABASE)[0]["identifier"] != "clearing"
    assert "identifier" not in aws.check(RDS, {**nameless, "identifierPrefix": "pay-"})[0]
    assert aws.check("aws:sqs/queue:Queue", {"fifoQueue": True})[0]["name"].endswith(".fifo")
    proposed = provider_pb2.CheckRequest.AutonamingOptions(proposed_name="dev-thing")
    assert aws.check(RDS, nameless, autonaming=proposed)[0]["identifier"] == "dev-thing"


def test_kubernetes_names_are_generated_and_kept(kubernetes: Caller) -> None:
    first, _ = kubernetes.check(DEPLOYMENT, OBJECT, seed=b"one")
    assert re.fullmatch(r"thing-[0-9a-f]{8}", first["metadata"]["name"])
    again, _ = kubernetes.check(DEPLOYMENT, OBJECT, first, seed=b"two")
    assert again == first
    assert kubernetes.diff(DEPLOYMENT, first, again).changes == {}
    fixed, _ = kubernetes.check(DEPLOYMENT, {**OBJECT, "metadata": {"name": "mine"}}, first)
    assert fixed["metadata"] == {"name": "mine"}


def test_sensitive_inputs_come_back_as_secrets(aws: Caller, kubernetes: Caller) -> None:
    inputs, _ = aws.check(RDS, {**DATABASE, "password": "hunter2"})
    assert inputs["password"] == Secret("hunter2")
    for preview in (True, False):
        assert aws.create(RDS, {**DATABASE, "password": "hunter2"}, preview=preview).outputs["password"] == Secret(
            "hunter2"
        )
    users = [{"username": "u", "password": "hunter2"}]
    broker, _ = aws.check("aws:mq/broker:Broker", {"users": users})
    assert broker["users"] == [{"username": "u", "password": Secret("hunter2")}]
    data = {"metadata": {"name": "s"}, "stringData": {"a": "x", "b": Secret("y")}}
    assert kubernetes.check("kubernetes:core/v1:Secret", data)[0]["stringData"] == Secret({"a": "x", "b": "y"})


def test_a_default_tag_is_an_input_of_each_resource_that_can_have_it() -> None:
    with cloud("aws") as (_, caller):
        caller.configure(region="eu-central-1", defaultTags=json.dumps({"tags": {"team": "payments"}}))
        before, _ = caller.check(RDS, {**DATABASE, "tags": {"a": "b"}})
        assert before["tagsAll"] == {"team": "payments", "a": "b"}
        assert caller.check(RDS, {**DATABASE, "tags": {"a": UNKNOWN}})[0]["tagsAll"] == UNKNOWN
        assert "tagsAll" not in caller.check("aws:ec2/routeTableAssociation:RouteTableAssociation", {})[0]
    with cloud("aws") as (_, caller):  # the same resource, after the default tags have changed
        caller.configure(region="eu-central-1", defaultTags=json.dumps({"tags": {"team": "risk"}}))
        after, _ = caller.check(RDS, {**DATABASE, "tags": {"a": "b"}}, before)
        found = caller.diff(RDS, before, after)
        assert (found.changes, found.replaces) == ({"tagsAll.team": "update"}, ())


def test_a_provider_that_moves_to_another_region_replaces_what_names_none() -> None:
    with cloud("aws") as (_, caller):
        caller.configure(region="eu-central-1")
        named = {**DATABASE, "region": "eu-central-1"}
        here, there = caller.create(RDS, DATABASE), caller.create(RDS, named)
    with cloud("aws") as (_, caller):
        caller.configure(region="eu-west-1")
        moved = caller.diff(RDS, DATABASE, DATABASE, here.outputs)
        assert (moved.changes, moved.replaces) == ({"region": "update_replace"}, ("region",))
        assert caller.diff(RDS, named, named, there.outputs).changes == {}


def test_another_context_may_be_another_cluster_so_what_it_replaces_is_not_known() -> None:
    def asked(caller: Caller, package: str) -> None:
        old, new = (write_struct({"context": context}) for context in ("one", "two"))
        provider = f"urn:pulumi:dev::shop::pulumi:providers:{package}::thing"
        caller.stub.DiffConfig(provider_pb2.DiffRequest(urn=provider, old_inputs=old, news=new))

    with cloud("kubernetes") as (running, caller):
        asked(caller, "kubernetes")
        assert {path for _, path in running.undecided} == {"context"}
    with cloud("nonesuch") as (running, caller):
        asked(caller, "nonesuch")
        assert running.undecided == frozenset()


def test_a_preview_knows_only_what_the_program_says(aws: Caller, kubernetes: Caller) -> None:
    planned = aws.create(RDS, {**DATABASE, "tags": {"a": "b"}}, preview=True)
    assert planned.id == ""
    assert planned.outputs["engineVersion"] == "17.4"
    assert {planned.outputs[name] for name in ("arn", "endpoint", "address", "port", "kmsKeyId")} == {UNKNOWN}
    assert planned.outputs["tagsAll"] == {"team": "payments", "a": "b"}
    assert planned.outputs["region"] == "eu-central-1"
    planned = kubernetes.create(DEPLOYMENT, {**OBJECT, "metadata": {"name": "a"}}, preview=True)
    assert planned.outputs["metadata"]["name"] == "a"
    assert planned.outputs["metadata"]["uid"] == UNKNOWN
    assert planned.outputs["status"] == UNKNOWN


def test_what_is_made_looks_like_the_real_thing(aws: Caller, kubernetes: Caller) -> None:
    made = aws.create(RDS, DATABASE)
    assert re.fullmatch(r"db-[A-Z0-9]{26}", made.id)
    assert made.outputs["resourceId"] == made.id
    assert made.outputs["arn"] == "arn:aws:rds:eu-central-1:123456789012:db:clearing"
    host = r"clearing\.[a-z0-9]{12}\.eu-central-1\.rds\.amazonaws\.com"
    assert re.fullmatch(host, made.outputs["address"])
    assert made.outputs["endpoint"] == f"{made.outputs['address']}:5432"
    assert made.outputs["port"] == 5432
    assert made.outputs["masterUserSecrets"][0]["secretStatus"] == "active"
    assert UNKNOWN not in json.dumps(made.outputs, default=str)

    stateful = kubernetes.create(DEPLOYMENT, {**OBJECT, "metadata": {"name": "a"}})
    assert stateful.id == "default/a"
    assert stateful.outputs["status"] == {"readyReplicas": 3, "replicas": 3}
    assert kubernetes.create(CLUSTER, {"metadata": {"name": "pg", "namespace": "pay"}}).id == "pay/pg"
    assert kubernetes.create("kubernetes:core/v1:Namespace", {"metadata": {"name": "pay"}}).id == "pay"

    zone = aws.create(
        "aws:elasticache/replicationGroup:ReplicationGroup", {"replicationGroupId": "c", "description": "d"}
    )
    assert re.fullmatch(r"master\.c\.[a-z0-9]{6}\.euc1\.cache\.amazonaws\.com", zone.outputs["primaryEndpointAddress"])
    bare = aws.create("aws:ssm/parameter:Parameter", {"name": "a", "type": "String", "value": "v"})
    assert (bare.id, bare.outputs["arn"]) == ("a", "arn:aws:ssm:eu-central-1:123456789012:parameter/a")
    eip = aws.create("aws:ec2/eip:Eip", {}).outputs
    assert eip["privateIp"].replace(".", "-") in eip["privateDns"]


def test_outputs_come_from_the_urn_alone() -> None:
    def made(name: str) -> Made:
        with cloud("aws") as (_, caller):
            return caller.create("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}, name=name)

    assert made("main") == made("main")
    assert made("main").id != made("other").id


def test_a_replacement_gets_another_id() -> None:
    token, before, after = "aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}, {"cidrBlock": "10.1.0.0/16"}
    with cloud("aws") as (_, caller):
        old = caller.create(token, before)
        assert caller.create(token, after).id != old.id
    with cloud("aws") as (_, later):  # a later command: nothing is remembered, but Diff comes before Create
        assert later.diff(token, before, after, old.outputs).replaces == ("cidrBlock",)
        assert later.create(token, after).id != old.id


def test_an_update_keeps_what_does_not_depend_on_it(aws: Caller, kubernetes: Caller) -> None:
    made = aws.create(RDS, DATABASE)
    resized = aws.update(RDS, made, DATABASE, {**DATABASE, "instanceClass": "db.r7g.xlarge"}, preview=True)
    assert resized == {**made.outputs, "instanceClass": "db.r7g.xlarge"}
    renamed = aws.update(RDS, made, DATABASE, {**DATABASE, "identifier": "other"}, preview=True)
    assert {renamed[name] for name in ("arn", "address", "endpoint")} == {UNKNOWN}
    assert renamed["hostedZoneId"] == made.outputs["hostedZoneId"]
    renamed = aws.update(RDS, made, DATABASE, {**DATABASE, "identifier": "other"})
    assert renamed["arn"] == "arn:aws:rds:eu-central-1:123456789012:db:other"

    parameter = {"name": "/a", "type": "String", "value": "v"}
    token = "aws:ssm/parameter:Parameter"
    first = aws.create(token, parameter)
    assert first.outputs["version"] == 1
    assert aws.update(token, first, parameter, {**parameter, "value": "w"}, preview=True)["version"] == UNKNOWN
    assert aws.update(token, first, parameter, {**parameter, "value": "w"})["version"] == 2

    named = {**OBJECT, "metadata": {"name": "a"}}
    deployed = kubernetes.create(DEPLOYMENT, named)
    scaled = {**named, "spec": {**named["spec"], "replicas": 5}}
    after = kubernetes.update(DEPLOYMENT, deployed, named, scaled)
    assert after["metadata"] == deployed.outputs["metadata"]
    assert after["status"] == {"readyReplicas": 5, "replicas": 5}


def test_a_dropped_input_leaves_the_state(aws: Caller) -> None:
    before = {**DATABASE, "deletionProtection": True, "backupRetentionPeriod": 14}
    made = aws.create(RDS, before)
    after = aws.update(RDS, made, before, DATABASE)
    assert "deletionProtection" not in after
    assert after["backupRetentionPeriod"] == 14


def test_reading_back(aws: Caller, kubernetes: Caller) -> None:
    made = aws.create(RDS, DATABASE)
    assert aws.read(RDS, made.id, {}, {}) == (DATABASE, made.outputs)
    # From an earlier command: what the engine knows stands.
    assert aws.read(RDS, "db-EARLIER", DATABASE, {"arn": "x"}) == (DATABASE, {"arn": "x"})
    # An import knows only the id.
    inputs, outputs = kubernetes.read(DEPLOYMENT, "pay/web")
    assert inputs == {"metadata": {"name": "web", "namespace": "pay"}}
    assert outputs["metadata"]["name"] == "web"
    inputs, outputs = aws.read("aws:s3/bucket:Bucket", "ledger")
    assert (inputs, outputs["arn"]) == ({"bucket": "ledger"}, "arn:aws:s3:::ledger")


def invoke(caller: Caller, token: str, arguments: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    answer = caller.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=write_struct(arguments)))
    return read_struct(getattr(answer, "return")), [item.reason for item in answer.failures]


def test_functions(aws: Caller) -> None:
    identity, _ = invoke(aws, "aws:index/getCallerIdentity:getCallerIdentity", {})
    assert identity["accountId"] == "123456789012"
    assert invoke(aws, "aws:index/getRegion:getRegion", {})[0]["region"] == "eu-central-1"
    assert invoke(aws, "aws:index/getPartition:getPartition", {})[0]["partition"] == "aws"
    zones, _ = invoke(aws, "aws:index/getAvailabilityZones:getAvailabilityZones", {"excludeNames": ["eu-central-1b"]})
    assert zones["names"] == ["eu-central-1a", "eu-central-1c"]
    statement = {
        "actions": ["s3:GetObject"],
        "resources": ["a", "b"],
        "principals": [{"type": "AWS", "identifiers": ["x"]}],
        "conditions": [{"test": "Bool", "variable": "aws:SecureTransport", "values": ["true"]}],
    }
    token = "aws:iam/getPolicyDocument:getPolicyDocument"
    policy, _ = invoke(aws, token, {"statements": [statement]})
    assert json.loads(policy["json"])["Statement"] == [
        {
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": ["a", "b"],
            "Principal": {"AWS": "x"},
            "Condition": {"Bool": {"aws:SecureTransport": "true"}},
        }
    ]
    hidden, _ = invoke(aws, token, {"statements": [{**statement, "resources": [Secret("hunter2")]}]})
    assert isinstance(hidden["json"], Secret)
    token = "aws:secretsmanager/getSecretVersion:getSecretVersion"
    password, _ = invoke(aws, token, {"secretId": "payments/broker"})
    assert isinstance(password["secretString"], Secret)
    assert (
        password == invoke(aws, token, {"secretId": "payments/broker"})[0] != invoke(aws, token, {"secretId": "x"})[0]
    )
    _, failures = invoke(aws, "aws:ec2/getAmi:getAmi", {})
    assert len(failures) == 1
    assert "aws:ec2/getAmi:getAmi" in failures[0]


def test_any_other_package_is_served() -> None:
    with cloud("nonesuch") as (running, caller):
        token = "nonesuch:index:Thing"
        assert re.fullmatch(r"nonesuch:\d+", running.debug_providers)
        assert caller.check(token, {"a": 1}) == ({"a": 1}, [])
        made = caller.create(token, {"a": 1})
        assert made.outputs == {"a": 1}
        assert made.id.startswith("thing-")
        assert caller.diff(token, {"a": 1}, {"a": 2}).changes == {"a": "update"}
        assert running.unlisted_types == {token}


def test_a_large_object_passes(kubernetes: Caller) -> None:
    data = {"metadata": {"name": "big"}, "data": {"file": "x" * 6_000_000}}
    assert kubernetes.create("kubernetes:core/v1:ConfigMap", data).outputs["data"] == data["data"]


def test_a_fault_is_one_sentence_and_shows_no_value(
    aws: Caller, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def explode(*given: Any) -> None:
        raise ValueError(f"bad value {given}")

    monkeypatch.setattr(decisions, "check", explode)
    with pytest.raises(grpc.RpcError) as refused:
        aws.check(RDS, {**DATABASE, "password": "hunter2"})
    assert refused.value.code() == grpc.StatusCode.INTERNAL
    assert RDS in refused.value.details()
    assert "ValueError" in refused.value.details()
    with pytest.raises(grpc.RpcError) as component:
        aws.stub.Construct(provider_pb2.ConstructRequest(type="aws:x:Component"))
    assert component.value.code() == grpc.StatusCode.UNIMPLEMENTED
    seen = "".join([*capfd.readouterr(), caplog.text, refused.value.details()])
    assert "hunter2" not in seen
    assert "Traceback" not in seen


def test_failures_never_quote_a_value(aws: Caller) -> None:
    _, failures = aws.check(RDS, {"passwrod": Secret("hunter2"), "tags": Secret(["hunter2"]), "engine": {"hunter2": 1}})
    assert len(failures) >= 3
    assert "hunter2" not in "".join(failures)


def test_the_servers_are_gone_afterwards() -> None:
    with stand_ins(["aws", "kubernetes"]) as running:
        assert len(set(running.ports.values())) == 2
        caller = Caller(running.ports["aws"])
        assert caller.stub.GetPluginInfo(Empty()).version
    with pytest.raises(grpc.RpcError):
        caller.check(RDS, DATABASE)
    caller.close()
