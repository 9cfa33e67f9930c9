"""A Pulumi language host for Python, for an engine that comes without the official one.

The official release archive holds ``pulumi-language-python``; the Go module does not. This host speaks the same
gRPC service (pulumi/proto/language.proto) from the stubs inside the ``pulumi`` package: it runs programs and policy
packs, and installs nothing. The engine starts it, reads its port from the first line of stdout, and shows
everything else it writes to the user: so it writes nothing.
"""

# ruff: noqa: N802, ARG002  (the methods and their arguments are the protocol's)
from __future__ import annotations

import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

PROGRAM_RUNNER = Path(__file__).with_name("program.py")
PACK_RUNNER = Path(__file__).with_name("pack.py")
# The exit code by which a program says that it has shown its own error; the official host uses the same.
ALREADY_REPORTED = 32
# Messages hold whole resources; the engine itself allows 400 MB (pulumi/sdk/go/common/util/rpcutil).
MESSAGE_LIMIT = 400 * 1024 * 1024
PARENT_CHECK_SECONDS = 0.5


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs Python programs and policy packs as child processes, each in the environment the project names."""

    def __init__(self, engine_address: str) -> None:
        self.engine_address = engine_address
        self._children: set[subprocess.Popen[bytes]] = set()
        self._guard = threading.Lock()

    def Handshake(self, request: Any, context: Any) -> Any:
        self.engine_address = request.engine_address or self.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="1.0.0")

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        """Nothing: an empty answer keeps the engine from downloading providers it may not need.

        With real providers the engine still finds or installs each one when the first resource asks for it.
        """
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:
        return language_pb2.GetRequiredPluginsResponse()

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        yield from ()

    def About(self, request: Any, context: Any) -> Any:
        return language_pb2.AboutResponse(executable=sys.executable, version=platform.python_version())

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        return language_pb2.GetProgramDependenciesResponse()

    def Run(self, request: Any, context: Any) -> Any:
        """Run the program to its end. A program that fails has shown its own error: the engine only stops."""
        options = {
            "monitor": request.monitor_address,
            "engine": self.engine_address,
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization,
            "root_directory": request.info.root_directory,
            "parallel": request.parallel,
            "dry_run": request.dryRun,
        }
        entry = Path(request.info.program_directory) / (request.info.entry_point or ".")
        environment = os.environ | {
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
            "PULUMI_ORGANIZATION": request.organization,
            "PULUMI_PROJECT": request.project,
            "PULUMI_STACK": request.stack,
            "PYTHONUNBUFFERED": "1",
            "GRPC_VERBOSITY": "NONE",
        }
        command = [
            python_for(request.info),
            str(PROGRAM_RUNNER),
            json.dumps(options),
            str(entry),
            *request.args,
        ]
        code = self._run(command, cwd=request.pwd or request.info.program_directory, env=environment)
        if code == 0:
            return language_pb2.RunResponse()
        if code == ALREADY_REPORTED:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"the program ended with exit code {code}")

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:
        """Run a policy pack (or another Python plugin) and stream what it prints until it ends or is cancelled."""
        directory = request.info.program_directory or request.program
        runner = [str(PACK_RUNNER), *request.args, directory]
        arguments = runner if request.kind == "analyzer" else [directory, *request.args]
        environment = dict(item.split("=", 1) for item in request.env if "=" in item)
        environment.setdefault("PYTHONUNBUFFERED", "1")
        child = self._start(
            [python_for(request.info), "-u", *arguments],
            cwd=request.pwd or directory,
            env=environment | {"GRPC_VERBOSITY": "NONE"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        context.add_callback(lambda: stop(child))
        try:
            yield from stream_output(child)
            yield language_pb2.RunPluginResponse(exitcode=child.wait())
        finally:
            self._forget(child)

    def Cancel(self, request: Any, context: Any) -> Any:
        self.stop_all()
        return empty_pb2.Empty()

    def stop_all(self) -> None:
        """End every child that is still running."""
        with self._guard:
            children = list(self._children)
        for child in children:
            stop(child)

    def _run(self, command: list[str], *, cwd: str, env: dict[str, str]) -> int:
        child = self._start(command, cwd=cwd, env=env)
        try:
            return child.wait()
        finally:
            self._forget(child)

    def _start(self, command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
        with self._guard:
            self._children.add(child)
        return child

    def _forget(self, child: subprocess.Popen[bytes]) -> None:
        stop(child)
        with self._guard:
            self._children.discard(child)


def python_for(info: Any) -> str:
    """The interpreter a project asks for with ``runtime.options.virtualenv``; else the one that runs this host."""
    options = info.options.fields if info.HasField("options") else {}
    name = options["virtualenv"].string_value if "virtualenv" in options else ""
    if name:
        for base in (info.program_directory, info.root_directory):
            candidate = Path(base, name, "bin", "python")
            if candidate.exists():
                return str(candidate)
    return sys.executable


def stream_output(child: subprocess.Popen[bytes]) -> Iterator[Any]:
    """Lines of a plugin's stdout as they come. Its stderr is passed on only when it fails."""
    errors: list[bytes] = []
    drain = None
    if child.stderr is not None:
        drain = threading.Thread(target=lambda: errors.extend(child.stderr or ()), daemon=True)
        drain.start()
    for line in child.stdout or ():
        yield language_pb2.RunPluginResponse(stdout=line)
    code = child.wait()
    if drain is not None:
        drain.join()
    if code not in (0, -signal.SIGTERM, -signal.SIGINT):
        yield language_pb2.RunPluginResponse(stderr=b"".join(errors))


def stop(child: subprocess.Popen[bytes]) -> None:
    """End a child quietly: SIGTERM has no traceback, SIGINT would print one."""
    if child.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        child.terminate()
    try:
        child.wait(timeout=2)
    except subprocess.TimeoutExpired:
        child.kill()


def serve(engine_address: str) -> int:
    """Serve until the engine goes away, however it goes."""
    options = [
        ("grpc.max_receive_message_length", MESSAGE_LIMIT),
        ("grpc.max_send_message_length", MESSAGE_LIMIT),
    ]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=options)
    host = LanguageHost(engine_address)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    done = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, lambda *_: done.set())
    parent = os.getppid()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while not done.wait(PARENT_CHECK_SECONDS) and os.getppid() == parent:
        continue
    host.stop_all()
    server.stop(grace=0)
    return 0


def main() -> int:
    """Entry point; the engine passes its own address as the last argument."""
    if len(sys.argv) < 2 or sys.argv[-1].startswith("-"):
        sys.stderr.write("tollgate's language host is started by the Pulumi engine, with the engine's address.\n")
        return 1
    return serve(sys.argv[-1])


if __name__ == "__main__":
    # The engine ends this process when it is done; leave without waiting for gRPC's threads.
    code = main()
    sys.stdout.flush()
    os._exit(code)
