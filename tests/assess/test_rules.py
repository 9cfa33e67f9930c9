"""Operation rules, one table: what a change is called, and how bad; routine changes stay routine."""

# ruff: noqa: E501  (tables are read by column)
from __future__ import annotations

import json
from typing import Any

import pytest

from tests.plan import previews as p
from tollgate.assess.assess import assess
from tollgate.errors import TollgateError
from tollgate.gate.decide import decide
from tollgate.plan.read import read_plan

CNPG = "kubernetes:postgresql.cnpg.io/v1:Cluster"
PVC = "kubernetes:core/v1:PersistentVolumeClaim"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
SERVICE = "kubernetes:core/v1:Service"
STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
SQS = "aws:sqs/queue:Queue"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
RECORD = "aws:route53/record:Record"
ALL = json.dumps({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
NARROW = json.dumps({"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}]})
PUBLIC = json.dumps({"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Principal": "*", "Resource": "*"}]})


def ingress(*cidrs: str, port: int = 5432) -> dict[str, Any]:
    return {"ingress": [{"protocol": "tcp", "fromPort": port, "toPort": port, "cidrBlocks": list(cidrs)}]}


def claim(size: str) -> dict[str, Any]:
    return {"spec": {"resources": {"requests": {"storage": size}}}}


def pod(image: str) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"name": "api", "image": image}]}}}}


