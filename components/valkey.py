"""What every way to run Valkey shares: its ports, the files it is shipped, and its outputs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pulumi

ASSETS = Path(__file__).with_name("assets") / "redis"
PORT, SENTINEL_PORT = 6379, 26379
FoundBy = Literal["sentinel", "cluster", "address"]


@dataclass(frozen=True)
class RedisOutputs:
    """How services reach the store. Always with TLS, and each as its own user.

    ``found_by``: sentinel (ask the Sentinels at ``host`` and ``port`` for the primary called ``store``), cluster (they
    are a cluster's configuration endpoint) or address (they are the server's). ``signs_in_by``: iam (a token that is
    good for 15 minutes; ``users`` are IAM-enabled users) or password (in the Secret that the settings name).
    ``users``: user name by service. ``functions``: libraries that are loaded.
    """

    purpose: str
    found_by: FoundBy
    host: pulumi.Output[str]
    port: int
    store: str
    signs_in_by: Literal["iam", "password"]
    users: dict[str, str]
    functions: list[str]


def shipped(*patterns: str) -> dict[str, str]:
    """The assets that fit one of the patterns, by name."""
    found = sorted({file for pattern in patterns for file in ASSETS.glob(pattern)})
    return {file.name: file.read_text(encoding="utf-8") for file in found}
