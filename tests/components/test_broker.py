"""The broker and its queues: what is refused and how, what always holds of a topology, and Amazon MQ."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from components.specs import BrokerSpec, BrokerUserSpec, QueueSpec, Target, queue_refusals
from components.topology import NOTHING, Topology, dead, topology
from stacks.loading import SettingsError, load_settings
from stacks.profiles import BROKER, BROKER_USERS, QUEUE
from stacks.settings import Tier
from tests.components.crds import needs_crds, refusals
from tests.components.recording import BROKER_PASSWORD, ROOT, Record, config_of, run
from tests.components.test_manifests import plainly

AMAZON = {
    "kind": "amazon-mq",
    "amazon_mq": {
        "engine_version": "4.2",
        "instance_type": "mq.m7g.large",
        "password_secret_ref": "payments/broker",
        "secret_store_ref": "aws",
        "maintenance_day": "SUNDAY",
        "maintenance_time": "18:00",
    },
}
LADDER = {"retry": "ladder"}
# By which a value in the engine's protocol is known to be secret.
SECRET_MARK = "4dabf18193072939515e22adb298388d"


def broker(**changed: Any) -> BrokerSpec:
    return BrokerSpec.model_validate_json(json.dumps({**(BROKER[Tier.PROD] or {}), **changed}))


def queue(**changed: Any) -> QueueSpec:
    return QueueSpec.model_validate_json(json.dumps({**QUEUE[Tier.PROD], **changed}))


def user(**changed: Any) -> BrokerUserSpec:
    return BrokerUserSpec.model_validate_json(json.dumps({**BROKER_USERS["clearing"], **changed}))


def image(release: str) -> str:
    return f"registry.example:5000/rabbitmq:{release}-management@sha256:{'0' * 64}"


WRONG_BROKERS: dict[str, tuple[dict[str, Any], str]] = {
    "an image that can change": ({"image": "rabbitmq:4.3.5-management"}, "image"),
    "a release that loses data": ({"image": image("4.3.4")}, "image must be 4.3.5 or newer"),
    "an even number of nodes": ({"replicas": 4}, "no more failures than one node less; write 1, 3 or 5"),
    "a log that memory cannot hold": ({"memory_gib": 4, "wal_mib": 1025}, "wal_mib must be at most 1024"),
    "a disk as small as memory": ({"memory_gib": 10, "storage_gib": 19}, "storage_gib must be at least 20"),
    "no TLS": ({"tls_secret_ref": None}, "tls_secret_ref"),
    "Amazon MQ without its settings": ({"kind": "amazon-mq"}, "go together; write both or neither"),
    "settings of Amazon MQ without it": ({"amazon_mq": AMAZON["amazon_mq"]}, "go together; write both or neither"),
}


@pytest.mark.parametrize(("changed", "said"), WRONG_BROKERS.values(), ids=WRONG_BROKERS.keys())
def test_a_broker_that_would_fail_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        broker(**changed)


WRONG_QUEUES: dict[str, tuple[dict[str, Any], str]] = {
    "an even group": ({"copies": 4}, "4 copies survive no more failures than 3; write 3"),
    "a delivery limit without dead letters": ({"dead_letter_max_length": None}, "with no dead-letter queue is dropped"),
    "at-least-once that is not": ({"overflow": "drop-head"}, "at-least-once needs overflow reject-publish"),
    "a ladder without steps": ({"retry_ladder_seconds": []}, "retry_ladder_seconds"),
    "a ladder with a step twice": ({"retry_ladder_seconds": [15, 15]}, "must grow from step to step"),
    "a ladder that goes down": ({"retry_ladder_seconds": [60, 15]}, "must grow from step to step"),
    "a wait that shrinks": ({"delayed_retry": {"min_seconds": 60, "max_seconds": 15}}, "must be at least 60"),
}


@pytest.mark.parametrize(("changed", "said"), WRONG_QUEUES.values(), ids=WRONG_QUEUES.keys())
def test_a_queue_that_would_lose_messages_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        queue(**changed)


# (broker, queue, what is refused, and a word of why)
WRONG_TOGETHER: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "more copies than nodes": ({}, {"copies": 5}, "copies", "the broker has 3 nodes; write 3 or less"),
    "one copy on many nodes": ({}, {"copies": 1}, "copies", "is lost with its node, and the broker has more; write 3"),
    "three copies on one node": ({"replicas": 1}, {}, "copies", "write 1 or less"),
    "delayed retry on 4.2": (AMAZON, {}, "retry", "delayed needs RabbitMQ 4.3.1 or newer"),
    "delayed retry on a 4.3 that may be 4.3.0": (
        {"kind": "amazon-mq", "amazon_mq": {**AMAZON["amazon_mq"], "engine_version": "4.3"}},  # type: ignore[dict-item]
        {},
        "retry",
        "which this broker may not be; write ladder",
    ),
}


@pytest.mark.parametrize(("of_broker", "of_queue", "field", "said"), WRONG_TOGETHER.values(), ids=WRONG_TOGETHER.keys())
def test_a_promise_that_the_broker_cannot_keep_is_refused(
    of_broker: dict[str, Any], of_queue: dict[str, Any], field: str, said: str
) -> None:
    ((path, why),) = queue_refusals(broker(**of_broker), {"payments": queue(**of_queue)}, {})
    assert path == ("queues", "payments", field)
    assert said in why


def test_what_goes_together_is_taken() -> None:
    five = broker(replicas=5)
    assert queue_refusals(five, {"payments": queue(copies=5), "notices": queue()}, {"clearing": user()}) == []
    assert queue_refusals(broker(**AMAZON), {"payments": queue(**LADDER)}, {}) == []
    assert broker(image=image("4.4.0")).release == (4, 4, 0)


def test_names_that_are_not_there_or_taken_are_refused() -> None:
    queues = {"payments": queue(), "payments-dead": queue(), "payments-retry-1": queue()}
    said = queue_refusals(broker(), queues, {"risk": user(consumes=["payment"], publishes=["payments"])})
    assert [".".join(path) for path, _ in said] == [
        "queues.payments-dead",
        "queues.payments-retry-1",
        "broker_users.risk.consumes",
    ]
    with pytest.raises(ValidationError, match="a user who may do nothing is not needed"):
        user(consumes=[])


TARGETS = [
    ({}, Target.EDGE, {"replicas"}),
    (AMAZON, Target.KUBERNETES, {"kind"}),
    ({**AMAZON, "replicas": 5}, Target.AWS, {"replicas"}),
    (AMAZON, Target.AWS, set()),
]


@pytest.mark.parametrize(("changed", "target", "fields"), TARGETS)
def test_a_target_refuses_what_it_cannot_keep(changed: dict[str, Any], target: Target, fields: set[str]) -> None:
    assert {field for field, _ in broker(**changed).refused_by(target)} == fields


def test_a_user_of_a_queue_that_is_not_there_is_told_where_it_is_written() -> None:
    config = config_of("staging") | {"payments:broker_users": '{"risk": {"publishes": [], "consumes": ["refunds"]}}'}
    with pytest.raises(SettingsError, match=r"broker_users\.risk\.credentials_secret_ref: is needed"):
        load_settings("staging", config, [], root=ROOT)
    told = {"risk": {"publishes": [], "consumes": ["refunds"], "credentials_secret_ref": "a"}}
    config["payments:broker_users"] = json.dumps(told)
    with pytest.raises(SettingsError, match=r"broker_users\.risk\.consumes: no queue refunds; there is payments"):
        load_settings("staging", config, [], root=ROOT)


QUEUES = st.dictionaries(
    st.sampled_from(["payments", "refunds", "payments-late", "a"]),
    st.builds(
        lambda ladder, length, safe: queue(
            retry="ladder" if ladder else "delayed",
            retry_ladder_seconds=[15 * 4**step for step in range(ladder or 1)],
            max_length=length,
            **({} if safe else {"overflow": "drop-head", "dead_letter_strategy": "at-most-once"}),
        ),
        st.integers(0, 5),
        st.integers(1000, 5_000_000),
        st.booleans(),
    ),
    min_size=1,
)


@given(QUEUES)
def test_in_every_topology_nothing_is_lost_by_its_shape(queues: dict[str, QueueSpec]) -> None:
    made = topology("payments", queues, {})
    reached = {binding.destination: binding.source for binding in made.bindings}
    assert set(reached) == {made_queue.name for made_queue in made.queues}
    for one in made.queues:
        # One policy applies to a queue and nothing is merged, so exactly one may match it.
        (limits,) = [policy.definition for policy in made.policies if re.search(policy.pattern, one.name)]
        assert (one.type, one.durable) == ("quorum", True)
        assert not {"x-queue-mode", "x-queue-version", "x-message-ttl", "x-expires"} & set(one.arguments)
        assert not {"ha-mode", "expires", "queue-mode"} & set(limits)
        assert limits["max-length"] >= 1000
        if one.name in {dead(name) for name in queues}:  # the parking lot is an end: nothing leaves it by itself
            assert not {"dead-letter-exchange", "message-ttl"} & set(limits)
            assert limits["overflow"] == "reject-publish"
        else:
            assert (limits["dead-letter-strategy"] == "at-least-once") == (limits["overflow"] == "reject-publish")
            to, key = limits["dead-letter-exchange"], limits["dead-letter-routing-key"]
            assert (reached[key], key) == (to, to), "a dead letter has a way on"
        if "delayed-retry-type" in limits:
            assert limits["delayed-retry-type"] == "failed", "returned messages would wait at the minimum for ever"
    assert all(exchange.durable for exchange in made.exchanges)
    assert {binding.source for binding in made.bindings} == {exchange.name for exchange in made.exchanges}


def test_a_ladder_has_a_queue_for_each_step_that_leads_back_and_keeps_its_name_when_a_wait_changes() -> None:
    before, after = (
        topology("payments", {"payments": queue(**{**LADDER, "retry_ladder_seconds": waits})}, {})
        for waits in ([15, 60], [20, 90])
    )
    assert [one.name for one in before.queues] == [
        "payments.dead",
        "payments.retry.1",
        "payments.retry.2",
        "payments",
    ]
    assert [limits(after, f"payments.retry.{step}")["message-ttl"] for step in (1, 2)] == [20_000, 90_000]
    assert limits(after, "payments.retry.1")["dead-letter-exchange"] == "payments"
    assert (before.queues, before.exchanges, before.bindings) == (after.queues, after.exchanges, after.bindings)


def test_a_service_may_touch_what_its_user_says_and_declare_nothing() -> None:
    queues = {"payments": queue(**LADDER), "refunds": queue()}
    users = {
        "gateway": user(publishes=["payments", "refunds"], consumes=[]),
        "clearing": user(publishes=[], consumes=["payments", "refunds"]),
    }
    gateway, clearing = topology("payments", queues, users).permissions
    assert (gateway.configure, clearing.configure) == (NOTHING, NOTHING)
    assert (gateway.write, gateway.read) == ("^(payments|refunds)$", NOTHING)
    assert (clearing.write, clearing.read) == ("^(payments[.]retry)$", "^(payments|refunds)$")


def limits(made: Topology, name: str) -> dict[str, Any]:
    (found,) = [policy for policy in made.policies if policy.name == name]
    return dict(found.definition)


@cache
def on_amazon_mq() -> Record:
    config = config_of("staging") | {
        "payments:broker": json.dumps(AMAZON),
        "payments:queues": json.dumps({"payments": LADDER}),
    }
    return run("staging", config)


def test_amazon_mq_is_private_encrypted_logged_and_in_three_zones() -> None:
    (made,) = on_amazon_mq().of("aws:mq/broker:Broker")
    wanted = {
        "engineType": "RabbitMQ",
        "deploymentMode": "CLUSTER_MULTI_AZ",
        "publiclyAccessible": False,
        "autoMinorVersionUpgrade": True,
        "applyImmediately": False,
        "logs": {"general": True},
    }
    assert {key: made.inputs.get(key) for key in wanted} == wanted
    assert made.inputs["encryptionOptions"]["useAwsOwnedKey"] is False
    assert "data" in made.inputs["encryptionOptions"]["kmsKeyId"]
    assert len(made.inputs["subnetIds"]) == 3
    assert (made.protect, made.retain_on_delete) == (True, True)
    doors = [rule.inputs for rule in on_amazon_mq().of("SecurityGroupIngressRule") if "rabbit" in rule.name]
    assert {(door["fromPort"], "cidrIpv4" in door) for door in doors} == {(5671, False), (443, False)}


def test_the_password_of_amazon_mq_is_secret_wherever_it_goes_and_in_no_kubernetes_object() -> None:
    (made,) = on_amazon_mq().of("aws:mq/broker:Broker")
    login = {"username": "platform", "password": BROKER_PASSWORD}
    assert made.inputs["users"] == {SECRET_MARK: "1b47061264138c4ac30d75fd1eb44270", "value": [login]}
    assert made.secret_outputs == ("users",)
    others = [other for other in on_amazon_mq().resources if other.name != made.name]
    assert BROKER_PASSWORD not in repr([other.inputs for other in others])
    assert BROKER_PASSWORD not in repr(on_amazon_mq().outputs)


@needs_crds
def test_amazon_mq_has_the_same_queues_by_an_outside_connection() -> None:
    record = on_amazon_mq()
    assert record.of("RabbitmqCluster") == []
    (connection,) = [made for made in record.of("ExternalSecret") if "tollgate:messaging" in str(record.line_of(made))]
    secret = connection.inputs["spec"]["target"]
    assert secret["template"]["data"]["uri"] == "https://b-one.mq.ap-southeast-1.on.aws:443"
    topology_objects = [made for made in record.resources if made.type.startswith("kubernetes:rabbitmq.com/")]
    assert {made.inputs["kind"] for made in topology_objects} == {
        *("Vhost", "Queue", "Exchange", "Binding", "Policy", "User", "Permission"),
    }
    assert len([made for made in topology_objects if made.inputs["kind"] == "Queue"]) == 6
    for made in [connection, *topology_objects]:
        assert refusals(plainly(made.inputs)) == []
        if made is not connection:
            reference = made.inputs["spec"]["rabbitmqClusterReference"]
            assert reference == {"connectionSecret": {"name": secret["name"]}}


def test_amazon_mq_needs_three_zones() -> None:
    config = config_of("dev") | {
        "payments:broker": json.dumps({**AMAZON, "replicas": 3}),
        "payments:queues": json.dumps({"payments": {**LADDER, "copies": 3}}),
    }
    with pytest.raises(pulumi.RunError, match="give the network three zones"):
        run("dev", config)


@pytest.mark.parametrize("stack", ["local", "staging", "prod"])
def test_the_nodes_are_pinned_guarded_and_closed(stack: str) -> None:
    spec = load_settings(stack, config_of(stack), [], root=ROOT).broker
    assert spec is not None
    record = run(stack, config_of(stack))
    (cluster,) = record.of("RabbitmqCluster")
    made = cluster.inputs["spec"]
    assert re.search(r"@sha256:[0-9a-f]{64}$", made["image"])
    assert made["tls"]["disableNonTLSListeners"] is True
    assert made["resources"]["requests"]["memory"] == made["resources"]["limits"]["memory"]
    assert made["override"]["statefulSet"]["spec"]["persistentVolumeClaimRetentionPolicy"] == {
        "whenDeleted": "Retain",
        "whenScaled": "Retain",
    }
    conf = dict(line.split(" = ") for line in made["rabbitmq"]["additionalConfig"].splitlines())
    assert conf["disk_free_limit.relative"] == "1.0"
    assert "cluster_partition_handling" not in conf, "from 4.3 it is accepted and does nothing"
    reconciles = "quorum_queue.continuous_membership_reconciliation.enabled"
    assert conf.get(reconciles) == ("true" if spec.replicas > 1 else None)
    (doors,) = [found for found in record.of("NetworkPolicy") if "rabbit" in found.name]
    rules = [*doors.inputs["spec"]["ingress"], *doors.inputs["spec"]["egress"]]
    opened = {port["port"] for rule in rules for port in rule["ports"]}
    assert opened == {5671, 15671, 4369, 25672, 35672, 53}
    assert all(rule.get("from") or rule.get("to") for rule in rules)
    erlang = [rule for rule in doors.inputs["spec"]["ingress"] if rule["ports"][0]["port"] == 4369]
    assert [rule["from"] for rule in erlang] == [[{"podSelector": doors.inputs["spec"]["podSelector"]}]]
    if spec.replicas > 1:
        apart = made["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert [rule["topologyKey"] for rule in apart] == ["kubernetes.io/hostname"]
        (budget,) = [found for found in record.of("PodDisruptionBudget") if "rabbit" in found.name]
        assert budget.inputs["spec"]["maxUnavailable"] == 1
        # The operator writes this label on its pods; it is what every selector of ours must find.
        selected = {"app.kubernetes.io/name": cluster.inputs["metadata"]["name"]}
        assert budget.inputs["spec"]["selector"]["matchLabels"] == apart[0]["labelSelector"]["matchLabels"] == selected
