"""Properties that hold for any values, and the books against the installed SDKs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollgate.books.replacement import replacement_facts
from tollgate.policy.sentinels import UNKNOWN
from tollgate.rehearsal.conditions import CONDITIONS, UNDECIDABLE, Settings
from tollgate.rehearsal.decisions import diff
from tollgate.rehearsal.diff import differences
from tollgate.rehearsal.kinds import EVERY_OBJECT, NOTHING_KNOWN, known
from tollgate.rehearsal.outputs import Kind, made, planned
from tollgate.rehearsal.packages import packages_installed, sdk_folders
from tollgate.rehearsal.plausible import short_region
from tollgate.rehearsal.sdk_types import Sdk
from tollgate.rehearsal.templates import Dice, Words
from tollgate.rehearsal.values import (
    Secret,
    contains_unknown,
    mark_secret,
    plain,
    read_struct,
    without_marks,
    write_struct,
)

NAMES = st.text(min_size=1, max_size=8).filter(lambda name: not name.startswith("__") and len(name) < 30)
LEAVES = st.one_of(st.text(max_size=8), st.booleans(), st.integers(-1000, 1000), st.floats(allow_nan=False, width=32))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3), inner.map(without_marks).map(Secret)
    ),
    max_leaves=12,
)
PROPERTIES = st.dictionaries(NAMES, VALUES, max_size=4)
ANYTHING = Kind("any:index:Thing", NOTHING_KNOWN, None, Settings())
OBJECT = Kind("kubernetes:x/v1:Thing", EVERY_OBJECT, None, Settings())


@pytest.fixture(scope="module")
def sdks() -> dict[str, Sdk]:
    return {package: Sdk(folder) for package, folder in sdk_folders(None).items()}


@given(PROPERTIES)
def test_values_survive_the_wire(properties: dict[str, Any]) -> None:
    assert read_struct(write_struct(properties)) == properties


@given(PROPERTIES)
def test_nothing_differs_from_itself(properties: dict[str, Any]) -> None:
    for kind in (ANYTHING, OBJECT):
        assert diff(kind, properties, properties, properties).changes == ()
        assert diff(kind, without_marks(properties), properties, {}).changes == ()


@given(PROPERTIES, st.data())
def test_a_changed_leaf_is_one_change_at_its_path(properties: dict[str, Any], data: st.DataObject) -> None:
    leaves = list(_leaves(properties, ()))
    if not leaves:
        return
    path, old = data.draw(st.sampled_from(leaves))
    changed = _with(properties, path, data.draw(LEAVES.filter(lambda new: not _equal(old, new))))
    changes, _ = differences(properties, changed)
    assert [change.path for change in changes] == [path]


@given(PROPERTIES, PROPERTIES)
def test_what_differs_is_found_both_ways(old: dict[str, Any], new: dict[str, Any]) -> None:
    there, _ = differences(old, new)
    back, _ = differences(new, old)
    opposite = {"add": "delete", "delete": "add", "update": "update"}
    assert {(change.path, change.kind) for change in there} == {(c.path, opposite[c.kind]) for c in back}


@settings(max_examples=30)
@given(PROPERTIES, st.sampled_from([ANYTHING, OBJECT]))
def test_what_is_planned_is_what_is_made_but_for_the_unknown(properties: dict[str, Any], kind: Kind) -> None:
    plan = planned(kind, properties)
    _, real = made(kind, properties, "urn:pulumi:dev::p::any:index:Thing::x#0")
    assert plan.keys() >= properties.keys()
    for name, value in plan.items():
        if not contains_unknown(value):
            assert plain(real.get(name)) == plain(value) or value is None
    assert not contains_unknown(real)


def _leaves(value: Any, path: tuple[Any, ...]) -> Any:
    value = plain(value)
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    else:
        yield path, value


def _with(value: Any, path: tuple[Any, ...], leaf: Any) -> Any:
    if isinstance(value, Secret):
        return Secret(_with(value.value, path, leaf))
    if not path:
        return leaf
    if isinstance(value, dict):
        return {name: _with(item, path[1:], leaf) if name == path[0] else item for name, item in value.items()}
    return [_with(item, path[1:], leaf) if index == path[0] else item for index, item in enumerate(value)]


def _equal(old: Any, new: Any) -> bool:
    """Python holds True equal to 1; in a property they differ."""
    return isinstance(old, bool) == isinstance(new, bool) and bool(old == new)


def test_every_type_and_every_path_of_the_books_is_in_the_sdk(sdks: dict[str, Sdk]) -> None:
    """A misspelt path in a book would be a rule that never fires. Its inner names are the provider's own."""
    wrong = []
    for token, facts in replacement_facts().items():
        types = sdks[token.partition(":")[0]].types(token)
        if types is None:
            wrong.append(token)
            continue
        paths = (*facts.replace, *facts.replace_if, *facts.sensitive, *facts.undetermined)
        tops = {re.split(r"[.\[]", path)[0] for path in paths}
        wrong += [f"{token} {top}" for top in sorted(tops - types.inputs.keys())]
        outputs = {path.partition(".")[0] for path in facts.outputs} - {"id"}
        wrong += [f"{token} output {top}" for top in sorted(outputs - types.outputs.keys())]
    assert wrong == []


