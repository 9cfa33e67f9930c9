"""The Plan: what the engine says would change. The first seam of the pipeline."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cached_property
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from tollgate.plan.ties import Tie, TieKind
from tollgate.policy.severity import Severity


class Frozen(BaseModel):
    """Base of every model that crosses a seam: immutable and closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __copy__(self) -> Self:
        """The fields alone: what was worked out of them (cached properties) need not hold for a copy that differs."""
        copied = super().__copy__()
        for name in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[name]
        return copied


class Op(StrEnum):
    """What the engine would do to one resource, in Pulumi's own words.

    Logical operations only: the engine's create-replacement and delete-replaced are folded into ``replace``.
    ``UNRECOGNISED`` stands for a word this version does not know: always treated as a change.
    """

    SAME = "same"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    READ = "read"
    REFRESH = "refresh"
    IMPORT = "import"
    DISCARD = "discard"
    UNRECOGNISED = "unrecognised"


class ChangeKind(StrEnum):
    ADD = "add"
    UPDATE = "update"
    DELETE = "delete"


class PropertyChange(Frozen):
    """One changed property. ``path`` in the engine's notation (``spec.arguments["x-delivery-limit"]``)."""

    path: str
    kind: ChangeKind
    replaces: bool = False


_FIRST_WORD = re.compile(r"[.\[]")


class Step(Frozen):
    """One operation on one resource.

    ``old`` and ``new`` are inputs in wire spelling (camelCase). Secrets read ``"[secret]"``; a value that only the
    change itself will tell is the engine's sentinel (see tollgate.policy.sentinels).
    """

    op: Op
    raw_op: str = Field(description="the engine's own word, kept for an unrecognised one")
    contradicts_itself: bool = Field(False, description="a known operation without the sides that it has")
    urn: str
    type: str
    name: str = Field(description="last part of the URN")
    parent: str = Field("", description="parent URN, empty at the root")
    provider: str = Field("", description="reference (URN::id) of the connection it is made through")
    provider_moved: bool = Field(False, description="another connection, whose settings differ or are not known")
    provider_before: str = ""
    urn_before: str = Field("", description="URN in the state, another one when an alias renames it")
    custom: bool = True
    old: dict[str, Any] | None = Field(None, description="inputs before; None when the resource is new")
    new: dict[str, Any] | None = Field(None, description="inputs after; None when it goes away")
    old_outputs: dict[str, Any] | None = None
    new_outputs: dict[str, Any] | None = None
    changes: tuple[PropertyChange, ...] | None = Field((), description="None: the engine gave no detailed diff")
    diff_keys: tuple[str, ...] = ()
    replace_keys: tuple[str, ...] = ()
    delete_before_replace: bool = False
    protect_before: bool = False
    protect_after: bool = False
    retain_on_delete: bool = Field(False, description="before the change")
    retain_after: bool = False
    ties: tuple[Tie, ...] = Field((), description="before the change; only a digest shows them")
    ties_after: tuple[Tie, ...] = Field((), description="after the change; only a digest shows them")

    @cached_property
    def memo(self) -> dict[str, Any]:
        """What a later room worked out of this step alone, and needs more than once."""
        return {}

    @cached_property
    def moving(self) -> frozenset[str]:
        """First words of the paths below which something may change: both sides differ, or the engine says so.

        All of them when the engine does not say what changes.
        """
        old, new = self.old or {}, self.new or {}
        if self.changes is None or self.old is None or self.new is None:
            return frozenset((*old, *new))
        differing = [key for key in {*old, *new} if old.get(key) != new.get(key)]
        return frozenset((*differing, *(_FIRST_WORD.split(change.path, 1)[0] for change in self.changes)))

    @cached_property
    def needs(self) -> tuple[str, ...]:
        """URNs of what it is made from, or made after, before the change or after it."""
        made_from = (TieKind.PROPERTY, TieKind.ORDER)
        ties = (*self.ties, *self.ties_after)
        return tuple(dict.fromkeys(tie.urn for tie in ties if tie.kind in made_from))


class Violation(Frozen):
    """A rule of the pack that did not hold for one resource. ``message`` is plain text, no colour tags."""

    rule: str
    pack: str
    urn: str
    message: str
    mandatory: bool
    severity: Severity | None = None


class Judged(Frozen):
    """A rule that was run on a resource, or on the stack as a whole (``urn`` is "")."""

    rule: str
    urn: str
    passed: bool


class PolicyResults(Frozen):
    """What the pack said, with positive evidence. ``passed`` counts rule x resource pairs."""

    packs: tuple[str, ...] = ()
    violations: tuple[Violation, ...] = ()
    judged: tuple[Judged, ...] = ()
    seen: tuple[str, ...] = Field((), description="URNs of the resources that the pack was shown")
    passed: int = 0
    failed: int = 0


class Diagnostic(Frozen):
    severity: str = Field(description="error, warning, info, info#err or debug")
    message: str
    urn: str = ""


class Source(StrEnum):
    """Where a plan came from: what it can and cannot tell."""

    DIGEST = "digest"
    EVENTS = "events"


class Plan(Frozen):
    """All that would change, in the engine's order."""

    source: Source
    project: str = ""
    stack: str = ""
    steps: tuple[Step, ...] = Field(
        description="changes, and sames that carry one (protect, retainOnDelete, another connection); plain sames "
        "are counted only"
    )
    config: dict[str, str] = Field(default_factory=dict, description="the stack's settings; secrets blinded")
    seen: frozenset[str] | None = Field(
        None, description="URNs, before the change, of what the engine went through; None: not all are told"
    )
    same: int = Field(0, description="resources that stay as they are")
    policy: PolicyResults | None = Field(None, description="None: no pack ran, or the source cannot say")
    diagnostics: tuple[Diagnostic, ...] = ()
    maybe_corrupt: bool = Field(False, description="the engine's own word")
    losses: tuple[str, ...] = Field((), description="what says that part of the plan is missing, one sentence each")
    strangers: tuple[str, ...] = Field((), description="what says that it is the plan of another state")
    notes: tuple[str, ...] = Field((), description="limits of this plan that a reader must know, one sentence each")
