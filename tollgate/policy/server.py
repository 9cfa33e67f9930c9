"""A pack as a process: it serves the analyzer protocol to the engine that started it, and leaves with it."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto import analyzer_pb2_grpc

from tollgate.errors import TollgateError
from tollgate.policy.analyzer import PackServicer
from tollgate.policy.configuration import read_configuration
from tollgate.policy.exceptions import checked_register
from tollgate.policy.pack import build_pack

REGISTER, CONFIGURATION = "register", "config"  # folders beside the rules
_MESSAGE_LIMIT = 400 * 1024 * 1024  # bytes; the engine's own limit (rpcutil.GrpcChannelOptions)
_WORKERS = 4
_PARENT_CHECK = 1.0  # seconds between two looks at whether the engine still lives
_LAST_CALLS = 1.0  # seconds for answers that are on their way


def serve(servicer: Any, stop: threading.Event) -> None:
    """Serve on a free loopback port, print the port, and stay until told to stop or left alone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=_WORKERS),
        options=[("grpc.max_receive_message_length", _MESSAGE_LIMIT)],
    )
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    parent = os.getppid()  # before it learns the port: it may be gone right after
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    # An engine that was killed cannot say goodbye: its pack would stay for ever.
    while not stop.wait(_PARENT_CHECK) and os.getppid() == parent:
        pass
    server.stop(grace=_LAST_CALLS).wait()


def main(name: str, package: str, folder: Path) -> None:
    """Serve the rules of a package, with the register and the configuration beside it in ``folder``.

    A pack that cannot be built is one message and exit code 1.
    """
    stop = threading.Event()
    try:
        rules = importlib.import_module(package)
        pack = build_pack(name, rules.RULES, rules.CROSS_RULES)
        register = checked_register(folder / REGISTER, {rule.id for rule in pack.statements})
        configuration = read_configuration(folder / CONFIGURATION, pack)
    except TollgateError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(1) from None
    serve(PackServicer(pack, stop, register=register, configuration=configuration), stop)
