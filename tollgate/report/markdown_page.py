"""Draws the Markdown page within given limits. Says under each list what was left out of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tollgate.report.escape import code, escape_markdown, fence
from tollgate.report.model import Report
from tollgate.report.parts import Found, Phrase, Row, Section, SectionName, Statement, Table
from tollgate.report.phrases import Words
from tollgate.report.sections import SEVERITIES
from tollgate.report.text import clip

Item = TypeVar("Item")


@dataclass(frozen=True)
class Limits:
    """How much of each part is shown: rows of a list, or characters of one text."""

    text: int = 1_000
    properties: int = 50
    resources: int = 1_000
    rules: int = 1_000
    unknowns: int = 1_000
    findings: int = 1_000
    rows: int = 1_000
    sources: int = 1_000
    asks: int = 50


class Page:
    """One attempt to draw the page. Text from outside passes through ``say`` or ``code`` and nothing else."""

    def __init__(self, report: Report, words: Words, limits: Limits, whole: str) -> None:
        self.report = report
        self.words = words
        self.limits = limits
        self.whole = whole
        self.is_cut = False

    def text(self) -> str:
        """The page. The notice that it was cut comes right after the decision."""
        decision = list(self.decision())
        body = [line for section in self.report.sections[1:] for line in self.section(section)]
        notice = self.words("cut_notice" if self.is_cut else "whole_report", file=self.whole)
        return "\n".join([*decision, "", f"> {notice}", *body]).rstrip() + "\n"

    def say(self, phrase: Phrase) -> str:
        return escape_markdown(self.short(self.words.say(phrase)))

    def code(self, text: str) -> str:
        return code(self.short(text))

    def label(self, key: str) -> str:
        return escape_markdown(self.words(key))

    def short(self, text: str) -> str:
        shorter = clip(text, self.limits.text)
        self.is_cut |= shorter != text
        return shorter

    def first(self, rows: Sequence[Item], limit: int) -> Sequence[Item]:
        self.is_cut |= len(rows) > limit
        return rows[:limit]

    def left_out(self, rows: Sequence[object], limit: int) -> Iterator[str]:
        if len(rows) > limit:
            cut = self.words("cut_list", left=len(rows) - limit, n=len(rows), file=self.whole)
            yield from ("", f"_{cut}_")

    def evidence(self, statement: Statement | Row) -> str:
        links = self.first(statement.evidence, 3)
        return f"<sub>{', '.join(self.say(link.label) for link in links)}</sub>"

    def sentence(self, statement: Statement) -> str:
        said = self.say(statement.said)
        return said if statement.open else f"{said} {self.evidence(statement)}"

    def severity(self, found: Found) -> str:
        return f"**{self.say(SEVERITIES[found.severity])}**"

    def decision(self) -> Iterator[str]:
        yield f"## {self.say(self.report.line)}"
        yield ""
        for line in self.report.glance:
            said = [self.sentence(statement) for statement in self.first(line.statements, self.limits.asks)]
            if len(said) == 1:
                yield f"- **{self.say(line.label)}:** {said[0]}"
            else:
                yield f"- **{self.say(line.label)}:**"
                yield from (f"  - {text}" for text in said)
        yield ""
        yield self.say(self.report.engine)

    def section(self, section: Section) -> Iterator[str]:
        yield from ("", f"### {self.say(section.title)}", "")
        if section.name is SectionName.SUMMARY:
            yield " ".join(self.sentence(statement) for statement in section.statements)
        elif section.name is SectionName.UNKNOWN:
            yield from self.unknown(section)
        elif section.name is SectionName.APPENDIX:
            yield from self.appendix()
        else:
            for statement in section.statements:
                yield from (self.sentence(statement), "")
        for table in section.tables:
            yield from self.table(table)
        if section.name is SectionName.RISK:
            for number, found in enumerate(self.report.top, start=1):
                yield from self.found(number, found)
        elif section.name is SectionName.CHECKS:
            yield from self.checks()

    def table(self, table: Table) -> Iterator[str]:
        yield from (f"**{self.say(table.title)}**", "")
        yield self.row(*map(self.say, table.columns), self.label("column_evidence"))
        yield "|---" * (len(table.columns) + 1) + "|"
        for row in self.first(table.rows, self.limits.rows):
            yield self.row(*map(self.say, row.cells), self.evidence(row) if row.evidence else "")
        yield from (*self.left_out(table.rows, self.limits.rows), "")

    def unknown(self, section: Section) -> Iterator[str]:
        """Our own standing sentences come last and are never cut."""
        standing = [statement for statement in section.statements if statement.said.key != "quote"]
        told = [statement for statement in section.statements if statement.said.key == "quote"]
        shown = self.first(told, self.limits.unknowns)
        yield from (f"- {self.sentence(statement)}" for statement in (*shown, *standing))
        yield from self.left_out(told, self.limits.unknowns)

    def found(self, number: int, found: Found) -> Iterator[str]:
        yield f"{number}. {self.severity(found)} {self.sentence(found.said)}"
        if found.why:
            yield f"   - {escape_markdown(self.short(self.words('finding_why', why=found.why)))}"
        if found.fix:
            yield f"   - {escape_markdown(self.short(self.words('finding_fix', fix=found.fix)))}"
        if found.alike:
            yield f"   - {self.words('finding_alike', n=found.alike)}"
        for proof in self.first(found.proof, self.limits.properties):
            yield f"   - {self.code(self.words.say(proof))}"

    def checks(self) -> Iterator[str]:
        checks, findings = self.report.checks, self.report.findings
        if checks:
            keys = ("checks_passed", "checks_failed", "checks_waived", "checks_not_shown")
            numbers = (checks.passed, checks.failed, checks.waived, checks.not_evaluated)
            yield self.row(*map(self.label, keys))
            yield "|--:|--:|--:|--:|"
            yield from (self.row(*(f"{number:,}" for number in numbers)), "")
        if findings:
            yield from (f"**{self.label('findings_table')}**", "")
            yield self.row(*map(self.label, ("column_severity", "column_found", "column_evidence")))
            yield "|---|---|---|"
            for found in self.first(findings, self.limits.findings):
                yield self.row(self.severity(found), self.say(found.said.said), self.evidence(found.said))
            yield from self.left_out(findings, self.limits.findings)

    def appendix(self) -> Iterator[str]:
        yield from self.folded("made_title", self.made())
        yield from self.folded("rules_title", self.rules())
        yield from self.folded("resources_title", self.resources())
        if self.report.sources:
            yield from self.folded("sources_title", self.sources())

    def folded(self, title: str, lines: Iterator[str]) -> Iterator[str]:
        yield from (f"<details><summary>{self.label(title)}</summary>", "")
        yield from lines
        yield from ("", "</details>", "")

    def made(self) -> Iterator[str]:
        subject, words = self.report.subject, self.words
        clouds = "made_clouds_stand_ins" if subject.stand_ins else "made_clouds_real"
        yield f"- {self.label('made_project')}: {self.code(subject.project)}"
        yield f"- {self.label('made_stack')}: {self.code(subject.stack)}"
        version = self.short(words("made_version", version=subject.engine_version))
        yield f"- {self.label('made_engine')}: {escape_markdown(version)}"
        yield f"- {self.label('made_clouds')}: {self.label(clouds)}"
        yield f"- {self.label('made_at')}: {escape_markdown(words.moment(subject.generated_at))}"
        times = [
            self.short(words("made_duration", name=stage.name, seconds=stage.seconds))
            for stage in self.first(subject.durations, 10)
        ]
        if times:
            yield f"- {self.label('made_durations')}: {escape_markdown(words('list_comma').join(times))}"
        yield f"- {self.label('made_digest')}: {self.code(self.report.facts_digest)}"
        yield f"- {self.label('made_repeat')}:"
        yield from (
            "",
            fence(self.short(subject.repeat)) if subject.repeat else self.label("made_repeat_none"),
        )
        yield from ("", self.label("made_verify"), "", self.label("made_scope"))

    def rules(self) -> Iterator[str]:
        rows = self.report.rules
        if not rows:
            yield self.label("rules_none")
            return
        for row in self.first(rows, self.limits.rules):
            severity = self.say(SEVERITIES[row.severity])
            yield f"- {self.code(row.rule)}, {severity}, {self.label('column_times')}: {row.findings:,}"
            for key, value in (("finding_why", row.why), ("finding_fix", row.fix)):
                if value:
                    yield f"  - {escape_markdown(self.short(self.words(key, **{key[8:]: value})))}"
        yield from self.left_out(rows, self.limits.rules)

    def resources(self) -> Iterator[str]:
        rows = self.report.resources
        if not rows:
            yield self.label("resources_none")
            return
        columns = ("column_number", "column_resource", "column_change", "column_properties", "column_urn")
        yield self.row(*map(self.label, columns))
        yield "|--:|---|---|---|---|"
        for row in self.first(rows, self.limits.resources):
            properties = [self.code(path) for path in self.first(row.properties, self.limits.properties)]
            if row.replaced_because:
                because = self.words("list_comma").join(self.first(row.replaced_because, self.limits.properties))
                said = self.short(self.words("replaced_because", properties=because))
                properties.append(escape_markdown(said))
            name = f"{escape_markdown(self.short(row.name))} {self.code(row.type)}"
            yield self.row(str(row.number), name, self.say(row.op), ", ".join(properties), self.code(row.urn))
        yield from self.left_out(rows, self.limits.resources)

    def sources(self) -> Iterator[str]:
        rows = self.report.sources
        yield from (self.label("sources_about"), "")
        for number, row in enumerate(self.first(rows, self.limits.sources), start=1):
            yield f"{number}. {self.code(row.place)} {escape_markdown(self.short(row.source))}"
        yield from self.left_out(rows, self.limits.sources)

    def row(self, *cells: str) -> str:
        return f"| {' | '.join(cells)} |"
