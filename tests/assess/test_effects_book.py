"""The effects book: every line can speak, none contradicts another, all types of the stacks are in it."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from tests.assess.lines import step_for, type_of
from tests.assess.test_books import _checkable, installed
from tests.components.recording import STACKS, config_of, run
from tollgate.assess.changed import Changed, changed
from tollgate.assess.lookup import Index
from tollgate.books import line_files
from tollgate.books.effect_book import EffectLine, Notice, effect_book
from tollgate.books.line_files import ambiguous, read_lines
from tollgate.books.lines import Operation, property_path
from tollgate.books.match import matches
from tollgate.books.replacement import replacement_facts
from tollgate.errors import TollgateError
from tollgate.plan.model import Op, Step

_LINES, _DEFAULTS, _ = effect_book()
_INDEX = Index(effect_book())
_BOOKKEEPING = {"apiVersion", "kind", "__defaults"}


def test_it_has_more_than_three_hundred_lines_and_each_names_what_it_rests_on() -> None:
    assert len({(line.file, line.line) for line in _LINES}) > 300
    assert all(
        line.source.startswith(("http", "[ours]"))
        or "as noted" in line.source
        or "4.34.2" in line.source
        or "7.51.1" in line.source
        or "3.257.0" in line.source
        for line in _LINES
    )


def test_no_two_lines_contradict_each_other() -> None:
    assert [str(problem) for problem in ambiguous(_LINES)] == []


@pytest.mark.parametrize(
    ("line", "op"), [(line, op) for line in _LINES for op in line.ops], ids=lambda each: getattr(each, "id", each)
)
def test_the_line_speaks(line: EffectLine, op: Operation) -> None:
    """A step made from the line finds it and is sure of it: no other hides it, and its conditions can hold."""
    step = step_for(line, op)
    changes: list[Changed | None] = [*changed(step)] if op is Operation.UPDATE else [None]
    found = [_INDEX.find(step, op, change) for change in changes]
    assert any(each.sure and each.lines[-1].id == line.id for each in found), [each.lines for each in found]


@pytest.mark.parametrize("token", sorted({t for line in _LINES for t in line.types if _checkable(t)}))
def test_the_type_exists(token: str) -> None:
    assert any(matches(known, [token]) for known in installed()), token


def _properties() -> list[tuple[tuple[str, ...], str]]:
    """AWS types and a property that a line, a condition or a default names for them."""
    pairs: set[tuple[tuple[str, ...], str]] = set()
    for line in _LINES:
        tokens = tuple(token for token in line.types if token.startswith("aws:") and "*" not in token)
        if tokens:
            pairs |= {(tokens, path) for path in (line.path, line.unless, *line.when) if path not in ("", "*")}
    pairs |= {((key.split(" ")[0],), key.split(" ")[1]) for key in _DEFAULTS if key.startswith("aws:")}
    return sorted(pairs)


@pytest.mark.parametrize(("tokens", "path"), _properties(), ids=lambda each: each if isinstance(each, str) else each[0])
def test_the_property_exists(tokens: tuple[str, ...], path: str) -> None:
    """A line for a misspelt property would never speak. One of several types that share a line may lack it."""
    top = str(property_path(path)[0])
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", top).lower()
    assert any(f'"{top}"' in installed()[token] or f"{snake}:" in installed()[token] for token in tokens), top


@lru_cache(maxsize=1)
def _inputs_of_stacks() -> dict[str, list[dict[str, Any]]]:
    """Type token → what the programs of the five stacks set for it, once for each shape of it."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for stack in STACKS:
        for made in run(stack, config_of(stack)).resources:
            if made.custom:
                shape = ",".join(sorted(made.inputs))
                found.setdefault(made.type, {})[shape] = dict(made.inputs)
    return {token: list(shapes.values()) for token, shapes in found.items()}


@pytest.mark.parametrize(
    ("token", "path", "said"),
    [
        ("some:index/thing:Thing", "description", "any-said/description"),
        ("gcp:compute/firewall:Firewall", "description", "any-said/description"),
        ("aws:wafv2/ipSet:IpSet", "description", "waf-said"),
        ("aws:sns/topic:Topic", "displayName", "sns-quiet/displayName"),
        ("aws:bedrock/agentAgentActionGroup:AgentAgentActionGroup", "description", "any-said-to-a-model"),
        ("azure-native:web:WebApp", "tags", "any-tags"),
        ("gcp:pubsub/topic:Topic", "labels", "any-labels"),
        ("gcp:compute/instance:Instance", "labels", "any-labels"),
        ("gcp:compute/instance:Instance", "tags", "marks-firewall-gcp"),
        ("gcp:monitoring/notificationChannel:NotificationChannel", "labels", "marks-notify-gcp"),
        ("digitalocean:index/droplet:Droplet", "tags", "marks-firewall-do"),
        ("kubernetes:argoproj.io/v1alpha1:Application", "metadata.labels", "k8s-labels/metadata.labels"),
        ("kubernetes:kafka.strimzi.io/v1:KafkaTopic", "metadata.labels", "strimzi-marks/metadata.labels"),
    ],
)
def test_a_line_for_a_type_comes_before_one_for_all_types(token: str, path: str, said: str) -> None:
    """A generic line speaks of words and marks of any type, but not where they steer something."""
    line = next(line for line, way in _INDEX.of(token, Operation.UPDATE) if way == property_path(path))
    assert line.id == said


