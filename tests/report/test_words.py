"""The words: all in one file, every one in use, short enough to be read once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from rich.console import Console

from tests.report.decisions import REAL, REHEARSAL
from tests.report.test_explain import EXPLAINED
from tests.report.test_model import ALL
from tollgate.report.assessment import assess_text
from tollgate.report.explain import explain
from tollgate.report.html import render_html
from tollgate.report.markdown import render_markdown
from tollgate.report.model import build_report
from tollgate.report.phrases import Words, load_words
from tollgate.report.terminal import summary

REPORT = Path("tollgate/report")
ENGLISH = load_words("en")


class Recorder(Mapping[str, object]):
    """Entries that remember which of them were asked for, and by which number."""

    def __init__(self, entries: Mapping[str, object]) -> None:
        self.entries = entries
        self.used: set[str] = set()

    def __getitem__(self, key: str) -> object:
        self.used.add(key)
        return self.entries[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


def test_every_key_exists_and_every_key_is_used():
    """Drawing every decision in every medium raises on a key that is missing, and must ask for all there are."""
    recorder = Recorder(ENGLISH.entries)
    words = Words("en", recorder)
    for make in ALL:
        for subject in (REHEARSAL, REAL):
            report = build_report(make(), subject=subject)
            render_html(report, words)
            render_markdown(report, words)
            Console(quiet=True).print(summary(report, [Path("report.html")], words))
        assess_text(make(), words)
    for fact in EXPLAINED.facts:
        explain(EXPLAINED, fact.id, words)
    assert set(recorder) - recorder.used == set()


def sentences() -> Iterator[tuple[str, str]]:
    for key, entry in ENGLISH.entries.items():
        for text in [entry] if isinstance(entry, str) else entry.values():
            for sentence in re.split(r"(?<=[.;:?!]) ", text):
                yield key, sentence


@pytest.mark.parametrize(("key", "sentence"), list(sentences()))
def test_a_sentence_is_short(key, sentence):
    assert len(sentence.split()) <= 25  # GOV.UK: split a sentence that is longer than 25 words


def test_templates_hold_no_words():
    for template in REPORT.glob("templates/*.j2"):
        text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", "", template.read_text("utf-8"), flags=re.DOTALL)
        assert not re.search(r"[A-Za-z]{2}", text), (template, text)


def test_code_holds_no_sentences():
    allowed = {
        "files.py",
        "parts.py",
        "assessment.py",
        "explain.py",
    }  # errors and schema descriptions are not in the report
    for path in REPORT.glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        texts = [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
        ]
        found = [text for text in texts if re.search(r"[A-Za-z]{2,} [a-z]{2,}", text)]
        if path.name not in allowed:
            assert [text for text in found if "bold" not in text] == [], path  # "bold red" is a style
