"""The register of backups: what a destroyed resource would be restored from, and whether that was ever tried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from pydantic import Field, model_validator

from tollgate.assess.model import Finding, Origin
from tollgate.assess.naming import capital, subject
from tollgate.assess.rules.data import goes
from tollgate.books.match import matches
from tollgate.books.stateful import Holds, holding
from tollgate.plan.model import Frozen, Step
from tollgate.policy.severity import HIGH


class Backup(Frozen):
    """A backup that was shown to be worth something: somebody restored it.

    names: patterns over names of resources. reference: what to restore from, as the people who do it call it.
    restored_on: the day of the last restore test. minutes: how long that restore took.
    """

    names: tuple[str, ...] = Field(min_length=1)
    types: tuple[str, ...] = Field(min_length=1)
    reference: str = Field(min_length=1)
    restored_on: date
    restored_by: str = Field(min_length=1)
    minutes: float = Field(gt=0)


class BackupRegister(Frozen):
    """restore_test_days: how long a restore test counts."""

    restore_test_days: int = Field(gt=0)
    backups: tuple[Backup, ...] = ()

    @model_validator(mode="after")
    def _one_for_each(self) -> BackupRegister:
        seen = [(name, kind) for backup in self.backups for name in backup.names for kind in backup.types]
        twice = sorted({f"{name} ({kind})" for name, kind in seen if seen.count((name, kind)) > 1})
        if twice:
            raise ValueError(f"two backups claim {', '.join(twice)}; keep one")
        return self

    def of(self, step: Step) -> Backup | None:
        """The backup that covers a resource."""
        found = (b for b in self.backups if matches(step.name, b.names) and matches(step.type, b.types))
        return next(found, None)

    def tested(self, step: Step, today: date) -> Backup | None:
        """The same, when its last restore test still counts."""
        backup = self.of(step)
        if backup is None or today - backup.restored_on > timedelta(days=self.restore_test_days):
            return None
        return backup


def destroys_data(step: Step) -> bool:
    """The resource goes, and data goes with it."""
    held = holding(step.type)
    return goes(step) and held is not None and held.holds is Holds.DATA and not step.retain_on_delete


def unproven(steps: Iterable[Step], backups: BackupRegister, today: date) -> Iterator[Finding]:
    """Destructive steps without a backup that somebody restored. Seed article 19: a revert brings no data back."""
    for step in steps:
        if not destroys_data(step) or backups.tested(step, today):
            continue
        backup = backups.of(step)
        why = "no backup of it is registered"
        if backup:
            day = backup.restored_on.isoformat()
            why = f"the last restore test of {backup.reference} was on {day}, which is too long ago"
        yield Finding(
            rule="backup-unproven",
            severity=HIGH,
            urn=step.urn,
            sentence=f"{capital(subject(step))} would be destroyed, and {why}.",
            origin=Origin.OPERATION,
            why="A backup that nobody has restored is a hope.",
            fix="restore the backup once beside the original, and write that down in the register of backups",
        )
