"""What a change does to people, time and money: the models that effects, duration, downtime and cost share."""

from __future__ import annotations

from decimal import Decimal
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

    ``lasts`` is None when nothing is noticed, or when it does not end by itself (``for_good``). ``reversible`` is the
    worst of all properties that the step changes: it is taken back as a whole.
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
    """A change of which the book does not say what people notice. Never nothing.

    ``unheard``: no line of the book is about it; else one is, and the outcome depends on what it cannot judge.
    ``reversible``: what it says of the way back all the same.
    """

    urn: str
    type: str
    op: Operation | None = Field(description="None: not even the operation is known")
    path: str = ""
    sentence: str
    unheard: bool = False
    reversible: Reversible | None = None


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


class Money(Frozen):
    """An amount a month, from low to high usage. Decimals, written as text in JSON."""

    low: Decimal
    high: Decimal

    @model_validator(mode="after")
    def _ordered(self) -> Money:
        if self.low > self.high:
            raise ValueError("low is not above high")
        return self


class Priced(StrEnum):
    """What we know of the price of a resource."""

    PRICED = "priced"
    FREE = "free"  # no price of its own
    UNKNOWN = "unknown"  # something that is charged for it has no known price or quantity


class Charge(Frozen):
    """One thing that is charged, before and after the change; ``delta`` is the difference at the same usage.

    ``price`` is the line of the price book, None when nothing is charged after the change, or it is not known.
    """

    meter: str
    words: str = Field(description="what a person calls it")
    before: Money | None = Field(description="None: not charged before, or not known")
    after: Money | None
    delta: Money
    usage: str = Field("", description="the assumption that the quantity rests on, with its source")
    price: SourceLine | None = None
    unknown: str = Field("", description="why it is not known; empty when it is")


class ResourceCost(Frozen):
    """What a change of one resource costs more a month. Never a decrease while anything of it is unknown."""

    urn: str
    type: str
    service: str
    priced: Priced
    delta: Money
    charges: tuple[Charge, ...] = ()
    stays: bool = Field(False, description="the old one stays in the cloud, out of the definition, and is charged on")
    unknown: tuple[str, ...] = Field((), description="sentences: what is not known of it")


class ServiceCost(Frozen):
    service: str
    delta: Money
    unknown: int = Field(description="resources with something unknown: the delta is at least this much")


class PriceBookUsed(Frozen):
    """The book that prices were taken from: what a reader needs to check them."""

    id: str
    region: str
    effective: str
    review_by: str
    digest: str


class Cost(Frozen):
    """What the change costs more a month, in ``currency``. ``at_least``: something unknown comes on top."""

    currency: str
    delta: Money
    at_least: bool
    priced: int
    free: int
    unknown: int
    services: tuple[ServiceCost, ...] = Field((), description="the dearest first")
    resources: tuple[ResourceCost, ...] = Field((), description="those that are not free, by URN")
    books: tuple[PriceBookUsed, ...] = ()
