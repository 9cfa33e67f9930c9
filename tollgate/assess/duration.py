"""Duration: how long the engine works on a plan, along the longest chain of its dependencies.

The engine makes and changes things first, each after what it depends on, and deletes last, each after what depended on
it; a replacement counts in both halves. It does ``parallel`` operations at once. With C the longest chain of a half and
W all its work, no schedule is shorter than max(C, W / parallel), and none that never idles is longer than
C + (W - C) / parallel (Graham 1969). p50 is the former with every step at its p50, p90 the latter with every step at
its p90: exact when all steps are slow together, as on a slow day of the cloud. What it leaves out: with many
independent steps the slowest of them is slower than its own p90 more often than one time in ten; the engine deletes in
layers, which can wait longer than a chain; it retries what fails; and what takes effect in a maintenance window is not
the engine's time. Recorded runs of whole changes show how far off that is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from tollgate.assess.chain import Half, Part, schedule
from tollgate.assess.changed import Changed, changed, operation
from tollgate.assess.impact import CriticalStep, Duration, RecordedRun, Span, UnknownDuration
from tollgate.assess.lookup import Index
from tollgate.assess.naming import capital, subject
from tollgate.assess.recorded import Recorded
from tollgate.books.duration_book import DurationLine, duration_book
from tollgate.books.lines import ANY, Operation
from tollgate.plan.model import Op, Plan, Step
from tollgate.plan.ties import TieKind

_LOOKS = (Op.READ, Op.REFRESH, Op.IMPORT)
_TAKES_NO_TIME = (Op.SAME, Op.DISCARD)
_GOES = (Op.DELETE, Op.REPLACE)
_WORDS = {Operation.CREATE: "creation", Operation.UPDATE: "change", Operation.DELETE: "deletion"}
# In which order the engine does what: each operation, and whether it is among the deletions at the end.
_PARTS: dict[Operation, tuple[tuple[Operation, bool], ...]] = {
    Operation.CREATE: ((Operation.CREATE, False),),
    Operation.UPDATE: ((Operation.UPDATE, False),),
    Operation.REPLACE: ((Operation.CREATE, False), (Operation.DELETE, True)),
    Operation.RECREATE: ((Operation.DELETE, False), (Operation.CREATE, False)),
    Operation.DELETE: ((Operation.DELETE, True),),
    Operation.FORGET: (),
}


@lru_cache(maxsize=1)
def _index() -> Index[DurationLine]:
    return Index(duration_book())


def duration(plan: Plan, runs: Iterable[RecordedRun] = (), parallel: int | None = None) -> Duration:
    """How long the whole change takes.

    runs: earlier operations, by which the book is corrected. A line of the book for one property is not: a run does
    not say which property it changed. parallel: operations at once; the book's number when None.
    """
    return timed(plan, runs, parallel)[0]


def timed(
    plan: Plan, runs: Iterable[RecordedRun] = (), parallel: int | None = None
) -> tuple[Duration, dict[str, Span]]:
    """How long the whole takes, and how long the engine works on each resource, where that is known."""
    numbers = duration_book().numbers
    workers = parallel or int(numbers["parallel"].value)
    recorded = Recorded(runs, numbers)
    making: list[Part] = []
    deleting: list[Part] = []
    unknown: list[UnknownDuration] = []
    seconds = {step.urn: (0.0, 0.0) for step in plan.steps}
    gone = frozenset(step.urn_before for step in plan.steps if step.op in _GOES)
    for step in plan.steps:
        for found, last in _of_step(step, recorded, gone):
            if isinstance(found, UnknownDuration):
                unknown.append(found)
            else:
                (deleting if last else making).append(found)
                before = seconds[step.urn]
                seconds[step.urn] = (before[0] + found.span[0], before[1] + found.span[1])
    first = schedule(making, workers, backwards=False)
    second = schedule(deleting, workers, backwards=True)
    whole = Duration(
        total=Span(p50=first.span.p50 + second.span.p50, p90=first.span.p90 + second.span.p90),
        at_least=bool(unknown),
        critical=(*_critical(first), *_critical(second)),
        unknown=tuple(sorted(unknown, key=lambda each: (each.urn, each.sentence))),
        parallel=workers,
        recorded=recorded.count,
    )
    for each in unknown:
        seconds.pop(each.urn, None)
    return whole, {urn: _span(p50, p90) for urn, (p50, p90) in seconds.items()}


@lru_cache(maxsize=4096)
def _span(p50: float, p90: float) -> Span:
    return Span(p50=p50, p90=p90)


def _critical(half: Half) -> Iterator[CriticalStep]:
    for part in half.chain:
        yield CriticalStep(urn=part.urn, op=part.op, lasts=Span(p50=part.span[0], p90=part.span[1]), source=part.source)


def _not_asked_for(step: Step, gone: frozenset[str]) -> bool:
    """The engine asks no cloud to delete what is retained, nor what goes with something else that is deleted.

    pkg/resource/deploy/step.go of Pulumi 3.257.0, DeleteStep.
    """
    return step.retain_on_delete or any(tie.kind is TieKind.DELETED_WITH and tie.urn in gone for tie in step.ties)


def _of_step(step: Step, recorded: Recorded, gone: frozenset[str]) -> Iterator[tuple[Part | UnknownDuration, bool]]:
    """The operations of a step, each with whether it is among the deletions at the end."""
    if not step.custom or step.op in _TAKES_NO_TIME:
        return
    if step.op in _LOOKS:
        seconds = duration_book().numbers["read"].value
        yield Part(step.urn, Operation.UPDATE, step.needs, (seconds, seconds), None), False
        return
    op = operation(step)
    if op is None:
        yield _unknown(step, "what happens to it, and how long that takes, is not known"), False
        return
    for each, last in _PARTS[op]:
        if each is Operation.DELETE and _not_asked_for(step, gone):
            continue
        yield _part(step, each, recorded) or _unknown(step, f"how long its {_WORDS[each]} takes is not known"), last


def _unknown(step: Step, what: str) -> UnknownDuration:
    return UnknownDuration(urn=step.urn, type=step.type, sentence=f"{capital(subject(step))}: {what}.")


def _part(step: Step, op: Operation, recorded: Recorded) -> Part | None:
    """How long an operation takes: of several changed properties, and of several lines that may count, the longest."""
    changes: Sequence[Changed | None] = changed(step) if op is Operation.UPDATE else ()
    index = _index()
    found = [index.find(step, op, change).lines for change in changes or (None,)]
    lines = {line.id: line for each in found for line in each}
    if not all(found):
        alone = recorded.alone(step.type, op)
        return Part(step.urn, op, step.needs, alone, None) if alone else None
    if len(lines) == 1:
        (line,) = lines.values()
        return Part(step.urn, op, step.needs, _corrected(line, step, op, recorded), line.place)
    spans = {name: _corrected(line, step, op, recorded) for name, line in lines.items()}
    longest = max(spans, key=lambda name: (spans[name][1], spans[name][0], name))
    p50, p90 = max(span[0] for span in spans.values()), spans[longest][1]
    return Part(step.urn, op, step.needs, (p50, p90), lines[longest].place)


def _corrected(line: DurationLine, step: Step, op: Operation, recorded: Recorded) -> tuple[float, float]:
    return line.seconds if line.path not in ("", ANY) else recorded.corrected(step.type, op, line.seconds)
