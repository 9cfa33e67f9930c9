"""The Decision: may it go, and who must say yes. Seam between gate and report."""

from __future__ import annotations

from enum import StrEnum

from tollgate.assess.model import Assessment
from tollgate.plan.model import Frozen


class Verdict(StrEnum):
    """The gate's word. ``exit_code`` is the documented one of every command that decides."""

    ALLOW = "allow"
    WAIT = "wait"
    DENY = "deny"

    @property
    def exit_code(self) -> int:
        return {Verdict.ALLOW: 0, Verdict.DENY: 2, Verdict.WAIT: 3}[self]

    @property
    def review_word(self) -> str:
        """The same verdict in the words of ``tollgate assess``."""
        return {Verdict.ALLOW: "routine", Verdict.WAIT: "review", Verdict.DENY: "stop"}[self]


class Decision(Frozen):
    """``headline`` is one sentence that a manager can repeat; ``reasons`` are worst first."""

    verdict: Verdict
    headline: str
    reasons: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    assessment: Assessment
