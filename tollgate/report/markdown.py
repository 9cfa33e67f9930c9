"""The report as one comment on a pull request: everything that fits, and a plain word about what does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tollgate.report.markdown_page import Limits, Page
from tollgate.report.model import WHOLE_REPORT, Report
from tollgate.report.phrases import Words, load_words

# GitHub refuses a longer comment: "Body is too long (maximum is 65536 characters)".
MARKDOWN_LIMIT = 65_536

# What is cut, in this order, and down to how much: the appendix first, what is asked of the reader last.
CUTS = (
    ("properties", 3),
    ("resources", 5),
    ("sources", 5),
    ("text", 300),
    ("rules", 5),
    ("unknowns", 10),
    ("findings", 10),
    ("rows", 5),
    ("text", 80),
    ("asks", 5),
)


def render_markdown(report: Report, words: Words | None = None, *, whole: str = WHOLE_REPORT) -> str:
    """The comment, shorter than MARKDOWN_LIMIT. ``whole`` is the file that holds what was cut."""
    words = words or load_words()

    def render(limits: Limits) -> str:
        return Page(report, words, limits, whole).text()

    limits = Limits()
    text = render(limits)
    for part, least in CUTS:
        if length(text) < MARKDOWN_LIMIT:
            break
        limits, text = _cut(limits, part, least, render)
    return text


def length(text: str) -> int:
    """Characters as GitHub may count them: a character beyond the first plane of Unicode is two."""
    return len(text.encode("utf-16-le")) // 2


def _cut(limits: Limits, part: str, least: int, render: Callable[[Limits], str]) -> tuple[Limits, str]:
    """Show as much of one part as fits, but not less than ``least``: a search by halves."""
    best = replace(limits, **{part: least})
    text = render(best)
    low, high = least, getattr(limits, part)
    while length(text) < MARKDOWN_LIMIT and high - low > 1:
        middle = (low + high) // 2
        tried = replace(limits, **{part: middle})
        longer = render(tried)
        if length(longer) < MARKDOWN_LIMIT:
            low, best, text = middle, tried, longer
        else:
            high = middle
    return best, text