def claims(size: str) -> dict[str, Any]:
    return {"spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}} | claim(size)]}}


# (what, type, old inputs, new inputs, changed path, rules expected, verdict in review words)
UPDATES: list[tuple[str, str, dict[str, Any], dict[str, Any], str, set[str], str]] = [
    ("protection off", p.RDS, {"deletionProtection": True}, {"deletionProtection": False}, "deletionProtection", {"protection-removed"}, "review"),
    ("protection left out", p.RDS, {"deletionProtection": True}, {}, "deletionProtection", {"protection-removed"}, "review"),
    ("protection unknown", p.RDS, {"deletionProtection": True}, {"deletionProtection": p.UNKNOWN}, "deletionProtection", {"not-shown"}, "review"),
    ("protection on", p.RDS, {"deletionProtection": False}, {"deletionProtection": True}, "deletionProtection", set(), "routine"),
    ("no last snapshot", p.RDS, {"skipFinalSnapshot": False}, {"skipFinalSnapshot": True}, "skipFinalSnapshot", {"protection-removed"}, "review"),
    ("force destroy", "aws:s3/bucket:Bucket", {}, {"forceDestroy": True}, "forceDestroy", {"protection-removed"}, "review"),
    ("retention cut", p.RDS, {"backupRetentionPeriod": 14}, {"backupRetentionPeriod": 1}, "backupRetentionPeriod", {"backup-retention-cut"}, "review"),
    ("backups off", p.RDS, {"backupRetentionPeriod": 14.0}, {"backupRetentionPeriod": 0}, "backupRetentionPeriod", {"backup-retention-cut"}, "stop"),
    ("retention raised", p.RDS, {"backupRetentionPeriod": 7}, {"backupRetentionPeriod": 14}, "backupRetentionPeriod", set(), "routine"),
    ("retention secret", p.RDS, {"backupRetentionPeriod": "[secret]"}, {"backupRetentionPeriod": "[secret]"}, "backupRetentionPeriod", {"not-shown"}, "review"),
    ("retention in days", CNPG, {"spec": {"backup": {"retentionPolicy": "4w"}}}, {"spec": {"backup": {"retentionPolicy": "7d"}}}, "spec.backup.retentionPolicy", {"backup-retention-cut"}, "review"),
    ("retention in other words", CNPG, {"spec": {"backup": {"retentionPolicy": "4w"}}}, {"spec": {"backup": {"retentionPolicy": "28d"}}}, "spec.backup.retentionPolicy", set(), "routine"),
    ("backups removed", CNPG, {"spec": {"backup": {"a": 1}}}, {"spec": {}}, "spec.backup", {"backup-stopped"}, "stop"),
    ("versions suspended", "aws:s3/bucketVersioning:BucketVersioning", {"versioningConfiguration": {"status": "Enabled"}}, {"versioningConfiguration": {"status": "Suspended"}}, "versioningConfiguration.status", {"backup-retention-cut"}, "review"),
    ("disk shrunk", p.RDS, {"allocatedStorage": 200}, {"allocatedStorage": 100}, "allocatedStorage", {"storage-shrunk"}, "review"),
    ("claim shrunk", PVC, claim("1Ti"), claim("900Gi"), "spec.resources.requests.storage", {"storage-shrunk"}, "review"),
    ("claim in other words", PVC, claim("1Gi"), claim("1024Mi"), "spec.resources.requests.storage", set(), "routine"),
    ("claim grown", PVC, claim("100G"), claim("100Gi"), "spec.resources.requests.storage", set(), "routine"),
    ("template shrunk", STATEFUL_SET, claims("10Gi"), claims("5Gi"), "spec.volumeClaimTemplates[0].spec.resources.requests.storage", {"storage-shrunk"}, "review"),
    ("opened to all", p.GROUP, ingress("10.0.0.0/8"), ingress("10.0.0.0/8", "0.0.0.0/0"), "ingress[0].cidrBlocks[1]", {"exposure-opened"}, "stop"),
    ("opened to all in halves", p.GROUP, ingress("10.0.0.0/8"), ingress("0.0.0.0/1", "128.0.0.0/1"), "ingress[0].cidrBlocks", {"exposure-opened"}, "stop"),
    ("shop front opened", p.GROUP, ingress("10.0.0.0/8", port=443), ingress("0.0.0.0/0", port=443), "ingress[0].cidrBlocks[0]", {"exposure-opened"}, "review"),
    ("port range widened", p.GROUP, ingress("0.0.0.0/0", port=443), ingress("0.0.0.0/0", port=443) | {"ingress": [{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}]}, "ingress[0].protocol", {"exposure-opened"}, "stop"),
    ("narrowed", p.GROUP, ingress("0.0.0.0/0"), ingress("203.0.113.0/24"), "ingress[0].cidrBlocks[0]", set(), "routine"),
    ("reordered", p.GROUP, ingress("203.0.113.0/24", "198.51.100.0/24"), ingress("198.51.100.0/24", "203.0.113.0/24"), "ingress[0].cidrBlocks", set(), "routine"),
    ("private widened", p.GROUP, ingress("10.1.0.0/16"), ingress("10.0.0.0/8"), "ingress[0].cidrBlocks[0]", set(), "routine"),
    ("addresses unknown", p.GROUP, ingress("10.1.0.0/16"), ingress(p.UNKNOWN), "ingress[0].cidrBlocks[0]", {"not-shown"}, "review"),
    ("public database", p.RDS, {}, {"publiclyAccessible": True}, "publiclyAccessible", {"exposure-opened"}, "stop"),
    ("public bucket", BLOCK, {"blockPublicPolicy": True}, {"blockPublicPolicy": False}, "blockPublicPolicy", {"exposure-opened"}, "stop"),
    ("acl to private", "aws:s3/bucketAcl:BucketAcl", {"acl": "public-read"}, {"acl": "private"}, "acl", set(), "routine"),
    ("load balancer in front", SERVICE, {"spec": {"type": "ClusterIP", "ports": [{"port": 5432}]}}, {"spec": {"type": "LoadBalancer", "ports": [{"port": 5432}]}}, "spec.type", {"exposure-opened"}, "stop"),
    ("encryption off", p.RDS, {"storageEncrypted": True}, {"storageEncrypted": False}, "storageEncrypted", {"encryption-weakened"}, "stop"),
    ("plain http", "aws:lb/listener:Listener", {"protocol": "HTTPS"}, {"protocol": "HTTP"}, "protocol", {"tls-weakened"}, "review"),
    ("all power", ROLE_POLICY, {"policy": NARROW}, {"policy": ALL}, "policy", {"identity-widened"}, "stop"),
    ("less power", ROLE_POLICY, {"policy": ALL}, {"policy": NARROW}, "policy", set(), "routine"),
    ("power unknown", ROLE_POLICY, {"policy": NARROW}, {"policy": p.UNKNOWN}, "policy", {"not-shown"}, "review"),
    ("bucket for everyone", "aws:s3/bucketPolicy:BucketPolicy", {"policy": NARROW}, {"policy": PUBLIC}, "policy", {"identity-widened"}, "stop"),
    ("one copy left", "kubernetes:apps/v1:Deployment", {"spec": {"replicas": 3}}, {"spec": {"replicas": 1}}, "spec.replicas", {"availability-cut"}, "review"),
    ("scaled down", "kubernetes:apps/v1:Deployment", {"spec": {"replicas": 6}}, {"spec": {"replicas": 4}}, "spec.replicas", set(), "routine"),
    ("scaled up", "kubernetes:apps/v1:Deployment", {"spec": {"replicas": 2}}, {"spec": {"replicas": 4}}, "spec.replicas", set(), "routine"),
    ("dead letters dropped", SQS, {"redrivePolicy": "{}x"}, {}, "redrivePolicy", {"dead-letter-removed"}, "review"),
    ("repointed", RECORD, {"records": ["192.0.2.1"]}, {"records": ["192.0.2.9"]}, "records[0]", {"dns-repointed"}, "review"),
    ("ttl", RECORD, {"records": ["192.0.2.1"], "ttl": 60}, {"records": ["192.0.2.1"], "ttl": 300}, "ttl", set(), "routine"),
    ("logs kept shorter", "aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 365}, {"retentionInDays": 30}, "retentionInDays", {"log-retention-cut"}, "review"),
    ("logs kept longer", "aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 30}, {"retentionInDays": 365}, "retentionInDays", set(), "routine"),
    ("major release", p.RDS, {"engineVersion": "15.8"}, {"engineVersion": "16.3"}, "engineVersion", {"version-moved"}, "review"),
    ("minor release", p.RDS, {"engineVersion": "16.3"}, {"engineVersion": "16.4"}, "engineVersion", set(), "routine"),
    ("release taken back", p.RDS, {"engineVersion": "16.3"}, {"engineVersion": "15.8"}, "engineVersion", {"version-moved"}, "stop"),
    ("release unknown", p.RDS, {"engineVersion": "16.3"}, {"engineVersion": p.UNKNOWN}, "engineVersion", {"not-shown"}, "review"),
    ("control plane", "aws:eks/cluster:Cluster", {"version": "1.29"}, {"version": "1.30"}, "version", {"version-moved"}, "review"),
    ("database image", CNPG, {"spec": {"imageName": "ghcr.io/cloudnative-pg/postgresql:16.4"}}, {"spec": {"imageName": "registry.example:5000/postgresql:17.0@sha256:16aa"}}, "spec.imageName", {"version-moved"}, "review"),
    ("database image of a catalogue", CNPG, {"spec": {"imageCatalogRef": {"major": 17}}}, {"spec": {"imageCatalogRef": {"major": 18}}}, "spec.imageCatalogRef.major", {"version-moved"}, "review"),
    ("same release from elsewhere", CNPG, {"spec": {"imageName": "ghcr.io/cloudnative-pg/postgresql:16.4"}}, {"spec": {"imageName": "registry.example:5000/postgresql:16.6"}}, "spec.imageName", set(), "routine"),
    ("trail off", "aws:cloudtrail/trail:Trail", {}, {"enableLogging": False}, "enableLogging", {"audit-weakened"}, "stop"),
    ("other region", "pulumi:providers:aws", {"region": "eu-central-1"}, {"region": "us-east-1"}, "region", {"connection-moved"}, "review"),
    ("other server", "aws:lambda/function:Function", {"environment": {"variables": {"DB": "postgres://a:pw@db.one.example.com/x"}}}, {"environment": {"variables": {"DB": "postgres://a:pw@db.two.example.com/x"}}}, "environment.variables.DB", {"endpoint-swapped"}, "review"),
    ("new code", "aws:lambda/function:Function", {"sourceCodeHash": "a"}, {"sourceCodeHash": "b"}, "sourceCodeHash", set(), "routine"),
    ("new image", "kubernetes:apps/v1:Deployment", pod("r.example.com/a:1"), pod("r.example.com/a:2"), "spec.template.spec.containers[0].image", set(), "routine"),
    ("tags", p.RDS, {"tags": {"a": "1"}}, {"tags": {"a": "2"}}, "tags.a", set(), "routine"),
    ("unrelated unknown", p.RDS, {"copyTagsToSnapshot": True}, {"copyTagsToSnapshot": p.UNKNOWN}, "copyTagsToSnapshot", set(), "routine"),
    ("in no book", p.RDS, {"kmsName": "a"}, {"kmsName": "b"}, "kmsName", set(), "review"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "kind", "old", "new", "path", "rules", "verdict"), UPDATES, ids=[u[0] for u in UPDATES]
)
def test_updates(what: str, kind: str, old: Any, new: Any, path: str, rules: set[str], verdict: str) -> None:
    text = p.digest(p.step("update", kind, old=old, new=new, diff={path: "update"}))
    assessment = assess(read_plan(text))
    assert {finding.rule for finding in assessment.findings} == rules
    assert decide(assessment).verdict.review_word == verdict
    shown = assessment.model_dump_json()
    assert p.UNKNOWN not in shown
    assert "pw@" not in shown


OPERATIONS: list[tuple[str, dict[str, Any], set[str], str]] = [
    ("database deleted", p.step("delete", old={}), {"data-lost"}, "stop"),
    ("database replaced", p.step("replace", old={}, new={}, diff={"engine": "update-replace"}), {"data-lost"}, "stop"),
    ("kept when deleted", p.step("delete", old={}, old_retainOnDelete=True), {"data-lost"}, "review"),
    ("cache deleted", p.step("delete", "aws:elasticache/replicationGroup:ReplicationGroup", old={}), {"data-lost"}, "review"),
    ("queue deleted", p.step("delete", SQS, old={}), {"data-lost"}, "stop"),
    ("key deleted", p.step("delete", "aws:kms/key:Key", old={}), {"data-lost"}, "stop"),
    ("operator database deleted", p.step("delete", CNPG, old={}), {"data-lost"}, "stop"),
    ("not in the book", p.step("delete", "acme:a/b:C", old={}), {"data-lost"}, "review"),
    ("protected deletion", p.step("delete", old={}, old_protect=True), {"data-lost", "protected-deletion"}, "stop"),
    ("unprotected", p.step("same", old={}, new={}, old_protect=True), {"protection-removed"}, "review"),
    ("protected", p.step("same", old={}, new={}, new_protect=True), set(), "routine"),
    ("no longer retained", p.step("update", old={}, new={"tags": {}}, diff={"tags": "add"}, old_retainOnDelete=True), {"protection-removed"}, "review"),
    ("service deleted", p.step("delete", "kubernetes:apps/v1:Deployment", old={}), {"service-removed"}, "review"),
    ("password replaced", p.step("replace", "random:index/randomPassword:RandomPassword", old={}, new={}, diff={"length": "update-replace"}), {"service-removed"}, "review"),
    ("random id replaced", p.step("replace", "random:index/randomId:RandomId", old={}, new={}, diff={"byteLength": "update-replace"}), set(), "routine"),
    ("job replaced", p.step("replace", "kubernetes:batch/v1:Job", old={}, new={}, diff={"spec": "update-replace"}), set(), "routine"),
    ("network policy deleted", p.step("delete", "kubernetes:networking.k8s.io/v1:NetworkPolicy", old={}), {"exposure-opened"}, "review"),
    ("access block deleted", p.step("delete", BLOCK, old={}), {"exposure-opened"}, "stop"),
    ("backup plan deleted", p.step("delete", "aws:backup/plan:Plan", old={}), {"backup-stopped"}, "review"),
    ("alarm deleted", p.step("delete", "aws:cloudwatch/metricAlarm:MetricAlarm", old={}), {"alarm-weakened"}, "review"),
    ("created", p.step("create", new={}), set(), "routine"),
    ("created open", p.step("create", p.GROUP, new=ingress("0.0.0.0/0")), {"exposure-opened"}, "stop"),
    ("created open apart", p.step("create", RULE, new={"cidrIpv4": "0.0.0.0/0", "ipProtocol": "tcp", "fromPort": 22, "toPort": 22}), {"exposure-opened"}, "stop"),
    ("created with unknowns", p.step("create", p.GROUP, new=ingress(p.UNKNOWN)), set(), "routine"),
    ("created public", p.step("create", new={"publiclyAccessible": True}), {"exposure-opened"}, "stop"),
    ("created load balancer", p.step("create", "aws:lb/loadBalancer:LoadBalancer", new={}), {"exposure-opened"}, "review"),
    ("created inside", p.step("create", "aws:lb/loadBalancer:LoadBalancer", new={"internal": True}), set(), "routine"),
    ("made an administrator", p.step("create", "aws:iam/rolePolicyAttachment:RolePolicyAttachment", new={"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}), {"identity-widened"}, "stop"),
    ("imported", p.step("import", new={}), set(), "routine"),
    ("no diff", p.step("update", old={"a": 1}, new={"a": 2}), {"not-shown"}, "review"),
    ("pulled along", p.step("replace", "random:index/randomId:RandomId", old={}, new={}), {"not-shown"}, "review"),
    ("unknown word", p.step("frobnicate", "random:index/randomId:RandomId", old={}, new={}), {"unknown-operation"}, "review"),
    ("read", p.step("read", new={}), set(), "routine"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "step", "rules", "verdict"), OPERATIONS, ids=[each[0] for each in OPERATIONS])
def test_operations(what: str, step: dict[str, Any], rules: set[str], verdict: str) -> None:
    for text in (p.digest(step), p.events(step)):
        assessment = assess(read_plan(text))
        assert {finding.rule for finding in assessment.findings} == rules
        assert decide(assessment).verdict.review_word == verdict


def test_a_wholly_deleted_component_and_many_deletions() -> None:
    parent = p.urn("tollgate:data:Queues", "queues")
    gone = [p.step("delete", "random:index/randomId:RandomId", f"r{n}", old={}, old_parent=parent) for n in range(5)]
    component = p.step("delete", "tollgate:data:Queues", "queues", old={}, old_custom=False)
    findings = assess(read_plan(p.digest(component, *gone))).findings
    assert {finding.rule for finding in findings} == {"component-deleted", "many-deletions"}


def test_the_sentence_names_the_resource_and_not_its_urn() -> None:
    (finding,) = assess(read_plan(p.digest(p.step("delete", name="clearing-db", old={})))).findings
    assert finding.sentence == "Clearing's database (clearing-db) is deleted: a database goes with everything in it."


def test_hostile_names_stay_text() -> None:
    name = "a\x1b[31m\n\u202e<script>{subject}"
    text = p.digest(
        p.step("update", name=name, old={"deletionProtection": True}, new={}, diff={"deletionProtection": "delete"})
    )
    # A URN with control characters is none that Pulumi writes; what can be said with plain characters is only text.
    with pytest.raises(TollgateError):
        read_plan(text)
    ok = p.digest(p.step("delete", name="<script>{subject}", old={}))
    assert "<script>" in assess(read_plan(ok)).findings[0].sentence


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (["name"], "because its name changes"),
        (["a", "b"], "because its a and b change"),
        (["a", "b", "c", "d"], "because its a and b and c and 1 more change"),
        (["spec.link.name", "spec.link.namespace"], "because its spec.link changes"),
        (["spec.a", "spec.b"], "because its spec.a and spec.b change"),
        (["spec.link[0].a", 'spec.link[0]["b.c"]'], "because its spec.link[0] changes"),
        (["]", "[0"], "because its ] and [0 change"),
    ],
)
def test_why_a_resource_is_replaced_is_said_once_for_a_block(keys: list[str], said: str) -> None:
    step = p.step("replace", old={"a": 1}, new={"a": 2}, replaceReasons=keys)
    (lost,) = [each for each in assess(read_plan(p.digest(step))).findings if each.rule == "data-lost"]
    assert said in lost.sentence


@pytest.mark.parametrize(
    ("records", "shown"),
    [
        (["api.example.com"], "to api.example.com"),
        (["10.0.0.1", "10.0.0.2"], "to 10.0.0.1 and 10.0.0.2"),
        (["a"] * 4, "to a list of 4"),
        ([p.SECRET_OBJECT], "to a list of 1"),
        (["x" * 41], "to a list of 1"),
    ],
)
def test_a_short_list_is_shown_and_a_secret_in_it_is_not(records: list[Any], shown: str) -> None:
    step = p.step(
        "update", RECORD, old={"records": ["old.example.com"]}, new={"records": records}, diff={"records[0]": "update"}
    )
    (found,) = [f for f in assess(read_plan(p.digest(step))).findings if f.rule == "dns-repointed"]
    assert shown in found.sentence
    assert "hunter2" not in found.sentence
