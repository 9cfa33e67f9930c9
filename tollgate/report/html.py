"""The report as one HTML page that needs nothing else: no network, no script, no font file."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from markupsafe import Markup

from tollgate.report.model import Report
from tollgate.report.phrases import Words, load_words
from tollgate.report.sections import SEVERITIES

if TYPE_CHECKING:
    from jinja2 import Environment

BAR_WIDTH = 240  # user units of the drawing; the page scales it


def render_html(report: Report, words: Words | None = None) -> str:
    """The page. Everything that came from outside is escaped by the template engine."""
    words = words or load_words()
    most = max(count for _, count in report.severities)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            words=words,
            say=words.say,
            severity={severity.value: name for severity, name in SEVERITIES.items()},
            bars=[(severity, count, _bar(count, most)) for severity, count in report.severities],
        )
    )


def _bar(count: int, most: int) -> int:
    """Length of a bar, from zero; whatever is there can be seen."""
    return max(2, round(BAR_WIDTH * count / most)) if count else 0


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  (0.1 s that only a page needs)

    environment = Environment(
        loader=PackageLoader("tollgate.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = resources.files("tollgate.report").joinpath("templates", "report.css").read_text("utf-8")
    environment.globals["style"] = Markup(style)  # noqa: S704  (our own file, with nothing put in)
    return environment
