"""A page per rule and the control matrix, from the statements: docs/reference/policies/."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.components.recording import ROOT, STACKS, config_of, run
from tollgate.policy.cel import CannotBeSaidError, expression
from tollgate.policy.controls import Book, read_book
from tollgate.policy.cross import CrossRule
from tollgate.policy.load import load_pack
from tollgate.policy.pack import Pack
from tollgate.policy.statement import Rule
from tollgate.report.rules.explain import (
    CROSS_UNKNOWN_MEANS,
    MISSING_MEANS,
    UNKNOWN_MEANS,
    example_lines,
)

FOLDER = ROOT / "docs" / "reference" / "policies"
GENERATED = "<!-- Written by `python -m tests.reference`, from the rules themselves. Do not edit. -->\n"
Met = Mapping[str, frozenset[str]]
"""By stack, the types of the resources that it declares."""


def pages() -> dict[str, str]:
    """The text of each file by name."""
    pack, book, met = load_pack(ROOT / "policies"), read_book(ROOT / "policies" / "register"), types_met()
    made = {f"{rule.id}.md": page(rule, book) for rule in pack.statements}
    matrix = rows(pack, book, met)
    return {
        **made,
        "README.md": overview(pack),
        "controls.md": controls_page(pack, book, met, matrix),
        "controls.json": json.dumps(matrix, indent=2) + "\n",
    }


@functools.cache
def types_met() -> Met:
    """What each of our stacks declares."""
    return {stack: frozenset(made.type for made in run(stack, config_of(stack)).resources) for stack in STACKS}


def overview(pack: Pack) -> str:
    """All rules, worst first."""
    found = sorted(pack.statements, key=lambda rule: (-rule.severity.rank, rule.id))
    lines = [
        f"| [{rule.id}]({rule.id}.md) | {rule.severity.value} | {cell(rule.why)} | {', '.join(rule.controls)} |"
        for rule in found
    ]
    return (
        f"{GENERATED}# Policies\n\nRules of severity critical and high stop a change; medium and low ones advise. "
        "[The control matrix](controls.md) says which outside rules they serve. How to "
        "[add a rule](../../how-to/add-a-rule.md), how to [make an exception](../../how-to/make-an-exception.md).\n\n"
        "| rule | severity | why | serves |\n|---|---|---|---|\n" + "\n".join(lines) + "\n"
    )


def page(rule: Rule | CrossRule, book: Book) -> str:
    """All that can be said of one rule."""
    level = "stops the change" if rule.mandatory else "advises"
    return "\n".join(
        [
            f"{GENERATED}# {rule.id}\n",
            f"{rule.why}\n",
            f"Severity **{rule.severity.value}**: {level}. Stated in [{source(rule)}](../../../{source(rule)}).\n",
            f"**To fix:** {rule.fix}.\n",
            "## What it looks at\n",
            *(f"- `{kind}`" for kind in rule.types),
            "",
            *beside(rule),
            *serves(rule, book),
            *meaning(rule),
            *examples(rule),
            *admission(rule),
        ]
    )


def source(rule: Rule | CrossRule) -> str:
    return Path(inspect.getfile(rule.judge)).relative_to(ROOT).as_posix()


def beside(rule: Rule | CrossRule) -> list[str]:
    if not isinstance(rule, CrossRule):
        return []
    return ["and, beside it:\n", *(f"- `{kind}`" for kind in rule.reads), ""]


def serves(rule: Rule | CrossRule, book: Book) -> list[str]:
    if not rule.controls:
        return []
    titles = [(control, book.control(control)) for control in rule.controls]
    return ["## What it serves\n", *(f"- {control}: {found.title if found else '?'}" for control, found in titles), ""]


def meaning(rule: Rule | CrossRule) -> Iterator[str]:
    yield "## Unknown and missing\n"
    if isinstance(rule, CrossRule):
        yield CROSS_UNKNOWN_MEANS + "\n"
        yield from [f"{rule.note}\n"] if rule.note else []
        return
    yield f"{UNKNOWN_MEANS} {MISSING_MEANS}\n"
    for path in rule.later:
        yield f"- `{path}` not known yet: no violation; the engine asks again before it touches the resource"
    for path, value in rule.defaults.items():
        said = "there is nothing to check" if value is None else f"counts as `{json.dumps(value)}`"
        yield f"- `{path}` left out: {said}"
    if rule.later or rule.defaults:
        yield ""


def examples(rule: Rule | CrossRule) -> Iterator[str]:
    yield "## Examples\n"
    if isinstance(rule, CrossRule):
        sets = (("Passes", rule.good), ("Fails", rule.bad), ("Cannot be shown", rule.unknown), ("Fails", rule.missing))
        for title, example in sets:
            yield from (f"{title}:\n", "```", *example_lines(example), "```\n")
        return
    yield from shown("Passes", rule.good)
    yield from shown("Fails", rule.bad)
    for title, more in (("Passes", rule.also_good), ("Fails", rule.also_bad)):
        for name, inputs in more.items():
            yield from shown(f"{title}, {name}", inputs)


def shown(title: str, inputs: Any) -> Iterator[str]:
    yield from (f"{title}:\n", "```json", json.dumps(inputs, indent=2, default=list), "```\n")


def admission(rule: Rule | CrossRule) -> list[str]:
    """The rule as an admission policy would have it, or why it cannot be said so."""
    if isinstance(rule, CrossRule) or not all(token.startswith("kubernetes:") for token in rule.types):
        return []
    try:
        said = expression(rule)
    except CannotBeSaidError as error:
        return ["## As CEL\n", f"It cannot be said in CEL: {cell(str(error))}.\n"]
    kinds = ", ".join(f"`{kind}`" for kind in said.kinds)
    return ["## As CEL\n", f"For {kinds}; true where the rule holds:\n", "```", said.text, "```\n"]


def rows(pack: Pack, book: Book, met: Met) -> list[dict[str, Any]]:
    """The control matrix as data: only controls whose rules have something to judge in one of our stacks."""
    found = []
    for control_id in book.ids():
        rules = [rule for rule in pack.statements if control_id in rule.controls]
        judged = {
            stack: sorted({kind for rule in rules for kind in rule.types if kind in types})
            for stack, types in met.items()
        }
        evidence = {stack: types for stack, types in judged.items() if types}
        control = book.control(control_id)
        if rules and evidence and control:
            found.append(
                {
                    "control": control_id,
                    "standard": control.standard.name,
                    "version": control.standard.version,
                    "title": control.title,
                    "rules": [rule.id for rule in rules],
                    "judged": evidence,
                }
            )
    return found


def controls_page(pack: Pack, book: Book, met: Met, matrix: list[dict[str, Any]]) -> str:
    """The matrix for a reader, and what has no evidence."""
    parts = [
        f"{GENERATED}# Controls\n\nWhich outside rules our rules serve, and where each is judged today. A row stands "
        "here only when one of our stacks declares something that one of its rules judges; the same as data is in "
        "[controls.json](controls.json). `tollgate policy report` names each resource, and what the rules came to.\n"
    ]
    for key, standard in book.standards.items():
        of_standard = [row for row in matrix if row["control"].startswith(f"{key} ")]
        parts.append(f"## {standard.name} {standard.version}\n\nSource: {standard.source}.\n")
        parts.append("| control | what it asks, in our words | rules | judged in |\n|---|---|---|---|")
        for row in of_standard:
            links = ", ".join(f"[{rule}]({rule}.md)" for rule in row["rules"])
            parts.append(f"| {row['control']} | {cell(row['title'])} | {links} | {', '.join(row['judged'])} |")
        parts.append("")
    here = {row["control"] for row in matrix}
    idle = sorted({control for rule in pack.statements for control in rule.controls} - here)
    if idle:
        parts.append(
            "## Named by rules that have nothing to judge in our stacks\n\n"
            f"{', '.join(idle)}. Such a rule waits for the day that a team declares such a thing; it is no evidence.\n"
        )
    return "\n".join(parts)


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def written() -> dict[str, str]:
    """What the folder holds now."""
    return {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*") if file.is_file()}
