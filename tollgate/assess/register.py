"""The register of services: which resources serve which service, whose it is, and which journeys of customers need it.

A project keeps it as YAML (``services.yaml`` in its register folder); the shapes below are closed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property

from pydantic import Field, PrivateAttr, model_validator

from tollgate.books.match import matches
from tollgate.plan.model import Frozen

# What is written between the stars counts: the pattern that says more about a name is the one that is meant.
_STAR = re.compile(r"\*+")


class Team(Frozen):
    """Who answers for a service. reach: where they are told of a change (a channel, a rota, an address)."""

    title: str = Field(min_length=1)
    reach: str = Field(min_length=1)


class Journey(Frozen):
    """What a customer does. title: as in "customers cannot <title>"."""

    title: str = Field(min_length=1)


class Service(Frozen):
    """One part of the platform that a team answers for.

    owns: patterns over names of resources; ``*`` stands for any text, and the pattern that says most decides.
    serves: journeys that stop when it stops. delays: journeys that are late, and not lost, when it stops.
    calls: services without which it stops. waits_on: services whose outage makes it late only (a queue is between).
    """

    title: str = Field(min_length=1)
    team: str
    owns: tuple[str, ...] = Field(min_length=1)
    serves: tuple[str, ...] = ()
    delays: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    waits_on: tuple[str, ...] = ()


class ServiceRegister(Frozen):
    """All teams, journeys and services of a project."""

    teams: dict[str, Team]
    journeys: dict[str, Journey]
    services: dict[str, Service]
    _owners: dict[str, str | None] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _names_exist(self) -> ServiceRegister:
        found = list(self._strangers())
        if found:
            raise ValueError("; ".join(found))
        return self

    def _strangers(self) -> Iterator[str]:
        for name, service in self.services.items():
            named = (
                ("team", (service.team,), sorted(self.teams)),
                ("serves", service.serves, sorted(self.journeys)),
                ("delays", service.delays, sorted(self.journeys)),
                ("calls", service.calls, sorted(self.services)),
                ("waits_on", service.waits_on, sorted(self.services)),
            )
            for key, words, known in named:
                for word in words:
                    if word not in known:
                        yield f"services.{name}.{key}: {word!r} is not here; write one of {', '.join(known)}"
        patterns = [pattern for _, pattern in self._patterns]
        for pattern in sorted({pattern for pattern in patterns if patterns.count(pattern) > 1}):
            yield f"services: the pattern {pattern!r} stands in two services; let one of them say more"

    @cached_property
    def _patterns(self) -> tuple[tuple[str, str], ...]:
        """(service, pattern), the most telling pattern first."""
        pairs = [(name, pattern) for name, service in self.services.items() for pattern in service.owns]
        return tuple(sorted(pairs, key=lambda pair: (-len(_STAR.sub("", pair[1])), pair[1])))

    def owner(self, names: Iterable[str]) -> str | None:
        """The service that owns a resource, by its name or else that of a component that holds it; None: nobody."""
        return next((found for name in names if (found := self._owner(name))), None)

    def _owner(self, name: str) -> str | None:
        if name not in self._owners:
            self._owners[name] = next((s for s, pattern in self._patterns if matches(name, (pattern,))), None)
        return self._owners[name]

    def team_of(self, service: str) -> Team:
        """Who answers for a service."""
        return self.teams[self.services[service].team]

    def only(self, here: Collection[str]) -> ServiceRegister:
        """The register of an environment that has these services: nobody there calls one that is elsewhere."""
        services = {
            name: service.model_copy(
                update={
                    "calls": tuple(called for called in service.calls if called in here),
                    "waits_on": tuple(called for called in service.waits_on if called in here),
                }
            )
            for name, service in self.services.items()
            if name in here
        }
        return self.model_copy(update={"services": services})

    def callers(self, service: str) -> tuple[tuple[str, bool], ...]:
        """Services that feel it when this one stops: (name, whether they stop too or are only late)."""
        return tuple(
            (name, service in other.calls)
            for name, other in self.services.items()
            if service in (*other.calls, *other.waits_on)
        )
