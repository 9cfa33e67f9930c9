"""Forty mistakes, planted one by one in our own stacks. Written down before any of them was tried.

A mistake is a change of a stack's settings, as a person would write it, or of one recorded resource, as a program of
somebody else's would declare it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.components.recording import Resource, config_of, deep, run
from tollgate.policy.paths import parse_path

LEFT_OUT = object()
ANY = "0.0.0.0/0"


@dataclass(frozen=True)
class Mistake:
    """One thing done wrong.

    what: in words. stack: where. rule: the one of ours that is meant to catch it.
    settings: an overlay of the stack's settings; else type and name (its end) of a recorded resource, and by path what
     stands there instead: a value, ``LEFT_OUT``, or a function of what stood there.
    """

    what: str
    stack: str
    rule: str
    type: str
    name: str = ""
    change: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.what.replace(" ", "-")


def statement(**said: Any) -> Callable[[str], str]:
    """Another statement at the end of a policy document."""

    def add(document: str) -> str:
        policy = json.loads(document)
        return json.dumps({**policy, "Statement": [*policy["Statement"], {"Effect": "Allow", **said}]})

    return add


INSTANCE, GROUP = "aws:rds/instance:Instance", "aws:rds/parameterGroup:ParameterGroup"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
CNPG, BROKER = "kubernetes:postgresql.cnpg.io/v1:Cluster", "kubernetes:rabbitmq.com/v1beta1:RabbitmqCluster"
QUEUE_POLICY, JOB = "kubernetes:rabbitmq.com/v1beta1:Policy", "kubernetes:batch/v1:Job"
POD = "spec.template.spec"

MISTAKES = (
    # Databases
    Mistake("a ledger's disk is not encrypted", "prod", "database-storage-encrypt", INSTANCE, "clearing-instance",
        {"storageEncrypted": False}),
    Mistake("backups are kept for a day", "prod", "database-backup-retain", INSTANCE, "clearing-instance",
        settings={"payments:databases": {"clearing": {"backup_retention_days": 1}}}),
    Mistake("a database has a public address", "prod", "database-instance-private", INSTANCE, "wallet-instance",
        {"publiclyAccessible": True}),
    # As a setting of prod this one is refused before the rules see it, so it is planted in the resource.
    Mistake("nothing stops the deletion of a database", "prod", "database-delete-protect", INSTANCE, "risk-instance",
        {"deletionProtection": False}),
    Mistake("a database stands in one zone only", "prod", "database-zone-redundant", INSTANCE, "clearing-instance",
        settings={"payments:databases": {"clearing": {"high_availability": False}}}),
    Mistake("the owner's password is in the program", "prod", "database-password-managed", INSTANCE, "gateway-instance",
        {"manageMasterUserPassword": LEFT_OUT, "password": "correct-horse-battery"}),
    Mistake("connections without TLS are taken", "prod", "database-transport-encrypt", GROUP, "account-settings",
        {"parameters": [{"name": "rds.force_ssl", "value": "0", "applyMethod": "immediate"}]}),
    Mistake("a copy need not confirm a payment", "local", "database-cluster-durable", CNPG, "clearing-cluster",
        {"spec.instances": 2, "spec.postgresql.synchronous": {"method": "any", "number": 1,
                                                               "dataDurability": "preferred"}}),
    Mistake("a backup schedule in the wrong notation", "local", "backup-schedule-daily",
        "kubernetes:postgresql.cnpg.io/v1:ScheduledBackup", "clearing-daily", {"spec.schedule": "30 18 * * *"}),
    # Caches
    Mistake("the cache talks in the clear", "prod", "cache-replication-encrypt",
        "aws:elasticache/replicationGroup:ReplicationGroup", "coordination-store", {"transitEncryptionEnabled": False}),
    Mistake("locks are thrown out when memory is short", "prod", "cache-memory-keep",
        "aws:elasticache/parameterGroup:ParameterGroup", "coordination-settings",
        {"parameters": [{"name": "maxmemory-policy", "value": "allkeys-lru"}]}),
    Mistake("a service may empty the cache", "prod", "cache-user-limit", "aws:elasticache/user:User",
        "coordination-user-wallet", {"accessString": "on ~* &* -@dangerous +@all"}),
    # Brokers and queues
    Mistake("the broker's image can change", "prod", "broker-image-pin", BROKER, "",
        {"spec.image": "docker.io/library/rabbitmq:4.3.5-management"}),
    Mistake("the broker takes connections in the clear", "prod", "broker-transport-encrypt", BROKER, "",
        {"spec.tls.disableNonTLSListeners": False}),
    Mistake("a payment queue lives on one node", "prod", "queue-message-survive",
        "kubernetes:rabbitmq.com/v1beta1:Queue", "payments-queue", {"spec.type": "classic"}),
    Mistake("a full queue drops the oldest payment", "prod", "queue-overflow-refuse", QUEUE_POLICY, "payments-limits",
        {"spec.definition.overflow": "drop-head"}),
    Mistake("failed payments have nowhere to wait", "prod", "queue-message-park", QUEUE_POLICY, "payments-limits",
        {'spec.definition["dead-letter-exchange"]': LEFT_OUT}),
    Mistake("a service may read every queue", "prod", "queue-permission-narrow",
        "kubernetes:rabbitmq.com/v1beta1:Permission", "gateway-may", {"spec.permissions.read": ".*"}),
    # Keys, secrets, configuration
    Mistake("a key is never changed", "prod", "key-data-rotate", "aws:kms/key:Key", "data-key",
        {"enableKeyRotation": LEFT_OUT}),
    Mistake("anybody may use a key", "prod", "access-principal-name", "aws:kms/key:Key", "cluster-key",
        {"policy": statement(Principal={"AWS": "*"}, Action="kms:Decrypt", Resource="*")}),
    Mistake("a parameter is kept in the open", "prod", "parameter-value-encrypt", "aws:ssm/parameter:Parameter",
        "gateway-payment-timeout-seconds", {"type": "String"}),
    Mistake("a password stands in a ConfigMap", "edge", "secret-config-hide", "kubernetes:core/v1:ConfigMap",
        "parameters-gateway-values", {"data.broker-password": "correct-horse-battery"}),
    Mistake("a new setting cannot go back by itself", "prod", "config-rollout-watch",
        "aws:appconfig/deploymentStrategy:DeploymentStrategy", "", {"finalBakeTimeInMinutes": 0}),
    # Storage and evidence
    Mistake("public policies on buckets are allowed", "prod", "storage-access-block",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "evidence-evidence", {"blockPublicPolicy": False}),
    Mistake("everybody may read the evidence", "prod", "access-principal-name", "aws:s3/bucketPolicy:BucketPolicy",
        "evidence-evidence", {"policy": statement(Principal="*", Action="s3:GetObject", Resource="*")}),
    Mistake("administrators can delete evidence", "prod", "evidence-lock-comply",
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration", "",
        {"rule.defaultRetention.mode": "GOVERNANCE"}),
    Mistake("audit logs are gone after a month", "prod", "evidence-log-year", "aws:cloudwatch/logGroup:LogGroup",
        "cluster-logs", {"retentionInDays": 30}),
    # Network
    Mistake("the internet reaches the database's port", "prod", "network-ingress-closed",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "database-in",
        {"referencedSecurityGroupId": LEFT_OUT, "cidrIpv4": ANY}),
    Mistake("half of the internet comes in through a group", "prod", "network-group-closed",
        "aws:ec2/securityGroup:SecurityGroup", "redis",
        {"ingress": [{"protocol": "tcp", "fromPort": 6379, "toPort": 6379,
                      "cidrBlocks": ["10.30.0.0/16", "0.0.0.0/1"]}]}),
    Mistake("machines get public addresses", "prod", "network-subnet-private", "aws:ec2/subnet:Subnet",
        "private-ap-southeast-1a", {"mapPublicIpOnLaunch": True}),
    Mistake("the control plane stands on the internet", "prod", "cluster-endpoint-private", "aws:eks/cluster:Cluster",
        "", {"vpcConfig.endpointPublicAccess": LEFT_OUT}),
    Mistake("a door to AWS is open to any account", "prod", "network-endpoint-policy",
        "aws:ec2/vpcEndpoint:VpcEndpoint", "aws-ecr-api", {"policy": LEFT_OUT}),
    # Identity
    Mistake("a role may do everything", "prod", "identity-policy-admin", ROLE_POLICY, "configuration-looks",
        {"policy": statement(Action=["cloudwatch:DescribeAlarms", "*"], Resource="*")}),
    Mistake("anybody may become a role", "prod", "identity-trust-name", "aws:iam/role:Role", "cluster-gateway",
        {"assumeRolePolicy": statement(Principal={"AWS": "*"}, Action="sts:AssumeRole")}),
    Mistake("a service may read every secret", "prod", "identity-policy-resource", ROLE_POLICY, "gateway-reads",
        {"policy": statement(Action="secretsmanager:GetSecretValue",
                             Resource="arn:aws:secretsmanager:ap-southeast-1:111122223333:secret:*")}),
    Mistake("a service may do everything in its namespace", "prod", "access-role-name",
        "kubernetes:rbac.authorization.k8s.io/v1:Role", "gateway-reader", {"rules[0].verbs": ["*"]}),
    # Workloads
    Mistake("a job's image can change", "prod", "workload-image-pin", JOB, "wallet-migrations-job",
        {f"{POD}.containers[0].image": "ghcr.io/cloudnative-pg/postgresql:17.5"}),
    Mistake("a container that starts first is root on its node", "prod", "workload-container-plain", JOB,
        "risk-migrations-job", {f"{POD}.initContainers": [{"name": "fix", "image": "busybox@sha256:" + "0" * 64,
                                                           "securityContext": {"privileged": True}}]}),
    Mistake("a job may take all memory of its node", "prod", "workload-resource-bound", JOB, "account-migrations-job",
        {f"{POD}.containers[0].resources.limits": LEFT_OUT}),
    Mistake("no machine of the broker may ever be repaired", "prod", "workload-drain-allow",
        "kubernetes:policy/v1:PodDisruptionBudget", "", {"spec.maxUnavailable": 0}),
)  # fmt: skip


def planted(mistake: Mistake, resources: Iterable[Resource]) -> tuple[Resource, Resource]:
    """The resource that a mistake is made in, as it was and as it is then.

    Raises LookupError unless exactly one is meant: a program declares its resources in no order.
    """
    kept = [made for made in resources if made.type == mistake.type and made.name.endswith(mistake.name)]
    if len(kept) != 1:
        raise LookupError(f"{mistake.stack} has {len(kept)} {mistake.type} …{mistake.name}, wanted one")
    (before,) = kept
    if mistake.settings:
        overlaid = config_of(mistake.stack) | _overlay(mistake)
        (after,) = [made for made in run(mistake.stack, overlaid).resources if (made.type, made.name) == _key(before)]
        return before, after
    inputs = copy.deepcopy(dict(before.inputs))
    for path, value in mistake.change.items():
        _put(inputs, path, value)
    return before, replace(before, inputs=inputs)


def _key(made: Resource) -> tuple[str, str]:
    return made.type, made.name


def _overlay(mistake: Mistake) -> dict[str, str]:
    written = config_of(mistake.stack)
    return {
        key: json.dumps(deep(json.loads(written.get(key, "{}")), dict(value)))
        for key, value in mistake.settings.items()
    }


def _put(inputs: Any, path: str, value: Any) -> None:
    *way, last = parse_path(path)
    holder = inputs
    for step in way:
        holder = holder.setdefault(step, {}) if isinstance(holder, dict) else holder[step]
    if value is LEFT_OUT:
        del holder[last]
    else:
        holder[last] = value(holder[last]) if callable(value) else value
