"""From a footprint to what checkov makes of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tollgate.plan.footprint import Footprint
from tollgate.scan.environment import Environment
from tollgate.scan.model import Checked, Gap, NotRun, Outcome, Scan
from tollgate.scan.projection import Projection, project
from tollgate.scan.run import Answer, NoAnswerError, Result, scan

NOT_UNDERSTOOD = "checkov did not understand what it was given"
RANK = (Outcome.DECLINED, Outcome.PASSED, Outcome.OPEN, Outcome.FAILED)  # of several records the last one counts


def scan_footprint(footprint: Footprint, environment: Environment) -> Scan | NotRun:
    """Scan everything that a stack declares. A scan that fails is an answer, too, and no pass."""
    projection = project(footprint)
    with tempfile.TemporaryDirectory(prefix="tollgate-checkov-") as folder:
        projection.write(Path(folder))
        try:
            answer = scan(environment, Path(folder))
        except NoAnswerError as error:
            return NotRun(why=str(error))
    return read(answer, projection)


def read(answer: Answer, projection: Projection) -> Scan:
    """The answer in terms of the footprint. Every check that ran is passed, failed or open."""
    given = projection.urns.keys()
    worst: dict[tuple[str, str], Outcome] = {}
    for check, label, outcome in _told(answer, projection):
        urn = projection.urns.get(label, "")
        worst[check, urn] = max(outcome, worst.get((check, urn), outcome), key=RANK.index)
    lost = given - answer.seen - _providers(projection)
    return Scan(
        version=answer.version,
        resources=len(given),
        checked=tuple(
            Checked(check=check, urn=urn, outcome=outcome) for (check, urn), outcome in sorted(worst.items())
        ),
        gaps=(*projection.gaps, *(_lost(projection.urns[label]) for label in sorted(lost))),
    )


def _told(answer: Answer, projection: Projection) -> Iterator[tuple[str, str, Outcome]]:
    for result in answer.results:
        yield result.check, result.label, _outcome(result, projection.unknown.get(result.label, set()))
    for check, label in answer.silent:
        yield check, label, Outcome.OPEN if projection.unknown.get(label) else Outcome.DECLINED
    for check, label, _ in answer.raised:
        yield check, label, Outcome.OPEN


def _outcome(result: Result, unknown: set[str]) -> Outcome:
    """A verdict that rests on a value that is not known yet is none; nor is one that does not say what it rests on."""
    keys = {key.strip("[]/").partition("/")[0] for key in result.keys}
    if unknown and (not keys or keys & unknown):
        return Outcome.OPEN
    # Annotations that skip a check are taken out before; whatever else is skipped was not looked at.
    return {"passed": Outcome.PASSED, "failed": Outcome.FAILED}.get(result.outcome, Outcome.OPEN)


def _providers(projection: Projection) -> set[str]:
    """Labels of providers, of which checkov gives no list."""
    return set(projection.plan["configuration"]["provider_config"])


def _lost(urn: str) -> Gap:
    return Gap(urn=urn, type=urn.split("::")[2].rpartition("$")[2], why=NOT_UNDERSTOOD)
