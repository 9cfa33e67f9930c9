"""What a caller may ask of the store that keeps evidence."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from components.specs.foundation import Spec, Target

# The longest that 13 months can be: 12 whole months within reach of an audit (PCI DSS 10.5.1), and one to hold it in.
THIRTEEN_MONTHS = 397


class EvidenceSpec(Spec):
    """A store in which nobody can change or delete what was written, for as long as this says."""

    # S3 allows a retention of 100 years (S3 user guide, Object Lock).
    retention_days: int = Field(
        ge=1, le=36500, description="days that no one, the account's owner included, can delete"
    )
    # Glacier Instant Retrieval bills 90 days at least (S3 pricing).
    archive_after_days: int = Field(ge=90, le=36500, description="days after which objects move to cheaper storage")
    access_log_retention_days: int = Field(ge=1, le=36500, description="days that the log of who read what is kept")

    @model_validator(mode="after")
    def _log_outlives(self) -> Self:
        if self.access_log_retention_days < self.retention_days:
            raise ValueError(
                f"access_log_retention_days must be at least {self.retention_days}, which is retention_days, and is "
                f"{self.access_log_retention_days}: who read what is evidence too"
            )
        return self

    def refused_by(self, target: Target) -> tuple[tuple[str, str], ...]:
        """(field, reason) for each promise that the target cannot keep."""
        if target is Target.AWS:
            return ()
        why = (
            f"{target} has no store whose lock its owner cannot lift; leave out `evidence`, "
            "and send evidence to the store of an aws stack"
        )
        return (("retention_days", why),)
