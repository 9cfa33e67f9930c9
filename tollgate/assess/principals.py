"""Who is let in by an IAM policy, and under which conditions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from tollgate.assess.documents import as_list

Statements = list[Mapping[str, Any]]
# A condition as (kind of operator, key) → the values that it takes.
Conditions = dict[tuple[str, str], frozenset[str]]
_ACCOUNT = re.compile(r"(?:arn:[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:)?([0-9]{12})(?::|$)")
# Operators that say what must hold; others are compared as they are.
_POSITIVE = re.compile(r"(?:ForAnyValue:|ForAllValues:)?(String|Arn)(?:Equals|Like|EqualsIgnoreCase)(?:IfExists)?")
_ANY = frozenset({"*"})


def principals(statement: Mapping[str, Any]) -> frozenset[str]:
    """Everyone whom a statement names."""
    principal = statement.get("Principal")
    if isinstance(principal, Mapping):
        return frozenset(str(item) for value in principal.values() for item in as_list(value))
    return frozenset(str(item) for item in as_list(principal))


def accounts(texts: Iterable[str]) -> frozenset[str]:
    """The account numbers in names of principals and resources."""
    return frozenset(found[1] for text in texts if (found := _ACCOUNT.match(text)))


def strangers(before: Statements, after: Statements, own: frozenset[str]) -> list[str]:
    """Principals of accounts that are let in now, and that neither the old document nor the resource itself names."""
    known = own | accounts(name for statement in before for name in _names(statement))
    new = {name for statement in after for name in principals(statement)}
    return sorted(name for name in new if accounts([name]) and not accounts([name]) <= known) if known else []


def _names(statement: Mapping[str, Any]) -> Iterator[str]:
    yield from principals(statement)
    yield from (str(resource) for resource in as_list(statement.get("Resource")))


def weakened(before: Statements, after: Statements) -> list[str]:
    """Condition keys that bounded somebody before, and bound the same one less now."""
    found: set[str] = set()
    olds = [_Bound.of(statement) for statement in before]
    for now in map(_Bound.of, after):
        earlier = [old for old in olds if not (old.who.isdisjoint(now.who) or old.what.isdisjoint(now.what))]
        if earlier:
            found |= min((_lost(old.conditions, now.conditions) for old in earlier), key=len)
    return sorted(found)


class _Bound(NamedTuple):
    """Who may do what by a statement, and under which conditions."""

    who: frozenset[str]
    what: frozenset[str]
    conditions: Conditions

    @classmethod
    def of(cls, statement: Mapping[str, Any]) -> _Bound:
        actions = frozenset(str(action).lower() for action in as_list(statement.get("Action")))
        return cls(principals(statement), actions, _conditions(statement))


def _conditions(statement: Mapping[str, Any]) -> Conditions:
    found: Conditions = {}
    condition = statement.get("Condition")
    for operator, keys in condition.items() if isinstance(condition, Mapping) else ():
        positive = _POSITIVE.fullmatch(str(operator))
        for key, values in keys.items() if isinstance(keys, Mapping) else ():
            place = (positive[1] if positive else str(operator), str(key).lower())
            found[place] = found.get(place, frozenset()) | {str(value) for value in as_list(values)}
    return found


def _lost(before: Conditions, after: Conditions) -> frozenset[str]:
    """Keys whose condition is gone, or takes a value that it did not take."""
    return frozenset(
        place[1]
        for place, values in before.items()
        if not all(any(_takes(old, new) for old in values) for new in after.get(place, _ANY))
    )


def _takes(old: str, new: str) -> bool:
    """The old pattern took everything that the new one takes. Where that cannot be told of two patterns: it did not."""
    if old == new:
        return True
    if "*" not in new and "?" not in new:
        return fnmatchcase(new, old)
    stem = old.removesuffix("*")
    return old.endswith("*") and not {"*", "?"} & set(stem) and new.startswith(stem)
