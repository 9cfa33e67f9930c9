"""The comment: fits, says what it cut, and no text from outside does anything on GitHub."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.report import decisions
from tests.report.decisions import REHEARSAL
from tests.report.hostile import STRINGS, TEXTS, everywhere
from tests.report.reader import Reader
from tests.report.test_model import ALL
from tollgate.gate.model import Decision
from tollgate.report.escape import code, escape_markdown, fence
from tollgate.report.markdown import MARKDOWN_LIMIT, length, render_markdown
from tollgate.report.model import build_report
from tollgate.report.text import clean

GITHUB = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OURS = {
    *("h2", "h3", "p", "ul", "ol", "li", "strong", "em", "sub", "blockquote", "details", "summary", "pre", "code"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


def comment(decision: Decision) -> str:
    return render_markdown(build_report(decision, subject=REHEARSAL))


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", "".join(Reader(html).words)).replace("\u200b", "").strip()


@pytest.mark.parametrize("make", ALL)
def test_the_comment_fits_and_leads_with_the_verdict(make):
    text = comment(make())
    assert length(text) < MARKDOWN_LIMIT
    assert re.match(r"## (ALLOW|WAIT|DENY) · \w", text)
    assert "the clouds were stand-ins" in text.partition("### ")[0]
    assert "urn:pulumi:" not in text.partition("### Appendix")[0]


def test_what_is_cut_is_said_and_the_worst_stays():
    decision = decisions.many()
    text = comment(decision)
    assert "This comment was shortened to fit. The whole report is in report.html" in text.partition("### ")[0]
    assert "Left out here:" in text
    assert f"of {len(decision.assessment.findings):,}, the last in order. All of them are in report.html" in text
    for worst in decision.assessment.findings[:100]:  # all critical and high ones
        assert worst.sentence in text
    assert length(text) > MARKDOWN_LIMIT * 0.9  # as much as fits


def test_a_comment_that_fits_is_whole():
    text = comment(decisions.dangerous())
    assert "shortened" not in text
    assert "Left out" not in text
    for resource in decisions.dangerous().assessment.resources:
        assert f"`{resource.urn}`" in text


@settings(max_examples=15)
@given(TEXTS, st.integers(1, 25))
def test_any_comment_fits(text, times):
    assert length(comment(everywhere(text * 40, times))) < MARKDOWN_LIMIT


@pytest.mark.parametrize("text", ["🙂" * 900, "*" * 900, "`" * 900, "\u202e" * 900, "|" * 900])
def test_the_worst_text_fits(text):
    assert length(comment(everywhere(text, 120))) < MARKDOWN_LIMIT


@pytest.mark.parametrize("text", STRINGS)
def test_hostile_text_adds_nothing_to_the_page(text):
    markdown = comment(everywhere(text))
    html = GITHUB.render(markdown)
    tags = Reader(html).tags
    assert {name for name, _ in tags} <= OURS
    assert all(not attributes or set(attributes) <= {"style"} for _, attributes in tags)
    assert [name for name, _ in tags if name in ("h1", "h2")] == ["h2"]
    assert "\x1b" not in markdown
    assert "\u202e" not in markdown


@settings(max_examples=400)
@given(TEXTS, st.sampled_from(["{}", "- {}", "1. **x** {}", "x {} y", "   - {}"]))
def test_escaped_text_shows_as_written(text, line):
    shown = clean(text)
    html = GITHUB.render(line.format(escape_markdown(shown)))
    assert {name for name, _ in Reader(html).tags} <= {"p", "ul", "ol", "li", "strong"}
    prefix, suffix = ("x ", " y") if line.startswith("x") else ("x " if "**" in line else "", "")
    assert plain(html) == re.sub(" +", " ", f"{prefix}{shown}{suffix}").strip()


@settings(max_examples=200)
@given(TEXTS)
def test_code_in_a_table_shows_as_written(text):
    shown = clean(text) or "x"
    html = GITHUB.render(f"| a | b |\n|---|---|\n| {code(shown)} | last |")
    reader = Reader(html)
    assert [name for name, _ in reader.tags].count("td") == 2
    assert plain(re.search(r"<td>(.*?)</td>", html, re.DOTALL)[1]) == shown


@pytest.mark.parametrize("text", ["a ``` b", "````", "tollgate rehearse @x"])
def test_a_fence_cannot_be_closed_from_inside(text):
    assert GITHUB.render(fence(text)).count("<pre>") == 1
    assert plain(GITHUB.render(fence(text))) == text


@pytest.mark.parametrize("text", ["@everyone", "@org/team", "mail a@b.example", "#1", "GH-7", "x/y#12", ":tada:"])
def test_nobody_is_called(text):
    escaped = escape_markdown(text)
    assert not re.search(r"@\w|#\d|GH-\d|:\w+:", re.sub(r"&#\d+;", "", escaped))


@pytest.mark.parametrize("text", ["https://evil.example", "HTTP://x", "www.evil.example", "WWW.x.example"])
def test_no_address_becomes_a_link(text):
    assert not re.search(r"(?i)https?://|www\.", escape_markdown(text))


def test_no_formula_is_drawn():
    assert "$" not in escape_markdown("costs $x_1$ and $$y$$")  # GitHub draws these; CommonMark does not
