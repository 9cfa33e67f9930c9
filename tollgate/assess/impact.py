"""What a change does to people, time and money: the models that effects, duration, downtime and cost share."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, model_validator

from tollgate.books.effect_book import Notice, Reversible
from tollgate.books.lines import Operation, SourceLine
from tollgate.plan.model import Frozen


class Span(Frozen):
    """How long something takes, in seconds: half of the times at most ``p50``, nine times of ten at most ``p90``."""

    p50: float = Field(ge=0)
    p90: float = Field(ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> Span:
        if self.p50 > self.p90:
            raise ValueError("p50 is not above p90")
        return self


class Moment(StrEnum):
    """When an effect begins. NOT_KNOWN: the setting that decides is only known when the change runs."""

    CHANGE = "with the change"
    WINDOW = "in the maintenance window"
    NOT_KNOWN = "with the change or in the maintenance window"


class Softer(Frozen):
    """What is noticed instead while an equal resource of the same parent goes on (see tollgate.assess.downtime)."""

    notice: Notice
    lasts: Span | None
    sentence: str


class Effect(Frozen):
    """What people notice of one step, at one moment: of several changed properties the worst.

    ``lasts`` is None when nothing is noticed, or when it does not end by itself (``for_good``).
    """

    urn: str
    type: str
    op: Operation
    path: str = Field("", description="the changed property that this comes from; empty for the operation as a whole")
    notice: Notice
    lasts: Span | None = None
    for_good: bool = False
    moment: Moment = Moment.CHANGE
    reversible: Reversible
    sentence: str
    source: SourceLine
    lasts_source: str = Field("", description="what the seconds rest on; empty when there are none")
    softer: Softer | None = None


class UnknownEffect(Frozen):
    """A change of which the book does not say what people notice. Never nothing."""

    urn: str
    type: str
    op: Operation | None = Field(description="None: not even the operation is known")
    path: str = ""
    sentence: str


class RecordedRun(Frozen):
    """How long one operation took in an earlier run: ``create``, ``update`` or ``delete`` of a type."""

    type: str
    op: Operation
    seconds: float = Field(gt=0)


class CriticalStep(Frozen):
    """One operation on the longest chain: what would have to be quicker for the whole to be."""

    urn: str
    op: Operation
    lasts: Span
    source: SourceLine | None = Field(description="None: known from recorded runs only")


class UnknownDuration(Frozen):
    """An operation of which neither the book nor the recorded runs say how long it takes."""

    urn: str
    type: str
    sentence: str


class Duration(Frozen):
    """How long the engine works. ``at_least``: something of unknown length comes on top."""

    total: Span
    at_least: bool
    critical: tuple[CriticalStep, ...] = Field((), description="the longest chain, in order, on a slow day (p90)")
    unknown: tuple[UnknownDuration, ...] = ()
    parallel: int = Field(description="operations that the engine does at once")
    recorded: int = Field(0, description="recorded runs that the figures were corrected by")


class Downtime(Frozen):
    """The worst that people notice of one service, at one moment.

    ``lasts``: at best its effects of that kind overlap as far as their order allows, at worst one comes after another.
    None when nothing is noticed, or when it does not end by itself (``for_good``).
    """

    service: str
    moment: Moment
    notice: Notice
    lasts: Span | None = None
    for_good: bool = False
    at_least: bool = Field(description="something of this service has an effect that is not known")
    because: tuple[Effect, ...] = Field((), description="the effects of the worst kind, worst first")
    not_known: tuple[str, ...] = Field((), description="URNs whose effect is not known")
