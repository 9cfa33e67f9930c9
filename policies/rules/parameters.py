"""Rules for what services start with and what changes while they run: Parameter Store and AppConfig."""

import re
from collections.abc import Mapping

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import HIGH, LOW, MEDIUM
from tollgate.policy.statement import rule

PARAMETER = "aws:ssm/parameter:Parameter"
# Environment, tier, service and key, each a word of its own: /prod/service/gateway/payment-timeout-seconds.
_ADDRESS = re.compile(r"(/[A-Za-z0-9_.-]+){3,}")
# Words of JSON Schema that refuse something (draft-04, which AppConfig reads); without one, every value is valid.
RESTRICTING = frozenset(
    {"$ref", "allOf", "anyOf", "enum", "items", "oneOf", "patternProperties", "properties", "required"}
)
# Strategies that AWS itself offers and that leave no time to notice a mistake (AppConfig, predefined strategies).
ABRUPT = ("AppConfig.AllAtOnce", "AppConfig.Linear50PercentEvery30Seconds")


@rule(
    id="parameter-value-encrypt",
    why="Settings of a payment platform tell an attacker how it works: they are readable by its services only.",
    severity=HIGH,
    controls=("PCI-DSS 3.5.1", "PCI-DSS 8.6.2", "Seed 15"),
    types=(PARAMETER,),
    fix="set type to SecureString and keyId to the platform's own key",
    good={"type": "SecureString", "keyId": "arn:aws:kms:eu-west-1:111122223333:key/parameters"},
    bad={"type": "String", "keyId": "arn:aws:kms:eu-west-1:111122223333:key/parameters"},
    also_bad={
        "a list": {"type": "StringList", "keyId": "arn:aws:kms:eu-west-1:111122223333:key/parameters"},
        "with everybody's key": {"type": "SecureString", "keyId": "alias/aws/ssm"},
        "with no key": {"type": "SecureString", "keyId": ""},
    },
    later=("keyId",),
)
def value_encrypted(parameter: Reading) -> Check:
    return parameter["type"].one_of("SecureString") & parameter["keyId"].none_of("", "alias/aws/ssm")


@rule(
    id="parameter-value-hide",
    why="A value that is called insecure is shown in every preview and kept in the open in the state.",
    severity=HIGH,
    controls=("PCI-DSS 8.6.2", "Seed 15"),
    types=(PARAMETER,),
    fix="use value instead of insecureValue",
    good={},
    bad={"insecureValue": "for all to see"},
)
def value_hidden(parameter: Reading) -> Check:
    return parameter["insecureValue"].hidden().is_left_out()


@rule(
    id="parameter-name-address",
    why="A parameter whose name does not say whose it is cannot be given to its owner only.",
    severity=MEDIUM,
    controls=("PCI-DSS 7.2.1", "Seed 4", "Seed 15"),
    types=(PARAMETER,),
    fix="set name to /environment/tier/service/key",
    good={"name": "/prod/service/gateway/payment-timeout-seconds"},
    bad={"name": "payment-timeout-seconds"},
    also_good={"shared by all": {"name": "/prod/global/time-zone"}},
    also_bad={
        "too short": {"name": "/gateway/payment-timeout-seconds"},
        "an empty part": {"name": "/prod//gateway"},
        "no end": {"name": "/prod/service/gateway/"},
    },
)
def name_is_address(parameter: Reading) -> Check:
    return parameter["name"].matches(_ADDRESS, "/environment/tier/service/key")


@rule(
    id="parameter-tier-standard",
    why="An advanced parameter is paid for by the month and cannot be made a standard one again.",
    severity=LOW,
    controls=("Seed 15",),
    types=(PARAMETER,),
    fix="set tier to Standard; keep large values elsewhere",
    good={"tier": "Standard"},
    bad={"tier": "Advanced"},
    also_bad={"the provider decides": {"tier": "Intelligent-Tiering"}},
)
def tier_standard(parameter: Reading) -> Check:
    return parameter["tier"].one_of("Standard")


