"""The pack as the engine meets it: a process that speaks the analyzer protocol."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import analyzer_pb2 as messages
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub
from pulumi_policy import EnforcementLevel, ResourceValidationPolicy, Severity, StackValidationPolicy
from pulumi_policy.policy import _PolicyAnalyzerServicer

from policies.rules import CROSS_RULES, RULES
from tests.policy.projects import shop
from tollgate.policy.sentinels import SECRET_SIGNATURE, SIGNATURE_KEY, UNKNOWN
from tollgate.policy.statement import CANNOT_BE_SHOWN

PACK = Path(__file__).parents[2] / "policies"
INSTANCE = "aws:rds/instance:Instance"
RETAIN = "database-backup-retain"
TIMEOUT = 20  # seconds; each call takes milliseconds


@contextmanager
def running(folder):
    """The pack in ``folder`` as a process, and a stub to talk to it."""
    with subprocess.Popen([sys.executable, folder], stdout=subprocess.PIPE, text=True) as process:
        try:
            port = process.stdout.readline().strip()
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield process, AnalyzerStub(channel)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def pack():
    with running(PACK) as (_, stub):
        yield stub


@pytest.fixture(scope="module")
def small_pack(tmp_path_factory):
    """A pack of one rule, about how long backups are kept."""
    with running(shop(tmp_path_factory.mktemp("shop")).policies) as (_, stub):
        yield stub


def analyze(stub, type_token, inputs):
    properties = Struct()
    properties.update(inputs)
    request = messages.AnalyzeRequest(
        type=type_token, urn=f"urn:pulumi:dev::shop::{type_token}::x", name="x", properties=properties
    )
    return stub.Analyze(request, timeout=TIMEOUT)


def test_a_resource_that_keeps_the_rules_gets_no_violation(small_pack):
    response = analyze(small_pack, INSTANCE, {"backupRetentionPeriod": 14})
    assert not response.diagnostics
    assert not response.not_applicable


def test_rules_that_do_not_read_a_resource_say_so(pack):
    outside = {each.policy_name for each in analyze(pack, INSTANCE, {}).not_applicable}
    assert outside == {rule.id for rule in RULES if INSTANCE not in rule.types}


def test_a_broken_rule_of_each_level_arrives_at_that_level(pack):
    for rule in RULES:
        found = [d for d in analyze(pack, rule.types[0], rule.bad).diagnostics if d.policyName == rule.id]
        assert [d.enforcementLevel for d in found] == [messages.MANDATORY if rule.mandatory else messages.ADVISORY]
        assert messages.PolicySeverity.Name(found[0].severity) == f"POLICY_SEVERITY_{rule.severity.name}"


def test_an_unknown_value_on_a_mandatory_rule_is_a_mandatory_violation(small_pack):
    (found,) = analyze(small_pack, INSTANCE, {"backupRetentionPeriod": UNKNOWN}).diagnostics
    assert found.policyName == RETAIN
    assert found.enforcementLevel == messages.MANDATORY
    assert found.message.startswith(f"{CANNOT_BE_SHOWN}backupRetentionPeriod is not known until the change runs")


def test_a_secret_is_judged_and_never_shown(small_pack):
    secret = {SIGNATURE_KEY: SECRET_SIGNATURE, "value": "hunter2"}
    response = analyze(small_pack, INSTANCE, {"backupRetentionPeriod": secret, "password": secret})
    assert "backupRetentionPeriod is a secret" in response.diagnostics[0].message
    assert "hunter2" not in str(response)
    kept = {SIGNATURE_KEY: SECRET_SIGNATURE, "value": 14}
    assert not analyze(small_pack, INSTANCE, {"backupRetentionPeriod": kept}).diagnostics


def test_the_engine_is_told_what_the_sdk_would_tell_it(pack):
    """The same rules stated through Pulumi's own policy SDK give the same description, byte for byte."""
    policies = [
        kind(
            name=rule.id,
            display_name=rule.id,
            description=rule.why,
            validate=lambda *_: None,
            enforcement_level=EnforcementLevel.MANDATORY if rule.mandatory else EnforcementLevel.ADVISORY,
            severity=Severity(rule.severity.value),
            tags=list(rule.controls),
            remediation_steps=rule.fix,
        )
        for kind, rules in ((ResourceValidationPolicy, RULES), (StackValidationPolicy, CROSS_RULES))
        for rule in sorted(rules, key=lambda rule: rule.id)
    ]
    level = EnforcementLevel.ADVISORY
    sdk = _PolicyAnalyzerServicer("tollgate", "0.0.1", policies, level, display_name="tollgate")
    assert pack.GetAnalyzerInfo(Empty(), timeout=TIMEOUT) == sdk.GetAnalyzerInfo(Empty(), None)


