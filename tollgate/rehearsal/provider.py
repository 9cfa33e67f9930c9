"""A provider that stands in for a cloud: it decides what the real one decides, and touches nothing."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from tollgate.rehearsal import decisions
from tollgate.rehearsal.conditions import Settings
from tollgate.rehearsal.diff import ADD, DELETE, Difference, differences
from tollgate.rehearsal.invokes import NoAnswerError, answer
from tollgate.rehearsal.kinds import Known, known, metadata_shape, provider_settings
from tollgate.rehearsal.naming import NameRequest
from tollgate.rehearsal.outputs import Kind, changed, found, made, planned
from tollgate.rehearsal.records import Records
from tollgate.rehearsal.sdk_types import Sdk
from tollgate.rehearsal.values import Properties, mark_secret, read_struct, write_struct

Answer = TypeVar("Answer")
_KINDS = {
    (ADD, False): provider_pb2.PropertyDiff.ADD,
    (ADD, True): provider_pb2.PropertyDiff.ADD_REPLACE,
    (DELETE, False): provider_pb2.PropertyDiff.DELETE,
    (DELETE, True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    ("update", False): provider_pb2.PropertyDiff.UPDATE,
    ("update", True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}
# Settings that may point to another cluster. Then pulumi-kubernetes replaces every object; whether it is another one is
# in a kubeconfig that a rehearsal does not read (provider/pkg/provider/provider.go, DiffConfig).
CLUSTER = ("cluster", "context", "kubeconfig")
NOT_STANDING_IN = "a rehearsal cannot run components or functions of a provider"


@dataclass(slots=True)
class Connection:
    """One provider instance of the program: the engine opens a connection for each, with its own settings."""

    settings: Settings = field(default_factory=Settings)
    kinds: dict[str, Known] = field(default_factory=dict)


@dataclass(slots=True)
class Remembered:
    inputs: Properties
    outputs: Properties


def _answered(method: Callable[[Any, Any, Any], Answer]) -> Callable[[Any, Any, Any], Answer]:
    """A fault in the stand-in becomes one sentence that names the resource type; no value, no stack trace."""

    @functools.wraps(method)
    def call(self: Any, request: Any, context: Any) -> Answer:
        try:
            return method(self, request, context)
        except Exception as error:  # noqa: BLE001  (the border of the process: nothing may pass it)
            what = _token(request) or self.package
            text = f"the stand-in provider failed at {method.__name__} of {what}: {type(error).__name__}{_where(error)}"
        context.abort(grpc.StatusCode.INTERNAL, text)
        raise AssertionError("abort raises")

    return call


def _where(error: BaseException) -> str:
    """File and line of a fault: enough to report it, with none of the values that the message may hold."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f" at {trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}"


def _token(request: Any) -> str:
    """The resource type of a request: stated, or the last of the types in the URN."""
    token = getattr(request, "type", "") or getattr(request, "tok", "")
    if token:
        return str(token)
    parts = getattr(request, "urn", "").split("::")
    return parts[2].rpartition("$")[2] if len(parts) > 3 else ""


def _name(request: Any) -> str:
    return str(request.name or request.urn.split("::", 3)[-1])


class StandInProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Serves one package. What it makes is remembered by type and id until the server stops."""

    def __init__(self, package: str, version: str, sdk: Sdk | None, records: Records) -> None:
        self.package = package
        self._version = version
        self._sdk = sdk
        self._records = records
        self._lock = threading.Lock()
        self._connections: dict[str, Connection] = {}
        self._latest = Connection()
        self._made: dict[tuple[str, str], Remembered] = {}
        self._generation: dict[str, int] = {}

    # What the engine asks of every plugin

    @_answered
    def Handshake(self, request: Any, context: Any) -> provider_pb2.ProviderHandshakeResponse:  # noqa: ARG002, N802
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, accept_resources=False, accept_outputs=False, supports_autonaming_configuration=True
        )

    def Attach(self, request: Any, context: Any) -> Empty:  # noqa: ARG002, N802
        return Empty()

    def Cancel(self, request: Any, context: Any) -> Empty:  # noqa: ARG002, N802
        return Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:  # noqa: ARG002, N802
        return plugin_pb2.PluginInfo(version=self._version)

    def GetSchema(self, request: Any, context: Any) -> provider_pb2.GetSchemaResponse:  # noqa: ARG002, N802
        """The smallest schema there is: the engine wants one only to know the package."""
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": self.package, "version": self._version}))

    def GetMapping(self, request: Any, context: Any) -> provider_pb2.GetMappingResponse:  # noqa: ARG002, N802
        return provider_pb2.GetMappingResponse()

    def GetMappings(self, request: Any, context: Any) -> provider_pb2.GetMappingsResponse:  # noqa: ARG002, N802
        return provider_pb2.GetMappingsResponse()

    # The provider itself

    def CheckConfig(self, request: Any, context: Any) -> provider_pb2.CheckResponse:  # noqa: ARG002, N802
        return provider_pb2.CheckResponse(inputs=request.news)

    @_answered
    def DiffConfig(self, request: Any, context: Any) -> provider_pb2.DiffResponse:  # noqa: ARG002, N802
        changes, _ = differences(read_struct(request.old_inputs), read_struct(request.news))
        where = tuple(change.text for change in changes if self.package == "kubernetes" and change.path[0] in CLUSTER)
        if where:
            self._records.undecided(request.urn, where)
        return _diff_response(Difference(tuple(changes)), delete_first=False)

    @_answered
    def Configure(self, request: Any, context: Any) -> provider_pb2.ConfigureResponse:  # noqa: N802
        config = read_struct(request.args) if request.HasField("args") else {}
        variables = {name.rpartition(":")[2]: value for name, value in request.variables.items()}
        connection = Connection(provider_settings(self.package, {**variables, **config}))
        with self._lock:
            self._connections[context.peer()] = self._latest = connection
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True,
            supportsPreview=True,
            acceptResources=False,
            acceptOutputs=False,
            supports_autonaming_configuration=True,
        )

    # Resources

    @_answered
    def Check(self, request: Any, context: Any) -> provider_pb2.CheckResponse:  # noqa: N802
        kind = self._known(request, context).kind
        new = read_struct(request.news)
        naming = request.autonaming if request.HasField("autonaming") else None
        wanted = NameRequest(
            resource=_name(request),
            seed=request.randomSeed or request.urn.encode(),
            proposed=naming.proposed_name if naming else "",
            disabled=naming is not None and naming.mode == provider_pb2.CheckRequest.AutonamingOptions.DISABLE,
        )
        shape = metadata_shape(self._sdk) if kind.types is None else None
        inputs, failures = decisions.check(kind, new, read_struct(request.olds), wanted, shape)
        # The path stands in the reason: with a property named, the engine would print the property's value.
        refused = [provider_pb2.CheckFailure(reason=f"{failure.path}: {failure.reason}") for failure in failures]
        return provider_pb2.CheckResponse(
            inputs=request.news if inputs is new else write_struct(inputs), failures=refused
        )

    @_answered
    def Diff(self, request: Any, context: Any) -> provider_pb2.DiffResponse:  # noqa: N802
        what = self._known(request, context)
        state, new = read_struct(request.olds), read_struct(request.news)
        old = read_struct(request.old_inputs) if request.HasField("old_inputs") else state
        difference = decisions.diff(what.kind, old, new, state, list(request.ignoreChanges))
        if not what.listed:
            self._records.unlisted(what.kind.token)
        if difference.undecided:
            self._records.undecided(request.urn, difference.undecided)
        if difference.unreadable:
            self._records.unreadable(request.urn)
        if difference.replaces:
            with self._lock:
                self._generation[request.urn] = max(1, self._generation.get(request.urn, 0))
        first = decisions.deletes_before_replacing(what.kind, new, difference)
        return _diff_response(difference, delete_first=first)

    @_answered
    def Create(self, request: Any, context: Any) -> provider_pb2.CreateResponse:  # noqa: N802
        kind = self._known(request, context).kind
        inputs = read_struct(request.properties)
        if request.preview:
            outputs = mark_secret(planned(kind, inputs), kind.facts.sensitive)
            return provider_pb2.CreateResponse(properties=write_struct(outputs))
        with self._lock:
            generation = self._generation.get(request.urn, 0)
            self._generation[request.urn] = generation + 1
        identity, outputs = made(kind, inputs, f"{request.urn}#{generation}")
        return provider_pb2.CreateResponse(id=identity, properties=self._remember(kind, identity, inputs, outputs))

    @_answered
    def Update(self, request: Any, context: Any) -> provider_pb2.UpdateResponse:  # noqa: N802
        kind = self._known(request, context).kind
        state, new = read_struct(request.olds), read_struct(request.news)
        old = read_struct(request.old_inputs) if request.HasField("old_inputs") else state
        with self._lock:
            seed = f"{request.urn}#{max(0, self._generation.get(request.urn, 0) - 1)}"
        outputs = changed(kind, state, old, new, request.id, seed, preview=request.preview)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=write_struct(mark_secret(outputs, kind.facts.sensitive)))
        return provider_pb2.UpdateResponse(properties=self._remember(kind, request.id, new, outputs))

    @_answered
    def Delete(self, request: Any, context: Any) -> Empty:  # noqa: N802
        what = self._known(request, context)
        if not what.listed:
            self._records.unlisted(what.kind.token)
        with self._lock:
            self._made.pop((what.kind.token, request.id), None)
        return Empty()

    @_answered
    def Read(self, request: Any, context: Any) -> provider_pb2.ReadResponse:  # noqa: N802
        kind = self._known(request, context).kind
        with self._lock:
            remembered = self._made.get((kind.token, request.id))
        if remembered is not None:
            inputs, outputs = remembered.inputs, remembered.outputs
        elif request.inputs.fields:
            # Made by an earlier command: what the engine remembers is what there is.
            return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)
        else:
            inputs, outputs = found(kind, request.id, read_struct(request.properties), f"{request.urn}#0")
        secret = kind.facts.sensitive
        return provider_pb2.ReadResponse(
            id=request.id,
            properties=write_struct(mark_secret(outputs, secret)),
            inputs=write_struct(mark_secret(inputs, secret)),
        )

    # Functions and components

    @_answered
    def Invoke(self, request: Any, context: Any) -> provider_pb2.InvokeResponse:  # noqa: N802
        settings = self._connection(context).settings
        try:
            returned = answer(request.tok, read_struct(request.args), settings)
        except NoAnswerError as error:
            return provider_pb2.InvokeResponse(failures=[provider_pb2.CheckFailure(reason=str(error))])
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(write_struct(returned))
        return response

    def Construct(self, request: Any, context: Any) -> provider_pb2.ConstructResponse:  # noqa: N802
        context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{request.type}: {NOT_STANDING_IN}")
        raise AssertionError("abort raises")

    def Call(self, request: Any, context: Any) -> provider_pb2.CallResponse:  # noqa: N802
        context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{request.tok}: {NOT_STANDING_IN}")
        raise AssertionError("abort raises")

    def _connection(self, context: Any) -> Connection:
        return self._connections.get(context.peer(), self._latest)

    def _known(self, request: Any, context: Any) -> Known:
        connection = self._connection(context)
        token = _token(request)
        what = connection.kinds.get(token)
        if what is None:
            what = connection.kinds[token] = known(token, self._sdk, connection.settings)
        return what

    def _remember(self, kind: Kind, identity: str, inputs: Properties, outputs: Properties) -> Struct:
        marked = mark_secret(outputs, kind.facts.sensitive)
        with self._lock:
            self._made[kind.token, identity] = Remembered(inputs, marked)
        return write_struct(marked)


def _diff_response(difference: Difference, *, delete_first: bool) -> provider_pb2.DiffResponse:
    some = provider_pb2.DiffResponse.DIFF_SOME if difference.changes else provider_pb2.DiffResponse.DIFF_NONE
    return provider_pb2.DiffResponse(
        changes=some,
        replaces=list(difference.replaces),
        diffs=sorted({str(change.path[0]) for change in difference.changes}),
        deleteBeforeReplace=delete_first,
        hasDetailedDiff=True,
        detailedDiff={
            change.text: provider_pb2.PropertyDiff(kind=_KINDS[change.kind, change.replaces], inputDiff=True)
            for change in difference.changes
        },
    )
