"""Reads engine events: the streamed form of ``pulumi preview --json``, and ``--event-log`` files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tollgate.errors import Problem, TollgateError
from tollgate.plan.counts import missing_refusals, missing_steps, read_counts
from tollgate.plan.digest import diagnostic_of, plain_sames, read_config, refuse, stack_of
from tollgate.plan.fold import fold
from tollgate.plan.model import Diagnostic, Plan, PolicyResults, Source
from tollgate.plan.policy_events import PolicyReader, lost_violations
from tollgate.plan.steps import EVENT_SPELLING, RawStep, ShapeError, read_step
from tollgate.plan.text import ADVICE, parse_json

# The payloads of sdk/go/common/apitype/events.go, v3.257.0.
EVENT_KEYS = frozenset(
    {
        "cancelEvent",
        "stdoutEvent",
        "diagnosticEvent",
        "preludeEvent",
        "summaryEvent",
        "resourcePreEvent",
        "resOutputsEvent",
        "resOpFailedEvent",
        "policyEvent",
        "policyRemediationEvent",
        "policyLoadEvent",
        "policyAnalyzeSummaryEvent",
        "policyRemediateSummaryEvent",
        "policyAnalyzeStackSummaryEvent",
        "startDebuggingEvent",
        "progressEvent",
        "errorEvent",
    }
)


# The result in the engine's summary; older engines say nothing (sdk/go/common/apitype/events.go).
_NO_BEGINNING = "The stream of events does not begin where the engine began: its first event is missing."
_WENT_WELL = (None, "", "succeeded")


class PlanBuilder:
    """Builds a Plan from engine events, fed one at a time in any order."""

    def __init__(self) -> None:
        self._phases: list[list[RawStep]] = [[]]
        self._refreshed: dict[str, int] = {}
        self._counts: dict[str, int] | None = None
        self._diagnostics: list[Diagnostic] = []
        self._policy = PolicyReader()
        self._config: dict[str, str] | None = None
        self._corrupt = False
        self._failed = False
        self._problems: list[Problem] = []
        self._fed = 0

    def feed(self, event: Mapping[str, Any]) -> None:
        """Take in one event. A malformed one is remembered and refused by plan(), with all others."""
        self._fed += 1
        where = f"event {self._fed}"
        for key in EVENT_KEYS & event.keys():
            payload = event[key]
            if not isinstance(payload, Mapping):
                self._problems.append(Problem(f"{where}.{key}", "expected an object"))
                continue
            self._take(key, payload, f"{where}.{key}")

    def plan(self) -> Plan:
        """The Plan of everything fed.

        Raises TollgateError when the engine never came to its summary, or an event was malformed.
        """
        refuse(self._problems)
        if self._counts is None:
            message = "The stream of events stops before the engine's summary: the plan is not complete."
            raise TollgateError(message, advice="let the preview run to its end, and give all of its output")
        policy = self._policy.results()
        raws = self._all_steps()
        steps, sames = fold(raws)
        lost = missing_steps(self._phases[0], self._counts, lists_sames=True)
        lost += missing_refusals(raws, self._diagnostics)
        stack, project = stack_of(raws)
        return Plan.model_construct(
            source=Source.EVENTS,
            project=project,
            stack=stack,
            steps=steps,
            same=plain_sames(self._counts, steps, sames),
            policy=policy,
            diagnostics=(*self._diagnostics, *self._unexplained(policy)),
            maybe_corrupt=self._corrupt,
            losses=(*lost, *lost_violations(policy), *([] if self._config is not None else [_NO_BEGINNING])),
            config=self._config or {},
            seen=frozenset(raw.old.urn or raw.urn for raw in raws if raw.old),
        )

    def _unexplained(self, policy: PolicyResults | None) -> tuple[Diagnostic, ...]:
        """An error of our own when the engine says that it failed, and nothing that was fed says why."""
        explained = any(found.severity == "error" for found in self._diagnostics)
        refused = policy is not None and any(violation.mandatory for violation in policy.violations)
        if not self._failed or explained or refused:
            return ()
        return (Diagnostic(severity="error", message="it ended with a failure, and nothing here says why"),)

    def _take(self, key: str, payload: Mapping[str, Any], where: str) -> None:
        if key == "resourcePreEvent":
            self._step(payload, where)
        elif key == "resOutputsEvent":
            self._outputs(payload, where)
        elif key == "summaryEvent":
            self._summary(payload, where)
        elif key == "preludeEvent":
            self._config = read_config(payload.get("config"), f"{where}.config", self._problems) | (self._config or {})
        elif key == "diagnosticEvent":
            diagnostic = None if payload.get("ephemeral") else diagnostic_of(payload, where, self._problems)
            self._diagnostics += [diagnostic] if diagnostic else []
        elif key == "errorEvent":
            self._diagnostics.append(Diagnostic(severity="error", message=str(payload.get("error", ""))))
        else:
            self._problems += self._policy.take(key, payload, where)

    def _step(self, payload: Mapping[str, Any], where: str) -> RawStep | None:
        try:
            raw = read_step(payload.get("metadata"), EVENT_SPELLING, f"{where}.metadata")
        except ShapeError as error:
            self._problems += error.problems
            return None
        if raw.op == "refresh":
            self._refreshed[raw.urn] = len(self._phases[-1])
        self._phases[-1].append(raw)
        return raw

    def _outputs(self, payload: Mapping[str, Any], where: str) -> None:
        """Only a refresh tells its result here: an update or a deletion that it found outside of Pulumi."""
        metadata = payload.get("metadata")
        urn = metadata.get("urn") if isinstance(metadata, Mapping) else None
        if not isinstance(urn, str) or urn not in self._refreshed or metadata.get("op") not in ("update", "delete"):  # type: ignore[union-attr]
            return
        place = self._refreshed.pop(urn)
        raw = self._step(payload, where)
        if raw:
            self._phases[-1].pop()
            self._phases[-1][place] = raw

    def _summary(self, payload: Mapping[str, Any], where: str) -> None:
        """The first summary ends the preview; a second one ends the update that followed it in the same log."""
        counts, bad = read_counts(payload.get("resourceChanges") or {}, f"{where}.resourceChanges")
        self._problems += bad
        self._counts = counts if self._counts is None else self._counts
        self._corrupt = self._corrupt or payload.get("maybeCorrupt") is True
        self._failed = self._failed or payload.get("result") not in _WENT_WELL
        self._problems += self._policy.packs(payload.get("PolicyPacks"), f"{where}.PolicyPacks")
        self._phases.append([])
        self._refreshed = {}

    def _all_steps(self) -> list[RawStep]:
        """The preview's steps, then what a later phase did that the preview did not show."""
        shown = {(raw.op, raw.urn) for raw in self._phases[0]}
        later = [raw for phase in self._phases[1:] for raw in phase if (raw.op, raw.urn) not in shown]
        return self._phases[0] + later


def read_events(lines: Iterable[str]) -> Plan:
    """The Plan of a stream of events, one JSON object a line.

    Raises TollgateError when a line cannot be read, is no engine event, or the stream stops before its summary.
    """
    builder = PlanBuilder()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        event = parse_json(line, f"event in line {number}")
        if not isinstance(event, dict) or not _is_event(event):
            raise TollgateError(f"Line {number} is not an event of the Pulumi engine.", advice=ADVICE)
        builder.feed(event)
    return builder.plan()


def _is_event(event: dict[str, Any]) -> bool:
    """True also for a kind of event that a newer engine may add: those carry a sequence number and a time."""
    return bool(EVENT_KEYS & event.keys()) or {"sequence", "timestamp"} <= event.keys()
