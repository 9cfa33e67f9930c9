"""The summary on a terminal: the decision in the first line, what is behind it, and where the files are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tollgate.gate.model import Verdict
from tollgate.policy.severity import Severity
from tollgate.report.model import WHOLE_REPORT, Report
from tollgate.report.parts import Section, SectionName
from tollgate.report.phrases import Words, load_words
from tollgate.report.sections import SEVERITIES

WAIVED = "checks_waived_one"  # the phrase of a violation under an exception; none of them is ever cut
ROWS = 10  # findings, and things not known, that fit on one screen with the rest
_VERDICTS = {Verdict.ALLOW: "bold green", Verdict.WAIT: "bold yellow", Verdict.DENY: "bold red"}
_SEVERITIES = {Severity.CRITICAL: "bold red", Severity.HIGH: "bold", Severity.MEDIUM: "", Severity.LOW: "dim"}


def print_summary(report: Report, files: Sequence[Path] = (), *, console: Console | None = None) -> None:
    """Print the summary, by default on standard output. Colours and width follow the terminal."""
    (console or Console(highlight=False)).print(summary(report, files))


def print_line(report: Report, stack: str, *, console: Console | None = None) -> None:
    """Print one stack's verdict on a line, for a run over all of them."""
    line = Text(f"{stack}  ").append(load_words().say(report.line), style=_VERDICTS[report.verdict])
    (console or Console(highlight=False, soft_wrap=True)).print(line)


def summary(report: Report, files: Sequence[Path] = (), words: Words | None = None) -> RenderableType:
    """The summary as something rich can print. All text goes in as ``Text``, so no name is read as markup."""
    return Group(*_parts(report, files, words or load_words()))


def _parts(report: Report, files: Sequence[Path], words: Words) -> Iterator[RenderableType]:
    said = {section.name: section for section in report.sections}
    whole = files[0].name if files else WHOLE_REPORT
    yield Text(words.say(report.line), style=_VERDICTS[report.verdict])
    yield Text(words.say(report.engine))
    yield Text()
    yield _glance(report, words)
    yield Text()
    yield from (Text(words.say(statement.said)) for statement in said[SectionName.SUMMARY].statements)
    if report.findings:
        yield from _title(said[SectionName.RISK], words)
        yield _findings(report, words)
        yield from _more(len(report.leading) - ROWS, whole, words)
    waived = [each for each in said[SectionName.CHECKS].statements if each.said.key == WAIVED]
    if waived:
        yield from _title(said[SectionName.CHECKS], words)
        yield from (Padding(Text(words.say(each.said)), (0, 0, 0, 2)) for each in waived)
    yield from _title(said[SectionName.UNKNOWN], words)
    unknown = said[SectionName.UNKNOWN].statements
    for statement in unknown[:ROWS]:
        yield Padding(Text(words.say(statement.said)), (0, 0, 0, 2))
    yield from _more(len(unknown) - ROWS, whole, words)
    if files:
        yield Text()
        yield Text(words("files"), style="bold")
        yield from (Text(f"  {path}", overflow="fold") for path in files)


def _glance(report: Report, words: Words) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column()
    for line in report.glance:
        for position, statement in enumerate(line.statements):
            label = "" if position else words.say(line.label)
            grid.add_row(Text(label), Text(words.say(statement.said), style="dim" if statement.open else ""))
    return grid


def _findings(report: Report, words: Words) -> Table:
    grid = Table.grid(padding=(0, 2))
    for found in report.leading[:ROWS]:
        severity = words.say(SEVERITIES[found.severity]).upper()
        grid.add_row(Text(f"  {severity}", style=_SEVERITIES[found.severity]), Text(words.say(found.said.said)))
        if found.fix:
            grid.add_row(Text(), Text(words("finding_fix", fix=found.fix), style="dim"))
        if found.alike:
            grid.add_row(Text(), Text(words("finding_alike", n=found.alike), style="dim"))
    return grid


def _title(section: Section, words: Words) -> Iterator[Text]:
    yield Text()
    yield Text(words.say(section.title), style="bold")


def _more(count: int, whole: str, words: Words) -> Iterator[Text]:
    if count > 0:
        yield Text("  " + words("more", n=count, file=whole), style="dim")
