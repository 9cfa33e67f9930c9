"""How AWS resources read in Terraform: the type of each, its inputs, and what kind of value each input holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tollgate.books.match import load_book
from tollgate.errors import Problem, TollgateError

BOOK = "terraform.yaml"


class Inputs(BaseModel):
    """The inputs of a type, or of a block within it, by the kind of value they hold. Names are Terraform's.

    map: keys are the user's own, and stay as they are. secret: sensitive, never to be written down.
    open: a block whose inputs the book does not follow any further.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: frozenset[str] = frozenset()
    plain: frozenset[str] = Field(frozenset(), description="numbers and truth values")
    list: frozenset[str] = Field(frozenset(), description="lists of texts or numbers")
    map: frozenset[str] = frozenset()
    secret: frozenset[str] = frozenset()
    blocks: dict[str, Inputs] = Field(default_factory=dict)
    open: bool = False

    def __contains__(self, name: object) -> bool:
        return name in self.blocks or any(
            name in kind for kind in (self.text, self.plain, self.list, self.map, self.secret)
        )

    def spelt(self, name: str) -> str | None:
        """Terraform's name of a property that Pulumi calls ``name``; None when the book has none."""
        known = next((spelling for spelling in spellings(name) if spelling in self), None)
        return known or (snake(name) if self.open else None)


class TerraformType(BaseModel):
    """A resource type. newer: properties that came after the provider the book was read from, by Pulumi's path."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    terraform: str
    inputs: Inputs
    renamed: dict[str, str] = Field(default_factory=dict)
    newer: frozenset[str] = frozenset()


def snake(name: str) -> str:
    """``kmsKeyId`` as ``kms_key_id``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def spellings(name: str) -> Iterator[str]:
    """Terraform's possible names of a property, likeliest first.

    pulumi-terraform-bridge puts lists into the plural, and drops the underscore before a digit.
    """
    whole = snake(name)
    for spelling in (whole, re.sub(r"(?<=[a-z])(?=\d)", "_", whole)):
        yield spelling
        if spelling.endswith("ies"):
            yield f"{spelling[:-3]}y"
        if spelling.endswith("es"):
            yield spelling[:-2]
        if spelling.endswith("s"):
            yield spelling[:-1]


@cache
def terraform_type(token: str) -> TerraformType | None:
    """What the book says of a Pulumi type token; None when it says nothing. TollgateError for a damaged book."""
    entry = _book().get(token)
    if entry is None:
        return None
    try:
        return TerraformType.model_validate(entry)
    except ValidationError as error:
        problems = [Problem(f"{BOOK}: {token}", str(fault["msg"])) for fault in error.errors()]
        raise TollgateError(f"{BOOK} is damaged.", problems, advice="install tollgate again") from error


def terraform_tokens() -> tuple[str, ...]:
    """The type tokens in the book, in order."""
    return tuple(sorted(_book()))


@cache
def _book() -> Mapping[str, Any]:
    book: dict[str, Any] = load_book(BOOK)
    return book
