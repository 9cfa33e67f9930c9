"""Asks a policy pack about recorded resources, in a process of its own, as the engine would."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from tollgate.errors import Problem, TollgateError
from tollgate.policy.recording import Recording
from tollgate.policy.results import Answer, Result, answer_of
from tollgate.policy.severity import Severity

_TIMEOUT = 120.0  # seconds for one call; the longest one looks at a whole stack
_NO_SIZE_LIMIT = (("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1))
_SEVERITIES = {
    analyzer_pb2.POLICY_SEVERITY_LOW: Severity.LOW,
    analyzer_pb2.POLICY_SEVERITY_MEDIUM: Severity.MEDIUM,
    analyzer_pb2.POLICY_SEVERITY_HIGH: Severity.HIGH,
    analyzer_pb2.POLICY_SEVERITY_CRITICAL: Severity.CRITICAL,
}


@contextmanager
def running(pack: Path, root: Path | None = None) -> Iterator[Any]:
    """The pack as a process, and a stub to talk to it. ``root``: where its own version of tollgate is.

    Raises TollgateError with the pack's own words when it does not start.
    """
    environment = os.environ | {"GRPC_VERBOSITY": "NONE"} | ({"PYTHONPATH": str(root)} if root else {})
    with subprocess.Popen(
        [sys.executable, str(pack)],
        cwd=pack,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            if not port.isdigit():
                words = process.communicate()[1].strip().splitlines()
                raise TollgateError(f"The policy pack {pack} does not start.", [Problem("", line) for line in words])
            with grpc.insecure_channel(f"127.0.0.1:{port}", options=_NO_SIZE_LIMIT) as channel:
                yield analyzer_pb2_grpc.AnalyzerStub(channel)
        finally:
            process.kill()


def ask(stub: Any, recording: Recording) -> tuple[Result, ...]:
    """What the pack says of every resource and of the stack. Raises TollgateError when a rule could not run."""
    try:
        policies = stub.GetAnalyzerInfo(Empty(), timeout=_TIMEOUT).policies
        of_one = [each for each in policies if each.policy_type != analyzer_pb2.POLICY_TYPE_STACK]
        of_stack = [each for each in policies if each.policy_type == analyzer_pb2.POLICY_TYPE_STACK]
        found = [
            result
            for request in recording.resources
            for result in _results(stub.Analyze(request, timeout=_TIMEOUT), of_one, request.urn)
        ]
        found += _results(stub.AnalyzeStack(recording.stack, timeout=_TIMEOUT), of_stack, "")
    except grpc.RpcError as error:
        text = error.details() if isinstance(error, grpc.Call) else str(error)
        raise TollgateError("The policy pack could not judge the recorded resources.", [Problem("", text)]) from error
    return tuple(found)


def _results(response: Any, policies: list[Any], urn: str) -> Iterator[Result]:
    """Rules that said nothing and do read this have passed, as the engine counts it."""
    silent = {each.policyName for each in response.diagnostics} | {each.policy_name for each in response.not_applicable}
    for policy in policies:
        if policy.name not in silent:
            yield Result(rule=policy.name, urn=urn, answer=Answer.PASSED)
    for each in response.diagnostics:
        mandatory = each.enforcementLevel in (analyzer_pb2.MANDATORY, analyzer_pb2.REMEDIATE)
        yield Result(
            rule=each.policyName,
            urn=each.urn or urn,
            answer=answer_of(each.message, mandatory=mandatory),
            message=each.message,
            mandatory=mandatory,
            severity=_SEVERITIES.get(each.severity, Severity.LOW),
        )
