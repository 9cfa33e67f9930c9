"""What two stacks must not share. Each file is held against the others in its folder; no cloud is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from components.naming import physical, with_short_region
from components.specs import Target
from components.specs.network import PRIVATE_RANGES, private_range
from stacks.addresses import KeyPath, StackFile
from stacks.profiles import merged, profile
from stacks.settings import PlatformSettings, Tier

FIRST = "Pulumi."
LAST = ".yaml"
# Names in AWS hold the stack's, and the longest that Pulumi makes up ends at 64 characters: the function that rotates
# secrets (Lambda, CreateFunction). The test of stack names counts it.
LONGEST_STACK = 14
# The first range offered where one is taken: where the profiles' own lie.
OFFERED = "10.0.0.0/8"


@dataclass(frozen=True)
class Place:
    """Where a stack lies, as far as another could be in its way. ``None``: it has no such thing."""

    file: str
    tier: str
    region: str | None
    account: str | None
    cidr: IPv4Network | None
    cluster: tuple[Any, Any]


def collisions(stack: str, settings: PlatformSettings, folder: Path) -> Iterator[tuple[KeyPath, str]]:
    """(key path, what to write instead) for each thing that this stack would share with another of the folder."""
    short = with_short_region(stack)
    try:
        physical(f"payments-{short}", len("payments-") + LONGEST_STACK)
    except ValueError:
        why = f"{LONGEST_STACK} characters at most, a region counting as AWS shortens it (ap-northeast-1 as apne1)"
        yield (), f"stack {stack!r} cannot name a resource: lower-case letters, digits and single hyphens, {why}"
    ours = _place(stack, _here(settings))
    others = list(_others(stack, folder))
    for other in others:
        yield from _shared(ours, other)
        if ours.cidr and other.cidr and ours.cidr.overlaps(other.cidr):
            free = _free(ours.cidr.prefixlen, [found.cidr for found in (ours, *others) if found.cidr])
            yield ("network", "cidr"), f"{ours.cidr} overlaps {other.cidr} of {other.file}; write another{free}"


def _shared(ours: Place, other: Place) -> Iterator[tuple[KeyPath, str]]:
    same_account = ours.account is None or other.account is None or ours.account == other.account
    if ours.region is not None and (ours.tier, ours.region) == (other.tier, other.region) and same_account:
        yield (
            ("aws", "region"),
            f"{other.file} has tier {other.tier} there already, and the names of its parameters; "
            "write another region, or an account_id in both files",
        )
    if ours.cluster == other.cluster:
        yield (
            ("kubernetes", "context"),
            f"{other.file} has that namespace of that cluster already; write another context or namespace",
        )


def _free(length: int, taken: list[IPv4Network]) -> str:
    """A range of this length that nobody has, to be offered."""
    for part in IPv4Network(OFFERED).subnets(new_prefix=length):
        if part.network_address > taken[0].network_address and not any(part.overlaps(one) for one in taken):
            return f", such as {part}"
    return f", inside {' or '.join(PRIVATE_RANGES)}"


def _here(settings: PlatformSettings) -> Mapping[str, Any]:
    return settings.model_dump(mode="json", include={"tier", "aws", "network", "kubernetes"})


def _others(stack: str, folder: Path) -> Iterator[Place]:
    """The other stacks of the folder. One that cannot be read says so itself, when it is its turn."""
    for path in sorted(folder.glob(f"{FIRST}*{LAST}")):
        name = path.name.removeprefix(FIRST).removesuffix(LAST)
        place = _read(name, StackFile.read(path, shown=path.name)) if name != stack else None
        if place is not None:
            yield place


def _read(name: str, file: StackFile) -> Place | None:
    config = file.values.get("config")
    if not isinstance(config, Mapping):
        return None
    said = {str(key).removeprefix("payments:"): value for key, value in config.items()}
    try:
        base = profile(Tier(said.get("tier", "")), Target(said.get("target", "")))
    except ValueError:
        return None
    return _place(name, merged(base, said))


def _place(name: str, settings: Mapping[str, Any]) -> Place:
    aws, network, kubernetes = (_mapping(settings.get(key)) for key in ("aws", "network", "kubernetes"))
    return Place(
        file=f"stacks/{FIRST}{name}{LAST}",
        tier=str(settings.get("tier")),
        region=aws.get("region"),
        account=aws.get("account_id"),
        cidr=private_range(str(network.get("cidr"))),
        cluster=(kubernetes.get("context"), kubernetes.get("namespace")),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
