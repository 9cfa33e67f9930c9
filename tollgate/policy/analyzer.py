"""The pack's answers to the engine: Pulumi's analyzer protocol over the stubs of the ``pulumi`` package.

Not the server of the ``pulumi_policy`` SDK, for four reasons, each covered by a test:

* the SDK reports a rule that meets an unknown value as advice, so that the preview passes;
* it decodes the inputs again for each rule, even for types that the rule does not read;
* it strips the marks of secrets before a rule sees the inputs, so that a message could show one;
* it accepts a configuration that names a rule that does not exist.
"""

# ruff: noqa: N802, ARG002  (the methods and their arguments are the protocol's)
from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any, NoReturn

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2

from tollgate.errors import TollgateError
from tollgate.policy.configuration import Settings
from tollgate.policy.exceptions import NONE, Register, Waiver, ended_message, misuses, waived_message
from tollgate.policy.pack import Breach, Level, Pack, RuleSetting, levels
from tollgate.policy.severity import Severity
from tollgate.policy.stack import Resource, Stack
from tollgate.policy.statement import Statement
from tollgate.policy.wire import plain

_NO_VERSION = "0.0.1"  # the engine takes the version in PulumiPolicy.yaml over this one

# Judges the register itself, so that no exception outlives its need or covers more than was meant.
HONEST = Statement(
    id="exception-register-honest",
    why="An exception that nobody needs, or that covers more than was meant, is a hole that nobody sees.",
    severity=Severity.HIGH,
    controls=(),
    types=(),
    fix="delete the exception from the register, or name its resource more closely",
)

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
    """Answers the engine for one pack. A rule that could not run and a bad configuration end the run.

    register: the exceptions. configuration: what each stack is stricter about. today: for exceptions that end.
    """

    def __init__(
        self,
        pack: Pack,
        stop: threading.Event,
        *,
        register: Register = NONE,
        configuration: Settings = MappingProxyType({}),
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self._pack = pack
        self._stop = stop
        self._register = register
        self._configuration = configuration
        self._today = today
        self._from_engine: Mapping[str, RuleSetting] = {}
        self._levels: dict[str, Mapping[str, Level]] = {}
        self._not_applicable: dict[str, Any] = {}
        self._no_remedy = analyzer_pb2.RemediateResponse(not_applicable=_outside(pack.rules, "rewrites nothing"))
        self._inputs: dict[str, Any] = {}
        self._used: set[Waiver] = set()

    def GetAnalyzerInfo(self, request: Any, context: Any) -> Any:
        """Name and rules, as `pulumi policy` and the engine's summaries show them."""
        levels_now = self._levels_of("")
        infos = [
            *(_policy_info(rule, levels_now[rule.id], analyzer_pb2.POLICY_TYPE_RESOURCE) for rule in self._pack.rules),
            *(_policy_info(rule, levels_now[rule.id], analyzer_pb2.POLICY_TYPE_STACK) for rule in self._pack.cross),
        ]
        if self._register.exceptions:
            infos.append(_policy_info(HONEST, Level.MANDATORY, analyzer_pb2.POLICY_TYPE_STACK))
        return analyzer_pb2.AnalyzerInfo(
            name=self._pack.name,
            displayName=self._pack.name,
            version=_NO_VERSION,
            supportsConfig=True,
            policies=infos,
        )

    def Configure(self, request: Any, context: Any) -> Any:
        """Take the pack's configuration, or refuse all of it."""
        settings = {
            name: RuleSetting(_LEVELS_FROM_WIRE[config.enforcementLevel], plain(config.properties))
            for name, config in request.policyConfig.items()
            if name != HONEST.id
        }
        try:
            levels(self._pack, settings)
        except TollgateError as error:
            _refuse(context, grpc.StatusCode.INVALID_ARGUMENT, error)
        self._from_engine, self._levels = settings, {}
        return Empty()

    def _levels_of(self, stack: str) -> Mapping[str, Level]:
        """The level of each rule in a stack: the stricter of what its file and the engine say."""
        if stack not in self._levels:
            said = self._configuration.get(stack, {})
            strict = {name: setting for name, setting in said.items() if setting.level is Level.MANDATORY}
            self._levels[stack] = levels(self._pack, {**self._from_engine, **strict})
        return self._levels[stack]

    def Analyze(self, request: Any, context: Any) -> Any:
        """Judge one resource. Rules that do not read its type are told apart from rules that passed."""
        response = analyzer_pb2.AnalyzeResponse()
        response.CopyFrom(self._outside(request.type))
        if request.type in self._pack.read:
            self._inputs[request.urn] = request.properties
        if not self._pack.applicable(request.type):
            return response
        try:
            breaches = self._pack.breaches(request.type, request.urn, plain(request.properties))
        except TollgateError as error:
            _refuse(context, grpc.StatusCode.INTERNAL, error)
        response.diagnostics.extend(map(self._diagnostic, breaches))
        return response

    def _diagnostic(self, breach: Breach) -> Any:
        """A breach at its level, or as advice under an exception."""
        rule, message = breach.rule, breach.message
        level = self._levels_of(_stack_of(breach.urn))[rule.id]
        waiver = self._register.of(rule.id, breach.urn)
        if waiver:
            self._used.add(waiver)
            if waiver.ended(self._today()):
                message = ended_message(waiver, message)
            else:
                level, message = Level.ADVISORY, waived_message(waiver, message)
        return self._said(rule, message, level, rule.severity, breach.urn)

    def _said(self, rule: Statement, message: str, level: Level, severity: Severity, urn: str) -> Any:
        return analyzer_pb2.AnalyzeDiagnostic(
            policyName=rule.id,
            policyPackName=self._pack.name,
            policyPackVersion=_NO_VERSION,
            description=rule.why,
            message=message,
            enforcementLevel=_LEVELS[level],
            severity=_SEVERITIES[severity],
            urn=urn,
        )

    def _outside(self, type_token: str) -> Any:
        """The answer for rules that do not read this type: made once a type."""
        if type_token not in self._not_applicable:
            inside = self._pack.applicable(type_token)
            outside = [rule for rule in self._pack.rules if rule not in inside]
            self._not_applicable[type_token] = analyzer_pb2.AnalyzeResponse(
                not_applicable=_outside(outside, "another type")
            )
        return self._not_applicable[type_token]

    def AnalyzeStack(self, request: Any, context: Any) -> Any:
        """Judge what belongs together, and whether the exceptions are still needed and no wider than meant."""
        stack = Stack(self._resource(each) for each in request.resources if each.type in self._pack.read)
        try:
            breaches = self._pack.cross_breaches(stack)
        except TollgateError as error:
            _refuse(context, grpc.StatusCode.INTERNAL, error)
        response = analyzer_pb2.AnalyzeResponse(
            not_applicable=_outside(
                [rule for rule in self._pack.cross if not stack.has(*rule.types)],
                "the stack has none of what it judges",
            )
        )
        response.diagnostics.extend(map(self._diagnostic, breaches))
        response.diagnostics.extend(self._dishonest([each.urn for each in request.resources]))
        return response

    def _resource(self, each: Any) -> Resource:
        inputs = self._inputs.get(each.urn)
        return Resource(
            each.urn,
            each.type,
            plain(inputs) if inputs is not None else {},
            plain(each.properties),
            {name: tuple(found.urns) for name, found in each.propertyDependencies.items()},
            plain(each.provider.properties) if each.HasField("provider") else {},
        )

    def _dishonest(self, urns: list[str]) -> Iterator[Any]:
        stack = _stack_of(urns[0]) if urns else ""
        waivers = self._register.for_stack(stack)
        for misuse in misuses(waivers, self._register, urns, self._used, self._today()):
            level, severity = (Level.MANDATORY, Severity.HIGH) if misuse.wide else (Level.ADVISORY, Severity.LOW)
            text = f"{misuse.sentence}. To fix: {HONEST.fix}.\nWhy: {HONEST.why}"
            yield self._said(HONEST, text, level, severity, "")

    def Remediate(self, request: Any, context: Any) -> Any:
        """No rule rewrites inputs: a payment platform's inputs are changed by a person, in review.

        Said of each rule, since the engine lists all others as passed, with every resource.
        """
        return self._no_remedy

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=_NO_VERSION)

    def Handshake(self, request: Any, context: Any) -> Any:
        return analyzer_pb2.AnalyzerHandshakeResponse()

    def ConfigureStack(self, request: Any, context: Any) -> Any:
        return analyzer_pb2.AnalyzerStackConfigureResponse()

    def Cancel(self, request: Any, context: Any) -> Any:
        self._stop.set()
        return Empty()


def _policy_info(rule: Statement, level: Level, kind: Any) -> Any:
    return analyzer_pb2.PolicyInfo(
        name=rule.id,
        displayName=rule.id,
        description=rule.why,
        enforcementLevel=_LEVELS[level],
        policy_type=kind,
        severity=_SEVERITIES[rule.severity],
        tags=list(rule.controls),
        remediation_steps=rule.fix,
    )


def _outside(rules: Iterable[Statement], reason: str) -> list[Any]:
    """Rules that have nothing to say here. Short reasons: the engine carries them with every resource."""
    return [analyzer_pb2.PolicyNotApplicable(policy_name=rule.id, reason=reason) for rule in rules]


def _stack_of(urn: str) -> str:
    return urn.partition("::")[0].rpartition(":")[2]


def _refuse(context: Any, status: grpc.StatusCode, error: TollgateError) -> NoReturn:
    """End the call with the error's own words; the engine prints them and fails the operation."""
    context.abort(status, str(error))
    raise AssertionError("abort always raises")
