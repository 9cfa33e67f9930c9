"""Asks the worker in checkov's environment, and believes it only what it can show."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import ValidationError

from tollgate.engine.processes import session
from tollgate.plan.model import Frozen
from tollgate.scan.environment import Environment

WORKER = Path(__file__).with_name("worker.py")
# A footprint of 1,000 resources takes 4 s; a scan that takes this long is stuck.
SECONDS = 180
# What the worker gets of our environment: enough to start, and none of the user's accounts or settings.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR")


class NoAnswerError(Exception):
    """The worker gave none that can be used. The text completes "checkov could not run: …"."""


class Result(Frozen):
    """A record of checkov's report. ``label``: the name that the projection gave the resource."""

    check: str
    label: str
    outcome: Literal["passed", "failed", "skipped"]
    keys: tuple[str, ...]


class Answer(Frozen):
    """A scan, as the worker tells it. seen: labels of the resources that checkov understood.

    silent: checks that ran on a resource and left no record. raised: checks that raised, with the kind of error.
    """

    version: str
    seen: frozenset[str]
    results: tuple[Result, ...]
    silent: tuple[tuple[str, str], ...]
    raised: tuple[tuple[str, str, str], ...]


class Known(Frozen):
    """A check in the catalogue. types: Terraform types or Kubernetes kinds."""

    name: str
    types: tuple[str, ...]


class Catalogue(Frozen):
    """All that the installed checkov can check."""

    version: str
    checks: dict[str, Known]


Model = TypeVar("Model", Answer, Catalogue)


def scan(environment: Environment, folder: Path) -> Answer:
    """Scan the projection in a folder. Raises NoAnswerError."""
    return _ask(environment, "scan", folder, Answer)


def catalogue(environment: Environment) -> Catalogue:
    """The checks of the installed checkov. Raises NoAnswerError."""
    with tempfile.TemporaryDirectory(prefix="tollgate-checkov-") as folder:
        return _ask(environment, "catalogue", Path(folder), Catalogue)


def _ask(environment: Environment, request: str, folder: Path, model: type[Model]) -> Model:
    command = [str(environment.python), "-I", str(WORKER), request, str(folder)]
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    quiet = {"HOME": str(folder), "LOG_LEVEL": "ERROR", "CKV_SKIP_PACKAGE_UPDATE_CHECK": "true"}
    try:
        with session(command, cwd=folder, env=kept | quiet) as child:
            _, stderr = child.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise NoAnswerError(f"it gave no answer within {SECONDS} s") from None
    except OSError as error:
        raise NoAnswerError(f"its interpreter cannot be started ({error.strerror})") from None
    if child.returncode != 0:
        raise NoAnswerError(f"it ended with exit code {child.returncode}{_kind(stderr)}")
    try:
        answer = model.model_validate_json((folder / "answer.json").read_bytes())
    except (OSError, ValidationError):
        raise NoAnswerError("its answer cannot be read") from None
    if answer.version != environment.version:
        raise NoAnswerError(f"it is version {answer.version}, not {environment.version}")
    return answer


def _kind(stderr: str) -> str:
    """The kind of error in a last line of a traceback. Its text is left out: it may hold a value."""
    last = (stderr.strip().splitlines() or [""])[-1]
    kind = last.partition(":")[0]
    return f" ({kind})" if kind.replace(".", "").isidentifier() else ""
