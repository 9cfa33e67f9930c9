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
        return list(Severity).index(self)


LOW, MEDIUM, HIGH, CRITICAL = Severity
