"""Decisions that carry what follows from the change: people, time, money and the way back, in every shape."""

from __future__ import annotations

from decimal import Decimal

from tests.report.decisions import dangerous, harmless, urn
from tollgate.assess.consequences import (
    Affected,
    Band,
    ChangeClass,
    Classified,
    ClassReason,
    Felt,
    JourneyImpact,
    Reached,
    Risk,
    RiskFactor,
    Tried,
    Undo,
    UndoProof,
    UndoStep,
    WayBack,
)
from tollgate.assess.impact import (
    Charge,
    Cost,
    CriticalStep,
    Downtime,
    Duration,
    Effect,
    Moment,
    Money,
    PriceBookUsed,
    Priced,
    ResourceCost,
    ServiceCost,
    Span,
    UnknownDuration,
    UnknownEffect,
)
from tollgate.assess.model import Impact
from tollgate.books.effect_book import Notice, Reversible
from tollgate.books.lines import Operation, SourceLine
from tollgate.gate.model import Decision

RDS = "aws:rds/instance:Instance"
CLEARING, WALLET, ODD = urn("clearing"), urn("wallet"), urn("odd", "odd:index:Thing")
RESTART = SourceLine(file="effects/rds.yaml", line=7, id="rds-class", source="https://docs.example.com/rds")
PRICE = SourceLine(file="prices/one.yaml", line=3, id="rds-hour", source="[ours] a list price")


def money(low: float, high: float | None = None) -> Money:
    return Money(low=Decimal(str(low)), high=Decimal(str(low if high is None else high)))


def effect(notice: Notice, where: str = CLEARING, **more: object) -> Effect:
    values = {"urn": where, "type": RDS, "op": Operation.UPDATE, "notice": notice, "reversible": Reversible.YES}
    more = {"sentence": f"It is {notice.value} for a while.", "source": RESTART, **more}
    return Effect.model_validate(values | more)


def row(service: str, notice: Notice, because: tuple[Effect, ...] = (), **more: object) -> Downtime:
    values = {"service": service, "moment": Moment.CHANGE, "notice": notice, "at_least": False, "because": because}
    return Downtime.model_validate(values | more)


def journey(notice: Notice, title: str, **felt: object) -> JourneyImpact:
    made = Felt.model_validate({"notice": notice, **felt})
    return JourneyImpact(journey=title, title=title, felt=made, through=("clearing", "gateway"))


def no_cost(**more: object) -> Cost:
    values = {"currency": "USD", "delta": money(0), "at_least": False, "priced": 0, "free": 1, "unknown": 0}
    return Cost.model_validate(values | more)


def time_of(p50: float, p90: float, *, critical: tuple[CriticalStep, ...] = (), unknown: int = 0) -> Duration:
    open_ones = tuple(
        UnknownDuration(urn=ODD, type="odd", sentence=f"How long {n} takes is not known.") for n in range(unknown)
    )
    return Duration(
        total=Span(p50=p50, p90=p90), at_least=unknown > 0, critical=critical, unknown=open_ones, parallel=16
    )


def impact(**more: object) -> Impact:
    """A quiet one: nobody notices, nothing costs, all can be taken back."""
    values = {
        "effects": (effect(Notice.NOTHING),),
        "duration": time_of(1, 1),
        "cost": no_cost(),
        "affected": Affected(),
        "journeys": (),
        "classified": Classified(change_class=ChangeClass.STANDARD, sentence="This is a standard change."),
        "undo": Undo(way_back=WayBack.REVERSIBLE, lasts=Span(p50=1, p90=2)),
        "risk": Risk(band=Band.LOW, points=0, factors=(RiskFactor(rule="undo", points=0, sentence="It is open."),)),
    }
    return Impact.model_validate(values | more)


def of(decision: Decision, follows: Impact) -> Decision:
    assessment = decision.assessment.model_copy(update={"impact": follows})
    return decision.model_copy(update={"assessment": assessment})


