"""How bad a finding is. The words are those of the Pulumi policy SDK."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """From harmless to never. ``rank`` orders them."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return _RANKS[self]


LOW, MEDIUM, HIGH, CRITICAL = Severity
_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
