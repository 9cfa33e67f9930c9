"""The book of Terraform names is what the generator writes."""

from __future__ import annotations

from pathlib import Path

from tests.terraform.provider import needs_terraform, schemas
from tests.terraform.table import FILE, text
from tollgate.scan.environment import Environment


@needs_terraform
def test_the_book_is_what_the_provider_the_sdk_and_checkov_say(checkov: Environment, tmp_path: Path) -> None:
    assert FILE.read_text() == text(schemas(tmp_path)), "run: python -m tests.terraform.table"
