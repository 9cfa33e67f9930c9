"""Property paths in the engine's notation: ``ingress[0].cidrBlocks``, ``arguments["x-max-length"]``."""

from __future__ import annotations

import re
from functools import lru_cache

Segment = str | int
Path = tuple[Segment, ...]

# What the engine writes without quotes; source: requiresQuote in
# pulumi/sdk/go/common/resource/properties_path.go.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_]+")
# One step of a path: .name, name, ["any \"text\""], [3] or [*] (every item).
_SEGMENT = re.compile(r'\.?(?P<name>[^.\[\]"]+)|\.?\["(?P<quoted>(?:\\"|[^"])+)"\]|\.?\[(?P<index>\d+|\*)\]')


@lru_cache(maxsize=8192)
def parse_path(text: str) -> Path:
    """Split a path into names and list indexes; ``[*]`` is kept as ``"*"``, as the engine does.

    The empty text is the root. Raises ValueError for text that is no path.
    """
    segments: list[Segment] = []
    at = 0
    while at < len(text):
        match = _SEGMENT.match(text, at)
        if match is None or (at == 0 and text[0] == "."):
            raise ValueError(f"{text!r} is not a property path: cannot read it from position {at}")
        name, quoted, index = match["name"], match["quoted"], match["index"]
        if name is not None and at > 0 and text[at] != ".":
            raise ValueError(f"{text!r} is not a property path: a dot is missing at position {at}")
        if index is not None:
            segments.append(index if index == "*" else int(index))
        else:
            segments.append(name if name is not None else quoted.replace('\\"', '"'))
        at = match.end()
    return tuple(segments)


def format_path(path: Path) -> str:
    """The engine's spelling of a path: the inverse of ``parse_path``."""
    text = ""
    for segment in path:
        if isinstance(segment, int):
            text += f"[{segment}]"
        elif segment == "*":
            text += "[*]"
        elif _PLAIN_NAME.fullmatch(segment):
            text += f".{segment}" if text else segment
        else:
            text += '["{}"]'.format(segment.replace('"', '\\"'))
    return text
