"""The answer to "does this hold?": it holds, it fails, or it cannot be shown yet (Kleene's logic)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Verdict(IntEnum):
    """Ordered so that "and" is the smallest and "or" the largest (Kleene's strong logic)."""

    FAILS = 0
    UNSHOWN = 1
    HOLDS = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One place that is not as wanted.

    path: where in the inputs, in the engine's notation.
    found: what is there, in words; never a secret's value.
    wanted: what belongs there, in words.
    """

    path: str
    found: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.path} {self.found}, wanted {self.wanted}"


@dataclass(frozen=True, slots=True)
class Check:
    """A verdict with its reasons. Combine with ``&``, ``|`` and ``unless``; it has no truth value of its own.

    Build one with ``HOLDS``, ``fails(finding)`` or ``unshown(finding)``.
    """

    verdict: Verdict
    findings: tuple[Finding, ...] = ()

    def __and__(self, other: Check) -> Check:
        return self._combine(other, min(self.verdict, other.verdict))

    def __or__(self, other: Check) -> Check:
        return self._combine(other, max(self.verdict, other.verdict))

    def unless(self, exempt: Check) -> Check:
        """``self | exempt``, but a reader who is known not to be exempt is told only what ``self`` wants."""
        return self if exempt.verdict is Verdict.FAILS else self | exempt

    def _combine(self, other: Check, verdict: Verdict) -> Check:
        """The reasons of a combination are those of the sides that decided it."""
        if verdict is Verdict.HOLDS:
            return HOLDS
        findings = [f for side in (self, other) if side.verdict is verdict for f in side.findings]
        return Check(verdict, tuple(dict.fromkeys(findings)))

    def __bool__(self) -> bool:
        """Refused: ``if check`` or ``a and b`` would silently drop the third value."""
        raise TypeError("a Check is three-valued: combine checks with & and |, and read .verdict")


HOLDS = Check(Verdict.HOLDS)


def fails(finding: Finding) -> Check:
    """What is wanted is known not to be there."""
    return Check(Verdict.FAILS, (finding,))


def unshown(finding: Finding) -> Check:
    """Only the change itself will tell."""
    return Check(Verdict.UNSHOWN, (finding,))
