"""What the cross rules make of cases that their examples do not show: each case is a change to the good example."""

import copy
import dataclasses

import pytest

from policies.rules import CROSS_RULES
from policies.rules.cross.messaging import BINDING, EXCHANGE, POLICY, QUEUE
from policies.rules.cross.storage import ACCOUNT_BLOCK, BLOCK, BUCKET
from policies.rules.cross.workloads import BUDGET, NETWORK_POLICY, SCALER, SERVICE
from tollgate.policy.check import Verdict
from tollgate.policy.kubernetes import CNPG_CLUSTER, RABBITMQ_CLUSTER, selects
from tollgate.policy.reading import Reading
from tollgate.policy.sentinels import UNKNOWN
from tollgate.policy.stack import Ref, Resource, Stack, stack_of

H, U, F = Verdict.HOLDS, Verdict.UNSHOWN, Verdict.FAILS
RULES = {rule.id: rule for rule in CROSS_RULES}
CLOSED = {"blockPublicAcls": True, "blockPublicPolicy": True, "ignorePublicAcls": True, "restrictPublicBuckets": True}
BROKER = {"vhost": "payments", "rabbitmqClusterReference": {"name": "rabbit"}}


def worst(rule, example):
    """The verdict on the resource that the rule likes least."""
    stack = stack_of(example)
    return min(RULES[rule].check(found, stack).verdict for found in RULES[rule].judged(stack))


def with_spec(rule, name, **changes):
    """The rule's good example with keys of one resource's spec changed; None leaves a key out."""
    example = copy.deepcopy(dict(RULES[rule].good))
    spec = example[name][1]["spec"]
    spec.update(changes)
    for key in [key for key, value in changes.items() if value is None]:
        del spec[key]
    return example


def broker(kind, **spec):
    return kind, {"spec": {**BROKER, **spec}}


def a_queue(**arguments):
    return broker(QUEUE, name="orders", arguments=arguments)


DEAD = {
    "dead": broker(EXCHANGE, name="dead"),
    "leads": broker(BINDING, source="dead", destination="parked", destinationType="queue"),
    "parked": broker(QUEUE, name="parked"),
}


OTHER_BROKER = {"rabbitmqClusterReference": {"name": "another"}}
TO_PARKED = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "parked"}
TO_ITSELF = {"dead-letter-exchange": "", "dead-letter-routing-key": "orders"}
# A queue that has its dead letters back, so that nothing is wrong with it.
PARKED = {"parked": broker(QUEUE, name="parked", arguments=TO_PARKED)}


def leads_from(source):
    return {"leads": broker(BINDING, source=source, destination="parked", destinationType="queue")}


def with_policy(name, *, first=False, limits=10, **spec):
    """The good example with one policy more, before the others or after them, and the priority of the one there."""
    example = with_spec("queue-deadletter-arrive", "orders-limits", priority=limits)
    more = {name: broker(POLICY, **spec)}
    return {**more, **example} if first else {**example, **more}


