"""The page: complete by itself, in order, safe, and readable without colours, a mouse or a screen."""

from __future__ import annotations

import re
from importlib import resources
from itertools import pairwise

import pytest
from hypothesis import given, settings

from tests.report import decisions
from tests.report.decisions import REHEARSAL
from tests.report.hostile import STRINGS, TEXTS, everywhere
from tests.report.reader import Reader
from tests.report.test_model import ALL
from tollgate.gate.model import Decision
from tollgate.report.html import render_html
from tollgate.report.model import build_report
from tollgate.report.text import clean

CSS = resources.files("tollgate.report").joinpath("templates", "report.css").read_text("utf-8")


def page(decision: Decision) -> str:
    return render_html(build_report(decision, subject=REHEARSAL))


def assert_alone_and_safe(html: str, reader: Reader) -> None:
    assert {name for name, _ in reader.tags} & {"script", "img", "iframe", "object", "link", "form"} == set()
    for _, attributes in reader.tags:
        assert not any(name.startswith("on") for name in attributes)
        assert not {"src", "srcset", "style", "xlink:href", "action"} & set(attributes)
        assert attributes.get("href", "#").startswith("#")
    assert not re.search(r"url\(|@import", CSS)
    assert html.count("<style>") == 1


@pytest.mark.parametrize("make", ALL)
def test_the_page_needs_nothing_else(make):
    html = page(make())
    assert_alone_and_safe(html, Reader(html))


@pytest.mark.parametrize("text", STRINGS)
def test_hostile_text_stays_text(text):
    html = page(everywhere(text))
    reader = Reader(html)
    assert_alone_and_safe(html, reader)
    assert sorted(reader.headings) == sorted(Reader(page(everywhere("plain"))).headings)


@settings(max_examples=60)
@given(TEXTS)
def test_any_text_stays_text(text):
    html = page(everywhere(text))
    reader = Reader(html)
    assert_alone_and_safe(html, reader)
    assert "urn:pulumi:" not in html.partition('id="t-appendix"')[0].lower()


@pytest.mark.parametrize("make", ALL)
def test_no_urn_before_the_appendix(make):
    before, appendix, after = page(make()).partition('id="t-appendix"')
    assert appendix
    assert "urn:pulumi:" not in before
    assert after.count("urn:pulumi:") == len(build_report(make(), subject=REHEARSAL).resources)


@pytest.mark.parametrize("make", ALL)
def test_headings_landmarks_and_tables_are_in_order(make):
    reader = Reader(page(make()))
    assert reader.headings.count(1) == 1
    levels = [level for level in reader.headings if level != 1]  # the list of contents comes before the verdict
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert reader.all("html") == [{"lang": "en"}]
    assert [len(reader.all(tag)) for tag in ("header", "nav", "main", "title")] == [1, 1, 1, 1]
    assert len(reader.all("caption")) == len(reader.all("table"))
    assert all(cell["scope"] in ("col", "row") for cell in reader.all("th"))
    assert all(drawing["aria-hidden"] == "true" for drawing in reader.all("svg"))
    first_link = reader.all("a")[0]
    assert (first_link["class"], first_link["href"]) == ("skip", "#decision")


@pytest.mark.parametrize("make", ALL)
def test_every_link_arrives_and_every_sentence_has_evidence(make):
    html = page(make())
    reader = Reader(html)
    assert len(reader.ids) == len(set(reader.ids))
    assert {link["href"][1:] for link in reader.all("a")} <= set(reader.ids)
    labelled = {attributes["aria-labelledby"] for _, attributes in reader.tags if "aria-labelledby" in attributes}
    assert labelled <= set(reader.ids)
    sentences = re.findall(
        r'class="said">[^<]*</span> *\s*<span class="evidence">.*?</span>.*?<a href', html, re.DOTALL
    )
    assert len(sentences) == html.count('class="said"')


def test_the_verdict_is_a_word_and_a_shape():
    shapes = set()
    for make, word in ((decisions.dangerous, "WAIT"), (decisions.empty, "ALLOW"), (decisions.denied, "DENY")):
        html = page(make())
        assert f'<span class="word">{word}</span>' in html
        shapes.add(re.search(r'<svg class="shape".*?</svg>', html, re.DOTALL)[0])
    assert len(shapes) == 3


def test_the_page_holds_everything_that_was_found():
    decision = decisions.many()
    text = Reader(page(decision)).text
    assert "The rules found 3,000 problems: 5 critical, 95 high and 2,900 medium." in text
    for finding in decision.assessment.findings:
        assert clean(finding.sentence) in text


def test_the_page_shows_who_made_it_and_how_to_repeat_it():
    text = Reader(page(decisions.dangerous())).text
    for part in (decisions.DIGEST, REHEARSAL.repeat, "baseline 4.2 s", "2025-06-02 09:30 UTC+00:00", "stand-ins"):
        assert part in text


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("verdict", ["allow", "wait", "deny"])
def test_colours_can_be_read(scheme, verdict):
    light, dark = CSS.split("@media (prefers-color-scheme: dark)")
    block = light if scheme == "light" else dark.split("* {")[0]
    chosen = colours(re.search(r":root \{(.*?)\}", block, re.DOTALL)[1])
    if verdict != "wait":
        chosen |= colours(re.search(rf"body\.{verdict} \{{(.*?)\}}", block)[1])
    for ink in ("ink", "muted", "link", "accent"):
        for paper in ("paper", "panel", "tint"):
            low, high = sorted((luminance(chosen[ink]), luminance(chosen[paper])))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, paper)  # WCAG 2.2, 1.4.3
