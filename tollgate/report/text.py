"""Text that someone else wrote, made fit to show: no control codes, no engine addresses, no endless lines."""

from __future__ import annotations

import re
import unicodedata

# ECMA-48 control sequences (colours, cursor moves); operating system commands (links, titles) to their end.
_ANSI = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?")
_SPACE = re.compile(r"\s+")
_URN = re.compile(r"urn:pulumi:\S*", re.IGNORECASE)
# Cc control, Cf format (text direction, zero width), Cs half a character, Co private, Cn unassigned.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def clean(text: str) -> str:
    """One line of visible text.

    Terminal control sequences go, white space becomes single spaces, and every other invisible character is
    named (``[U+202E]``), because a name that hides something is worth seeing.
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    visible = _SPACE.sub(" ", _ANSI.sub("", text)).strip()
    if visible.isprintable():
        return visible
    return "".join(f"[U+{ord(c):04X}]" if unicodedata.category(c) in _INVISIBLE else c for c in visible)


def readable(text: str) -> str:
    """Clean text in which the engine's address of a resource (URN) is replaced by the resource's name."""
    text = clean(text)
    while _URN.search(text):  # again: what is left after a replacement could spell an address
        text = _URN.sub(lambda match: urn_name(match.group()), text)
    return text


def urn_name(urn: str) -> str:
    """The last part of a URN; an ellipsis when it has none. Always shorter than what went in."""
    return urn.rpartition("::")[2] if "::" in urn else "…"


def urn_type(urn: str) -> str:
    """The type token in a URN (``urn:pulumi:stack::project::parent$type::name``), empty when it has none."""
    parts = urn.split("::", 3)
    return parts[2].rpartition("$")[2] if len(parts) == 4 else ""


def clip(text: str, limit: int) -> str:
    """At most ``limit`` characters; an ellipsis shows that something was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
