"""A stand-in provider called as the engine calls it: over gRPC."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tollgate.rehearsal.server import StandIns, stand_ins
from tollgate.rehearsal.values import read_struct, write_struct


@dataclass(frozen=True)
class Diffed:
    """An answer of Diff: path to kind, in the protocol's words."""

    changes: dict[str, str]
    replaces: tuple[str, ...]
    deletes_first: bool


@dataclass(frozen=True)
class Made:
    id: str
    outputs: dict[str, Any]


def urn(token: str, name: str) -> str:
    return f"urn:pulumi:dev::shop::{token}::{name}"


class Caller:
    """One connection to one provider."""

    def __init__(self, port: int) -> None:
        # A connection of its own, as each provider instance has; no size limit, as the engine sets none.
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=options)
        self.stub = provider_pb2_grpc.ResourceProviderStub(self._channel)

    def close(self) -> None:
        self._channel.close()

    def configure(self, **settings: Any) -> None:
        self.stub.Configure(provider_pb2.ConfigureRequest(args=write_struct(settings)))

    def check(
        self, token: str, new: dict[str, Any], old: dict[str, Any] | None = None, *, seed: bytes = b"seed", **extra: Any
    ) -> tuple[dict[str, Any], list[str]]:
        """Inputs, and the reasons of all failures."""
        answer = self.stub.Check(
            provider_pb2.CheckRequest(
                urn=urn(token, "thing"),
                olds=write_struct(old) if old is not None else None,
                news=write_struct(new),
                randomSeed=seed,
                **extra,
            )
        )
        return read_struct(answer.inputs), [f"{item.property}{item.reason}" for item in answer.failures]

    def diff(
        self,
        token: str,
        old: dict[str, Any],
        new: dict[str, Any],
        state: dict[str, Any] | None = None,
        ignore: list[str] | None = None,
    ) -> Diffed:
        answer = self.stub.Diff(
            provider_pb2.DiffRequest(
                id="id",
                urn=urn(token, "thing"),
                old_inputs=write_struct(old),
                olds=write_struct(old if state is None else state),
                news=write_struct(new),
                ignoreChanges=ignore,
            )
        )
        names = provider_pb2.PropertyDiff.Kind.Name
        kinds = {path: names(change.kind).lower() for path, change in answer.detailedDiff.items()}
        assert (answer.changes == provider_pb2.DiffResponse.DIFF_SOME) == bool(kinds)
        return Diffed(kinds, tuple(answer.replaces), answer.deleteBeforeReplace)

    def create(self, token: str, inputs: dict[str, Any], *, preview: bool = False, name: str = "thing") -> Made:
        answer = self.stub.Create(
            provider_pb2.CreateRequest(urn=urn(token, name), properties=write_struct(inputs), preview=preview)
        )
        return Made(answer.id, read_struct(answer.properties))

    def update(
        self, token: str, made: Made, old: dict[str, Any], new: dict[str, Any], *, preview: bool = False
    ) -> dict[str, Any]:
        answer = self.stub.Update(
            provider_pb2.UpdateRequest(
                id=made.id,
                urn=urn(token, "thing"),
                olds=write_struct(made.outputs),
                old_inputs=write_struct(old),
                news=write_struct(new),
                preview=preview,
            )
        )
        return read_struct(answer.properties)

    def read(
        self, token: str, identity: str, inputs: dict[str, Any] | None = None, state: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Inputs and properties."""
        answer = self.stub.Read(
            provider_pb2.ReadRequest(
                id=identity,
                urn=urn(token, "thing"),
                inputs=write_struct(inputs or {}),
                properties=write_struct(state or {}),
            )
        )
        assert answer.id == identity
        return read_struct(answer.inputs), read_struct(answer.properties)


@contextmanager
def cloud(package: str) -> Iterator[tuple[StandIns, Caller]]:
    """A running stand-in and one connection to it."""
    with stand_ins([package]) as running:
        caller = Caller(running.ports[package])
        try:
            yield running, caller
        finally:
            caller.close()
