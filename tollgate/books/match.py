"""Type patterns of the books: a type token, in which ``*`` stands for any text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).parent


def load_book(name: str) -> Any:
    """The YAML of one book beside this file."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((_FOLDER / name).read_text(encoding="utf-8"), Loader=loader)  # noqa: S506  (a safe loader)


@lru_cache(maxsize=4096)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")))


def matches(type_token: str, patterns: Iterable[str]) -> bool:
    """True when one of the patterns is the type, star for star."""
    return any(
        pattern == type_token or ("*" in pattern and _pattern(pattern).fullmatch(type_token)) for pattern in patterns
    )
