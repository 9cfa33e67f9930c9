"""The little language of the books' outputs: ``arn:aws:rds:{region}:{account}:db:{identifier}``.

Random parts come from a seed, so one resource always gets the same ones. The words are explained in the head of
replace-on-change.yaml.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_PLACE = re.compile(r"\{([^{}]*)\}")
_ALPHABETS = {
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "alnum": "abcdefghijklmnopqrstuvwxyz0123456789",
    "ALNUM": "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    "alpha": "abcdefghijklmnopqrstuvwxyz",
    "digits": "0123456789",
}
_RANDOM = re.compile(r"(hex|HEX|alnum|ALNUM|alpha|digits):(\d+)")
CERTIFICATE = "base64 of a PEM certificate"
# A moment of no meaning, the same in every rehearsal.
MOMENT = "2026-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Dice:
    """Deterministic randomness: the same seed and purpose give the same characters."""

    seed: str

    def text(self, alphabet: str, length: int, purpose: str) -> str:
        characters = _ALPHABETS[alphabet]
        raw = hashlib.shake_256(f"{self.seed}|{purpose}".encode()).digest(length)
        return "".join(characters[byte % len(characters)] for byte in raw)

    def uuid(self, purpose: str) -> str:
        digits = self.text("hex", 32, purpose)
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def address(self, purpose: str) -> str:
        """A private address (RFC 1918)."""
        first, second, third = hashlib.shake_256(f"{self.seed}|{purpose}".encode()).digest(3)
        return f"10.{first}.{second}.{third}"


@dataclass(frozen=True, slots=True)
class Words:
    """What a template may name: properties of the resource (None: it has no such value) and random parts."""

    property: Callable[[str], Any]
    dice: Dice

    def expand(self, template: str, purpose: str) -> Any:
        """The value that a template describes: text, or a list or an object of texts."""
        template = template.strip()
        if template.startswith("[") and template.endswith("]"):
            parts = _split(template[1:-1])
            return [self.expand(part, f"{purpose}[{index}]") for index, part in enumerate(parts)]
        if template == "{}":
            return {}
        if _is_object(template):
            pairs = (part.partition(": ") for part in _split(template[1:-1]))
            return {name.strip(): self.expand(value, f"{purpose}.{name.strip()}") for name, _, value in pairs}
        if template == CERTIFICATE:
            return _certificate(self.dice, purpose)
        whole = _PLACE.fullmatch(template)
        if whole:
            return self._place(whole[1], purpose, inside_text=False)
        return self._text(template, purpose)

    def _text(self, template: str, purpose: str) -> str:
        count = 0

        def fill(match: re.Match[str]) -> str:
            nonlocal count
            count += 1
            value = self._place(match[1], f"{purpose}#{count}", inside_text=True)
            return _in_text(value)

        return _PLACE.sub(fill, template)

    def _place(self, word: str, purpose: str, *, inside_text: bool) -> Any:
        random = _RANDOM.fullmatch(word)
        if random:
            return self.dice.text(random[1], int(random[2]), purpose)
        if word == "uuid":
            return self.dice.uuid(purpose)
        if word == "time":
            return MOMENT
        if word == "ip":
            # One private and one public address a resource: its name, its list and its host name agree.
            address = self.dice.address("public" if "public" in purpose.lower() else "private")
            return address.replace(".", "-") if inside_text else address
        return self.property(word)


def names_in(template: str) -> frozenset[str]:
    """The properties that a template names."""
    words = _PLACE.findall(template)
    return frozenset(word for word in words if not _RANDOM.fullmatch(word) and word not in ("uuid", "time", "ip", ""))


def is_random(template: str) -> bool:
    """True when the template has a part that differs from one resource to the next by chance."""
    return any(_RANDOM.fullmatch(word) or word in ("uuid", "ip") for word in _PLACE.findall(template))


def _is_object(template: str) -> bool:
    return template.startswith("{") and template.endswith("}") and ": " in template and _closes_at_end(template)


def _closes_at_end(template: str) -> bool:
    depth = 0
    for index, character in enumerate(template):
        depth += (character == "{") - (character == "}")
        if depth == 0:
            return index == len(template) - 1
    return False


def _split(text: str) -> list[str]:
    """The parts between commas that are in no bracket."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(text):
        depth += (character in "[{") - (character in "]}")
        if character == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


def _in_text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value)


def _certificate(dice: Dice, purpose: str) -> str:
    body = base64.b64encode(dice.text("alnum", 96, purpose).encode()).decode()
    pem = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
    return base64.b64encode(pem.encode()).decode()
