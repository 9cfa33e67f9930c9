"""The Terraform binary and the AWS provider, where this machine has them. They are used offline only.

Nothing is fetched: ``terraform`` is looked for on PATH, the provider in the folders where mirrors usually are.
$TOLLGATE_TERRAFORM_PLUGINS names another folder (laid out as ``terraform providers mirror`` does, unpacked).
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

PROVIDER, VERSION = "registry.terraform.io/hashicorp/aws", "5.100.0"
VARIABLE = "TOLLGATE_TERRAFORM_PLUGINS"
# Where Terraform itself looks for local copies (its documentation, "Implied Local Mirror Directories"), and /opt.
USUAL = ("~/.terraform.d/plugins", "~/.local/share/terraform/plugins", "/usr/local/share/terraform/plugins",
         "/usr/share/terraform/plugins", "/opt/*")  # fmt: skip
SECONDS = 300


def plugins() -> Path | None:
    """The folder of provider plugins, given or usual, that holds the AWS provider of this version."""
    given = os.environ.get(VARIABLE)
    usual = [folder for place in USUAL for folder in globbed(Path(place).expanduser())]
    places = [Path(given)] if given else usual
    return next((place for place in places if (place / PROVIDER / VERSION).is_dir()), None)


def globbed(place: Path) -> list[Path]:
    return sorted(place.parent.glob(place.name)) if "*" in place.name else [place]


needs_terraform = pytest.mark.skipif(
    shutil.which("terraform") is None or plugins() is None,
    reason=f"no terraform on PATH with hashicorp/aws {VERSION}: name its plugin folder in ${VARIABLE}",
)


def terraform(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run terraform in a folder, with none of the user's settings or credentials."""
    dropped = ("TF_", "AWS_")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    return subprocess.run(
        ["terraform", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        env=environment | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"},
    )


def initialised(folder: Path) -> Path:
    """A folder in which terraform can plan with the local provider."""
    wanted = {"source": "hashicorp/aws", "version": VERSION}
    (folder / "versions.tf.json").write_text(json.dumps({"terraform": {"required_providers": {"aws": wanted}}}))
    done = terraform(folder, "init", "-input=false", f"-plugin-dir={plugins()}")
    assert done.returncode == 0, done.stderr
    return folder


@functools.cache
def schemas(folder: Path) -> dict[str, Any]:
    """What the provider says of its resource types, by type."""
    done = terraform(initialised(folder), "providers", "schema", "-json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["provider_schemas"][PROVIDER]["resource_schemas"]
    return found
