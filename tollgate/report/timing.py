"""When, and does it fit."""

from __future__ import annotations

from tollgate.assess.impact import Duration, Moment
from tollgate.assess.model import Impact
from tollgate.report.amounts import lasts_in_words, time_in_words
from tollgate.report.appendix import MADE, SCOPE, Appendix
from tollgate.report.parts import Link, Row, Statement, Table, Told, open_point, phrase, say, unique

MOST_STEPS = 5  # of the longest chain; nobody plans by the sixth
_UNKNOWN = Link(anchor="unknown", label=phrase("see_list"))


def timing(impact: Impact, appendix: Appendix) -> Told:
    """How long the engine works, what waits for a maintenance window, and what nobody has looked at."""
    duration = impact.duration
    key = "timing_at_least" if duration.at_least else "timing_takes"
    said = [say(phrase(key, time=lasts_in_words(duration.total)), *_links(duration, appendix))]
    if duration.unknown:
        said.append(say(phrase("timing_unknown", n=len(duration.unknown)), _UNKNOWN))
    said += _waits(impact, appendix)
    return Told(statements=(*said, open_point(phrase("timing_open"), SCOPE)), tables=_chain(duration, appendix))


def _links(duration: Duration, appendix: Appendix) -> tuple[Link, ...]:
    return unique((appendix.of_source(step.source) for step in duration.critical if step.source), MOST_STEPS) or (MADE,)


def _waits(impact: Impact, appendix: Appendix) -> list[Statement]:
    waiting = [effect for effect in impact.effects if effect.moment is not Moment.CHANGE]
    if not waiting:
        return []
    links = unique(appendix.of_urn(urn) for urn in sorted({effect.urn for effect in waiting}))
    return [say(phrase("timing_window", n=len(links)), *links[:MOST_STEPS])]


def _chain(duration: Duration, appendix: Appendix) -> tuple[Table, ...]:
    """What would have to be quicker for the whole to be."""
    steps = sorted(duration.critical, key=lambda step: -step.lasts.p90)[:MOST_STEPS]
    rows = tuple(
        Row(
            cells=(
                appendix.name_of(step.urn),
                phrase(f"does_{step.op.value}"),
                time_in_words(step.lasts.p50),
                time_in_words(step.lasts.p90),
            ),
            evidence=(appendix.of_urn(step.urn), *([appendix.of_source(step.source)] if step.source else [])),
        )
        for step in steps
    )
    columns = ("column_resource", "column_change", "column_usual", "column_slow")
    if not rows:
        return ()
    return (Table(title=phrase("chain_table"), columns=tuple(map(phrase, columns)), rows=rows),)
