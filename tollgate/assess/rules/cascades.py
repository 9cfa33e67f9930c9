"""What a deletion or a replacement pulls along, by the graph of the state: whatever the preview prints of it.

How the engine decides (pkg/resource/deploy/step_generator.go, v3.257.0): what is tied to a replaced resource by
``replaceWith`` is replaced; what is tied by ``deletedWith`` goes with it, without being asked for; what is made from an
output of a resource that is deleted before it is replaced goes first, too.
"""

from __future__ import annotations

from collections.abc import Iterator

from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject, subject_of_urn
from tollgate.assess.rule import Hit, Whole, plan_rule
from tollgate.books.guards import guard_book
from tollgate.books.stateful import Holds, holding
from tollgate.plan.graph import Hop
from tollgate.plan.model import Op, Step
from tollgate.plan.ties import TieKind
from tollgate.plan.urn import split_urn
from tollgate.policy.severity import CRITICAL, HIGH, LOW, MEDIUM, Severity

_SEVERITY = {Holds.DATA: CRITICAL, Holds.CONTENTS: CRITICAL, Holds.TRANSIENT: HIGH, Holds.NOTHING: LOW}
_MOVED = guard_book().rules["connection-moved"]
_GOES = (Op.DELETE, Op.REPLACE)
_MOST = 10  # of the users of one resource, that are told one by one


def pulled_along(whole: Whole) -> frozenset[str]:
    """Resources that are replaced for no reason of their own, and whose reason the graph knows."""
    replaced = {step.urn_before for step in whole.plan.steps if step.op is Op.REPLACE}
    return frozenset(
        step.urn
        for step in whole.plan.steps
        if step.op is Op.REPLACE
        and not step.changes
        and not step.replace_keys
        and any(
            tie.urn in replaced and tie.kind in (TieKind.PROPERTY, TieKind.REPLACED_WITH)
            for tie in whole.graph.needs.get(step.urn_before, ())
        )
    )


@plan_rule(
    id="goes-along",
    severity=HIGH,
    why="It goes without being named in the plan, so nobody would look for it there.",
    fix="take the tie off in a change of its own first, or move what it holds",
)
def goes_along(whole: Whole) -> Iterator[Hit]:
    """A resource is tied to one that goes, and the plan does not say that it goes, too."""
    shown = {step.urn_before for step in whole.plan.steps if step.op in _GOES}
    for step in _going(whole):
        kinds = {TieKind.DELETED_WITH} if step.op is Op.DELETE else {TieKind.DELETED_WITH, TieKind.REPLACED_WITH}
        for urn, path in whole.graph.reach([step.urn_before], kinds=kinds).paths.items():
            if urn not in shown:
                way = "is deleted" if path[-1].tie.kind is TieKind.DELETED_WITH else "is replaced"
                text = (
                    f"{capital(subject_of_urn(urn))} {way} together with {subject(step)}, which the plan does not show."
                )
                yield Hit(text, _path(path), _severity(urn), urn)


@plan_rule(
    id="still-used",
    severity=MEDIUM,
    why="What still uses it finds it gone, and the plan does not change it.",
    fix="change its users first, and delete it in a change of its own",
)
def still_used(whole: Whole) -> Iterator[Hit]:
    """A resource is deleted, and what was made from its outputs stays as it is."""
    touched = {step.urn_before for step in whole.plan.steps}
    for step in _going(whole):
        if step.op is not Op.DELETE or not step.custom:
            continue
        for hop in whole.graph.used_by(step.urn_before, {TieKind.PROPERTY})[:_MOST]:
            if hop.user not in touched:
                user, what = capital(subject_of_urn(hop.user)), hop.tie.input
                text = f"{user} keeps a value ({what}) that it got from {subject(step)}, which is deleted."
                yield Hit(text, (Evidence(path=what),), urn=hop.user)


@plan_rule(id="connection-moved", severity=_MOVED.severity, why=_MOVED.why, fix=_MOVED.fix)
def connection_moved(whole: Whole) -> Iterator[Hit]:
    """A resource is made through another connection, with other settings, than before."""
    for step in whole.plan.steps:
        if step.provider_moved:
            before, after = _name(step.provider_before), _name(step.provider)
            who = capital(subject(step))
            text = f"{who} moves from the connection {before} to {after}, which may be another cloud account."
            yield Hit(text, (Evidence(path="provider", before=before, after=after),), urn=step.urn)


def _going(whole: Whole) -> Iterator[Step]:
    return (step for step in whole.plan.steps if step.op in _GOES and not step.retain_on_delete)


def _severity(urn: str) -> Severity:
    parts = split_urn(urn)
    held = holding(parts.type) if parts else None
    return _SEVERITY.get(held.holds, MEDIUM) if held else MEDIUM


def _path(path: tuple[Hop, ...]) -> tuple[Evidence, ...]:
    return tuple(Evidence(path=hop.tie.kind.value, after=subject_of_urn(hop.tie.urn)) for hop in path)


def _name(reference: str) -> str:
    """The name of a connection in a reference ``URN::id``."""
    parts = split_urn(reference.rpartition("::")[0])
    return parts.name if parts else "not shown"


RULES = (goes_along, still_used, connection_moved)
