"""The mutation test itself: it changes conditions and nothing else, and tells what no example holds."""

from tests.mutation.__main__ import is_noticed
from tests.mutation.mutants import mutants

SOURCE = '''
"""A module."""
LEAST = 7

@rule(id="a-b-c", good={"days": LEAST})
def kept(store):
    """Ignored."""
    old = store["days"].at_least(7, "days") & store["a"].is_true()
    return old.unless(store["b"].satisfies(lambda x: x > 1 and not x, "ignored"))


def _example() -> dict[str, object]:
    return {"days": 7} | {}
'''
CHANGES = {
    "store['days'].at_least(7, 'days') & store['a'].is_true() -> the left side alone",
    "store['days'].at_least(7, 'days') & store['a'].is_true() -> the right side alone",
    "store['days'].at_least(7, 'days') & store['a'].is_true() -> the other way to combine them",
    "store['days'].at_least(7, 'days') -> at_most",
    "store['a'].is_true() -> is_false",
    "'days' -> another text",
    "'a' -> another text",
    "'b' -> another text",
    "7 -> 8",
    "7 -> 6",
    "1 -> 2",
    "1 -> 0",
    "x > 1 -> another comparison (GtE)",
    "not x -> the opposite",
    "x > 1 and (not x) -> the other way to combine them",
    "x > 1 and (not x) -> without x > 1",
    "x > 1 and (not x) -> without not x",
    "old.unless(store['b'].satisfies(lambda x: x > 1 and (not x), 'ignored')) -> without the exemption",
    "old.unless(store['b'].satisfies(lambda x: x > 1 and (not x), 'ignored')) -> the exemption alone",
}


def test_conditions_are_changed_and_words_and_examples_are_not():
    assert {mutant.what for mutant in mutants(SOURCE)} == CHANGES


def test_a_change_that_an_example_holds_is_noticed_and_one_that_none_holds_is_not(tmp_path):
    file = tmp_path / "keys.py"
    found = {mutant.what: is_noticed(file, mutant.tree) for mutant in mutants(KEYS)}
    assert found["key['enableKeyRotation'].is_true() -> is_false"] is True
    assert found["key['days'].at_least(1) -> at_most"] is False


KEYS = """
from tollgate.policy.severity import HIGH
from tollgate.policy.statement import rule

@rule(id="key-data-rotate", why="It is an example.", severity=HIGH, types=("aws:kms/key:Key",), fix="set it to true",
      good={"enableKeyRotation": True}, bad={"enableKeyRotation": False})
def rotated(key):
    return key["enableKeyRotation"].is_true().unless(key["days"].at_least(1))
"""
