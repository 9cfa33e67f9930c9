"""The rules and what they come to, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from tollgate.policy.difference import Difference, Replay
from tollgate.policy.pack import Pack
from tollgate.policy.results import Answer
from tollgate.policy.statement import said
from tollgate.report.rules.model import PolicyReport
from tollgate.report.text import readable, urn_name


def rule_lines(pack: Pack) -> Iterator[str]:
    """Worst first, then by id."""
    statements = sorted(pack.statements, key=lambda each: (-each.severity.rank, each.id))
    width = max(len(each.id) for each in statements)
    for each in statements:
        yield f"{each.severity.value.upper():<8}  {each.id:<{width}}  {each.why}"
    yield ""
    one, several = len(pack.rules), len(pack.cross)
    yield f"{one} rules about one resource, {several} about several; critical and high ones stop a change"


def report_lines(report: PolicyReport) -> Iterator[str]:
    """The counts of each stack, what was broken, and the controls."""
    for stack in report.stacks:
        counts = ", ".join(f"{number:,} {answer}" for answer, number in stack.counts.items())
        yield f"{stack.stack}: {stack.resources:,} resources; {counts}"
        for result in stack.results:
            if result.message:
                yield f"  {result.answer.upper():<13} {result.rule}: {_where(result.urn)} {_found(result.message)}"
    kept = sum(row.answer is Answer.PASSED for row in report.controls)
    yield f"{len(report.controls)} controls with evidence, {kept} of them kept; {len(report.idle)} without evidence"


def replay_lines(replay: Replay) -> Iterator[str]:
    """What newly fails first, then what newly passes, by rule and resource."""
    stricter = [each for each in replay.differences if each.stricter]
    gentler = [each for each in replay.differences if not each.stricter]
    yield f"{replay.judged:,} answers on {', '.join(replay.stacks)}, compared with the rules of {replay.base}"
    yield from _group("would newly fail", stricter)
    yield from _group("would newly pass, or is no longer looked at", gentler)


def _group(title: str, differences: list[Difference]) -> Iterator[str]:
    yield f"{len(differences):,} {title}"
    for each in differences:
        change = f"{each.before or 'not looked at'} → {each.after or 'not looked at'}"
        level = " (stops the change)" if each.stricter and each.mandatory else ""
        yield f"  {each.stack}  {each.rule}  {_where(each.urn)}  {change}{level}"


def _where(urn: str) -> str:
    return readable(urn_name(urn)) if urn else "the stack"


def _found(message: str) -> str:
    return readable(" ".join(said(message).found.split()))
