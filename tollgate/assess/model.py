"""The Assessment: what a plan means. Seam between plan and gate."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from pydantic import Field

from tollgate.assess.consequences import Affected, Classified, JourneyImpact, Risk, Undo
from tollgate.assess.impact import Cost, Downtime, Duration, Effect, UnknownEffect
from tollgate.plan.model import Frozen
from tollgate.policy.severity import Severity

SCHEMA_VERSION = "1"


class Origin(StrEnum):
    """Who found it."""

    OPERATION = "operation"  # a rule over the steps of the plan
    POLICY = "policy"  # the policy pack, over one resource's inputs
    CHECKOV = "checkov"  # checkov, over what the stack declares once the change is made
    PLAN = "plan"  # the plan itself could not be read to the end, or says something went wrong


class Evidence(Frozen):
    """The property that a sentence rests on. Values are display text: never a secret, never a sentinel."""

    path: str
    before: str = ""
    after: str = ""


class Finding(Frozen):
    """One thing a reader must know, as a sentence that names the resource in words, not by URN."""

    rule: str
    severity: Severity
    urn: str
    sentence: str
    origin: Origin
    why: str = ""
    fix: str = ""
    evidence: tuple[Evidence, ...] = ()
    mandatory: bool = Field(False, description="a rule of the pack that the engine itself enforces")
    also: tuple[str, ...] = Field((), description="checks of checkov that found the same, told here and not again")


class Disproven(Frozen):
    """A danger that was looked for and is not there. ``alike``: how often else this rule found nothing."""

    rule: str
    urn: str
    sentence: str
    evidence: tuple[Evidence, ...] = ()
    alike: int = 0


class Unknown(Frozen):
    """Something we cannot tell. Never a zero, never a pass."""

    what: str = Field(description="stable word: diff, type, replacement, value, op, secret, policy, scan")
    sentence: str
    urn: str = ""


class Counts(Frozen):
    """Resources by what happens to them. ``guards``: only their protection or retention changes."""

    create: int = 0
    update: int = 0
    replace: int = 0
    delete: int = 0
    guards: int = 0
    same: int = 0
    other: int = 0


class Checks(Frozen):
    """Rule x resource pairs. ``not_evaluated``: could not be shown either way."""

    passed: int = 0
    failed: int = 0
    waived: int = 0
    not_evaluated: int = 0


class Agreed(Frozen):
    """What a named person has agreed to live with, for a time: told in every report, never hidden."""

    rule: str
    owner: str
    approver: str
    until: date = Field(description="the last day on which it holds")
    reason: str
    instead: str = Field(description="what keeps people safe meanwhile")


class Waived(Agreed):
    """A violation that stands under an exception of the project's register."""

    urn: str
    sentence: str = Field(description="what was found, with the resource in words")


class AcceptedRisk(Agreed):
    """Findings of one check of checkov that the project's register accepts; ``resources``: on how many."""

    resources: int
    says: str = Field(description="what the check found, as the end of a sentence")


class Scanned(Frozen):
    """How checkov's look at the whole footprint went. Counts are check x resource pairs."""

    ran: bool
    version: str = ""
    resources: int = 0
    checks: Checks = Checks()
    accepted: tuple[AcceptedRisk, ...] = ()


class ChangedResource(Frozen):
    """A row of the appendix."""

    urn: str
    type: str
    name: str
    op: str
    properties: tuple[str, ...] = ()
    replaced_because: tuple[str, ...] = ()


class FactRow(Frozen):
    """One fact of the plan (tollgate.plan.facts.Fact), with an id to ask about it: ``tollgate explain ID``."""

    id: str = Field(description="the first 12 digits of the sha256 of the fact")
    op: str
    urn: str
    type: str
    path: str
    kind: str
    before: str = Field(description="hash of the value before, or a word: absent, unknown, secret")
    after: str


class Impact(Frozen):
    """What follows from the change: for people, in time and money, and for the way back.

    affected, journeys: None when the project keeps no register of its services.
    """

    effects: tuple[Effect, ...] = ()
    unknown_effects: tuple[UnknownEffect, ...] = ()
    duration: Duration
    downtime: tuple[Downtime, ...] = ()
    cost: Cost
    affected: Affected | None = None
    journeys: tuple[JourneyImpact, ...] | None = None
    classified: Classified
    undo: Undo
    risk: Risk


class Assessment(Frozen):
    """What a change means, with its evidence. Findings are sorted worst first, then by URN and rule."""

    schema_version: str = SCHEMA_VERSION
    project: str = ""
    stack: str = ""
    facts_digest: str = Field(description="sha256 of the canonical facts (tollgate.plan.facts)")
    facts: tuple[FactRow, ...] = ()
    counts: Counts
    findings: tuple[Finding, ...] = ()
    unknowns: tuple[Unknown, ...] = ()
    disproven: tuple[Disproven, ...] = Field((), description="one a rule, the gravest rule first")
    checks: Checks | None = Field(None, description="None: no pack ran")
    waived: tuple[Waived, ...] = ()
    scan: Scanned | None = Field(None, description="None: checkov was left out")
    resources: tuple[ChangedResource, ...] = ()
    impact: Impact | None = Field(None, description="None: not worked out")
    notes: tuple[str, ...] = ()
