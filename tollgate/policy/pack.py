"""The pack: all rules, judged over one resource or over a stack. ``server.py`` speaks the analyzer protocol."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from functools import partial
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any

from tollgate.errors import Problem, TollgateError
from tollgate.policy.check import Check
from tollgate.policy.cross import CrossRule
from tollgate.policy.stack import Stack
from tollgate.policy.statement import Rule, Statement


class Level(StrEnum):
    """What a violation does, in Pulumi's words."""

    ADVISORY = "advisory"
    MANDATORY = "mandatory"
    REMEDIATE = "remediate"
    DISABLED = "disabled"


@dataclass(frozen=True)
class RuleSetting:
    """What a pack configuration file says of one rule."""

    level: Level
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Breach:
    """A rule that does not hold for a resource, and what to tell the user."""

    rule: Statement
    message: str
    urn: str


@dataclass(frozen=True)
class Pack:
    """A name and its rules. Build one with ``build_pack``.

    rules: each about one resource. cross: each about a resource and those that belong to it.
    read: the types that the cross rules look at.
    """

    name: str
    rules: tuple[Rule, ...]
    cross: tuple[CrossRule, ...]
    by_type: Mapping[str, tuple[Rule, ...]] = field(repr=False)
    read: frozenset[str] = field(repr=False)

    @property
    def statements(self) -> tuple[Rule | CrossRule, ...]:
        return (*self.rules, *self.cross)

    def applicable(self, type_token: str) -> tuple[Rule, ...]:
        """The rules that read this type: one look-up, before anything of the resource is decoded."""
        return self.by_type.get(type_token, ())

    def breaches(self, type_token: str, urn: str, inputs: Mapping[str, Any]) -> tuple[Breach, ...]:
        """Judge one resource by every rule that reads its type.

        Raises TollgateError when a rule could not run: a rule that did not run is never a pass.
        """
        answers = ((rule, _judged(rule, urn, partial(rule.check, inputs))) for rule in self.applicable(type_token))
        return tuple(Breach(rule, message, urn) for rule, message in answers if message)

    def cross_breaches(self, stack: Stack) -> tuple[Breach, ...]:
        """Judge a whole stack by every cross rule. Raises TollgateError when a rule could not run."""
        answers = (
            (rule, resource.urn, _judged(rule, resource.urn, partial(rule.check, resource, stack)))
            for rule in self.cross
            for resource in rule.judged(stack)
        )
        return tuple(Breach(rule, message, urn) for rule, urn, message in answers if message)


def build_pack(name: str, rules: Iterable[Rule], cross: Iterable[CrossRule] = ()) -> Pack:
    """Put rules together. Raises TollgateError when there are none or two share an id."""
    kept = tuple(sorted(rules, key=lambda rule: rule.id))
    kept_cross = tuple(sorted(cross, key=lambda rule: rule.id))
    problems = [
        Problem("", f"{count} rules have the id {rule_id}; give each its own")
        for rule_id, count in Counter(rule.id for rule in (*kept, *kept_cross)).items()
        if count > 1
    ]
    if not kept:
        problems.append(Problem("", "there is no rule; a pack without rules would pass everything"))
    if problems:
        raise TollgateError(f"policy pack {name} cannot be built", problems)
    by_type: dict[str, tuple[Rule, ...]] = {}
    for rule in kept:
        for token in dict.fromkeys(rule.types):
            by_type[token] = (*by_type.get(token, ()), rule)
    read = frozenset(token for rule in kept_cross for token in (*rule.types, *rule.reads))
    return Pack(name, kept, kept_cross, by_type, read)


def find_rules(package: str, folders: Iterable[str]) -> tuple[Rule, ...]:
    """Every rule stated in the modules of a package, so that no file can be forgotten."""
    return tuple(
        value for module in _modules(package, folders) for value in vars(module).values() if isinstance(value, Rule)
    )


def find_cross_rules(package: str, folders: Iterable[str]) -> tuple[CrossRule, ...]:
    """Every cross rule stated below a package."""
    found = [value for module in _modules(package, folders) for value in vars(module).values()]
    return tuple(value for value in found if isinstance(value, CrossRule))


def _modules(package: str, folders: Iterable[str]) -> list[ModuleType]:
    """All modules below a package, with those of the packages in it."""
    names = [found.name for found in pkgutil.walk_packages(folders, f"{package}.")]
    return [importlib.import_module(name) for name in names]


def levels(pack: Pack, settings: Mapping[str, RuleSetting]) -> dict[str, Level]:
    """The level of every rule under a pack configuration.

    A configuration may make a rule stricter. It may not weaken one, since that would be an exception that
    nobody signed, and it may not name a rule or a property that is not there. TollgateError lists all of it.
    """
    stated = {rule.id: _stated_level(rule) for rule in pack.statements}
    problems = list(_misconfigured(stated, settings))
    if problems:
        raise TollgateError(f"the configuration of policy pack {pack.name} cannot be used", problems)
    return {rule: settings[rule].level if rule in settings else level for rule, level in stated.items()}


def _stated_level(rule: Statement) -> Level:
    return Level.MANDATORY if rule.mandatory else Level.ADVISORY


def _misconfigured(stated: Mapping[str, Level], settings: Mapping[str, RuleSetting]) -> Iterator[Problem]:
    for name, setting in sorted(settings.items()):
        for unknown in sorted(setting.properties):
            yield Problem(name, f"{unknown} is no property of this rule; it takes enforcementLevel only")
        if name == "all":  # Pulumi's word for every rule; the engine has already applied its level to each
            continue
        if name not in stated:
            (nearest,) = get_close_matches(name, stated, n=1, cutoff=0.0)
            yield Problem(name, f"no such rule; did you mean {nearest}?")
        elif setting.level not in (stated[name], Level.MANDATORY):
            yield Problem(name, f"{setting.level} is not allowed; this rule is {stated[name]} or mandatory")


def _judged(rule: Rule | CrossRule, urn: str, check: Callable[[], Check]) -> str:
    try:
        return rule.message(check())
    except Exception as error:  # noqa: BLE001  (whatever it is, the rule did not run)
        # The error's own text may hold a value of the resource, so only its kind and place are told.
        frames = extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename == inspect.getfile(rule.judge)] or frames
        place = f"{Path(own[-1].filename).name}:{own[-1].lineno}"
        raise TollgateError(
            f"policy rule {rule.id} could not run on {urn}: {type(error).__name__} at {place}",
            advice="correct the rule; the resource was not judged by it",
        ) from None
