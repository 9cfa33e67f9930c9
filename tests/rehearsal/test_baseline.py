"""Which baseline is chosen, and how it is checked out, in real git repositories."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tollgate.engine.project import Project, load
from tollgate.errors import TollgateError
from tollgate.rehearsal.baseline import Kind, check_out, choose


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", folder, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def save(folder: Path, message: str, **files: str) -> str:
    """Write files (``__`` for ``/``) and commit all; the commit's id."""
    for name, text in files.items():
        file = folder / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "a repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    return folder


def project(folder: Path) -> Project:
    (folder / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
    return load(folder)


def pick(root: Project, **options: object) -> object:
    asked = {"base": None, "state": None, "what_if": None, "from_nothing": False} | options
    return choose(root, **asked)  # type: ignore[arg-type]


def test_default_on_a_branch_is_where_it_left_main(repository: Path) -> None:
    root = project(repository)
    fork = save(repository, "one")
    git(repository, "switch", "-q", "-c", "work")
    save(repository, "two", other="2")
    git(repository, "switch", "-q", "main")
    save(repository, "three", third="3")
    git(repository, "switch", "-q", "work")
    found = choose(root, base=None, state=None, what_if=None, from_nothing=False)
    assert (found.kind, found.commit) == (Kind.COMMIT, fork)
    git(repository, "switch", "-q", "--detach")
    assert choose(root, base=None, state=None, what_if=None, from_nothing=False).commit == fork


def test_default_on_main_is_its_last_commit(repository: Path) -> None:
    root = project(repository)
    last = save(repository, "one")
    assert choose(root, base=None, state=None, what_if=None, from_nothing=False).commit == last


def test_a_repository_without_main_uses_its_last_commit(repository: Path) -> None:
    git(repository, "switch", "-q", "-c", "trunk")
    root = project(repository)
    last = save(repository, "one")
    assert choose(root, base=None, state=None, what_if=None, from_nothing=False).commit == last


def test_no_commit_yet_means_all_is_new(repository: Path) -> None:
    found = choose(project(repository), base=None, state=None, what_if=None, from_nothing=False)
    assert found.kind is Kind.NOTHING
    assert "no commit yet" in found.description


def test_what_if_alone_compares_with_the_present_definition(repository: Path) -> None:
    found = choose(project(repository), base=None, state=None, what_if=Path("x.yaml"), from_nothing=False)
    assert found.kind is Kind.PRESENT


def test_what_if_over_a_commit(repository: Path) -> None:
    root = project(repository)
    commit = save(repository, "one")
    found = choose(root, base="main", state=None, what_if=Path("x.yaml"), from_nothing=False)
    assert (found.kind, found.commit) == (Kind.COMMIT, commit)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"base": "nowhere"}, "knows no commit 'nowhere'"),
        ({"base": "--all"}, "knows no commit '--all'"),
        ({"base": "main", "from_nothing": True}, "--base and --from-nothing"),
        ({"base": "main", "state": Path("s")}, "--base and --state"),
    ],
)
def test_refusals(repository: Path, options: dict[str, object], says: str) -> None:
    root = project(repository)
    save(repository, "one")
    with pytest.raises(TollgateError, match=says):
        pick(root, **options)


def test_outside_git_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(TollgateError, match="--from-nothing"):
        pick(project(tmp_path))


def test_check_out_writes_the_commit_and_touches_nothing_else(repository: Path, tmp_path: Path) -> None:
    commit = save(repository, "one", infra__Pulumi_yaml="", infra__value="then")
    (repository / "infra" / "Pulumi_yaml").rename(repository / "infra" / "Pulumi.yaml")
    (repository / "infra" / "Pulumi.yaml").write_text(
        "name: tiny\nruntime: {name: python, options: {virtualenv: .venv}}\n"
    )
    commit = save(repository, "two")
    (repository / "infra" / ".venv" / "bin").mkdir(parents=True)
    (repository / "infra" / "value").write_text("now, not committed")
    (repository / "infra" / "staged").write_text("x")
    git(repository, "add", "infra/staged")
    before = git(repository, "status", "--porcelain")
    root = load(repository / "infra")
    baseline = choose(root, base="HEAD", state=None, what_if=None, from_nothing=False)
    then = check_out(root, baseline, tmp_path / "base tree")
    assert then is not None
    assert baseline.commit == commit
    assert (then.root / "value").read_text() == "then"
    assert (then.root / ".venv" / "bin").is_dir()
    assert not (then.root / "staged").exists()
    assert git(repository, "status", "--porcelain") == before
    assert git(repository, "worktree", "list").count("\n") == 0


def test_check_out_before_the_project_existed(repository: Path, tmp_path: Path) -> None:
    save(repository, "one", readme="x")
    root = project(repository)
    baseline = choose(root, base="HEAD", state=None, what_if=None, from_nothing=False)
    assert check_out(root, baseline, tmp_path / "base") is None
