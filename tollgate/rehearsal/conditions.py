"""The conditions under which a change of an input replaces a resource, as far as a rehearsal can judge them.

One function for each condition of the replacement books, found by the book's own words: a condition that is reworded
there has no function here, and is then reported as undecided.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tollgate.policy.sentinels import is_unknown
from tollgate.rehearsal.values import Properties, contains_unknown, plain


@dataclass(frozen=True, slots=True)
class Settings:
    """What the program told the provider itself. ``options`` are true or false ones of the Kubernetes provider."""

    region: str = "us-east-1"
    account: str = "123456789012"
    namespace: str = "default"
    default_tags: Mapping[str, Any] | None = None
    options: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Case:
    """A change to judge: the changed value before and after, and all inputs around it."""

    before: Any
    after: Any
    old: Properties
    new: Properties
    state: Properties
    settings: Settings

    def was(self, name: str) -> Any:
        """The value that holds now: as the program gave it, else as the cloud has it."""
        value = plain(self.old.get(name))
        return value if value is not None else plain(self.state.get(name))

    def will(self, name: str) -> Any:
        return plain(self.new.get(name))


Verdict = bool | None  # None: cannot be judged
Condition = Callable[[Case], Verdict]
FIRST_SWITCHABLE = (7, 0, 5)  # engine version from which transit encryption can be switched in place


def _version(text: Any) -> tuple[int, ...] | None:
    parts = str(plain(text)).split(".")
    return tuple(int(part) for part in parts) if all(re.fullmatch(r"\d+", part) for part in parts) else None


def _region(case: Case) -> Verdict:
    before = plain(case.before) or plain(case.state.get("region")) or case.settings.region
    after = plain(case.after) or case.settings.region
    return bool(before != after)


def _lowered(case: Case) -> Verdict:
    before, after = plain(case.before), plain(case.after)
    return isinstance(before, (int, float)) and isinstance(after, (int, float)) and after < before


def _version_lowered(case: Case) -> Verdict:
    before, after = _version(case.before), _version(case.after)
    if case.after is None:
        return False
    return None if before is None or after is None else after < before


def _below_705(case: Case) -> Verdict:
    version = _version(plain(case.state.get("engineVersionActual")) or case.was("engineVersion"))
    if version is None or version == FIRST_SWITCHABLE[: len(version)] != FIRST_SWITCHABLE:
        return None  # "7.0" may be 7.0.4 as well as 7.0.7
    return version < FIRST_SWITCHABLE


def _block_changed(case: Case) -> Verdict:
    return (plain(case.before) in (None, [], {})) != (plain(case.after) in (None, [], {}))


def _block_device(case: Case) -> Verdict:
    def devices(value: Any) -> set[tuple[Any, Any]]:
        return {
            (plain(block.get("deviceName")), plain(block.get("snapshotId"))) for block in map(plain, plain(value) or ())
        }

    return bool(devices(case.new.get("ebsBlockDevices")) - devices(case.old.get("ebsBlockDevices")))


def _node_groups(case: Case) -> Verdict:
    before, after = (plain(inputs.get("nodeGroupConfigurations")) or [] for inputs in (case.old, case.new))
    return True if len(before) != len(after) else None


def _regional_addresses(case: Case) -> Verdict:
    before, after = (plain(inputs.get("availabilityZoneAddresses")) or [] for inputs in (case.old, case.new))
    return case.was("availabilityMode") == "regional" and bool(before) != bool(after)


def _network_groups(case: Case) -> Verdict:
    before, after = (plain(inputs.get("securityGroups")) or [] for inputs in (case.old, case.new))
    return case.was("loadBalancerType") == "network" and bool(before) != bool(after)


def _network_subnet(case: Case) -> Verdict:
    def subnets(inputs: Properties) -> set[str]:
        mapped = (plain(plain(item).get("subnetId")) for item in plain(inputs.get("subnetMappings")) or ())
        return {str(item) for item in (*map(plain, plain(inputs.get("subnets")) or ()), *mapped)}

    return case.was("loadBalancerType") == "network" and bool(subnets(case.old) - subnets(case.new))


def _made_new(case: Case) -> Verdict:
    origins = ("snapshotIdentifier", "restoreToPointInTime", "s3Import", "replicateSourceDb")
    return all(case.old.get(origin) is None for origin in origins)


def _not_mutable(option: str) -> Condition:
    return lambda case: option not in case.settings.options or case.will("immutable") is True


def _replace_unready(case: Case) -> Verdict:
    metadata = case.will("metadata")
    annotations = plain(metadata.get("annotations")) if isinstance(metadata, dict) else None
    return None if isinstance(annotations, dict) and "pulumi.com/replaceUnready" in annotations else False


def _user_data(case: Case) -> Verdict:
    return case.will("userDataReplaceOnChange") is True


CONDITIONS: dict[str, Condition] = {
    "the effective Region changes "
    "(setting or clearing it at the value of the provider itself does not replace)": _region,
    "set or changed (clearing it does not replace)": lambda case: case.after is not None,
    "the number is lowered": _lowered,
    "a block with a new deviceName or snapshotId appears "
    "(resizing, retyping or dropping one does not replace)": _block_device,
    "turned off after having been on": lambda case: plain(case.before) is True and plain(case.after) is not True,
    "userDataReplaceOnChange is true": _user_data,
    "regional mode: going from no addresses to some, or from some to none": _regional_addresses,
    "connectivityType is private and the input is set": lambda case: (
        case.was("connectivityType") == "private" and case.after is not None
    ),
    "the subnet was created with assignIpv6AddressOnCreation true": lambda case: (
        case.was("assignIpv6AddressOnCreation") is True
    ),
    "vpcEndpointType is not Interface": lambda case: case.was("vpcEndpointType") != "Interface",
    "the block is removed": lambda case: case.after is None,
    "valkey to redis (redis to valkey updates in place)": lambda case: (
        case.was("engine") == "valkey" and (plain(case.after) or "redis") == "redis"
    ),
    "the new version is lower": _version_lowered,
    "a node group is added or removed, or one changes significantly": _node_groups,
    "the running engine version is below 7.0.5": _below_705,
    "loadBalancerType is network and the list goes from empty to filled or from filled to empty": _network_groups,
    "loadBalancerType is network and a subnet is removed": _network_subnet,
    "the block is added or removed (a change inside it does not replace)": _block_changed,
    "engine does not start with aurora": lambda case: not str(case.was("engine")).startswith("aurora"),
    "the instance was not made from a snapshot, a restore, an S3 import or a source replica "
    "(there the change is ignored)": _made_new,
    "Advanced to Standard": lambda case: plain(case.before) == "Advanced" and plain(case.after) in (None, "Standard"),
    "the annotation pulumi.com/replaceUnready is set and the live Job is not ready "
    "(then even without a change)": _replace_unready,
    "the provider option enableConfigMapMutable is off (the default) or the object is immutable": _not_mutable(
        "enableConfigMapMutable"
    ),
    "the provider option enableSecretMutable is off (the default) or the object is immutable": _not_mutable(
        "enableSecretMutable"
    ),
}
# A running launch template's version is known to the cloud only.
UNDECIDABLE = frozenset({"it resolves to another version than the one the instance was launched from"})


def judge(condition: str, case: Case) -> Verdict:
    """Does the condition hold? None when a rehearsal cannot tell, an unknown new value included."""
    decide = CONDITIONS.get(condition)
    if decide is None or contains_unknown(case.after):
        # An option of the provider decides without looking at the value.
        return decide(case) if decide is not None and condition.startswith("the provider option") else None
    verdict = decide(case)
    return verdict if verdict is None or not is_unknown(case.before) else None


def never_changes(token: str, name: str, old: Properties) -> bool:
    """True for an input whose change the provider ignores: the users of a RabbitMQ broker after its creation."""
    return (token, name) == ("aws:mq/broker:Broker", "users") and str(
        plain(old.get("engineType"))
    ).lower() == "rabbitmq"
