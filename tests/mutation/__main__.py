"""Mutation test of the rules: ``make mutate``. A condition that can be changed unnoticed lacks an example.

Runs the statement tests in this process, on each changed module (all, or those named, such as ``keys`` or
``cross/storage``); rules over several resources have their table of cases, too. Prints what no test noticed, and ends
with 1 when that is more than one change in twenty.
"""

from __future__ import annotations

import ast
import sys
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from policies import rules
from tests.mutation.mutants import mutants
from tests.policy import test_cross_cases, test_cross_rules, test_rules
from tollgate.policy.cross import CrossRule
from tollgate.policy.statement import Rule

FOLDER = Path(rules.__file__).parent
LEAST = 0.95
# Cheapest first: most changes are noticed by an example.
TESTS = (
    test_rules.test_good_passes_and_bad_has_exactly_one_thing_wrong,
    test_rules.test_numbers_may_come_as_the_engine_sends_them,
    test_rules.test_what_comes_later_is_let_through_a_preview_and_judged_once_it_is_known,
    test_rules.test_left_out_fails_unless_the_statement_gives_a_default,
    test_rules.test_the_bad_example_with_its_wrong_value_unknown_cannot_be_shown,
    test_rules.test_the_reading_of_every_property_in_the_example_matters,
    test_rules.test_a_decision_beside_an_unknown_value_holds_for_whatever_the_value_turns_out_to_be,
    test_rules.test_no_message_shows_a_secret,
)

CROSS_TESTS = (
    test_cross_rules.test_each_example_comes_to_what_it_stands_for,
    test_cross_rules.test_the_bad_example_gives_one_finding_with_what_to_do,
    test_cross_rules.test_a_reference_that_cannot_be_followed_is_a_violation_that_says_so,
    test_cross_rules.test_an_unknown_value_is_never_a_pass_that_a_value_could_take_back,
    test_cross_rules.test_no_message_shows_a_secret,
)


def main(names: list[str]) -> int:
    files = [FOLDER / f"{name}.py" for name in names] or sorted(FOLDER.rglob("[a-z]*.py"))
    noticed, unnoticed = 0, []
    for file in files:
        source = file.read_text()
        if is_noticed(file, ast.parse(source)):
            sys.exit(f"{file.name} fails its tests as it is: mend it first")
        for mutant in mutants(source):
            if is_noticed(file, mutant.tree):
                noticed += 1
            else:
                unnoticed.append((file, mutant))
    for file, mutant in unnoticed:
        print(f"{file.relative_to(FOLDER.parents[1])}:{mutant.line}  {mutant.what}")
    score = noticed / max(noticed + len(unnoticed), 1)
    print(f"{noticed} of {noticed + len(unnoticed)} changes were noticed ({score:.1%}; wanted {LEAST:.0%})")
    return 0 if score >= LEAST else 1


def is_noticed(file: Path, tree: ast.Module) -> bool:
    """Whether any test of any rule of the module fails, or the rule does."""
    try:
        single, cross = load(file, tree)
        for test in TESTS:
            for rule in single:
                test(rule)
        for test in CROSS_TESTS:
            for rule in cross:
                test(rule)
        if cross:
            with patch.dict(test_cross_cases.RULES, {rule.id: rule for rule in cross}):
                for case, arguments in CASES:
                    case(**arguments)
    except Exception:  # noqa: BLE001  (a rule that raises is noticed, too)
        return True
    return False


def cases() -> Iterator[tuple[Callable[..., None], Mapping[str, Any]]]:
    """Every test of the table of cases, with the arguments of each of its lines."""
    for name, test in vars(test_cross_cases).items():
        if name.startswith("test_"):
            marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
            if not marks:
                yield test, {}
            for mark in marks:
                names, lines = mark.args
                one = isinstance(names, str)
                yield from ((test, {names: line} if one else dict(zip(names, line, strict=True))) for line in lines)


CASES = tuple(cases())


def load(file: Path, tree: ast.Module) -> tuple[list[Rule], list[CrossRule]]:
    """The rules that a module states: those about one resource, and those about several."""
    module = types.ModuleType(f"policies.rules.{file.stem}")
    module.__file__ = str(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        exec(compile(tree, str(file), "exec"), module.__dict__)  # noqa: S102  (our own module, changed)
    stated = vars(module).values()
    return [one for one in stated if isinstance(one, Rule)], [one for one in stated if isinstance(one, CrossRule)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