def test_every_condition_of_the_books_can_be_judged_or_is_known_not_to_be() -> None:
    said = {condition for facts in replacement_facts().values() for condition in facts.replace_if.values()}
    assert said == CONDITIONS.keys() | UNDECIDABLE


def test_every_output_of_the_books_can_be_made(sdks: dict[str, Sdk]) -> None:
    """No template is left unread: no brace and no empty part in any output or id."""
    for token in replacement_facts():
        kind = known(token, sdks[token.partition(":")[0]], Settings(region="eu-central-1")).kind
        identity, outputs = made(kind, {}, f"urn:pulumi:dev::p::{token}::thing#0")
        assert identity, token
        listed = [outputs.get(path.partition(".")[0]) for path in kind.facts.outputs if path != "id"]
        assert None not in listed, token
        assert "{" not in "".join(map(str, _texts([identity, *listed]))), token


def _texts(value: Any) -> Any:
    return [leaf for _, leaf in _leaves(value, ())]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{name}", "N"),
        ("[]", []),
        ("{}", {}),
        ("[{ip}]", "list"),
        ("[a, b-{name}]", ["a", "b-N"]),
        ("[{a: {name}, b: [x, y]}]", [{"a": "N", "b": ["x", "y"]}]),
        ("{name}:{port}", "N:5432"),
        ("$LATEST", "$LATEST"),
    ],
)
def test_templates(template: str, expected: Any) -> None:
    words = Words({"name": "N", "port": 5432.0}.__getitem__, Dice("seed"))
    found = words.expand(template, "it")
    assert found == expected if expected != "list" else re.fullmatch(r"10\.\d+\.\d+\.\d+", found[0])


@pytest.mark.parametrize(
    ("region", "code"),
    [("eu-central-1", "euc1"), ("us-east-1", "use1"), ("ap-southeast-2", "apse2"), ("ap-northeast-1", "apne1")],
)
def test_short_region(region: str, code: str) -> None:
    assert short_region(region) == code


def test_marking_secrets_reaches_into_lists_and_leaves_the_rest() -> None:
    given_in = {"users": [{"name": "a", "password": "p"}, {"name": "b"}], "x": UNKNOWN}
    marked = mark_secret(given_in, ["users[].password", "missing.path"])
    assert marked == {"users": [{"name": "a", "password": Secret("p")}, {"name": "b"}], "x": UNKNOWN}
    assert "p" not in repr(marked["users"][0]["password"]).replace("[secret]", "")


def test_the_sdk_tells_inputs_outputs_and_what_is_computed(sdks: dict[str, Sdk]) -> None:
    types = sdks["aws"].types("aws:rds/instance:Instance")
    assert types is not None
    assert [name for name, field in types.inputs.items() if field.required] == ["instanceClass"]
    assert {"arn", "endpoint", "status"} <= types.computed
    assert {"engineVersion", "port", "kmsKeyId"} <= types.kept_when_dropped
    assert not {"tags", "deletionProtection", "password"} & types.kept_when_dropped
    assert sdks["kubernetes"].types("kubernetes:postgresql.cnpg.io/v1:Cluster") is None


def test_packages_of_an_environment(tmp_path: Path) -> None:
    found = packages_installed(None)
    assert {"aws", "kubernetes"} <= found
    assert not {"policy", "pulumi", "pulumi-policy"} & found
