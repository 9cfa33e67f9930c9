"""What the engine shows a pack, kept in a file: so that other rules can be asked about the same resources later."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from google.protobuf import proto
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2

NAME = "recorder"
_VERSION = "0.0.1"
# A pack for the engine to start; {file} is where it leaves what it was shown.
_PROJECT = "runtime: {{name: python, options: {{toolchain: pip, virtualenv: {prefix}}}}}\nversion: {version}\n"
_PROGRAM = "from tollgate.policy.recording import main\n\nmain({file!r})\n"


@dataclass(frozen=True)
class Recording:
    """One run of a program: each resource as it was registered, and all of them at the end."""

    resources: tuple[Any, ...]
    stack: Any

    @property
    def urns(self) -> tuple[str, ...]:
        return tuple(each.urn for each in self.stack.resources)


class Recorder(analyzer_pb2_grpc.AnalyzerServicer):
    """Judges nothing, and writes down what a pack would judge."""

    # ruff: noqa: N802, ARG002  (the methods and their arguments are the protocol's)

    def __init__(self, file: Path, stop: threading.Event) -> None:
        self._file = file
        self._stop = stop
        self._seen: list[Any] = []

    def GetAnalyzerInfo(self, request: Any, context: Any) -> Any:
        return analyzer_pb2.AnalyzerInfo(name=NAME, displayName=NAME, version=_VERSION)

    def Analyze(self, request: Any, context: Any) -> Any:
        self._seen.append(request)
        return analyzer_pb2.AnalyzeResponse()

    def AnalyzeStack(self, request: Any, context: Any) -> Any:
        write_recording(Recording(tuple(self._seen), request), self._file)
        return analyzer_pb2.AnalyzeResponse()

    def Remediate(self, request: Any, context: Any) -> Any:
        return analyzer_pb2.RemediateResponse()

    def Configure(self, request: Any, context: Any) -> Any:
        return Empty()

    def ConfigureStack(self, request: Any, context: Any) -> Any:
        return analyzer_pb2.AnalyzerStackConfigureResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=_VERSION)

    def Handshake(self, request: Any, context: Any) -> Any:
        return analyzer_pb2.AnalyzerHandshakeResponse()

    def Cancel(self, request: Any, context: Any) -> Any:
        self._stop.set()
        return Empty()


def main(file: str) -> None:
    """Serve a recorder to the engine that started this process."""
    from tollgate.policy.server import serve  # noqa: PLC0415

    stop = threading.Event()
    serve(Recorder(Path(file), stop), stop)


def recorder_pack(folder: Path, file: Path) -> Path:
    """A pack in ``folder`` that leaves a recording in ``file``."""
    folder.mkdir(parents=True)
    (folder / "PulumiPolicy.yaml").write_text(_PROJECT.format(prefix=sys.prefix, version=_VERSION))
    (folder / "__main__.py").write_text(_PROGRAM.format(file=str(file)))
    return folder


def write_recording(recording: Recording, file: Path) -> None:
    """The stack's message, then each resource's. Values of secrets are in it: keep it in a folder of your own."""
    output = BytesIO()
    for message in (recording.stack, *recording.resources):
        proto.serialize_length_prefixed(message, output)
    file.write_bytes(output.getvalue())


def read_recording(file: Path) -> Recording:
    source = BytesIO(file.read_bytes())
    stack = proto.parse_length_prefixed(analyzer_pb2.AnalyzeStackRequest, source)
    resources = iter(lambda: proto.parse_length_prefixed(analyzer_pb2.AnalyzeRequest, source), None)
    return Recording(tuple(resources), stack)
