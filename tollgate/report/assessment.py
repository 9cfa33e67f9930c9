"""The outputs of ``tollgate assess``: one versioned document for programs, plain text for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from tollgate.assess.model import (
    Assessment,
    Checks,
    Counts,
    Disproven,
    FactRow,
    Finding,
    Impact,
    Scanned,
    Unknown,
    Waived,
)
from tollgate.gate.model import Decision, Verdict
from tollgate.plan.model import Frozen
from tollgate.report.appendix import lay_out
from tollgate.report.checked import waived_sentence
from tollgate.report.money import amounts
from tollgate.report.parts import phrase, quote
from tollgate.report.people import people
from tollgate.report.phrases import Words, load_words
from tollgate.report.risk import BANDS
from tollgate.report.sections import SEVERITIES, changes_sentence, severity_sentence
from tollgate.report.text import readable
from tollgate.report.timing import timing
from tollgate.report.unknowns import is_quiet, points
from tollgate.report.way_back import way_back_in_words

_WORDS = {
    "routine": phrase("review_routine"),
    "review": phrase("review_review"),
    "stop": phrase("review_stop"),
}


class Review(Frozen):
    """What a change means, for a program: ``verdict`` is routine (exit 0), review (exit 3) or stop (exit 2).

    ``schema_version`` grows when a field goes away or changes its meaning; new fields may come without it.
    """

    schema_version: Literal["1"]
    verdict: Literal["routine", "review", "stop"]
    project: str
    stack: str
    facts_digest: str = Field(description="sha256 of the canonical facts of the plan")
    facts: tuple[FactRow, ...] = Field(description="what people approve, one by one")
    counts: Counts
    findings: tuple[Finding, ...] = Field(description="worst first")
    unknowns: tuple[Unknown, ...] = Field(description="what could not be told; never a pass")
    disproven: tuple[Disproven, ...] = Field(description="dangers that were looked for in vain, one a rule")
    checks: Checks | None = Field(description="null: no policy pack ran, so nothing was checked by one")
    waived: tuple[Waived, ...] = Field(description="violations under an exception of the project's register")
    scan: Scanned | None = Field(description="null: checkov was left out, or is not asked about a plan alone")
    impact: Impact | None = Field(description="what follows for people, in time and money, and for the way back")
    notes: tuple[str, ...] = Field(description="limits of this plan, one sentence each")


def review(verdict: Verdict, assessment: Assessment) -> Review:
    """The document for a verdict on an assessment."""
    shared = set(Review.model_fields) - {"verdict"}
    return Review.model_validate(
        {"verdict": verdict.review_word, **{name: getattr(assessment, name) for name in shared}}
    )


def assess_json(decision: Decision) -> dict[str, Any]:
    """The document as plain JSON values."""
    return review(decision.verdict, decision.assessment).model_dump(mode="json")


def schema_text() -> str:
    """The JSON Schema of the document, as kept in docs/reference/assessment.schema.json."""
    schema = Review.model_json_schema(mode="serialization")
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Tollgate assessment",
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def assess_text(decision: Decision, words: Words | None = None) -> str:
    """Plain text, no colours: the verdict line, the changes, findings worst first, unknowns, the digest."""
    words = words or load_words()
    assessment = decision.assessment
    line = phrase(
        "verdict_line", word=_WORDS[decision.verdict.review_word], headline=quote(readable(decision.headline))
    )
    blocks = [
        [words.say(line)],
        [words.say(changes_sentence(assessment)), words.say(severity_sentence(assessment))],
        list(_follows(assessment, words)),
        [text for finding in assessment.findings for text in _finding_lines(finding, words)],
        [words.say(waived_sentence(waived)) for waived in assessment.waived],
        [words("title_unknown"), *(f"  {sentence}" for sentence in _unknown_lines(assessment, words))],
        [f"{words('made_digest')}  {readable(assessment.facts_digest)}"],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _follows(assessment: Assessment, words: Words) -> Iterator[str]:
    """Class, risk, who notices and for how long, the engine's time, money, the way back: in the report's sentences."""
    impact = assessment.impact
    if impact is None or is_quiet(assessment):
        return
    appendix = lay_out(assessment)
    yield readable(impact.classified.sentence)
    yield words.say(phrase("risk_band", band=BANDS[impact.risk.band], n=impact.risk.points))
    noticed = people(impact, appendix)
    yield from (words.say(statement.said) for statement in noticed.statements)
    for row in (row for table in noticed.tables for row in table.rows):
        yield f"  {'; '.join(words.say(cell) for cell in row.cells)}"
    for statement in (*timing(impact, appendix).statements, *amounts(impact.cost, appendix)):
        if not statement.open:
            yield words.say(statement.said)
    yield words.say(way_back_in_words(impact).said)


def _finding_lines(finding: Finding, words: Words) -> list[str]:
    severity = words.say(SEVERITIES[finding.severity]).upper()
    lines = [f"{severity}  {readable(finding.sentence)}  ({readable(finding.rule)})"]
    if finding.fix:
        lines.append("    " + words("finding_fix", fix=readable(finding.fix)))
    return lines


def _unknown_lines(assessment: Assessment, words: Words) -> list[str]:
    known = [readable(point.sentence) for point in points(assessment)] or [words("unknowns_none")]
    return known + [readable(note) for note in assessment.notes]


if __name__ == "__main__":
    print(schema_text(), end="")
