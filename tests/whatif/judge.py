"""What the gate says of each recorded change, in the words in which a person reviewed it (expected/<stack>.yaml)."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from tests.whatif.recording import PROJECT, Change, load
from tollgate.assess.consequences import Undo, WayBack
from tollgate.assess.impact import Downtime, Moment
from tollgate.assess.model import Assessment, Impact
from tollgate.assess.registers import read_registers
from tollgate.books.effect_book import Notice
from tollgate.gate.decide import decide
from tollgate.pipeline import assess_rehearsal

EXPECTED = Path(__file__).with_name("expected")
TODAY = date(2026, 11, 27)  # entries of the registers are judged on it


class Seen(BaseModel):
    """A change as the gate sees it; the words are those of the report.

    change_class: D nothing changes, B standard, A normal, C emergency. journeys: what customers notice, by journey.
    downtime: by service, the worst, where somebody notices something. unknowns: kinds of open points and how many there
    are. undo: how far it can be taken back. no_return: the first part that cannot be, by the resource's name.
    proof: what --prove-undo said of the whole, and parts: of how many parts it said what.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    change_class: str = Field(alias="class")
    band: str
    decision: str
    journeys: dict[str, str] = {}
    downtime: dict[str, str] = {}
    undo: str
    no_return: str = ""
    proof: str
    parts: dict[str, int]
    unknowns: dict[str, int] = {}


class Reviewed(Seen):
    """The same as a person expects it, with why that is true."""

    review: str = Field(min_length=40)


def expected(stack: str) -> dict[str, Reviewed]:
    """The reviewed changes of a stack, by name."""
    content = yaml.safe_load((EXPECTED / f"{stack}.yaml").read_text(encoding="utf-8"))
    return {name: Reviewed.model_validate(entry) for name, entry in content.items()}


@cache
def assessed(change: Change) -> Assessment:
    """The assessment of a recorded change, as ``tollgate rehearse --prove-undo --no-checkov`` makes it."""
    return assess_rehearsal(load(change).rehearsal(), read_registers(PROJECT.registers), TODAY)


def see(change: Change) -> Seen:
    assessment = assessed(change)
    impact = assessment.impact
    if impact is None:
        raise ValueError(f"{change.id}: nothing was worked out")
    return Seen.model_validate(
        {
            "class": impact.classified.change_class.value,
            "band": impact.risk.band.value,
            "decision": decide(assessment).verdict.value,
            "journeys": {one.title: one.felt.notice.value for one in impact.journeys or ()},
            "downtime": _downtime(impact),
            "undo": impact.undo.way_back.value,
            "no_return": _no_return(impact.undo),
            "proof": _proof(impact.undo),
            "parts": dict(sorted(Counter(step.tried.value for step in impact.undo.steps).items())),
            "unknowns": _unknowns(assessment, impact),
        }
    )


def short(urn: str) -> str:
    return urn.rpartition("::")[2]


def _downtime(impact: Impact) -> dict[str, str]:
    """Rows come worst first, so the first of a service is its worst."""
    found: dict[str, str] = {}
    for row in impact.downtime:
        if row.notice is not Notice.NOTHING or row.at_least:
            found.setdefault(row.service, _row(row))
    return found


def _row(row: Downtime) -> str:
    long = "for good" if row.for_good else f"{row.lasts.p50:g} to {row.lasts.p90:g} s" if row.lasts else ""
    when = "" if row.moment is Moment.CHANGE else row.moment.value
    more = "or worse" if row.at_least else ""
    return ", ".join(part for part in (row.notice.value, long, when, more) if part)


def _no_return(undo: Undo) -> str:
    """Steps are in the order of going back, so the last of them is the first of the change."""
    turns = [step for step in undo.steps if step.way_back not in (WayBack.REVERSIBLE, WayBack.UNKNOWN)]
    return short(turns[-1].urn) if turns else ""


def _proof(undo: Undo) -> str:
    if undo.proof is None or not undo.proof.rehearsed:
        return "not rehearsed"
    return "confirmed" if undo.proof.confirmed else "refuted"


def _unknowns(assessment: Assessment, impact: Impact) -> dict[str, int]:
    """Kinds as in Unknown.what; "effect": no line of the effects book; "price": no price."""
    counted = Counter(unknown.what for unknown in assessment.unknowns)
    counted["effect"] += len(impact.unknown_effects)
    counted["price"] += impact.cost.unknown
    return dict(sorted((kind, number) for kind, number in counted.items() if number))
