"""The pages of the rules say what the rules are today, and no row of the matrix lacks evidence."""

from __future__ import annotations

import json
import re
from pathlib import Path

from policies.rules import CROSS_RULES, RULES
from tests.components.recording import STACKS
from tests.reference.policies import FOLDER, pages, types_met, written


def test_the_pages_are_current() -> None:
    made, now = pages(), written()
    stale = sorted(name for name in {*made, *now} if made.get(name) != now.get(name))
    assert stale == [], "run: python -m tests.reference"


def test_every_rule_has_a_page_that_says_what_to_do() -> None:
    made = pages()
    for rule in (*RULES, *CROSS_RULES):
        text = made[f"{rule.id}.md"]
        assert rule.fix in text
        assert rule.why in text
        assert all(f"`{kind}`" in text for kind in rule.types)
        assert f"[{rule.id}]({rule.id}.md)" in made["README.md"]


def test_every_row_of_the_matrix_rests_on_what_a_stack_declares() -> None:
    rows = json.loads(pages()["controls.json"])
    assert rows
    for row in rows:
        assert row["judged"]
        for stack, types in row["judged"].items():
            assert stack in STACKS
            assert types
            assert set(types) <= types_met()[stack]


def test_every_control_of_a_rule_is_a_row_or_told_as_one_without_evidence() -> None:
    made = pages()
    for rule in (*RULES, *CROSS_RULES):
        for control in rule.controls:
            assert control in made["controls.md"]


def test_every_link_leads_to_a_file() -> None:
    for name, text in pages().items():
        for target in re.findall(r"\]\((?!http)([^)#]+)", text) if name.endswith(".md") else ():
            assert (Path(FOLDER) / target).exists(), (name, target)
