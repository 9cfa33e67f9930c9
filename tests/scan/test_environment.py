"""checkov's environment: exactly what is locked, whole or not there at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tollgate.engine.doctor import GOOD, NOTE
from tollgate.errors import TollgateError
from tollgate.scan import environment as module
from tollgate.scan.environment import condition, environment, folder, installed, locked_version


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TOLLGATE_CACHE", str(tmp_path))
    return tmp_path


def stand_in(command: list[str]) -> str:
    """Does to the folder what ``venv`` does, and answers what the new interpreter would."""
    if "venv" in command:
        python = Path(command[-1]) / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.touch()
    return locked_version() if "-I" in command else ""


def leftovers(cache: Path) -> list[str]:
    return [found.name for found in (cache / "checkov").iterdir()]


def test_it_is_made_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(module, "run", lambda command: (commands.append(command), stand_in(command))[1])
    said: list[str] = []
    assert installed() is None
    assert [mark for mark, _ in condition()] == [NOTE]
    first = environment(said.append)
    assert first == environment(said.append) == installed()
    assert [mark for mark, _ in condition()] == [GOOD]
    assert len(said) == 1
    assert leftovers(cache) == [folder().name]
    (pip,) = [command for command in commands if "pip" in command]
    assert "--require-hashes" in pip


@pytest.mark.parametrize("step", ["venv", "pip", "-I"])
def test_an_installation_that_fails_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def run(command: list[str]) -> str:
        if step in command:
            raise TollgateError("no network")
        return stand_in(command)

    monkeypatch.setattr(module, "run", run)
    with pytest.raises(TollgateError, match="no network"):
        environment(lambda _: None)
    assert installed() is None
    assert leftovers(cache) == []


def test_another_version_than_the_locked_one_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "run", lambda command: "3.1.47" if "-I" in command else stand_in(command))
    with pytest.raises(TollgateError, match=r"3\.1\.47 was installed, not"):
        environment(lambda _: None)
    assert leftovers(cache) == []


def damaged_record(made: Path) -> None:
    (made / "installed.json").write_text("{")


def other_lock(made: Path) -> None:
    record = json.loads((made / "installed.json").read_text())
    (made / "installed.json").write_text(json.dumps({**record, "lock": "0" * 64}))


def python_gone(made: Path) -> None:
    (made / "bin" / "python").unlink()


@pytest.mark.parametrize("damage", [damaged_record, other_lock, python_gone])
def test_a_damaged_one_is_made_again(cache: Path, monkeypatch: pytest.MonkeyPatch, damage: object) -> None:
    monkeypatch.setattr(module, "run", stand_in)
    environment(lambda _: None)
    damage(folder())  # type: ignore[operator]
    assert installed() is None
    environment(lambda _: None)
    assert installed() is not None


def test_a_new_lock_is_a_new_environment(cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = folder()
    other = tmp_path / "checkov.txt"
    other.write_text(module.LOCK.read_text() + "# changed\n")
    monkeypatch.setattr(module, "LOCK", other)
    assert folder() != before


@pytest.mark.parametrize(("text", "found"), [("pulumi==3.0.0\n", "none"), ("checkov==3.1.47 \\\n", r"3\.1\.47")])
def test_a_lock_without_a_checkov_that_fits_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, found: str
) -> None:
    lock = tmp_path / "checkov.txt"
    lock.write_text(text)
    monkeypatch.setattr(module, "LOCK", lock)
    with pytest.raises(TollgateError, match=rf"must hold checkov 3\.3 or newer; it holds {found}"):
        locked_version()


def test_the_last_words_of_pip_are_told() -> None:
    with pytest.raises(TollgateError, match="no such host"):
        module.run(["sh", "-c", "echo no such host >&2; exit 1"])
    with pytest.raises(TollgateError, match="could not be installed"):
        module.run(["/nowhere/python"])
