"""The rules against our own stacks: every stack keeps them, and every rule meets something to judge."""

import functools
from pathlib import Path

import pytest

from policies.rules import CROSS_RULES, RULES
from tests.components.recording import STACKS, config_of, run
from tollgate.policy.configuration import read_configuration
from tollgate.policy.pack import Level, build_pack, levels

PACK = build_pack("tollgate", RULES)
CONFIGURATION = read_configuration(
    Path(__file__).parents[2] / "policies" / "config", build_pack("all", RULES, CROSS_RULES)
)

# What a stack does without, as advice that its reports show. Nobody pays on a developer's machine or in dev, and
# staging keeps its evidence for as long as a release takes.
EVIDENCE = {"evidence-lock-year", "evidence-log-year"}
DOES_WITHOUT = {
    "local": {"backup-store-https", "broker-cluster-quorum", "queue-record-retain"},
    "dev": EVIDENCE
    | {
        "broker-cluster-quorum",
        "cache-write-durable",
        "cache-zone-redundant",
        "cluster-delete-protect",
        "config-rollout-gradual",
        "database-delete-protect",
        "database-snapshot-final",
        "database-zone-redundant",
        "queue-record-retain",
        "secret-delete-wait",
    },
    "staging": EVIDENCE,
    "prod": set(),
    "edge": set(),
}

# Rules that no resource of our stacks meets, and why they are kept.
DORMANT = {
    "our brokers run on Kubernetes; Amazon MQ is the other choice that a team may make": {
        "broker-instance-audit",
        "broker-instance-key",
        "broker-instance-place",
        "broker-instance-private",
        "broker-instance-redundant",
    },
    "our databases are RDS instances; Aurora is the other choice that a team may make": {
        "database-cluster-awake",
        "database-cluster-parameter",
        "database-cluster-zones",
    },
    "made by hand or by other libraries beside a database": {
        "database-catalog-pin",
        "database-proxy-encrypt",
        "database-snapshot-private",
    },
    "our stores are replication groups": {"cache-cluster-replicate"},
    "our rules are of the newer type; this one is what most examples on the web use": {
        "network-rule-closed",
        "network-rule-outward",
        "network-rule-ports",
    },
    "nothing of ours uses access lists beside security groups": {"network-entry-closed", "network-list-closed"},
    "nothing of ours takes calls from outside yet; callbacks will": {
        "edge-balancer-header",
        "edge-balancer-internal",
        "edge-balancer-protect",
        "edge-balancer-record",
        "edge-listener-encrypt",
        "edge-listener-modern",
        "service-entry-encrypt",
    },
    "no stack scales by itself yet; teams add their own": {
        "scale-copy-bound",
        "scale-copy-two",
        "scale-measure-name",
        "scale-worker-bound",
        "scale-worker-busy",
        "scale-worker-fallback",
        "scaler-target-request",
        "workload-update-rolling",
    },
    "no stack patches what another declares": {"workload-patch-pin", "workload-patch-restrict"},
    "services keep their state in PostgreSQL and RabbitMQ; teams on AWS reach for these": {
        "message-queue-encrypt",
        "message-queue-park",
        "message-queue-retain",
        "message-topic-encrypt",
        "table-backup-continue",
        "table-delete-protect",
        "table-storage-key",
    },
    "nodes come from a launch template, disks from a StorageClass; these are the ways by hand": {
        "disk-claim-class",
        "disk-default-encrypt",
        "disk-files-backup",
        "disk-image-private",
        "disk-snapshot-block",
        "disk-volume-encrypt",
        "disk-volume-kind",
        "disk-volume-retain",
        "machine-address-private",
        "machine-disk-encrypt",
        "machine-setting-clean",
    },
    "backups are the databases' own; AWS Backup is the account's": {
        "backup-plan-retain",
        "backup-plan-schedule",
        "backup-vault-keep",
        "backup-vault-key",
        "backup-vault-lock",
    },
    "belongs to the account, which another project makes": {
        "evidence-intrusion-watch",
        "evidence-trail-key",
        "evidence-trail-sign",
        "evidence-trail-watch",
        "evidence-trail-whole",
        "identity-key-none",
        "identity-password-strong",
        "supply-image-fix",
        "supply-image-keep",
        "supply-image-scan",
    },
    "our secrets are never in the program; these are the ways in which they would be": {
        "secret-object-hide",
        "secret-value-hide",
    },
    "belongs to the cluster's operators, whom another project installs": {
        "secret-store-scope",
        "supply-alert-seen",
        "supply-certificate-renew",
        "supply-chart-pin",
        "supply-chart-whole",
    },
}


@functools.cache
def recorded(stack):
    return run(stack, config_of(stack)).resources


@functools.cache
def breaches(stack):
    return [
        (resource.name, breach)
        for resource in recorded(stack)
        for breach in PACK.breaches(resource.type, resource.name, resource.inputs)
    ]


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_keeps_every_rule_that_it_does_not_do_without(stack):
    assert recorded(stack)
    messages = [
        f"{name}: {found.message}" for name, found in breaches(stack) if found.rule.id not in DOES_WITHOUT[stack]
    ]
    assert messages == []
    assert {found.rule.id for _, found in breaches(stack)} == DOES_WITHOUT[stack], "a stack that keeps it now"


@pytest.mark.parametrize("stack", STACKS)
def test_what_a_stack_does_without_is_advice_there(stack):
    wanted = levels(PACK, {rule: level for rule, level in CONFIGURATION.get(stack, {}).items() if rule in IDS})
    assert {wanted[rule] for rule in DOES_WITHOUT[stack]} <= {Level.ADVISORY}


IDS = {rule.id for rule in RULES}


def test_what_one_stack_does_without_is_mandatory_where_people_pay():
    assert set().union(*DOES_WITHOUT.values()) <= set(CONFIGURATION["prod"])
    assert set().union(*DOES_WITHOUT.values()) - EVIDENCE <= set(CONFIGURATION["staging"])


def test_every_rule_meets_a_resource_or_is_dormant_for_a_reason():
    types = {resource.type for stack in STACKS for resource in recorded(stack)}
    unmet = {rule.id for rule in (*RULES, *CROSS_RULES) if not types & set(rule.types)}
    listed = [rule for rules in DORMANT.values() for rule in rules]
    assert unmet == set(listed)
    assert len(listed) == len(set(listed))
