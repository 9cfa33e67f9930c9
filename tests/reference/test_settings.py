"""A change of a setting touches what it should, the pages say so, and what is surprising has a reason."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase

import pytest

from tests.components.recording import ROOT
from tests.reference import recorded
from tests.reference.changes import Change, change_of, changes, ground, settings_of
from tests.reference.reviewed import ALONE, BASES, CHOSEN, NO_EFFECT, REACH, WHY, Base
from tests.reference.settings import FOLDER, entry_of, loses_data, named, of, pages, row, strays, where


def found(wanted: Callable[[Change], object]) -> list[str]:
    return [f"{change.base.title}: {change.setting.dotted}" for change in changes() if wanted(change)]


def touched(change: Change) -> bool:
    return change.outcome is not None and bool(change.outcome.touches)


def explained(change: Change) -> bool:
    return any(fnmatchcase(change.setting.dotted, pattern) for pattern in WHY)


def test_the_record_was_made_from_what_is_here() -> None:
    """As long as it holds, nothing below need be tried anew, which takes minutes."""
    assert recorded.is_current(), "run: python -m tests.reference"


def test_the_record_is_of_everything_that_a_change_goes_through() -> None:
    made_from = {file.relative_to(ROOT).as_posix() for file in recorded.inputs()}
    components = {file.relative_to(ROOT).as_posix() for file in (ROOT / "components").rglob("*") if file.is_file()}
    assert {name for name in components - made_from if "__pycache__" not in name} == set()
    assert {
        "__main__.py",
        "Pulumi.yaml",
        "stacks/Pulumi.staging.yaml",
        "stacks/profiles_redis.py",
        "tests/components/planning.py",
        "tests/reference/walk.py",
        "tollgate/rehearsal/decisions.py",
        "tollgate/books/replace-on-change.yaml",
        "requirements/main.txt",
    } <= made_from


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.title)
def test_what_is_recorded_is_what_happens(base: Base) -> None:
    """One change of each base, another one with each version of the program."""
    settings = list(settings_of(base))
    one = int(recorded.digest(), 16) % len(settings)
    told = next(change for change in changes() if change.base is base and change.setting.dotted == settings[one].dotted)
    made = change_of(ground(base), settings[one])
    assert row(made) == row(told)


def test_the_pages_are_current() -> None:
    written = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.md")}
    made = pages()
    assert [name for name in {*made, *written} if made.get(name) != written.get(name)] == [], (
        "run: python -m tests.reference"
    )


def test_every_setting_was_changed_or_has_a_refusal() -> None:
    assert len(changes()) > 300
    assert found(lambda change: change.outcome is None and not change.refused) == [], "give it a value in CHOSEN"


def test_no_setting_is_dead() -> None:
    alive = {change.setting.path[:1] + change.setting.path[2:] for change in changes() if touched(change)}
    dead = found(lambda change: change.outcome and change.setting.path[:1] + change.setting.path[2:] not in alive)
    assert dead == [], "nothing reads it"


def test_a_change_touches_its_own_component_and_what_is_said_of_it_only() -> None:
    reached = {f"{change.base.title}: {change.setting.dotted}": strays(change) for change in changes()}
    assert {setting: names for setting, names in reached.items() if names} == {}, "say why in REACH, or stop it"


def test_a_change_that_takes_data_away_or_that_nobody_can_foresee_has_a_reason() -> None:
    def surprising(change: Change) -> bool:
        return change.outcome is not None and (
            bool(change.outcome.undecided) or any(loses_data(touch) for touch in change.outcome.touches)
        )

    assert found(lambda change: surprising(change) and not explained(change)) == [], "stop it, or say why in WHY"
    assert len(found(surprising)) > 10


def test_the_replacement_behaviour_of_every_type_is_known() -> None:
    assert {kind for change in changes() if change.outcome for kind in change.outcome.unlisted} == set()


@pytest.mark.parametrize("pattern", WHY)
def test_no_reason_is_left_over(pattern: str) -> None:
    assert found(lambda change: touched(change) and fnmatchcase(change.setting.dotted, pattern))


@pytest.mark.parametrize(("target", "pattern"), [line[:2] for line in NO_EFFECT])
def test_what_is_said_to_do_nothing_does_nothing(target: str, pattern: str) -> None:
    assert found(
        lambda change: (
            change.base.target == target
            and change.outcome
            and not touched(change)
            and fnmatchcase(change.setting.dotted, pattern)
        )
    )


@pytest.mark.parametrize(("key", "names"), REACH)
def test_nothing_may_reach_where_it_does_not(key: str, names: str) -> None:
    def there(change: Change) -> bool:
        if change.outcome is None or change.setting.path[0] != key:
            return False
        touched = {where(touch, change)[0] for touch in change.outcome.touches}
        return any(fnmatchcase(name, pattern) for pattern in named(names, entry_of(change)) for name in touched)

    assert found(there)


def test_chosen_values_are_of_settings_that_there_are() -> None:
    dotted = {change.setting.dotted for change in changes()}
    assert {chosen.path for chosen in CHOSEN} | {path for _, path in ALONE} <= dotted


def test_what_is_known_to_replace_replaces() -> None:
    """Were the plan empty, all of the above would hold."""
    by_name = {f"{change.base.title}: {change.setting.dotted}": change for change in changes()}
    for name, op, part in (
        ("aws: databases.clearing.database_name", "replace", "instance"),
        ("aws: databases.clearing.storage_gib", "update", "instance"),
        ("kubernetes: databases.clearing.database_name", "replace", "cluster"),
        ("kubernetes: parameters.values.clearing.reconcile-after-minutes.value", "update", "clearing-values"),
        ("edge: databases.(one more)", "create", "cluster"),
    ):
        change = by_name[name]
        assert part in {where(touch, change)[1] for touch in of(change, op)}, name
