"""The settings a rehearsal runs with: a stack file, an overlay over it, and secrets that it may not know."""

from __future__ import annotations

import os
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from tollgate.engine.project import read_yaml
from tollgate.errors import Problem, TollgateError

STAND_IN_SECRET = "rehearsal-stand-in"  # noqa: S105  (says that the real value was not there)


class StackSettings(BaseModel):
    """The content of a stack file, ready to be written for the engine.

    hidden: paths of encrypted values that could not be read here and got a stand-in.
    salt: the file's own salt, when the caller's passphrase opens its secrets.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    config: dict[str, Any]
    hidden: tuple[str, ...] = ()
    salt: str | None = None


def passphrase() -> str | None:
    """The user's own passphrase for this project's secrets, when the environment has it."""
    named = os.environ.get("PULUMI_CONFIG_PASSPHRASE")
    file = os.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE")
    if named is None and file:
        try:
            return Path(file).read_text().strip()
        except OSError as error:
            raise TollgateError(f"PULUMI_CONFIG_PASSPHRASE_FILE {file} cannot be read: {error.strerror}.") from error
    return named


def read_settings(file: Path, *, overlay: Path | None, opens: bool) -> StackSettings:
    """Settings of one stack file with ``overlay`` over them. ``opens``: the caller has the passphrase."""
    content = read_yaml(file)
    config = content.get("config") or {}
    if not isinstance(config, dict):
        raise TollgateError(f"{file}: `config` must be a mapping of keys to values.")
    if overlay is not None:
        config = merged(config, read_overlay(overlay))
    salt = content.get("encryptionsalt")
    if opens and salt:
        return StackSettings(config=config, salt=salt)
    hidden = tuple(path for path, _ in secure_values(config))
    return StackSettings(config=without_secure(config), hidden=hidden)


def read_overlay(file: Path) -> dict[str, Any]:
    """An overlay: configuration keys as in a stack file, with the values to try instead."""
    content = read_yaml(file)
    wrong = [key for key in content if ":" not in str(key)]
    if not content or wrong:
        raise TollgateError(
            f"{file} is not an overlay of stack settings.",
            [Problem(str(file), f"{key}: write the key as in a stack file, with its namespace") for key in wrong]
            or [Problem(str(file), "it is empty; write at least one key, such as `payments:tier: dev`")],
        )
    return content


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """JSON Merge Patch (RFC 7396): mappings key by key, anything else replaced, null removes the key."""
    result = deepcopy(base)
    for key, value in over.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            below = result.get(key)
            result[key] = merged(below if isinstance(below, dict) else {}, value)
        else:
            result[key] = deepcopy(value)
    return result


def secure_values(config: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, ciphertext) of each encrypted value, in Pulumi's path notation."""
    if isinstance(config, dict):
        if set(config) == {"secure"} and isinstance(config["secure"], str):
            yield path, config["secure"]
            return
        for key, value in config.items():
            yield from secure_values(value, f'{path}["{key}"]' if path else str(key))
    elif isinstance(config, list):
        for index, value in enumerate(config):
            yield from secure_values(value, f"{path}[{index}]")


def without_secure(config: Any) -> Any:
    """The same settings with encrypted values left out of mappings; the caller sets stand-ins by path."""
    if isinstance(config, dict):
        return {key: without_secure(value) for key, value in config.items() if not is_secure(value)}
    if isinstance(config, list):
        return [STAND_IN_SECRET if is_secure(value) else without_secure(value) for value in config]
    return config


def is_secure(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"secure"}


def write_settings(settings: StackSettings, file: Path, salt: str) -> Path:
    file.write_text(yaml.safe_dump({"encryptionsalt": salt, "config": settings.config}, sort_keys=False))
    return file
