"""Settings of programs: one that is told to talk to another server, or to work in another mode."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Doubt, Fine, Hit, Seen, step_rule
from tollgate.books.match import matches
from tollgate.plan.model import Op, Step
from tollgate.plan.text import plain
from tollgate.policy.sentinels import is_secret, is_unknown
from tollgate.policy.severity import HIGH, MEDIUM

# Where programs read their settings from, as the top of the path (pulumi_aws 7.51.1, pulumi_kubernetes 4.34.2).
_PLACES = (
    (("aws:lambda/function:Function",), ("environment",)),
    (("aws:ssm/parameter:Parameter",), ("insecureValue", "name")),
    (("aws:secretsmanager/secretVersion:SecretVersion",), ("secretId",)),
    (("aws:ecs/taskDefinition:TaskDefinition",), ("containerDefinitions",)),
    (("aws:apigateway/stage:Stage", "aws:apigatewayv2/stage:Stage"), ("variables", "stageVariables")),
    (("aws:appconfig/hostedConfigurationVersion:HostedConfigurationVersion",), ("content",)),
    (("kubernetes:core/v1:ConfigMap",), ("data",)),
    (("kubernetes:apps/v1:*", "kubernetes:batch/v1:*"), ("spec",)),
    (("kubernetes:external-secrets.io/*", "kubernetes:cert-manager.io/*", "kubernetes:argoproj.io/*"), ("spec",)),
    (("kubernetes:*.toolkit.fluxcd.io/*", "kubernetes:keda.sh/*", "kubernetes:velero.io/*"), ("spec",)),
    (("gcp:cloudrun*", "gcp:cloudfunctions*"), ("template", "templates", "serviceConfig", "environmentVariables")),
    (("azure-native:app:*", "azure-native:web:*"), ("template", "siteConfig", "configuration")),
)
# The SDK makes every value of a parameter secret, also the address of a server (pulumi_aws 7.51.1).
_SECRETS = {
    "aws:ssm/parameter:Parameter": ("value",),
    "aws:secretsmanager/secretVersion:SecretVersion": ("secretString", "secretBinary"),
    "kubernetes:core/v1:Secret": ("stringData", "data"),
}
# An image is an address too, but a new one is how a program is updated; labels and names say what a thing is called.
_NO_SETTINGS = frozenset({"image", "labels", "matchLabels", "annotations"})
# Words for a mode in which no real money moves, and for the one in which it does. Our list; a word alone or a part of a
# name (`prod/callback`) counts, a word in a sentence does not.
_PRACTICE = frozenset(
    {
        *("test", "testing", "sandbox", "staging", "stage", "dev", "development", "demo", "mock", "simulator", "uat"),
        *("qa", "preprod", "nonprod", "local", "trial", "dryrun", "fake"),
    }
)
_REAL = frozenset({"live", "prod", "production", "real", "prd"})
_MODES = _PRACTICE | _REAL
_WORD = re.compile(r"[A-Za-z0-9]+")
_MOST_WORDS = 12  # a longer text is prose
_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,20}://[^\s\"'<>\\]{3,300})"  # a URL
    r"|(?:\b(?:[a-z0-9](?:[a-z0-9-]{0,62})\.){2,8}[a-z]{2,24}\b(?::[0-9]{1,5})?)",  # a host of three parts or more
    re.IGNORECASE,
)
_LONGEST = 200_000  # characters of a setting that are looked at; a longer one is compared as a whole by the facts


class Changed(NamedTuple):
    """A setting that is a text on both sides, and another one."""

    path: str
    old: str
    new: str


def _has_settings(type_token: str) -> bool:
    return type_token in _SECRETS or any(matches(type_token, patterns) for patterns, _ in _PLACES)


@step_rule(
    id="endpoint-swapped",
    severity=MEDIUM,
    why="A program that talks to another server may pay, store or ask in the wrong place.",
    fix="check that the new address is the right one for this environment",
    concerns=_has_settings,
)
def endpoint_swapped(step: Step) -> Iterator[Seen]:
    """A setting that held an address of one server holds that of another."""
    if step.op not in (Op.UPDATE, Op.REPLACE) or step.old is None or step.new is None:
        return
    for changed in _settings(step):
        gone, come = _hosts(changed.old) - _hosts(changed.new), _hosts(changed.new) - _hosts(changed.old)
        if gone and come:
            before, after = ", ".join(sorted(gone)[:3]), ", ".join(sorted(come)[:3])
            yield Hit(
                f"{capital(subject(step))} is told to talk to {after} instead of {before}.",
                (Evidence(path=changed.path, before=before, after=after),),
            )
        elif _hosts(changed.new):
            yield Fine(changed.path, partial(_same_server, step, changed))


@step_rule(
    id="secret-changed",
    severity=MEDIUM,
    why="A new password or key can be the wrong one, and nothing in a plan can show that.",
    fix="let somebody who may see it compare it with what was meant",
    concerns=lambda type_token: type_token in _SECRETS,
)
def secret_changed(step: Step) -> Iterator[Seen]:
    """A secret gets another value, which no plan shows."""
    if step.op in (Op.UPDATE, Op.REPLACE) and step.old is not None and step.new is not None:
        tops = [top for top in _SECRETS[step.type] if is_secret(step.new.get(top))]
        named = [change.path for change in step.changes or () if change.path.partition(".")[0] in tops]
        if named:
            said = f"{capital(subject(step))} gets another value, which is a secret and cannot be shown."
            yield Hit(said, tuple(Evidence(path=path, before="a secret", after="a secret") for path in named[:10]))
            yield Doubt("secret", said)


@step_rule(
    id="mode-swapped",
    severity=HIGH,
    why="In the wrong mode real customers are not charged, or test orders are.",
    fix="check that the mode is the right one for this environment",
    concerns=_has_settings,
)
def mode_swapped(step: Step) -> Iterator[Seen]:
    """A setting goes from test to live, from production to development, or the other way."""
    if step.op not in (Op.UPDATE, Op.REPLACE) or step.old is None or step.new is None:
        return
    for changed in _settings(step):
        words = _swapped_modes(changed.old, changed.new)
        if words:
            before, after = words
            yield Hit(
                f"{capital(subject(step))} goes from {before} to {after} ({changed.path.rpartition('.')[2]}).",
                (Evidence(path=changed.path, before=before, after=after),),
            )


def _swapped_modes(old: str, new: str) -> tuple[str, str] | None:
    """The words that differ, when all that differs are words for a mode. Another server is another rule's business."""
    if _hosts(old) != _hosts(new):
        return None
    one, other = (_WORD.findall(text.lower()) for text in (old, new))
    if len(one) != len(other) or len(one) > _MOST_WORDS:
        return None
    differing = [(before, after) for before, after in zip(one, other, strict=True) if before != after]
    swapped = differing and all(before in _MODES and after in _MODES for before, after in differing)
    return differing[0] if swapped else None


