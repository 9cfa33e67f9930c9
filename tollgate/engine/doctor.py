"""Looks at what tollgate needs on this machine and says in plain words what is missing."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tollgate.engine.cache import cache_folder
from tollgate.engine.install import MIRROR_VARIABLE, go_fits
from tollgate.engine.project import find_project
from tollgate.engine.toolchain import (
    ENGINE_VERSION,
    cached,
    fits,
    installed_folder,
    is_untouched,
    on_path,
    version_of,
)
from tollgate.errors import TollgateError

GOOD, BAD, NOTE = "ok  ", "BAD ", "note"
Line = tuple[str, str]


def examine(start: Path, more: Iterable[Line] = ()) -> tuple[list[str], bool]:
    """One line per thing looked at, and whether a rehearsal can run. more: what other rooms say of themselves."""
    lines = [*python(), *engine(), *build(), *tools(), *more, *project(start)]
    return [f"{mark} {text}" for mark, text in lines], all(mark != BAD for mark, _ in lines)


def python() -> Iterator[Line]:
    yield GOOD, f"Python {sys.version.split()[0]} at {sys.executable}"


def engine() -> Iterator[Line]:
    """The engine that a rehearsal would use."""
    found = shutil.which("pulumi")
    if found:
        version = version_of(Path(found))
        if version is None:
            yield NOTE, f"{found} does not answer `pulumi version`; it is passed over"
        elif not fits(version):
            yield NOTE, f"{found} is version {version}, which does not fit; it is passed over"
    warnings: list[str] = []
    use = on_path() or cached(warnings.append)
    yield from ((BAD, f"{text}: run `tollgate toolchain install`") for text in warnings)
    if use is None:
        yield (
            NOTE,
            f"no engine yet in {installed_folder()}; `tollgate toolchain install` makes version {ENGINE_VERSION}",
        )
        return
    if use.source != "PATH" and not is_untouched(use):
        yield (
            BAD,
            f"{use.pulumi} is not the file that was installed; delete {use.pulumi.parent} and install again",
        )
        return
    yield GOOD, f"Pulumi {use.version} ({use.source}) at {use.pulumi}"
    yield GOOD, f"language host: {use.language_host or 'our own'}"


def build() -> Iterator[Line]:
    """How an engine could be made here."""
    go = shutil.which("go")
    if go and go_fits(go):
        yield GOOD, f"Go at {go} can build the engine"
    else:
        yield NOTE, "no Go 1.21 or newer on PATH; a build would fetch it as a Python package"
    yield GOOD, f"cache folder: {cache_folder()} (TOLLGATE_CACHE moves it; {MIRROR_VARIABLE} names a mirror)"


def tools() -> Iterator[Line]:
    git = shutil.which("git")
    yield ((GOOD, f"git at {git}") if git else (NOTE, "no git: a baseline needs --state, --what-if or --from-nothing"))


def project(start: Path) -> Iterator[Line]:
    try:
        here = find_project(start)
    except TollgateError as error:
        yield NOTE, error.message
        return
    yield GOOD, f"project {here.name} with the stacks {', '.join(here.stacks()) or 'none'}"
    if here.policies is not None and not (here.policies / "PulumiPolicy.yaml").is_file():
        yield BAD, f"[tool.tollgate] names the policy pack {here.policies}, which holds no PulumiPolicy.yaml"
