"""The labelled changes of the benchmark (cases/*.yaml), as data: resources before, resources after, and the label."""

from __future__ import annotations

import hashlib
from copy import deepcopy
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from tollgate.policy.paths import parse_path

FOLDER = Path(__file__).parent / "cases"
Label = Literal["dangerous", "routine"]


class Corpus(StrEnum):
    """Who wrote a case."""

    PUBLIC = "public"  # ported from the public corpus
    OWN = "own"  # those who wrote the rules
    FIRST = "first"  # others, who had seen neither rules nor books nor cases; rules were then changed for them
    SECOND = "second"  # others again, likewise, after that


Resources = dict[str, dict[str, Any]]


class Case(BaseModel):
    """One labelled change. ``names``: resources of which a finding must name at least one, and none other may.

    before and after: name → {type, inputs, options, component}; inputs in the providers' spelling.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    label: Label
    what: str
    names: tuple[str, ...] = ()
    differs: str = ""
    corpus: Corpus
    before: Resources
    after: Resources

    @property
    def held_out(self) -> bool:
        """Not run before the rules were finished: every third of our own cases, by the hash of its id."""
        return self.corpus is Corpus.OWN and int(hashlib.sha256(self.id.encode()).hexdigest(), 16) % 3 == 0


@cache
def cases() -> tuple[Case, ...]:
    """All cases, those of the public corpus first."""
    found = [_case(name, source, Corpus.PUBLIC) for name, source in _read("public").items()]
    for corpus in (Corpus.OWN, Corpus.FIRST, Corpus.SECOND):
        for label in ("dangerous", "routine"):
            of = _read(f"{corpus.value}-{label}")
            found += [_case(name, source | {"label": label}, corpus) for name, source in of.items()]
    return tuple(found)


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return content


@cache
def _templates() -> dict[str, Any]:
    return _read("templates")


def _case(name: str, source: dict[str, Any], corpus: Corpus) -> Case:
    declared, rest = source.pop("before"), {key: source.pop(key, {}) for key in ("set", "options", "add", "rename")}
    before = _all(declared)
    after = _all(declared)
    for removed in source.pop("remove", []):
        del after[removed]
    after |= _all(rest["add"])
    after = {rest["rename"].get(each, each): resource for each, resource in after.items()}
    for target, change in rest["set"].items():
        for each in _members(after, target):
            _set(after[each]["inputs"], change)
    for target, options in rest["options"].items():
        after[target]["options"] = {
            key: value for key, value in {**after[target].get("options", {}), **options}.items() if value is not None
        }
    return Case(id=name, corpus=corpus, before=before, after=after, **source)


def _all(declared: dict[str, Any]) -> Resources:
    found: Resources = {}
    for name, source in declared.items():
        if isinstance(source, dict) and "repeat" in source:
            for number in range(source["repeat"]):
                found[f"{name}-{number}"] = _resource(source, number)
        else:
            found[name] = _resource(source, 0)
    return found


def _members(resources: Resources, target: str) -> list[str]:
    """A resource, or all that were made by repeating it."""
    return [target] if target in resources else [each for each in resources if each.rpartition("-")[0] == target]


def _resource(source: Any, number: int) -> dict[str, Any]:
    source = {"like": source} if isinstance(source, str) else dict(source)
    made: dict[str, Any] = deepcopy(_templates()[source["like"]] if "like" in source else source)
    made.setdefault("inputs", {})
    _set(made["inputs"], source.get("set", {}))
    if "options" in source:
        made["options"] = dict(source["options"])
    made["inputs"] = _numbered(made["inputs"], str(number))
    return made


def _numbered(value: Any, number: str) -> Any:
    """The same with ``{n}`` filled in, however deep."""
    if isinstance(value, dict):
        return {key: _numbered(item, number) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbered(item, number) for item in value]
    return value.replace("{n}", number) if isinstance(value, str) else value


def _set(inputs: dict[str, Any], change: dict[str, Any]) -> None:
    """Write values at paths; None takes away what stands there."""
    for text, value in change.items():
        *way, last = parse_path(text)
        holder: Any = inputs
        for segment in way:
            holder = holder.setdefault(segment, {}) if isinstance(holder, dict) else holder[segment]
        if value is None:
            holder.pop(last, None)
        else:
            holder[last] = deepcopy(value)
