"""Marks by which others pick a resource: what loses the mark of its backups is saved no more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Hit, Seen, step_rule
from tollgate.books.stateful import Holds, holding
from tollgate.plan.model import Op, Step
from tollgate.plan.text import plain
from tollgate.policy.severity import MEDIUM

# Where marks stand: tags of AWS, labels of GCP and Kubernetes.
_PLACES = (("tags",), ("labels",), ("metadata", "labels"), ("metadata", "annotations"))
_OF_BACKUPS = re.compile(r"backup|snapshot|\bdlm\b|restore|retention", re.IGNORECASE)


def _holds_data(type_token: str) -> bool:
    held = holding(type_token)
    return held is not None and held.holds is Holds.DATA


@step_rule(
    id="backup-mark-removed",
    severity=MEDIUM,
    why="Backups pick what they save by such marks; what loses its mark is left out, and nothing fails.",
    fix="keep the mark, or look up in the backup plan that nothing is picked by it",
    concerns=_holds_data,
)
def backup_mark_removed(step: Step) -> Iterator[Seen]:
    """A tag or a label that speaks of backups goes, or says something else."""
    if step.op not in (Op.UPDATE, Op.REPLACE):
        return
    for way in _PLACES:
        before, after = _at(step.old, way), _at(step.new, way)
        for key in sorted(key for key in before if _OF_BACKUPS.search(str(key)) and before[key] != after.get(key)):
            path = f"{'.'.join(way)}.{plain(str(key))}"
            said = f"{capital(subject(step))} loses the mark {plain(str(key))} by which backups may pick it."
            old, new = plain(str(before[key])), plain(str(after.get(key, "gone")))
            yield Hit(said, (Evidence(path=path, before=old, after=new),))


def _at(inputs: Mapping[str, Any] | None, way: tuple[str, ...]) -> Mapping[str, Any]:
    value: Any = inputs
    for word in way:
        value = value.get(word) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


RULES = (backup_mark_removed,)
