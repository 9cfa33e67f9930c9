"""Rules that compare more than one property: what watches over a service, and what lets others in."""

# ruff: noqa: E501  (a table is read by column)
from __future__ import annotations

import json
from typing import Any

import pytest

from tests.assess.rule_examples import MACHINE, VAULT_ROLE, WEBHOOK, hook, look, machine, of, update
from tests.plan import previews as p
from tollgate.gate.decide import decide
from tollgate.gate.model import Verdict

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
PROMETHEUS = "kubernetes:monitoring.coreos.com/v1:PrometheusRule"
MONITOR = "datadog:index/monitor:Monitor"
TARGETS = "aws:lb/targetGroup:TargetGroup"
KAFKA = "aws:msk/configuration:Configuration"
CLUSTER_ROLE = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
PREFIXES = "aws:ec2/managedPrefixList:ManagedPrefixList"
ISSUER = "kubernetes:cert-manager.io/v1:ClusterIssuer"


def alert(**more: Any) -> dict[str, Any]:
    return {"alert": "Failing", "expr": "rate(failed[5m]) > 1", "for": "5m", "labels": {"severity": "page"}, **more}


def alerts(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"groups": [{"name": "payments", "rules": [{"record": "x", "expr": "y"}, *rules]}]}


def rights(*rules: tuple[list[str], list[str]], **more: Any) -> list[dict[str, Any]]:
    return [{"apiGroups": [""], "resources": resources, "verbs": verbs, **more} for resources, verbs in rules]


