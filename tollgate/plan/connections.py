"""Connections to clouds (providers): whether a resource, or a whole stack, is made through another one than before.

The engine lets a resource move to another connection without a word: its step is a plain ``same``
(providerChanged in pkg/resource/deploy/step_generator.go, v3.257.0). Default connections, which take their settings
from the stack's configuration, are never printed at all. With other settings that is another account or region.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tollgate.plan.canonical import SECRET_WORD, UNKNOWN_WORD, fingerprint
from tollgate.plan.model import ChangeKind, Op, PropertyChange, Step
from tollgate.plan.state import State
from tollgate.plan.steps import RawStep
from tollgate.plan.ties import provider_urn
from tollgate.plan.urn import split_urn

CONNECTION = "pulumi:providers:"
# What says which program talks to the cloud, not which cloud it talks to.
_OF_THE_PROGRAM = frozenset({"version", "pluginDownloadURL", "pluginChecksums", "__internal", "__defaults"})
_HIDDEN = (UNKNOWN_WORD, SECRET_WORD)


def is_default(urn: str) -> bool:
    """A connection that the engine makes by itself and does not show (IsDefaultProvider of sdk/go/common/resource)."""
    parts = split_urn(urn)
    return (
        parts is not None
        and parts.type.startswith(CONNECTION)
        and (parts.name == "default" or parts.name.startswith("default_"))
    )


class Connections:
    """The settings of all connections that a plan shows, before and after."""

    def __init__(self, raws: Iterable[RawStep]) -> None:
        self._before: dict[str, str] = {}
        self._after: dict[str, str] = {}
        for raw in raws:
            if raw.type.startswith(CONNECTION):
                if raw.old:
                    self._before[raw.old.urn or raw.urn] = _settings(raw.old.inputs)
                if raw.new:
                    self._after[raw.urn] = _settings(raw.new.inputs)

    def moved(self, raw: RawStep) -> bool:
        """True when the connection is another one, unless both are shown and their settings are the same.

        Two default ones differ in their version only: both take their settings from the configuration.
        """
        if raw.old is None or raw.new is None or raw.old.provider == raw.new.provider:
            return False
        before, after = provider_urn(raw.old.provider), provider_urn(raw.new.provider)
        if before == after or (is_default(before) and is_default(after)):
            return False
        one, other = self._before.get(before), self._after.get(after)
        return one is None or one != other or one == UNKNOWN_WORD


def _settings(inputs: Mapping[str, Any]) -> str:
    """Hash of what a connection is told. Secrets and unknowns in it cannot be compared."""
    kept = {key: value for key, value in inputs.items() if key not in _OF_THE_PROGRAM}
    hidden = any(fingerprint(value) in _HIDDEN for value in kept.values())
    return UNKNOWN_WORD if hidden else fingerprint(kept)


def moved_defaults(config: Mapping[str, str], state: State) -> Iterator[Step]:
    """The updates of default connections that the engine makes and does not show: the configuration says other things
    than the state. What the configuration leaves out may come from the environment, and is not compared.
    """
    for urn, inputs in sorted(state.connections.items()):
        parts = split_urn(urn)
        if parts is None or not is_default(urn):
            continue
        prefix = f"{parts.type.removeprefix(CONNECTION)}:"
        given = {key.removeprefix(prefix): _decoded(value) for key, value in config.items() if key.startswith(prefix)}
        before = {key: _decoded(value) for key, value in inputs.items()}
        changed = [key for key, value in sorted(given.items()) if _differs(before.get(key), value)]
        if changed:
            kinds = (ChangeKind.ADD, ChangeKind.UPDATE)
            yield Step(
                op=Op.UPDATE,
                raw_op=Op.UPDATE.value,
                urn=urn,
                urn_before=urn,
                type=parts.type,
                name=parts.name,
                old=before,
                new=before | given,
                changes=tuple(PropertyChange(path=key, kind=kinds[key in before]) for key in changed),
            )


def _differs(before: Any, after: Any) -> bool:
    one, other = fingerprint(before), fingerprint(after)
    return one != other and SECRET_WORD not in (one, other)


def _decoded(value: Any) -> Any:
    """Configuration is text: what is not a text stands in it as JSON."""
    if not isinstance(value, str) or (value[:1] not in ("{", "[") and value not in ("true", "false")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
