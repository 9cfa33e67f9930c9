"""A star where names stood: in any type of resource, whether a book knows it or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tollgate.assess.changed import changed
from tollgate.assess.documents import as_list
from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Hit, Seen, step_rule
from tollgate.books.match import matches
from tollgate.plan.model import Op, Step
from tollgate.plan.text import plain
from tollgate.policy.paths import format_path
from tollgate.policy.severity import MEDIUM

_STAR = "*"
# Where a star is read by a rule of its own, or only picks what is shown, saved or spread.
_ELSEWHERE = (
    "aws:iam/*",
    "aws:s3/*",
    "aws:kms/*",
    "kubernetes:rbac.authorization.k8s.io/*",
    "kubernetes:core/*",
    "kubernetes:velero.io/*",
    "kubernetes:monitoring.coreos.com/*",
)


@step_rule(
    id="wildcard-added",
    severity=MEDIUM,
    why="Where single names stood everything is meant now, what nobody has thought of among it.",
    fix="name the ones that are meant",
    concerns=lambda type_token: not matches(type_token, _ELSEWHERE),
)
def wildcard_added(step: Step) -> Iterator[Seen]:
    """A property that named something says ``*``."""
    if step.op not in (Op.UPDATE, Op.REPLACE):
        return
    for each in changed(step):
        if _widens(each.before, each.after):
            path = plain(format_path(each.path))
            said = f"{capital(subject(step))}: {path} now means everything."
            yield Hit(said, (Evidence(path=path, before=plain(str(each.before))[:80], after=_STAR),))


def _widens(before: Any, after: Any) -> bool:
    return before not in (None, [], "") and _STAR in as_list(after) and _STAR not in as_list(before)


RULES = (wildcard_added,)
