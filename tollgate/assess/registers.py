"""What a project keeps beside its program about its services, its standard changes, its backups and its past.

Each part is a YAML file in the folder that ``registers`` in ``[tool.tollgate]`` names; each may be left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from tollgate.assess.backups import BackupRegister
from tollgate.assess.classify import StandardChanges
from tollgate.assess.impact import RecordedRun
from tollgate.assess.register import ServiceRegister
from tollgate.assess.risk import PastChange
from tollgate.errors import Problem, TollgateError
from tollgate.plan.model import Frozen
from tollgate.policy.documents import read_document

Model = TypeVar("Model", bound=BaseModel)


class History(Frozen):
    """history.yaml: changes that were made and how they went, and how long single operations took."""

    changes: tuple[PastChange, ...] = ()
    operations: tuple[RecordedRun, ...] = ()


class Registers(Frozen):
    """All parts; None, or empty, where a project has no such file."""

    services: ServiceRegister | None = None
    standards: StandardChanges = StandardChanges()
    backups: BackupRegister | None = None
    history: History = History()


NO_REGISTERS = Registers()


def read_registers(folder: Path | None) -> Registers:
    """The registers in a folder. Raises one TollgateError with everything that is wrong in any of them."""
    if folder is None:
        return NO_REGISTERS
    problems: list[Problem] = []
    services = _read(folder / "services.yaml", ServiceRegister, problems)
    standards = _read(folder / "standard-changes.yaml", StandardChanges, problems)
    backups = _read(folder / "backups.yaml", BackupRegister, problems)
    history = _read(folder / "history.yaml", History, problems)
    if problems:
        raise TollgateError("The registers of this project are not as they should be.", problems)
    return Registers(
        services=services, standards=standards or StandardChanges(), backups=backups, history=history or History()
    )


def _read(file: Path, model: type[Model], problems: list[Problem]) -> Model | None:
    """One register; None when there is no such file, or when it has problems, which are added to the others."""
    if not file.exists():
        return None
    try:
        return read_document(file, model)
    except TollgateError as error:
        problems += error.problems or [Problem(str(file), error.message)]
        return None
