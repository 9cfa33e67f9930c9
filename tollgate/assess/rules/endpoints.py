"""Addresses inside configuration: a program that is told to talk to another server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Doubt, Hit, step_rule
from tollgate.books.match import matches
from tollgate.plan.model import Op, Step
from tollgate.plan.text import plain
from tollgate.policy.sentinels import is_secret
from tollgate.policy.severity import MEDIUM

# Where programs read their settings from, as the top of the path (pulumi_aws 7.51.1, pulumi_kubernetes 4.34.2).
_PLACES = (
    (("aws:lambda/function:Function",), ("environment",)),
    (("aws:ssm/parameter:Parameter",), ("insecureValue",)),
    (("aws:ecs/taskDefinition:TaskDefinition",), ("containerDefinitions",)),
    (("kubernetes:core/v1:ConfigMap",), ("data",)),
    (("kubernetes:apps/v1:*", "kubernetes:batch/v1:*"), ("spec",)),
    (("kubernetes:external-secrets.io/*:*SecretStore",), ("spec",)),
)
# The SDK makes every value of a parameter secret, also the address of a server (pulumi_aws 7.51.1).
_PARAMETER = "aws:ssm/parameter:Parameter"
_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,20}://[^\s\"'<>\\]{3,300})"  # a URL
    r"|(?:\b(?:[a-z0-9](?:[a-z0-9-]{0,62})\.){2,8}[a-z]{2,24}\b(?::[0-9]{1,5})?)",  # a host of three parts or more
    re.IGNORECASE,
)
_LONGEST = 200_000  # characters of a setting that are looked at; a longer one is compared as a whole by the facts


@step_rule(
    id="endpoint-swapped",
    severity=MEDIUM,
    why="A program that talks to another server may pay, store or ask in the wrong place.",
    fix="check that the new address is the right one for this environment",
    concerns=lambda type_token: any(matches(type_token, patterns) for patterns, _ in _PLACES),
)
def endpoint_swapped(step: Step) -> Iterator[Hit | Doubt]:
    """A setting that held an address of one server holds that of another."""
    if step.op not in (Op.UPDATE, Op.REPLACE) or step.old is None or step.new is None:
        return
    if step.type == _PARAMETER and is_secret(step.new.get("value")) and _names_value(step):
        yield Doubt("secret", f"{capital(subject(step))} gets another value, which is a secret and cannot be shown.")
    for patterns, tops in _PLACES:
        if not matches(step.type, patterns):
            continue
        for top in tops:
            yield from _swapped(step, top, step.old.get(top), step.new.get(top))


def _names_value(step: Step) -> bool:
    return any(change.path == "value" for change in step.changes or ())


def _swapped(step: Step, path: str, old: Any, new: Any) -> Iterator[Hit]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() & new.keys()):
            # An image is an address too, but a new one is how a program is updated.
            if key != "image":
                yield from _swapped(step, f"{path}.{plain(key)}", old[key], new[key])
    elif isinstance(old, list) and isinstance(new, list):
        for number, (one, other) in enumerate(zip(old, new, strict=False)):
            yield from _swapped(step, f"{path}[{number}]", one, other)
    elif isinstance(old, str) and isinstance(new, str):
        gone, come = _hosts(old) - _hosts(new), _hosts(new) - _hosts(old)
        if gone and come:
            before, after = ", ".join(sorted(gone)[:3]), ", ".join(sorted(come)[:3])
            yield Hit(
                f"{capital(subject(step))} is told to talk to {after} instead of {before}.",
                (Evidence(path=path, before=before, after=after),),
            )


def _hosts(text: str) -> frozenset[str]:
    """Servers named in a text, without user names and passwords."""
    found = set()
    for match in _ADDRESS.finditer(text[:_LONGEST]):
        address = match[0] if "://" in match[0] else f"//{match[0]}"
        try:
            host = urlsplit(address).hostname
        except ValueError:
            continue
        if host:
            found.add(plain(host))
    return frozenset(found)


RULES = (endpoint_swapped,)
