"""Facts: what a plan changes, as a set that people can approve. Canonical: order and spelling do not matter."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any, NamedTuple

from tollgate.books.unordered import unordered_paths
from tollgate.plan.canonical import ABSENT, SECRET_WORD, UNKNOWN_WORD, Names, fingerprint, in_one_order
from tollgate.plan.model import Op, Plan, PropertyChange, Step
from tollgate.plan.ties import provider_urn
from tollgate.policy.paths import Path, format_path, parse_path
from tollgate.policy.sentinels import SIGNATURE_KEY, is_secret, is_unknown

_NO_PATH = ""
_DEFAULTS, _AUTONAMED = "__defaults", "pulumi.com/autonamed"
# The engine's own guards are no inputs; the mark keeps them apart from properties of the same name.
PROTECT_PATH = "@protect"
RETAIN_PATH = "@retainOnDelete"
CONNECTION_PATH = "@provider"
DELETE_FIRST = "delete-first"  # kind of a replacement that takes the old one away before the new one is there


class Fact(NamedTuple):
    """One thing that changes. ``before`` and ``after`` are hashes of canonical values, or a word.

    kind: add, update or delete; with ``-replace`` when this property replaces the resource; for the operation itself
    (path "") empty, or ``delete-first``.
    """

    op: str
    urn: str
    type: str
    path: str
    kind: str
    before: str
    after: str


_ID_DIGITS = 12  # enough to tell a million facts apart


def _line(fact: Fact) -> str:
    """A fact as a JSON list."""
    return f"[{', '.join(map(encode_basestring_ascii, fact))}]"


def fact_id(fact: Fact) -> str:
    """What people call a fact: the beginning of its hash."""
    return hashlib.sha256(_line(fact).encode()).hexdigest()[:_ID_DIGITS]


def facts(plan: Plan) -> frozenset[Fact]:
    """All facts of a plan. Two plans that change the same things in the same way have the same facts."""
    names = _generated_names(plan)
    return frozenset(fact for step in plan.steps for fact in _of_step(step, names))


def facts_digest(found: Iterable[Fact]) -> str:
    """sha256 of the facts, as hex: what people approve."""
    lines = sorted(map(_line, found))
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
        found += _of_changes(op, step, step.changes, names)
        found = [fact for fact in found if _matters(fact)]
    if step.op is not Op.UPDATE or not found:
        found.append(_of_operation(op, step, names))
    return found


def _guards(step: Step) -> list[tuple[str, str, str]]:
    """Changes of what is no input. They only mean something where the resource stays."""
    if step.old is None or step.new is None:
        return []
    pairs = (
        (PROTECT_PATH, step.protect_before, step.protect_after),
        (RETAIN_PATH, step.retain_on_delete, step.retain_after),
    )
    found = [(path, fingerprint(old), fingerprint(new)) for path, old, new in pairs if old != new]
    if step.provider_moved:
        found.append((CONNECTION_PATH, _connection(step.provider_before), _connection(step.provider)))
    return found


def _connection(reference: str) -> str:
    return fingerprint(provider_urn(reference))


def _of_changes(op: str, step: Step, changes: Iterable[PropertyChange], names: Names) -> Iterator[Fact]:
    """One fact a change; of all changes within a list without order one for the list."""
    told: set[tuple[Path, bool]] = set()
    for change in changes:
        path = _parse(change.path)
        root = unordered_root(step.type, path)
        if root is None:
            yield _of_change(op, step, change, names, path, None)
        elif (root, change.replaces) not in told:
            told.add((root, change.replaces))
            yield _of_change(op, step, change, names, root, root)


def _of_change(op: str, step: Step, change: PropertyChange, names: Names, path: Path, root: Path | None) -> Fact:
    shown = change.path if root is None else format_path(root)
    before = find(step.old, path)
    if before is None:
        before = find(step.old_outputs, path)
    after = find(step.new, path)
    if root is not None:
        before, after = (in_one_order(value, step.type, root) for value in (before, after))
    kind = "update" if root is not None else change.kind.value
    kind += "-replace" if change.replaces else ""
    return Fact(op, step.urn, step.type, shown, kind, fingerprint(before, names), fingerprint(after, names))


def unordered_root(type_token: str, path: Path) -> Path | None:
    """The list around a path whose order means nothing: which item changed depends on the order alone."""
    known = unordered_paths(type_token)
    if not known:
        return None
    pattern = tuple("*" if isinstance(segment, int) else segment for segment in path)
    return next((path[:end] for end in range(1, len(path) + 1) if pattern[:end] in known), None)


def _of_operation(op: str, step: Step, names: Names) -> Fact:
    """The operation itself. Without a detailed diff all inputs stand for what changes."""
    kind = DELETE_FIRST if step.delete_before_replace else ""
    return Fact(op, step.urn, step.type, _NO_PATH, kind, _whole(step, step.old, names), _whole(step, step.new, names))


def _whole(step: Step, inputs: dict[str, Any] | None, names: Names) -> str:
    return ABSENT if inputs is None else fingerprint(in_one_order(inputs, step.type), names)


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
        if isinstance(value, dict) and isinstance(segment, str) and not (SIGNATURE_KEY in value and is_secret(value)):
            value = value.get(segment)
        elif isinstance(value, list) and isinstance(segment, int):
            value = value[segment] if segment < len(value) else None
        else:
            return value if is_unknown(value) or is_secret(value) else None
    return value
