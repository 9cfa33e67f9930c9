"""Pulumi's own deletion guards, which are no inputs: protect and retainOnDelete."""

from __future__ import annotations

from collections.abc import Iterator

from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Doubt, Hit, step_rule
from tollgate.books.guards import guard_book
from tollgate.plan.model import Op, Step

_SHARED = guard_book().rules["protection-removed"]
_STAYS = (Op.SAME, Op.UPDATE, Op.REPLACE)


@step_rule(id="protection-removed", severity=_SHARED.severity, why=_SHARED.why, fix=_SHARED.fix)
def guard_removed(step: Step) -> Iterator[Hit | Doubt]:
    """A resource that stays loses protect or retainOnDelete."""
    if step.op not in _STAYS or step.new is None:
        return
    if step.protect_before and not step.protect_after:
        yield Hit(
            f"{capital(subject(step))} loses its protection: a later change can delete it without being refused.",
            (Evidence(path="protect", before="true", after="false"),),
        )
    if step.retain_on_delete and not step.retain_after:
        yield Hit(
            f"{capital(subject(step))} will no longer be kept when it leaves the definition.",
            (Evidence(path="retainOnDelete", before="true", after="false"),),
        )


RULES = (guard_removed,)
