"""Overlays, encrypted values and exported states: what a rehearsal takes in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.errors import TollgateError
from tollgate.policy.sentinels import SECRET_SIGNATURE, SIGNATURE_KEY
from tollgate.rehearsal.settings import merged, read_overlay, read_settings
from tollgate.rehearsal.state import UNREADABLE_SECRET, importable_state, packages_in, sealed_with

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)
MAPPING = st.dictionaries(st.text(max_size=3), JSON, max_size=4)


@pytest.mark.parametrize(
    ("base", "over", "result"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}}, {"a": {"x": 1, "y": 3}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"x": 1}, "b": 1}, {"a": None}, {"b": 1}),
        ({"a": {"x": 1}}, {"a": 5}, {"a": 5}),
    ],
)
def test_overlay(base: dict[str, Any], over: dict[str, Any], result: dict[str, Any]) -> None:
    assert merged(base, over) == result


@given(base=MAPPING, over=MAPPING)
def test_an_overlay_twice_is_the_overlay_once_and_changes_no_input(base: dict[str, Any], over: dict[str, Any]) -> None:
    before = json.dumps([base, over])
    once = merged(base, over)
    assert merged(once, over) == once
    assert json.dumps([base, over]) == before


@pytest.mark.parametrize(
    ("text", "says"),
    [("tier: dev\n", "with its namespace"), ("", "it is empty"), ("[1]", "must be a mapping"), ("a: [\n", "x.yaml:2")],
)
def test_overlay_refusals(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text)
    with pytest.raises(TollgateError, match=says):
        read_overlay(file)


def test_encrypted_values_get_stand_ins_unless_the_passphrase_is_known(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(
        "encryptionsalt: v1:x\nconfig:\n  a:plain: 1\n  a:k: {secure: v1:zz}\n  a:o: {n: [{secure: v1:y}]}\n"
    )
    closed = read_settings(file, overlay=None, opens=False)
    assert closed.config == {"a:plain": 1, "a:o": {"n": ["rehearsal-stand-in"]}}
    assert closed.hidden == ("a:k", 'a:o["n"][0]')
    assert closed.salt is None
    opened = read_settings(file, overlay=None, opens=True)
    assert opened.config["a:k"] == {"secure": "v1:zz"}
    assert (opened.salt, opened.hidden) == ("v1:x", ())


def export(**deployment: Any) -> dict[str, Any]:
    return {"version": 3, "deployment": {"secrets_providers": {"type": "passphrase"}, "resources": [], **deployment}}


def resource(name: str, stack: str = "dev", **more: Any) -> dict[str, Any]:
    kind = "aws:s3/bucket:Bucket"
    return {"urn": f"urn:pulumi:{stack}::tiny::{kind}::{name}", "type": kind, "custom": True, **more}


def test_state_is_made_importable(tmp_path: Path) -> None:
    hidden = {SIGNATURE_KEY: SECRET_SIGNATURE, "ciphertext": "v1:abc"}
    shown = {SIGNATURE_KEY: SECRET_SIGNATURE, "plaintext": '"known"'}
    file = tmp_path / "state.json"
    file.write_text(json.dumps(export(resources=[resource("b", inputs={"x": hidden, "y": [shown]})])))
    state = importable_state(file, project="tiny", stack="dev")
    inputs = state["deployment"]["resources"][0]["inputs"]
    assert inputs["x"] == {SIGNATURE_KEY: SECRET_SIGNATURE, "plaintext": json.dumps(UNREADABLE_SECRET)}
    assert inputs["y"] == [shown]
    assert sealed_with(state, "v1:s")["deployment"]["secrets_providers"]["state"] == {"salt": "v1:s"}
    assert packages_in(state) == {"aws"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is not JSON"),
        ("{}", "is not the export of a Pulumi stack"),
        ("[]", "is not the export of a Pulumi stack"),
        (json.dumps({"version": 4, "terraform_version": "1.9"}), "is not the export of a Pulumi stack"),
        (json.dumps(export(resources=[resource("b", stack="prod")])), "it holds prod::tiny; wanted dev::tiny"),
        (json.dumps(export(resources=[resource("b")]))[:-9], "is not JSON"),
    ],
)
def test_state_refusals(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "state.json"
    file.write_text(content)
    with pytest.raises(TollgateError, match=says):
        importable_state(file, project="tiny", stack="dev")


def test_missing_state_file(tmp_path: Path) -> None:
    with pytest.raises(TollgateError, match="cannot be read"):
        importable_state(tmp_path / "none.json", project="tiny", stack="dev")
