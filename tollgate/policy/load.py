"""Loads a project's pack into this process, to list, explain, check and report its rules."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb
from types import ModuleType

from tollgate.errors import Problem, TollgateError
from tollgate.policy.cross import CrossRule
from tollgate.policy.pack import Pack, build_pack
from tollgate.policy.statement import Rule

PACKAGE = "rules"


def is_pack(folder: Path) -> bool:
    """True for a pack whose rules are stated as ours are."""
    return (folder / PACKAGE / "__init__.py").is_file()


def load_pack(folder: Path) -> Pack:
    """The rules below ``folder/rules``. Raises TollgateError with all that is wrong in any of its files.

    The package's name is not kept, so that another pack can be loaded after it.
    """
    if not is_pack(folder):
        raise TollgateError(f"{folder} is no pack of tollgate's: there is no {PACKAGE}/__init__.py in it.")
    problems: list[Problem] = []
    found: list[object] = []
    with _alone(folder):
        for module in pkgutil.walk_packages([str(folder / PACKAGE)], f"{PACKAGE}."):
            try:
                found += vars(importlib.import_module(module.name)).values()
            except TollgateError as error:
                problems += [Problem(problem.where, f"{error.message}: {problem.text}") for problem in error.problems]
            except Exception as error:  # noqa: BLE001  (whatever it is, the file holds no rules)
                problems.append(Problem(_place(error, folder), f"{type(error).__name__}: {error}"))
    if problems:
        raise TollgateError(f"The rules in {folder} cannot be loaded.", problems)
    rules = dict.fromkeys(each for each in found if isinstance(each, Rule))
    cross = dict.fromkeys(each for each in found if isinstance(each, CrossRule))
    return build_pack(folder.name, rules, cross)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Import from ``folder`` only what is asked for: the package itself would stop at the first bad file."""
    package = ModuleType(PACKAGE)
    package.__path__ = [str(folder / PACKAGE)]
    _forget()
    sys.modules[PACKAGE] = package
    importlib.invalidate_caches()
    try:
        yield
    finally:
        _forget()


def _forget() -> None:
    for name in [name for name in sys.modules if name == PACKAGE or name.startswith(f"{PACKAGE}.")]:
        del sys.modules[name]


def _place(error: Exception, folder: Path) -> str:
    """The last line of the pack's own code; a syntax error names its line itself."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).relative_to(folder)}:{error.lineno}"
    own = [frame for frame in extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(folder)]
    return f"{Path(own[-1].filename).relative_to(folder)}:{own[-1].lineno}" if own else str(folder)
