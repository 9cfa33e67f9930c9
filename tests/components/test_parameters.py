"""ParameterStore: each service reads what names it as a consumer, nothing else, and no secret passes through Pulumi."""

from __future__ import annotations

import importlib.util
import json
import sys
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from components.rotation import SOURCE
from components.specs import ParameterStoreSpec, Target
from components.specs.parameters import PLATFORM
from stacks.loading import load_settings
from stacks.profiles import merged
from tests.components.recording import ROOT, STACKS, Record, Resource, config_of, run

AWS = ("dev", "staging", "prod")
on_aws = pytest.mark.parametrize("stack", AWS)
off_aws = pytest.mark.parametrize("stack", sorted({*STACKS} - {*AWS}))


@cache
def recorded(stack: str) -> Record:
    return run(stack, config_of(stack))


def spec_of(stack: str) -> ParameterStoreSpec:
    return load_settings(stack, config_of(stack), [], root=ROOT).parameters


def statements(made: Resource) -> list[dict[str, Any]]:
    return list(json.loads(made.inputs["policy"])["Statement"])


@on_aws
def test_a_reader_may_read_its_own_paths_with_the_key_for_those_and_nothing_else(stack: str) -> None:
    spec, record = spec_of(stack), recorded(stack)
    for consumer in spec.consumers():
        allowed = {
            "ssm:GetParameter": arns(record, "ssm/parameter:Parameter", spec.values_for(consumer), stack),
            "secretsmanager:GetSecretValue": arns(
                record, "secretsmanager/secret:Secret", spec.secrets_for(consumer), stack
            ),
        }
        (policy,) = [made for made in record.of("RolePolicy") if made.name.endswith(f"-aws-{consumer}-reads")]
        seen: dict[str, set[str]] = {action: set() for action in allowed}
        for said in statements(policy):
            action = said["Action"][0]
            if action == "kms:Decrypt":
                ((_, pinned),) = said["Condition"]["StringEquals"].items()
                assert set(pinned) in allowed.values()
                assert set(pinned)
            else:
                seen[action] |= set(said["Resource"])
        assert seen == allowed
        assert not any("*" in text for said in statements(policy) for text in (*said["Action"], *said["Resource"]))


