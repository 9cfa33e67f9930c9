"""The user's cache folder: where it is, and how two runs share it without treading on each other."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tollgate.errors import TollgateError

Say = Callable[[str], None]
"""Shows one line of progress to whoever watches."""


def cache_folder() -> Path:
    """``$TOLLGATE_CACHE``, else ``$XDG_CACHE_HOME/tollgate``, else ``~/.cache/tollgate``."""
    own = os.environ.get("TOLLGATE_CACHE")
    if own:
        return Path(own).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base).expanduser() if base else Path.home() / ".cache").absolute() / "tollgate"


@contextmanager
def locked(name: str, say: Say) -> Iterator[Path]:
    """Hold the cache's lock ``name``; the kernel lets go of it when this process ends, however it ends.

    Raises TollgateError when the cache folder cannot be written.
    """
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / f"{name}.lock").open("a")
    except OSError as error:
        raise TollgateError(
            f"The cache folder {folder} cannot be written: {error.strerror}.",
            advice="set TOLLGATE_CACHE to a folder you can write",
        ) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run is preparing the toolchain; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield folder


@contextmanager
def staged(final: Path) -> Iterator[Path]:
    """A new folder beside ``final`` that takes its place only when the block ends well.

    Call it with the lock held: what an interrupted run left behind is removed first.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    for leftover in final.parent.glob(".new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=".new-", dir=final.parent))
    try:
        yield folder
        if final.exists():
            shutil.rmtree(final)
        folder.rename(final)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
