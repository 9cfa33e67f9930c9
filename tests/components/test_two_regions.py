"""A second region of production is one more stack file: built from settings alone, and in nobody's way."""

from __future__ import annotations

import json
from functools import cache
from ipaddress import IPv4Network

import pytest

from stacks.neighbours import LONGEST_STACK
from tests.components.recording import Record, Resource, config_of, run

REGION = "ap-northeast-1"
SECOND = {
    "payments:aws": {"region": REGION},
    "payments:kubernetes": {"context": "payments-prod-tokyo"},
    "payments:network": {"cidr": "10.31.0.0/16", "zones": [f"{REGION}a", f"{REGION}c", f"{REGION}d"]},
}
# Services whose names one account has once, or all of AWS once. Everything else lives in its region.
GLOBAL = ("aws:iam/", "aws:s3/bucket:", "aws:route53/", "aws:cloudfront/", "aws:organizations/")
NAMES = ("name", "bucket", "identifier", "clusterIdentifier", "replicationGroupId", "userId", "userGroupId")
# Characters that a name may have, and those of them that Pulumi adds at the end: a hyphen and seven digits.
ADDED = 8
LIMITS = {
    "aws:iam/role:Role": 64,
    "aws:lambda/function:Function": 64,
    "aws:s3/bucket:Bucket": 63,
    "aws:eks/nodeGroup:NodeGroup": 63,
    "aws:appconfig/deploymentStrategy:DeploymentStrategy": 64,
}


@cache
def region(stack: str) -> Record:
    config = config_of("prod")
    over = {} if stack == "prod" else {key: json.dumps(value) for key, value in SECOND.items()}
    return run(stack, config | over)


def named(record: Record) -> dict[tuple[str, str], Resource]:
    """Resources of AWS by type, and by what they are called within the stack."""
    (platform,) = [made.name for made in record.of("PaymentPlatform")]
    return {
        (made.type, made.name.removeprefix(platform).replace("ap-southeast-1", REGION)): made
        for made in record.resources
        if made.type.startswith("aws:")
    }


def test_the_second_region_has_what_the_first_has() -> None:
    def parts(stack: str) -> set[tuple[str, str]]:
        return {(kind, name.replace(f"{REGION}b", f"{REGION}d")) for kind, name in named(region(stack))}

    assert parts(f"prod-{REGION}") == parts("prod")
    assert len(parts("prod")) > 100


def test_what_is_named_once_for_all_regions_is_named_by_pulumi_from_another_name() -> None:
    one, other = named(region("prod")), named(region(f"prod-{REGION}"))
    seen = [key for key in one if key[0].startswith(GLOBAL)]
    assert len(seen) > 20
    for key in seen:
        assert not [name for name in NAMES if name in one[key].inputs], key
        if key in other:
            assert one[key].name != other[key].name


def test_names_we_choose_ourselves_are_those_of_the_stack_or_live_in_their_region() -> None:
    one, other = named(region("prod")), named(region(f"prod-{REGION}"))
    alike = {
        key[0]
        for key in one
        for name in NAMES
        if key in other and one[key].inputs.get(name) is not None and one[key].inputs[name] == other[key].inputs[name]
    }
    # Paths and parts of an application; AWS keeps all of these per region.
    assert alike <= {
        "aws:appconfig/configurationProfile:ConfigurationProfile",
        "aws:appconfig/environment:Environment",
        "aws:secretsmanager/secret:Secret",
        "aws:ssm/parameter:Parameter",
    }


def test_every_part_of_the_second_region_lies_in_it() -> None:
    record = region(f"prod-{REGION}")
    (cloud,) = record.of("pulumi:providers:aws")
    assert cloud.inputs["region"] == REGION
    assert "ap-southeast-1" not in json.dumps([made.inputs.get("availabilityZone") for made in record.resources])
    for kind in ("VpcEndpoint", "kms/key:Key", "iam/role:Role", "external-secrets.io/v1:SecretStore"):
        text = json.dumps([dict(made.inputs) for made in record.of(kind)])
        assert REGION in text or kind == "iam/role:Role", kind
        assert "ap-southeast-1" not in text, kind
    (first,) = region("prod").of("pulumi:providers:aws")
    assert cloud.inputs["defaultTags"] == first.inputs["defaultTags"]
    assert json.loads(cloud.inputs["defaultTags"])["tags"]["tier"] == "prod"


def test_addresses_of_the_two_regions_lie_apart() -> None:
    (one,), (other,) = (region(stack).of("vpc:Vpc") for stack in ("prod", f"prod-{REGION}"))
    assert not IPv4Network(one.inputs["cidrBlock"]).overlaps(IPv4Network(other.inputs["cidrBlock"]))


@pytest.mark.parametrize("kind", LIMITS)
def test_the_longest_stack_name_leaves_room_for_every_name_that_pulumi_makes_up(kind: str) -> None:
    longest = region("prod" + "x" * (LONGEST_STACK - len("prod")))
    made = longest.of(kind)
    assert made
    assert [found.name for found in made if len(found.name) + ADDED > LIMITS[kind]] == []


def test_one_character_more_would_be_too_long_for_aws() -> None:
    (function,) = region("prod").of("aws:lambda/function:Function")
    room = LIMITS["aws:lambda/function:Function"] - ADDED - (len(function.name) - len("prod"))
    assert room == LONGEST_STACK
