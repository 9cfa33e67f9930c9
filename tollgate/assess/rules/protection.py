"""Pulumi's own deletion guards, which are no inputs: protect and retainOnDelete."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Fine, Hit, Seen, step_rule
from tollgate.books.guards import guard_book
from tollgate.plan.model import Op, Step
from tollgate.policy.severity import CRITICAL

_SHARED = guard_book().rules["protection-removed"]
_STAYS = (Op.SAME, Op.UPDATE, Op.REPLACE)


@step_rule(id="protection-removed", severity=_SHARED.severity, why=_SHARED.why, fix=_SHARED.fix)
def guard_removed(step: Step) -> Iterator[Seen]:
    """A resource that stays loses protect or retainOnDelete."""
    if step.op not in _STAYS or step.new is None:
        return
    if step.protect_before and step.protect_after and step.op is not Op.SAME:
        yield Fine("protect", partial(_kept, step))
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


@step_rule(
    id="unprotected-and-replaced",
    severity=CRITICAL,
    why="The engine lets a guard go together with what it guards, and refuses nothing.",
    fix="keep the guard on; if it must go, let that be a change of its own that is approved by itself",
)
def unprotected_and_replaced(step: Step) -> Iterator[Seen]:
    """A resource loses its protection and is replaced in the same change: the engine asks for the new one only."""
    if step.op is Op.REPLACE and step.protect_before and not step.protect_after:
        yield Hit(
            f"{capital(subject(step))} loses its protection and is replaced in the same change.",
            (Evidence(path="protect", before="true", after="false"),),
        )


def _kept(step: Step) -> tuple[str, tuple[Evidence, ...]]:
    text = (
        f"{capital(subject(step))}: we looked for the loss of its protection; it is fine, because it stays protected."
    )
    return text, (Evidence(path="protect", before="true", after="true"),)


RULES = (guard_removed, unprotected_and_replaced)