def felt_everywhere() -> Decision:
    """Every kind of notice, moment and length; data lost on the way back, which was rehearsed."""
    window = effect(Notice.OUTAGE, moment=Moment.WINDOW, lasts=Span(p50=120, p90=600))
    many = tuple(effect(Notice.DATA_LOSS, sentence=f"Loss {n}.", for_good=True) for n in range(6))
    rows = (
        row("clearing", Notice.DATA_LOSS, many, for_good=True),
        row("gateway", Notice.OUTAGE, (window,), lasts=Span(p50=120, p90=600), moment=Moment.WINDOW),
        row("wallet", Notice.PARTIAL, many[:4], lasts=Span(p50=40, p90=40)),
        row("risk", Notice.DEGRADED, (window,), lasts=Span(p50=9000, p90=9000), at_least=True),
        row("account", Notice.RECONNECT, (window,), lasts=Span(p50=60, p90=4000), at_least=True),
        row("broker", Notice.NOTHING, at_least=True, not_known=(ODD,)),
    )
    journeys = (
        journey(Notice.DATA_LOSS, "receive a payout", for_good=True),
        journey(Notice.OUTAGE, "pay", lasts=Span(p50=120, p90=600), moment=Moment.WINDOW),
        journey(Notice.PARTIAL, "get a refund", lasts=Span(p50=10, p90=20), moment=Moment.NOT_KNOWN),
        journey(Notice.DEGRADED, "be told", lasts=Span(p50=10, p90=20), at_least=True),
        journey(Notice.RECONNECT, "sign in", lasts=Span(p50=1, p90=1)),
        journey(Notice.RESERVE, "close a day", for_good=True),
        journey(Notice.NOTHING, "look back", at_least=True),
    )
    charge = Charge(
        meter="m", words="hours", before=money(10), after=money(40), delta=money(30), usage="720 hours", price=PRICE
    )
    cost = Cost(
        currency="USD",
        delta=money(30),
        at_least=True,
        priced=1,
        free=2,
        unknown=1,
        services=(
            ServiceCost(service="clearing", delta=money(30), unknown=0),
            ServiceCost(service="wallet", delta=money(-3.2), unknown=2),
            ServiceCost(service="risk", delta=money(1, 4), unknown=1),
            ServiceCost(service="account", delta=money(-4, -1), unknown=0),
            ServiceCost(service="broker", delta=money(-4, 4), unknown=0),
            ServiceCost(service="queues", delta=money(0.1), unknown=0),
            ServiceCost(service="network", delta=money(0), unknown=1),
        ),
        resources=(
            ResourceCost(
                urn=CLEARING, type=RDS, service="clearing", priced=Priced.PRICED, delta=money(30), charges=(charge,)
            ),
            ResourceCost(
                urn=ODD, type="odd", service="wallet", priced=Priced.UNKNOWN, delta=money(0), unknown=("No price.",)
            ),
            ResourceCost(urn=WALLET, type=RDS, service="wallet", priced=Priced.PRICED, delta=money(0), stays=True),
        ),
        books=(PriceBookUsed(id="one", region="eu", effective="2025-01-01", review_by="2025-07-01", digest="ab" * 32),),
    )
    steps = (
        UndoStep(
            urn=CLEARING,
            way_back=WayBack.WITH_LOSS,
            sentence="It is made again, empty.",
            owner="ledger",
            seconds=Span(p50=60, p90=90),
        ),
        *(UndoStep(urn=WALLET, way_back=way, sentence="It is set back.", seconds=None) for way in WayBack),
        *(UndoStep(urn=WALLET, way_back=WayBack.REVERSIBLE, sentence="It goes.", tried=tried) for tried in Tried),
    )
    follows = impact(
        effects=(window, *many),
        unknown_effects=(UnknownEffect(urn=ODD, type="odd", op=None, sentence="What people notice is not known."),),
        duration=time_of(
            200,
            4000,
            unknown=1,
            critical=(
                CriticalStep(urn=CLEARING, op=Operation.UPDATE, lasts=Span(p50=100, p90=4000), source=RESTART),
                *(
                    CriticalStep(urn=WALLET, op=op, lasts=Span(p50=1, p90=2), source=None)
                    for op in (Operation.CREATE, Operation.DELETE, Operation.REPLACE, Operation.RECREATE)
                ),
            ),
        ),
        downtime=rows,
        cost=cost,
        affected=Affected(reached=(Reached(urn=CLEARING, service="clearing"),), unmapped=(ODD,)),
        journeys=journeys,
        classified=Classified(
            change_class=ChangeClass.NORMAL,
            sentence="This is a normal change.",
            reasons=(ClassReason(urn=CLEARING, change_class=ChangeClass.NORMAL, sentence="No standard change."),),
        ),
        undo=Undo(
            way_back=WayBack.WITH_LOSS,
            steps=steps,
            no_return="From here on there is no full way back.",
            lasts=Span(p50=60, p90=600),
            proof=UndoProof(confirmed=True),
        ),
        risk=Risk(
            band=Band.CRITICAL,
            points=150,
            factors=(
                RiskFactor(rule="stateful-data-replaced", points=100, sentence="Data.", evidence=(CLEARING,)),
                RiskFactor(rule="notice", points=50, sentence="Customers."),
            ),
        ),
    )
    return of(dangerous(), follows)


