"""Which provider packages an environment has, and where their SDKs are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tollgate.errors import TollgateError

# Long enough for a cold start of an interpreter on a busy machine.
SECONDS_TO_START = 30


def packages_installed(python: Path | None) -> frozenset[str]:
    """Names of the Pulumi provider packages in the environment of an interpreter (None: this one).

    A package says so itself, in the ``pulumi-plugin.json`` of its SDK. Raises TollgateError when the interpreter
    cannot be run.
    """
    return frozenset(sdk_folders(python))


def sdk_folders(python: Path | None) -> dict[str, Path]:
    """The folder of the SDK of each provider package, by package name."""
    folders: dict[str, Path] = {}
    for place in _search_path(python):
        for marker in sorted(Path(place).glob("pulumi_*/pulumi-plugin.json")):
            name = _provider_name(marker)
            if name:
                folders.setdefault(name, marker.parent)
    return folders


def sdk_version(folder: Path) -> str:
    """The version that an SDK states, or 0.0.0."""
    version = _marker(folder / "pulumi-plugin.json").get("version")
    return version if isinstance(version, str) else "0.0.0"


def _provider_name(marker: Path) -> str:
    content = _marker(marker)
    if content.get("resource") is not True:
        return ""
    name = content.get("name")
    return name if isinstance(name, str) and name else marker.parent.name.removeprefix("pulumi_").replace("_", "-")


def _marker(file: Path) -> dict[str, object]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _search_path(python: Path | None) -> list[str]:
    if python is None:
        return [place for place in sys.path if place]
    command = [str(python), "-I", "-c", "import json, sys; print(json.dumps(sys.path))"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_TO_START, check=True)
        places: list[str] = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise TollgateError(
            f"The Python of the project, {python}, cannot be run.", advice="make its virtual environment again"
        ) from error
    return [place for place in places if place]
