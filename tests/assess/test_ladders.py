"""A long change moves one rung at a time: what that means for an object that says where it stands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plan import previews as p
from tollgate.assess.assess import assess
from tollgate.assess.model import Assessment
from tollgate.gate.decide import decide
from tollgate.plan.read import read_plan

MAP = "kubernetes:core/v1:ConfigMap"
RUNGS = ("old", "copied", "both", "new", "gone")
MARKS = {"ladder": " ".join(RUNGS), "irreversible": "new gone", "starts": "old copied"}


def on(rung: Any, **changed: Any) -> dict[str, Any]:
    """The inputs of an object that stands on a rung. A key with None is left out."""
    data = {**MARKS, "rung": rung, **changed}
    return {"data": {key: value for key, value in data.items() if value is not None}}


def seen(step: dict[str, Any]) -> Assessment:
    read = [assess(read_plan(text)) for text in (p.digest(step), p.events(step))]
    assert read[0].findings == read[1].findings
    return read[0]


def moved(old: dict[str, Any], new: dict[str, Any], op: str = "update") -> Assessment:
    return seen(p.step(op, MAP, "climb", old=old, new=new, diff={"data.rung": "update"}))


def verdict(assessment: Assessment) -> str:
    return decide(assessment).verdict.review_word


# (what, before, after, verdict, a part of the sentence)
MOVES: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("up one", on("old"), on("copied"), "routine", ""),
    ("up one more", on("copied"), on("both"), "routine", ""),
    ("down one", on("both"), on("copied"), "routine", ""),
    ("nowhere", on("both"), on("both", note="x"), "routine", ""),
    ("up two", on("old"), on("both"), "stop", "moves from old to both and leaves out copied"),
    ("up three", on("old"), on("new"), "stop", "leaves out copied, both"),
    ("down two", on("both"), on("old"), "stop", "moves from both to old and leaves out copied"),
    ("down over the edge", on("gone"), on("both"), "stop", "leaves out new"),
    ("over the edge", on("both"), on("new"), "review", "from both to new, and from there is no way back"),
    ("further beyond it", on("new"), on("gone"), "review", "no way back"),
    ("back over it", on("new"), on("both"), "review", "cannot be taken back"),
    ("to an unknown rung", on("old"), on(p.UNKNOWN), "review", ""),
    ("from an unknown rung", on(p.UNKNOWN), on("old"), "review", ""),
    ("to a secret rung", on("old"), on("[secret]"), "review", ""),
    ("an unknown ladder", on("old"), on("copied", ladder=p.UNKNOWN), "review", ""),
    ("unknown as a whole", on("old"), {"data": p.UNKNOWN}, "review", ""),
    ("unknown as a whole before", {"data": p.UNKNOWN}, on("new"), "review", ""),
    ("a rung that is none", on("old"), on("copeid"), "stop", "no rung of its own ladder"),
    ("no rung", on("old"), on(""), "stop", "no rung of its own ladder"),
    ("a rung twice", on("old"), on("old", ladder="old both old"), "stop", "names a rung twice"),
    ("a mark for no rung", on("old"), on("old", irreversible="nwe"), "stop", "no rung of its own ladder"),
    ("from a rung that is none", on("odl"), on("copied"), "review", "no step can be counted"),
    ("another ladder", on("old"), on("old", ladder="old copied new both gone"), "review", "other rungs or marks"),
    ("another ladder, and moved", on("old"), on("both", ladder="old both copied new gone"), "stop", "at once"),
    ("the way back painted on", on("both"), on("new", irreversible="gone"), "stop", "at once"),
    ("the marks are gone", on("both"), on("both", irreversible=None), "review", "or marks"),
    ("the ladder is taken out", on("both"), on("both", ladder=None), "stop", "the record of how far"),
    ("the ladder is taken out at the end", on("gone"), {"data": {}}, "routine", ""),
    ("a ladder is put in", {"data": {}}, on("copied"), "routine", ""),
    ("a ladder is put in high up", {"data": {}}, on("both"), "review", "without having stood on old, copied"),
    ("no ladder at all", {"data": {"rung": "7"}}, {"data": {"rung": "9"}}, "routine", ""),
    ("nothing but unknowns", {"data": p.UNKNOWN}, {"data": p.UNKNOWN}, "routine", ""),
]  # fmt: skip


@pytest.mark.parametrize(("what", "old", "new", "said", "sentence"), MOVES, ids=[move[0] for move in MOVES])
def test_a_move_is_judged(what: str, old: dict[str, Any], new: dict[str, Any], said: str, sentence: str) -> None:
    for op in ("update", "replace"):
        assessment = moved(old, new, op)
        assert verdict(assessment) == said
        assert sentence in " ".join(finding.sentence for finding in assessment.findings)
        if said == "routine":
            assert assessment.findings == assessment.unknowns == ()


NEW: list[tuple[str, dict[str, Any], str, str]] = [
    ("on the lowest", on("old"), "routine", ""),
    ("where it may", on("copied"), "routine", ""),
    ("too high", on("new"), "review", "starts on new, without having stood on old, copied, both"),
    ("anywhere but the lowest, when nothing is said", on("copied", starts=None), "review", "stood on old"),
    ("on an unknown rung", on(p.UNKNOWN), "review", "not known until the change runs"),
    ("on no rung", on("nwe"), "stop", "no rung"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "new", "said", "sentence"), NEW, ids=[each[0] for each in NEW])
def test_a_new_ladder_starts_where_it_may(what: str, new: dict[str, Any], said: str, sentence: str) -> None:
    for op in ("create", "import"):
        assessment = seen(p.step(op, MAP, "climb", new=new))
        assert verdict(assessment) == said
        assert sentence in " ".join(finding.sentence for finding in assessment.findings)


@pytest.mark.parametrize(("rung", "said"), [("old", "routine"), ("both", "stop"), ("new", "stop"), ("gone", "routine")])
def test_a_ladder_may_go_only_before_it_began_or_when_it_is_over(rung: str, said: str) -> None:
    assert verdict(seen(p.step("delete", MAP, "climb", old=on(rung)))) == said


def test_a_ladder_that_cannot_be_read_is_an_open_question_when_it_goes() -> None:
    assert verdict(seen(p.step("delete", MAP, "climb", old=on(p.UNKNOWN)))) == "review"


def test_taking_the_record_away_and_making_it_anew_is_no_way_around() -> None:
    gone, made = p.step("delete", MAP, "climb", old=on("old")), p.step("create", MAP, "climb-2", new=on("new"))
    assert verdict(assess(read_plan(p.digest(gone, made)))) == "review"
    gone = p.step("delete", MAP, "climb", old=on("copied"))
    assert verdict(assess(read_plan(p.digest(gone, made)))) == "stop"


def test_the_evidence_shows_both_rungs_and_the_fix_says_what_to_do() -> None:
    (finding,) = moved(on("old"), on("both")).findings
    assert [(each.path, each.before, each.after) for each in finding.evidence] == [("data.rung", "old", "both")]
    assert finding.fix.startswith("move one rung at a time")


def test_a_hostile_rung_stays_text() -> None:
    (finding,) = moved(on("old"), on("\x1b[31m<b>\u202e")).findings
    assert "\x1b" not in finding.model_dump_json()


RUNG = st.sampled_from(RUNGS)


@given(RUNG, RUNG)
def test_no_pair_of_rungs_is_let_through_that_is_not_one_step_down_here(old: str, new: str) -> None:
    steps = abs(RUNGS.index(new) - RUNGS.index(old))
    said = verdict(moved(on(old), on(new)))
    assert (said == "stop") == (steps > 1)
    free = steps == 0 or (steps == 1 and {old, new}.isdisjoint(("new", "gone")))
    assert (said == "routine") == free


@given(st.dictionaries(st.sampled_from([*MARKS, "rung"]), st.text(max_size=12) | st.none() | st.integers(), max_size=4))
def test_whatever_stands_there_the_rule_does_not_fall_over(data: dict[str, Any]) -> None:
    for old, new in ((on("both"), {"data": data}), ({"data": data}, on("both")), ({"data": [data]}, {"data": data})):
        text = json.dumps(json.loads(p.digest(p.step("update", MAP, "climb", old=old, new=new, diff={}))))
        assert decide(assess(read_plan(text))).model_dump_json()
