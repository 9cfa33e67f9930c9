"""What is most likely to be got wrong in a payment platform, and for each that concerns a component, that it is not.

The numbers are those of the list that the platform was built from (platform anchors, section 9). Each check is run on
everything that every stack declares; each is shown to fail by one resource that is made wrong on purpose.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pytest

from tests.components import got_wrong as wrong
from tests.components.recording import ROOT, STACKS, Record, config_of, run
from tests.components.test_monolith import settings as with_risk_in
from tests.reference.changes import ground
from tests.reference.reviewed import BASES

# The five stacks, and what none of them has: Aurora, Amazon MQ, copies on Kubernetes, queues between two sides.
VARIANTS = {base.title: base for base in BASES if base.settings}
MIGRATING = "a domain that leaves the monolith"
PLACES = (*STACKS, *VARIANTS, MIGRATING)
SEVERAL, AURORA, AMAZON_MQ = "kubernetes, several copies", "aws, Aurora", "aws, Amazon MQ"
RABBIT, QUEUE, POLICY = (f"{wrong.BROKER_OBJECT}{kind}" for kind in ("RabbitmqCluster", "Queue", "Policy"))
CNPG = "postgresql.cnpg.io/v1:Cluster"
RDS, LIMITS = "rds/instance:Instance", "spec.definition"


@dataclass(frozen=True)
class Mistake:
    """A thing that is got wrong, and a resource that is wrong in just that way.

    check: finds it. on: the stack that is spoilt. kind, named: the first resource of a kind whose name ends so.
    write: what is written over its inputs, by dotted path; ``None`` takes the part away. gone: the resource is missing.
    """

    item: int
    what: str
    check: Callable[[Record], Iterator[str]]
    kind: str
    write: Mapping[str, Any] = field(default_factory=dict)
    on: str = "staging"
    named: str = ""
    gone: bool = False


MISTAKES = (
    Mistake(
        1,
        "trusting pause_minority, which 4.3 takes and ignores",
        wrong.partition_handling_that_does_nothing,
        RABBIT,
        {"spec.rabbitmq.additionalConfig": "cluster_partition_handling = pause_minority\n"},
    ),
    Mistake(1, "an even number of nodes", wrong.nodes_without_a_majority, RABBIT, {"spec.replicas": 2}),
    Mistake(
        2,
        "a delivery limit and nowhere to go: dropped",
        wrong.messages_dropped_past_the_limit,
        POLICY,
        {f"{LIMITS}.dead-letter-exchange": None},
        named="-payments-limits",
    ),
    Mistake(
        2,
        "the default of 20 tries, on whom nobody decided",
        wrong.messages_dropped_past_the_limit,
        POLICY,
        {f"{LIMITS}.delivery-limit": None},
        named="-payments-limits",
    ),
    Mistake(
        2,
        "a parking lot that drops what is looked at 20 times",
        wrong.messages_dropped_past_the_limit,
        POLICY,
        {f"{LIMITS}.delivery-limit": None},
        named="-dead-limits",
        on=MIGRATING,
    ),
    Mistake(
        3,
        "at-least-once without reject-publish",
        wrong.at_most_once_in_silence,
        POLICY,
        {f"{LIMITS}.overflow": "drop-head"},
        named="-payments-limits",
        on="prod",
    ),
    Mistake(
        3,
        "the strategy left to its default",
        wrong.at_most_once_in_silence,
        POLICY,
        {f"{LIMITS}.dead-letter-strategy": None},
        named="-retry-2-limits",
        on=AMAZON_MQ,
    ),
    Mistake(
        4,
        "delayed retry asked of a broker that has none",
        wrong.waits_the_broker_does_not_know,
        RABBIT,
        {"spec.image": f"rabbitmq:4.2.10-management@sha256:{'0' * 64}"},
    ),
    Mistake(
        4,
        "delayed retry on Amazon MQ",
        wrong.waits_the_broker_does_not_know,
        POLICY,
        {f"{LIMITS}.delayed-retry-type": "failed"},
        named="-payments-limits",
        on=AMAZON_MQ,
    ),
    Mistake(
        4,
        "a nacked message that waits the shortest time for ever",
        wrong.waits_that_nack_never_ends,
        POLICY,
        {f"{LIMITS}.delayed-retry-type": "all"},
        named="-payments-limits",
    ),
    Mistake(
        5,
        "expiry after expiry in a circle: dropped",
        wrong.expiry_in_a_circle,
        POLICY,
        {f"{LIMITS}.message-ttl": 1000},
        named="-payments-limits",
        on=AMAZON_MQ,
    ),
    Mistake(
        6, "lazy mode, which 4.3 refuses", wrong.modes_that_fail_the_declaration, QUEUE,
        {"spec.arguments.x-queue-mode": "lazy"},
    ),
    Mistake(7, "no disruption budget, as the operator makes none", wrong.no_disruption_budget, "PodDisruptionBudget",
            named="-rabbit-disruptions", gone=True),
    Mistake(
        7,
        "disks that go with the object, which is the default",
        wrong.volumes_that_go_along,
        RABBIT,
        {"spec.override.statefulSet.spec.persistentVolumeClaimRetentionPolicy": None},
        on=SEVERAL,
    ),
    Mistake(7, "messages that go with the object, which is the default", wrong.messages_that_go_along, QUEUE,
            {"spec.deletionPolicy": None}, on="prod"),
    Mistake(7, "an exchange that is gone after a restart", wrong.exchanges_lost_in_a_restart,
            f"{wrong.BROKER_OBJECT}Exchange", {"spec.durable": None}),
    Mistake(
        11,
        "coordination with the default parameters, which evict",
        wrong.coordination_that_evicts,
        "elasticache/parameterGroup:ParameterGroup",
        {"parameters": []},
        named="-coordination-settings",
    ),
    Mistake(
        11,
        "coordination that evicts, on a node of our own",
        wrong.coordination_that_evicts,
        "core/v1:ConfigMap",
        {"data": {"valkey.conf": "maxmemory-policy allkeys-lru\n"}},
        named="-coordination-settings",
        on="edge",
    ),
    Mistake(11, "nobody hears of it before it is full", wrong.nobody_told_before_it_is_full,
            "elasticache/replicationGroup:ReplicationGroup", {"replicationGroupId": "another"},
            named="-coordination-store"),
    Mistake(
        11,
        "a lock that cannot be given back when memory is full",
        wrong.release_refused_when_full,
        "core/v1:ConfigMap",
        {"data": {"locks.lua": "server.register_function('lock_release', release)"}},
        named="-functions",
    ),
    Mistake(
        11,
        "scripts in a cache that a restart empties",
        wrong.scripts_lost_in_a_restart,
        "core/v1:ConfigMap",
        {"data": {"locks.lua": "", "load.sh": "script load"}},
        named="-functions",
    ),
    Mistake(13, "a failover that loses acknowledged writes", wrong.acknowledged_and_lost, wrong.GROUP,
            {"durability": "default"}, named="-coordination-store", on="prod"),
    Mistake(14, "minSyncReplicas", wrong.deprecated_replicas, CNPG, {"spec.minSyncReplicas": 1}, on="local"),
    Mistake(
        14,
        "preferred, which lost data",
        wrong.a_standby_that_need_not_have_it,
        CNPG,
        {"spec.postgresql.synchronous.dataDurability": "preferred"},
        named="-clearing-cluster",
        on=SEVERAL,
    ),
    Mistake(14, "two instances", wrong.a_standby_that_need_not_have_it, CNPG, {"spec.instances": 2}, on="local"),
    Mistake(14, "in-tree backups, which 1.31 takes away", wrong.backups_of_the_old_kind, CNPG,
            {"spec.backup": {"barmanObjectStore": {}}}, on="edge"),
    Mistake(14, "a backup by the in-tree method", wrong.backups_of_the_old_kind, "ScheduledBackup",
            {"spec.method": None}, on="edge"),
    Mistake(14, "a schedule of five fields", wrong.schedules_of_five_fields, "ScheduledBackup",
            {"spec.schedule": "30 18 * * *"}, on="local"),
    *(
        Mistake(15, f"RDS with {key} as the provider has it", wrong.unsafe_defaults_of_rds, RDS, {key: None}, on="prod")
        for key in (*wrong.RDS, "backupRetentionPeriod", "kmsKeyId", "deletionProtection", "multiAz")
    ),
    Mistake(15, "Aurora unencrypted", wrong.unsafe_defaults_of_rds, "rds/cluster:Cluster",
            {"storageEncrypted": None}, on=AURORA),
    Mistake(15, "a list of zones that replaces Aurora", wrong.zones_that_replace_the_cluster, "rds/cluster:Cluster",
            {"availabilityZones": ["ap-southeast-1a"], "(ignored)": ()}, on=AURORA),
    *(
        Mistake(15, f"ElastiCache, {key} off", wrong.a_lost_node_stops_the_store, wrong.GROUP, {key: None}, on="prod")
        for key in ("automaticFailoverEnabled", "multiAzEnabled")
    ),
    Mistake(16, "no bake time, so no way back", wrong.changes_that_do_not_come_back, "DeploymentStrategy",
            {"finalBakeTimeInMinutes": 0}),
    Mistake(16, "no alarm, so no way back", wrong.changes_that_do_not_come_back, "appconfig/environment:Environment",
            {"monitors": []}),
    Mistake(16, "six monitors, of which AWS takes five", wrong.changes_that_do_not_come_back,
            "appconfig/environment:Environment", {"monitors": [{}] * 6}),
    Mistake(16, "three validators, of which AWS takes two", wrong.changes_that_nothing_checks, "ConfigurationProfile",
            {"validators": [{}] * 3}),
    Mistake(17, "External Secrets by its old API", wrong.an_old_api_of_secrets, "ExternalSecret",
            {"apiVersion": "external-secrets.io/v1beta1"}),
    Mistake(17, "an image that nobody mends any more", wrong.images_that_nobody_mends, ":StatefulSet",
            {"spec.template.spec.containers": [{"image": "docker.io/bitnami/valkey:9"}]}, on="local"),
    Mistake(17, "an object that Pulumi does not wait for", wrong.not_waited_for, RABBIT,
            {"metadata.annotations": {}}),
    Mistake(18, "a parameter in plain sight, which no FSBP control finds", wrong.parameters_without_a_key_of_ours,
            "ssm/parameter:Parameter", {"type": "String"}),
    Mistake(
        18,
        "a root that can be written, which `restricted` lets through",
        wrong.restricted_and_yet_open,
        ":StatefulSet",
        {"spec.template.spec.containers": [{"name": "a", "resources": {"limits": {"memory": "1Gi"}}}]},
        on="edge",
    ),
    Mistake(
        18,
        "no limits, which `restricted` lets through",
        wrong.restricted_and_yet_open,
        ":Job",
        {"spec.template.spec.containers": [{"name": "a", "securityContext": {"readOnlyRootFilesystem": True}}]},
        on="prod",
    ),
)  # fmt: skip

# What no component can get wrong, and why. ``until``: words that would stand in a shipped file if that changed.
NO_COMPONENT: Mapping[int, tuple[str, tuple[str, ...]]] = {
    8: ("dtm's barrier: the platform ships no table of it", ("uniq_barrier", "dtm")),
    9: ("Seata's fence: the platform ships no table of it", ("tcc_fence_log", "undo_log")),
    10: ("the isolation of fence transactions: no function of the platform takes part in one yet", ("tcc_fence",)),
    12: ("dtm's Redis scripts: the only functions shipped are locks, which hold no balance", ("balance", "INCRBY")),
}
# The part of an item that no component can get wrong, where other parts of it can.
BESIDE = {
    2: "which call a consumer makes (basic.reject, not nack) is in its own code; the settings' description says so",
    5: "a consumer counts tries in a header of its own; components/topology.py says so",
    7: "who upgrades an operator pauses its clusters first: docs/how-to/prepare-a-cluster.md",
    16: "Pulumi's success is not the rollout's: ConfigCentre's description says what to ask",
    17: "no stack declares an alert rule, a monitor or a KEDA trigger; a test below says when one does",
    18: "disk encryption is no protection of card numbers, and Prowler's ids are none of PCI: a matter of the pack",
}


@cache
def declared(place: str) -> Record:
    if place == MIGRATING:
        return run("staging", with_risk_in("staging", "dual-write"))
    if place in VARIANTS:
        return run(VARIANTS[place].stack, ground(VARIANTS[place]).config)
    return run(place, config_of(place))


def spoilt(mistake: Mistake) -> tuple[Record, str]:
    """The stack with one resource made wrong, and that one's name."""
    record = declared(mistake.on)
    made = next(found for found in record.of(mistake.kind) if found.name.endswith(mistake.named))
    inputs = copy.deepcopy(dict(made.inputs))
    for path, value in mistake.write.items():
        *above, last = path.split(".") if path.startswith(("spec.", "metadata.")) else [path]
        at = inputs
        for name in above:
            at = at.setdefault(name, {})
        if value is None:
            del at[last]
        else:
            at[last] = value
    ignored = mistake.write.get("(ignored)", made.ignore_changes)
    one = [] if mistake.gone else [replace(made, inputs=inputs, ignore_changes=ignored)]
    return Record([*(found for found in record.resources if found is not made), *one]), made.name