@pytest.mark.parametrize(
    ("example", "verdict"),
    [
        ({"orders": a_queue(**{"x-dead-letter-exchange": "dead"}), **DEAD}, H),
        ({"orders": a_queue(**{"x-dead-letter-exchange": "lost"}), "dead": DEAD["dead"]}, F),
        ({"orders": a_queue(**{"x-dead-letter-exchange": "dead"}), "dead": DEAD["dead"]}, F),
        ({"orders": broker(QUEUE, name="orders", arguments=UNKNOWN)}, U),
        ({"orders": a_queue(**{"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "orders"})}, H),
        ({"orders": a_queue(**{"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "lost"})}, F),
        (with_spec("queue-deadletter-arrive", "orders-limits", vhost="other"), F),
        (with_spec("queue-deadletter-arrive", "orders-limits", pattern="["), F),
        (with_spec("queue-deadletter-arrive", "orders-limits", pattern=UNKNOWN), U),
        (with_spec("queue-deadletter-arrive", "dead-binding", destinationType="exchange"), F),
        (
            {
                **RULES["queue-deadletter-arrive"].good,
                "over": broker(POLICY, pattern="orders", priority=11, definition={"max-length": 5}),
            },
            F,
        ),
        (
            {
                **RULES["queue-deadletter-arrive"].good,
                "under": broker(POLICY, pattern="^orders$", priority=9, definition={"max-length": 5}),
            },
            H,
        ),
        (
            {
                **RULES["queue-deadletter-arrive"].good,
                "maybe": broker(POLICY, pattern="^orders$", priority=UNKNOWN, definition={"max-length": 5}),
            },
            F,
        ),
        (
            {
                **with_spec("queue-deadletter-arrive", "orders-limits", definition={"max-length": 5}),
                "maybe": broker(
                    POLICY, pattern=UNKNOWN, priority=11, definition={"dead-letter-exchange": "orders.dead"}
                ),
            },
            F,
        ),
        # One that may apply, and goes before one that surely does.
        (with_policy("maybe", pattern=UNKNOWN, priority=11, definition={"max-length": 5}), F),
        (with_policy("over", pattern="orders", priority=11.0, definition={"max-length": 5}), F),
        # Of priority 0, which is also what is meant where none is given.
        (with_policy("bare", first=True, limits=1, pattern="orders", definition={"max-length": 5}), H),
        (with_policy("bare", limits=-1, pattern="orders", definition={"max-length": 5}), F),
        # On another broker, whose virtual host has the same name.
        (with_policy("far", pattern=UNKNOWN, priority=11, definition={"max-length": 5}, **OTHER_BROKER), H),
        (
            {
                "orders": a_queue(**TO_PARKED),
                "parked": broker(QUEUE, name="parked", arguments=TO_PARKED, **OTHER_BROKER),
            },
            F,
        ),
        # By a policy to a queue by its name; and a policy that names none, beside an exchange whose name comes later.
        ({"orders": broker(QUEUE, name="orders"), "own": broker(POLICY, pattern="orders", definition=TO_ITSELF)}, H),
        (
            {
                **with_spec("queue-deadletter-arrive", "orders-limits", definition={"max-length": 5}),
                "later": broker(EXCHANGE, name=UNKNOWN),
            },
            F,
        ),
        # What is declared or leads on has another name; what leads here is not for dead letters.
        (
            {
                "orders": a_queue(**{"x-dead-letter-exchange": "lost"}),
                "dead": DEAD["dead"],
                **leads_from("lost"),
                **PARKED,
            },
            F,
        ),
        (
            {
                "orders": a_queue(**{"x-dead-letter-exchange": "dead"}),
                "dead": DEAD["dead"],
                **leads_from("new"),
                **PARKED,
            },
            F,
        ),
        ({"orders": a_queue(), "in": broker(BINDING, source="in", destination="orders", destinationType="queue")}, F),
    ],
)
def test_dead_letters(example, verdict):
    assert worst("queue-deadletter-arrive", example) is verdict


@pytest.mark.parametrize(
    ("example", "verdict"),
    [
        ({"receipts": (BUCKET, {}), "account": (ACCOUNT_BLOCK, CLOSED)}, H),
        ({"receipts": (BUCKET, {}), "account": (ACCOUNT_BLOCK, {**CLOSED, "ignorePublicAcls": UNKNOWN})}, U),
        ({"receipts": (BUCKET, {}), "account": (ACCOUNT_BLOCK, {**CLOSED, "restrictPublicBuckets": False})}, F),
        ({"receipts": (BUCKET, {"bucket": "a"}), "other": (BLOCK, {"bucket": "b", **CLOSED})}, F),
    ],
)
def test_blocks_on_public_access(example, verdict):
    assert worst("bucket-public-block", example) is verdict


@pytest.mark.parametrize(
    ("tags", "provider", "made", "verdict"),
    [
        ({}, {"defaultTags": '{"tags": {"owner": "ledger team"}}'}, {}, H),
        ({}, {"defaultTags": {"tags": {"owner": "ledger team"}}}, {}, H),
        ({}, {"defaultTags": "not JSON"}, {}, F),
        ({}, {}, {"tagsAll": {"owner": "ledger team"}}, H),
        ({}, {}, {"tagsAll": UNKNOWN}, F),
        (UNKNOWN, {"defaultTags": {"tags": {"owner": "ledger team"}}}, {}, U),
        ({"owner": ""}, {"defaultTags": {"tags": {"owner": "ledger team"}}}, {}, F),
    ],
)
def test_an_owner_may_come_from_the_provider(tags, provider, made, verdict):
    urn = "urn:pulumi:a::b::aws:kms/key:Key::ledger"
    key = Resource(urn, "aws:kms/key:Key", {"tags": tags}, {"keyId": "k", **made}, {}, provider)
    alias = Resource(f"{urn}-name", "aws:kms/alias:Alias", {"targetKeyId": "k"})
    rule = RULES["key-name-owner"]
    assert rule.check(key, Stack([key, alias])).verdict is verdict


def document(**statement):
    import json

    reads = {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "*", **statement}
    return json.dumps({"Statement": {key: value for key, value in reads.items() if value is not None}})


@pytest.mark.parametrize(
    ("policy", "verdict"),
    [
        (document(), F),
        (document(Effect="Deny"), H),
        (document(Action="cloudwatch:DescribeAlarms"), H),
        (document(Action=["logs:PutLogEvents", "*"]), F),
        (document(Action=None, NotAction="iam:*"), F),
        (document(Resource=None, NotResource="arn:aws:ssm:*:*:parameter/x"), F),
        (document(Resource="arn:aws:ssm:eu-central-1:1:parameter/prod/service/wallet/*"), H),
        (document(Resource="arn:aws:ssm:eu-central-1:1:parameter/prod/service/[lw]*"), H),
        (document(Resource=["arn:aws:ssm:*:*:parameter/prod/*/wallet/*", "arn:aws:ssm:*:*:parameter/*/ledger/*"]), F),
        ("no document", F),
        (document(Effect=None), F),
        (document(Action="s*:Get*"), F),
        ('{"Statement": ["all"]}', F),
    ],
)
def test_reach_of_a_role(policy, verdict):
    example = {**RULES["role-service-own"].good, "reads": ("aws:iam/rolePolicy:RolePolicy", {"policy": policy})}
    assert worst("role-service-own", example) is verdict


@pytest.mark.parametrize(
    ("pattern", "verdict"),
    [
        ("arn:aws:secretsmanager:*:*:secret:/prod/service/*", F),
        ("arn:aws:secretsmanager:*:*:secret:/prod/service/ledger/key-??????", H),
    ],
)
def test_reach_of_a_role_into_secrets(pattern, verdict):
    kind = "aws:secretsmanager/secret:Secret"
    example = {
        "ledger": (kind, {"name": "/prod/service/ledger/key"}),
        "wallet": (kind, {"name": "/prod/service/wallet/key"}),
        "shared": (kind, {"name": "/prod/shared/gateway/key"}),
        "reads": (
            "aws:iam/rolePolicy:RolePolicy",
            {"policy": document(Action="secretsmanager:Get*", Resource=pattern)},
        ),
    }
    assert worst("role-service-own", example) is verdict


@pytest.mark.parametrize(("sources", "verdict"), [(["ledger"], H), (["ledger", "wallet"], F), ([], U)])
def test_a_document_that_is_not_known_yet_is_judged_by_what_it_is_made_of(sources, verdict):
    kind = "aws:iam/rolePolicy:RolePolicy"
    example = {**RULES["role-service-own"].good, "reads": (kind, {"policy": [Ref(name) for name in sources]})}
    stack = stack_of(example)
    policy = dataclasses.replace(stack.of(kind)[0], inputs={"policy": UNKNOWN})
    assert RULES["role-service-own"].check(policy, stack).verdict is verdict


def test_what_has_its_address_already_is_known_by_it():
    here = {
        name: ("aws:ssm/parameter:Parameter", {"name": path, "arn": f"arn:aws:ssm:eu-central-1:1:parameter{path}"})
        for name, path in (("ledger", "/prod/service/ledger/limit"), ("wallet", "/prod/service/wallet/limit"))
    }
    elsewhere = document(Resource="arn:aws:ssm:eu-central-1:2:parameter/*")
    assert worst("role-service-own", {**here, "reads": ("aws:iam/rolePolicy:RolePolicy", {"policy": elsewhere})}) is H


def test_an_owner_that_is_not_known_yet_is_not_taken_for_none():
    kind = "aws:ssm/parameter:Parameter"
    example = {"later": (kind, {"name": UNKNOWN}), "reads": ("aws:iam/policy:Policy", {"policy": document()})}
    assert worst("role-service-own", example) is U


LABELS = {"app": "worker", "tier": "gold"}


@pytest.mark.parametrize(
    ("selector", "verdict"),
    [
        ({}, H),
        (None, F),
        (UNKNOWN, U),
        ({"matchLabels": {"app": "worker", "tier": "gold"}}, H),
        ({"matchLabels": {"app": "worker", "zone": "a"}}, F),
        ({"matchLabels": UNKNOWN}, U),
        ({"matchLabels": {"app": UNKNOWN, "zone": "a"}}, F),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "worker"]}]}, H),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}, F),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, H),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["worker"]}]}, F),
        ({"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["a"]}]}, H),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, H),
        ({"matchExpressions": [{"key": "zone", "operator": "Exists"}]}, F),
        ({"matchExpressions": [{"key": "zone", "operator": "DoesNotExist"}]}, H),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, F),
        ({"matchExpressions": [{"key": "app", "operator": "Sometimes"}]}, F),
        ({"matchExpressions": [{"key": UNKNOWN, "operator": "Exists"}]}, U),
        ({"matchExpressions": UNKNOWN}, U),
        ({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "app", "operator": "Exists"}]}, F),
    ],
)
def test_selectors_mean_what_kubernetes_means(selector, verdict):
    assert selects(Reading(selector), Reading(LABELS)).verdict is verdict
    if verdict is H and selector:
        assert selects(Reading(selector), Reading(UNKNOWN)).verdict is U


