"""In which direction a guarded property moves, whether that is the dangerous one, and how to say it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tollgate.assess.amounts import amount
from tollgate.assess.naming import capital, subject
from tollgate.assess.values import Pair, in_words, is_known, is_missing
from tollgate.books.guards import Danger, Guard, Unit
from tollgate.plan.canonical import fingerprint
from tollgate.plan.model import Step
from tollgate.policy.reading import Reading

_EMPTY: tuple[object, ...] = ("", [], {})
_ALL = "*"


def is_dangerous(guard: Guard, before: Reading, after: Reading) -> bool:
    """Whether what both sides say is the danger of the guard. Both are known or missing."""
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


def _removed(before: Reading, after: Reading) -> bool:
    """What was there is not. An empty block may be all that there ever was (``block: {}``)."""
    if is_known(before) and before.value == {}:
        return is_missing(after)
    return _set(before) and not _set(after)


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
    if guard.share is not None and float(new) >= float(old) * guard.share:
        return False
    return new < old and (guard.below is None or new < guard.below) and (guard.least is None or new >= guard.least)


def _higher(guard: Guard, before: Reading, after: Reading) -> bool:
    """More than before. An amount that cannot be read as one counts as more; one that is no longer set does not."""
    if is_missing(after):
        return False
    old, new = amount(before.value, guard.unit), amount(after.value, guard.unit)
    if is_missing(before):
        return new is None or guard.by is None or new >= guard.by
    if old is None or new is None:
        return fingerprint(before.value) != fingerprint(after.value)
    if guard.times is not None and float(new) < float(old) * guard.times:
        return False
    return new > old and (guard.by is None or float(new - old) >= guard.by)


def _limited(guard: Guard, before: Reading, after: Reading) -> bool:
    """Less than before, where no limit is the most."""
    if _no_limit(guard, after):
        return False
    return _no_limit(guard, before) or _lower(guard, before, after)


def _no_limit(guard: Guard, reading: Reading) -> bool:
    limit = amount(reading.value, guard.unit)
    return is_missing(reading) or (limit is not None and limit < 0)


def _loses(before: Reading, after: Reading) -> bool:
    """Something that stood in the list stands there no more; ``*`` holds everything."""
    old, new = ({fingerprint(item) for item in _as_list(side.value)} for side in (before, after))
    return bool(old - new) and _ALL not in _as_list(after.value)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _holds(guard: Guard, reading: Reading) -> frozenset[Any]:
    """Which of the guard's values stand here: the value itself, an item of a list, or a word of a text."""
    value = reading.value
    if isinstance(value, list):
        found = [item for item in value if isinstance(item, str | int | float)]
    elif isinstance(value, str):
        found = [value, *value.split()]
    else:
        found = [] if value is None else [value]
    return frozenset(str(item).lower() for item in found) & frozenset(str(item).lower() for item in guard.values)


_TESTS: dict[Danger, Callable[[Guard, Reading, Reading], bool]] = {
    Danger.OFF: lambda _, before, after: _lost(before, after),
    Danger.ON: lambda _, before, after: not _on(before) and _on(after),
    Danger.LOWER: _lower,
    Danger.HIGHER: _higher,
    Danger.LIMITED: _limited,
    Danger.REMOVED: lambda _, before, after: _removed(before, after),
    Danger.ADDED: lambda _, before, after: is_known(after) and after.value not in ("", []) and not _set(before),
    Danger.BECOMES: lambda guard, before, after: _is_one(guard, after) and not _is_one(guard, before),
    Danger.LEAVES: lambda guard, before, after: bool(_holds(guard, before)) and not _holds(guard, after),
    Danger.GAINS: lambda guard, before, after: bool(_holds(guard, after) - _holds(guard, before)),
    Danger.LOSES: lambda _, before, after: _loses(before, after),
    Danger.CHANGES: lambda _, before, after: _set(before) and _canonical(before) != _canonical(after),
}


def _is_one(guard: Guard, reading: Reading) -> bool:
    value = reading.value
    return any(value == each and isinstance(value, bool) == isinstance(each, bool) for each in guard.values)


def guard_sentence(guard: Guard, step: Step, pair: Pair | None) -> str:
    """What happens, for a reader. ``pair``: None when the resource itself goes."""
    before = in_words(pair.before) if pair else ""
    after = in_words(pair.after) if pair else ""
    who = subject(step)
    if guard.sentence:
        said = guard.sentence.replace("{before}", before).replace("{after}", after)
        return capital(said.replace("{subject}", who))
    match guard.danger:
        case Danger.LOWER | Danger.HIGHER | Danger.LIMITED:
            way = "raised" if guard.danger is Danger.HIGHER else "cut"
            said = f"{who} has its {guard.words} {way} from {_with_unit(before, guard)} to {_with_unit(after, guard)}."
        case Danger.BECOMES | Danger.LEAVES | Danger.GAINS | Danger.LOSES | Danger.CHANGES:
            said = f"{who} has its {guard.words} changed from {before} to {after}."
        case Danger.ON | Danger.ADDED:
            said = f"{who} gets {guard.words}."
        case _:
            said = f"{who} loses its {guard.words}."
    return capital(said)


_LOOKED_FOR = {
    Danger.OFF: "the loss of its {}",
    Danger.ON: "{}",
    Danger.LOWER: "a cut of its {}",
    Danger.LIMITED: "a cut of its {}",
    Danger.HIGHER: "a sudden rise of its {}",
    Danger.REMOVED: "the loss of its {}",
    Danger.ADDED: "{}",
    Danger.BECOMES: "a weaker {}",
    Danger.LEAVES: "a weaker {}",
    Danger.GAINS: "a wider {}",
    Danger.LOSES: "a loss among its {}",
    Danger.CHANGES: "another {}",
}


def fine_sentence(guard: Guard, step: Step, pair: Pair) -> str:
    """That the danger was looked for, and why it is not there."""
    before, after = _with_unit(in_words(pair.before), guard), _with_unit(in_words(pair.after), guard)
    moved = f"it goes from {before} to {after}" if before != after else f"it stays {after}"
    looked_for = _LOOKED_FOR[guard.danger].format(guard.words)
    return f"{capital(subject(step))}: we looked for {looked_for}; it is fine, because {moved}."


def _with_unit(shown: str, guard: Guard) -> str:
    if guard.unit is not Unit.NUMBER or not guard.unit_words or not shown[:1].isdigit():
        return shown
    return f"{shown} {guard.unit_words.removesuffix('s') if shown == '1' else guard.unit_words}"
