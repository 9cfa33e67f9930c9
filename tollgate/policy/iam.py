"""Reading IAM policy documents: what a statement allows, on what, and to whom."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading

# Names that nobody means: what a pattern covers by accident, it covers altogether.
_ANYONE = (
    "000000000000",
    "arn:aws:iam::000000000000:role/nobody",
    "arn:aws:s3:::nobody",
    "vpc-nobody",
    "o-nobody",
    "repo:nobody/nothing:ref:refs/heads/main",
)
# Condition keys that say who is asking (IAM user guide, global condition context keys), and operators that demand one.
_WHO = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "kms:calleraccount",
    }
)
_DEMANDING = frozenset({"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"})


def each_allowing(document: Reading, check: Callable[[Reading], Check]) -> Check:
    """Every statement of a policy document passes ``check``, except those that deny.

    A document is a JSON text or an object. A statement without a readable Effect counts as one that allows.
    """
    return document.document()["Statement"].one_or_each(
        lambda statement: check(statement).unless(statement["Effect"].one_of("Deny"))
    )


def covers(pattern: Any, name: str) -> bool:
    """Whether an IAM pattern (``s3:Get*``) takes in a name. What is no text is taken to cover everything."""
    return not isinstance(pattern, str) or _expression(pattern).fullmatch(name) is not None


@lru_cache(maxsize=4096)
def _expression(pattern: str) -> re.Pattern[str]:
    signs = {"*": ".*", "?": "."}
    return re.compile("".join(signs.get(sign) or re.escape(sign) for sign in pattern), re.IGNORECASE | re.DOTALL)


def names_who(statement: Reading) -> Check:
    """The statement says whom it lets in: by its principals, or by a condition on who is asking."""
    named = statement["NotPrincipal"].is_left_out() & _each_named(statement["Principal"])
    return named.unless(_asks_who(statement["Condition"]))


def _each_named(principal: Reading) -> Check:
    if isinstance(principal.value, Mapping):
        return principal.is_set() & principal.each_value(lambda kind: kind.one_or_each(_named))
    return _named(principal)


def _named(principal: Reading) -> Check:
    return principal.satisfies(lambda value: isinstance(value, str) and "*" not in value, "principals by name")


def asks_subject(statement: Reading) -> Check:
    """A condition demands one subject of the identity provider: a repository's branch, a pod's service account."""
    condition = statement["Condition"]
    return condition.any_of(_questions(condition, lambda key: key.endswith(":sub")), "a condition on the token's sub")


def _asks_who(condition: Reading) -> Check:
    return condition.any_of(_questions(condition, lambda key: key in _WHO), "a condition on who is asking")


def _questions(condition: Reading, asks: Callable[[str], bool]) -> Iterator[Check]:
    for operator in _keys(condition):
        if operator.lower() in _DEMANDING:
            asked = condition.key(operator)
            yield asked.satisfies(lambda _: False, "readable")  # an unknown one may ask, a known one is looked into
            yield from (_one_of_ours(asked.key(key)) for key in _keys(asked) if asks(key.lower()))


def _one_of_ours(values: Reading) -> Check:
    return values.is_set() & values.one_or_each(lambda value: value.satisfies(_is_name, "a name"))


def _is_name(value: Any) -> bool:
    return not any(covers(value, name) for name in _ANYONE) and "${" not in value


def _keys(reading: Reading) -> Iterable[str]:
    return reading.value if isinstance(reading.value, Mapping) else ()
