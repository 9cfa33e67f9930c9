"""The registers: read whole or refused with everything that is wrong, each with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.components.recording import STACKS, config_of, run
from tollgate.assess.registers import NO_REGISTERS, read_registers
from tollgate.engine.project import find_project
from tollgate.errors import TollgateError

PROJECT = find_project(Path(__file__).parent)


def test_our_own_registers_are_right_and_every_service_has_a_pattern() -> None:
    found = read_registers(PROJECT.registers)
    assert found.services is not None
    assert found.backups is not None
    assert found.standards.standard_changes


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_of_every_stack_belongs_to_a_service(stack: str) -> None:
    services = read_registers(PROJECT.registers).services
    assert services is not None
    record = run(stack, config_of(stack))
    homeless = [
        made.name
        for made in record.resources
        if made.custom and services.owner((made.parent.rpartition("::")[2], made.name)) is None
    ]
    assert homeless == []


def test_every_service_of_the_register_owns_something_in_some_stack() -> None:
    services = read_registers(PROJECT.registers).services
    assert services is not None
    owned = {
        services.owner((made.parent.rpartition("::")[2], made.name))
        for stack in STACKS
        for made in run(stack, config_of(stack)).resources
        if made.custom
    }
    assert set(services.services) - owned == set()


def test_no_folder_and_no_files_are_no_registers(tmp_path: Path) -> None:
    assert read_registers(None) == read_registers(tmp_path) == NO_REGISTERS


def test_all_that_is_wrong_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "services.yaml").write_text(
        "teams: {}\njourneys: {}\nservices:\n  pay:\n    title: pay\n    team: nobody\n    owns: [x]\n"
    )
    (tmp_path / "backups.yaml").write_text("restore_test_days: 0\nbakups: []\n")
    (tmp_path / "history.yaml").write_text("changes: [\n")
    with pytest.raises(TollgateError) as refused:
        read_registers(tmp_path)
    told = str(refused.value)
    assert "services.pay.team: 'nobody' is not here" in told
    assert "backups.yaml:1  restore_test_days" in told
    assert "backups.yaml:2  bakups: no such key; did you mean backups?" in told
    assert "history.yaml:2" in told
