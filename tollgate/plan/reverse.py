"""A plan turned round: what the engine would do to put the old definition back."""

from __future__ import annotations

from tollgate.plan.model import ChangeKind, Op, Plan, PropertyChange, Step

_TURNED = {Op.CREATE: Op.DELETE, Op.DELETE: Op.CREATE, Op.IMPORT: Op.DISCARD}
_TURNED_KIND = {ChangeKind.ADD: ChangeKind.DELETE, ChangeKind.DELETE: ChangeKind.ADD}


def turned_round(plan: Plan) -> Plan:
    """Each step the other way.

    What was left in the cloud when it left the definition, or was replaced, comes back by an import; what took its
    place goes, unless that is left, too.
    """
    return plan.model_copy(update={"steps": tuple(map(_turned, plan.steps)), "policy": None, "diagnostics": ()})


def _turned(step: Step) -> Step:
    op = _left(step) if step.op in (Op.DELETE, Op.REPLACE) and step.retain_on_delete else _TURNED.get(step.op, step.op)
    changes = None if step.changes is None else tuple(map(_turned_change, step.changes))
    return step.model_copy(
        update={
            "op": op,
            "raw_op": step.raw_op if step.op is Op.UNRECOGNISED else op.value,
            "old": step.new,
            "new": step.old,
            "old_outputs": step.new_outputs,
            "new_outputs": step.old_outputs,
            "changes": changes,
            "protect_before": step.protect_after,
            "protect_after": step.protect_before,
            "retain_on_delete": step.retain_after,
            "retain_after": step.retain_on_delete,
        }
    )


def _left(step: Step) -> Op:
    """The import itself takes no longer than a look; deleting what took its place may."""
    return Op.DELETE if step.op is Op.REPLACE and not step.retain_after else Op.IMPORT


def _turned_change(change: PropertyChange) -> PropertyChange:
    kind = _TURNED_KIND.get(change.kind)
    return PropertyChange(path=change.path, kind=kind, replaces=change.replaces) if kind else change
