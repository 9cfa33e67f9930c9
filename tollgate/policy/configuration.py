"""What a stack is stricter about than the rules themselves: ``config/<stack>.yaml`` beside the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import Field

from tollgate.errors import Problem, TollgateError
from tollgate.policy.documents import Closed, line_of, read_document
from tollgate.policy.pack import Level, Pack, RuleSetting, levels


class StackFile(Closed):
    """One file: by rule, its level in this stack."""

    rules: dict[str, Level] = Field(default_factory=dict)


Settings = Mapping[str, Mapping[str, RuleSetting]]
"""By stack and rule."""


def read_configuration(folder: Path, pack: Pack) -> Settings:
    """All files of a folder. Raises TollgateError when one names no rule, or would weaken one."""
    found, problems = {}, []
    for file in sorted(folder.glob("*.yaml")):
        settings = {name: RuleSetting(level) for name, level in read_document(file, StackFile).rules.items()}
        problems += list(_problems(file, pack, settings))
        found[file.stem] = settings
    if problems:
        raise TollgateError("The configuration of the policy pack cannot be used.", problems)
    return found


def _problems(file: Path, pack: Pack, settings: Mapping[str, RuleSetting]) -> Iterator[Problem]:
    if "all" in settings:  # Pulumi's word for every rule; the engine knows it, a stack's file says what it means
        yield Problem(line_of(file, ("rules", "all")), "all: name each rule")
    try:
        levels(pack, settings)
    except TollgateError as error:
        for problem in error.problems:
            yield Problem(line_of(file, ("rules", problem.where)), f"{problem.where}: {problem.text}")
