"""What each setting touches when it is changed: one change a setting, on each target, through the real program."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

import pulumi

from stacks.loading import SettingsError, load_settings
from stacks.settings import PlatformSettings
from tests.components.planning import Footprint, Outcome, footprint, plan
from tests.components.recording import ROOT, config_of, deep
from tests.reference.reviewed import ALONE, BASES, CHOSEN, Base
from tests.reference.walk import ONE_MORE, Setting, all_of, others, walk

# Values tried before a setting needs one of its own in CHOSEN.
MOST_TRIED = 25
COLLECT_EVERY = 20
MISSING = object()


@dataclass(frozen=True)
class Change:
    """One setting changed on one base, and what that does. ``after``: the settings written.

    refused: why this stack takes no other value. With neither, no value was found.
    """

    base: Base
    setting: Setting
    after: Any = None
    outcome: Outcome | None = None
    refused: str | None = None

    @property
    def value(self) -> Any:
        """The value that was written for the setting itself."""
        path = self.setting.path
        return at(self.after, path if path[-1] != ONE_MORE else path[:-1])


@dataclass(frozen=True)
class Ground:
    """A base stack that is up."""

    base: Base
    config: Mapping[str, str]
    settings: PlatformSettings
    footprint: Footprint


def at(values: Any, path: tuple[str, ...]) -> Any:
    """The value at a path of names, or MISSING."""
    for name in path:
        if not isinstance(values, Mapping) or name not in values:
            return MISSING
        values = values[name]
    return values


def over(config: Mapping[str, str], settings: Mapping[str, Any]) -> dict[str, str]:
    """A configuration with settings over it."""
    changed = dict(config)
    for key, value in settings.items():
        full = f"payments:{key}"
        known = json.loads(changed[full]) if changed.get(full, "").startswith("{") else {}
        whole = deep(known, value) if isinstance(value, Mapping) else value
        changed[full] = whole if isinstance(whole, str) else json.dumps(whole)
    return changed


def nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The value as settings write it, under its path."""
    for name in reversed(path):
        value = {name: value}
    whole: dict[str, Any] = value
    return whole


@cache
def ground(base: Base) -> Ground:
    config = over(config_of(base.stack), base.settings)
    settings = load_settings(base.stack, config, [], root=ROOT)
    return Ground(base, config, settings, footprint(base.stack, config))


def settings_of(base: Base) -> Iterator[Setting]:
    """The settings that are changed on a base."""
    for setting in walk(ground(base).settings):
        if any(setting.path[: len(part)] == part for part in base.parts):
            yield setting


@cache
def changes() -> tuple[Change, ...]:
    """Every change. About a minute: it is made once for all who ask."""
    with rarely_collected() as made:
        return tuple(made(change_of(ground(base), setting)) for base in BASES for setting in settings_of(base))


def change_of(on: Ground, setting: Setting) -> Change:
    """The change of one setting to the first value that settings and program take, or why they take none."""
    refused: str | None = None
    for after, known in tried(on.base, setting):
        config = over(on.config, after)
        try:
            changed = load_settings(on.base.stack, config, [], root=ROOT)
            if changed != on.settings:
                return Change(on.base, setting, after, plan(on.base.stack, config, on.footprint))
        except (SettingsError, pulumi.RunError) as error:
            if known and refused is None:
                refused = sentence(error, setting.dotted)
    return Change(on.base, setting, refused=refused or ALONE.get((on.base.title, setting.dotted)))


def tried(base: Base, setting: Setting) -> Iterator[tuple[dict[str, Any], bool]]:
    """(settings that change this one, whether the value is known to be right elsewhere).

    The chosen ones; else a value near its own, else one that another stack has there.
    """
    for chosen in CHOSEN:
        if chosen.path == setting.dotted and base.title in (chosen.bases or (base.title,)):
            yield chosen.settings, False
            return
    path = setting.path if setting.path[-1] != ONE_MORE else setting.path[:-1]
    few = bool(all_of(setting.kind))
    yield from ((nested(path, value), few) for value in islice(others(setting), MOST_TRIED))
    for elsewhere in BASES:
        value = at(ground(elsewhere).settings.model_dump(mode="json"), path)
        if elsewhere.stack != base.stack and value is not MISSING:
            yield nested(path, value), True


def sentence(error: Exception, dotted: str) -> str:
    """What a refusal says of a setting, or else what it says first, without the address of the file."""
    lines = [line.partition("  ")[2] or line for line in str(error).splitlines()]
    return next((line for line in lines if line.startswith(dotted)), lines[0])


@contextmanager
def rarely_collected() -> Iterator[Any]:
    """The cycle collector took half of the time; it runs once in a while instead."""
    count = 0

    def made(thing: Change) -> Change:
        nonlocal count
        count += 1
        if count % COLLECT_EVERY == 0:
            gc.collect(0)
        return thing

    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield made
    finally:
        gc.enable()
        gc.unfreeze()
