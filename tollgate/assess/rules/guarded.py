"""Guarded properties: each line of the book (tollgate/books/guards.yaml) is looked up before and after."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial

from tollgate.assess.amounts import amount
from tollgate.assess.directions import fine_sentence, guard_sentence, is_dangerous
from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Doubt, Fine, Hit, Seen, StepRule, step_rule
from tollgate.assess.values import Pair, is_hidden, is_missing, may_move, pairs
from tollgate.books.guards import Danger, Guard, guard_book, guards_of
from tollgate.plan.model import Op, Step
from tollgate.policy.reading import Reading
from tollgate.policy.severity import Severity

_CHANGED = (Op.UPDATE, Op.REPLACE, Op.UNRECOGNISED)
_NEW = (Op.CREATE, Op.IMPORT)


@lru_cache(maxsize=4096)
def _by_rule(type_token: str) -> dict[str, list[Guard]]:
    """The guards of a type for each rule."""
    found: dict[str, list[Guard]] = {}
    for guard in guards_of(type_token):
        found.setdefault(guard.rule, []).append(guard)
    return found


def _look(rule_id: str, step: Step) -> Iterator[Seen]:
    """All guards of one rule over one step."""
    for guard in _by_rule(step.type).get(rule_id, ()):
        if guard.danger is Danger.DELETED:
            if step.op is Op.DELETE and not step.retain_on_delete:
                yield Hit(guard_sentence(guard, step, None), (), guard.severity)
        elif (step.op in _CHANGED and may_move(step, guard.path)) or (guard.on_create and step.op in _NEW):
            yield from _properties(guard, step)


def _properties(guard: Guard, step: Step) -> Iterator[Seen]:
    is_new = step.op in _NEW
    # In a new resource there is no "before": what the provider does by default must not hide what is now set.
    default = None if is_new else guard.default
    for pair in pairs(step, guard.path, default, guard.item):
        if is_new and is_missing(pair.after) and guard.default is not None:
            pair = Pair(pair.path, pair.before, Reading(guard.default), pair.touched)  # noqa: PLW2901
        hidden = is_hidden(pair.after) or is_hidden(pair.before)
        if _worst_case(guard, pair) if hidden else _dangerous(guard, pair, is_new=is_new):
            yield Hit(guard_sentence(guard, step, pair), (pair.evidence(),), _severity(guard, pair))
        elif hidden and pair.touched and guard.danger is not Danger.REMOVED:
            yield Doubt(*_doubt(guard, step, pair))
        elif pair.touched and not hidden and step.op in _CHANGED:
            yield Fine(pair.path, partial(_fine, guard, step, pair))


def _worst_case(guard: Guard, pair: Pair) -> bool:
    """The old value is hidden, changes, and the new one is the dangerous one, whatever the old one was."""
    if not pair.touched or is_hidden(pair.after):
        return False
    if guard.danger is Danger.REMOVED:
        return is_missing(pair.after)
    one_sided = (Danger.ON, Danger.OFF, Danger.BECOMES, Danger.GAINS)
    return guard.danger in one_sided and is_dangerous(guard, Reading(None), pair.after)


def _doubt(guard: Guard, step: Step, pair: Pair) -> tuple[str, str]:
    hidden = pair.after if is_hidden(pair.after) else pair.before
    what = "secret" if hidden.secret else "value"
    reason = "is a secret" if hidden.secret else "is not known until the change runs"
    return what, f"{capital(subject(step))}: {pair.path} {reason}, so nobody can say whether its {guard.words} suffers."


def _dangerous(guard: Guard, pair: Pair, *, is_new: bool) -> bool:
    if is_missing(pair.after) and not pair.touched and not is_new:
        # Left out of the program, and the provider says that nothing changes: it keeps the old value.
        return False
    return is_dangerous(guard, pair.before, pair.after)


def _severity(guard: Guard, pair: Pair) -> Severity | None:
    if guard.at_zero and guard.danger is Danger.LOWER and amount(pair.after.value, guard.unit) == 0:
        return guard.at_zero
    return guard.severity


def _fine(guard: Guard, step: Step, pair: Pair) -> tuple[str, tuple[Evidence, ...]]:
    return fine_sentence(guard, step, pair), (pair.evidence(),)


def _rule(rule_id: str) -> StepRule:
    shared = guard_book().rules[rule_id]

    @step_rule(
        id=rule_id,
        severity=shared.severity,
        why=shared.why,
        fix=shared.fix,
        concerns=lambda type_token: rule_id in _by_rule(type_token),
    )
    def guarded(step: Step) -> Iterator[Seen]:
        return _look(rule_id, step)

    return guarded


RULES = tuple(_rule(rule_id) for rule_id in sorted(guard_book().rules))
