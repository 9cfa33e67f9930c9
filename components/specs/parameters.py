"""What may be asked of a ParameterStore: values that services start with, and names of secrets made elsewhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import Field, StringConstraints, model_validator

from components.specs.foundation import Spec, Target, twice

# Both are parts of a path, of an environment's object names, and of a key in a Secret.
Service = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,19}$")]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,49}$")]
ConfigTier = Literal["global", "shared", "service"]
# The owner of what no single service owns: the hard dependencies of all (a time server, a storage endpoint).
PLATFORM = "platform"


class _Read(Spec):
    """What a value and a secret have in common: how far it reaches."""

    tier: ConfigTier = Field(description="how far it reaches: global, shared (two services or more) or service")
    consumers: tuple[Service, ...] = Field(min_length=1, description="services that may read it, and no other may")

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if again := twice(self.consumers):
            raise ValueError(f"consumers names {', '.join(again)} twice; write it once")
        return self


class ParameterSpec(_Read):
    """A value that is no secret."""

    # 4 KB is what a standard parameter holds (SSM quotas). A string of 1,024 characters fits in every script.
    value: bool | int | Annotated[str, StringConstraints(min_length=1, max_length=1024)] = Field(
        description="the value; services read it as text, true and false for a switch"
    )

    @property
    def text(self) -> str:
        """The value as services read it."""
        return str(self.value).lower() if isinstance(self.value, bool) else str(self.value)


class SealedSpec(_Read):
    """A secret by name. Its value is made outside of Pulumi: by the rotation function, or by its owner's hand."""

    rotation_months: Literal[1, 2, 3, 4, 6, 12] | None = Field(
        description="months between new values, made by a function in AWS; null where its owner sets the value"
    )


Kind_co = TypeVar("Kind_co", bound=_Read, covariant=True)


@dataclass(frozen=True)
class Entry(Generic[Kind_co]):
    """One key with its owner."""

    owner: str
    key: str
    spec: Kind_co

    @property
    def path(self) -> str:
        """Its path below the environment: shared/gateway/payment-timeout-seconds."""
        return f"{self.spec.tier}/{self.owner}/{self.key}"

    @property
    def field(self) -> str:
        """Its key inside a Secret or ConfigMap, where a slash is not allowed."""
        return f"{self.owner}.{self.key}"


class ParameterStoreSpec(Spec):
    """The parameters of one environment, by owner and key. Tiers follow from who reads what, and must say so."""

    values: dict[Service, dict[Key, ParameterSpec]] = Field(description="values that are no secrets, by owner and key")
    sealed: dict[Service, dict[Key, SealedSpec]] = Field(description="secrets by name, by owner and key")
    recovery_days: int = Field(ge=0, le=30, description="days a deleted secret can be called back; 0 or 7 to 30")
    rotation_hour_utc: int = Field(ge=0, le=23, description="hour of the first of the month when rotation may begin")
    rotation_window_hours: int = Field(ge=1, le=24, description="hours within which rotation happens")

    @model_validator(mode="after")
    def _tiers_say_what_is(self) -> Self:
        for entry in (*self.entries(), *self.secrets()):
            reach, why = reach_of(entry.owner, entry.spec.consumers)
            if entry.spec.tier != reach:
                raise ValueError(
                    f"{entry.owner}.{entry.key}: tier is {entry.spec.tier}, but {why}; write tier: {reach}"
                )
        return self

    @model_validator(mode="after")
    def _paths_are_apart(self) -> Self:
        both = {entry.field for entry in self.entries()} & {entry.field for entry in self.secrets()}
        if both:
            raise ValueError(f"{', '.join(sorted(both))}: in values and in sealed; one path holds one thing: keep one")
        return self

    @model_validator(mode="after")
    def _recovery_that_exists(self) -> Self:
        if 0 < self.recovery_days < 7:  # the bounds of Secrets Manager's DeleteSecret
            raise ValueError(f"recovery_days must be 0 (gone at once) or 7 to 30, and is {self.recovery_days}")
        return self

    def entries(self) -> tuple[Entry[ParameterSpec], ...]:
        """The values, in the order of their owners and keys."""
        return tuple(_entries(self.values))

    def secrets(self) -> tuple[Entry[SealedSpec], ...]:
        """The secrets' names, in the order of their owners and keys."""
        return tuple(_entries(self.sealed))

    def values_for(self, consumer: str) -> tuple[Entry[ParameterSpec], ...]:
        """The values that a service reads."""
        return tuple(entry for entry in self.entries() if consumer in entry.spec.consumers)

    def secrets_for(self, consumer: str) -> tuple[Entry[SealedSpec], ...]:
        """The secrets that a service reads."""
        return tuple(entry for entry in self.secrets() if consumer in entry.spec.consumers)

    def content(self, consumer: str) -> dict[str, str]:
        """The values that a service reads, as text by ``owner.key``."""
        return {entry.field: entry.spec.text for entry in self.values_for(consumer)}

    def revision(self, consumer: str) -> str:
        """A digest of what a service reads: as long as it stays, no value has changed."""
        return hashlib.sha256(json.dumps(self.content(consumer), sort_keys=True).encode()).hexdigest()[:10]

    def consumers(self) -> tuple[str, ...]:
        """Every service that reads something, in order."""
        return tuple(sorted({name for entry in (*self.entries(), *self.secrets()) for name in entry.spec.consumers}))

    def refused_by(self, target: Target) -> tuple[tuple[str, str], ...]:
        """(field, reason) for each promise that the target cannot keep."""
        if target is Target.AWS:
            return ()
        reason = f"no function renews a Secret on {target}; write null, and its owner renews it by hand"
        return tuple(
            (f"sealed.{entry.owner}.{entry.key}.rotation_months", reason)
            for entry in self.secrets()
            if entry.spec.rotation_months is not None
        )


def reach_of(owner: str, consumers: tuple[str, ...]) -> tuple[ConfigTier, str]:
    """The tier that follows from who owns a key and who reads it, and why."""
    if owner == PLATFORM:
        return "global", "the platform's own values are for all"
    others = [name for name in consumers if name != owner]
    if others:
        return "shared", f"{', '.join(others)} {'reads' if len(others) == 1 else 'read'} it, and {owner} owns it"
    return "service", f"only {owner} reads it"


def _entries(owned: Mapping[str, Mapping[str, Kind_co]]) -> Iterator[Entry[Kind_co]]:
    for owner, keys in sorted(owned.items()):
        for key, spec in sorted(keys.items()):
            yield Entry(owner, key, spec)
