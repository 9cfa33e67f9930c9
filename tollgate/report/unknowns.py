"""What we do not know: every point that somebody found out to be open, once."""

from __future__ import annotations

from typing import NamedTuple

from tollgate.assess.model import Assessment
from tollgate.report.appendix import MADE, RESOURCES, SCOPE, Appendix
from tollgate.report.parts import Statement, Subject, open_point, phrase, quote, say
from tollgate.report.text import readable


class Point(NamedTuple):
    """One thing that is not known, about a resource or ("") the whole."""

    sentence: str
    urn: str


def points(assessment: Assessment) -> tuple[Point, ...]:
    """What the rules, the books and the prices leave open."""
    found = [Point(one.sentence, one.urn) for one in assessment.unknowns]
    if impact := assessment.impact:
        found += [Point(effect.sentence, effect.urn) for effect in impact.unknown_effects]
        found += [Point(time.sentence, time.urn) for time in impact.duration.unknown]
        found += [Point(sentence, row.urn) for row in impact.cost.resources for sentence in row.unknown]
    return tuple(dict.fromkeys(found))


def is_quiet(assessment: Assessment) -> bool:
    """True when nothing changes, nothing was found and nothing is unknown."""
    counts = assessment.counts
    changes = counts.create + counts.update + counts.replace + counts.delete + counts.guards + counts.other
    return not (changes or assessment.findings or assessment.unknowns or assessment.resources)


def unknown(assessment: Assessment, subject: Subject, appendix: Appendix) -> tuple[Statement, ...]:
    """The section: the points, then the limits of every rehearsal and of this version."""
    told = [say(quote(readable(point.sentence)), appendix.of_urn(point.urn)) for point in points(assessment)]
    notes = [say(quote(readable(note)), MADE) for note in assessment.notes]
    stand_ins = [say(phrase("unknown_stand_ins"), MADE)] if subject.stand_ins else []
    none = [] if told else [say(phrase("unknown_none"), RESOURCES)]
    scope = "unknown_open" if assessment.impact else "unknown_all_open"
    return (*none, *told, *notes, *stand_ins, open_point(phrase(scope), SCOPE))
