"""A rule about one resource among others: stated once, like a rule about one resource's inputs.

What such a rule makes of a value is the same for every rule: an unknown reference is followed to the resource that it
comes from; where that cannot be told, the rule cannot be shown to hold, which is a violation at its own level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tollgate.policy.check import Check, Verdict
from tollgate.policy.severity import Severity
from tollgate.policy.stack import Example, Resource, Stack, stack_of
from tollgate.policy.statement import Statement, bad_types, checked, head_problems, refuse

CrossJudge = Callable[[Resource, Stack], Check]
# What each example of a statement must come to.
_MEANING = {
    "good": Verdict.HOLDS,
    "bad": Verdict.FAILS,
    "unknown": Verdict.UNSHOWN,
    "missing": Verdict.FAILS,
}


@dataclass(frozen=True, eq=False)
class CrossRule(Statement):
    """One safety rule about a resource and those that belong to it.

    types: the types that it judges. reads: the types that it looks for beside them.
    good: a small set of resources in which each judged one passes. bad: the same with one thing wrong.
    unknown: the same with a reference that cannot be followed. missing: the same with something left out.
    note: what a reader must know of its limits, or "".
    """

    reads: tuple[str, ...]
    good: Example
    bad: Example
    unknown: Example
    missing: Example
    judge: CrossJudge = field(repr=False)
    note: str = ""

    def check(self, resource: Resource, stack: Stack) -> Check:
        """Judge one resource. Raises what the rule raises, and TypeError when it gives no Check."""
        return checked(self.judge(resource, stack))

    def judged(self, stack: Stack) -> list[Resource]:
        """The resources of a stack that this rule judges."""
        return stack.of(*self.types)


def cross_rule(
    *,
    id: str,  # noqa: A002  (the word a reader expects; nothing here needs the builtin)
    why: str,
    severity: Severity,
    types: tuple[str, ...],
    reads: tuple[str, ...],
    fix: str,
    good: Example,
    bad: Example,
    unknown: Example,
    missing: Example,
    controls: tuple[str, ...] = (),
    note: str = "",
) -> Callable[[CrossJudge], CrossRule]:
    """Make a ``CrossRule`` of a function. Raises TollgateError with all that is wrong."""

    def state(judge: CrossJudge) -> CrossRule:
        stated = CrossRule(id, why, severity, controls, types, fix, reads, good, bad, unknown, missing, judge, note)
        refuse(stated, judge.__module__, (*head_problems(stated), *_problems(stated)))
        return stated

    return state


def _problems(stated: CrossRule) -> Iterator[str]:
    yield from bad_types(stated.reads)
    read = {*stated.types, *stated.reads}
    for name in _MEANING:
        example: Example = getattr(stated, name)
        if not any(kind in stated.types for kind, _ in example.values()):
            yield f"{name} holds no resource of a type that the rule judges"
        for each, (kind, _) in example.items():
            if kind not in read:
                yield f"{name}: {each} is of type {kind}, which is in neither types nor reads"


def misjudged(stated: CrossRule) -> Iterator[str]:
    """Examples that do not come to what they stand for."""
    for name, wanted in _MEANING.items():
        stack = stack_of(getattr(stated, name))
        checks = [stated.check(resource, stack) for resource in stated.judged(stack)]
        verdicts = [check.verdict for check in checks if check.verdict is not Verdict.HOLDS]
        expected = [] if wanted is Verdict.HOLDS else [wanted]
        if verdicts != expected:
            found = ", ".join(verdict.name.lower() for verdict in verdicts) or "holds"
            yield f"the example {name} comes to: {found}; wanted: {wanted.name.lower()}, once"