def operated(kind, name="rabbit", **spec):
    return kind, {"metadata": {"name": name, "namespace": "payments"}, "spec": spec}


@pytest.mark.parametrize(
    ("pods", "labels", "verdict"),
    [
        (operated(RABBITMQ_CLUSTER), {"app.kubernetes.io/name": "rabbit"}, H),
        (operated(RABBITMQ_CLUSTER), {"app.kubernetes.io/component": "rabbitmq"}, H),
        (operated(RABBITMQ_CLUSTER, name=UNKNOWN), {"app.kubernetes.io/name": "rabbit"}, U),
        (operated(CNPG_CLUSTER, name="ledger"), {"cnpg.io/cluster": "ledger"}, H),
        (operated(CNPG_CLUSTER, name="ledger"), {"cnpg.io/cluster": "wallet"}, F),
        (("kubernetes:core/v1:Pod", {"metadata": {"namespace": "payments", "labels": {"a": "b"}}}), {"a": "b"}, H),
        (("kubernetes:core/v1:Pod", {"metadata": {"namespace": "payments"}}), {"a": "b"}, F),
        (
            ("kubernetes:core/v1:Pod", {"metadata": {"namespace": "other", "labels": {"a": "b"}}}),
            {"a": "b"},
            F,
        ),
    ],
)
def test_network_policies_select_the_pods_of_any_maker(pods, labels, verdict):
    policy = operated(NETWORK_POLICY, podSelector={"matchLabels": labels})
    assert worst("workload-network-select", {"pods": pods, "policy": policy}) is verdict


