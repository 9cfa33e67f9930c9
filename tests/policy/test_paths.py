"""Property paths: the engine's notation, read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.policy.paths import format_path, parse_path

# A backslash before a quote has no spelling in the engine's notation, so names here have none.
NAMES = st.text(st.characters(exclude_characters="\\", exclude_categories=["Cs"]), min_size=1)


@given(st.lists(NAMES | st.integers(0, 99)).map(tuple))
def test_every_path_that_is_written_reads_back(path):
    assert parse_path(format_path(path)) == path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ()),
        ("spec.storage.size", ("spec", "storage", "size")),
        ('spec.arguments["x-delivery-limit"]', ("spec", "arguments", "x-delivery-limit")),
        ('metadata.labels["app.kubernetes.io/name"]', ("metadata", "labels", "app.kubernetes.io/name")),
        ("x-delivery-limit", ("x-delivery-limit",)),
        ("ingress[0].cidrBlocks[12]", ("ingress", 0, "cidrBlocks", 12)),
        ("ingress[*].cidrBlocks", ("ingress", "*", "cidrBlocks")),
        (r'["say \"hello\""]', ('say "hello"',)),
    ],
)
def test_paths_read_as_the_engine_reads_them(text, path):
    assert parse_path(text) == path


@pytest.mark.parametrize("text", [".a", "a.", "a..b", "a[", "a[x]", "a[-1]", 'a["b]', "a]b", 'a"b', "a[0]b"])
def test_what_is_no_path_is_refused(text):
    with pytest.raises(ValueError, match="is not a property path"):
        parse_path(text)
