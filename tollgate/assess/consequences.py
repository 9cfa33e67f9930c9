"""What follows from a change: who is affected, of what class it is, how to go back, how risky it is. Models only."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from tollgate.assess.impact import Moment, Span
from tollgate.books.effect_book import Notice
from tollgate.plan.model import Frozen


class Through(Frozen):
    """One step of a way through the footprint: this resource uses the one before it, in this property."""

    urn: str
    property: str


class Reached(Frozen):
    """A changed resource and a service that it reaches. way: empty when the service owns it."""

    urn: str
    service: str
    way: tuple[Through, ...] = ()


class Affected(Frozen):
    """What the plan reaches. unmapped: changed resources that no service owns, and that reach none."""

    reached: tuple[Reached, ...] = ()
    unmapped: tuple[str, ...] = Field((), description="URNs")
    titles: dict[str, str] = Field(default_factory=dict, description="what each service of the register is called")

    def owners(self) -> dict[str, str]:
        """The service that owns a changed resource, by URN."""
        return {found.urn: found.service for found in self.reached if not found.way}


class Felt(Frozen):
    """What one service feels, at its worst. at_least: something about it is not known, so it may be worse."""

    notice: Notice = Notice.NOTHING
    lasts: Span | None = None
    for_good: bool = Field(False, description="it does not end by itself")
    moment: Moment = Moment.CHANGE
    at_least: bool = False


class JourneyImpact(Frozen):
    """What customers notice on one journey. through: the services on the way, the one where it begins first."""

    journey: str
    title: str
    felt: Felt
    through: tuple[str, ...] = Field(description="names of services in the register")


class ChangeClass(StrEnum):
    """What kind of change this is. The letters are those of seed article 14; the words those of ITIL."""

    NONE = "D"  # nothing changes
    STANDARD = "B"  # each part of it is of a kind that was approved beforehand
    NORMAL = "A"  # everything else: configuration, schema, data, whatever is not known
    EMERGENCY = "C"  # an incident was declared


class ClassReason(Frozen):
    """Why one part of the plan has its class. kind: the standard change it is, when it is one."""

    urn: str
    change_class: ChangeClass
    sentence: str
    kind: str = ""


class Classified(Frozen):
    """The class of the whole change: the highest of its parts."""

    change_class: ChangeClass
    sentence: str
    reasons: tuple[ClassReason, ...] = ()


class WayBack(StrEnum):
    """How far a part of the change can be taken back. Ordered: the last is the worst."""

    REVERSIBLE = "reversible"
    ONE_WAY = "one way"  # it stays as it becomes, and nothing is lost by that
    UNKNOWN = "not known"
    WITH_LOSS = "with data loss"
    NONE = "irreversible"

    @property
    def rank(self) -> int:
        return _WAYS[self]


_WAYS = {way: place for place, way in enumerate(WayBack)}


class Tried(StrEnum):
    """What the rehearsal of the way back showed of one part."""

    NOT = "not tried"
    CONFIRMED = "confirmed"  # the old definition puts it back
    SETTINGS = "settings only"  # it puts the settings back, and not what was lost
    REFUTED = "refuted"


class UndoStep(Frozen):
    """What undoing one part takes. seconds: None when it is not known. owner: the team, "" when nobody owns it."""

    urn: str
    way_back: WayBack
    sentence: str
    seconds: Span | None = None
    owner: str = ""
    backup: str = Field("", description="reference of the backup that the restore starts from")
    restore_seconds: float = Field(0, description="how long that restore took when it was last tried")
    tried: Tried = Tried.NOT


class UndoProof(Frozen):
    """What a rehearsal of the way back showed: the change applied to stand-ins, and its reverse previewed.

    rehearsed: False when there never was a plan back. refuted: URNs of the parts that it does
    not put back.
    """

    confirmed: bool
    rehearsed: bool = True
    refuted: tuple[str, ...] = ()
    differences: tuple[str, ...] = Field((), description="what the way back would not put back, one sentence each")


class Undo(Frozen):
    """steps: in the order in which they are done. no_return: the first part that cannot be fully taken back."""

    way_back: WayBack
    steps: tuple[UndoStep, ...] = ()
    no_return: str = Field("", description="a sentence; empty when everything can be taken back at any time")
    lasts: Span | None = Field(None, description="all steps, as the engine would do them; None: not known")
    at_least: bool = Field(False, description="some of it has no known length")
    proof: UndoProof | None = Field(None, description="None: nobody asked for a rehearsal of it")


class Band(StrEnum):
    """The word for the sum. Ordered."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Band).index(self)


class RiskFactor(Frozen):
    """One reason for points. evidence: URNs of resources."""

    rule: str
    points: int = Field(ge=0)
    sentence: str
    evidence: tuple[str, ...] = ()


class Risk(Frozen):
    """factors: most points first; those without points are the ones that were looked at and count nothing."""

    band: Band
    points: int
    factors: tuple[RiskFactor, ...]
