"""Renames that the program does not tell: one resource goes, and one of the same kind with the same settings comes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator

from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Hit, Whole, plan_rule
from tollgate.books.stateful import Holds, holding
from tollgate.plan.canonical import canonical
from tollgate.plan.model import Op, Step
from tollgate.plan.urn import split_urn
from tollgate.policy.severity import HIGH, LOW

_MOST_COMPARED = 40  # of one type; among more deletions and creations nobody can say which belongs to which
_ALIKE = 0.8  # part of the properties that are the same; our choice


@plan_rule(
    id="renamed-without-alias",
    severity=HIGH,
    why="To the engine a new name is a new thing: it deletes the old one and makes an empty one.",
    fix="tell the engine the old name with an alias, and preview again",
)
def renamed_without_alias(whole: Whole) -> Iterator[Hit]:
    """A deletion and a creation look like one resource under two names."""
    for gone, come in _couples(whole):
        written = _alias(gone, come)
        text = (
            f"{capital(subject(gone))} goes and {subject(come)} comes with the same settings: "
            f"if it is only renamed, write {written}."
        )
        held = holding(gone.type)
        nothing = held is not None and held.holds is Holds.NOTHING
        evidence = Evidence(path="name", before=gone.name, after=come.name)
        yield Hit(text, (evidence,), LOW if nothing else None, gone.urn)


def _couples(whole: Whole) -> Iterator[tuple[Step, Step]]:
    """Each deletion with the creation that is most like it; none is taken twice."""
    gone, come = defaultdict(list), defaultdict(list)
    for step in whole.plan.steps:
        if step.custom and step.op is Op.DELETE:
            gone[step.type].append(step)
        elif step.custom and step.op is Op.CREATE:
            come[step.type].append(step)
    for kind in sorted(gone.keys() & come.keys()):
        if len(gone[kind]) > _MOST_COMPARED or len(come[kind]) > _MOST_COMPARED:
            continue
        ranked = sorted(
            (-_likeness(one, other), one.urn, other.urn, one, other) for one in gone[kind] for other in come[kind]
        )
        taken: set[str] = set()
        for likeness, one_urn, other_urn, one, other in ranked:
            if -likeness >= _ALIKE and not {one_urn, other_urn} & taken:
                taken |= {one_urn, other_urn}
                yield one, other


def _likeness(one: Step, other: Step) -> float:
    """Part of the top properties that are the same, once both names are taken for one."""
    old, new = (
        {key: _text(value, step.name) for key, value in (inputs or {}).items() if not key.startswith("__")}
        for step, inputs in ((one, one.old), (other, other.new))
    )
    keys = old.keys() | new.keys()
    if not keys:
        return 1.0
    return sum(old.get(key) == new.get(key) for key in keys) / len(keys)


def _text(value: object, name: str) -> str:
    return json.dumps(canonical(value), sort_keys=True).replace(name, "*")


def _alias(gone: Step, come: Step) -> str:
    """The option to write, in Python."""
    what = []
    if gone.name != come.name:
        what.append(f"name={json.dumps(gone.name)}")
    if gone.parent != come.parent:
        parent = split_urn(gone.parent)
        root = parent is None or parent.type == "pulumi:pulumi:Stack"
        what.append("parent=pulumi.ROOT_STACK_RESOURCE" if root else f"parent={json.dumps(gone.parent)}")
    return f"aliases=[pulumi.Alias({', '.join(what)})] at {come.name}"


RULES = (renamed_without_alias,)
