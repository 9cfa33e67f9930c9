"""What the policy pack said, collected from engine events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tollgate.errors import Problem
from tollgate.plan.model import Judged, PolicyResults, Violation
from tollgate.plan.text import plain
from tollgate.policy.severity import Severity

# Levels that do not stop the engine (sdk/go/common/apitype/policy.go). Any other word counts as mandatory.
_GENTLE = frozenset({"advisory", "disabled"})
_SEVERITIES = {severity.value: severity for severity in Severity}


def _name(pack: str) -> str:
    """A pack's own name. Of one that is a folder the engine's summary says ``name|local|<path>``."""
    return plain(pack).partition("|")[0]


class PolicyReader:
    """Collects violations and the counts of passed and failed rule x resource pairs."""

    def __init__(self) -> None:
        self._packs: set[str] = set()
        self._violations: list[Violation] = []
        self._judged: list[Judged] = []
        self._seen: dict[str, None] = {}

    def take(self, key: str, payload: Mapping[str, Any], where: str) -> list[Problem]:
        """Take in one event; events of other kinds are none of its business."""
        if key == "policyEvent":
            return self._violation(payload, where)
        if key in ("policyAnalyzeSummaryEvent", "policyAnalyzeStackSummaryEvent"):
            return self._checked(payload, where)
        return []

    def packs(self, packs: Any, where: str) -> list[Problem]:
        """The packs that the engine ran, as its summary names them (name → version)."""
        if packs is not None and not isinstance(packs, Mapping):
            return [Problem(where, "expected the version of each policy pack")]
        self._packs |= {_name(str(name)) for name in packs or {}}
        return []

    def results(self) -> PolicyResults | None:
        """None when no pack ran: that is not the same as a pack that found nothing."""
        if not self._packs and not self._violations:
            return None
        return PolicyResults(
            packs=tuple(sorted(self._packs)),
            violations=tuple(self._violations),
            judged=tuple(self._judged),
            seen=tuple(self._seen),
            passed=sum(judged.passed for judged in self._judged),
            failed=max(sum(not judged.passed for judged in self._judged), len(self._violations)),
        )

    def _violation(self, payload: Mapping[str, Any], where: str) -> list[Problem]:
        keys = ("policyName", "policyPackName", "resourceUrn", "message", "enforcementLevel", "severity")
        values = [payload.get(key) or "" for key in keys]
        if not all(isinstance(value, str) for value in values):
            return [Problem(where, "expected a policy violation with texts")]
        rule, pack, urn, message, level, severity = values
        self._packs.add(_name(pack))
        violation = Violation(
            rule=plain(rule),
            pack=_name(pack),
            urn=urn,
            message=plain(message),
            mandatory=level not in _GENTLE,
            severity=_SEVERITIES.get(severity),
        )
        if violation not in self._violations:
            self._violations.append(violation)
        return []

    def _checked(self, payload: Mapping[str, Any], where: str) -> list[Problem]:
        passed, failed = payload.get("passed") or [], payload.get("failed") or []
        if not isinstance(passed, list) or not isinstance(failed, list):
            return [Problem(where, "expected lists of rules that passed and failed")]
        self._packs.add(_name(str(payload.get("policyPackName") or "")))
        urn = str(payload.get("resourceUrn") or "")
        if urn:
            self._seen[urn] = None
        self._judged += [Judged.model_construct(rule=str(rule), urn=urn, passed=True) for rule in passed]
        self._judged += [Judged.model_construct(rule=str(rule), urn=urn, passed=False) for rule in failed]
        return []


def lost_violations(results: PolicyResults | None) -> tuple[str, ...]:
    """One sentence for each rule that is counted as failed and whose violation is not told."""
    if results is None:
        return ()
    told = {(violation.rule, violation.urn) for violation in results.violations}
    anywhere = {rule for rule, _ in told}
    lost = {
        judged.rule
        for judged in results.judged
        if not judged.passed
        and (plain(judged.rule) not in anywhere if not judged.urn else (plain(judged.rule), judged.urn) not in told)
    }
    return tuple(
        f"The rule {plain(rule)} did not hold for a resource, and the plan does not say what was wrong."
        for rule in sorted(lost)
    )
