"""Answers to the functions that a program asks a provider while it runs.

Only those whose answer does not depend on what a cloud account holds, and the value of a secret: no plan may depend on
that, so any value will do, as long as it is kept secret.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tollgate.rehearsal.conditions import Settings
from tollgate.rehearsal.templates import MOMENT, Dice
from tollgate.rehearsal.values import Properties, Secret, plain, without_marks


class NoAnswerError(Exception):
    """A function that a rehearsal cannot answer. The text names it and says what to do."""


def answer(token: str, arguments: Properties, settings: Settings) -> Properties:
    """What the provider returns for a function. Raises NoAnswerError for one that only a real cloud can answer."""
    function = ANSWERS.get(token)
    if function is None:
        raise NoAnswerError(
            f"a rehearsal cannot answer the function {token}: its answer depends on a real account. "
            "Give the value in the stack's settings, or preview against the real cloud"
        )
    returned = function(without_marks(arguments), settings)
    secret = without_marks(arguments) != arguments
    return {name: Secret(value) for name, value in returned.items()} if secret else returned


def _caller(_: Properties, settings: Settings) -> Properties:
    return {
        "accountId": settings.account,
        "arn": f"arn:{_partition(settings.region)}:iam::{settings.account}:user/rehearsal",
        "id": settings.account,
        "userId": "AIDA" + Dice("rehearsal").text("ALNUM", 17, "user"),
    }


def _region(arguments: Properties, settings: Settings) -> Properties:
    name = plain(arguments.get("region")) or plain(arguments.get("name")) or settings.region
    endpoint = f"ec2.{name}.{_suffix(name)}"
    return {"id": name, "name": name, "region": name, "description": name, "endpoint": endpoint}


def _partition_of(_: Properties, settings: Settings) -> Properties:
    name, suffix = _partition(settings.region), _suffix(settings.region)
    return {
        "id": name,
        "partition": name,
        "dnsSuffix": suffix,
        "reverseDnsPrefix": ".".join(reversed(suffix.split("."))),
    }


def _zones(arguments: Properties, settings: Settings) -> Properties:
    """Three zones, the number every Region has at least (AWS documentation, Regions and Availability Zones)."""
    region = plain(arguments.get("region")) or settings.region
    names = [f"{region}{letter}" for letter in "abc"]
    ids = [f"{Dice(region).text('alpha', 4, 'zone')}-az{number}" for number in (1, 2, 3)]
    left_out = {*(arguments.get("excludeNames") or ()), *(arguments.get("excludeZoneIds") or ())}
    kept = [(name, zone) for name, zone in zip(names, ids, strict=True) if not {name, zone} & left_out]
    return {
        **arguments,
        "id": region,
        "region": region,
        "names": [name for name, _ in kept],
        "zoneIds": [zone for _, zone in kept],
        "groupNames": [region],
    }


def _secret_value(arguments: Properties, settings: Settings) -> Properties:
    named = str(plain(arguments.get("secretId")))
    dice = Dice(named)
    arn = f"arn:{_partition(settings.region)}:secretsmanager:{settings.region}:{settings.account}:secret:{named}"
    return {
        **arguments,
        "id": f"{named}|AWSCURRENT",
        "arn": named if named.startswith("arn:") else arn,
        "createdDate": MOMENT,
        "region": settings.region,
        "secretBinary": Secret(""),
        "secretString": Secret(dice.text("alnum", 32, "secret")),
        "versionId": dice.uuid("version"),
        "versionStages": ["AWSCURRENT"],
    }


def _policy_document(arguments: Properties, _: Settings) -> Properties:
    document = _merged(arguments.get("sourcePolicyDocuments"), arguments.get("policyId"), arguments.get("version"))
    statements = [*document.pop("Statement", []), *map(_statement, arguments.get("statements") or ())]
    document["Statement"] = _overridden(statements, arguments.get("overridePolicyDocuments"))
    text = json.dumps(document, indent=2)
    minified = json.dumps(document, separators=(",", ":"))
    identity = Dice(minified).text("digits", 10, "id")
    return {**arguments, "id": identity, "json": text, "minifiedJson": minified}


def _merged(sources: Any, policy: Any, version: Any) -> Properties:
    document: Properties = {"Version": version or "2012-10-17"}
    if policy:
        document["Id"] = policy
    statements = [statement for source in sources or () for statement in _statements(source)]
    return {**document, "Statement": statements}


def _statements(text: str) -> list[Properties]:
    found = json.loads(text).get("Statement", [])
    return found if isinstance(found, list) else [found]


def _overridden(statements: list[Properties], overrides: Any) -> list[Properties]:
    """A statement of an override takes the place of the one with its Sid."""
    result = list(statements)
    for statement in (item for text in overrides or () for item in _statements(text)):
        same = [
            index for index, old in enumerate(result) if statement.get("Sid") and old.get("Sid") == statement["Sid"]
        ]
        if same:
            result[same[0]] = statement
        else:
            result.append(statement)
    return result


def _statement(given: Properties) -> Properties:
    """One statement as IAM writes it; a list of one is written as its only member."""
    lists = {"Action": "actions", "NotAction": "notActions", "Resource": "resources", "NotResource": "notResources"}
    statement: Properties = {"Sid": given["sid"]} if given.get("sid") else {}
    statement["Effect"] = given.get("effect") or "Allow"
    statement |= {name: _one_or_many(given[key]) for name, key in lists.items() if given.get(key)}
    statement |= {
        name: _principals(given[key])
        for name, key in (("Principal", "principals"), ("NotPrincipal", "notPrincipals"))
        if given.get(key)
    }
    conditions: dict[str, dict[str, Any]] = {}
    for condition in given.get("conditions") or ():
        conditions.setdefault(condition["test"], {})[condition["variable"]] = _one_or_many(condition["values"])
    return {**statement, "Condition": conditions} if conditions else statement


def _principals(principals: list[Properties]) -> Any:
    if any(item["type"] == "*" and item["identifiers"] == ["*"] for item in principals):
        return "*"
    merged: dict[str, list[Any]] = {}
    for item in principals:
        merged.setdefault(item["type"], []).extend(item["identifiers"])
    return {kind: _one_or_many(identifiers) for kind, identifiers in merged.items()}


def _one_or_many(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _partition(region: str) -> str:
    """The AWS partitions, by the beginning of the Region code (AWS General Reference)."""
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


def _suffix(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


ANSWERS: dict[str, Callable[[Properties, Settings], Properties]] = {
    "aws:index/getAvailabilityZones:getAvailabilityZones": _zones,
    "aws:index/getCallerIdentity:getCallerIdentity": _caller,
    "aws:index/getPartition:getPartition": _partition_of,
    "aws:index/getRegion:getRegion": _region,
    "aws:iam/getPolicyDocument:getPolicyDocument": _policy_document,
    "aws:secretsmanager/getSecretVersion:getSecretVersion": _secret_value,
}