@on_aws
def test_the_operator_may_become_a_reader_and_nothing_more_and_only_it_may(stack: str) -> None:
    record = recorded(stack)
    readers = [made for made in record.of("iam/role:Role") if made.name.endswith("-reader")]
    (rights,) = [made for made in record.of("RolePolicy") if made.name.endswith("-operator-rights")]
    (said,) = statements(rights)
    assert said["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert set(said["Resource"]) == {f"arn:aws:mock:::{made.name}" for made in readers}
    for made in readers:
        (trust,) = json.loads(made.inputs["assumeRolePolicy"])["Statement"]
        assert trust["Principal"] == {"AWS": f"arn:aws:mock:::payments-{stack}-parameters-aws-operator"}


@on_aws
def test_paths_say_where_and_whose_they_are_and_their_key_is_ours(stack: str) -> None:
    tier = load_settings(stack, config_of(stack), [], root=ROOT).tier.value
    made = [*recorded(stack).of("ssm/parameter:Parameter"), *recorded(stack).of("secretsmanager/secret:Secret")]
    assert {found.inputs["name"] for found in made} == set(recorded(stack).outputs["parameters"]["paths"].values())
    for found in made:
        environment, reach, _, _ = found.inputs["name"].removeprefix("/").split("/")
        assert (environment, reach in ("global", "shared", "service")) == (tier, True)
        key = found.inputs.get("keyId") or found.inputs.get("kmsKeyId")
        assert key == f"arn:aws:mock:::payments-{stack}-parameters-aws-key-key"
        if found.type.endswith("Parameter"):
            assert (found.inputs["type"], found.inputs["tier"]) == ("SecureString", "Standard")


@on_aws
def test_a_secret_gets_its_value_in_aws_and_has_none_here(stack: str) -> None:
    record = recorded(stack)
    assert record.of("SecretVersion") == []
    for made in record.of("secretsmanager/secret:Secret"):
        assert {key for key in made.inputs if "string" in key.lower() or "value" in key.lower()} == set()
    (rotation,) = record.of("SecretRotation")
    assert rotation.inputs["rotationRules"] == {"scheduleExpression": "cron(0 18 1 1/3 ? *)", "duration": "2h"}
    assert rotation.inputs["rotateImmediately"] is True


@on_aws
def test_what_comes_into_kubernetes_is_what_the_grants_say_and_is_waited_for(stack: str) -> None:
    spec = spec_of(stack)
    brought = {
        made.inputs["metadata"]["name"]: made.inputs
        for made in recorded(stack).of("external-secrets.io/v1:ExternalSecret")
        if "tollgate:configuration:ParameterStore" in recorded(stack).line_of(made)
    }
    wanted = {f"parameters-{name}": spec.values_for(name) for name in spec.consumers() if spec.values_for(name)}
    wanted |= {f"sealed-{name}": spec.secrets_for(name) for name in spec.consumers() if spec.secrets_for(name)}
    assert {name: {part["secretKey"] for part in made["spec"]["data"]} for name, made in brought.items()} == {
        name: {entry.field for entry in entries} for name, entries in wanted.items()
    }
    for made in brought.values():
        assert made["metadata"]["annotations"]["pulumi.com/waitFor"] == "condition=Ready"
        assert made["spec"]["refreshInterval"] == "1h0m0s"
    assert grants(recorded(stack), "secrets") == {name: {(name,)} for name in wanted}


@off_aws
def test_elsewhere_each_service_has_an_object_with_its_own_values_and_may_read_only_that(stack: str) -> None:
    spec, record = spec_of(stack), recorded(stack)
    maps = {
        made.inputs["metadata"]["name"]: made.inputs["data"]
        for made in record.of("core/v1:ConfigMap")
        if "tollgate:configuration:ParameterStore" in record.line_of(made)
    }
    assert maps == {f"parameters-{name}": spec.content(name) for name in spec.consumers()}
    assert maps["parameters-gateway"]["gateway.payment-timeout-seconds"] == "1800"
    assert grants(record, "configmaps") == {name: {(name,)} for name in maps}
    assert grants(record, "secrets") == {"sealed-gateway": {("sealed-gateway",)}}


def test_a_secret_that_its_owner_fills_holds_nothing_up() -> None:
    sealed = {"gateway": {"callback-signing-key": {"rotation_months": None}}}
    record = run("staging", config_of("staging") | {"payments:parameters": json.dumps({"sealed": sealed})})
    assert record.of("SecretRotation") == record.of("RotationFunction") == []
    brought = record.one("payments-staging-parameters-aws-sealed-gateway-secret", "ExternalSecret")
    assert "annotations" not in brought.inputs["metadata"]


def test_a_change_of_a_value_shows_in_the_revision_of_its_readers_only() -> None:
    changed = {"values": {"gateway": {"signature-tolerance-seconds": {"value": 240}}}}
    record = run("staging", config_of("staging") | {"payments:parameters": json.dumps(changed)})
    before, after = (found.outputs["parameters"]["revisions"] for found in (recorded("staging"), record))
    assert {name for name in before if before[name] != after[name]} == {"gateway"}


# What a person writes over staging's profile, and what the answer must tell them to write.
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a reach too small": (
        {"values": {"gateway": {"payment-timeout-seconds": {"tier": "service"}}}},
        "tier is service, but wallet reads it, and gateway owns it; write tier: shared",
    ),
    "a reach too great": (
        {"values": {"clearing": {"reconcile-after-minutes": {"tier": "global"}}}},
        r"only clearing reads it; write tier: service",
    ),
    "the platform's own": (
        {"values": {"platform": {"time-server": {"tier": "shared"}}}},
        r"the platform's own values are for all; write tier: global",
    ),
    "a reader twice": (
        {"values": {"gateway": {"payment-timeout-seconds": {"consumers": ["gateway", "gateway"]}}}},
        "consumers names gateway twice",
    ),
    "no reader": ({"values": {"gateway": {"payment-timeout-seconds": {"consumers": []}}}}, "at least 1 item"),
    "a value where a secret's name is": (
        {"sealed": {"gateway": {"callback-signing-key": {"value": "x"}}}},
        "Extra inputs are not permitted",
    ),
    "a path for two things": (
        {
            "sealed": {
                "clearing": {
                    "reconcile-after-minutes": {"tier": "service", "consumers": ["clearing"], "rotation_months": None}
                }
            }
        },
        "clearing.reconcile-after-minutes: in values and in sealed",
    ),
    "a rotation that no calendar has": (
        {"sealed": {"gateway": {"callback-signing-key": {"rotation_months": 5}}}},
        "should be 1, 2, 3, 4, 6 or 12",
    ),
    "a recovery that AWS has not": ({"recovery_days": 3}, r"recovery_days must be 0 \(gone at once\) or 7 to 30"),
    "a recovery too long": ({"recovery_days": 31}, "less than or equal to 30"),
    "an hour that no clock has": ({"rotation_hour_utc": 24}, "less than or equal to 23"),
    "no window": ({"rotation_window_hours": 0}, "greater than or equal to 1"),
    "a key that no path takes": ({"values": {"gateway": {"Time Out": {}}}}, "should match pattern"),
}


