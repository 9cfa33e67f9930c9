"""The page of the operation rules, from the rules, their lines and examples: docs/reference/operation-rules.md."""

from __future__ import annotations

from collections.abc import Iterator

from tests.assess.guard_examples import examples
from tests.assess.rule_examples import PAIRS, look, of
from tests.components.recording import ROOT
from tollgate.assess.rule import PlanRule, StepRule
from tollgate.assess.rules import PLAN_RULES, STEP_RULES
from tollgate.books.guards import Danger, Guard, guard_book
from tollgate.policy.severity import Severity

PAGE = ROOT / "docs" / "reference" / "operation-rules.md"
_HEAD = """<!-- Written by `python -m tests.reference`, from the rules themselves. Do not edit. -->
# Operation rules

{count} rules look at what a change does: at one step of the plan, or at the whole of it with the state before.
{lines} of what they look for are lines of a book (`tollgate/books/guards.yaml`), each with its source.

- **critical** stops the change, **high** and **medium** put it to review, **low** is advice.
- A value that is not known before the change runs is put to review, never passed. A missing one is what the provider
  makes of it.
- What was looked for and not found is told, too ("we looked for …; it is fine, because …").
- `tests/assess/test_every_rule.py` shows for every rule and every line that it fires, that its harmless twin does not,
  and what unknown and missing values do. How well the rules do on labelled changes is [measured](benchmark.md).

| rule | severity | looks at | why |
|---|---|---|---|
"""
_IN_WORDS = {
    Danger.OFF: "is no longer on",
    Danger.ON: "is turned on",
    Danger.LOWER: "falls",
    Danger.HIGHER: "rises",
    Danger.LIMITED: "falls, or is set where there was none",
    Danger.REMOVED: "is taken away",
    Danger.ADDED: "is there that was not",
    Danger.BECOMES: "becomes {values}",
    Danger.LEAVES: "is no longer {values}",
    Danger.GAINS: "gains {values}",
    Danger.LOSES: "loses something",
    Danger.CHANGES: "is another one",
    Danger.DELETED: "is deleted",
}


def page() -> str:
    """The whole page."""
    rules = _rules()
    rows = "".join(_row(name, several) for name, several in rules.items())
    lines = len(guard_book().guards)
    return (
        _HEAD.format(count=len(rules), lines=lines)
        + rows
        + "".join(_section(name, several) for name, several in rules.items())
    )


def _rules() -> dict[str, list[StepRule | PlanRule]]:
    found: dict[str, list[StepRule | PlanRule]] = {}
    for rule in (*STEP_RULES, *PLAN_RULES):
        found.setdefault(rule.id, []).append(rule)
    return dict(sorted(found.items()))


def _row(name: str, rules: list[StepRule | PlanRule]) -> str:
    return f"| [`{name}`](#{name}) | {_severities(name, rules)} | {_looks_at(name, rules)} | {_cell(rules[0].why)} |\n"


def _severities(name: str, rules: list[StepRule | PlanRule]) -> str:
    """The rule's severity, and the worst of its lines where that is another one."""
    own = rules[0].severity
    worst = max(
        (s for guard in _guards(name) for s in (guard.severity, guard.at_zero) if s), key=lambda s: s.rank, default=own
    )
    return f"{own.value}, up to {worst.value}" if worst.rank > own.rank else own.value


def _looks_at(name: str, rules: list[StepRule | PlanRule]) -> str:
    count = len(_guards(name))
    what = "the whole change" if isinstance(rules[0], PlanRule) else "a step"
    return f"{count} {'line' if count == 1 else 'lines'} of the book" if count else what


def _guards(name: str) -> list[Guard]:
    return [guard for guard in guard_book().guards if guard.rule == name]


def _section(name: str, rules: list[StepRule | PlanRule]) -> str:
    what = [(rule.look.__doc__ or "").split("\n\n")[0].strip() for rule in rules if rule.look.__doc__]
    said = " ".join(" ".join(text.split()) for text in what)
    parts = [f"\n## {name}\n", f"{said}\n" if said else "", f"{rules[0].why} **What to do:** {rules[0].fix}.\n"]
    guards = _guards(name)
    parts.append(f"> {_example(name)}\n")
    if guards:
        parts += [
            "| of | what | is dangerous when it | severity | source |\n|---|---|---|---|---|\n"
            + "".join(_line(guard, rules[0].severity) for guard in guards)
        ]
    return "\n".join(part for part in parts if part)


def _example(name: str) -> str:
    """What the rule says of its example."""
    guards = _guards(name)
    change = of(examples(guards[0]).dangerous) if guards else PAIRS[name].dangerous
    found = look(change).findings
    return next(finding.sentence for finding in found if finding.rule == name)


def _line(guard: Guard, shared: Severity) -> str:
    types = ", ".join(f"`{token}`" for token in guard.types)
    what = f"`{guard.path}`" + (f" of `{guard.item}`" if guard.item else "") if guard.path else "the resource"
    severity = (guard.severity or shared).value + (f", {guard.at_zero.value} at zero" if guard.at_zero else "")
    return (
        f"| {_cell(types)} | {_cell(what)} | {_cell(' '.join(_danger(guard)))} | {severity} | {_cell(guard.source)} |\n"
    )


def _danger(guard: Guard) -> Iterator[str]:
    yield _IN_WORDS[guard.danger].format(values=" or ".join(f"`{value}`" for value in guard.values))
    if guard.below is not None:
        yield f"below {guard.below:g}"
    if guard.share is not None:
        yield f"to less than {guard.share:.0%}"
    if guard.by is not None:
        yield f"by {guard.by:g} or more"
    if guard.times is not None:
        yield f"to {guard.times:g} times as much or more"
    if guard.default is not None:
        yield f"(left out: `{str(guard.default).lower()}`)"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
