"""How the Pulumi engine writes "not known yet" and "secret" in JSON."""

from __future__ import annotations

from typing import Any

# One constant per kind of value; source: pulumi/sdk/go/common/resource/plugin/rpc.go.
UNKNOWN_SENTINELS = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # string, and anything in a digest
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  (a marker, not a secret)
SECRET = "[secret]"  # noqa: S105


def is_unknown(value: Any) -> bool:
    """True for the engine's stand-in of a value that only the change itself will tell."""
    return isinstance(value, str) and value in UNKNOWN_SENTINELS


def is_secret(value: Any) -> bool:
    """True for a secret in either of the engine's two spellings."""
    if isinstance(value, dict):
        return bool(value.get(SIGNATURE_KEY) == SECRET_SIGNATURE)
    return bool(value == SECRET)
