"""Which Pulumi engine to run: the one on PATH if it fits, else the cached one, else a freshly made one."""

from __future__ import annotations

from tollgate.engine.cache import Say, locked
from tollgate.engine.install import install
from tollgate.engine.toolchain import Toolchain, cached, installed_folder, on_path
from tollgate.errors import TollgateError


def find(say: Say) -> Toolchain:
    """An engine that fits, made ready if need be. Raises TollgateError that lists all that was tried."""
    return on_path() or cached(say) or make(say)


def make(say: Say) -> Toolchain:
    """Fetch or build the engine into the cache; runs that start together share one result."""
    with locked("toolchain", say):
        ready = cached(lambda _: None)
        if ready is None:
            install(installed_folder(), say)
            ready = cached(say)
    if ready is None:
        raise TollgateError(f"The engine was made but {installed_folder()} is not whole.")
    return ready
