"""The book of risk weights (risk.yaml)."""

from __future__ import annotations

from functools import lru_cache

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

from tollgate.books.match import load_book
from tollgate.policy.severity import Severity


class _Weights(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class FindingWeights(_Weights):
    low: NonNegativeInt
    medium: NonNegativeInt
    high: NonNegativeInt
    critical: NonNegativeInt
    again: NonNegativeInt
    again_most: NonNegativeInt

    def of(self, severity: Severity) -> int:
        points: int = getattr(self, severity.value)
        return points


class Capped(_Weights):
    each: NonNegativeInt
    most: NonNegativeInt


class History(_Weights):
    all_failed: NonNegativeInt


class Bands(_Weights):
    low: NonNegativeInt
    medium: NonNegativeInt
    high: NonNegativeInt
    critical: NonNegativeInt


class RiskBook(_Weights):
    """notice and undo: points by the word of the notice or of the way back; notice also has ``journey``."""

    source: str = Field(min_length=1)
    bands: Bands
    findings: FindingWeights
    notice: dict[str, NonNegativeInt]
    undo: dict[str, NonNegativeInt]
    unknown: Capped
    unmapped: Capped
    history: History


@lru_cache(maxsize=1)
def risk_book() -> RiskBook:
    return RiskBook.model_validate(load_book("risk.yaml"))
