"""The pack as a process: Pulumi's analyzer protocol over the stubs of the ``pulumi`` package.

Not the server of the ``pulumi_policy`` SDK, for four reasons, each covered by a test:

* the SDK reports a rule that meets an unknown value as advice, so that the preview passes;
* it decodes the inputs again for each rule, even for types that the rule does not read;
* it strips the marks of secrets before a rule sees the inputs, so that a message could show one;
* it accepts a configuration that names a rule that does not exist.
"""

# ruff: noqa: N802, ARG002  (the methods and their arguments are the protocol's)
from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from concurrent import futures
from typing import Any, NoReturn

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2

from tollgate.errors import TollgateError
from tollgate.policy.pack import Level, Pack, RuleSetting, build_pack, levels
from tollgate.policy.severity import Severity
from tollgate.policy.statement import Rule
from tollgate.policy.wire import plain

_MESSAGE_LIMIT = 400 * 1024 * 1024  # bytes; the engine's own limit (rpcutil.GrpcChannelOptions)
_WORKERS = 4
_PARENT_CHECK = 1.0  # seconds between two looks at whether the engine still lives
_LAST_CALLS = 1.0  # seconds for answers that are on their way
_NO_VERSION = "0.0.1"  # the engine takes the version in PulumiPolicy.yaml over this one

_LEVELS = {
    Level.ADVISORY: analyzer_pb2.ADVISORY,
    Level.MANDATORY: analyzer_pb2.MANDATORY,
    Level.REMEDIATE: analyzer_pb2.REMEDIATE,
    Level.DISABLED: analyzer_pb2.DISABLED,
}
_LEVELS_FROM_WIRE = {number: level for level, number in _LEVELS.items()}
_SEVERITIES = {
    Severity.LOW: analyzer_pb2.POLICY_SEVERITY_LOW,
    Severity.MEDIUM: analyzer_pb2.POLICY_SEVERITY_MEDIUM,
    Severity.HIGH: analyzer_pb2.POLICY_SEVERITY_HIGH,
    Severity.CRITICAL: analyzer_pb2.POLICY_SEVERITY_CRITICAL,
}


class PackServicer(analyzer_pb2_grpc.AnalyzerServicer):
    """Answers the engine for one pack. A rule that could not run and a bad configuration end the run."""

    def __init__(self, pack: Pack, stop: threading.Event) -> None:
        self._pack = pack
        self._stop = stop
        self._levels = levels(pack, {})
        self._not_applicable: dict[str, Any] = {}

    def GetAnalyzerInfo(self, request: Any, context: Any) -> Any:
        """Name and rules, as `pulumi policy` and the engine's summaries show them."""
        return analyzer_pb2.AnalyzerInfo(
            name=self._pack.name,
            displayName=self._pack.name,
            version=_NO_VERSION,
            supportsConfig=True,
            policies=[self._policy_info(rule) for rule in self._pack.rules],
        )

    def _policy_info(self, rule: Rule) -> Any:
        return analyzer_pb2.PolicyInfo(
            name=rule.id,
            displayName=rule.id,
            description=rule.why,
            enforcementLevel=_LEVELS[self._levels[rule.id]],
            policy_type=analyzer_pb2.POLICY_TYPE_RESOURCE,
            severity=_SEVERITIES[rule.severity],
            tags=list(rule.controls),
            remediation_steps=rule.fix,
        )

    def Configure(self, request: Any, context: Any) -> Any:
        """Take the pack's configuration, or refuse all of it."""
        settings = {
            name: RuleSetting(_LEVELS_FROM_WIRE[config.enforcementLevel], plain(config.properties))
            for name, config in request.policyConfig.items()
        }
        try:
            self._levels = levels(self._pack, settings)
        except TollgateError as error:
            _refuse(context, grpc.StatusCode.INVALID_ARGUMENT, error)
        return Empty()

    def Analyze(self, request: Any, context: Any) -> Any:
        """Judge one resource. Rules that do not read its type are told apart from rules that passed."""
        response = analyzer_pb2.AnalyzeResponse()
        response.CopyFrom(self._outside(request.type))
        if not self._pack.applicable(request.type):
            return response
        try:
            breaches = self._pack.breaches(request.type, request.urn, plain(request.properties))
        except TollgateError as error:
            _refuse(context, grpc.StatusCode.INTERNAL, error)
        response.diagnostics.extend(
            analyzer_pb2.AnalyzeDiagnostic(
                policyName=breach.rule.id,
                policyPackName=self._pack.name,
                policyPackVersion=_NO_VERSION,
                description=breach.rule.why,
                message=breach.message,
                enforcementLevel=_LEVELS[self._levels[breach.rule.id]],
                severity=_SEVERITIES[breach.rule.severity],
                urn=request.urn,
            )
            for breach in breaches
        )
        return response

    def _outside(self, type_token: str) -> Any:
        """The answer for rules that do not read this type: made once a type."""
        if type_token not in self._not_applicable:
            inside = {rule.id for rule in self._pack.applicable(type_token)}
            self._not_applicable[type_token] = analyzer_pb2.AnalyzeResponse(
                not_applicable=[
                    analyzer_pb2.PolicyNotApplicable(policy_name=rule.id, reason=f"does not read {type_token}")
                    for rule in self._pack.rules
                    if rule.id not in inside
                ]
            )
        return self._not_applicable[type_token]

    def AnalyzeStack(self, request: Any, context: Any) -> Any:
        """No rule reads a whole stack."""
        return analyzer_pb2.AnalyzeResponse()

    def Remediate(self, request: Any, context: Any) -> Any:
        """No rule rewrites inputs: a payment platform's inputs are changed by a person, in review."""
        return analyzer_pb2.RemediateResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=_NO_VERSION)

    def Handshake(self, request: Any, context: Any) -> Any:
        return analyzer_pb2.AnalyzerHandshakeResponse()

    def ConfigureStack(self, request: Any, context: Any) -> Any:
        return analyzer_pb2.AnalyzerStackConfigureResponse()

    def Cancel(self, request: Any, context: Any) -> Any:
        self._stop.set()
        return Empty()


def _refuse(context: Any, status: grpc.StatusCode, error: TollgateError) -> NoReturn:
    """End the call with the error's own words; the engine prints them and fails the operation."""
    context.abort(status, str(error))
    raise AssertionError("abort always raises")


def serve(pack: Pack) -> None:
    """Serve the pack on a free loopback port, print the port, and stay until told to stop or left alone."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=_WORKERS),
        options=[("grpc.max_receive_message_length", _MESSAGE_LIMIT)],
    )
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(PackServicer(pack, stop), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    parent = os.getppid()
    # An engine that was killed cannot say goodbye: its pack would stay for ever.
    while not stop.wait(_PARENT_CHECK) and os.getppid() == parent:
        pass
    server.stop(grace=_LAST_CALLS).wait()


def main(name: str, package: str) -> None:
    """Serve the RULES of a package. A pack that cannot be built is one message and exit code 1."""
    try:
        pack = build_pack(name, importlib.import_module(package).RULES)
    except TollgateError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(1) from None
    serve(pack)
