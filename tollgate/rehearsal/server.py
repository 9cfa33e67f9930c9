"""Starts the stand-in providers on loopback, for the engine to attach to."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

# Read by grpc when it is first imported: with fork support, or at its usual loudness, it writes to the screen.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from tollgate.rehearsal.packages import sdk_folders, sdk_version
from tollgate.rehearsal.provider import StandInProvider
from tollgate.rehearsal.records import Records
from tollgate.rehearsal.sdk_types import Sdk

LOOPBACK = "127.0.0.1"
THREADS = 8
SECONDS_TO_STOP = 2.0
# A Kubernetes object with large files in it passes 4 MB, grpc's own limit.
NO_SIZE_LIMIT = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.so_reuseport", 0),
)


@dataclass(frozen=True, slots=True)
class StandIns:
    """The running stand-ins.

    ports: by package name.
    """

    ports: dict[str, int]
    records: Records

    @property
    def debug_providers(self) -> str:
        """The value of PULUMI_DEBUG_PROVIDERS that makes the engine attach to them."""
        return ",".join(f"{package}:{port}" for package, port in sorted(self.ports.items()))

    @property
    def unlisted_types(self) -> frozenset[str]:
        """Types that were compared or deleted, and whose replacement behaviour no book knows."""
        return self.records.unlisted_types()

    @property
    def undecided(self) -> frozenset[tuple[str, str]]:
        """URN and path of changes that may replace the resource, which the facts cannot tell; shown as updates."""
        return self.records.undecided_paths()

    @property
    def unreadable_secrets(self) -> frozenset[str]:
        """URNs that hold a secret whose text the baseline's export did not have: it was compared with nothing."""
        return self.records.unreadable_secrets()


@contextmanager
def stand_ins(packages: Collection[str], python: Path | None = None) -> Iterator[StandIns]:
    """Serve these provider packages until the block ends.

    python: the interpreter whose environment holds their SDKs, from which the types are read (None: this one). For a
    package without an SDK there nothing is checked.
    """
    records = Records()
    folders = sdk_folders(python)
    with ExitStack() as running:
        ports = {package: running.enter_context(_serve(package, folders.get(package), records)) for package in packages}
        yield StandIns(ports, records)


@contextmanager
def _serve(package: str, folder: Path | None, records: Records) -> Iterator[int]:
    sdk = Sdk(folder) if folder else None
    version = sdk_version(folder) if folder else "0.0.0"
    with ThreadPoolExecutor(THREADS, thread_name_prefix=f"stand-in-{package}") as pool:
        server = grpc.server(pool, options=NO_SIZE_LIMIT)
        servicer = StandInProvider(package, version, sdk, records)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
        port = server.add_insecure_port(f"{LOOPBACK}:0")
        server.start()
        try:
            yield port
        finally:
            server.stop(SECONDS_TO_STOP).wait()
