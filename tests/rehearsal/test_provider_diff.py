"""Update or replace: the facts of the books, asked over gRPC."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.rehearsal.stubs import Caller, cloud, urn
from tollgate.policy.sentinels import UNKNOWN
from tollgate.rehearsal.server import StandIns
from tollgate.rehearsal.state import UNREADABLE_SECRET
from tollgate.rehearsal.values import INVENTED, Secret

RDS = "aws:rds/instance:Instance"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
BROKER = "aws:mq/broker:Broker"
ACL = "aws:wafv2/webAcl:WebAcl"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
STREAM = "aws:kinesis/stream:Stream"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
SEARCH = "aws:opensearch/domain:Domain"
KAFKA = "aws:msk/cluster:Cluster"
SET = "kubernetes:apps/v1:StatefulSet"
CONFIG = "kubernetes:core/v1:ConfigMap"
CLUSTER = "kubernetes:postgresql.cnpg.io/v1:Cluster"
LISTEN = {"fromPort": 5432, "toPort": 5432, "protocol": "tcp", "cidrBlocks": ["10.0.0.0/16"]}


@pytest.fixture(scope="module")
def aws() -> Iterator[tuple[StandIns, Caller]]:
    with cloud("aws") as running:
        running[1].configure(region="eu-central-1")
        yield running


@pytest.fixture(scope="module")
def kubernetes() -> Iterator[tuple[StandIns, Caller]]:
    with cloud("kubernetes") as running:
        running[1].configure()
        yield running


# token, before, after, expected changes
AWS = [
    (RDS, {"engineVersion": "17.4"}, {"engineVersion": "17.5"}, {"engineVersion": "update"}),
    (RDS, {"storageEncrypted": True}, {"storageEncrypted": False}, {"storageEncrypted": "update_replace"}),
    (RDS, {"identifier": "a"}, {"identifier": "b"}, {"identifier": "update"}),
    (RDS, {"allocatedStorage": 100}, {"allocatedStorage": 100.0}, {}),
    (RDS, {"multiAz": True}, {"multiAz": 1}, {"multiAz": "update"}),
    (RDS, {"kmsKeyId": "k"}, {"kmsKeyId": UNKNOWN}, {"kmsKeyId": "update_replace"}),
    (RDS, {}, {"kmsKeyId": UNKNOWN}, {"kmsKeyId": "add_replace"}),
    (RDS, {"engineVersion": "17.4"}, {"engineVersion": UNKNOWN}, {"engineVersion": "update"}),
    (RDS, {"password": Secret("one")}, {"password": "one"}, {}),
    (RDS, {"password": Secret("one")}, {"password": Secret("two")}, {"password": "update"}),
    # Optional and computed: dropping it keeps the value. Deletion protection is not computed.
    (RDS, {"backupRetentionPeriod": 14}, {}, {}),
    (RDS, {"deletionProtection": True}, {}, {"deletionProtection": "delete"}),
    # An empty block is there; an empty map or list is none.
    (
        ACL,
        {"defaultAction": {"block": {}}},
        {"defaultAction": {"allow": {}}},
        {"defaultAction.block": "delete", "defaultAction.allow": "add"},
    ),
    (RDS, {"tags": {}}, {}, {}),
    (GROUP, {"ingress": [LISTEN]}, {"ingress": [{**LISTEN, "toPort": 5433}]}, {"ingress[0].toPort": "update"}),
    (
        GROUP,
        {"ingress": [LISTEN]},
        {"ingress": [{**LISTEN, "cidrBlocks": ["10.0.0.0/16", "0.0.0.0/0"]}]},
        {"ingress[0].cidrBlocks[1]": "add"},
    ),
    (GROUP, {"ingress": [LISTEN]}, {"ingress": [LISTEN, LISTEN]}, {"ingress[1]": "add"}),
    (GROUP, {"description": "a"}, {"description": "b"}, {"description": "update_replace"}),
    (GROUP, {"tags": {"a b": "1"}}, {"tags": {"a b": "2"}}, {'tags["a b"]': "update"}),
    (BROKER, {"deploymentMode": "A"}, {"deploymentMode": "B"}, {"deploymentMode": "update_replace"}),
    (BROKER, {"engineVersion": "3.13"}, {"engineVersion": "4.2"}, {"engineVersion": "update"}),
    (
        BROKER,
        {"engineType": "RabbitMQ", "users": [{"username": "u", "password": Secret("a")}]},
        {"engineType": "RabbitMQ", "users": [{"username": "u", "password": Secret("b")}]},
        {},
    ),
    (
        BROKER,
        {"engineType": "ActiveMQ", "users": [{"username": "u", "password": Secret("a")}]},
        {"engineType": "ActiveMQ", "users": [{"username": "u", "password": Secret("b")}]},
        {"users[0].password": "update"},
    ),
    (CACHE, {"nodeType": "a"}, {"nodeType": "b"}, {"nodeType": "update"}),
    (CACHE, {"atRestEncryptionEnabled": True}, {}, {}),
    (CACHE, {"kmsKeyId": "a"}, {"kmsKeyId": "b"}, {"kmsKeyId": "update_replace"}),
    (CACHE, {"engine": "valkey"}, {"engine": "redis"}, {"engine": "update_replace"}),
    (CACHE, {"engine": "redis"}, {"engine": "valkey"}, {"engine": "update"}),
    (CACHE, {"engineVersion": "8.1"}, {"engineVersion": "7.2"}, {"engineVersion": "update_replace"}),
    (CACHE, {"engineVersion": "7.10"}, {"engineVersion": "7.9"}, {"engineVersion": "update_replace"}),
    (CACHE, {"engineVersion": "7.2"}, {"engineVersion": "8.1"}, {"engineVersion": "update"}),
    # A block that comes or goes replaces when it holds an input that does.
    (
        "aws:ec2/instance:Instance",
        {},
        {"rootBlockDevice": {"encrypted": True}},
        {"rootBlockDevice": "add_replace"},
    ),
    ("aws:ec2/instance:Instance", {}, {"rootBlockDevice": {"volumeSize": 8}}, {"rootBlockDevice": "add"}),
    ("aws:sqs/queue:Queue", {"region": "eu-central-1"}, {}, {}),
    ("aws:sqs/queue:Queue", {}, {"region": "eu-west-1"}, {"region": "add_replace"}),
    ("aws:sqs/queue:Queue", {}, {"region": "eu-central-1"}, {"region": "add"}),
    ("aws:ssm/parameter:Parameter", {"tier": "Advanced"}, {"tier": "Standard"}, {"tier": "update_replace"}),
    ("aws:ssm/parameter:Parameter", {"tier": "Standard"}, {"tier": "Advanced"}, {"tier": "update"}),
    # Types that none of our stacks uses.
    (STREAM, {"shardCount": 1}, {"shardCount": 2}, {"shardCount": "update"}),
    (STREAM, {"name": "a"}, {"name": "b"}, {"name": "update_replace"}),
    (
        TASK,
        {"containerDefinitions": "[1]"},
        {"containerDefinitions": "[2]"},
        {"containerDefinitions": "update_replace"},
    ),
    (
        SEARCH,
        {"encryptAtRest": {"enabled": True}},
        {"encryptAtRest": {"enabled": False}},
        {"encryptAtRest.enabled": "update_replace"},
    ),
    (
        SEARCH,
        {"encryptAtRest": {"enabled": False}},
        {"encryptAtRest": {"enabled": True}},
        {"encryptAtRest.enabled": "update"},
    ),
    (SEARCH, {}, {"vpcOptions": {"subnetIds": ["s"]}}, {"vpcOptions": "add_replace"}),
    (
        SEARCH,
        {"vpcOptions": {"subnetIds": ["s"]}},
        {"vpcOptions": {"subnetIds": ["t"]}},
        {"vpcOptions.subnetIds[0]": "update"},
    ),
    (KAFKA, {"kafkaVersion": "3.6.0"}, {"kafkaVersion": "3.5.1"}, {"kafkaVersion": "update_replace"}),
    (KAFKA, {"kafkaVersion": "3.5.1"}, {"kafkaVersion": "3.6.0"}, {"kafkaVersion": "update"}),
    ("aws:docdb/cluster:Cluster", {"snapshotIdentifier": "a"}, {}, {"snapshotIdentifier": "delete"}),
]
DATA = {"metadata": {"name": "c"}, "data": {"a.b": "1"}}
CLAIM = [{"metadata": {"name": "d"}, "spec": {"storageClassName": "gp3"}}]
KUBERNETES = [
    (SET, {"spec": {"replicas": 3}}, {"spec": {"replicas": 5}}, {"spec.replicas": "update"}),
    (
        SET,
        {"spec": {"volumeClaimTemplates": CLAIM}},
        {"spec": {"volumeClaimTemplates": [{**CLAIM[0], "spec": {"storageClassName": "gp2"}}]}},
        {"spec.volumeClaimTemplates[0].spec.storageClassName": "update_replace"},
    ),
    (SET, {"spec": {"serviceName": "a"}}, {"spec": {}}, {"spec.serviceName": "delete_replace"}),
    (SET, {"metadata": {"name": "a"}}, {"metadata": {"name": "a", "namespace": "default"}}, {}),
    (
        SET,
        {"metadata": {"name": "a"}},
        {"metadata": {"name": "a", "namespace": "x"}},
        {"metadata.namespace": "add_replace"},
    ),
    (SET, {"metadata": {"labels": {"a": "1"}}}, {"metadata": {"labels": {"a": "2"}}}, {"metadata.labels.a": "update"}),
    (CONFIG, DATA, {**DATA, "data": {"a.b": "2"}}, {'data["a.b"]': "update_replace"}),
    (CLUSTER, {"spec": {"instances": 3}}, {"spec": {"instances": 2}}, {"spec.instances": "update"}),
    (CLUSTER, {"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}, {"metadata.name": "update_replace"}),
    (
        "kubernetes:rabbitmq.com/v1beta1:Queue",
        {"spec": {"arguments": {"x-delivery-limit": 20}}},
        {"spec": {"arguments": {"x-delivery-limit": 5}}},
        {'spec.arguments["x-delivery-limit"]': "update"},
    ),
    (
        "kubernetes:core/v1:Pod",
        {"spec": {"containers": [{"name": "a", "image": "x"}]}},
        {"spec": {"containers": [{"name": "a", "image": "y"}]}},
        {"spec.containers[0].image": "update_replace"},
    ),
]


@pytest.mark.parametrize(("token", "old", "new", "expected"), AWS)
def test_what_aws_does(
    aws: tuple[StandIns, Caller], token: str, old: dict[str, Any], new: dict[str, Any], expected: dict[str, str]
) -> None:
    found = aws[1].diff(token, old, new)
    assert found.changes == expected
    assert set(found.replaces) == {path for path, kind in expected.items() if kind.endswith("_replace")}


@pytest.mark.parametrize(("token", "old", "new", "expected"), KUBERNETES)
def test_what_kubernetes_does(
    kubernetes: tuple[StandIns, Caller], token: str, old: dict[str, Any], new: dict[str, Any], expected: dict[str, str]
) -> None:
    assert kubernetes[1].diff(token, old, new).changes == expected


def test_the_name_decides_which_goes_first(aws: tuple[StandIns, Caller], kubernetes: tuple[StandIns, Caller]) -> None:
    """A name that the program set is free only once the old one is gone; a generated one never stands in the way."""
    table = aws[1]
    mine = {"identifier": "mine", "engine": "postgres"}
    assert table.diff(RDS, mine, {**mine, "engine": "mysql"}).deletes_first
    generated = {**mine, "__defaults": ["identifier"]}
    assert not table.diff(RDS, generated, {**generated, "engine": "mysql"}).deletes_first
    assert not table.diff(RDS, mine, {**mine, "engineVersion": "2"}).deletes_first

    objects = kubernetes[1]
    assert objects.diff(CONFIG, DATA, {**DATA, "data": {"a.b": "2"}}).deletes_first
    moved = {"metadata": {"name": "c", "namespace": "x"}, "data": {"a.b": "2"}}
    assert not objects.diff(CONFIG, DATA, moved).deletes_first
    named = {**DATA, "metadata": {"name": "c-1234", "annotations": {"pulumi.com/autonamed": "true"}}}
    assert not objects.diff(CONFIG, named, {**named, "data": {"a.b": "2"}}).deletes_first


def test_options_of_the_kubernetes_provider_make_data_mutable() -> None:
    with cloud("kubernetes") as (running, mutable):
        mutable.configure(enableConfigMapMutable="true")
        after = {**DATA, "data": {"a.b": "2"}}
        assert mutable.diff(CONFIG, DATA, after).changes == {'data["a.b"]': "update"}
        assert mutable.diff(CONFIG, DATA, {**after, "immutable": True}).changes['data["a.b"]'] == "update_replace"
        # Another provider instance of the same program has its own settings.
        other = Caller(running.ports["kubernetes"])
        other.configure()
        assert other.diff(CONFIG, DATA, after).changes == {'data["a.b"]': "update_replace"}
        assert mutable.diff(CONFIG, DATA, after).changes == {'data["a.b"]': "update"}
        other.close()


def test_what_the_cloud_already_has_is_no_change(aws: tuple[StandIns, Caller]) -> None:
    new = {"backupRetentionPeriod": 7}
    assert aws[1].diff(RDS, {}, new, state={"backupRetentionPeriod": 7}).changes == {}
    assert aws[1].diff(RDS, {}, new, state={"backupRetentionPeriod": 1}).changes == {"backupRetentionPeriod": "add"}
    # A value that the stand-in made up proves nothing.
    made_up = {"backupRetentionPeriod": 7, INVENTED: ["backupRetentionPeriod"]}
    assert aws[1].diff(RDS, {}, new, state=made_up).changes == {"backupRetentionPeriod": "add"}


def test_ignored_changes(aws: tuple[StandIns, Caller]) -> None:
    old, new = {"ingress": [LISTEN], "description": "a"}, {"ingress": [{**LISTEN, "toPort": 1}], "description": "b"}
    assert aws[1].diff(GROUP, old, new, ignore=["ingress[0].toPort", "description"]).changes == {}
    assert aws[1].diff(GROUP, old, new, ignore=["ingress"]).changes == {"description": "update_replace"}


def test_what_cannot_be_told_is_recorded() -> None:
    with cloud("aws") as (running, aws):
        # Nobody but the cloud knows which launch template version an instance runs.
        token = "aws:ec2/instance:Instance"
        template = {"launchTemplate": {"version": "1"}}
        assert aws.diff(token, template, {"launchTemplate": {"version": "2"}}).replaces == ()
        assert running.undecided == {(urn(token, "thing"), "launchTemplate.version")}
        # An input that the book says nothing of, a condition over an unknown value, an unknown block.
        aws.diff("aws:sns/topic:Topic", {}, {"maximumMessageSize": 1})
        aws.diff(CACHE, {"engineVersion": "7.2"}, {"engineVersion": UNKNOWN})
        aws.diff(token, {}, {"rootBlockDevice": UNKNOWN})
        assert {path for _, path in running.undecided} == {
            "launchTemplate.version",
            "maximumMessageSize",
            "engineVersion",
            "rootBlockDevice",
        }
        assert running.unlisted_types == frozenset()
        assert aws.diff("aws:mwaa/environment:Environment", {"maxWorkers": 1}, {"maxWorkers": 2}).changes == {
            "maxWorkers": "update"
        }
        assert running.unlisted_types == {"aws:mwaa/environment:Environment"}


def test_every_kind_is_known_but_older_versions_of_those_in_the_table(kubernetes: tuple[StandIns, Caller]) -> None:
    running, caller = kubernetes
    older = "kubernetes:apps/v1beta2:StatefulSet"
    for token in (CLUSTER, "kubernetes:apps/v1:ReplicaSet", "kubernetes:apps/v1beta2:StatefulSetPatch", older):
        caller.diff(token, {"spec": {}}, {"spec": {"replicas": 1}})
    assert running.unlisted_types == {older}
    moved = caller.diff("kubernetes:apps/v1:ReplicaSet", {"metadata": {"name": "a"}}, {"metadata": {"name": "b"}})
    assert moved.changes == {"metadata.name": "update_replace"}


def test_a_secret_that_the_export_did_not_hold() -> None:
    with cloud("kubernetes") as (running, caller):
        secret = "kubernetes:core/v1:Secret"
        old = {"metadata": {"name": "s"}, "stringData": Secret(UNREADABLE_SECRET), "type": "Opaque"}
        new = {"metadata": {"name": "s"}, "stringData": Secret({"password": "x"}), "type": "other"}
        assert caller.diff(secret, old, new).changes == {"type": "update_replace"}
        assert running.unreadable_secrets == {urn(secret, "thing")}
        # That a secret goes away can be seen without reading it.
        assert caller.diff(secret, old, {**old, "stringData": None}).changes == {"stringData": "delete_replace"}