@rule(
    id="config-profile-validate",
    why="A setting that nobody checks reaches every service with its typing mistake.",
    severity=HIGH,
    controls=("Seed 4", "Seed 9"),
    types=("aws:appconfig/configurationProfile:ConfigurationProfile",),
    fix="give validators a JSON_SCHEMA that says which keys there are, or a LAMBDA",
    good={"validators": [{"type": "JSON_SCHEMA", "content": '{"required": ["accept-payments"]}'}]},
    bad={"validators": [{"type": "JSON_SCHEMA", "content": "{}"}]},
    also_good={
        "a function": {
            "validators": [{"type": "LAMBDA", "content": "arn:aws:lambda:eu-west-1:111122223333:function:v"}]
        }
    },
    also_bad={
        "none": {"validators": []},
        "no schema": {"validators": [{"type": "JSON_SCHEMA", "content": "required"}]},
        "all is valid": {"validators": [{"type": "JSON_SCHEMA", "content": '["required"]'}]},
        "no function": {"validators": [{"type": "LAMBDA", "content": ""}]},
        "no such kind": {"validators": [{"type": "json_schema", "content": '{"required": ["accept-payments"]}'}]},
    },
)
def profile_validated(profile: Reading) -> Check:
    def judges(validator: Reading) -> Check:
        content = validator["content"]
        restricts = content.document().satisfies(_restricts, "a schema that refuses something")
        schema = validator["type"].one_of("JSON_SCHEMA") & restricts
        return schema | (validator["type"].one_of("LAMBDA") & content.is_set())

    validators = profile["validators"]
    return validators.some(judges, "a schema or a function that checks the values")


def _restricts(schema: object) -> bool:
    return isinstance(schema, Mapping) and not RESTRICTING.isdisjoint(schema)


@rule(
    id="config-rollout-watch",
    why="With no time to watch, a change that breaks payments cannot go back by itself.",
    severity=HIGH,
    controls=("Seed 9",),
    types=("aws:appconfig/deploymentStrategy:DeploymentStrategy",),
    fix="set finalBakeTimeInMinutes to 1 or more",
    good={"finalBakeTimeInMinutes": 1},
    bad={"finalBakeTimeInMinutes": 0},
)
def rollout_watched(strategy: Reading) -> Check:
    return strategy["finalBakeTimeInMinutes"].at_least(1, "minutes")


@rule(
    id="config-rollout-gradual",
    why="A setting that reaches all services at once breaks all of them at once.",
    severity=LOW,  # a stack that nobody pays with may do so; staging and prod make it mandatory
    controls=("Seed 9",),
    types=("aws:appconfig/deploymentStrategy:DeploymentStrategy",),
    fix="set growthFactor to 50 percent or less and deploymentDurationInMinutes to 1 or more",
    good={"growthFactor": 50, "deploymentDurationInMinutes": 1},
    bad={"growthFactor": 51, "deploymentDurationInMinutes": 1},
    also_bad={"at once": {"growthFactor": 50, "deploymentDurationInMinutes": 0}},
)
def rollout_gradual(strategy: Reading) -> Check:
    step, duration = strategy["growthFactor"], strategy["deploymentDurationInMinutes"]
    return step.at_most(50, "percent") & duration.at_least(1, "minutes")


@rule(
    id="config-deployment-gradual",
    why="A setting that reaches all services at once breaks all of them at once.",
    severity=HIGH,
    controls=("Seed 9",),
    types=("aws:appconfig/deployment:Deployment",),
    fix="use a strategy of your own, or AppConfig.Linear20PercentEvery6Minutes",
    good={"deploymentStrategyId": "AppConfig.Linear20PercentEvery6Minutes"},
    bad={"deploymentStrategyId": "AppConfig.AllAtOnce"},
    also_bad={"nearly at once": {"deploymentStrategyId": "AppConfig.Linear50PercentEvery30Seconds"}},
    later=("deploymentStrategyId",),
)
def deployment_gradual(deployment: Reading) -> Check:
    return deployment["deploymentStrategyId"].none_of(*ABRUPT)


@rule(
    id="config-environment-watch",
    why="Without an alarm to look at, AppConfig takes every change for a good one.",
    severity=HIGH,
    controls=("Seed 9",),
    types=("aws:appconfig/environment:Environment",),
    fix="give monitors an alarmArn and an alarmRoleArn",
    good={"monitors": [{"alarmArn": "arn:aws:cloudwatch:alarm", "alarmRoleArn": "arn:aws:iam:role"}]},
    bad={"monitors": [{"alarmArn": "arn:aws:cloudwatch:alarm", "alarmRoleArn": ""}]},
    also_bad={
        "none": {"monitors": []},
        "no alarm": {"monitors": [{"alarmArn": "", "alarmRoleArn": "arn:aws:iam:role"}]},
    },
    later=("monitors[*].alarmArn", "monitors[*].alarmRoleArn"),
)
def environment_watched(environment: Reading) -> Check:
    monitors = environment["monitors"]
    return monitors.is_set() & monitors.each(lambda each: each["alarmArn"].is_set() & each["alarmRoleArn"].is_set())
