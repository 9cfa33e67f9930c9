"""The page of the operation rules says what the rules are today."""

from __future__ import annotations

from tests.reference.operation_rules import PAGE, page
from tollgate.assess.rules import PLAN_RULES, STEP_RULES


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.reference"


def test_every_rule_has_a_section_and_no_row_breaks() -> None:
    made = page()
    for rule in (*STEP_RULES, *PLAN_RULES):
        assert f"\n## {rule.id}\n" in made
    tables = [block for block in made.split("\n\n") if block.startswith("|")]
    for table in tables:
        assert len({line.replace("\\|", "").count("|") for line in table.splitlines()}) == 1