@pytest.mark.parametrize(
    ("types", "verdict"),
    [(["Ingress"], H), ("Ingress", F), (["Egress"], F), (["Egress", "Ingress"], H), (UNKNOWN, U), (None, H)],
)
def test_only_a_policy_for_the_way_in_counts(types, verdict):
    assert (
        worst("workload-network-select", with_spec("workload-network-select", "closed", policyTypes=types)) is verdict
    )


@pytest.mark.parametrize("workload", ["DaemonSet", "StatefulSet", "ReplicaSet"])
def test_objects_without_a_namespace_are_in_the_same_one(workload):
    template = {"metadata": {"labels": {"a": "b"}}}
    example = {
        "pods": (f"kubernetes:apps/v1:{workload}", {"spec": {"template": template}}),
        "policy": (NETWORK_POLICY, {"metadata": {"namespace": "default"}, "spec": {"podSelector": {}}}),
    }
    assert worst("workload-network-select", example) is H


def test_a_service_without_a_selector_is_looked_after_by_hand():
    assert worst("service-pods-match", {"out": (SERVICE, {"spec": {"externalName": "bank.example"}})}) is H


@pytest.mark.parametrize(
    ("limits", "replicas", "verdict"),
    [
        ({"maxUnavailable": 1}, 3, H),
        ({"maxUnavailable": 0}, 3, F),
        ({"maxUnavailable": "0%"}, 3, F),
        ({"maxUnavailable": "0"}, 3, F),
        ({"maxUnavailable": UNKNOWN}, 3, U),
        ({"minAvailable": 2}, 3, H),
        ({"minAvailable": 3}, 3, F),
        ({"minAvailable": "50%"}, 3, H),
        ({"minAvailable": "67%"}, 3, F),
        ({"minAvailable": "100%"}, 3, F),
        ({"minAvailable": 2.0}, 3.0, H),
        ({"minAvailable": "50%"}, 2, H),
        ({"minAvailable": "5%"}, 3, H),
        ({"minAvailable": "12"}, 3, F),
        ({"minAvailable": "x%"}, 3, F),
        ({"minAvailable": 0}, None, H),
        ({"minAvailable": 1}, None, F),
        ({"minAvailable": 1}, UNKNOWN, U),
        ({"minAvailable": UNKNOWN}, 3, U),
        ({"minAvailable": "some"}, 3, F),
        ({}, 3, F),
    ],
)
def test_budgets(limits, replicas, verdict):
    example = with_spec("budget-pods-spare", "worker", replicas=replicas)
    selector = {"matchLabels": {"app": "worker"}}
    example["budget"] = operated(BUDGET, name="worker", selector=selector, **limits)
    assert worst("budget-pods-spare", example) is verdict


