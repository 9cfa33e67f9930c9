"""The report says what was decided, in the promised order, and never more than is known."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.report import decisions, impacts
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
    *impacts.ALL,
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
        (impacts.felt_everywhere, SectionName.AFFECTED, "Customers notice it on 5 journeys."),
        (impacts.content_changed, SectionName.AFFECTED, "Whether customers notice it on one journey is not known."),
        (impacts.felt_everywhere, SectionName.AFFECTED, "Of one change it is not known what people notice."),
        (impacts.felt_everywhere, SectionName.AFFECTED, "One changed resource belongs to no service"),
        (impacts.felt_everywhere, SectionName.TIMING, "for about 3 minutes, 67 minutes on a slow day, and longer"),
        (impacts.felt_everywhere, SectionName.TIMING, "One resource is changed at once"),
        (impacts.felt_everywhere, SectionName.MONEY, "costs 30 USD more a month; the rest comes on top."),
        (impacts.felt_everywhere, SectionName.MONEY, "Of one resource the price is not known. That is not nothing."),
        (impacts.felt_everywhere, SectionName.UNDO, "but not without losing data"),
        (impacts.felt_everywhere, SectionName.UNDO, "It brings back no data."),
        (impacts.felt_everywhere, SectionName.UNKNOWN, "What people notice is not known. How long 0 takes"),
        (impacts.felt_everywhere, SectionName.UNKNOWN, "No price."),
        (impacts.nobody_notices, SectionName.AFFECTED, "Nobody should notice this change"),
        (
            impacts.only_reserve,
            SectionName.AFFECTED,
            "Customers should notice nothing. Behind one journey there is less",
        ),
        (impacts.nobody_notices, SectionName.MONEY, "The one resource that changes has no price of its own."),
        (impacts.nobody_notices, SectionName.UNDO, "Nobody has rehearsed the way back."),
        (impacts.no_register, SectionName.AFFECTED, "there is no register of services"),
        (impacts.no_register, SectionName.UNDO, "it does not put everything back: Wallet would not be put back."),
        (impacts.not_known_at_all, SectionName.AFFECTED, "Not known: what people notice"),
        (impacts.only_parts, SectionName.AFFECTED, "Customers should notice nothing."),
    ],
)
def test_a_section_is_honest(make, name, text):
    assert text in said(make(), name)


def test_what_content_may_do_is_told_in_the_words_of_the_book_and_not_as_nothing():
    report = build_report(impacts.content_changed(), subject=REHEARSAL)
    (section,) = [section for section in report.sections if section.name is SectionName.AFFECTED]
    (row,) = section.tables[-1].rows
    assert [SAY(cell) for cell in row.cells][1:] == ["not known", "not known", "A setting has other content."]
    assert {link.anchor for link in row.evidence} >= {"source-1"}


@pytest.mark.parametrize(("stand_ins", "text"), [(True, "the clouds were stand-ins"), (False, "the real cloud")])
def test_the_clouds_are_named_for_what_they_were(stand_ins, text):
    subject = REHEARSAL.model_copy(update={"stand_ins": stand_ins})
    assert text in SAY(build_report(decisions.empty(), subject=subject).engine)


def test_a_change_that_is_only_notes_or_unknowns_is_not_called_quiet():
    unknown_only = decisions.only_unknowns().assessment.model_copy(update={"resources": ()})
    assessment = Assessment.model_validate({**unknown_only.model_dump(), "counts": {}})
    decision = Decision(verdict=Verdict.WAIT, headline="Look.", assessment=assessment)
    assert "Not assessed yet" in said(decision, SectionName.MONEY)


@pytest.mark.parametrize("make", impacts.ALL)
def test_every_effect_time_and_price_points_to_its_source(make):
    """Each source in the appendix is pointed to, and each table row rests on something or is a sum of what does."""
    report = build_report(make(), subject=REHEARSAL)
    links = [link.anchor for section in report.sections for said in section.statements for link in said.evidence]
    links += [
        link.anchor for section in report.sections for t in section.tables for row in t.rows for link in row.evidence
    ]
    links += [link.anchor for line in report.glance for said in line.statements for link in said.evidence]
    assert {source.anchor for source in report.sources} <= set(links)
    for section in report.sections:
        for table in section.tables:
            assert all(len(row.cells) == len(table.columns) for row in table.rows)
            assert section.name is SectionName.RISK or all(row.evidence for row in table.rows)


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


def test_dangers_that_were_looked_for_in_vain_are_counted_and_the_gravest_told() -> None:
    text = said(decisions.harmless(), SectionName.CHECKS)
    assert "2 dangers were looked for" in text
    assert "we looked for data in it" in text
