"""A folder of its own for one rehearsal: engine home, backend, settings. Gone at the end, however it ends."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tollgate.engine.cache import cache_folder
from tollgate.engine.command import Cli
from tollgate.engine.project import Project
from tollgate.engine.toolchain import Toolchain

# Nothing of the user's clouds or Pulumi account may reach a rehearsal.
DROPPED_PREFIXES = ("PULUMI_", "AWS_", "AZURE_", "ARM_", "GOOGLE_", "KUBE", "CLOUDSDK_")
ORGANISATION = "organization"  # the only one a file backend knows


@dataclass(frozen=True)
class Workspace:
    """folder: holds all that this rehearsal writes. cli: the engine, tied to the backend in it."""

    folder: Path
    cli: Cli
    project: str
    stack: str

    @property
    def full_name(self) -> str:
        return f"{ORGANISATION}/{self.project}/{self.stack}"

    @property
    def shadow(self) -> Path:
        """An empty project of the same name: stack commands run here, so that the user's files stay as they are."""
        return self.folder / "shadow"

    @property
    def shadow_stack_file(self) -> Path:
        return self.shadow / f"Pulumi.{self.stack}.yaml"

    def create_stack(self, salt: str | None) -> str:
        """Make the stack in the backend; return the salt its secrets are encrypted with."""
        self.shadow.mkdir(exist_ok=True)
        (self.shadow / "Pulumi.yaml").write_text(yaml.safe_dump({"name": self.project, "runtime": "yaml"}))
        if salt:
            self.shadow_stack_file.write_text(yaml.safe_dump({"encryptionsalt": salt}))
        self.cli.run(["stack", "init", self.full_name], cwd=self.shadow)
        found: str = yaml.safe_load(self.shadow_stack_file.read_text())["encryptionsalt"]
        return found


@contextmanager
def workspace(
    project: Project, stack: str, toolchain: Toolchain, *, passphrase: str | None, keep: bool
) -> Iterator[Workspace]:
    """A fresh workspace. Those of runs that were killed are removed first."""
    home = cache_folder() / "rehearsals"
    home.mkdir(parents=True, exist_ok=True)
    clear_abandoned(home)
    folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=home))
    try:
        (folder / "backend").mkdir()
        environment = isolated(toolchain.environment(dict(os.environ)), folder, passphrase)
        yield Workspace(folder, Cli(toolchain, environment), project.name, stack)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def isolated(base: Mapping[str, str], folder: Path, passphrase: str | None) -> dict[str, str]:
    """``base`` without accounts and with an engine home and backend inside ``folder``."""
    kept = {key: value for key, value in base.items() if not key.startswith(DROPPED_PREFIXES)}
    return kept | {
        "PULUMI_BACKEND_URL": (folder / "backend").as_uri(),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_CONFIG_PASSPHRASE": passphrase if passphrase is not None else secrets.token_urlsafe(16),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def clear_abandoned(home: Path) -> None:
    """Remove workspaces whose process is gone. A kept one is moved out of here by its run."""
    for folder in home.iterdir():
        owner = folder.name.partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists() and Path("/proc").exists():
            shutil.rmtree(folder, ignore_errors=True)
