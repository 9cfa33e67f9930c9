"""Names: which ones we choose, and which ones Pulumi does.

Stateful things have the name we give them, on purpose. Restores, alarms, grants and runbooks know them by it, and a
replacement cannot quietly stand an empty twin beside the data: the name is taken, so the change stops in the open.
All else is named by Pulumi (our name and a random end), so that it can be replaced with the new one made first.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

# The shortest limit of the stateful things we name ourselves: ElastiCache replication group, 40 characters
# (CreateReplicationGroup); CloudNativePG clusters may have 50, RDS instances and Kubernetes labels 63.
LONGEST = 40
# What a component's own name may have. Its children's names are longer, and end up in the names of AWS: the test of
# stack names holds them against each service's limit.
LONGEST_COMPONENT = 63
# How AWS itself shortens the middle of a region's name in the ids of its zones: apne1-az1, use1-az4 (EC2 user guide).
_TWO_WORDS = {"northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw"}
_WORDS = "|".join(("gov", "iso[a-z]?", "north", "south", "east", "west", "central", *_TWO_WORDS))
_REGION = re.compile(rf"\b([a-z]{{2}})((?:-(?:{_WORDS}))+)-(\d)\b")


def physical(name: str, longest: int = LONGEST) -> str:
    """The name of a stateful thing in its own system.

    Raises ValueError when it is not a legal name everywhere, since shortening one could make two of them equal.
    """
    if len(name) > longest or not re.fullmatch(r"[a-z](-?[a-z0-9])*", name):
        raise ValueError(
            f"{name!r} cannot name a resource: use lower-case letters, digits and single hyphens, "
            f"beginning with a letter, {longest} characters at most"
        )
    return name


def with_short_region(name: str) -> str:
    """The name with a region of AWS in it as AWS shortens it: prod-ap-northeast-1 becomes prod-apne1.

    Names of one stack's things hold the stack's name, and many of them have to fit in 64 characters.
    """
    return _REGION.sub(_shortened, name)


def _shortened(region: re.Match[str]) -> str:
    start, middle, number = region.groups()
    words = middle.strip("-").split("-")
    return start + "".join(_TWO_WORDS.get(word, word[0]) for word in words) + number


def labels(name: str) -> dict[str, str]:
    """The labels by which our own selectors find pods (Kubernetes recommended labels)."""
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "payments"}


def values_of(service: str) -> str:
    """The object in Kubernetes that holds the values a service starts with."""
    return f"parameters-{service}"


def sealed_of(service: str) -> str:
    """The Secret that holds a service's secrets."""
    return f"sealed-{service}"


def opens(*openings: str) -> dict[str, str]:
    """The labels by which a pod is let through openings of its closed namespace (components/openings.py)."""
    return {f"tollgate/{opening}": "open" for opening in openings}


def digest_of(files: Mapping[str, str]) -> str:
    """Eight characters that change when any file does, or its name."""
    whole = hashlib.sha256()
    for name, text in files.items():
        whole.update(f"{name}\0{text}\0".encode())
    return whole.hexdigest()[:8]
