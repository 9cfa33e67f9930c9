"""Effects: what people notice of a plan, from the effects book. Pure; in whatever order the steps come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from tollgate.assess.changed import Changed, changed, operation
from tollgate.assess.impact import Effect, Moment, Softer, Span, UnknownEffect
from tollgate.assess.lookup import Index
from tollgate.assess.naming import capital, subject
from tollgate.assess.new import New, made_by
from tollgate.books.effect_book import EffectLine, Notice, Reversible, effect_book
from tollgate.books.lines import Operation
from tollgate.plan.facts import find
from tollgate.plan.model import Op, Plan, Step
from tollgate.plan.text import plain
from tollgate.policy.paths import Path, format_path
from tollgate.policy.sentinels import is_secret, is_unknown

_ROOT = "pulumi:pulumi:Stack"
_NOBODY_YET = "{subject} is set on something that is new itself; nobody uses it yet."
_STAYS = "{subject} is replaced by an empty one; the old one stays where it is, and nobody uses it any more."
_CONTENT = "What people notice of that depends on its content, which is not judged here"
_REPLACED = (Operation.REPLACE, Operation.RECREATE)
_TOUCHES_NOTHING = (Op.SAME, Op.READ, Op.REFRESH, Op.IMPORT, Op.DISCARD)


class Effects(NamedTuple):
    """What is noticed, worst first, and what the book does not know. same: URNs that only change in spelling."""

    known: tuple[Effect, ...]
    unknown: tuple[UnknownEffect, ...]
    same: frozenset[str] = frozenset()


@lru_cache(maxsize=1)
def _index() -> Index[EffectLine]:
    return Index(effect_book())


def effects(plan: Plan) -> Effects:
    """The effects of all steps; of one step the worst at each moment."""
    new = made_by(plan)
    known: list[Effect] = []
    unknown: list[UnknownEffect] = []
    same: set[str] = set()
    for step in plan.steps:
        if step.custom and step.type != _ROOT and step.op not in _TOUCHES_NOTHING:
            found, missing = _of_step(step, new)
            known += found
            unknown += missing
            if not found and not missing:
                same.add(step.urn)
    return Effects(
        tuple(sorted(set(known), key=lambda effect: (*(-part for part in weight(effect)), effect.urn, effect.moment))),
        tuple(sorted(set(unknown), key=lambda each: (each.urn, each.path, each.op or ""))),
        frozenset(same),
    )


def weight(effect: Effect) -> tuple[float, ...]:
    """How bad: by notice, then by how long, then by whether it can be taken back."""
    p50, p90 = (effect.lasts.p50, effect.lasts.p90) if effect.lasts else (0.0, 0.0)
    return effect.notice.rank, effect.for_good, p90, p50, effect.reversible.rank


class _Said(NamedTuple):
    """What one line says of a step. harmless: it is set on something that this change makes.

    reversible: the line's, or worse where another line may count, too.
    """

    line: EffectLine
    path: Path
    moment: Moment
    harmless: bool
    reversible: Reversible

    @property
    def notice(self) -> Notice:
        return Notice.NOTHING if self.harmless else self.line.notice

    @property
    def lasts(self) -> tuple[float, float] | None:
        return None if self.harmless else self.line.lasts

    @property
    def weight(self) -> tuple[float, ...]:
        """That of its effect, so that of several only the worst has to be put into words."""
        p50, p90 = self.lasts or (0.0, 0.0)
        return self.notice.rank, self.line.for_good and not self.harmless, p90, p50, self.reversible.rank


def _of_step(step: Step, new: New) -> tuple[list[Effect], list[UnknownEffect]]:
    op = operation(step)
    if op is None:
        return [], [_unknown(step, None, (), _Doubt("what happens to it is not known"))]
    said: list[_Said] = []
    unknown: list[UnknownEffect] = []
    changes: Sequence[Changed | None] = changed(step) if op is Operation.UPDATE else [None]
    for change in changes:
        worst, doubt = _looked_up(step, op, change, new)
        said += worst
        if doubt:
            unknown.append(_unknown(step, op, change.path if change else (), doubt))
    if not changes and not _only_spelling(step):
        unknown.append(_unknown(step, op, (), _Doubt("it changes, and the provider does not say in what")))
    way_back = _worst_way_back(said) if said else Reversible.YES
    return [_effect(step, op, each, way_back) for each in _worst_by_moment(said)], unknown


def _worst_way_back(said: Iterable[_Said]) -> Reversible:
    """A step is taken back as a whole, so the part that can least be taken back counts."""
    return max((each.reversible for each in said), key=lambda way: way.rank)


@lru_cache(maxsize=16_384)
def _shown(path: Path) -> str:
    return plain(format_path(path))


def _only_spelling(step: Step) -> bool:
    """The engine names changes, and none of them differs in meaning."""
    return bool(step.changes)


def _worst_by_moment(said: list[_Said]) -> list[_Said]:
    """The worst at each moment that anybody notices; where nobody notices anything, one that says so."""
    if len(said) < 2:
        return said
    worst: dict[Moment, _Said] = {}
    for each in sorted(said, key=lambda each: _shown(each.path)):
        if each.moment not in worst or each.weight > worst[each.moment].weight:
            worst[each.moment] = each
    noticed = [each for each in worst.values() if each.notice is not Notice.NOTHING]
    return noticed or list(worst.values())[:1]


class _Doubt(NamedTuple):
    """Why it is not known what people notice. said: what the book says of it first, a whole sentence.

    unheard: no line of the book is about it. reversible: what the book says of the way back all the same.
    """

    reason: str
    said: str = ""
    unheard: bool = False
    reversible: Reversible | None = None


def _looked_up(step: Step, op: Operation, change: Changed | None, new: New) -> tuple[list[_Said], _Doubt | None]:
    """The worst of the lines that may count, and why the book does not know where none is sure to."""
    lines, sure = _index().find(step, op, change)
    path = change.path if change else ()
    if not lines:
        return [], _Doubt(f"what people notice when {_what(op, path)} is not known", unheard=True)
    said = [_Said(line, path, _moment(line, step), _harmless(line, step, op, new), line.reversible) for line in lines]
    if len(said) > 1:
        said = [max(said, key=lambda each: each.weight)._replace(reversible=_worst_way_back(said))]
    if not sure:
        return said, _Doubt(
            f"what people notice when {_what(op, path)} depends on values that are not known until it runs"
        )
    if any(line.or_worse for line in lines) and not said[0].harmless:
        text = _say(said[0].line.says, step, _shown(path))
        return said, _Doubt(_CONTENT, text, reversible=said[0].reversible)
    return said, None


def _what(op: Operation, path: Path) -> str:
    if op is Operation.UPDATE:
        return f"its {_shown(path)} changes"
    words = {Operation.CREATE: "made", Operation.DELETE: "deleted", Operation.FORGET: "left where it is"}
    return f"it is {words.get(op, 'replaced')}"


def _unknown(step: Step, op: Operation | None, path: Path, doubt: _Doubt) -> UnknownEffect:
    return UnknownEffect(
        urn=step.urn,
        type=step.type,
        op=op,
        path=_shown(path),
        sentence=f"{doubt.said or capital(subject(step)) + ':'} {doubt.reason}.",
        unheard=doubt.unheard,
        reversible=doubt.reversible,
    )


def _effect(step: Step, op: Operation, said: _Said, way_back: Reversible) -> Effect:
    line, shown = said.line, _shown(said.path)
    return Effect(
        urn=step.urn,
        type=step.type,
        op=op,
        path=shown,
        notice=said.notice,
        lasts=_span(said.lasts),
        for_good=line.for_good and not said.harmless,
        moment=said.moment,
        reversible=way_back,
        sentence=_say(_says(step, op, said), step, shown),
        source=line.place,
        lasts_source=line.lasts_source if said.lasts else "",
        softer=_softer(line, step, shown),
    )


def _says(step: Step, op: Operation, said: _Said) -> str:
    if said.harmless:
        return _NOBODY_YET
    kept = op in _REPLACED and step.retain_on_delete and said.notice is Notice.DATA_LOSS
    return _STAYS if kept else said.line.says


def _harmless(line: EffectLine, step: Step, op: Operation, new: New) -> bool:
    """It is set on something that this change makes: on what the line names, or on the pods of one new program."""
    return op is Operation.CREATE and (new.has(step, line.within) or new.has_all_pods_of(step))


def _moment(line: EffectLine, step: Step) -> Moment:
    if not line.waits:
        return Moment.CHANGE
    if not line.unless:
        return Moment.WINDOW
    at_once = find(step.new, (line.unless,))
    if is_unknown(at_once) or is_secret(at_once):
        return Moment.NOT_KNOWN
    return Moment.CHANGE if at_once is True or at_once == "true" else Moment.WINDOW


@lru_cache(maxsize=4096)
def _span(lasts: tuple[float, float] | None) -> Span | None:
    return Span(p50=lasts[0], p90=lasts[1]) if lasts else None


def _softer(line: EffectLine, step: Step, path: str) -> Softer | None:
    if line.spared is None:
        return None
    spared = line.spared
    return Softer(notice=spared.notice, lasts=_span(spared.lasts), sentence=_say(spared.says, step, path))


def _say(says: str, step: Step, path: str) -> str:
    return capital(says.replace("{path}", path).replace("{subject}", subject(step)))
