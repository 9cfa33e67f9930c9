"""One spelling for a value: what means the same has the same fingerprint.

Noise is: the order of keys, 1.0 for 1, the spelling of a JSON document, the order of a policy document's statements and
lists, the order of lists that the book says have none, and how a secret was encrypted this time. A time that the
program itself writes into a property is no noise: it changes the resource.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from tollgate.books.unordered import unordered_paths, ways_to_unordered
from tollgate.policy.paths import Path
from tollgate.policy.sentinels import is_secret, is_unknown

ABSENT = "absent"
UNKNOWN_WORD = "unknown"
SECRET_WORD = "secret"  # noqa: S105  (the word for a secret, not one)
Names = Mapping[str, str]
_NO_NAMES: Names = {}
_TOKEN = re.compile(r"[A-Za-z0-9_.-]+")
# Longer texts than this are not worth parsing to see whether they are JSON documents.
_LONGEST_DOCUMENT = 1_000_000
# Parts of a policy document that are sets, and may be written as one item alone
# (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html).
_POLICY_SETS = frozenset({"Action", "NotAction", "Resource", "NotResource", "Statement"})
_POLICY_MAPS = frozenset({"Principal", "NotPrincipal", "Condition"})


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
    text = _text(canonical(value))
    if names:
        text = _TOKEN.sub(lambda token: names.get(token[0], token[0]), text)
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(value: Any) -> Any:
    """One spelling: 1.0 as 1, a JSON document in a text as what it says, unknowns and secrets as words, no nulls."""
    if isinstance(value, str):
        return _canonical_text(value)
    if isinstance(value, dict):
        if is_secret(value):
            return {"": SECRET_WORD}
        return {key: canonical(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _canonical_text(text: str) -> Any:
    if is_unknown(text):
        return {"": UNKNOWN_WORD}
    if is_secret(text):
        return {"": SECRET_WORD}
    if text[:1] in ("{", "[") and len(text) <= _LONGEST_DOCUMENT:
        try:
            document = canonical(json.loads(text))
        except (ValueError, RecursionError):
            return text
        return {"json": _policy(document) if isinstance(document, dict) and "Statement" in document else document}
    return text


def _policy(value: Any, name: str = "") -> Any:
    """A policy document with its sets in one order, and each set as a list."""
    if isinstance(value, dict):
        within = name if name in _POLICY_MAPS else ""
        return {key: _policy(item, within or key) for key, item in value.items()}
    if name not in _POLICY_SETS and name not in _POLICY_MAPS:
        return value
    items = [_policy(item) for item in (value if isinstance(value, list) else [value])]
    return sorted(items, key=_text)


def in_one_order(value: Any, type_token: str, at: Path = ()) -> Any:
    """The inputs of a type, or what stands at a path in them, with every list that has no order sorted."""
    ways = ways_to_unordered(type_token)
    if not ways:
        return value
    return _ordered(value, tuple("*" if isinstance(step, int) else step for step in at), type_token, ways)


def _ordered(value: Any, at: Path, type_token: str, ways: frozenset[Path]) -> Any:
    if at not in ways:
        return value
    if isinstance(value, dict):
        return {key: _ordered(item, (*at, key), type_token, ways) for key, item in value.items()}
    if isinstance(value, list):
        items = [_ordered(item, (*at, "*"), type_token, ways) for item in value]
        unordered = len(items) > 1 and at in unordered_paths(type_token)
        return sorted(items, key=lambda item: _text(canonical(item))) if unordered else items
    return value


_text = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
