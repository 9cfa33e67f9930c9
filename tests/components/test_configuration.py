"""ConfigCentre: a bad document is refused, a harmful one goes back, and elsewhere a change is a new object."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft4Validator
from pulumi.runtime.rpc import unwrap_rpc_secret
from pydantic import ValidationError

from components.specs import ConfigCentreSpec, Target
from stacks.loading import load_settings
from stacks.profiles import merged
from tests.components.recording import ROOT, Record, config_of, run
from tests.components.test_parameters import off_aws, on_aws, recorded


def spec_of(stack: str) -> ConfigCentreSpec:
    return load_settings(stack, config_of(stack), [], root=ROOT).configuration


def with_values(stack: str, **values: Any) -> Record:
    changed = {"values": {key.replace("_", "-"): {"value": value} for key, value in values.items()}}
    return run(stack, config_of(stack) | {"payments:configuration": json.dumps(changed)})


@on_aws
def test_a_change_is_watched_and_can_go_back(stack: str) -> None:
    record = recorded(stack)
    (environment,) = record.of("appconfig/environment:Environment")
    (strategy,) = record.of("DeploymentStrategy")
    assert 1 <= len(environment.inputs["monitors"]) <= 5
    assert all(watched["alarmRoleArn"] for watched in environment.inputs["monitors"])
    assert strategy.inputs["finalBakeTimeInMinutes"] >= 1  # 0 leaves no time to go back in
    # What it goes back to must still be there after the change has replaced it.
    (version,) = record.of("HostedConfigurationVersion")
    assert version.retain_on_delete


@on_aws
def test_what_is_deployed_is_what_the_validator_lets_through_and_a_slip_is_not(stack: str) -> None:
    (profile,) = recorded(stack).of("ConfigurationProfile")
    (version,) = recorded(stack).of("HostedConfigurationVersion")
    (validator,) = profile.inputs["validators"]  # AppConfig takes two at most
    assert validator["type"] == "JSON_SCHEMA"
    judge = Draft4Validator(json.loads(unwrap_rpc_secret(validator["content"])))
    Draft4Validator.check_schema(judge.schema)
    document = json.loads(unwrap_rpc_secret(version.inputs["content"]))
    assert judge.is_valid(document)
    slips = [
        {**document, "retry-ceiling": 0},
        {**document, "retry-ceiling": "3"},
        {**document, "accept-payments": 1},
        {**document, "accept-payment": True},
        {key: value for key, value in document.items() if key != "query-batch-rows"},
    ]
    assert [slip for slip in slips if judge.is_valid(slip)] == []


@off_aws
def test_elsewhere_a_change_is_a_new_object_and_the_same_values_are_the_same_one(stack: str) -> None:
    def of(record: Record) -> tuple[str, bool, str]:
        (made,) = [found for found in record.of("ConfigMap") if found.name.endswith("-configuration-document")]
        return made.inputs["metadata"]["name"], made.inputs["immutable"], made.inputs["data"]["config.json"]

    name, immutable, text = of(recorded(stack))
    assert immutable is True
    assert json.loads(text)["retry-ceiling"] == 3
    assert of(with_values(stack, retry_ceiling=3)) == (name, immutable, text)
    assert of(with_values(stack, retry_ceiling=4))[0] != name


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no watch": ({"rollout": {"bake_minutes": 0}}, "greater than or equal to 1"),
    "all at once over an hour": (
        {"rollout": {"first_share_percent": 100, "over_minutes": 60}},
        "first_share_percent 100 and over_minutes 0 go together",
    ),
    "a share of nobody": ({"rollout": {"first_share_percent": 0}}, "greater than or equal to 1"),
    "more than a day": ({"rollout": {"over_minutes": 1441}}, "less than or equal to 1440"),
    "a number without bounds": ({"values": {"retry-ceiling": {"maximum": None}}}, "a number needs minimum and maximum"),
    "a number out of bounds": (
        {"values": {"retry-ceiling": {"value": 21}}},
        "value must lie between minimum and maximum, 1 and 20",
    ),
    "bounds of a switch": (
        {"values": {"accept-payments": {"minimum": 0}}},
        "mean nothing for a value that is no number",
    ),
    "an alarm at once": ({"alarms": {"payment-failures": {"bad_minutes": 0}}}, "greater than or equal to 1"),
    "a threshold below nothing": ({"alarms": {"payment-failures": {"more_than": -1}}}, "greater than or equal to 0"),
    "six alarms": (
        {"alarms": {f"a{n}": {"namespace": "A", "metric": "B", "more_than": 1, "bad_minutes": 1} for n in range(5)}},
        "at most 5 items",
    ),
}


@pytest.mark.parametrize(("over", "said"), WRONG.values(), ids=WRONG.keys())
def test_wrong_configuration_is_refused_with_what_to_write(over: dict[str, Any], said: str) -> None:
    written = merged(json.loads(spec_of("staging").model_dump_json()), over)
    with pytest.raises(ValidationError, match=said):
        ConfigCentreSpec.model_validate_json(json.dumps(written))


def test_a_target_refuses_what_it_has_not_and_names_the_nearest() -> None:
    def fields(stack: str, target: Target) -> list[str]:
        refused = spec_of(stack).refused_by(target)
        assert all("write" in why or "say" in why or "name" in why for _, why in refused)
        return [field for field, _ in refused]

    assert fields("staging", Target.EDGE) == fields("staging", Target.KUBERNETES) == ["rollout", "alarms"]
    assert fields("edge", Target.AWS) == ["rollout", "alarms"]
    why = dict(spec_of("edge").refused_by(Target.AWS))["alarms"]
    assert why == "without one nothing takes a bad change back; name one to five"
    assert fields("edge", Target.EDGE) == fields("staging", Target.AWS) == []
