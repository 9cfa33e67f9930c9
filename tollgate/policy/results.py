"""What a rule came to on a resource: the one vocabulary of the reports and of the comparison of two packs."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from tollgate.policy.exceptions import read_waived
from tollgate.policy.severity import LOW, Severity
from tollgate.policy.statement import CANNOT_BE_SHOWN

# How Pulumi's SDK says that a rule stumbled over an unknown value (pulumi_policy 1.21.0, policy.py).
COULD_NOT_RUN = "can't run policy "


class Answer(StrEnum):
    """passed; failed; waived: failed under an exception; not evaluated: could not be shown either way; not applicable:
    there was nothing that the rule reads."""

    PASSED = "passed"
    FAILED = "failed"
    WAIVED = "waived"
    NOT_EVALUATED = "not evaluated"
    NOT_APPLICABLE = "not applicable"


class Result(BaseModel):
    """One rule on one resource; ``urn`` is "" when it is about the stack as a whole.

    message: the rule's own words, "" when it passed. mandatory: it stops a change.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    urn: str
    answer: Answer
    message: str = ""
    mandatory: bool = False
    severity: Severity = LOW


def answer_of(message: str, *, mandatory: bool) -> Answer:
    """What a violation comes to. One that stops the engine stands under no exception, whatever it says."""
    if not mandatory and read_waived(message):
        return Answer.WAIVED
    return Answer.NOT_EVALUATED if not_shown(message) else Answer.FAILED


def not_shown(message: str) -> bool:
    """A rule that could not be evaluated, rather than one that was broken."""
    return message.startswith((CANNOT_BE_SHOWN, COULD_NOT_RUN))
