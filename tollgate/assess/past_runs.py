"""How long the operations of a past ``pulumi up`` took, read from the events that the engine told.

They go below ``operations`` in history.yaml, and correct the book of durations from then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

from tollgate.assess.impact import RecordedRun
from tollgate.books.lines import Operation
from tollgate.errors import TollgateError
from tollgate.plan.text import parse_json

ADVICE = "give what `pulumi up --yes --json` printed, or a file that `--event-log` wrote"
# The engine's operations that ask the provider to do something (sdk/go/common/apitype/history.go). What is replaced is
# made and deleted apart.
_OPERATIONS = {
    "create": Operation.CREATE,
    "create-replacement": Operation.CREATE,
    "update": Operation.UPDATE,
    "delete": Operation.DELETE,
    "delete-replaced": Operation.DELETE,
}
# The log counts whole seconds: less than one is told as one, never as none.
_LEAST_SECONDS = 1.0


def past_runs(lines: Iterable[str]) -> tuple[RecordedRun, ...]:
    """One for each operation that ended well, in the order in which they ended.

    Raises TollgateError when a line cannot be read, or when nothing was done, as in the log of a preview.
    """
    began: dict[tuple[str, str], float] = {}
    found: list[RecordedRun] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        event = parse_json(line, f"event in line {number}", ADVICE)
        if not isinstance(event, dict) or not isinstance(event.get("timestamp"), int | float):
            raise TollgateError(f"Line {number} is not an event with a time.", advice=ADVICE)
        for kind in ("resourcePreEvent", "resOutputsEvent"):
            told = _operation(event.get(kind))
            if told is None:
                continue
            urn, op, token = told
            if kind == "resourcePreEvent":
                began[urn, op] = event["timestamp"]
            elif (urn, op) in began:
                seconds = max(event["timestamp"] - began.pop((urn, op)), _LEAST_SECONDS)
                found.append(RecordedRun(type=token, op=_OPERATIONS[op], seconds=seconds))
    if not found:
        raise TollgateError("Nothing was made, changed or deleted in this run.", advice=ADVICE)
    return tuple(found)


def _operation(payload: Any) -> tuple[str, str, str] | None:
    """URN, operation and type of an event about a resource of a provider; None for all others, and for a preview's."""
    if not isinstance(payload, Mapping) or payload.get("planning"):
        return None
    told = payload.get("metadata")
    if not isinstance(told, Mapping) or told.get("op") not in _OPERATIONS:
        return None
    side = told.get("new") or told.get("old")
    if not isinstance(side, Mapping) or not side.get("custom"):
        return None
    return str(told.get("urn")), str(told["op"]), str(told.get("type"))


def as_lines(runs: Iterable[RecordedRun]) -> list[str]:
    """Entries for history.yaml, one a line: of each type and operation, every run; the slowest kinds first."""
    by_kind: dict[tuple[str, str], list[float]] = {}
    for run in runs:
        by_kind.setdefault((run.type, run.op.value), []).append(run.seconds)
    slowest = sorted(by_kind.items(), key=lambda pair: (-median(pair[1]), pair[0]))
    return [
        f'  - {{type: "{token}", op: {op}, seconds: {seconds:g}}}' for (token, op), all_ in slowest for seconds in all_
    ]