def _settings(step: Step) -> Iterator[Changed]:
    """All settings of a step that are other texts than before."""
    for patterns, tops in _PLACES:
        if matches(step.type, patterns):
            for top in tops:
                yield from _texts(top, (step.old or {}).get(top), (step.new or {}).get(top))


def _texts(path: str, old: Any, new: Any) -> Iterator[Changed]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() & new.keys()):
            if key not in _NO_SETTINGS:
                yield from _texts(f"{path}.{plain(key)}", old[key], new[key])
    elif isinstance(old, list) and isinstance(new, list):
        yield from _items(path, old, new)
    elif isinstance(old, str) and isinstance(new, str) and not any(map(_hidden, (old, new))):
        yield Changed(path, old, new)


def _items(path: str, old: list[Any], new: list[Any]) -> Iterator[Changed]:
    """Items with a name are compared by it, so that another order is no change; others by their place."""
    names = [[item.get("name") if isinstance(item, dict) else None for item in items] for items in (old, new)]
    if all(isinstance(name, str) for side in names for name in side):
        by_name = {item["name"]: (number, item) for number, item in enumerate(new)}
        for item in old:
            number, other = by_name.get(item["name"], (0, None))
            yield from _texts(f"{path}[{number}]", item, other)
    else:
        for number, (one, other) in enumerate(zip(old, new, strict=False)):
            yield from _texts(f"{path}[{number}]", one, other)


def _hidden(text: str) -> bool:
    return is_secret(text) or is_unknown(text)


def _same_server(step: Step, changed: Changed) -> tuple[str, tuple[Evidence, ...]]:
    host = ", ".join(sorted(_hosts(changed.new))[:3])
    text = f"{capital(subject(step))}: we looked for another server; it is fine, because it still talks to {host}."
    return text, (Evidence(path=changed.path),)


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


RULES = (endpoint_swapped, secret_changed, mode_swapped)
