"""The whole program, recorded for each stack: what it would register, and what guards it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from ipaddress import IPv4Network
from itertools import combinations
from typing import Any

import pulumi
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components.base import Component
from components.naming import LONGEST, physical
from components.specs import Target
from stacks.loading import load_settings
from stacks.profiles import BROKER, DATABASE
from stacks.profiles_redis import COORDINATION
from stacks.settings import Tier
from tests.components.recording import ROOT, STACKS, Record, config_of, run

on_each_stack = pytest.mark.parametrize("stack", STACKS)
on_aws = pytest.mark.parametrize("stack", [stack for stack in STACKS if stack in ("dev", "staging", "prod")])

# Changing a token deletes and recreates everything under it: this table and an alias change together, or not at all.
TOKENS = {
    "tollgate:configuration:AwsParameters": "AwsParameters",
    "tollgate:configuration:ConfigCentre": "ConfigCentre",
    "tollgate:configuration:ParameterStore": "ParameterStore",
    "tollgate:compute:Cluster": "Cluster",
    "tollgate:compute:NamespaceBaseline": "NamespaceBaseline",
    "tollgate:data:Database": "Database",
    "tollgate:data:Migrations": "Migrations",
    "tollgate:data:RedisStore": "RedisStore",
    "tollgate:evidence:EvidenceStore": "EvidenceStore",
    "tollgate:messaging:QueueSet": "QueueSet",
    "tollgate:messaging:RabbitCluster": "RabbitCluster",
    "tollgate:migration:MonolithMigration": "MonolithMigration",
    "tollgate:network:Endpoints": "Endpoints",
    "tollgate:network:Network": "Network",
    "tollgate:platform:PaymentPlatform": "PaymentPlatform",
    "tollgate:security:EncryptionKey": "EncryptionKey",
    "tollgate:security:RotationFunction": "RotationFunction",
}
HOLDS_DATA = {
    "aws:ec2/eip:Eip",
    "aws:ec2/vpc:Vpc",
    "aws:eks/cluster:Cluster",
    "aws:s3/bucket:Bucket",
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
    "aws:rds/cluster:Cluster",
    "aws:rds/clusterInstance:ClusterInstance",
    "aws:rds/instance:Instance",
    "aws:elasticache/replicationGroup:ReplicationGroup",
    "aws:kms/key:Key",
    "aws:secretsmanager/secret:Secret",
    "kubernetes:core/v1:Namespace",
    "kubernetes:apps/v1:StatefulSet",
    "kubernetes:postgresql.cnpg.io/v1:Cluster",
    "kubernetes:barmancloud.cnpg.io/v1:ObjectStore",
    "kubernetes:rabbitmq.com/v1beta1:RabbitmqCluster",
    "kubernetes:rabbitmq.com/v1beta1:Vhost",
    "kubernetes:rabbitmq.com/v1beta1:Queue",
}


@cache
def recorded(stack: str) -> Record:
    return run(stack, config_of(stack))


def test_type_tokens_are_locked() -> None:
    assert recorded("staging").resources
    assert Component.TOKENS == TOKENS


@on_each_stack
def test_all_that_holds_data_is_guarded_as_the_tier_says_and_nothing_else_is(stack: str) -> None:
    safety = load_settings(stack, config_of(stack), [], root=ROOT).safety
    record = recorded(stack)
    data = [made for made in record.resources if made.type in HOLDS_DATA]
    assert len(data) >= 3
    for made in data:
        assert (made.protect, made.retain_on_delete) == (safety.protect, safety.retain_on_delete), made.name
    assert [made.name for made in record.resources if made.protect and made.type not in HOLDS_DATA] == []


@on_each_stack
def test_every_resource_is_in_the_platform_and_names_its_provider(stack: str) -> None:
    record = recorded(stack)
    loose = [
        made.name
        for made in record.resources
        if not made.type.startswith("pulumi:providers:")
        and (not made.provider or "tollgate:platform:PaymentPlatform" not in record.line_of(made))
    ]
    assert loose == []


@on_each_stack
def test_addresses_are_unique(stack: str) -> None:
    names = [(made.type, made.name) for made in recorded(stack).resources]
    assert len(names) == len(set(names))


@on_aws
def test_subnets_lie_apart_inside_their_network(stack: str) -> None:
    (vpc,) = recorded(stack).of("vpc:Vpc")
    subnets = [IPv4Network(made.inputs["cidrBlock"]) for made in recorded(stack).of("subnet:Subnet")]
    assert len(subnets) == 3 * len({made.inputs["availabilityZone"] for made in recorded(stack).of("subnet:Subnet")})
    assert all(subnet.subnet_of(IPv4Network(vpc.inputs["cidrBlock"])) for subnet in subnets)
    assert not any(one.overlaps(other) for one, other in combinations(subnets, 2))


@pytest.mark.parametrize("stack", [stack for stack in STACKS if stack != "edge"])
def test_the_payment_queue_loses_nothing(stack: str) -> None:
    policies = {made.inputs["spec"]["name"]: made.inputs["spec"] for made in recorded(stack).of(":Policy")}
    work, dead = policies["payments"]["definition"], policies["payments.dead"]["definition"]
    # At-least-once holds only when all three stand together; else it is at-most-once, silently.
    assert work["dead-letter-strategy"] == "at-least-once"
    assert work["overflow"] == dead["overflow"] == "reject-publish"
    assert work["dead-letter-exchange"] == "payments.dead"
    assert 1 <= work["delivery-limit"] <= 100
    assert "dead-letter-exchange" not in dead
    assert not {"message-ttl", "expires"} & {*work, *dead}
    for queue in recorded(stack).of(":Queue"):
        assert (queue.inputs["spec"]["type"], queue.inputs["spec"]["durable"]) == ("quorum", True)
    assert all(exchange.inputs["spec"]["durable"] for exchange in recorded(stack).of(":Exchange"))


@pytest.mark.parametrize("stack", [stack for stack in STACKS if stack != "edge"])
def test_topology_that_cannot_change_is_replaced_and_goes_before_its_broker(stack: str) -> None:
    record = recorded(stack)
    kinds = ("Vhost", "Queue", "Exchange", "Binding", "Policy")
    topology = [made for kind in kinds for made in record.of(f"rabbitmq.com/v1beta1:{kind}")]
    assert len(topology) == 9
    for made in topology:
        assert made.delete_before_replace, made.name
        assert set(made.replace_on_changes) & {"spec", "spec.rabbitmqClusterReference"}, made.name
        # Through the virtual host each of them waits for the broker, so a destroy takes the broker last.
        waits_for = "RabbitmqCluster::" if made.type.endswith("Vhost") else ":Vhost::"
        chained = (":Policy::", ":Exchange::", ":Queue::")
        assert any(waits_for in urn or any(kind in urn for kind in chained) for urn in made.depends_on), made.name


@on_each_stack
def test_no_input_and_no_output_carries_a_secret(stack: str) -> None:
    named = [
        (made.name, path)
        for made in recorded(stack).resources
        for path in leaves(made.inputs)
        if any(word in path.lower() for word in ("password", "authtoken", "secretkey", "accesskey"))
    ]
    allowed = (
        "manageMasterUserPassword",
        "s3Credentials.accessKeyId.",
        "s3Credentials.secretAccessKey.",
        "secretKeyRef.",
        "spec.data.secretKey",
    )
    assert [found for found in named if not any(word in found[1] for word in allowed)] == []
    databases = recorded(stack).outputs["databases"]
    for database in databases.values():
        assert set(database) - {"cluster", "authority_ref", "resource_id"} == {
            "host",
            "port",
            "database_name",
            "secret_ref",
        }


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_a_broker_that_matters_has_its_own_disruption_budget_and_keeps_its_disks(stack: str) -> None:
    budget = recorded(stack).one(f"payments-{stack}-rabbit-disruptions", "PodDisruptionBudget")
    assert budget.inputs["spec"]["maxUnavailable"] == 1
    (cluster,) = recorded(stack).of("RabbitmqCluster")
    spec = cluster.inputs["spec"]
    assert spec["tls"]["disableNonTLSListeners"] is True
    assert spec["override"]["statefulSet"]["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"
    assert spec["resources"]["requests"] == spec["resources"]["limits"]


WRONG: dict[str, tuple[str, dict[str, str], str]] = {
    "a misspelt key": ("staging", {"payments:redis": '{"cache": {"replica": 1}}'}, "did you mean replicas"),
    "a promise the edge cannot keep": (
        "edge",
        {"payments:databases": '{"gateway": {"high_availability": true}}'},
        "an edge site has one node",
    ),
    "a stack whose name cannot name a resource": ("Staging_2", {}, "cannot name a resource"),
}


@pytest.mark.parametrize(("stack", "change", "said"), WRONG.values(), ids=WRONG.keys())
def test_wrong_settings_end_the_program_with_a_plain_message(stack: str, change: dict[str, str], said: str) -> None:
    known = stack if stack in STACKS else "staging"
    with pytest.raises(pulumi.RunError, match=said):
        run(stack, config_of(known) | change)


REFUSED: list[tuple[Any, Target, set[str]]] = [
    (load_settings("prod", config_of("prod"), [], root=ROOT).broker, Target.EDGE, {"replicas"}),
    (load_settings("prod", config_of("prod"), [], root=ROOT).databases["risk"], Target.EDGE, {"high_availability"}),
]


@pytest.mark.parametrize(("spec", "target", "fields"), REFUSED)
def test_a_target_refuses_what_it_cannot_keep_and_says_why(spec: Any, target: Target, fields: set[str]) -> None:
    refused = spec.refused_by(target)
    assert {field for field, _ in refused} == fields
    assert all(len(why) > 20 for _, why in refused)


def test_the_dangerous_example_takes_the_guards_off_and_renames_a_database() -> None:
    def seen(record: Record) -> tuple[bool, bool, Any, Any, Any]:
        made = record.one("payments-staging-clearing-instance", "Instance")
        keys = ("dbName", "backupRetentionPeriod", "deletionProtection")
        return (made.protect, made.retain_on_delete, *(made.inputs[key] for key in keys))

    after = run("staging", config_of("staging", ROOT / "examples" / "dangerous.yaml"))
    assert seen(recorded("staging")) == (True, True, "clearing", 14, True)
    assert seen(after) == (False, True, "clearing_v2", 1, False)


def test_the_harmless_example_changes_three_things_and_no_guard() -> None:
    after = run("staging", config_of("staging", ROOT / "examples" / "harmless.yaml"))
    before = {(made.type, made.name): made for made in recorded("staging").resources}
    assert {(made.type, made.name) for made in after.resources} == set(before)
    changed = {made.name for made in after.resources if made != before[(made.type, made.name)]}
    assert changed == {
        "payments-staging-risk-instance",
        "payments-staging-queues-payments-limits",
        "payments-staging-network-flow",
    }


def test_profiles_grow_from_tier_to_tier() -> None:
    grows: list[Callable[[Tier], int]] = [
        lambda tier: DATABASE[tier]["backup_retention_days"],
        lambda tier: DATABASE[tier]["memory_gib"],
        lambda tier: COORDINATION[tier]["replicas"],
        lambda tier: (BROKER[tier] or {})["memory_gib"],
    ]
    for amount in grows:
        assert amount(Tier.DEV) <= amount(Tier.STAGING) <= amount(Tier.PROD)


@given(st.from_regex(r"[a-z](-?[a-z0-9]){0,60}", fullmatch=True))
def test_a_name_is_taken_as_it_is_or_refused_but_never_cut(name: str) -> None:
    if len(name) > LONGEST:
        with pytest.raises(ValueError, match="cannot name a resource"):
            physical(name)
    else:
        assert physical(name) == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "a--b", "A", "a_b", "1a", "a\n"])
def test_a_name_that_some_system_would_refuse_is_refused_here(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a resource"):
        physical(name)


def test_the_program_is_short() -> None:
    assert len((ROOT / "__main__.py").read_text().splitlines()) <= 40
    assert yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["stackConfigDir"] == "stacks"


def leaves(value: Any, path: str = "") -> list[str]:
    """The dotted path of every leaf."""
    if isinstance(value, dict):
        return [leaf for key, part in value.items() for leaf in leaves(part, f"{path}.{key}" if path else str(key))]
    if isinstance(value, list):
        return [leaf for part in value for leaf in leaves(part, path)]
    return [path]