@pytest.mark.parametrize(("over", "said"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_parameter_is_refused_with_what_to_write(over: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ParameterStoreSpec.model_validate_json(json.dumps(merged_with(spec_of("staging"), over)))


def test_what_only_aws_can_renew_is_refused_elsewhere() -> None:
    refused = spec_of("staging").refused_by(Target.EDGE)
    assert refused == (
        (
            "sealed.gateway.callback-signing-key.rotation_months",
            "no function renews a Secret on edge; write null, and its owner renews it by hand",
        ),
    )
    assert spec_of("staging").refused_by(Target.AWS) == ()


SERVICES = st.sampled_from(["account", "wallet", "gateway", "risk", "clearing"])


@given(
    owner=st.one_of(SERVICES, st.just(PLATFORM)),
    consumers=st.lists(SERVICES, min_size=1, max_size=5, unique=True),
    tier=st.sampled_from(["global", "shared", "service"]),
)
def test_of_the_three_tiers_exactly_one_is_right(owner: str, consumers: list[str], tier: str) -> None:
    right = "global" if owner == PLATFORM else "service" if consumers == [owner] else "shared"
    value = {"value": 1, "tier": tier, "consumers": consumers}
    over = {
        "recovery_days": 30,
        "rotation_hour_utc": 18,
        "rotation_window_hours": 2,
        "values": {owner: {"x": value}},
        "sealed": {},
    }
    if tier == right:
        (entry,) = ParameterStoreSpec.model_validate_json(json.dumps(over)).entries()
        assert entry.path == f"{tier}/{owner}/x"
    else:
        with pytest.raises(ValidationError, match=f"write tier: {right}"):
            ParameterStoreSpec.model_validate_json(json.dumps(over))


class Vault:
    """Secrets Manager's side of a rotation: versions of one secret, and their labels."""

    def __init__(self) -> None:
        self.exceptions = SimpleNamespace(ResourceNotFoundException=KeyError)
        self.values = {"one": "old"}
        self.labels = {"one": ["AWSCURRENT"]}
        self.made = 0

    def describe_secret(self, **_: str) -> dict[str, Any]:
        return {"VersionIdsToStages": self.labels}

    def get_secret_value(self, **asked: str) -> dict[str, str]:
        return {"SecretString": self.values[asked["VersionId"]]}

    def get_random_password(self, **asked: Any) -> dict[str, str]:
        self.made += 1
        return {"RandomPassword": str(self.made) * asked["PasswordLength"]}

    def put_secret_value(self, **asked: Any) -> None:
        self.values[asked["ClientRequestToken"]] = asked["SecretString"]
        self.labels[asked["ClientRequestToken"]] = list(asked["VersionStages"])

    def update_secret_version_stage(self, **asked: str) -> None:
        self.labels[asked["RemoveFromVersionId"]].remove("AWSCURRENT")
        self.labels[asked["MoveToVersionId"]].append("AWSCURRENT")


STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


def test_a_rotation_makes_one_new_value_however_often_its_steps_are_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    handler, vault = rotate_module(monkeypatch).handler, Vault()
    for step in STEPS:
        for _ in range(2):
            handler({"SecretId": "s", "ClientRequestToken": "two", "Step": step}, None, vault)
    assert (vault.made, vault.values["two"]) == (1, "1" * 64)
    assert vault.labels == {"one": [], "two": ["AWSPENDING", "AWSCURRENT"]}
    with pytest.raises(ValueError, match="has no step"):
        handler({"SecretId": "s", "ClientRequestToken": "three", "Step": "guess"}, None, vault)


def rotate_module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The function's source, loaded without the AWS SDK that Lambda has."""
    monkeypatch.setitem(sys.modules, "boto3", ModuleType("boto3"))
    wanted = importlib.util.spec_from_file_location("rotate", SOURCE)
    assert wanted
    assert wanted.loader
    module = importlib.util.module_from_spec(wanted)
    wanted.loader.exec_module(module)
    return module


def arns(record: Record, kind: str, entries: tuple[Any, ...], stack: str) -> set[str]:
    """The ARNs, as the mock gives them, of the resources that hold these entries."""
    names = {f"payments-{stack}-parameters-aws-{entry.owner}-{entry.key}" for entry in entries}
    assert names <= {made.name for made in record.of(kind)}
    return {f"arn:aws:mock:::{name}" for name in names}


def grants(record: Record, kind: str) -> dict[str, set[tuple[str, ...]]]:
    """By object: the lists of names in which a role of Kubernetes lets it be read."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for role in record.of("rbac.authorization.k8s.io/v1:Role"):
        for rule in role.inputs["rules"]:
            assert rule["verbs"] == ["get"]
            if rule["resources"] == [kind]:
                for name in rule["resourceNames"]:
                    found.setdefault(name, set()).add(tuple(rule["resourceNames"]))
    return found


def merged_with(spec: ParameterStoreSpec, over: dict[str, Any]) -> Any:
    """The spec's values as JSON, with others over them."""
    return merged(json.loads(spec.model_dump_json()), over)
