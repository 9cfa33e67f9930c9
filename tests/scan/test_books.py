"""The book of severities against the checks that the locked checkov ships."""

from __future__ import annotations

import re

import pytest

from tollgate.books.checkov import checkov_book
from tollgate.books.match import load_book
from tollgate.scan.environment import Environment, locked_version
from tollgate.scan.run import catalogue

OURS = re.compile(r"CKV2?_(AWS|K8S)_\d+")
BOOK = checkov_book()


def test_every_check_of_the_installed_checkov_stands_in_the_book_and_none_beside(checkov: Environment) -> None:
    shipped = {check for check in catalogue(checkov).checks if OURS.fullmatch(check)}
    assert len(shipped) > 500
    assert {"missing": shipped - BOOK.keys(), "surplus": BOOK.keys() - shipped} == {"missing": set(), "surplus": set()}


def test_the_installed_checkov_is_the_locked_one(checkov: Environment) -> None:
    assert catalogue(checkov).version == checkov.version == locked_version()


def test_no_check_stands_in_the_book_twice() -> None:
    lines = [check for checks in load_book("checkov-severities.yaml").values() for check in checks]
    assert len(lines) == len(set(lines)) == len(BOOK)


@pytest.mark.parametrize("check", sorted(BOOK))
def test_what_a_check_means_can_end_a_sentence(check: str) -> None:
    says = BOOK[check].says
    assert says[0].islower() or says.startswith(("AWS", "Tiller"))
    assert not says.endswith(".")
    assert len(says.split()) <= 25
    assert not re.search(r"\b(CMK|KMS|ACL|IAM|SSL|vuln)", says), "a word that a manager would not know"
