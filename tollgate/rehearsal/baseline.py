"""What a change is compared with: a git commit, an exported state, the present definition, or nothing."""

from __future__ import annotations

import os
import subprocess
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tollgate.engine.project import Project, load
from tollgate.errors import Problem, TollgateError

MAIN_BRANCHES = ("origin/HEAD", "origin/main", "main", "origin/master", "master")


class Kind(StrEnum):
    COMMIT = "commit"
    STATE = "state"
    PRESENT = "present"
    NOTHING = "nothing"


class Baseline(BaseModel):
    """kind, and what it points to. ``description`` completes "compared with …"."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    commit: str = ""
    state: Path | None = None
    description: str


NOTHING = Baseline(kind=Kind.NOTHING, description="nothing: every resource is new")
PRESENT = Baseline(kind=Kind.PRESENT, description="the present definition")


def choose(
    project: Project, *, base: str | None, state: Path | None, what_if: Path | None, from_nothing: bool
) -> Baseline:
    """The baseline the options ask for; with none of them the merge base with the main branch."""
    asked = [name for name, value in (("--base", base), ("--state", state), ("--from-nothing", from_nothing)) if value]
    if len(asked) > 1:
        raise TollgateError(f"Only one baseline at a time: {' and '.join(asked)} were given.")
    if from_nothing:
        return NOTHING
    if state is not None:
        return Baseline(kind=Kind.STATE, state=state, description=f"the exported state {state.name}")
    if base is not None:
        return at_commit(resolve(project, base), f"{base} ({resolve(project, base)[:9]})")
    if what_if is not None:
        return PRESENT
    return merge_base(project)


def at_commit(commit: str, description: str) -> Baseline:
    return Baseline(kind=Kind.COMMIT, commit=commit, description=description)


def resolve(project: Project, ref: str) -> str:
    """The commit a name stands for. Raises TollgateError when git does not know it."""
    found = git(project.root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if found is None:
        raise TollgateError(
            f"git knows no commit {ref!r} in {project.root}.",
            advice="fetch it first (a shallow checkout in CI has no history), or use --state or --from-nothing",
        )
    return found


def merge_base(project: Project) -> Baseline:
    """Where this work left the main branch; on the main branch itself, its last commit."""
    if git(project.root, "rev-parse", "--is-inside-work-tree") is None:
        raise TollgateError(
            f"{project.root} is not in a git repository, so there is no base to compare with.",
            advice="give --state FILE, --what-if FILE or --from-nothing",
        )
    if git(project.root, "rev-parse", "--verify", "--quiet", "HEAD") is None:
        return NOTHING.model_copy(update={"description": "nothing: the repository has no commit yet"})
    for branch in MAIN_BRANCHES:
        commit = git(project.root, "merge-base", "HEAD", branch)
        if commit:
            return at_commit(commit, f"the merge base with {branch} ({commit[:9]})")
    commit = resolve(project, "HEAD")
    return at_commit(commit, f"the last commit ({commit[:9]}); there is no main branch")


def git(root: Path, *arguments: str) -> str | None:
    """What git says on one line; None when it refuses."""
    try:
        done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise TollgateError("git is not installed.", advice="install git, or give --state or --from-nothing") from error
    return done.stdout.strip() if done.returncode == 0 else None


def check_out(project: Project, baseline: Baseline, folder: Path) -> Project | None:
    """The project as it stood at the baseline's commit, under ``folder``; None when it was not there yet.

    Files are written from a private index, so that neither the repository nor its list of work trees changes.
    """
    top = git(project.root, "rev-parse", "--show-toplevel")
    if top is None:
        raise TollgateError(f"{project.root} is no longer in a git repository.")
    environment = os.environ | {"GIT_INDEX_FILE": str(folder.with_suffix(".index"))}
    folder.mkdir(parents=True)
    for arguments in (["read-tree", baseline.commit], ["checkout-index", "--all", f"--prefix={folder}/"]):
        done = subprocess.run(
            ["git", "-C", top, *arguments], capture_output=True, text=True, check=False, env=environment
        )
        if done.returncode != 0:
            raise TollgateError(
                f"The baseline {baseline.description} could not be checked out.",
                [Problem("git", done.stderr.strip())],
            )
    root = folder / project.root.resolve().relative_to(Path(top).resolve())
    if not (root / "Pulumi.yaml").is_file():
        return None
    link_environment(project, root)
    return load(root)


def link_environment(project: Project, root: Path) -> None:
    """Lend the baseline the Python environment of the work tree: a checkout has none of its own."""
    if not project.virtualenv:
        return
    own, lent = root / project.virtualenv, project.root / project.virtualenv
    if lent.exists() and not own.exists():
        own.parent.mkdir(parents=True, exist_ok=True)
        own.symlink_to(lent.resolve(), target_is_directory=True)
