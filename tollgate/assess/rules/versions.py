"""The release of what a resource runs: moved up it cannot come back, moved down it may not start."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Doubt, Fine, Hit, Seen, step_rule
from tollgate.assess.values import Pair, in_words, is_hidden, is_known, may_move, pairs
from tollgate.books.versions import versioned
from tollgate.plan.model import Op, Step
from tollgate.policy.severity import CRITICAL, HIGH


@step_rule(
    id="version-moved",
    severity=HIGH,
    why="A new release is a one-way door: going back means restoring what was saved before it.",
    fix="rehearse it on a copy, take a backup just before, and let it be a change of its own",
    concerns=lambda type_token: versioned(type_token) is not None,
)
def version_moved(step: Step) -> Iterator[Seen]:
    """Another release of an engine, a control plane or a broker."""
    line = versioned(step.type)
    if line is None or step.op not in (Op.UPDATE, Op.REPLACE):
        return
    moving = [path for path in (line.path, *line.also) if may_move(step, path)]
    for pair in (pair for path in moving for pair in pairs(step, path)):
        if pair.touched and (is_hidden(pair.before) or is_hidden(pair.after)):
            yield Doubt("value", f"{capital(subject(step))}: whether it gets another release is not known.")
        elif is_known(pair.before) and is_known(pair.after):
            yield from _moved(step, pair, line.parts, line.why)


def _moved(step: Step, pair: Pair, parts: int, why: str) -> Iterator[Seen]:
    before, after = release(str(pair.before.value), parts), release(str(pair.after.value), parts)
    if before == after:
        if pair.touched and before is not None:
            yield Fine(pair.path, partial(_same_release, step, pair))
        return
    down = before is not None and after is not None and after < before
    way = "is taken back" if down else "moves"
    sentence = f"{capital(subject(step))} {way} from {in_words(pair.before)} to {in_words(pair.after)}: {why}."
    yield Hit(sentence, (pair.evidence(),), CRITICAL if down else HIGH)


def _same_release(step: Step, pair: Pair) -> tuple[str, tuple[Evidence, ...]]:
    who, now = capital(subject(step)), in_words(pair.after)
    text = f"{who}: we looked for another release; it is fine, because {now} is the same"
    return f"{text} one as {in_words(pair.before)}.", (pair.evidence(),)


def release(version: str, parts: int) -> tuple[int, ...] | None:
    """The numbers that make the release: of an image those of its tag. None when there are none."""
    tag = version.partition("@")[0].rpartition("/")[2].rpartition(":")[2]
    numbers = re.findall(r"\d+", tag)
    return tuple(int(number) for number in numbers[:parts]) or None


RULES = (version_moved,)
