"""Guarded properties: each line of the book (tollgate/books/guards.yaml) is looked up before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from tollgate.assess.amounts import amount
from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Doubt, Hit, StepRule, step_rule
from tollgate.assess.values import Pair, in_words, is_hidden, is_known, is_missing, pairs
from tollgate.books.guards import Danger, Guard, Unit, guard_book, guards_of
from tollgate.plan.canonical import fingerprint
from tollgate.plan.model import Op, Step
from tollgate.policy.paths import parse_path
from tollgate.policy.reading import Reading
from tollgate.policy.severity import Severity

_CHANGED = (Op.UPDATE, Op.REPLACE, Op.UNRECOGNISED)
_NEW = (Op.CREATE, Op.IMPORT)
_EMPTY: tuple[object, ...] = ("", [], {})


@lru_cache(maxsize=4096)
def _by_rule(type_token: str) -> dict[str, list[tuple[Guard, str]]]:
    """The guards of a type for each rule, with the first word of their paths."""
    found: dict[str, list[tuple[Guard, str]]] = {}
    for guard in guards_of(type_token):
        top = str(parse_path(guard.path)[0]) if guard.path else ""
        found.setdefault(guard.rule, []).append((guard, top))
    return found


def _look(rule_id: str, step: Step) -> Iterator[Hit | Doubt]:
    """All guards of one rule over one step."""
    for guard, top in _by_rule(step.type).get(rule_id, ()):
        if guard.danger is Danger.DELETED:
            if step.op is Op.DELETE and not step.retain_on_delete:
                yield Hit(_sentence(guard, step, None), (), guard.severity)
        elif (step.op in _CHANGED and _differs(step, top)) or (guard.on_create and step.op in _NEW):
            yield from _properties(guard, step)


def _differs(step: Step, top: str) -> bool:
    """False when nothing below this property changes: both sides are equal, and the engine does not name it.

    Only a shortcut: what it leaves out would be found to be harmless.
    """
    if step.changes is None or step.old is None or step.new is None or step.old.get(top) != step.new.get(top):
        return True
    return any(change.path.startswith(top) or change.path.startswith("[") for change in step.changes)


def _properties(guard: Guard, step: Step) -> Iterator[Hit | Doubt]:
    is_new = step.op in _NEW
    # In a new resource there is no "before": what the provider does by default must not hide what is now set.
    default = None if is_new else guard.default
    for pair in pairs(step, guard.path, default):
        if is_new and is_missing(pair.after) and guard.default is not None:
            pair = Pair(pair.path, pair.before, Reading(guard.default), pair.touched)  # noqa: PLW2901
        hidden = is_hidden(pair.after) or is_hidden(pair.before)
        if _worst_case(guard, pair) if hidden else _dangerous(guard, pair, is_new=is_new):
            yield Hit(_sentence(guard, step, pair), (pair.evidence(),), _severity(guard, pair))
        elif hidden and pair.touched and guard.danger is not Danger.REMOVED:
            yield Doubt(*_doubt(guard, step, pair))


def _worst_case(guard: Guard, pair: Pair) -> bool:
    """The old value is hidden, changes, and the new one is the dangerous one, whatever the old one was."""
    if not pair.touched or is_hidden(pair.after):
        return False
    if guard.danger is Danger.REMOVED:
        return is_missing(pair.after)
    one_sided = (Danger.ON, Danger.OFF, Danger.BECOMES)
    return guard.danger in one_sided and _TESTS[guard.danger](guard, Reading(None), pair.after)


def _doubt(guard: Guard, step: Step, pair: Pair) -> tuple[str, str]:
    hidden = pair.after if is_hidden(pair.after) else pair.before
    what = "secret" if hidden.secret else "value"
    reason = "is a secret" if hidden.secret else "is not known until the change runs"
    return what, f"{capital(subject(step))}: {pair.path} {reason}, so nobody can say whether its {guard.words} suffers."


def _dangerous(guard: Guard, pair: Pair, *, is_new: bool) -> bool:
    before, after = pair.before, pair.after
    if is_missing(after) and not pair.touched and not is_new:
        # Left out of the program, and the provider says that nothing changes: it keeps the old value.
        return False
    return _TESTS[guard.danger](guard, before, after)


def _on(reading: Reading) -> bool:
    return is_known(reading) and str(reading.value).lower() in ("true", "enabled", "active", "1")


def _off(reading: Reading) -> bool:
    """Known to be off already. What is not set and has no known default may have been on."""
    return is_known(reading) and not _on(reading)


def _lost(before: Reading, after: Reading) -> bool:
    return not (_off(before) or _on(after) or (is_missing(before) and is_missing(after)))


def _set(reading: Reading) -> bool:
    return is_known(reading) and reading.value not in _EMPTY


def _canonical(reading: Reading) -> str:
    """A list of targets is a set: its order does not matter."""
    value = reading.value
    if isinstance(value, list):
        return "|".join(sorted(fingerprint(item) for item in value))
    return fingerprint(value)


def _lower(guard: Guard, before: Reading, after: Reading) -> bool:
    """Less than before. An amount that is no longer set, or that cannot be read as one, counts as less."""
    old = amount(before.value, guard.unit)
    if is_missing(before) or (old is not None and old <= 0):
        return False
    new = amount(after.value, guard.unit)
    if old is None or new is None:
        return fingerprint(before.value) != fingerprint(after.value)
    return new < old and (guard.below is None or new < guard.below)


_TESTS: dict[Danger, Callable[[Guard, Reading, Reading], bool]] = {
    Danger.OFF: lambda _, before, after: _lost(before, after),
    Danger.ON: lambda _, before, after: not _on(before) and _on(after),
    Danger.LOWER: _lower,
    Danger.REMOVED: lambda _, before, after: _set(before) and not _set(after),
    Danger.BECOMES: lambda guard, before, after: after.value in guard.values and before.value not in guard.values,
    Danger.CHANGES: lambda _, before, after: _set(before) and _canonical(before) != _canonical(after),
}


def _severity(guard: Guard, pair: Pair) -> Severity | None:
    if guard.at_zero and guard.danger is Danger.LOWER and amount(pair.after.value, guard.unit) == 0:
        return guard.at_zero
    return guard.severity


def _sentence(guard: Guard, step: Step, pair: Pair | None) -> str:
    before = in_words(pair.before) if pair else ""
    after = in_words(pair.after) if pair else ""
    who = subject(step)
    if guard.sentence:
        said = guard.sentence.replace("{before}", before).replace("{after}", after)
        return capital(said.replace("{subject}", who))
    match guard.danger:
        case Danger.LOWER:
            said = f"{who} has its {guard.words} cut from {_with_unit(before, guard)} to {_with_unit(after, guard)}."
        case Danger.BECOMES | Danger.CHANGES:
            said = f"{who} has its {guard.words} changed from {before} to {after}."
        case Danger.ON:
            said = f"{who} gets {guard.words}."
        case _:
            said = f"{who} loses its {guard.words}."
    return capital(said)


def _with_unit(shown: str, guard: Guard) -> str:
    if guard.unit is not Unit.NUMBER or not guard.unit_words or not shown[:1].isdigit():
        return shown
    return f"{shown} {guard.unit_words.removesuffix('s') if shown == '1' else guard.unit_words}"


def _rule(rule_id: str) -> StepRule:
    shared = guard_book().rules[rule_id]

    @step_rule(
        id=rule_id,
        severity=shared.severity,
        why=shared.why,
        fix=shared.fix,
        concerns=lambda type_token: rule_id in _by_rule(type_token),
    )
    def guarded(step: Step) -> Iterator[Hit | Doubt]:
        return _look(rule_id, step)

    return guarded


RULES = tuple(_rule(rule_id) for rule_id in sorted(guard_book().rules))
