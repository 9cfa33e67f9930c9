"""What the installed SDKs know: type token → the source text of its class."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import pulumi_aws
import pulumi_kubernetes

_TOKEN = re.compile(r"""['"]((?:aws|kubernetes):[\w.]+/[\w.]+:\w+)['"]""")


@lru_cache(maxsize=1)
def installed() -> dict[str, str]:
    """Type token → source text, of the installed SDKs."""
    found: dict[str, str] = {}
    for package in (pulumi_aws, pulumi_kubernetes):
        for file in Path(package.__path__[0]).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            for token in _TOKEN.findall(text):
                if not file.name.startswith("_"):
                    found[token] = text
    return found
