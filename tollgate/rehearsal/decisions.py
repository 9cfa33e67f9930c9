"""The decisions of a provider, with no protocol in them: what Check and Diff answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tollgate.policy.sentinels import is_unknown
from tollgate.rehearsal.checks import Failure, check_inputs, check_shape
from tollgate.rehearsal.conditions import Case, never_changes
from tollgate.rehearsal.diff import ADD, DELETE, UPDATE, Change, Difference, at, decide, differences, ignored
from tollgate.rehearsal.naming import (
    NameRequest,
    name_bridged,
    name_input,
    name_object,
    named_by_provider,
    object_named_by_provider,
)
from tollgate.rehearsal.outputs import Kind, all_tags
from tollgate.rehearsal.sdk_types import Shape, shape_at
from tollgate.rehearsal.values import INVENTED, Properties, mark_secret, plain, without_marks

PLACE = (("metadata", "name"), ("metadata", "namespace"))


def check(
    kind: Kind, new: Properties, old: Properties, request: NameRequest, metadata: Shape | None
) -> tuple[Properties, list[Failure]]:
    """The inputs as the provider will use them: named, secrets marked; and what is wrong with them."""
    if kind.types is not None:
        failures = check_inputs(new, kind.types.inputs)
    elif kind.kubernetes and metadata is not None and "metadata" in new:
        failures = check_shape(new["metadata"], metadata, ("metadata",))
    else:
        failures = []
    if kind.kubernetes:
        named = name_object(new, old, request)
    else:
        named = name_bridged(kind.token, new, old, name_input(kind.token, kind.types), request)
        # pulumi-aws states all tags as an input, so that a changed default tag is a change of each resource
        # (provider/tags.go, applyTags).
        if tags := all_tags(kind, named):
            named = {**named, "tagsAll": tags}
    return mark_secret(named, kind.facts.sensitive), failures


def diff(kind: Kind, old: Properties, new: Properties, state: Properties, ignore: Sequence[str] = ()) -> Difference:
    """What differs between the inputs before and after, and what of it replaces the resource."""
    changes, unreadable = differences(old, new)
    changes += _moved(kind, new, state)
    real = [change for change in changes if not _is_no_change(kind, change, old, state) and not ignored(change, ignore)]

    def case(before: Any, after: Any) -> Case:
        return Case(before, after, old, new, state, kind.settings)

    decided = decide(real, kind.facts, case)
    return Difference(decided.changes, decided.undecided, unreadable)


def _moved(kind: Kind, new: Properties, state: Properties) -> list[Change]:
    """The change of Region that the provider's own new Region is for a resource that names none."""
    if kind.types is None or kind.kubernetes or "region" not in kind.types.inputs or new.get("region") is not None:
        return []
    before = plain(state.get("region"))
    return (
        [Change(("region",), UPDATE, before, kind.settings.region)]
        if before not in (None, kind.settings.region)
        else []
    )


def deletes_before_replacing(kind: Kind, new: Properties, difference: Difference) -> bool:
    """Two of one name cannot exist: a name that the program set makes room first."""
    if not difference.replaces:
        return False
    if kind.kubernetes:
        moved = any(change.replaces and _place(change) for change in difference.changes)
        return not moved and at(new, PLACE[0]) is not None and not object_named_by_provider(new)
    name = name_input(kind.token, kind.types)
    return bool(name) and new.get(name) is not None and not named_by_provider(new, name)


def _place(change: Change) -> bool:
    return any(change.path == path[: len(change.path)] for path in PLACE)


def _is_no_change(kind: Kind, change: Change, old: Properties, state: Properties) -> bool:
    """True for a difference of the inputs that the real provider does not see as one."""
    if kind.kubernetes and change.path == PLACE[1]:
        default = kind.settings.namespace
        return (plain(change.before) or default) == (plain(change.after) or default)
    if change.kind == ADD and _already(change, state):
        return True
    if kind.kubernetes:
        return False
    # A bridged provider knows no difference between an empty list and none; an empty block is one that is there.
    if (
        change.kind in (ADD, DELETE)
        and plain(change.before) in (None, [], {})
        and plain(change.after) in (None, [], {})
        and not (kind.types is not None and shape_at(kind.types.inputs, change.path).kind == "object")
    ):
        return True
    name = str(change.path[0])
    kept = kind.types.kept_when_dropped if kind.types else frozenset()
    dropped = change.kind == DELETE and len(change.path) == 1 and name in kept
    return dropped or never_changes(kind.token, name, old)


def _already(change: Change, state: Properties) -> bool:
    """True when the cloud has the value that the program now states."""
    if not all(isinstance(step, str) for step in change.path):
        return False
    value = at(state, [str(step) for step in change.path])
    if value is None or change.path[0] in state.get(INVENTED, ()) or is_unknown(plain(change.after)):
        return False
    before, after = without_marks(value), without_marks(change.after)
    return isinstance(before, bool) == isinstance(after, bool) and bool(before == after)