def nobody_notices() -> Decision:
    return of(harmless(), impact())


def no_register() -> Decision:
    """A project without registers: parts are disturbed, whose customers nobody knows; the way back fails."""
    hit = effect(Notice.RECONNECT, lasts=Span(p50=5, p90=6))
    follows = impact(
        effects=(hit,),
        downtime=(row("clearing", Notice.RECONNECT, (hit,), lasts=Span(p50=5, p90=6)),),
        affected=None,
        journeys=None,
        cost=no_cost(delta=money(5, 9), priced=2, free=0),
        duration=time_of(
            5, 7000, critical=(CriticalStep(urn=CLEARING, op=Operation.FORGET, lasts=Span(p50=1, p90=1), source=None),)
        ),
        undo=Undo(
            way_back=WayBack.NONE, proof=UndoProof(confirmed=False, differences=("Wallet would not be put back.",))
        ),
        risk=Risk(band=Band.HIGH, points=60, factors=(RiskFactor(rule="undo", points=60, sentence="Closed."),)),
    )
    return of(dangerous(), follows)


def not_known_at_all() -> Decision:
    """Nothing is known of what people notice; what can be taken back is not known either, and nobody tried."""
    follows = impact(
        effects=(),
        unknown_effects=(UnknownEffect(urn=ODD, type="odd", op=None, sentence="What people notice is not known."),),
        undo=Undo(way_back=WayBack.UNKNOWN, lasts=Span(p50=3600, p90=36000), at_least=True),
        risk=Risk(band=Band.MEDIUM, points=25, factors=(RiskFactor(rule="unknown", points=25, sentence="Not known."),)),
        cost=no_cost(free=0, unknown=1, at_least=True),
    )
    return of(harmless(), follows)


def only_parts() -> Decision:
    """Customers notice nothing, one part of the platform does; the way back was rehearsed and works."""
    hit = effect(Notice.DEGRADED, lasts=Span(p50=100, p90=100))
    follows = impact(
        effects=(hit,),
        downtime=(row("risk", Notice.DEGRADED, (hit,), lasts=Span(p50=100, p90=100)),),
        undo=Undo(way_back=WayBack.REVERSIBLE, lasts=Span(p50=5, p90=5), proof=UndoProof(confirmed=True)),
    )
    return of(harmless(), follows)


def only_reserve() -> Decision:
    """A standby goes: nobody notices, until the next fault."""
    hit = effect(Notice.RESERVE, for_good=True)
    follows = impact(
        effects=(hit,),
        downtime=(row("clearing", Notice.RESERVE, (hit,), for_good=True),),
        journeys=(journey(Notice.RESERVE, "pay", for_good=True),),
    )
    return of(harmless(), follows)


def content_changed() -> Decision:
    """A setting has other content: what that does no book says."""
    other = UnknownEffect(urn=CLEARING, type=RDS, op=Operation.UPDATE, sentence="A setting has other content.")
    follows = impact(
        effects=(effect(Notice.NOTHING),),
        unknown_effects=(other,),
        downtime=(row("clearing", Notice.NOTHING, at_least=True, not_known=(CLEARING,)),),
        journeys=(journey(Notice.NOTHING, "pay", at_least=True),),
    )
    return of(harmless(), follows)


def one_way() -> Decision:
    """A disk grew: it stays as it is, and nothing is lost."""
    return of(harmless(), impact(undo=Undo(way_back=WayBack.ONE_WAY, lasts=Span(p50=5, p90=5))))


ALL = [
    felt_everywhere,
    nobody_notices,
    no_register,
    not_known_at_all,
    only_parts,
    only_reserve,
    content_changed,
    one_way,
]
