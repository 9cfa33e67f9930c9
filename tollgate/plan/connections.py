"""Whether a resource is made through another connection (provider) than before, one with other settings.

The engine lets a resource move to another connection without a word: its step is a plain ``same``
(providerChanged in pkg/resource/deploy/step_generator.go, v3.257.0). With other settings that is another account,
region or cluster.
"""

from __future__ import annotations

from collections.abc import Iterable

from tollgate.plan.canonical import SECRET_WORD, UNKNOWN_WORD, fingerprint
from tollgate.plan.steps import RawStep
from tollgate.plan.ties import provider_urn

_TYPE = "pulumi:providers:"
# What says which program talks to the cloud, not which cloud it talks to.
_OF_THE_PROGRAM = frozenset({"version", "pluginDownloadURL", "pluginChecksums", "__internal", "__defaults"})


class Connections:
    """The settings of all connections that a plan shows, before and after."""

    def __init__(self, raws: Iterable[RawStep]) -> None:
        self._before: dict[str, str] = {}
        self._after: dict[str, str] = {}
        for raw in raws:
            if raw.type.startswith(_TYPE):
                if raw.old:
                    self._before[raw.old.urn or raw.urn] = _settings(raw.old.inputs)
                if raw.new:
                    self._after[raw.urn] = _settings(raw.new.inputs)

    def moved(self, raw: RawStep) -> bool:
        """True when the connection is another one, unless both are shown and their settings are the same."""
        if raw.old is None or raw.new is None or raw.old.provider == raw.new.provider:
            return False
        before, after = provider_urn(raw.old.provider), provider_urn(raw.new.provider)
        if before == after:
            return False
        one, other = self._before.get(before), self._after.get(after)
        return one is None or one != other or one == UNKNOWN_WORD


def _settings(inputs: dict[str, object]) -> str:
    """Hash of what a connection is told. Secrets and unknowns in it cannot be compared."""
    kept = {key: value for key, value in inputs.items() if key not in _OF_THE_PROGRAM}
    hidden = any(fingerprint(value) in (UNKNOWN_WORD, SECRET_WORD) for value in kept.values())
    return UNKNOWN_WORD if hidden else fingerprint(kept)
