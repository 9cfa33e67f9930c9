"""What each setting touches when it is changed: one change a setting, on each target, through the real program."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice
from multiprocessing import get_context
from typing import Any

import pulumi

from stacks.loading import SettingsError, load_settings
from stacks.settings import PlatformSettings
from tests.components.planning import Footprint, Outcome, footprint, plan
from tests.components.recording import ROOT, config_of, deep
from tests.reference import recorded
from tests.reference.reviewed import ALONE, BASES, CHOSEN, Base
from tests.reference.walk import ONE_MORE, Setting, all_of, others, walk

# Values tried before a setting needs one of its own in CHOSEN.
MOST_TRIED = 25
# Changes that one process tries before another takes over, so that nothing need be collected in between.
A_PROCESS_TRIES = 15
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
    """A base stack: its configuration, and what it has once it is up."""

    base: Base
    config: Mapping[str, str]
    settings: PlatformSettings

    @cached_property
    def footprint(self) -> Footprint:
        return footprint(self.base.stack, self.config)


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
    return Ground(base, config, settings)


def settings_of(base: Base) -> Iterator[Setting]:
    """The settings that are changed on a base."""
    for setting in walk(ground(base).settings):
        if any(setting.path[: len(part)] == part for part in base.parts):
            yield setting


@cache
def changes() -> tuple[Change, ...]:
    """Every change: as recorded, or where the record is of other inputs, tried anew."""
    told = recorded.read() if recorded.is_current() else tried_anew()
    return tuple(
        Change(base, setting, *one)
        for base in BASES
        for setting, one in zip(settings_of(base), told[base.title], strict=True)
    )


def tried_anew() -> dict[str, list[recorded.Told]]:
    """What becomes of every change of every base: some minutes of a processor, on all that there are.

    The cycle collector took a third of the time. It rests; a process ends before it would be needed.
    """
    for base in BASES:
        _ = ground(base).footprint  # made once: the processes below have it from here
    parts = [
        (number, start)
        for number, base in enumerate(BASES)
        for start in range(0, len(list(settings_of(base))), A_PROCESS_TRIES)
    ]
    gc.collect()
    gc.freeze()
    with get_context("fork").Pool(maxtasksperchild=1) as processes:
        done = dict(zip(parts, processes.map(_part, parts, chunksize=1), strict=True))
    gc.unfreeze()
    return {
        base.title: [one for place in parts if place[0] == number for one in done[place]]
        for number, base in enumerate(BASES)
    }


def _part(place: tuple[int, int]) -> list[recorded.Told]:
    """What becomes of some changes of a base."""
    gc.disable()
    base = BASES[place[0]]
    made = (change_of(ground(base), one) for one in islice(settings_of(base), place[1], place[1] + A_PROCESS_TRIES))
    return [(change.after, change.outcome, change.refused) for change in made]


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
