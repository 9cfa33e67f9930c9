"""Reads a plan in whichever form Pulumi printed it."""

from __future__ import annotations

import json

from tollgate.errors import TollgateError
from tollgate.plan.collector import collector_paused
from tollgate.plan.digest import plan_of_digest
from tollgate.plan.events import EVENT_KEYS, read_events
from tollgate.plan.model import Plan
from tollgate.plan.text import ADVICE, decode, parse_json

# How Pulumi's output for people begins (pkg/backend/display), which has no values to assess.
_HUMAN = ("Previewing ", "Updating ", "Destroying ", "Loading policy packs")


def read_plan(text: str | bytes) -> Plan:
    """The Plan of a preview digest, an event stream or an event log, told apart by their first line.

    Raises TollgateError when it is none of them, or not complete.
    """
    decoded = decode(text).strip()
    if not decoded:
        raise TollgateError("The plan is empty: there is nothing to assess.", advice=ADVICE)
    if decoded.startswith(_HUMAN):
        raise TollgateError("This is Pulumi's output for people; it does not hold the values.", advice=ADVICE)
    if decoded[0] not in '{["0123456789-tfn':
        raise TollgateError(f"This is not JSON: it begins with {decoded[:20]!r}.", advice=ADVICE)
    with collector_paused():
        if _begins_with_event(decoded):
            return read_events(decoded.split("\n"))
        return plan_of_digest(parse_json(decoded, "preview"))


def _begins_with_event(text: str) -> bool:
    """True when the first line alone is an engine event. A digest is indented, or one line without event keys."""
    first = text[:end] if (end := text.find("\n")) >= 0 else text
    try:
        event = json.loads(first)
    except (ValueError, RecursionError):
        # A stream of which not even the first line is whole.
        return first.startswith('{"sequence"')
    return isinstance(event, dict) and bool((EVENT_KEYS | {"sequence"}) & event.keys())
