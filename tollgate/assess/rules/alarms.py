"""Alarms that go off later, or tell nobody: what a threshold, a question or a message says before and after."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from tollgate.assess.amounts import amount
from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Hit, Seen, step_rule
from tollgate.books.guards import Unit, guard_book
from tollgate.books.match import matches
from tollgate.plan.model import Op, Step
from tollgate.plan.text import plain
from tollgate.policy.sentinels import is_secret, is_unknown
from tollgate.policy.severity import MEDIUM

_SHARED = guard_book().rules["alarm-weakened"]
_CHANGED = (Op.UPDATE, Op.REPLACE)
_METRIC = ("aws:cloudwatch/metricAlarm:MetricAlarm",)
_PROMETHEUS = ("kubernetes:monitoring.coreos.com/*:PrometheusRule",)
_MONITOR = ("datadog:index/monitor:Monitor",)
_FAR = 2  # [ours] a threshold that follows a somewhat larger machine is no other alarm; one twice as far off is
_HANDLE = re.compile(r"@[A-Za-z0-9][\w.@-]*")  # whom a message calls (https://docs.datadoghq.com/monitors/notify/)


@step_rule(
    id="alarm-weakened",
    severity=MEDIUM,
    why=_SHARED.why,
    fix=_SHARED.fix,
    concerns=lambda type_token: matches(type_token, (*_METRIC, *_PROMETHEUS, *_MONITOR)),
)
def alarm_loosened(step: Step) -> Iterator[Seen]:
    """A threshold moves away, an alarm asks another question or waits longer, or a message calls fewer people."""
    if step.op not in _CHANGED or step.old is None or step.new is None:
        return
    if matches(step.type, _METRIC):
        yield from _threshold(step, step.old, step.new)
    elif matches(step.type, _PROMETHEUS):
        yield from _questions(step, _alerts(step.old), _alerts(step.new))
    else:
        yield from _message(step, step.old, step.new)


def _threshold(step: Step, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Hit]:
    before, after = (amount(side.get("threshold"), Unit.NUMBER) for side in (old, new))
    goes_up = str(new.get("comparisonOperator", "")).startswith("GreaterThan")
    if before is None or after is None or before == after or old.get("comparisonOperator") is None:
        return
    far = after >= before * _FAR if goes_up else after <= before / _FAR
    if (after > before) is goes_up and far:
        evidence = Evidence(path="threshold", before=str(before), after=str(after))
        yield Hit(f"{capital(subject(step))} goes off at {after} instead of {before}, which is later.", (evidence,))


def _alerts(inputs: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The alerts of a Prometheus rule by name; what is not shaped as one is left out."""
    spec = inputs.get("spec")
    groups = spec.get("groups") if isinstance(spec, Mapping) else None
    rules = [rule for group in _maps(groups) for rule in _maps(group.get("rules"))]
    return {str(rule["alert"]): rule for rule in rules if "alert" in rule}


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _questions(step: Step, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Hit]:
    who = capital(subject(step))
    for name in sorted(old):
        shown = plain(name)
        if name not in new:
            yield Hit(f"{who} no longer has the alarm {shown}.", (Evidence(path=shown, before="there", after="gone"),))
            continue
        before, after = old[name], new[name]
        waits = [_seconds(side.get("for", 0)) for side in (before, after)]
        if _text(before.get("expr")) != _text(after.get("expr")):
            yield Hit(f"{who}: the alarm {shown} asks another question.", (Evidence(path=f"{shown} expr"),))
        elif None in waits or waits[1] > waits[0]:  # type: ignore[operator]
            evidence = Evidence(path=f"{shown} for", before=_text(before.get("for")), after=_text(after.get("for")))
            yield Hit(f"{who}: the alarm {shown} waits longer before it goes off.", (evidence,))
        elif before.get("labels") != after.get("labels"):
            yield Hit(f"{who}: the alarm {shown} may reach other people.", (Evidence(path=f"{shown} labels"),))


def _seconds(wait: Any) -> Decimal | None:
    """Here ``m`` alone stands for minutes (https://prometheus.io/docs/prometheus/latest/querying/basics/)."""
    text = str(wait)
    return amount(f"{text}in" if text[:-1].isdigit() and text.endswith("m") else text, Unit.DURATION)


def _text(value: Any) -> str:
    return plain(" ".join(str(value).split()))


def _message(step: Step, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Hit]:
    message = [side.get("message") for side in (old, new)]
    if not any(is_secret(text) or is_unknown(text) for text in message):
        before, after = (set(_HANDLE.findall(str(text or ""))) for text in message)
        for lost in sorted(before - after):
            said = f"{capital(subject(step))} no longer calls {plain(lost)}."
            yield Hit(said, (Evidence(path="message", before=plain(lost), after="not called"),))
    if _text(old.get("query")) != _text(new.get("query")):
        yield Hit(f"{capital(subject(step))} asks another question.", (Evidence(path="query"),))


RULES = (alarm_loosened,)
