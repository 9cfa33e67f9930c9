"""checkov's own Python environment in the user's cache folder, made on first use.

It cannot share ours: checkov wants a ``packaging`` that Pulumi's SDK refuses (see requirements/checkov.in).
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from tollgate.engine.cache import Say, cache_folder, locked, staged
from tollgate.engine.doctor import GOOD, NOTE, Line
from tollgate.engine.toolchain import platform_name
from tollgate.errors import Problem, TollgateError
from tollgate.plan.model import Frozen

LOCK = Path(__file__).with_name("checkov.txt")
# An unpinned install beside Pulumi quietly ends at 3.1.47 of 2023, with 39 AWS checks fewer.
LOWEST = (3, 3)
SECONDS_TO_INSTALL = 900
ADVICE = "see whether pip can reach its package index, or leave checkov out with --no-checkov"


class Environment(Frozen):
    """An interpreter that has checkov, and the version it has."""

    python: Path
    version: str


class Installed(Frozen):
    """What stands in the folder of an environment, written last: a folder without it is not whole."""

    version: str
    lock: str


def locked_version() -> str:
    """The version of checkov in the lock. Raises TollgateError when it is none, or too old."""
    match = re.search(r"^checkov==((\d+)\.(\d+)\S*)", LOCK.read_text(), re.MULTILINE)
    if match is None or (int(match[2]), int(match[3])) < LOWEST:
        found = match[1] if match else "none"
        raise TollgateError(f"{LOCK.name} must hold checkov {'.'.join(map(str, LOWEST))} or newer; it holds {found}.")
    return match[1]


def folder() -> Path:
    """Where the environment of this lock and this Python belongs."""
    name = f"{locked_version()}-{sys.implementation.cache_tag}-{platform_name()}-{digest()[:12]}"
    return cache_folder() / "checkov" / name


def digest() -> str:
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()


def installed() -> Environment | None:
    """The environment in the cache, when it is whole and its interpreter is still there."""
    python = folder() / "bin" / "python"
    try:
        record = Installed.model_validate_json((folder() / "installed.json").read_bytes())
    except (OSError, ValidationError):
        return None
    whole = record == Installed(version=locked_version(), lock=digest()) and python.exists()
    return Environment(python=python, version=record.version) if whole else None


def condition() -> Iterator[Line]:
    """What the doctor says of it."""
    found = installed()
    if found:
        yield GOOD, f"checkov {found.version} at {found.python.parents[1]}"
        return
    todo = "the first rehearsal installs it, and --no-checkov leaves it out"
    yield NOTE, f"no checkov {locked_version()} yet in {folder()}; {todo}"


def environment(say: Say) -> Environment:
    """The environment, installed if it is not there yet. Raises TollgateError when it cannot be had."""
    found = installed()
    if found:
        return found
    with locked("checkov", say):
        found = installed()  # another run may have made it meanwhile
        if found:
            return found
        say(f"installing checkov {locked_version()} into the cache: about half a minute, once")
        install(folder())
    return Environment(python=folder() / "bin" / "python", version=locked_version())


def install(final: Path) -> None:
    """Put the whole environment into ``final``, or leave nothing there."""
    with staged(final) as fresh:
        python = fresh / "bin" / "python"
        pip = ["-m", "pip", "--python", str(python), "install", "-q", "--disable-pip-version-check"]
        run([sys.executable, "-m", "venv", "--without-pip", str(fresh)])
        run([sys.executable, *pip, "--require-hashes", "-r", str(LOCK)])
        version = run([str(python), "-I", "-c", "import checkov.version as v; print(v.version)"]).strip()
        if version != locked_version():
            raise TollgateError(f"checkov {version} was installed, not {locked_version()}.", advice=ADVICE)
        record = Installed(version=version, lock=digest())
        (fresh / "installed.json").write_text(json.dumps(record.model_dump()) + "\n")


def run(command: list[str]) -> str:
    """What a step of the installation prints. Raises TollgateError with its last words when it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS_TO_INSTALL)
    except subprocess.CalledProcessError as error:
        last = [line for line in str(error.stderr).splitlines() if line.strip()][-3:]
        raise TollgateError(
            "checkov could not be installed.", [Problem("", line) for line in last], advice=ADVICE
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TollgateError(f"checkov could not be installed: {error}", advice=ADVICE) from error
    return done.stdout
