"""docs/reference/settings/: each setting, what a change of it touches, and whether that replaces anything."""

from __future__ import annotations

import json
from collections import Counter
from fnmatch import fnmatchcase
from itertools import groupby
from typing import Any

from components.platform import PaymentPlatform
from tests.components.planning import Touch
from tests.components.recording import ROOT
from tests.reference.changes import Change, changes
from tests.reference.reviewed import NO_EFFECT, REACH, WHY
from tests.reference.walk import ONE_MORE, written
from tollgate.books.stateful import Holds, holding

FOLDER = ROOT / "docs" / "reference" / "settings"
GENERATED = "<!-- Written by `python -m tests.reference`, from the program itself. Do not edit. -->\n"
# More resources than this are told as a count per component; more properties are cut.
MOST_NAMED = 4
MOST_PROPERTIES = 3
LONGEST_VALUE = 44
SAID = {"replace": "**replaces**", "delete": "**takes away**", "update": "updates", "create": "makes"}


def pages() -> dict[str, str]:
    """The text of each page by file name."""
    made = {"README.md": readme()}
    for target, found in groupby(changes(), key=lambda change: change.base.target):
        made[f"{target}.md"] = page(target, list(found))
    return made


def page(target: str, found: list[Change]) -> str:
    """One target: a table per part of the settings, and again for each variant of the stack."""
    parts = [f"{GENERATED}# What each setting touches on {target}\n"]
    for base, of_base in groupby(found, key=lambda change: change.base):
        parts.append(f"## {base.title}\n\nTried on the stack `{base.stack}`{base.told}.\n")
        for key, rows in groupby(of_base, key=lambda change: change.setting.path[0]):
            head = f"### {key}\n\n| setting | from → to | touches |\n|---|---|---|\n"
            parts.append(head + "".join(map(row, rows)))
    return "\n".join(parts)


def row(change: Change) -> str:
    tried = "" if change.refused else f"{shown(change.setting.value)} → {shown(change.value)}"
    if change.setting.path[-1] == ONE_MORE and not change.refused:
        tried = f"+ {', '.join(f'`{name}`' for name in change.value if name not in change.setting.value)}"
    return f"| `{change.setting.dotted}` | {tried} | {effect(change)} |\n"


def effect(change: Change) -> str:
    """What happens, as a sentence without a subject."""
    if change.outcome is None:
        return f"not here: {cell(change.refused or '')}"
    said = [f"{word} {things(change, op)}" for op, word in SAID.items() if of(change, op)]
    if guards := of(change, "guards"):
        said.append(f"changes what guards {things(change, 'guards')}" if guards else "")
    if change.outcome.undecided:
        said.append("whether something is replaced only the real cloud can tell")
    return "; ".join(said) or "nothing"


def of(change: Change, op: str) -> list[Touch]:
    """The real resources with this operation, by name: a component by itself is nothing, and order is chance."""
    touches = change.outcome.touches if change.outcome else []
    real = [touch for touch in touches if touch.op == op and not touch.type.startswith("tollgate:")]
    return sorted(real, key=lambda touch: (where(touch, change), touch.type))


def things(change: Change, op: str) -> str:
    found = of(change, op)
    if len(found) <= MOST_NAMED:
        return ", ".join(thing(touch, change) for touch in found)
    counts = Counter(where(touch, change)[0] for touch in found)
    return f"{len(found)}: " + ", ".join(f"{count} of {name}" for name, count in counts.most_common())


def thing(touch: Touch, change: Change) -> str:
    """`clearing/instance` (Instance: allocatedStorage)"""
    kind = touch.type.rpartition(":")[2]
    paths = list(dict.fromkeys(path.split("[")[0] for path in touch.paths))
    if len(paths) > MOST_PROPERTIES:
        paths = [*paths[:MOST_PROPERTIES], "…"]
    return f"`{'/'.join(filter(None, where(touch, change)))}` ({kind}{': ' if paths else ''}{', '.join(paths)})"


def where(touch: Touch, change: Change) -> tuple[str, str]:
    """(component, part) of a resource as its names have it: ("clearing", "instance")."""
    assert change.outcome
    stack = f"payments-{change.base.stack}"
    parents = change.outcome.parents
    line = [touch.urn] if touch.urn in parents else [touch.parent]
    while parents.get(line[-1]):
        line.append(parents[line[-1]])
    platform = [at for at, urn in enumerate(line) if urn.split("::")[2:3] == [PaymentPlatform.token]]
    if not platform or platform[0] == 0:
        return "the stack", touch.name.removeprefix(f"{stack}-")
    owner = line[platform[0] - 1].rpartition("::")[2]
    return owner.removeprefix(f"{stack}-"), touch.name.removeprefix(owner).removeprefix("-")


def strays(change: Change) -> set[str]:
    """Components that a change touches and should not."""
    if change.outcome is None:
        return set()
    key, entry = change.setting.path[0], entry_of(change)
    own = entry if key in ("databases", "redis") else key.replace("_", "-")
    may = [own, *(name for of_key, names in REACH if of_key == key for name in named(names, entry))]
    touched = {where(touch, change)[0] for touch in change.outcome.touches}
    return {name for name in touched if not any(fnmatchcase(name, pattern) for pattern in may)}


def entry_of(change: Change) -> str:
    """The database, queue, … that a change is about; where one more was added, that one. Empty where there is none."""
    _, entry, *_ = (*change.setting.path, "")
    if entry == ONE_MORE:
        return next(name for name in change.value if name not in change.setting.value)
    return entry


def named(names: str, entry: str) -> list[str]:
    """The patterns of a line of REACH."""
    return names.replace("{entry}", entry).split(", ")


def loses_data(touch: Touch) -> bool:
    """True for a resource whose data goes with it."""
    held = holding(touch.type)
    return touch.op in ("replace", "delete") and held is not None and held.holds is Holds.DATA


def shown(value: Any) -> str:
    text = json.dumps(written(value), ensure_ascii=False, sort_keys=True)
    return f"`{cell(text if len(text) <= LONGEST_VALUE else f'{text[: LONGEST_VALUE - 1]}…')}`"


def cell(text: str) -> str:
    """Text that stays inside its cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def readme() -> str:
    why = "".join(f"| `{pattern}` | {text} |\n" for pattern, text in WHY.items())
    quiet = "".join(f"| {target} | `{pattern}` | {text} |\n" for target, pattern, text in NO_EFFECT)
    reach = "".join(f"| `{key}` | `{pattern}` | {text} |\n" for (key, pattern), text in REACH.items())
    return f"""{GENERATED}# What each setting touches

Each setting of each stack is changed once, alone, and the program is planned again over what was there: on
[aws](aws.md), on [kubernetes](kubernetes.md) and on [edge](edge.md). What replaces and what updates is what a rehearsal
would say (`tests/components/planning.py`, which a test holds against the real engine).

- A resource is named by its component and its part in it: `clearing/instance` is `payments-staging-clearing-instance`.
- Of things that are alike (databases, queues) one stands for all. `(one more)` adds one like it.
- "not here" is the refusal that a person would read.
- Where two settings can only change together, both were changed; the row stands for the first.

## Worth knowing before a change

What replaces data is refused by Pulumi as long as `safety.protect` holds (staging, prod, edge). It is listed all the
same: this is what would happen without it.

| setting | what is behind it |
|---|---|
{why}
## Settings without effect on a target

One spec serves all targets, so some settings speak to one of them only.

| target | setting | why |
|---|---|---|
{quiet}
## What a setting may touch outside of its own component

A test fails when a change reaches further than this.

| setting | also touches | why |
|---|---|---|
{reach}"""