@pytest.mark.parametrize(
    "check", dict.fromkeys(mistake.check for mistake in MISTAKES), ids=lambda check: check.__name__
)
def test_no_stack_gets_it_wrong(check: Callable[[Record], Iterator[str]]) -> None:
    assert {place: found for place in PLACES if (found := list(check(declared(place))))} == {}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake.item}: {mistake.what}")
def test_it_would_be_seen(mistake: Mistake) -> None:
    record, name = spoilt(mistake)
    assert list(mistake.check(record)), name


def test_every_item_has_a_check_or_a_reason() -> None:
    checked = {mistake.item for mistake in MISTAKES}
    assert checked | NO_COMPONENT.keys() == set(range(1, 19))
    assert checked.isdisjoint(NO_COMPONENT)
    assert BESIDE.keys() <= checked


def test_what_no_component_can_get_wrong_is_still_not_shipped() -> None:
    shipped = [file for file in (ROOT / "components" / "assets").rglob("*.*") if file.suffix in (".sql", ".lua", ".sh")]
    assert len(shipped) > 5
    text = "".join(file.read_text(encoding="utf-8") for file in shipped)
    assert [word for _, words in NO_COMPONENT.values() for word in words if word.lower() in text.lower()] == []


def test_nothing_needs_a_release_label_or_a_trigger_yet() -> None:
    groups = {str(made.inputs.get("apiVersion", "")).partition("/")[0] for made in declared("prod").resources}
    assert "rabbitmq.com" in groups
    assert groups.isdisjoint({"monitoring.coreos.com", "keda.sh"}), "give item 17 a check of its own"
