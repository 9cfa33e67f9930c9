"""The parts of a Pulumi URN: ``urn:pulumi:<stack>::<project>::<parent types$type>::<name>``."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple


class UrnParts(NamedTuple):
    stack: str
    project: str
    type: str
    name: str


@lru_cache(maxsize=1 << 16)
def split_urn(urn: str) -> UrnParts | None:
    """The parts, or None when this is no URN. Only a name may itself hold ``::`` (sdk/go/common/resource/urn)."""
    head, *rest = urn.split("::", 3)
    if not head.startswith("urn:pulumi:") or len(rest) != 3:
        return None
    project, qualified, name = rest
    kind = qualified.rpartition("$")[2]
    if not kind or not name:
        return None
    return UrnParts(head.removeprefix("urn:pulumi:"), project, kind, name)
