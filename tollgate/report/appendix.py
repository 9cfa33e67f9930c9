"""The appendix: every resource and rule that the report speaks of, each with an anchor to point to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tollgate.assess.model import Assessment, ChangedResource, Finding, Impact
from tollgate.assess.naming import subject_of_urn
from tollgate.books.lines import SourceLine
from tollgate.plan.model import Op
from tollgate.report.parts import Link, Phrase, ResourceRow, RuleRow, SourceRow, phrase, quote
from tollgate.report.text import clean, readable, urn_name, urn_type

# Places that every report has.
RESOURCES = Link(anchor="resources", label=phrase("see_resources"))
RULES = Link(anchor="rules", label=phrase("see_rules"))
MADE = Link(anchor="made", label=phrase("see_made"))
SCOPE = Link(anchor="scope", label=phrase("see_scope"))

_OPS: Mapping[str, Phrase] = {
    Op.SAME: phrase("op_same"),
    Op.CREATE: phrase("op_create"),
    Op.UPDATE: phrase("op_update"),
    Op.REPLACE: phrase("op_replace"),
    Op.DELETE: phrase("op_delete"),
    Op.READ: phrase("op_read"),
    Op.REFRESH: phrase("op_refresh"),
    Op.IMPORT: phrase("op_import"),
    Op.DISCARD: phrase("op_discard"),
}


@dataclass(frozen=True)
class Appendix:
    """The rows, and the way to the row of a URN or a rule as the assessment spells them."""

    resources: tuple[ResourceRow, ...]
    rules: tuple[RuleRow, ...]
    sources: tuple[SourceRow, ...]
    by_urn: Mapping[str, Link]
    by_rule: Mapping[str, Link]
    by_source: Mapping[SourceLine, Link]

    def of_urn(self, urn: str) -> Link:
        """The row of a resource; the whole table when the sentence is about no single one."""
        return self.by_urn.get(urn, RESOURCES)

    def of_source(self, source: SourceLine) -> Link:
        """The line of a book."""
        return self.by_source[source]

    def name_of(self, urn: str) -> Phrase:
        """What a resource is called."""
        return quote(readable(subject_of_urn(urn)))

    def of_finding(self, finding: Finding) -> tuple[Link, ...]:
        """The rule, after the resource when the finding has one."""
        rule = self.by_rule[finding.rule]
        return (self.by_urn[finding.urn], rule) if finding.urn else (rule,)


def lay_out(assessment: Assessment) -> Appendix:
    """Number the rows: changed resources in the plan's order, then others that a sentence speaks of."""
    resources = tuple(_resource_rows(assessment))
    rules = tuple(_rule_rows(assessment))
    urns = [resource.urn for resource in _resources(assessment)]
    lines = tuple(_source_lines(assessment.impact)) if assessment.impact else ()
    return Appendix(
        resources,
        rules,
        tuple(map(_source_row, lines, range(1, len(lines) + 1))),
        {
            urn: Link(anchor=row.anchor, label=phrase("see_resource", number=row.number))
            for urn, row in zip(urns, resources, strict=True)
        },
        {
            rule: Link(anchor=row.anchor, label=phrase("see_rule", rule=row.rule))
            for rule, row in zip(_first_findings(assessment), rules, strict=True)
        },
        {
            line: Link(anchor=f"source-{number}", label=phrase("see_source", number=number))
            for number, line in enumerate(lines, start=1)
        },
    )


def _source_lines(impact: Impact) -> Iterator[SourceLine]:
    """Every line of a book that an effect, a time or a price comes from, once."""
    found = [effect.source for effect in impact.effects]
    found += [step.source for step in impact.duration.critical if step.source]
    found += [charge.price for row in impact.cost.resources for charge in row.charges if charge.price]
    yield from sorted(set(found), key=lambda line: (line.file, line.line, line.id))


def _source_row(line: SourceLine, number: int) -> SourceRow:
    return SourceRow(
        anchor=f"source-{number}",
        place=clean(f"{line.file}:{line.line} {line.id}"),
        source=readable(line.source),
    )


def _resources(assessment: Assessment) -> Iterator[ChangedResource]:
    seen = {resource.urn for resource in assessment.resources}
    yield from assessment.resources
    spoken_of = [item.urn for item in assessment.findings] + [item.urn for item in assessment.unknowns]
    spoken_of += [item.urn for item in assessment.waived]
    spoken_of += [item.urn for item in assessment.impact.unknown_effects] if assessment.impact else []
    for urn in dict.fromkeys(spoken_of):
        if urn and urn not in seen:
            yield ChangedResource(urn=urn, type=urn_type(urn), name=urn_name(urn), op=Op.SAME)


def _resource_rows(assessment: Assessment) -> Iterator[ResourceRow]:
    for number, resource in enumerate(_resources(assessment), start=1):
        yield ResourceRow(
            number=number,
            anchor=f"r-{number}",
            name=clean(resource.name),
            type=clean(resource.type),
            op=_OPS.get(resource.op) or phrase("op_unknown", op=clean(resource.op)),
            properties=tuple(map(clean, resource.properties)),
            replaced_because=tuple(map(clean, resource.replaced_because)),
            urn=clean(resource.urn),
        )


def _first_findings(assessment: Assessment) -> dict[str, Finding]:
    first: dict[str, Finding] = {}
    for finding in assessment.findings:
        first.setdefault(finding.rule, finding)
    return first


def _rule_rows(assessment: Assessment) -> Iterator[RuleRow]:
    times = Counter(finding.rule for finding in assessment.findings)
    for number, (rule, finding) in enumerate(_first_findings(assessment).items(), start=1):
        yield RuleRow(
            anchor=f"rule-{number}",
            rule=readable(rule),
            severity=finding.severity,
            why=readable(finding.why),
            fix=readable(finding.fix),
            findings=times[rule],
        )
