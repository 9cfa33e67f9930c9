"""Facts: what a plan changes, as a set that people can approve. Canonical: order and spelling do not matter."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from tollgate.plan.model import Op, Plan, PropertyChange, Step
from tollgate.policy.paths import Path, parse_path
from tollgate.policy.sentinels import is_secret, is_unknown

ABSENT = "absent"
UNKNOWN_WORD = "unknown"
SECRET_WORD = "secret"  # noqa: S105  (the word for a secret, not one)
NOT_SHOWN = "not shown"
_NO_PATH = ""
Names = Mapping[str, str]
_NO_NAMES: Names = {}
_DEFAULTS, _AUTONAMED = "__defaults", "pulumi.com/autonamed"
_TOKEN = re.compile(r"[A-Za-z0-9_.-]+")
# The engine's own guards are no inputs; the mark keeps them apart from properties of the same name.
PROTECT_PATH = "@protect"
RETAIN_PATH = "@retainOnDelete"
# Longer texts than this are not worth parsing to see whether they are JSON documents.
_LONGEST_DOCUMENT = 1_000_000


class Fact(NamedTuple):
    """One thing that changes. ``before`` and ``after`` are hashes of canonical values, or a word.

    kind: add, update or delete; with ``-replace`` when this property replaces the resource; empty for the
    operation itself (path "").
    """

    op: str
    urn: str
    type: str
    path: str
    kind: str
    before: str
    after: str


def facts(plan: Plan) -> frozenset[Fact]:
    """All facts of a plan. Two plans that change the same things in the same way have the same facts."""
    names = _generated_names(plan)
    return frozenset(fact for step in plan.steps for fact in _of_step(step, names))


def facts_digest(found: Iterable[Fact]) -> str:
    """sha256 of the facts, as hex: what people approve."""
    lines = sorted(json.dumps(fact) for fact in found)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _generated_names(plan: Plan) -> Names:
    """Physical names that the engine makes up anew in each preview, with what stands for them.

    Providers mark them: the bridged ones in ``__defaults``, the Kubernetes one by an annotation.
    """
    names = {}
    for step in plan.steps:
        if step.op not in (Op.CREATE, Op.REPLACE) or step.new is None:
            continue
        defaults = step.new.get(_DEFAULTS)
        made_up = [step.new.get(key) for key in defaults if isinstance(key, str)] if isinstance(defaults, list) else []
        if find(step.new, ("metadata", "annotations", _AUTONAMED)) == "true":
            made_up.append(find(step.new, ("metadata", "name")))
        for name in made_up:
            if isinstance(name, str) and name.startswith(f"{step.name}-"):
                names[name] = f"{step.name}-*"
    return names


def _of_step(step: Step, names: Names) -> list[Fact]:
    op = step.raw_op if step.op is Op.UNRECOGNISED else step.op.value
    found = [Fact(op, step.urn, step.type, path, "update", before, after) for path, before, after in _guards(step)]
    if step.op is Op.SAME:
        return found
    if step.op in (Op.UPDATE, Op.REPLACE) and step.changes is not None:
        found += [_of_change(op, step, change, names) for change in step.changes]
        found = [fact for fact in found if _matters(fact)]
    if step.op is not Op.UPDATE or not found:
        found.append(_of_operation(op, step, names))
    return found


def _guards(step: Step) -> list[tuple[str, str, str]]:
    """Changes of protect and retainOnDelete. They only mean something where the resource stays."""
    if step.old is None or step.new is None:
        return []
    pairs = (
        (PROTECT_PATH, step.protect_before, step.protect_after),
        (RETAIN_PATH, step.retain_on_delete, step.retain_after),
    )
    return [(path, fingerprint(old), fingerprint(new)) for path, old, new in pairs if old != new]


def _of_change(op: str, step: Step, change: PropertyChange, names: Names) -> Fact:
    path = _parse(change.path)
    before = find(step.old, path)
    if before is None:
        before = find(step.old_outputs, path)
    kind = f"{change.kind.value}-replace" if change.replaces else change.kind.value
    return Fact(
        op, step.urn, step.type, change.path, kind, fingerprint(before, names), fingerprint(find(step.new, path), names)
    )


def _of_operation(op: str, step: Step, names: Names) -> Fact:
    """The operation itself. Without a detailed diff all inputs stand for what changes."""
    return Fact(op, step.urn, step.type, _NO_PATH, "", _whole(step.old, names), _whole(step.new, names))


def _whole(inputs: dict[str, Any] | None, names: Names) -> str:
    return ABSENT if inputs is None else fingerprint(inputs, names)


def _matters(fact: Fact) -> bool:
    """False for a change of spelling only: both sides are known and mean the same, and nothing is replaced."""
    hashed = fact.before not in (ABSENT, UNKNOWN_WORD, SECRET_WORD)
    return not (hashed and fact.before == fact.after and not fact.kind.endswith("-replace"))


@lru_cache(maxsize=16_384)
def _parse(path: str) -> Path:
    try:
        return parse_path(path)
    except ValueError:
        return (path,)


def find(value: Any, path: Path) -> Any:
    """What stands at a path; None when nothing does. Below an unknown or a secret everything is unknown or secret."""
    for segment in path:
        if isinstance(segment, str) and isinstance(value, dict) and not is_secret(value):
            value = value.get(segment)
        elif isinstance(segment, int) and isinstance(value, list):
            value = value[segment] if segment < len(value) else None
        else:
            return value if is_unknown(value) or is_secret(value) else None
    return value


def fingerprint(value: Any, names: Names = _NO_NAMES) -> str:
    """Hash of a value that is the same for every spelling of it; a word for what has no value to hash.

    names: texts that stand for the same thing although they differ (generated names).
    """
    if value is None:
        return ABSENT
    if is_unknown(value):
        return UNKNOWN_WORD
    if is_secret(value):
        return SECRET_WORD
    text = json.dumps(canonical(value), sort_keys=True, separators=(",", ":"))
    if names:
        text = _TOKEN.sub(lambda token: names.get(token[0], token[0]), text)
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(value: Any) -> Any:
    """One spelling: 1.0 as 1, a JSON document in a text as what it says, unknowns and secrets as words, no nulls."""
    if isinstance(value, dict):
        if is_secret(value):
            return {"": SECRET_WORD}
        return {key: canonical(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        return _canonical_text(value)
    return value


def _canonical_text(text: str) -> Any:
    if is_unknown(text):
        return {"": UNKNOWN_WORD}
    if is_secret(text):
        return {"": SECRET_WORD}
    if text[:1] in ("{", "[") and len(text) <= _LONGEST_DOCUMENT:
        try:
            return {"json": canonical(json.loads(text))}
        except (ValueError, RecursionError):
            return text
    return text
