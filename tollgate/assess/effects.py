"""Effects: what people notice of a plan, from the effects book. Pure; in whatever order the steps come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from tollgate.assess.changed import Changed, changed, operation
from tollgate.assess.impact import Effect, Moment, Softer, Span, UnknownEffect
from tollgate.assess.lookup import Index
from tollgate.assess.naming import capital, subject
from tollgate.books.effect_book import EffectLine, Notice, effect_book
from tollgate.books.lines import Operation
from tollgate.books.match import matches
from tollgate.plan.facts import find
from tollgate.plan.model import Op, Plan, Step
from tollgate.plan.text import plain
from tollgate.plan.urn import split_urn
from tollgate.policy.paths import Path, format_path
from tollgate.policy.sentinels import is_secret, is_unknown

_ROOT = "pulumi:pulumi:Stack"
_MAKES_NEW = (Op.CREATE,)
_REPLACED = (Operation.REPLACE, Operation.RECREATE)
_TOUCHES_NOTHING = (Op.SAME, Op.READ, Op.REFRESH, Op.IMPORT, Op.DISCARD)


class Effects(NamedTuple):
    """What is noticed, worst first, and what the book does not know."""

    known: tuple[Effect, ...]
    unknown: tuple[UnknownEffect, ...]


@lru_cache(maxsize=1)
def _index() -> Index[EffectLine]:
    return Index(effect_book())


def effects(plan: Plan) -> Effects:
    """The effects of all steps; of one step the worst at each moment."""
    new = frozenset(step.urn for step in plan.steps if step.op in _MAKES_NEW)
    known: list[Effect] = []
    unknown: list[UnknownEffect] = []
    for step in plan.steps:
        if step.custom and step.type != _ROOT and step.op not in _TOUCHES_NOTHING:
            found, missing = _of_step(step, new)
            known += found
            unknown += missing
    return Effects(
        tuple(sorted(set(known), key=lambda effect: (*(-part for part in weight(effect)), effect.urn, effect.moment))),
        tuple(sorted(set(unknown), key=lambda each: (each.urn, each.path, each.op or ""))),
    )


def weight(effect: Effect) -> tuple[float, ...]:
    """How bad: by notice, then by how long, then by whether it can be taken back."""
    p50, p90 = (effect.lasts.p50, effect.lasts.p90) if effect.lasts else (0.0, 0.0)
    return effect.notice.rank, effect.for_good, p90, p50, effect.reversible.rank


def _of_step(step: Step, new: frozenset[str]) -> tuple[list[Effect], list[UnknownEffect]]:
    op = operation(step)
    if op is None:
        return [], [_unknown(step, None, (), "what happens to it is not known")]
    if op is not Operation.UPDATE:
        return _looked_up(step, op, None, new)
    known: list[Effect] = []
    unknown: list[UnknownEffect] = []
    changes = changed(step)
    for change in changes:
        found, missing = _looked_up(step, op, change, new)
        known += found
        unknown += missing
    if not changes and not _only_spelling(step):
        unknown.append(_unknown(step, op, (), "it changes, and the provider does not say in what"))
    return list(_worst_by_moment(known)), unknown


@lru_cache(maxsize=16_384)
def _shown(path: Path) -> str:
    return plain(format_path(path))


def _only_spelling(step: Step) -> bool:
    """The engine names changes, and none of them differs in meaning."""
    return bool(step.changes)


def _worst_by_moment(found: Iterable[Effect]) -> Iterator[Effect]:
    worst: dict[Moment, Effect] = {}
    for effect in sorted(found, key=lambda each: each.path):
        if effect.moment not in worst or weight(effect) > weight(worst[effect.moment]):
            worst[effect.moment] = effect
    noticed = [effect for effect in worst.values() if effect.notice is not Notice.NOTHING]
    yield from noticed or list(worst.values())[:1]


def _looked_up(
    step: Step, op: Operation, change: Changed | None, new: frozenset[str]
) -> tuple[list[Effect], list[UnknownEffect]]:
    """The worst of the lines that may count. Where none is sure to, the book does not know."""
    lines, sure = _index().find(step, op, change)
    path = change.path if change else ()
    if not lines:
        reason = f"what people notice when {_what(op, path)} is not known"
        return [], [_unknown(step, op, path, reason)]
    made = [_effect(line, step, op, path, new) for line in lines]
    worst = made[0] if len(made) == 1 else max(made, key=weight)
    if sure:
        return [worst], []
    reason = f"what people notice when {_what(op, path)} depends on values that are not known until it runs"
    return [worst], [_unknown(step, op, path, reason)]


def _what(op: Operation, path: Path) -> str:
    if op is Operation.UPDATE:
        return f"its {_shown(path)} changes"
    words = {Operation.CREATE: "made", Operation.DELETE: "deleted", Operation.FORGET: "left where it is"}
    return f"it is {words.get(op, 'replaced')}"


def _unknown(step: Step, op: Operation | None, path: Path, reason: str) -> UnknownEffect:
    sentence = f"{capital(subject(step))}: {reason}."
    return UnknownEffect.model_construct(urn=step.urn, type=step.type, op=op, path=_shown(path), sentence=sentence)


def _effect(line: EffectLine, step: Step, op: Operation, path: Path, new: frozenset[str]) -> Effect:
    shown = _shown(path)
    harmless = op is Operation.CREATE and line.within and _on_something_new(step, line, new)
    says = "{subject} is set on something that is new itself; nobody uses it yet." if harmless else line.says
    if op in _REPLACED and step.retain_on_delete and line.notice is Notice.DATA_LOSS:
        says = "{subject} is replaced by an empty one; the old one stays where it is, and nobody uses it any more."
    lasts = None if harmless else line.lasts
    return Effect.model_construct(
        urn=step.urn,
        type=step.type,
        op=op,
        path=shown,
        notice=Notice.NOTHING if harmless else line.notice,
        lasts=_span(lasts),
        for_good=line.for_good and not harmless,
        moment=_moment(line, step),
        reversible=line.reversible,
        sentence=_say(says, step, shown),
        source=line.place,
        lasts_source=line.lasts_source if lasts else "",
        softer=_softer(line, step, shown),
    )


def _on_something_new(step: Step, line: EffectLine, new: frozenset[str]) -> bool:
    """It is set on something that this change makes: a direct dependency of one of the types that the line names."""
    for urn in step.needs:
        parts = split_urn(urn) if urn in new else None
        if parts and matches(parts.type, line.within):
            return True
    return False


def _moment(line: EffectLine, step: Step) -> Moment:
    if not line.waits:
        return Moment.CHANGE
    if not line.unless:
        return Moment.WINDOW
    at_once = find(step.new, (line.unless,))
    if is_unknown(at_once) or is_secret(at_once):
        return Moment.NOT_KNOWN
    return Moment.CHANGE if at_once is True or at_once == "true" else Moment.WINDOW


def _span(lasts: tuple[float, float] | None) -> Span | None:
    return Span.model_construct(p50=lasts[0], p90=lasts[1]) if lasts else None


def _softer(line: EffectLine, step: Step, path: str) -> Softer | None:
    if line.spared is None:
        return None
    spared = line.spared
    return Softer.model_construct(
        notice=spared.notice, lasts=_span(spared.lasts), sentence=_say(spared.says, step, path)
    )


def _say(says: str, step: Step, path: str) -> str:
    return capital(says.replace("{path}", path).replace("{subject}", subject(step)))
