"""From what the engine hands the program to settings, or to the full list of what is wrong with it.

The values are the engine's (so another config file works too); the stack file only tells where each was written.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from components.specs import Target
from stacks.addresses import INSTEAD, Problem, StackFile, dotted, in_file_order, secret_paths
from stacks.explain import complaints, nearest
from stacks.neighbours import FIRST, LAST, collisions
from stacks.profiles import merged, profile
from stacks.settings import PlatformSettings, Tier
from stacks.wanted import Home

NAMESPACE = "payments"
SCALARS = ("tier", "target")
# What Pulumi itself reads from a stack file (sdk/go/common/workspace, ProjectStack) and from the pulumi namespace.
FILE_KEYS = ("config", "environment", "secretsprovider", "encryptedkey", "encryptionsalt")
PULUMI_KEYS = ("disable-default-providers", "tags", "autonaming", "template")
OUTSIDE = "(given outside the stack file)"


class SettingsError(Exception):
    """A stack's settings are wrong. Its text lists every problem, one a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True)
class Given:
    """Configuration by full key ("payments:databases"), and the file that most of it was written in."""

    config: Mapping[str, Any]
    file: StackFile

    def address(self, path: tuple[str, ...]) -> str:
        """Where a person finds the setting: its line, or a note that the file does not say this."""
        said: Any = self.config
        for part in path:
            if not isinstance(said, Mapping) or part not in said:
                return self.file.line(("config", *path))  # nobody said it: the nearest key above
            said = said[part]
        written = self.file.value(("config", *path))
        same = written == said or (isinstance(said, str) and str(written) == said)
        return self.file.line(("config", *path)) if same else OUTSIDE

    def problem(self, path: tuple[str, ...], text: str) -> Problem:
        return Problem(self.address(path), dotted(("config", *path)), text)


def load_settings(
    stack: str, config: Mapping[str, str], secret_keys: Collection[str], *, root: Path
) -> PlatformSettings:
    """Settings of a stack from the engine's configuration.

    config: every key with its namespace, values as the engine gives them (mappings as JSON).
    secret_keys: the keys that the engine marks secret. root: the project's folder.
    Raises SettingsError with every problem.
    """
    shown = f"stacks/Pulumi.{stack}.yaml"
    said = {key: _parsed(key, value) for key, value in config.items()}
    given = Given(said, StackFile.read(root / shown, shown=shown))
    problems, settings = _check(given)
    if settings is not None:
        problems += _with_neighbours(stack, given, settings, root / "stacks")
    problems += [
        given.problem((key,), f"holds a secret; settings hold no secrets: {INSTEAD}")
        for key in sorted(secret_keys)
        if key.startswith(f"{NAMESPACE}:")
    ]
    if problems or settings is None:
        raise SettingsError(problems)
    return settings


def check_stack_file(path: Path) -> list[str]:
    """Everything wrong with a stack file, one sentence each; empty when it is right. Needs no engine."""
    file = StackFile.read(path, shown=f"{path.parent.name}/{path.name}")
    if file.problems:
        return [str(problem) for problem in file.problems]
    config = file.values.get("config") or {}
    if not isinstance(config, dict):
        return [str(Problem(file.line(("config",)), "config", "must be a mapping"))]
    given = Given({str(key): value for key, value in config.items()}, file)
    found, settings = _check(given)
    if settings is not None:
        stack = path.name.removeprefix(FIRST).removesuffix(LAST)
        found += _with_neighbours(stack, given, settings, path.parent)
    return [str(problem) for problem in found]


def _with_neighbours(stack: str, given: Given, settings: PlatformSettings, folder: Path) -> list[Problem]:
    """What this stack would share with another one, addressed like any other problem of its file."""
    found = [
        given.problem((f"{NAMESPACE}:{path[0]}", *path[1:]) if path else (), text)
        for path, text in collisions(stack, settings, folder)
    ]
    return sorted(found, key=in_file_order)


def _parsed(key: str, value: str) -> Any:
    """A mapping from its JSON; anything else as it is, for the models to judge."""
    if key.partition(":")[2] in SCALARS:
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _check(given: Given) -> tuple[list[Problem], PlatformSettings | None]:
    """Every problem with what was given, in the order of the file, and the settings when there is none."""
    ours = {
        key.removeprefix(f"{NAMESPACE}:"): value
        for key, value in given.config.items()
        if key.startswith(f"{NAMESPACE}:") and key.removeprefix(f"{NAMESPACE}:") in PlatformSettings.model_fields
    }
    found: dict[tuple[str, ...], str] = {}  # the first thing said of a setting is the most exact
    for key, text in _strange_keys(given.config):
        found.setdefault((key,), text)
    for path, text in secret_paths({f"{NAMESPACE}:{key}": value for key, value in ours.items()}):
        found.setdefault(path, text)
    settings: PlatformSettings | None = None
    try:
        settings = _validated(ours)
    except ValidationError as error:
        for below, text in complaints(error, _home(ours)):
            found.setdefault((f"{NAMESPACE}:{below[0]}", *below[1:]), text)
    # What is wrong inside a setting that does not exist is nobody's concern.
    problems = [
        Problem(given.file.line((key,)), key, f"no such key in a stack file; {nearest(key, FILE_KEYS)}")
        for key in given.file.values
        if key not in FILE_KEYS
    ]
    problems += [
        given.problem(path, text)
        for path, text in found.items()
        if not any(path[:length] in found for length in range(1, len(path)))
    ]
    return sorted(problems, key=in_file_order), None if problems else settings


def _strange_keys(config: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """(key, sentence) for each key that nobody reads."""
    for key in config:
        namespace, colon, name = key.partition(":")
        if not colon:
            yield key, f"has no namespace; {_meant(key)}"
        elif namespace == NAMESPACE:
            if name not in PlatformSettings.model_fields:
                yield key, f"no such setting; {nearest(name, PlatformSettings.model_fields)}"
        elif namespace == "pulumi":
            if name not in PULUMI_KEYS:
                yield key, f"no such setting of Pulumi; {nearest(name, PULUMI_KEYS)}"
        elif namespace in PlatformSettings.model_fields:
            yield key, f"is not read: providers are made from {NAMESPACE}:{namespace}; write it there"
        else:
            yield key, f"no such namespace; {_meant(name)}"


def _meant(name: str) -> str:
    ours = name in PlatformSettings.model_fields
    return f"did you mean {NAMESPACE}:{name}?" if ours else f"settings begin with {NAMESPACE}:"


def _home(ours: Mapping[str, Any]) -> Home:
    """The tier and target that a stack names. Where it names none, any lets the rest be checked all the same."""
    target = next((one for one in Target if one == ours.get("target")), Target.AWS)
    other = Tier.EDGE if target is Target.EDGE else Tier.STAGING
    return next((one for one in Tier if one == ours.get("tier")), other), target


def _validated(ours: Mapping[str, Any]) -> PlatformSettings:
    """Settings over the profile of their tier and target. Raises ValidationError."""
    base = profile(*_home(ours))
    # Pulumi.yaml gives each mapping the default {}, which means that the stack says nothing of it.
    said = {key: value for key, value in ours.items() if value != {}}
    everything = merged({key: value for key, value in base.items() if key not in SCALARS}, said)
    return PlatformSettings.model_validate_json(json.dumps(everything, default=str))
