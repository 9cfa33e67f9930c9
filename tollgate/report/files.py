"""Writes the outputs. Each file appears whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from tollgate.assess.model import Assessment
from tollgate.errors import Problem, TollgateError
from tollgate.report.assessment import review
from tollgate.report.html import render_html
from tollgate.report.markdown import render_markdown
from tollgate.report.model import WHOLE_REPORT, Report
from tollgate.report.phrases import load_words
from tollgate.report.text import clean

MARKDOWN_FILE = "report.md"
ASSESSMENT_FILE = "assessment.json"


def write_outputs(report: Report, assessment: Assessment, out: Path) -> tuple[Path, ...]:
    """Write report.html, report.md and assessment.json into ``out`` and return their paths in that order.

    All three are rendered before the first is written; each replaces the old file in one move.

    Raises:
        TollgateError: a file cannot be written.
        ValueError: the report is of another assessment (a fault of the caller).
    """
    if report.facts_digest != clean(assessment.facts_digest):
        raise ValueError("the report and the assessment are of different plans")
    words = load_words()
    # ASCII only: an invisible character in a name cannot play tricks on whoever prints the file.
    document = json.dumps(review(report.verdict, assessment).model_dump(mode="json"), indent=2) + "\n"
    contents = {
        WHOLE_REPORT: render_html(report, words),
        MARKDOWN_FILE: render_markdown(report, words, whole=WHOLE_REPORT),
        ASSESSMENT_FILE: document,
    }
    return write_files(out, contents)


def write_files(out: Path, contents: Mapping[str, str]) -> tuple[Path, ...]:
    """Write texts by file name into ``out``. Raises TollgateError when one cannot be written."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        return tuple(_replace(out / name, text) for name, text in contents.items())
    except OSError as error:
        problem = Problem(str(error.filename or out), error.strerror or str(error))
        raise TollgateError(
            "The report could not be written.",
            [problem],
            advice="name a folder that you can write to with --out",
        ) from error


def _replace(path: Path, text: str) -> Path:
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        new.write_text(text, encoding="utf-8", newline="\n")
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return path
