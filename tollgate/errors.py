"""The one error a user sees: what is wrong, where, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    where: an address a person can open (``stacks/Pulumi.staging.yaml:14``), or "" when there is none.
    text: what was found and what to write instead, as one sentence.
    """

    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}  {self.text}" if self.where else self.text


class TollgateError(Exception):
    """Bad input or a failed step. Carries every problem found, and what to try next.

    The command line prints it without a traceback and exits with 1.
    """

    def __init__(self, message: str, problems: Iterable[Problem] = (), *, advice: str = "") -> None:
        self.message = message
        self.problems = tuple(problems)
        self.advice = advice
        super().__init__(str(self))

    def __str__(self) -> str:
        lines = [self.message, *(f"  {problem}" for problem in self.problems)]
        if self.advice:
            lines.append(f"Try: {self.advice}")
        return "\n".join(lines)
