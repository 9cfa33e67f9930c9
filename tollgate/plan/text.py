"""Bytes and text as they come from outside: decoding, and taking out what only a terminal understands."""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

from pydantic_core import from_json

from tollgate.errors import TollgateError

ADVICE = (
    "give the output of `pulumi preview --json`, with or without PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true, "
    "or a file written by `--event-log`"
)
# Pulumi's own colour tags (sdk/go/common/diag/colors) and terminal escape sequences (ECMA-48).
_TAGS = re.compile(r"<\{%.*?%\}>|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    """Text without colour tags, escape sequences, control characters, direction marks and half characters."""
    if text.isprintable() and "<{%" not in text:  # nothing of the kind, as in nearly every text
        return text.strip()
    return _CONTROL.sub("", _TAGS.sub("", text)).strip()


def decode(source: str | bytes, advice: str = ADVICE) -> str:
    """Text of a file. PowerShell redirects as UTF-16 with a mark; anything else must be UTF-8."""
    if isinstance(source, str):
        return source.removeprefix("\ufeff")
    encoding = "utf-16" if source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return source.decode(encoding)
    except UnicodeDecodeError as error:
        message = f"This is not text: byte {error.start} cannot be read as {error.encoding}."
        raise TollgateError(message, advice=advice) from None


def parse_json(text: str, what: str, advice: str = ADVICE) -> Any:
    """The JSON value of a text.

    Raises TollgateError, with this advice, that says where the text stops making sense. NaN and Infinity are no JSON
    and are refused.
    """
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError:
        pass  # the standard library is slower, takes half characters, and says where a text stops being JSON
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise TollgateError(f"The {what} is nested more deeply than Pulumi writes it.", advice=advice) from None
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
        found = "it is cut off" if cut else f"it stops being JSON ({error.msg})"
        message = f"The {what} cannot be read: {found} at line {error.lineno}, column {error.colno}."
        raise TollgateError(message, advice=advice) from None
    except ValueError as error:
        raise TollgateError(f"The {what} cannot be read: {error}.", advice=advice) from None


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is not a JSON number")