def test_a_budget_for_the_pods_of_any_maker_reckons_with_its_replicas():
    example = dict(RULES["budget-pods-spare"].good)
    _, made = example.pop("worker")
    example["pods"] = ("kubernetes:apps/v1:ReplicaSet", made)
    example["budget"] = operated(BUDGET, name="worker", selector={"matchLabels": {"app": "worker"}}, minAvailable=2)
    assert worst("budget-pods-spare", example) is H


@pytest.mark.parametrize(("least", "verdict"), [(3, H), (2, F), (None, F)])
def test_a_budget_reckons_with_the_least_number_that_a_scaler_leaves(least, verdict):
    example = with_spec("budget-pods-spare", "worker", replicas=None)
    example["budget"] = operated(BUDGET, selector={"matchLabels": {"app": "worker"}}, minAvailable=2)
    target = {"kind": "Deployment", "name": "worker"}
    example["scaler"] = operated(SCALER, scaleTargetRef=target, minReplicas=least)
    assert worst("budget-pods-spare", example) is verdict


@pytest.mark.parametrize(
    ("resources", "verdict"),
    [
        ({"requests": {"cpu": "1"}}, H),
        ({"limits": {"cpu": "1"}}, H),
        ({"limits": {"memory": "1Gi"}}, F),
        ({"requests": UNKNOWN}, U),
        (None, F),
    ],
)
def test_every_container_of_what_is_scaled_asks_for_processor(resources, verdict):
    container = {"name": "worker", "resources": {"requests": {"cpu": "1"}}}
    template = {"spec": {"containers": [container, {"name": "beside", "resources": resources}]}}
    example = with_spec("scaler-target-request", "worker", template=template)
    assert worst("scaler-target-request", example) is verdict


@pytest.mark.parametrize("target", [{"kind": "StatefulSet", "name": "worker"}, {"kind": "Deployment", "name": "other"}])
def test_a_scaler_must_lead_to_what_is_there(target):
    example = with_spec("scaler-target-request", "scaler", scaleTargetRef=target)
    assert worst("scaler-target-request", example) is F


@pytest.mark.parametrize(("suspend", "verdict"), [(True, F), (False, H), (None, H), (UNKNOWN, U)])
def test_a_schedule_that_is_suspended_backs_up_nothing(suspend, verdict):
    assert worst("database-backup-plan", with_spec("database-backup-plan", "nightly", suspend=suspend)) is verdict
