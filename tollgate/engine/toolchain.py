"""What a Pulumi engine is to us: which versions fit, where one may stand, whether it is whole."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from tollgate.engine.cache import Say, cache_folder
from tollgate.errors import Problem, TollgateError

# The engine that is fetched or built. Newer ones do not build from the Go module proxy alone: v3.259.0 requires
# a gocloud.dev pre-release that the proxy does not serve, and v3.272.0 is not served (tried 2026-11-23).
ENGINE_VERSION = "3.257.0"
# Streamed preview events came with 3.191.0; the tests run on ENGINE_VERSION, this is the oldest we have read about.
LOWEST_VERSION = (3, 250, 0)
BELOW_VERSION = (4, 0, 0)
HOST_NAME = "pulumi-language-python"
VERSION_SECONDS = 30


class Installed(BaseModel):
    """What stands in the cache, written last: a folder without it is not whole."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    source: Literal["archive", "build"]
    size: int
    sha256: str


class Toolchain(BaseModel):
    """An engine that can be run, and where it came from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pulumi: Path
    version: str
    source: Literal["PATH", "archive", "build"]
    language_host: Path | None = None

    def environment(self, base: dict[str, str]) -> dict[str, str]:
        """``base`` with a PATH on which the engine finds itself and a Python language host.

        Our own host comes last, so that an official one always wins.
        """
        folders = [str(self.pulumi.parent), base.get("PATH", "")]
        if self.language_host is None:
            folders.append(str(own_host(cache_folder() / "host").parent))
        path = os.pathsep.join(folder for folder in folders if folder)
        return base | {"PATH": path, "TOLLGATE_PYTHON": sys.executable}


def platform_name() -> str:
    """The platform in the spelling of Pulumi's release archives, such as ``linux-x64``."""
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine().lower())
    system = platform.system().lower()
    if machine is None or system not in ("linux", "darwin"):
        raise TollgateError(
            f"No Pulumi engine is known for {platform.system()} on {platform.machine()}.",
            advice="install pulumi yourself and put it on PATH",
        )
    return f"{system}-{machine}"


def installed_folder() -> Path:
    return cache_folder() / "toolchain" / f"pulumi-v{ENGINE_VERSION}-{platform_name()}"


def on_path() -> Toolchain | None:
    """The ``pulumi`` on PATH, when its version fits."""
    found = shutil.which("pulumi")
    if not found:
        return None
    version = version_of(Path(found))
    if version is None or not fits(version):
        return None
    return Toolchain(pulumi=Path(found), version=version, source="PATH", language_host=host_of(Path(found)))


def cached(say: Say) -> Toolchain | None:
    """The engine in the cache, when it is whole."""
    folder = installed_folder()
    binary = folder / "pulumi"
    if not folder.exists():
        return None
    try:
        record = Installed.model_validate_json((folder / "installed.json").read_bytes())
        whole = binary.stat().st_size == record.size
    except (OSError, ValidationError):
        whole = False
    if not whole:
        say(f"the cached engine in {folder} is damaged; making it anew")
        return None
    return Toolchain(pulumi=binary, version=record.version, source=record.source, language_host=host_of(binary))


def version_of(binary: Path) -> str | None:
    """What ``pulumi version`` says, without its ``v``; None when it does not run."""
    environment = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run(
            [binary, "version"],
            capture_output=True,
            text=True,
            timeout=VERSION_SECONDS,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.match(r"v?(\d+\.\d+\.\d+\S*)", done.stdout.strip())
    return match.group(1) if done.returncode == 0 and match else None


def fits(version: str) -> bool:
    """True from LOWEST_VERSION up to, not including, BELOW_VERSION."""
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    return bool(match) and LOWEST_VERSION <= tuple(int(part) for part in match.groups()) < BELOW_VERSION  # type: ignore[union-attr]


def host_of(binary: Path) -> Path | None:
    """A language host on PATH or beside the engine; beside an engine that we built stands our own."""
    found = shutil.which(HOST_NAME)
    beside = binary.resolve().with_name(HOST_NAME)
    return Path(found) if found else beside if beside.exists() else None


def own_host(folder: Path) -> Path:
    """Our language host in ``folder``, under the name the engine looks for; written when it is not there."""
    script = folder / HOST_NAME
    text = '#!/bin/sh\nexec "${TOLLGATE_PYTHON:-python3}" -m tollgate.engine.language_host "$@"\n'
    if not script.exists() or script.read_text() != text:
        folder.mkdir(parents=True, exist_ok=True)
        fresh = script.with_suffix(f".{os.getpid()}")
        fresh.write_text(text)
        fresh.chmod(0o755)
        fresh.replace(script)
    return script


def record(folder: Path, source: Literal["archive", "build"]) -> None:
    """Say of a finished folder that it is whole."""
    binary = folder / "pulumi"
    with binary.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    entry = Installed(version=ENGINE_VERSION, source=source, size=binary.stat().st_size, sha256=digest)
    (folder / "installed.json").write_text(json.dumps(entry.model_dump(), indent=1) + "\n")


def is_untouched(toolchain: Toolchain) -> bool:
    """True when a cached engine is byte for byte what was installed."""
    try:
        entry = Installed.model_validate_json(toolchain.pulumi.with_name("installed.json").read_bytes())
        with toolchain.pulumi.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == entry.sha256
    except (OSError, ValidationError):
        return False


def refuse(tried: list[Problem]) -> TollgateError:
    return TollgateError(
        f"No Pulumi engine {ENGINE_VERSION} could be had. What was tried:",
        tried,
        advice="put a pulumi between "
        f"{'.'.join(map(str, LOWEST_VERSION))} and {'.'.join(map(str, BELOW_VERSION))} on PATH, or set "
        "TOLLGATE_PULUMI_MIRROR to a folder or address that holds the release archive and its checksums file, "
        "or install Go 1.25 or newer and run `tollgate toolchain install` again",
    )