def test_marks_that_may_steer_are_not_harmless_for_types_that_nobody_looked_at() -> None:
    of_all = {line.path for line in _LINES if line.types == ("*",) and line.path}
    assert of_all == {"description", "comment", "notes", "displayName", "tagsAll", "effectiveLabels", "pulumiLabels"}


def test_every_type_of_our_stacks_is_known_for_making_replacing_and_deleting() -> None:
    missing = []
    for token, shapes in _inputs_of_stacks().items():
        for op in Operation:
            if op is not Operation.UPDATE:
                missing += [f"{token} {op}" for inputs in shapes if not _INDEX.find(_step(token, inputs), op).sure]
    assert missing == []


def test_every_property_that_our_stacks_set_is_known_or_replaces() -> None:
    missing = set()
    for token, shapes in _inputs_of_stacks().items():
        for path in {path for inputs in shapes for path in _paths(token, inputs)}:
            lines = [line for line, _ in _INDEX.of(token, Operation.UPDATE) if _touches(property_path(line.path), path)]
            if not lines and not _replaces(token, path):
                missing.add(f"{token} {'.'.join(path)}")
    assert missing == set()


def _step(token: str, inputs: dict[str, Any]) -> Step:
    urn = f"urn:pulumi:x::y::{token}::n"
    return Step(op=Op.UPDATE, raw_op="update", urn=urn, type=token, name="n", old=inputs, new=inputs)


def _paths(token: str, inputs: dict[str, Any]) -> set[tuple[str, ...]]:
    """Top properties; of Kubernetes objects those of the specification."""
    found: set[tuple[str, ...]] = set()
    for key, value in inputs.items():
        if token.startswith("kubernetes:") and key == "spec" and isinstance(value, dict):
            found |= {(key, below) for below in value}
        elif key not in (_BOOKKEEPING | {"metadata"}):
            found.add((key,))
    return found


def _touches(line: tuple[Any, ...], path: tuple[str, ...]) -> bool:
    return all(a == b for a, b in zip(line, path, strict=False))


def _replaces(token: str, path: tuple[str, ...]) -> bool:
    facts = replacement_facts().get(token)
    replacing = {each.split("[")[0] for each in facts.replace} if facts else set()
    return path[0] in replacing or ".".join(path) in replacing


def _book(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """What is said of a book of this text."""
    monkeypatch.setattr(line_files, "FOLDER", tmp_path / "tollgate" / "books")
    file = tmp_path / "tollgate" / "books" / "some.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("sources: {ours: '[ours] a guess'}\nlines:\n" + text)
    with pytest.raises(TollgateError) as caught:
        read_lines([file], EffectLine)
    return str(caught.value)


_GOOD = 'id: a, types: x, ops: create, notice: nothing, reversible: yes, says: "{subject} is.", source: ours'


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (_GOOD.replace("notice: nothing", "notice: noise"), "some.yaml:3"),
        (_GOOD.replace("source: ours", "source: his"), "no source is called 'his'"),
        (_GOOD.replace("ops: create", "ops: update"), "an update stands alone, and names its property"),
        (_GOOD + ", path: size", "a property and how it changes belong to an update"),
        (_GOOD.replace("notice: nothing", "notice: outage"), "what is noticed lasts a while or for good"),
        (_GOOD + ", lasts: [1, 2]", "nothing has no length"),
        (_GOOD.replace("nothing", "outage") + ", lasts: [5, 2]", "[p50, p90] in seconds"),
        (_GOOD.replace("{subject} is.", "It is."), "names its {subject}"),
        (_GOOD + ", unless: applyImmediately", "unless belongs to waits"),
        (_GOOD + ", when: {size: {at_least: 1, below: 2}}", "a condition is a value"),
        (_GOOD + ", nonsense: 1", "Extra inputs are not permitted"),
        (_GOOD + "}\n  - {" + _GOOD, "the id a is used in"),
    ],
)
def test_a_damaged_line_is_refused_with_its_place(
    tmp_path: Path, line: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said in _book(tmp_path, f"  - {{{line}}}\n", monkeypatch)


def test_lines_that_fit_the_same_change_are_named() -> None:
    first = next(line for line in _LINES if line.id == "rds-class-standby")
    twin = first.model_copy(update={"id": "twin", "when": {}})
    one_more = first.model_copy(update={"id": "other", "when": {}})
    (problem,) = ambiguous([twin, one_more])
    assert "other and twin" in problem.text


def test_notices_are_ordered() -> None:
    assert [notice.rank for notice in Notice] == sorted(notice.rank for notice in Notice)
    assert type_of(_LINES[0])
