"""The register of what is accepted: every mistake in it is one line that says where and what."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from tollgate.errors import TollgateError
from tollgate.scan.register import read_register

RESOURCE = "urn:pulumi:*::payments::*$aws:s3/bucket:Bucket::payments-*-evidence"
ENTRY: dict[str, Any] = {
    "rule": "CKV_AWS_144",
    "resource": RESOURCE,
    "owner": "Platform team",
    "reason": "The records must stay in the Region.",
    "instead": "Nothing in the bucket can be deleted.",
    "approver": "Head of risk",
    "created": date(2026, 1, 1),
    "expires": date(2026, 12, 31),
}
HEAD: dict[str, Any] = {"approvers": ["Head of risk"]}


def write(folder: Path, **content: Any) -> Path:
    (folder / "register").mkdir()
    (folder / "register" / "checkov.yaml").write_text(yaml.safe_dump({**HEAD, **content}))
    return folder


def test_a_good_entry_is_taken(tmp_path: Path) -> None:
    register = read_register(write(tmp_path, accepted=[ENTRY], same_as={"CKV_AWS_17": ["database-instance-private"]}))
    found = "urn:pulumi:prod::payments::tollgate:x:Y$aws:s3/bucket:Bucket::payments-prod-evidence"
    assert register.accepts("CKV_AWS_144", found, date(2026, 12, 31)) is register.accepted[0]
    assert register.accepts("CKV_AWS_144", found, date(2027, 1, 1)) is None
    assert register.lapsed("CKV_AWS_144", found, date(2027, 1, 1)) is register.accepted[0]
    assert register.accepts("CKV_AWS_18", found, date(2026, 6, 1)) is None
    assert register.accepts("CKV_AWS_144", f"{found}-copy", date(2026, 6, 1)) is None


def test_no_register_accepts_nothing(tmp_path: Path) -> None:
    assert read_register(None).accepted == read_register(tmp_path).accepted == ()


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a check that does not exist": ({"rule": "CKV_AWS_9999"}, "no check CKV_AWS_9999"),
    "an approver that nobody named": ({"approver": "Myself"}, "is none of Head of risk"),
    "an owner who approves": ({"owner": "head of risk"}, "is the owner too"),
    "too long": ({"expires": date(2027, 6, 1)}, "must be from 2026-01-01 to 2027-01-02"),
    "ended before it began": ({"expires": date(2025, 1, 1)}, "must be from 2026-01-01"),
    "every type": ({"resource": "urn:pulumi:*::payments::*::payments-evidence"}, "names no one type"),
    "every name": ({"resource": RESOURCE.rpartition("::")[0] + "::*"}, "covers a whole type"),
    "every project": ({"resource": RESOURCE.replace("payments::", "*::", 1)}, "names no one stack and project"),
    "no URN": ({"resource": "payments-evidence"}, "write the resource's URN"),
    "no reason": ({"reason": "because"}, "at least 20 characters"),
    "a key that means nothing": ({"ticket": "X-1"}, "no such key"),
}


@pytest.mark.parametrize(("change", "said"), WRONG.values(), ids=WRONG.keys())
def test_a_bad_entry_is_refused_with_its_line(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(TollgateError) as refused:
        read_register(write(tmp_path, accepted=[{**ENTRY, **change}]))
    (problem,) = refused.value.problems
    assert said in problem.text
    assert "checkov.yaml:" in problem.where


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    bad = {**ENTRY, "rule": "CKV_AWS_9999", "approver": "Myself"}
    with pytest.raises(TollgateError) as refused:
        read_register(write(tmp_path, accepted=[bad, bad], same_as={"CKV_AWS_0": ["x"]}))
    assert len(refused.value.problems) == 5
