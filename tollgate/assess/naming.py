"""Resources in words a manager can read: "Clearing's database (payments-clearing)"."""

from __future__ import annotations

import re
from functools import lru_cache

from tollgate.books.nouns import noun_of
from tollgate.plan.model import Step
from tollgate.plan.text import plain
from tollgate.plan.urn import split_urn

_LONGEST_MESSAGE = 300  # characters of somebody else's text in a sentence
_LONGEST_NAME = 60  # characters; a longer name is cut in a sentence, never in the appendix
_URN = re.compile(r"urn:pulumi:\S*::\S*")
_SEPARATORS = re.compile(r"[^0-9A-Za-z\u00c0-\uffff]+")
# Parts of names that say what a thing is, or nothing: they do not tell whose it is.
_ARTICLES = ("a", "the", "main", "default", "this", "primary", "own", "my", "new", "app", "service", "svc")
_STORES = ("db", "database", "rds", "pg", "postgres", "postgresql", "instance", "cluster", "cache", "redis", "valkey")
_KINDS = ("bucket", "queue", "topic", "table", "rabbit", "rabbitmq", "sg", "lb", "alb", "nlb", "vpc", "store", "data")
_RULES = ("policy", "role", "key", "group", "rule", "payments", "payment", "prod", "staging", "dev", "local")
_EMPTY_WORDS = frozenset((*_ARTICLES, *_STORES, *_KINDS, *_RULES))


def subject(step: Step) -> str:
    """The resource of a step, to begin or to continue a sentence: "Clearing's database (payments-clearing)"."""
    return _subject(step.type, step.name, step.urn)


def subject_of_urn(urn: str) -> str:
    """The same from a URN alone; what is no URN is named as it is."""
    parts = split_urn(urn)
    return _subject(parts.type, parts.name, urn) if parts else _shorten(plain(urn))


@lru_cache(maxsize=20_000)
def _subject(type_token: str, name: str, urn: str) -> str:
    noun, shown = noun_of(type_token), _shorten(plain(name).replace("\n", " "))
    parts = split_urn(urn)
    context = {parts.project.lower(), parts.stack.lower()} if parts else set()
    noise = {"", *context, *noun.split()}
    words = [
        word for word in _SEPARATORS.split(shown) if (lower := word.lower()) not in noise and lower not in _EMPTY_WORDS
    ]
    if not 1 <= len(words) <= 2 or any(word.isdigit() for word in words):
        return f"the {noun} {shown}"
    owner = " ".join(words)
    owner = owner[0].upper() + owner[1:]
    return f"{owner}{chr(39) if owner.endswith('s') else chr(39) + 's'} {noun} ({shown})"


def capital(sentence: str) -> str:
    """The sentence with a capital first letter."""
    return sentence[:1].upper() + sentence[1:]


def short(text: str) -> str:
    """Somebody else's text as one plain line, with resources by name instead of address, cut where it is long."""
    one_line = _URN.sub(lambda urn: urn[0].rpartition("::")[2] or urn[0], " ".join(plain(text).split()))
    return one_line if len(one_line) <= _LONGEST_MESSAGE else one_line[: _LONGEST_MESSAGE - 1] + "…"


def _shorten(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
