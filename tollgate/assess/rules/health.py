"""Health checks that take an error for a good answer."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Fine, Hit, Seen, step_rule
from tollgate.assess.values import Pair, is_known, pairs
from tollgate.books.guards import guard_book
from tollgate.books.match import matches
from tollgate.plan.model import Op, Step

_SHARED = guard_book().rules["health-check-weakened"]
_GROUPS = ("aws:lb/targetGroup:TargetGroup", "aws:alb/targetGroup:TargetGroup")
_ERRORS = range(400, 600)  # HTTP status codes of faults of the client and of the server (RFC 9110, section 15)


@step_rule(
    id="health-check-weakened",
    severity=_SHARED.severity,
    why=_SHARED.why,
    fix=_SHARED.fix,
    concerns=lambda type_token: matches(type_token, _GROUPS),
)
def errors_pass(step: Step) -> Iterator[Seen]:
    """Status codes of errors count as healthy that did not."""
    if step.op not in (Op.UPDATE, Op.REPLACE):
        return
    for pair in pairs(step, "healthCheck.matcher", "200"):
        if not is_known(pair.after):
            continue
        new = _codes(pair.after.value) - (_codes(pair.before.value) if is_known(pair.before) else frozenset())
        errors = sorted(new & frozenset(_ERRORS))
        if errors:
            said = f"{capital(subject(step))} takes errors for a good answer ({errors[0]} among them)."
            yield Hit(said, (pair.evidence(),))
        elif pair.touched:
            yield Fine(pair.path, partial(_fine, step, pair))


def _fine(step: Step, pair: Pair) -> tuple[str, tuple[Evidence, ...]]:
    text = f"{capital(subject(step))}: we looked for errors that pass as healthy; it is fine, because none does."
    return text, (pair.evidence(),)


def _codes(matcher: Any) -> frozenset[int]:
    """The codes in ``200,301-399``. What is no code is left out."""
    found: set[int] = set()
    for part in str(matcher).split(","):
        first, _, last = part.strip().partition("-")
        if first.isdigit() and (last or first).isdigit():
            found |= set(range(int(first), min(int(last or first), 999) + 1))
    return frozenset(found)


RULES = (errors_pass,)
