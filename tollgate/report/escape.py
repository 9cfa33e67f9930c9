"""Makes any text harmless in GitHub's Markdown: it shows as written and does nothing."""

from __future__ import annotations

import re

_SPECIAL = {ord(c): f"&#{ord(c)};" for c in "\\`*_[]<>&|~$"}
_SCHEME = re.compile(r"(?<=\w):(?=//)")
_WWW = re.compile(r"(?<=www)\.", re.IGNORECASE)
_LEADING = re.compile(r"(\d+(?=[.)])|)([#+\-=:.)])")  # a heading, a list, an underline: only at the start of a line
# GitHub looks for mentions, issue numbers and emoji after Markdown is done, so an entity would not stop it; a
# zero-width space between the sign and the name does.
_NOTICED = re.compile(r"@(?=\w)|#(?=\d)|\bGH-(?=\d)|:(?=[\w+-]+:)", re.IGNORECASE)
_ZERO_WIDTH = "\u200b"


def escape_markdown(text: str) -> str:
    """Clean text as Markdown that shows it: no markup, HTML, link, mention or emoji comes of it."""
    text = _NOTICED.sub(lambda match: match.group() + _ZERO_WIDTH, text).translate(_SPECIAL)
    text = _WWW.sub("&#46;", _SCHEME.sub("&#58;", text))
    if leading := _LEADING.match(text):
        text = f"{leading[1]}&#{ord(leading[2])};{text[leading.end() :]}"
    return text


def code(text: str) -> str:
    """Text as code, to be copied as it is. Good in a table too."""
    if set(text) & set("`|\\") or text != text.strip() or not text:
        return f"<code>{escape_markdown(text)}</code>"
    return f"`{text}`"


def fence(text: str) -> str:
    """One line as a code block that the text cannot close."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks}\n{text}\n{marks}"
