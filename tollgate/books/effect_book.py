"""The effects book (effects/*.yaml): what users notice when a property changes, or a resource comes or goes."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Any

from pydantic import Field, field_validator, model_validator

from tollgate.books.line_files import FOLDER, Book, read_lines
from tollgate.books.lines import Closed, Line

FOR_GOOD = "for good"
_NOT_LOOKED_UP = "[ours] an estimate, to be corrected by recorded runs"


class Notice(StrEnum):
    """What people who use the service notice, from nothing to the worst. ``rank`` orders them."""

    NOTHING = "nothing"
    RESERVE = "less in reserve"  # all works as before; the next fault, rush or restart is felt more than it would be
    RECONNECT = "brief reconnect"  # open connections are cut once; a client that tries again goes on
    DEGRADED = "degraded"  # all works, but slower or later
    PARTIAL = "partial outage"  # some requests, some customers, or one function fail
    OUTAGE = "outage"  # nothing that needs this works
    DATA_LOSS = "data loss"  # something that was stored is gone

    @property
    def rank(self) -> int:
        return _RANKS[self]

    @property
    def felt(self) -> bool:
        """Whether users notice it while nothing else goes wrong."""
        return self.rank > Notice.RESERVE.rank


_RANKS = {notice: place for place, notice in enumerate(Notice)}


class Reversible(StrEnum):
    """Whether the change can be taken back."""

    YES = "yes"
    ONE_WAY = "one way"  # it stays as it becomes, and nothing is lost by that, as with a disk that grew
    LOSES_DATA = "with data loss"  # what was written in between, or what went with it, is lost
    NO = "no"

    @property
    def rank(self) -> int:
        return _WAYS_BACK[self]


_WAYS_BACK = {way: place for place, way in enumerate(Reversible)}


class Spared(Closed):
    """What is noticed instead, when an equal resource of the same parent goes on meanwhile."""

    notice: Notice
    lasts: tuple[float, float] | None = None
    says: str


class EffectLine(Line):
    """One line. ``lasts``: p50 and p90 in seconds, or "for good"; none exactly when nothing is noticed.

    within: of a creation: types that it is set on. When one of them is new in the same change, nobody notices.
    waits: the change is accepted at once and takes effect in the maintenance window; ``unless`` names the property
    that makes it take effect at once. says: one sentence for a manager, with {subject} for the resource.
    or_worse: it depends on content that no book can judge, such as a configuration: what people notice is not known.
    lasts_source: where the seconds come from, when the source gives them.
    """

    notice: Notice
    lasts: tuple[float, float] | None = None
    for_good: bool = Field(False, description="it does not end by itself")
    or_worse: bool = False
    waits: bool = False
    unless: str = ""
    reversible: Reversible
    says: str
    lasts_source: str = _NOT_LOOKED_UP
    spared: Spared | None = None
    within: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _for_good(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("lasts") == FOR_GOOD:
            return {**value, "lasts": None, "for_good": True}
        return value

    @field_validator("within", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else tuple(value)

    @field_validator("reversible", mode="before")
    @classmethod
    def _yes_or_no(cls, value: Any) -> Any:
        """YAML reads yes and no as true and false."""
        return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value

    @model_validator(mode="after")
    def _consistent(self) -> EffectLine:
        if (self.notice is Notice.NOTHING) is not (self.lasts is None and not self.for_good):
            raise ValueError("what is noticed lasts a while or for good; nothing has no length")
        for span in (self.lasts, self.spared.lasts if self.spared else None):
            if span and not 0 < span[0] <= span[1]:
                raise ValueError("lasts is [p50, p90] in seconds, above zero and in this order")
        if self.unless and not self.waits:
            raise ValueError("unless belongs to waits: true")
        if "{subject}" not in self.says or not self.says.endswith("."):
            raise ValueError("says is a whole sentence that names its {subject}")
        return self


@lru_cache(maxsize=1)
def effect_book() -> Book[EffectLine]:
    """All lines. Raises TollgateError for a damaged book."""
    return read_lines(sorted((FOLDER / "effects").glob("*.yaml")), EffectLine)