UP, DOWN = "GreaterThanThreshold", "LessThanThreshold"
OTHER = json.dumps(
    {"StartAt": "Check", "States": {"Check": {"Choices": [{"Next": "Send"}], "Default": "Ask"}, "Send": {}, "Ask": {}}}
)
NO_ASK = json.dumps({"StartAt": "Check", "States": {"Check": {"Choices": [{"Next": "Send"}]}, "Send": {}, "Ask": {}}})
CASES = [
    # what, rule, type, property, before, after, other properties, whether it is found
    ("higher", "alarm-weakened", ALARM, "threshold", 5, 50, {"comparisonOperator": UP}, True),
    ("somewhat higher", "alarm-weakened", ALARM, "threshold", 50, 75, {"comparisonOperator": UP}, False),
    ("lower", "alarm-weakened", ALARM, "threshold", 50, 5, {"comparisonOperator": UP}, False),
    ("lower, of a floor", "alarm-weakened", ALARM, "threshold", 50, 5, {"comparisonOperator": DOWN}, True),
    ("another question", "alarm-weakened", PROMETHEUS, "spec", alerts(alert()), alerts(alert(expr="rate(failed[5m]) > 90")), {}, True),
    ("waits longer", "alarm-weakened", PROMETHEUS, "spec", alerts(alert()), alerts(alert(**{"for": "6h"})), {}, True),
    ("waits no longer", "alarm-weakened", PROMETHEUS, "spec", alerts(alert()), alerts(alert(**{"for": "1m"})), {}, False),
    ("other people", "alarm-weakened", PROMETHEUS, "spec", alerts(alert()), alerts(alert(labels={"severity": "info"})), {}, True),
    ("gone", "alarm-weakened", PROMETHEUS, "spec", alerts(alert()), alerts(), {}, True),
    ("one more, written otherwise", "alarm-weakened", PROMETHEUS, "spec", alerts(alert()), alerts(alert(alert="New"), alert(expr="rate(failed[5m])  > 1")), {}, False),
    ("calls nobody", "alarm-weakened", MONITOR, "message", "Down! @pagerduty-cards @slack-pay", "Down! @slack-pay", {}, True),
    ("calls one more", "alarm-weakened", MONITOR, "message", "Down! @slack-pay", "Down, really! @slack-pay @pagerduty-cards", {}, False),
    ("asks otherwise", "alarm-weakened", MONITOR, "query", "avg:x > 1", "avg:x > 9", {}, True),
    ("errors pass", "health-check-weakened", TARGETS, "healthCheck", {"matcher": "200"}, {"matcher": "200-499,503"}, {}, True),
    ("redirects pass", "health-check-weakened", TARGETS, "healthCheck", {"matcher": "200"}, {"matcher": "200-299,302"}, {}, False),
    ("errors pass no more", "health-check-weakened", TARGETS, "healthCheck", {"matcher": "200-599"}, {"matcher": "200"}, {}, False),
    ("one copy", "durability-weakened", KAFKA, "serverProperties", "min.insync.replicas=2\n", "# one\nmin.insync.replicas = 1\n", {}, True),
    ("stale leader", "durability-weakened", KAFKA, "serverProperties", "a=b", "unclean.leader.election.enable=true", {}, True),
    ("shorter than the default", "durability-weakened", KAFKA, "serverProperties", "a=b", "log.retention.hours=1", {}, True),
    ("more copies", "durability-weakened", KAFKA, "serverProperties", "min.insync.replicas=1", "min.insync.replicas=2\nnum.partitions=1", {}, False),
    ("every secret", "identity-widened", CLUSTER_ROLE, "rules", rights((["pods"], ["get"])), rights((["pods", "secrets"], ["get"])), {}, True),
    ("one secret", "identity-widened", CLUSTER_ROLE, "rules", rights((["secrets"], ["get"]), resourceNames=["a"]), rights((["secrets"], ["get"]), resourceNames=["a", "b"]), {}, False),
    ("a shell", "identity-widened", CLUSTER_ROLE, "rules", rights((["pods"], ["get"])), rights((["pods"], ["get"]), (["pods/exec"], ["create"])), {}, True),
    ("less", "identity-widened", CLUSTER_ROLE, "rules", rights((["pods", "secrets"], ["get"])), rights((["pods"], ["get"])), {}, False),
    ("a step that nothing leads to", "workflow-step-passed-by", MACHINE, "definition", OTHER, NO_ASK, {}, True),
    ("another layout", "workflow-step-passed-by", MACHINE, "definition", OTHER, json.dumps(json.loads(OTHER), indent=2), {}, False),
    ("a step more", "workflow-step-passed-by", MACHINE, "definition", machine("Check"), machine("Check", "Send"), {}, False),
    ("for pods only", "admission-blocks", WEBHOOK, "webhooks", [], [hook()], {}, True),
    ("for some things", "admission-blocks", WEBHOOK, "webhooks", [], [hook(rules=[{"resources": ["configmaps"]}])], {}, False),
    ("a whole network", "exposure-opened", RULE, "cidrIpv4", "10.1.2.0/24", "10.16.0.0/12", {"ipProtocol": "-1"}, True),
    ("a whole network on one port", "exposure-opened", RULE, "cidrIpv4", "10.1.2.0/24", "10.16.0.0/12", {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443}, False),
    ("a smaller one", "exposure-opened", RULE, "cidrIpv4", "10.16.0.0/12", "10.1.2.0/24", {"ipProtocol": "-1"}, False),
    ("half the internet in a list", "exposure-opened", PREFIXES, "entries", [{"cidr": "10.0.0.0/8"}], [{"cidr": "10.0.0.0/8"}, {"cidr": "128.0.0.0/1"}], {}, True),
    ("a list in another order", "exposure-opened", PREFIXES, "entries", [{"cidr": "193.27.14.16/28"}, {"cidr": "10.0.0.0/8"}], [{"cidr": "10.0.0.0/8"}, {"cidr": "193.27.14.16/28"}], {}, False),
    ("every name", "wildcard-added", VAULT_ROLE, "boundNames", "pay", "*", {}, True),
    ("at first", "wildcard-added", VAULT_ROLE, "boundNames", None, ["*"], {}, False),
    ("another server", "endpoint-swapped", ISSUER, "spec", {"acme": {"server": "https://acme-v02.api.example.org/d"}}, {"acme": {"server": "https://acme-staging-v02.api.example.org/d"}}, {}, True),
    ("another mark", "backup-mark-removed", p.RDS, "tags", {"Backup": "daily"}, {"Backup": "never"}, {}, True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "kind", "path", "before", "after", "rest", "expected"),
    [case[1:] for case in CASES],
    ids=[f"{case[1]} {case[0]}" for case in CASES],
)
def test_it_is_found_in_one_direction(
    rule: str, kind: str, path: str, before: Any, after: Any, rest: dict[str, Any], expected: bool
) -> None:
    found = look(update(kind, path, before, after, **rest)).findings
    assert (rule in {finding.rule for finding in found}) is expected
    assert all(finding.sentence.endswith((".", ").")) for finding in found)


@pytest.mark.parametrize(
    ("kind", "path"), [(KAFKA, "serverProperties"), (MACHINE, "definition"), (CLUSTER_ROLE, "rules")]
)
def test_what_cannot_be_read_is_no_pass(kind: str, path: str) -> None:
    assert decide(look(update(kind, path, "known", p.UNKNOWN))).verdict is not Verdict.ALLOW


def test_a_new_gatekeeper_can_block_and_a_new_role_is_the_packs_business() -> None:
    made = look(of(p.step("create", WEBHOOK, new={"webhooks": [hook()]})))
    assert {finding.rule for finding in made.findings} == {"admission-blocks"}
    role = look(of(p.step("create", CLUSTER_ROLE, new={"rules": rights((["secrets"], ["get"]))})))
    assert role.findings == ()
