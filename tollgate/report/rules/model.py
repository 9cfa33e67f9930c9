"""What the rules came to, by stack and by control. Every report of the pack is drawn from this one model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from tollgate.plan.model import Frozen
from tollgate.policy.controls import Book
from tollgate.policy.cross import CrossRule
from tollgate.policy.results import Answer, Result
from tollgate.policy.severity import LOW, Severity
from tollgate.policy.statement import Statement
from tollgate.report.text import urn_type

# From worst to best: what a control comes to is the worst of its results.
_WORST_FIRST = (Answer.FAILED, Answer.NOT_EVALUATED, Answer.WAIVED, Answer.PASSED)


class RuleLine(Frozen):
    """A rule as its statement has it. ``why`` is "" for a rule of a pack that is not ours."""

    id: str
    severity: Severity = LOW
    mandatory: bool = False
    why: str = ""
    fix: str = ""
    controls: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


class StackResults(Frozen):
    """One stack: a result for each rule on each resource that it reads, and one for each rule that found nothing."""

    stack: str
    resources: int = Field(description="how many resources the pack was shown")
    counts: dict[Answer, int]
    results: tuple[Result, ...]


class Evidence(Frozen):
    """The resources of one stack on which a control's rules were run."""

    stack: str
    resources: tuple[str, ...] = Field(min_length=1, description="URNs")


class ControlRow(Frozen):
    """One control with what it rests on. There is no row without evidence."""

    control: str
    standard: str
    version: str
    title: str
    answer: Answer = Field(description="the worst of its results")
    rules: tuple[str, ...]
    counts: dict[Answer, int]
    evidence: tuple[Evidence, ...] = Field(min_length=1)


class PolicyReport(Frozen):
    """What the pack came to. ``schema_version`` grows when a field goes away or changes its meaning."""

    schema_version: Literal["1"] = "1"
    project: str
    pack: str
    rules: tuple[RuleLine, ...]
    stacks: tuple[StackResults, ...]
    controls: tuple[ControlRow, ...]
    idle: tuple[str, ...] = Field(description="controls whose rules met no resource of these stacks: no evidence")

    @property
    def stops(self) -> bool:
        """A mandatory rule does not hold somewhere."""
        return any(result.mandatory for stack in self.stacks for result in stack.results)


@dataclass(frozen=True)
class Seen:
    """What the pack said of one stack, and the URNs that it was shown."""

    results: Sequence[Result]
    urns: Sequence[str]


def build_policy_report(
    project: str, pack: str, statements: Sequence[Statement], book: Book, stacks: Mapping[str, Seen]
) -> PolicyReport:
    """Arrange results for their readers. Pure."""
    found = {stack: tuple(sorted(_complete(seen, statements), key=_order)) for stack, seen in stacks.items()}
    known = {statement.id for statement in statements}
    others = sorted({result.rule for results in found.values() for result in results} - known)
    rules = (*map(_line, statements), *(RuleLine(id=rule) for rule in others))
    rows, idle = _matrix(rules, book, found)
    return PolicyReport(
        project=project,
        pack=pack,
        rules=tuple(sorted(rules, key=lambda rule: rule.id)),
        stacks=tuple(
            StackResults(stack=stack, resources=len(stacks[stack].urns), counts=_counts(results), results=results)
            for stack, results in found.items()
        ),
        controls=rows,
        idle=idle,
    )


def _line(statement: Statement) -> RuleLine:
    return RuleLine(
        id=statement.id,
        severity=statement.severity,
        mandatory=statement.mandatory,
        why=statement.why,
        fix=statement.fix,
        controls=statement.controls,
        types=statement.types,
    )


def _complete(seen: Seen, statements: Iterable[Statement]) -> Iterator[Result]:
    """The results by rule: a pass on a whole stack is one on each resource judged, and a rule without any says so."""
    by_rule: dict[str, list[Result]] = {}
    for result in seen.results:
        by_rule.setdefault(result.rule, []).append(result)
    for statement in statements:
        results = by_rule.pop(statement.id, [])
        if isinstance(statement, CrossRule) and results:
            spoken_of = {result.urn for result in results}
            judged = [urn for urn in seen.urns if urn_type(urn) in statement.types and urn not in spoken_of]
            results = [result for result in results if result.urn]
            results += [Result(rule=statement.id, urn=urn, answer=Answer.PASSED) for urn in judged]
        yield from results or [Result(rule=statement.id, urn="", answer=Answer.NOT_APPLICABLE)]
    yield from (result for results in by_rule.values() for result in results)


def _order(result: Result) -> tuple[str, str, str]:
    return (result.rule, result.urn, result.message)


def _counts(results: Iterable[Result]) -> dict[Answer, int]:
    counted = Counter(result.answer for result in results)
    return {answer: counted[answer] for answer in Answer}


def _matrix(
    rules: Iterable[RuleLine], book: Book, found: Mapping[str, Sequence[Result]]
) -> tuple[tuple[ControlRow, ...], tuple[str, ...]]:
    by_control: dict[str, list[str]] = {}
    for rule in rules:
        for control in rule.controls:
            by_control.setdefault(control, []).append(rule.id)
    rows, idle = [], []
    for control in book.ids():
        if control not in by_control:
            continue
        row = _row(control, by_control[control], book, found)
        if row:
            rows.append(row)
        else:
            idle.append(control)
    return tuple(rows), tuple(idle)


def _row(control: str, rules: list[str], book: Book, found: Mapping[str, Sequence[Result]]) -> ControlRow | None:
    judged = {
        stack: [result for result in results if result.rule in rules and result.urn] for stack, results in found.items()
    }
    evidence = tuple(
        Evidence(stack=stack, resources=tuple(dict.fromkeys(result.urn for result in results)))
        for stack, results in judged.items()
        if results
    )
    known = book.control(control)
    if not evidence or known is None:
        return None
    counts = _counts(result for results in judged.values() for result in results)
    return ControlRow(
        control=control,
        standard=known.standard.name,
        version=known.standard.version,
        title=known.title,
        answer=next(answer for answer in _WORST_FIRST if counts[answer]),
        rules=tuple(sorted(rules)),
        counts=counts,
        evidence=evidence,
    )