def test_the_other_calls_of_the_engine_are_answered(pack):
    pack.Handshake(messages.AnalyzerHandshakeRequest(), timeout=TIMEOUT)
    pack.ConfigureStack(messages.AnalyzerStackConfigureRequest(stack="dev"), timeout=TIMEOUT)
    assert not pack.AnalyzeStack(messages.AnalyzeStackRequest(), timeout=TIMEOUT).diagnostics
    assert not pack.Remediate(messages.AnalyzeRequest(type=INSTANCE), timeout=TIMEOUT).remediations
    assert pack.GetPluginInfo(Empty(), timeout=TIMEOUT).version


def test_a_configuration_is_obeyed_or_refused():
    advisory = next(rule for rule in RULES if not rule.mandatory)
    stricter = messages.PolicyConfig(enforcementLevel=messages.MANDATORY)
    with running(PACK) as (_, stub):
        stub.Configure(messages.ConfigureAnalyzerRequest(policyConfig={advisory.id: stricter}), timeout=TIMEOUT)
        told = analyze(stub, advisory.types[0], advisory.bad).diagnostics
        (found,) = [each for each in told if each.policyName == advisory.id]
        assert found.enforcementLevel == messages.MANDATORY
        with pytest.raises(grpc.RpcError) as caught:
            stub.Configure(messages.ConfigureAnalyzerRequest(policyConfig={"no-such-rule": stricter}), timeout=TIMEOUT)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "no such rule" in caught.value.details()


def test_a_rule_that_raises_ends_the_run_with_one_clear_message(broken_pack):
    with running(broken_pack) as (_, stub), pytest.raises(grpc.RpcError) as caught:
        analyze(stub, INSTANCE, {"password": {SIGNATURE_KEY: SECRET_SIGNATURE, "value": "hunter2"}})
    details = caught.value.details()
    assert "policy rule database-rule-broken could not run on urn:pulumi:dev" in details
    assert "KeyError at broken.py:8" in details
    assert "hunter2" not in details
    assert "Traceback" not in details


def test_a_pack_that_cannot_be_built_says_why_and_serves_nothing(broken_pack):
    broken = broken_pack / "rules" / "broken.py"
    broken.write_text(broken.read_text().replace("database-rule-broken", "broken"))
    done = subprocess.run([sys.executable, broken_pack], check=False, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "error: rule 'broken' is not stated well" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_pack_leaves_when_the_engine_says_so():
    with running(PACK) as (process, stub):
        stub.Cancel(Empty(), timeout=TIMEOUT)
        assert process.wait(TIMEOUT) == 0


def test_the_pack_leaves_when_the_engine_is_gone():
    """The pack holds the pipe of a parent that exits at once: the pipe ends when the pack does."""
    parent = "import subprocess, sys; p = subprocess.Popen(sys.argv[1:]); sys.stdin.readline(); sys.exit()"
    command = [sys.executable, "-c", parent, sys.executable, str(PACK)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as engine:
        assert int(engine.stdout.readline())
        rest, _ = engine.communicate("go\n", timeout=TIMEOUT)
        assert rest == ""
