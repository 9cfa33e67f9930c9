"""If it goes wrong: the way back, step by step."""

from __future__ import annotations

from collections.abc import Iterator

from tollgate.assess.consequences import Tried, Undo, WayBack
from tollgate.assess.model import Impact
from tollgate.report.amounts import lasts_in_words, time_in_words
from tollgate.report.appendix import MADE, RESOURCES, Appendix
from tollgate.report.parts import Phrase, Row, Statement, Table, Told, phrase, quote, say
from tollgate.report.text import readable

_WAYS = {
    WayBack.REVERSIBLE: phrase("way_reversible"),
    WayBack.UNKNOWN: phrase("way_unknown"),
    WayBack.ONE_WAY: phrase("way_one_way"),
    WayBack.WITH_LOSS: phrase("way_with_loss"),
    WayBack.NONE: phrase("way_none"),
}
_TRIED = {
    Tried.NOT: phrase("tried_not"),
    Tried.CONFIRMED: phrase("tried_confirmed"),
    Tried.SETTINGS: phrase("tried_settings"),
    Tried.REFUTED: phrase("tried_refuted"),
}
_WHOLE = {
    WayBack.REVERSIBLE: "undo_reversible",
    WayBack.UNKNOWN: "undo_unknown",
    WayBack.ONE_WAY: "undo_one_way",
    WayBack.WITH_LOSS: "undo_with_loss",
    WayBack.NONE: "undo_none",
}


def way_back(impact: Impact, appendix: Appendix) -> Told:
    """What can be taken back, how long that takes, from where on it cannot, and whether anybody tried."""
    return Told(statements=tuple(_said(impact.undo, appendix)), tables=_steps(impact.undo, appendix))


def way_back_in_words(impact: Impact) -> Statement:
    """One sentence for the decision box."""
    undo = impact.undo
    time = lasts_in_words(undo.lasts, at_least=undo.at_least)
    return say(phrase(f"glance_{_WHOLE[undo.way_back]}", time=time, tried=_tried(undo)), RESOURCES)


def _tried(undo: Undo) -> Phrase:
    if undo.proof is None:
        return phrase("undo_not_tried")
    if not undo.proof.confirmed:
        return phrase("undo_failed")
    return phrase("undo_tried" if undo.way_back.rank <= WayBack.UNKNOWN.rank else "undo_tried_settings")


def _said(undo: Undo, appendix: Appendix) -> Iterator[Statement]:
    worst = [step for step in undo.steps if step.way_back is undo.way_back]
    links = [appendix.of_urn(step.urn) for step in worst] if undo.way_back is not WayBack.REVERSIBLE else []
    yield say(phrase(_WHOLE[undo.way_back]), *(links[:3] or [RESOURCES]))
    if undo.lasts is not None:
        yield say(phrase("undo_takes", time=lasts_in_words(undo.lasts, at_least=undo.at_least)), MADE)
    if undo.no_return:
        yield say(quote(readable(undo.no_return)), *(links[:3] or [RESOURCES]))
    if undo.proof is None:
        yield say(phrase("rehearsed_not"), MADE)
    elif undo.proof.confirmed:
        key = "rehearsed_works" if undo.way_back.rank <= WayBack.UNKNOWN.rank else "rehearsed_settings"
        yield say(phrase(key), MADE)
    else:
        yield say(phrase("rehearsed_fails"), MADE)
        for difference in undo.proof.differences:
            yield say(quote(readable(difference)), MADE)


def _steps(undo: Undo, appendix: Appendix) -> tuple[Table, ...]:
    rows = tuple(
        Row(
            cells=(
                phrase("number", n=number),
                quote(readable(step.sentence)),
                _WAYS[step.way_back],
                _TRIED[step.tried],
                time_in_words(step.seconds.p50 + step.restore_seconds) if step.seconds else phrase("lasts_not_known"),
                _owner(step.owner),
            ),
            evidence=(appendix.of_urn(step.urn),),
        )
        for number, step in enumerate(undo.steps, start=1)
    )
    columns = ("column_number", "column_step", "column_way", "column_tried", "column_usual", "column_who")
    return (Table(title=phrase("undo_table"), columns=tuple(map(phrase, columns)), rows=rows),) if rows else ()


def _owner(owner: str) -> Phrase:
    return quote(readable(owner)) if owner else phrase("nobody_named")
