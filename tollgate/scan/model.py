"""What checkov made of a footprint. Seam between the scan and the assessment: ids and URNs, no values."""

from __future__ import annotations

from enum import StrEnum

from tollgate.plan.model import Frozen


class Outcome(StrEnum):
    """What became of one check on one resource. Neither of the last two is a pass."""

    PASSED = "passed"
    FAILED = "failed"
    DECLINED = "declined"  # checkov gave no verdict, mostly because what the check is about is not there
    OPEN = "open"  # the check raised, or rests on a value that is not known yet


class Checked(Frozen):
    """One check on one resource. ``urn`` is empty for a check that as a whole could not be run."""

    check: str
    urn: str
    outcome: Outcome


class Gap(Frozen):
    """A resource, or a part of one (``path``), that checkov could not be asked about, and why, in words."""

    urn: str
    type: str
    path: str = ""
    why: str


class Scan(Frozen):
    """A scan that came to its end. ``resources``: how many checkov was given."""

    version: str
    resources: int
    checked: tuple[Checked, ...]
    gaps: tuple[Gap, ...] = ()


class NotRun(Frozen):
    """A scan that was wanted and did not come about; ``why`` completes "checkov could not run: …"."""

    why: str
