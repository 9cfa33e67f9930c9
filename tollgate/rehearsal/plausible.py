"""A likely value for an output of which only the name and the type are known. Invented, but of the right form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tollgate.rehearsal.conditions import Settings
from tollgate.rehearsal.sdk_types import Shape
from tollgate.rehearsal.templates import MOMENT, Dice

# Ports the engines listen on by default; from the documentation of each server.
PORTS = {
    "postgres": 5432,
    "aurora-postgresql": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "aurora-mysql": 3306,
    "oracle": 1521,
    "sqlserver": 1433,
    "valkey": 6379,
    "redis": 6379,
    "memcached": 11211,
}
_DIRECTIONS = {"southeast": "se", "northeast": "ne", "southwest": "sw", "northwest": "nw"}


def short_region(region: str) -> str:
    """The Region code inside ElastiCache host names: eu-central-1 is euc1."""
    area, *middle, number = region.split("-") if "-" in region else (region, "")
    return area + "".join(_DIRECTIONS.get(word, word[:1]) for word in middle) + number


def default_port(engine: Any) -> int:
    """The port a database engine listens on when none is given; 443 for an unknown one."""
    name = str(engine or "")
    return next((port for known, port in PORTS.items() if name.startswith(known)), 443)


def plausible(name: str, shape: Shape, token: str, settings: Settings, dice: Dice) -> Any:
    """A value for an output, by its type and then by its name."""
    if shape.kind in ("list", "map", "object"):
        return [] if shape.kind == "list" else {}
    if shape.kind == "bool":
        return False
    if shape.kind in ("int", "float"):
        return 1
    if shape.kind == "enum":
        return shape.values[0]
    return _text(name, token, settings, dice) if shape.kind == "str" else None


def _text(name: str, token: str, settings: Settings, dice: Dice) -> str:
    package, _, kind = token.rpartition(":")
    lower = name.lower()
    known: Mapping[str, str] = {
        "region": settings.region,
        "availabilityzone": f"{settings.region}a",
        "ownerid": settings.account,
        "accountid": settings.account,
        "status": "available",
        "state": "available",
    }
    if lower in known:
        return known[lower]
    if (lower.endswith("arn") or "kmskey" in lower) and package.startswith("aws:"):
        service = package.split(":")[1].split("/")[0]
        resource = "key" if "kms" in lower else kind.lower()
        service = "kms" if "kms" in lower else service
        return f"arn:aws:{service}:{settings.region}:{settings.account}:{resource}/{dice.uuid(name)}"
    if lower.endswith(("time", "date", "timestamp")):
        return MOMENT
    if lower.endswith("version"):
        return "1"
    if lower.endswith("cidrblock"):
        return ""
    return f"{_words(name)}-{dice.text('hex', 8, name)}"


def _words(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
