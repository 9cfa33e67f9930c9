"""Ladders: long changes that are climbed one rung at a time.

A footprint may say where such a change stands, and the rule then reads it from the plan. It is a ConfigMap with

    data:
      ladder: old both new       # its rungs, the lowest first, separated by spaces
      rung: both                 # the one it stands on
      irreversible: new          # optional: rungs with no way back down
      starts: old                # optional: rungs that a new ladder may start on; without it, the lowest only

The rule knows nothing of what the rungs mean. Words are compared as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Doubt, Hit, step_rule
from tollgate.assess.values import is_hidden, is_known, is_missing
from tollgate.books.match import matches
from tollgate.plan.model import Op, Step
from tollgate.plan.text import plain
from tollgate.policy.reading import Reading
from tollgate.policy.severity import CRITICAL, HIGH

_CARRIERS = ("kubernetes:core/v1:ConfigMap",)
_RUNG = "data.rung"
_KEYS = ("ladder", "rung", "irreversible", "starts")
_NEW = (Op.CREATE, Op.IMPORT)
_CHANGED = (Op.UPDATE, Op.REPLACE, Op.UNRECOGNISED)


@dataclass(frozen=True, slots=True)
class Ladder:
    """What an object says of itself. ``hidden``: something of it cannot be read. ``wrong``: it contradicts itself."""

    rungs: tuple[str, ...] = ()
    rung: str = ""
    irreversible: frozenset[str] = frozenset()
    starts: frozenset[str] = frozenset()
    hidden: bool = False

    @property
    def wrong(self) -> bool:
        named = {self.rung, *self.irreversible, *self.starts}
        return len(set(self.rungs)) != len(self.rungs) or not named <= set(self.rungs)

    @property
    def marks(self) -> tuple[Any, ...]:
        """All but where it stands."""
        return self.rungs, self.irreversible, self.starts

    @property
    def at_an_end(self) -> bool:
        """Nothing has begun, or all is over."""
        return not self.wrong and self.rung in (self.rungs[0], self.rungs[-1])


@step_rule(
    id="ladder-climbed",
    severity=CRITICAL,
    why="Each rung makes sure of what the next one relies on; a rung that is left out has made sure of nothing.",
    fix="move one rung at a time, each in a change of its own, and only when the rung before has shown what it should",
    concerns=lambda type_token: matches(type_token, _CARRIERS),
)
def ladder_climbed(step: Step) -> Iterator[Hit | Doubt]:
    """A ladder moves by more than one rung, over a rung with no way back, or vanishes half way up."""
    old, new = ladder_in(step.old), ladder_in(step.new)
    if old and step.op is Op.DELETE:
        yield from _left(step, old)
    elif new and step.op in _NEW:
        yield from _begun(step, new)
    elif (old or new) and step.op in _CHANGED:
        if _is_dark(step.old) or _is_dark(step.new):
            yield _doubt(step)
        elif old and new:
            yield from _moved(step, old, new)
        else:
            yield from _left(step, old) if old else _begun(step, new or Ladder(hidden=True))


def _data(inputs: Mapping[str, Any] | None) -> Reading:
    return Reading(inputs)["data"]


def _is_dark(inputs: Mapping[str, Any] | None) -> bool:
    """Whether there is a ladder cannot be seen."""
    return is_hidden(_data(inputs))


def ladder_in(inputs: Mapping[str, Any] | None) -> Ladder | None:
    """The ladder that an object carries, or None when it carries none."""
    data = _data(inputs)
    if not is_known(data) or not isinstance(data.value, Mapping):
        return None
    said = {key: data.key(key) for key in _KEYS}
    if is_missing(said["ladder"]) or is_missing(said["rung"]):
        return None
    if any(is_hidden(reading) or not isinstance(reading.value, str | None) for reading in said.values()):
        return Ladder(hidden=True)
    rungs, rung, irreversible, starts = (str(said[key].value or "").split() for key in _KEYS)
    return Ladder(tuple(rungs), " ".join(rung), frozenset(irreversible), frozenset(starts or rungs[:1]))


def _left(step: Step, old: Ladder) -> Iterator[Hit | Doubt]:
    if old.hidden:
        yield _doubt(step)
    elif not old.at_an_end:
        yield _hit(step, old, None, "goes, and with it the record of how far the change has come")


def _begun(step: Step, new: Ladder) -> Iterator[Hit]:
    """A new resource has no open questions, so what cannot be read is said here."""
    if new.hidden:
        yield _hit(step, None, new, "starts on a rung that is not known until the change runs", HIGH)
    elif new.wrong:
        yield _hit(step, None, new, _WRONG)
    elif new.rung not in new.starts:
        below = ", ".join(plain(rung) for rung in new.rungs[: new.rungs.index(new.rung)])
        yield _hit(step, None, new, f"starts on {plain(new.rung)}, without having stood on {below}", HIGH)


def _moved(step: Step, old: Ladder, new: Ladder) -> Iterator[Hit | Doubt]:
    if old.hidden or new.hidden:
        if old != new or _touched(step):
            yield _doubt(step)
    elif new.wrong:
        yield _hit(step, old, new, _WRONG)
    elif old.wrong:
        yield _hit(step, old, new, "stood on no rung of its own ladder, so that no step can be counted", HIGH)
    elif old.marks != new.marks:
        if old.rung != new.rung:
            yield _hit(step, old, new, "changes its ladder and its place at once, so that no step can be counted")
        else:
            yield _hit(step, old, new, "keeps its place, but its ladder has other rungs or marks than before", HIGH)
    else:
        yield from _counted(step, old, new)


def _counted(step: Step, old: Ladder, new: Ladder) -> Iterator[Hit]:
    """The move itself, on one and the same ladder."""
    here, there = new.rungs.index(old.rung), new.rungs.index(new.rung)
    way = f"from {plain(old.rung)} to {plain(new.rung)}"
    if abs(there - here) > 1:
        between = new.rungs[min(here, there) + 1 : max(here, there)]
        left_out = ", ".join(plain(rung) for rung in between)
        yield _hit(step, old, new, f"moves {way} and leaves out {left_out}")
    elif there > here and new.rung in new.irreversible:
        yield _hit(step, old, new, f"moves {way}, and from there is no way back", HIGH)
    elif there < here and old.rung in new.irreversible:
        yield _hit(step, old, new, f"moves back {way}, although what was done before cannot be taken back", HIGH)


_WRONG = "stands on no rung of its own ladder, or its ladder names a rung twice"


def _hit(step: Step, old: Ladder | None, new: Ladder | None, said: str, severity: Any = None) -> Hit:
    before, after = (plain(ladder.rung) if ladder else "not there" for ladder in (old, new))
    return Hit(f"{capital(subject(step))} {said}.", (Evidence(path=_RUNG, before=before, after=after),), severity)


def _doubt(step: Step) -> Doubt:
    return Doubt("value", f"{capital(subject(step))}: on which rung it stands is not known until the change runs.")


def _touched(step: Step) -> bool:
    return step.changes is None or any(change.path.startswith("data") for change in step.changes)


RULES = (ladder_climbed,)
