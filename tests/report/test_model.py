"""The report says what was decided, in the promised order, and never more than is known."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.report import decisions
from tests.report.decisions import REHEARSAL
from tests.report.hostile import STRINGS, TEXTS, everywhere
from tollgate.assess.model import Assessment
from tollgate.gate.model import Decision, Verdict
from tollgate.report.model import build_report
from tollgate.report.parts import SectionName
from tollgate.report.phrases import load_words
from tollgate.report.text import clean, readable, urn_type

SAY = load_words().say
ALL = [
    decisions.dangerous,
    decisions.empty,
    decisions.harmless,
    decisions.only_unknowns,
    decisions.denied,
    decisions.waived,
    decisions.every_operation,
    decisions.many,
]


def said(decision: Decision, name: SectionName) -> str:
    report = build_report(decision, subject=REHEARSAL)
    (section,) = [section for section in report.sections if section.name is name]
    return " ".join(SAY(statement.said) for statement in section.statements)


@pytest.mark.parametrize("make", ALL)
def test_every_section_is_there_in_order_and_says_something(make):
    report = build_report(make(), subject=REHEARSAL)
    assert [section.name.value for section in report.sections] == [
        *("decision", "summary", "affected", "timing", "risk", "money", "undo", "omission"),
        *("checks", "unknown", "decided", "appendix"),
    ]
    silent = {section.name.value for section in report.sections if not section.statements}
    assert silent == {"decision", "appendix"}  # the decision box and the tables speak for these two
    assert all(line.statements for line in report.glance)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (decisions.dangerous, "WAIT · Clearing's database would be deleted and made again, with everything it holds."),
        (decisions.empty, "ALLOW · Nothing would change."),
        (decisions.denied, "DENY · Data would be lost."),
    ],
)
def test_the_first_line_is_the_verdict(make, line):
    assert SAY(build_report(make(), subject=REHEARSAL).line) == line


@pytest.mark.parametrize(
    ("make", "name", "text"),
    [
        (decisions.dangerous, SectionName.SUMMARY, "1 created, 1 updated and 1 replaced; 57 stay as they are"),
        (decisions.dangerous, SectionName.SUMMARY, "4 problems: 1 critical, 2 high and 1 medium"),
        (decisions.dangerous, SectionName.MONEY, "Not assessed yet: what this change costs"),
        (decisions.dangerous, SectionName.AFFECTED, "Not assessed yet: who notices"),
        (decisions.dangerous, SectionName.UNDO, "One resource would be deleted or replaced"),
        (decisions.dangerous, SectionName.CHECKS, "218 checks were made"),
        (decisions.dangerous, SectionName.UNKNOWN, "The plan names no outputs."),
        (decisions.dangerous, SectionName.UNKNOWN, "Stand-ins accept what a real cloud may refuse"),
        (decisions.harmless, SectionName.CHECKS, "Not assessed yet: no policy pack ran"),
        (decisions.harmless, SectionName.RISK, "That is not proof that it is safe"),
        (decisions.harmless, SectionName.MONEY, "Not assessed yet"),
        (decisions.only_unknowns, SectionName.UNKNOWN, "What changes in the gateway is not known."),
        (decisions.only_unknowns, SectionName.TIMING, "Not assessed yet"),
        (decisions.empty, SectionName.MONEY, "Nothing would change"),
        (decisions.denied, SectionName.DECIDED, "The gate decided DENY from the rules alone."),
    ],
)
def test_a_section_is_honest(make, name, text):
    assert text in said(make(), name)


@pytest.mark.parametrize(("stand_ins", "text"), [(True, "the clouds were stand-ins"), (False, "the real cloud")])
def test_the_clouds_are_named_for_what_they_were(stand_ins, text):
    subject = REHEARSAL.model_copy(update={"stand_ins": stand_ins})
    assert text in SAY(build_report(decisions.empty(), subject=subject).engine)


def test_a_change_that_is_only_notes_or_unknowns_is_not_called_quiet():
    unknown_only = decisions.only_unknowns().assessment.model_copy(update={"resources": ()})
    assessment = Assessment.model_validate({**unknown_only.model_dump(), "counts": {}})
    decision = Decision(verdict=Verdict.WAIT, headline="Look.", assessment=assessment)
    assert "Not assessed yet" in said(decision, SectionName.MONEY)


def test_a_finding_on_a_resource_that_stays_gets_a_row_of_its_own():
    report = build_report(decisions.dangerous(), subject=REHEARSAL)
    (row,) = [row for row in report.resources if row.name == "edge-cache"]
    assert (row.type, SAY(row.op)) == ("aws:rds/instance:Instance", "stays")
    assert report.findings[3].said.evidence[0].anchor == row.anchor


@pytest.mark.parametrize(
    ("dirty", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;https://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b31mred", "red"),
        ("a\u202eb", "a[U+202E]b"),
        ("a\x00b\x7f", "a[U+0000]b[U+007F]"),
        ("  two\r\n lines\u2028 ", "two lines"),
        ("中文 é 🙂", "中文 é 🙂"),
    ],
)
def test_clean_text_hides_nothing(dirty, shown):
    assert clean(dirty) == shown


@given(TEXTS)
def test_readable_text_is_printable_and_holds_no_address(text):
    shown = readable(text)
    assert shown.isprintable()
    assert "urn:pulumi:" not in shown.lower()
    assert clean(shown) == shown


def test_the_type_of_a_urn():
    assert urn_type(decisions.urn("a::b")) == "aws:rds/instance:Instance"
    assert urn_type("garbage") == ""


@pytest.mark.parametrize("text", STRINGS)
def test_hostile_text_is_the_same_report_twice(text):
    assert build_report(everywhere(text), subject=REHEARSAL) == build_report(everywhere(text), subject=REHEARSAL)
