"""What an operation rule is: one statement, and a look at a step (or at the whole change) that yields what it saw."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tollgate.assess.model import Evidence, Origin
from tollgate.plan.facts import Fact
from tollgate.plan.graph import Graph
from tollgate.plan.model import Plan, Step
from tollgate.plan.state import State
from tollgate.policy.severity import Severity


@dataclass(frozen=True, slots=True)
class Hit:
    """The rule's danger is there. ``severity`` when this case is worse or milder than the rule in general."""

    sentence: str
    evidence: tuple[Evidence, ...] = ()
    severity: Severity | None = None
    urn: str = ""


@dataclass(frozen=True, slots=True)
class Doubt:
    """The rule cannot tell. ``what``: value, secret, type, diff or op (see tollgate.assess.model.Unknown)."""

    what: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Fine:
    """The rule looked for its danger in a change, and it is not there.

    path: the property it looked at. say: makes the sentence and its evidence; only called for the few that are shown.
    """

    path: str
    say: Callable[[], tuple[str, tuple[Evidence, ...]]]


Seen = Hit | Doubt | Fine
Look = Callable[[Step], Iterable[Seen]]


@dataclass(frozen=True, slots=True)
class Whole:
    """A change and what is known around it.

    state: the stack before. graph: who hangs on whom. earlier: facts of recorded changes before this one.
    """

    plan: Plan
    state: State | None
    graph: Graph
    earlier: frozenset[Fact] = frozenset()


@dataclass(frozen=True, slots=True)
class StepRule:
    """A rule over one step. ``why`` in one sentence; ``fix`` is what to do instead.

    concerns: whether the rule has anything to say of a type of resource; it is not asked about others.
    """

    id: str
    severity: Severity
    why: str
    fix: str
    look: Look
    concerns: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class PlanRule:
    """A rule over the change as a whole; each outcome names its URN, or none."""

    id: str
    severity: Severity
    why: str
    fix: str
    look: Callable[[Whole], Iterable[Hit]]
    origin: Origin


def step_rule(
    id: str,  # noqa: A002
    severity: Severity,
    why: str,
    fix: str,
    concerns: Callable[[str], bool] = lambda _: True,
) -> Callable[[Look], StepRule]:
    """Turn a look at one step into a rule."""
    return lambda look: StepRule(id, severity, why, fix, look, concerns)


def plan_rule(
    id: str,  # noqa: A002
    severity: Severity,
    why: str,
    fix: str,
    origin: Origin = Origin.OPERATION,
) -> Callable[[Callable[[Whole], Iterable[Hit]]], PlanRule]:
    """Turn a look at the whole change into a rule."""
    return lambda look: PlanRule(id, severity, why, fix, look, origin)
