"""What a provider does when an input changes: the facts of the replacement books.

Each book says in its head what it was read from. A type that is in none has no known behaviour.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tollgate.errors import Problem, TollgateError

BOOKS = ("replace-on-change.yaml", "replace-on-change-others.yaml", "kubernetes-immutable.yaml")


class ReplacementFacts(BaseModel):
    """What is known of one resource type. Paths are as the books spell them (``spec.containers[].env``)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    terraform: str = Field("", description="the bridged Terraform type; empty for Kubernetes")
    kind: str = Field("", description="the Kubernetes kind; empty for a bridged type")
    replace: tuple[str, ...] = Field(description="a change of one of these replaces the resource")
    replace_if: dict[str, str] = Field(description="path to the condition, in words, under which a change replaces")
    sensitive: tuple[str, ...] = Field(description="inputs that the provider keeps secret")
    undetermined: tuple[str, ...] = Field((), description="inputs whose behaviour on change is not known")
    outputs: dict[str, str] = Field(description="the id and the main computed outputs, as templates")


@cache
def replacement_facts() -> Mapping[str, ReplacementFacts]:
    """The facts of every type in the books, by type token. Raises TollgateError for a damaged book."""
    facts: dict[str, ReplacementFacts] = {}
    problems: list[Problem] = []
    for book in BOOKS:
        for token, entry in _read(book).items():
            try:
                facts[token] = ReplacementFacts.model_validate(entry)
            except ValidationError as error:
                problems += [Problem(f"{book}: {token}", str(fault["msg"])) for fault in error.errors()]
    if problems:
        raise TollgateError(
            "The replacement books of this installation are damaged.", problems, advice="install tollgate again"
        )
    return MappingProxyType(facts)


def _read(book: str) -> dict[str, Any]:
    text = resources.files("tollgate.books").joinpath(book).read_text(encoding="utf-8")
    # The C loader reads the books in 25 ms; not every build of PyYAML has it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content: dict[str, Any] = yaml.load(text, Loader=loader)  # noqa: S506  (a safe loader in both cases)
    return content
