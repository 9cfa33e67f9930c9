"""The results as SARIF 2.1.0, for code scanning; source: OASIS SARIF 2.1.0, and what GitHub reads of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from tollgate.policy.exceptions import read_waived
from tollgate.policy.results import Answer, Result
from tollgate.policy.severity import CRITICAL, HIGH, LOW, MEDIUM
from tollgate.policy.statement import said
from tollgate.report.rules.model import PolicyReport, RuleLine
from tollgate.report.rules.places import Place, Places
from tollgate.report.text import readable, urn_name

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {CRITICAL: "error", HIGH: "error", MEDIUM: "warning", LOW: "note"}
# GitHub sorts alerts by this number (code scanning, "security-severity": 9.0 critical, 7.0 high, 4.0 medium).
_SCORES = {CRITICAL: "9.5", HIGH: "8.0", MEDIUM: "5.5", LOW: "2.0"}
_KINDS = {
    Answer.FAILED: "fail",
    Answer.WAIVED: "fail",
    Answer.NOT_EVALUATED: "open",
    Answer.PASSED: "pass",
    Answer.NOT_APPLICABLE: "notApplicable",
}


def render_sarif(report: PolicyReport, places: Places, version: str) -> str:
    """The log, one run with a result for every rule on every resource. Passes are told too: they are evidence."""
    index = {rule.id: number for number, rule in enumerate(report.rules)}
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "tollgate",
                        "version": version,
                        "rules": [_rule(rule) for rule in report.rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "properties": {"project": report.project, "pack": report.pack},
                "results": [
                    _result(result, stack.stack, report.rules[index[result.rule]], index[result.rule], places)
                    for stack in report.stacks
                    for result in stack.results
                ],
            }
        ],
    }
    return json.dumps(log, indent=2) + "\n"


def _rule(rule: RuleLine) -> dict[str, Any]:
    described = {
        "shortDescription": {"text": rule.why or rule.id},
        "help": {"text": f"To fix: {rule.fix}." if rule.fix else rule.id},
    }
    return {
        "id": rule.id,
        **described,
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"security-severity": _SCORES[rule.severity], "tags": ["security", *rule.controls]},
    }


def _result(result: Result, stack: str, rule: RuleLine, index: int, places: Places) -> dict[str, Any]:
    kind = _KINDS[result.answer]
    severity = max(rule.severity, result.severity, key=lambda each: each.rank)
    identity = f"{result.rule}|{result.urn or stack}"
    made: dict[str, Any] = {
        "ruleId": result.rule,
        "ruleIndex": index,
        "kind": kind,
        "level": _LEVELS[severity] if kind == "fail" else "none",
        "message": {"text": _text(result, stack)},
        "partialFingerprints": {"ruleAndResource/v1": hashlib.sha256(identity.encode()).hexdigest()},
        "locations": list(_locations(result, stack, places)),
        "properties": {"stack": stack, "answer": result.answer.value},
    }
    waived = read_waived(result.message) if result.answer is Answer.WAIVED else None
    if waived:
        made["suppressions"] = [
            {
                "kind": "external",
                "justification": f"{waived.reason} Until {waived.until}. Owner: {waived.owner}. {waived.instead}",
            }
        ]
    return made


def _text(result: Result, stack: str) -> str:
    name = urn_name(result.urn) if result.urn else f"the stack {stack}"
    if result.answer is Answer.PASSED:
        return readable(f"{name} keeps {result.rule}.")
    if result.answer is Answer.NOT_APPLICABLE:
        return readable(f"{name} has nothing that {result.rule} reads.")
    waived = read_waived(result.message)
    return readable(f"{name}: {' '.join(said(waived.message if waived else result.message).found.split())}")


def _locations(result: Result, stack: str, places: Places) -> Iterator[dict[str, Any]]:
    place = places.of(result.urn, stack)
    logical = {"fullyQualifiedName": result.urn, "kind": "resource"} if result.urn else {"name": stack, "kind": "stack"}
    yield {**({"physicalLocation": _physical(place)} if place else {}), "logicalLocations": [logical]}


def _physical(place: Place) -> dict[str, Any]:
    return {
        "artifactLocation": {"uri": place.file, "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": place.line},
    }
