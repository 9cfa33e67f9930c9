"""Writes the draft of an exception. Only a person can make it valid."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from difflib import get_close_matches
from pathlib import Path

import yaml

from tollgate.errors import Problem, TollgateError
from tollgate.policy.exceptions import FILE, read_register, too_wide

_HEAD = """most_resources: 1 # of a stack, that one exception may cover
longest_days: 180 # from created to expires
approvers: [] # who may agree to an exception; never its owner
exceptions: []
"""
_DRAFT = """  - rule: {rule}
    resource: {resource}
    owner: # who answers for it
    reason: # why the rule cannot be kept, in a sentence
    approver: # one of the approvers above, and not the owner
    created: {created}
    expires: # the last day on which it holds, {latest} at the latest
    instead: # what keeps people safe meanwhile, in a sentence
"""


def write_draft(folder: Path, rule: str, resource: str, rules: Collection[str], today: date) -> str:
    """Add a draft to the register; return ``file:line`` of it. What stands there, comments and all, stays as it is.

    Raises TollgateError when there is no such rule, the resource is too wide, or the register cannot be read.
    """
    problems = [Problem("RESOURCE", text) for text in too_wide(resource)]
    if rule not in rules:
        near = get_close_matches(rule, rules, n=1)
        problems.append(Problem("RULE", f"no rule {rule}" + (f"; did you mean {near[0]}?" if near else "")))
    if problems:
        raise TollgateError("No draft was written.", problems)
    file = folder / FILE
    longest = read_register(folder).longest_days
    text = file.read_text(encoding="utf-8") if file.exists() else _HEAD
    before = _list_is_last(text, file)
    draft = _DRAFT.format(
        rule=rule,
        resource=yaml.safe_dump(resource, width=10_000).partition("\n")[0],
        created=today,
        latest=today + timedelta(days=longest),
    )
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{before}{draft}", encoding="utf-8")
    return f"{file}:{before.count(chr(10)) + 1}"


def _list_is_last(text: str, file: Path) -> str:
    """The text up to where the next exception belongs. The list must be the last key, so that adding is appending."""
    lines = text.rstrip("\n").split("\n")
    if lines[-1].split("#")[0].strip() == "exceptions: []":
        return "\n".join([*lines[:-1], "exceptions:"]) + "\n"
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    last = root.value[-1] if isinstance(root, yaml.MappingNode) and root.value else (None, None)
    if last[0] is None or last[0].value != "exceptions" or getattr(last[1], "flow_style", True):
        raise TollgateError(
            f"{file} cannot take a draft.", advice="make `exceptions:` its last key, with one exception below the other"
        )
    return "\n".join(lines) + "\n"
