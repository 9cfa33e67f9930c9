"""What the gate says of each recorded case, and how that compares with the labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.benchmark.cases import Case
from tests.benchmark.recording import Recording
from tollgate.assess.model import Finding
from tollgate.books.lines import Operation
from tollgate.gate.decide import decide
from tollgate.policy.severity import MEDIUM


@dataclass(frozen=True)
class Seen:
    """One case as the gate sees it. ``verdict``: routine, review or stop; ``findings``: those that count.

    unheard: URNs of changes that no book is about, which are asked.
    """

    case: Case
    verdict: str
    findings: tuple[Finding, ...]
    unheard: tuple[str, ...] = ()

    @property
    def noticed(self) -> bool:
        return self.verdict != "routine"

    @property
    def stopped(self) -> bool:
        return self.verdict == "stop"

    @property
    def right(self) -> bool:
        """Dangerous and noticed, or routine and not."""
        return self.noticed == (self.case.label == "dangerous")

    @property
    def named(self) -> frozenset[str]:
        """Resources that findings are about; a finding about the plan as a whole names none."""
        urns = [*(finding.urn for finding in self.findings if finding.urn), *self.unheard]
        return frozenset(urn.rpartition("::")[2] for urn in urns)

    @property
    def names_the_right_one(self) -> bool:
        """At least one of the case's resources is named, and no other."""
        return bool(self.named) and self.named <= set(self.case.names)


@dataclass(frozen=True)
class Matrix:
    """Confusion matrix at one threshold."""

    caught: int
    dangerous: int
    alarms: int
    routine: int

    def __str__(self) -> str:
        return f"{self.caught}/{self.dangerous} dangerous, {self.alarms}/{self.routine} routine"


def see(case: Case, recording: Recording, *, stand_ins: bool = True) -> Seen:
    """stand_ins: also with what only a rehearsal on stand-ins does not know."""
    assessment = recording.assess(stand_ins=stand_ins)
    counted = tuple(finding for finding in assessment.findings if finding.severity.rank >= MEDIUM.rank)
    effects = assessment.impact.unknown_effects if assessment.impact else ()
    unheard = tuple(sorted({effect.urn for effect in effects if effect.unheard and effect.op is not Operation.CREATE}))
    return Seen(case, decide(assessment).verdict.review_word, counted, unheard)


def matrix(seen: Iterable[Seen], *, stopped_only: bool) -> Matrix:
    """Threshold "stop", or "stop or review"."""
    all_seen = list(seen)
    hit = {id(each): each.stopped if stopped_only else each.noticed for each in all_seen}
    dangerous = [each for each in all_seen if each.case.label == "dangerous"]
    routine = [each for each in all_seen if each.case.label == "routine"]
    return Matrix(sum(hit[id(e)] for e in dangerous), len(dangerous), sum(hit[id(e)] for e in routine), len(routine))
