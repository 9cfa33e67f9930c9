"""Previews made by hand, in both of the engine's spellings (see tests/data for recorded ones)."""

from __future__ import annotations

import json
from typing import Any

SECRET_OBJECT = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "hunter2"}
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
RDS = "aws:rds/instance:Instance"
GROUP = "aws:ec2/securityGroup:SecurityGroup"


def urn(type_token: str, name: str) -> str:
    return f"urn:pulumi:staging::pay::{type_token}::{name}"


def step(
    op: str,
    type_token: str = RDS,
    name: str = "clearing",
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
    diff: dict[str, str] | None = None,
    **marks: Any,
) -> dict[str, Any]:
    """A step of a digest. ``marks`` beginning with ``old_`` or ``new_`` go into the states."""
    address = urn(type_token, name)
    made: dict[str, Any] = {"op": op, "urn": address, "detailedDiff": None}
    if diff is not None:
        made["detailedDiff"] = {path: {"kind": kind, "inputDiff": True} for path, kind in diff.items()}
    for side, inputs in (("old", old), ("new", new)):
        if inputs is not None:
            state = {"urn": address, "type": type_token, "custom": True, "inputs": inputs}
            state |= {key[4:]: value for key, value in marks.items() if key.startswith(side)}
            made[f"{side}State"] = state
    return made | {key: value for key, value in marks.items() if not key.startswith(("old_", "new_"))}


def digest(*steps: dict[str, Any], **rest: Any) -> str:
    """A whole digest; ``changeSummary`` counts the steps unless it is given."""
    summary: dict[str, int] = {"same": 7}
    for each in steps:
        summary[each["op"]] = summary.get(each["op"], 0) + 1
    return json.dumps({"steps": list(steps), "duration": 5, "changeSummary": summary} | rest, indent=4)


def events(*steps: dict[str, Any], **rest: Any) -> str:
    """The same as a stream of events."""
    lines: list[dict[str, Any]] = [{"sequence": 0, "timestamp": 1, "preludeEvent": {"config": {}}}]
    summary: dict[str, int] = {}
    sames = [step("same", "random:index/randomId:RandomId", f"same-{n}", old={}, new={}) for n in range(7)]
    for each in (*sames, *steps):
        summary[each["op"]] = summary.get(each["op"], 0) + 1
        lines.append({"sequence": 1, "timestamp": 1, "resourcePreEvent": {"metadata": _metadata(each)}})
    lines += rest.pop("more", [])
    payload = {"maybeCorrupt": False, "resourceChanges": summary, "PolicyPacks": {}, "isPreview": True} | rest
    lines.append({"sequence": 9, "timestamp": 1, "summaryEvent": payload})
    return "\n".join(json.dumps({"sequence": 1, "timestamp": 1} | line) for line in lines) + "\n"


def _metadata(each: dict[str, Any]) -> dict[str, Any]:
    diff = each["detailedDiff"]
    return {
        "op": each["op"],
        "urn": each["urn"],
        "type": (each.get("newState") or each.get("oldState"))["type"],
        "old": each.get("oldState"),
        "new": each.get("newState"),
        "keys": each.get("replaceReasons"),
        "diffs": each.get("diffReasons"),
        "detailedDiff": diff and {path: {"diffKind": entry["kind"]} for path, entry in diff.items()},
    }
