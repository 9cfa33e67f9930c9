"""Text from outside: read as the standard library reads it, and shown without anything for a terminal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.assess.past_runs import past_runs
from tollgate.errors import TollgateError
from tollgate.plan.footprint import read_footprint
from tollgate.plan.read import read_plan
from tollgate.plan.state import read_state
from tollgate.plan.text import parse_json, plain

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(value=VALUES, ascii_only=st.booleans())
def test_a_document_is_read_as_the_standard_library_reads_it(value: Any, ascii_only: bool) -> None:
    try:
        text = json.dumps(value, ensure_ascii=ascii_only, allow_nan=False)
    except ValueError:  # an infinite number has no JSON
        return
    read = parse_json(text, "value")
    assert repr(read) == repr(json.loads(text))


def test_half_a_character_is_read_and_shown_as_nothing() -> None:
    assert plain(parse_json('"half \\ud83d"', "value")) == "half"


@pytest.mark.parametrize(
    ("text", "shown"),
    {
        " plain ": "plain",
        "<{%fg 1%}>red<{%reset%}>": "red",
        "\x1b[31mred\x1b[0m": "red",
        "a\u202eb\u200ec": "abc",
        "two\nlines": "two\nlines",
        "no\u00a0break": "no\u00a0break",
        "a < {b} %": "a < {b} %",
    }.items(),
)
def test_nothing_for_a_terminal_is_shown(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize("reader", [read_plan, read_state, read_footprint, lambda text: past_runs([text])])
@pytest.mark.parametrize("text", ['{"version": 3, "deploy', '{"a": ' + "[" * 100_000])
def test_what_cannot_be_read_asks_for_what_this_reader_wants(reader: Any, text: str) -> None:
    wanted = {read_plan: "pulumi preview", read_state: "stack export", read_footprint: "stack export"}
    with pytest.raises(TollgateError) as caught:
        reader(text)
    assert wanted.get(reader, "pulumi up") in caught.value.advice
