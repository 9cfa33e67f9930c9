"""One rule in plain text: for `tollgate policy explain`."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from datetime import date
from difflib import get_close_matches
from typing import Any

from tollgate.errors import TollgateError
from tollgate.policy.controls import Book
from tollgate.policy.cross import CrossRule
from tollgate.policy.exceptions import Register
from tollgate.policy.pack import Pack
from tollgate.policy.sentinels import UNKNOWN
from tollgate.policy.stack import Example, Ref
from tollgate.policy.statement import Rule

UNKNOWN_MEANS = (
    "A value that is not known until the change runs is a violation at the rule's own level: it begins with "
    "'Cannot be shown at preview'."
)
MISSING_MEANS = "What is left out fails, unless the provider's own value stands in for it."
CROSS_UNKNOWN_MEANS = (
    "A reference that is not known yet is followed to the resource that its value comes from. Where that cannot be "
    "told, it is a violation at the rule's own level: it begins with 'Cannot be shown at preview'."
)
WIDTH = 110


def find_rule(pack: Pack, rule_id: str) -> Rule | CrossRule:
    """The rule of that id. Raises TollgateError that names the nearest one."""
    found = {rule.id: rule for rule in pack.statements}
    if rule_id in found:
        return found[rule_id]
    near = get_close_matches(rule_id, found, n=1)
    guess = f" Did you mean {near[0]}?" if near else ""
    raise TollgateError(f"There is no rule {rule_id}.{guess}", advice="tollgate policy list shows all of them")


def explained(rule: Rule | CrossRule, book: Book, register: Register, today: date) -> str:
    """The text, with the exceptions in force on a day."""
    lines = [
        f"{rule.id}  ({rule.severity.value}: {'stops the change' if rule.mandatory else 'advises'})",
        "",
        *textwrap.wrap(rule.why, WIDTH),
        "",
        f"To fix: {rule.fix}.",
        "",
        *_block("Judges", rule.types),
        *(_block("Looks for", rule.reads) if isinstance(rule, CrossRule) else ()),
        *_block("Serves", tuple(_control(each, book) for each in rule.controls)),
        *_meaning(rule),
        *_examples(rule),
        *_exceptions(rule, register, today),
    ]
    return "\n".join(lines).rstrip()


def _block(title: str, lines: tuple[str, ...]) -> list[str]:
    return [f"{title}:", *(f"  {line}" for line in lines), ""] if lines else []


def _control(control_id: str, book: Book) -> str:
    control = book.control(control_id)
    return f"{control_id}: {control.title}" if control else f"{control_id}: not in the book of controls"


def _meaning(rule: Rule | CrossRule) -> Iterator[str]:
    if isinstance(rule, CrossRule):
        yield from textwrap.wrap(CROSS_UNKNOWN_MEANS, WIDTH)
        if rule.note:
            yield from textwrap.wrap(rule.note, WIDTH)
    else:
        yield from textwrap.wrap(UNKNOWN_MEANS, WIDTH)
        yield MISSING_MEANS
        for path, value in rule.defaults.items():
            said = "nothing to check" if value is None else f"counts as {json.dumps(value)}"
            yield f"  {path} left out: {said}"
    yield ""


def _examples(rule: Rule | CrossRule) -> Iterator[str]:
    if isinstance(rule, Rule):
        yield from (f"Passes:  {json.dumps(rule.good)}", f"Fails:   {json.dumps(rule.bad)}", "")
        return
    named = (("Passes", rule.good), ("Fails", rule.bad), ("Cannot be shown", rule.unknown), ("Fails", rule.missing))
    for title, example in named:
        yield f"{title}:"
        yield from (f"  {line}" for line in example_lines(example))
        yield ""


def example_lines(example: Example) -> Iterator[str]:
    """A set of resources, one a line; a reference is written as <its name>."""
    for name, (kind, inputs) in example.items():
        yield f"{name}  {kind}  {json.dumps(_written(inputs), ensure_ascii=False)}"


def _written(value: Any) -> Any:
    if isinstance(value, Ref):
        return f"<{value.name}>"
    if isinstance(value, dict):
        return {key: _written(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_written(item) for item in value]
    return "<not known yet>" if value == UNKNOWN else value


def _exceptions(rule: Rule | CrossRule, register: Register, today: date) -> Iterator[str]:
    found = [waiver for waiver in register.exceptions if waiver.rule == rule.id and not waiver.ended(today)]
    yield "Exceptions in force:" if found else "Exceptions in force: none"
    for waiver in found:
        yield f"  {waiver.resource}"
        yield f"    until {waiver.expires}; {waiver.owner} answers for it, {waiver.approver} agreed"
        yield f"    why: {waiver.reason} Instead: {waiver.instead}"
