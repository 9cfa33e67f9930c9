"""Rules for RabbitMQ clusters on Kubernetes (cluster operator)."""

import re
from typing import Any

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import HIGH, LOW, MEDIUM
from tollgate.policy.statement import rule
from tollgate.policy.units import is_amount, quantity

CLUSTER = "kubernetes:rabbitmq.com/v1beta1:RabbitmqCluster"
# What the operator's CRD says of a cluster that is silent on it.
ONE = {"spec.replicas": 1}
# 4.3.5 is the first 4.3 without known faults that lose data (release notes 4.3.3 to 4.3.5); 4.2 is out of support.
FLOOR = (4, 3, 5)
WEEK = 604_800  # seconds; the operator's default: a node waits until its queues have a quorum without it
_DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")
_VERSION = re.compile(r".*:v?(\d+)\.(\d+)\.(\d+)\b[^/]*")
_A_DIGEST = "f" * 64
_MEMBERSHIP = "quorum_queue.continuous_membership_reconciliation.enabled"


def _one_node(cluster: Reading) -> Check:
    return cluster["spec.replicas"].at_most(1)


def _setting(text: Any, name: str) -> str | None:
    """What a configuration of the form "name = value" says last on a name."""
    said = None
    for line in text.splitlines() if isinstance(text, str) else ():
        key, _, value = line.partition("=")
        if key.strip() == name:
            said = value.strip()
    return said


@rule(
    id="broker-cluster-odd",
    why="An even number of brokers costs more and survives no more failures than one broker less.",
    severity=MEDIUM,
    controls=("Seed 20",),
    types=(CLUSTER,),
    fix="set spec.replicas to 1, 3 or 5",
    good={"spec": {"replicas": 3}},
    bad={"spec": {"replicas": 4}},
    also_good={"one": {"spec": {"replicas": 1}}, "five": {"spec": {"replicas": 5}}},
    defaults=ONE,
)
def cluster_odd(cluster: Reading) -> Check:
    return cluster["spec.replicas"].one_of(1, 3, 5)


@rule(
    id="broker-cluster-quorum",
    why="One broker is one accident away from losing every payment that waits in it.",
    severity=LOW,  # a small stack does without; staging and prod make it mandatory
    controls=("Seed 20",),
    types=(CLUSTER,),
    fix="set spec.replicas to 3",
    good={"spec": {"replicas": 3}},
    bad={"spec": {"replicas": 2}},
    defaults=ONE,
)
def cluster_has_quorum(cluster: Reading) -> Check:
    return cluster["spec.replicas"].at_least(3)


def _apart(*keys: str) -> dict[str, Any]:
    terms = [{"topologyKey": key} for key in keys]
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    return {"spec": {"replicas": 3, "affinity": affinity}}


@rule(
    id="broker-cluster-spread",
    why="Brokers on one machine are lost together with it, and with them the majority.",
    severity=HIGH,
    controls=("Seed 20",),
    types=(CLUSTER,),
    fix="require spec.affinity.podAntiAffinity with topologyKey kubernetes.io/hostname",
    good=_apart("kubernetes.io/hostname"),
    bad=_apart("topology.kubernetes.io/region"),
    also_good={"one node": {"spec": {"replicas": 1}}, "by zone": _apart("topology.kubernetes.io/zone")},
    also_bad={"preferred at most": {"spec": {"replicas": 2}}},
    defaults=ONE,
)
def cluster_spread(cluster: Reading) -> Check:
    required = cluster["spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution"]

    def apart(term: Reading) -> Check:
        return term["topologyKey"].one_of("kubernetes.io/hostname", "topology.kubernetes.io/zone")

    return required.some(apart, "one for kubernetes.io/hostname").unless(_one_node(cluster))


@rule(
    id="broker-image-pin",
    why="An image that can change under its name changes the broker without anybody's approval.",
    severity=HIGH,
    controls=("PCI-DSS 6.3.2", "Seed 14"),
    types=(CLUSTER,),
    fix="set spec.image to an image with its @sha256 digest",
    good={"spec": {"image": f"docker.io/library/rabbitmq:4.3.5-management@sha256:{_A_DIGEST}"}},
    bad={"spec": {"image": "docker.io/library/rabbitmq:4.3.5-management"}},
)
def image_pinned(cluster: Reading) -> Check:
    return cluster["spec.image"].matches(_DIGEST, "an image with its @sha256 digest")


@rule(
    id="broker-version-floor",
    why="Older brokers are known to lose messages that they have confirmed.",
    severity=HIGH,
    controls=("PCI-DSS 6.3.3",),
    types=(CLUSTER,),
    fix=f"set spec.image to version {'.'.join(map(str, FLOOR))} or newer, with the version in its tag",
    good={"spec": {"image": f"docker.io/library/rabbitmq:4.3.5-management@sha256:{_A_DIGEST}"}},
    bad={"spec": {"image": f"docker.io/library/rabbitmq:4.3.4-management@sha256:{_A_DIGEST}"}},
    also_good={"newer": {"spec": {"image": "rabbitmq:4.10.0"}}},
    also_bad={
        "much older": {"spec": {"image": f"docker.io/library/rabbitmq:3.13.7-management@sha256:{_A_DIGEST}"}},
        "no version": {"spec": {"image": f"docker.io/library/rabbitmq@sha256:{_A_DIGEST}"}},
        "no text": {"spec": {"image": 4.4}},
    },
)
def version_above_floor(cluster: Reading) -> Check:
    def new_enough(image: Any) -> bool:
        found = _VERSION.fullmatch(image) if isinstance(image, str) else None
        return found is not None and tuple(map(int, found.groups())) >= FLOOR

    return cluster["spec.image"].satisfies(new_enough, f"version {'.'.join(map(str, FLOOR))} or newer")


@rule(
    id="broker-memory-reserve",
    why="A broker whose memory is promised to others is killed when they use it, in the middle of a message.",
    severity=HIGH,
    controls=("Seed 20",),
    types=(CLUSTER,),
    fix="set spec.resources.requests.memory and spec.resources.limits.memory to the same amount",
    good={"spec": {"resources": {"requests": {"memory": "4Gi"}, "limits": {"memory": "4Gi"}}}},
    bad={"spec": {"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "4Gi"}}}},
)
def memory_reserved(cluster: Reading) -> Check:
    resources = cluster["spec.resources"]
    return resources["requests.memory"].same_as(resources["limits.memory"], quantity)


@rule(
    id="broker-transport-encrypt",
    why="Payment messages must not cross the network in a form that others can read.",
    severity=HIGH,
    controls=("PCI-DSS 4.2.1", "PCI-DSS 2.2.7"),
    types=(CLUSTER,),
    fix="set spec.tls.secretName and spec.tls.disableNonTLSListeners to true",
    good={"spec": {"tls": {"secretName": "broker-tls", "disableNonTLSListeners": True}}},
    bad={"spec": {"tls": {"secretName": "broker-tls", "disableNonTLSListeners": False}}},
    also_bad={"no certificate": {"spec": {"tls": {"secretName": "", "disableNonTLSListeners": True}}}},
)
def transport_encrypted(cluster: Reading) -> Check:
    tls = cluster["spec.tls"]
    return tls["secretName"].is_set() & tls["disableNonTLSListeners"].is_true()


def _disks(when_deleted: str, when_scaled: str) -> dict[str, Any]:
    policy = {"whenDeleted": when_deleted, "whenScaled": when_scaled}
    return {"spec": {"override": {"statefulSet": {"spec": {"persistentVolumeClaimRetentionPolicy": policy}}}}}


@rule(
    id="broker-disk-keep",
    why="By default the operator deletes the disks, and the payments on them, together with the cluster.",
    severity=HIGH,
    controls=("Seed 19",),
    types=(CLUSTER,),
    fix="set persistentVolumeClaimRetentionPolicy in spec.override.statefulSet.spec to Retain for both cases",
    good=_disks("Retain", "Retain"),
    bad=_disks("Delete", "Retain"),
    also_bad={"when it shrinks": _disks("Retain", "Delete")},
)
def disk_kept(cluster: Reading) -> Check:
    policy = cluster["spec.override.statefulSet.spec.persistentVolumeClaimRetentionPolicy"]
    return policy["whenDeleted"].one_of("Retain") & policy["whenScaled"].one_of("Retain")


@rule(
    id="broker-disk-present",
    why="A broker without a disk forgets every message when it restarts.",
    severity=HIGH,
    controls=("Seed 20",),
    types=(CLUSTER,),
    fix="set spec.persistence.storage to the size that a backlog needs",
    good={"spec": {"persistence": {"storage": "50Gi"}}},
    bad={"spec": {"persistence": {"storage": "0Gi"}}},
    also_bad={"no size": {"spec": {"persistence": {"storage": "much"}}}},
    # CRD rabbitmqclusters.rabbitmq.com: default 10Gi.
    defaults={"spec.persistence.storage": "10Gi"},
)
def disk_present(cluster: Reading) -> Check:
    storage = cluster["spec.persistence.storage"]
    return storage.satisfies(is_amount, "a size above 0")


@rule(
    id="broker-disk-alarm",
    why="By default a broker goes on until 50 MB are left, and then it cannot even start again.",
    severity=MEDIUM,
    types=(CLUSTER,),
    fix="set disk_free_limit.relative = 1.0 in spec.rabbitmq.additionalConfig",
    good={"spec": {"rabbitmq": {"additionalConfig": "disk_free_limit.relative = 1.0\n"}}},
    bad={"spec": {"rabbitmq": {"additionalConfig": "disk_free_limit.relative = 0.5\n"}}},
    also_good={
        "among others": {
            "spec": {"rabbitmq": {"additionalConfig": "a = b\ndisk_free_limit.relative=1.5\nno sign\nc = d"}}
        }
    },
    also_bad={
        "set back": {
            "spec": {
                "rabbitmq": {"additionalConfig": "disk_free_limit.relative = 1.0\ndisk_free_limit.relative = 0.1\n"}
            }
        },
        "in a remark": {"spec": {"rabbitmq": {"additionalConfig": "# disk_free_limit.relative = 1.0\n"}}},
        "no number": {"spec": {"rabbitmq": {"additionalConfig": "disk_free_limit.relative = all"}}},
    },
)
def disk_alarm_set(cluster: Reading) -> Check:
    def in_time(text: Any) -> bool:
        share = quantity(_setting(text, "disk_free_limit.relative"))
        return share is not None and share >= 1

    return cluster["spec.rabbitmq.additionalConfig"].satisfies(in_time, "disk_free_limit.relative = 1.0 or more")


@rule(
    id="broker-member-grow",
    why="A broker that is added gets no copies of the queues by itself, so it protects nothing.",
    severity=MEDIUM,
    types=(CLUSTER,),
    fix=f"set {_MEMBERSHIP} = true in spec.rabbitmq.additionalConfig",
    good={"spec": {"replicas": 3, "rabbitmq": {"additionalConfig": f"{_MEMBERSHIP} = true\n"}}},
    bad={"spec": {"replicas": 3, "rabbitmq": {"additionalConfig": f"{_MEMBERSHIP} = false\n"}}},
    also_good={"one node": {"spec": {"replicas": 1}}},
    also_bad={"not said": {"spec": {"replicas": 3}}},
    defaults=ONE,
)
def members_grow(cluster: Reading) -> Check:
    config = cluster["spec.rabbitmq.additionalConfig"]
    grows = config.satisfies(lambda text: _setting(text, _MEMBERSHIP) == "true", f"{_MEMBERSHIP} = true")
    return grows.unless(_one_node(cluster))


@rule(
    id="broker-guard-real",
    why="A setting that has no effect any more makes readers believe in a guard that is not there.",
    severity=LOW,
    types=(CLUSTER,),
    fix="take cluster_partition_handling out: from 4.3 a majority of nodes has to be up, whatever it says",
    good={"spec": {"rabbitmq": {"additionalConfig": "disk_free_limit.relative = 1.0\n"}}},
    bad={"spec": {"rabbitmq": {"additionalConfig": "cluster_partition_handling = pause_minority\n"}}},
    # The operator's own part of the configuration says it, too; nothing of ours does.
    defaults={"spec.rabbitmq.additionalConfig": None},
)
def guards_are_real(cluster: Reading) -> Check:
    config = cluster["spec.rabbitmq.additionalConfig"]
    return config.satisfies(lambda text: "cluster_partition_handling" not in str(text), "no dead settings")


@rule(
    id="broker-stop-wait",
    why="A broker that is not given time to hand over its queues takes their majority with it.",
    severity=MEDIUM,
    controls=("Seed 20",),
    types=(CLUSTER,),
    fix=f"leave spec.terminationGracePeriodSeconds at {WEEK}",
    good={"spec": {"replicas": 3, "terminationGracePeriodSeconds": WEEK}},
    bad={"spec": {"replicas": 3, "terminationGracePeriodSeconds": WEEK - 1}},
    also_good={"one node": {"spec": {"replicas": 1, "terminationGracePeriodSeconds": 60}}},
    # CRD rabbitmqclusters.rabbitmq.com: default 604800.
    defaults={**ONE, "spec.terminationGracePeriodSeconds": WEEK},
)
def stop_waits(cluster: Reading) -> Check:
    waits = cluster["spec.terminationGracePeriodSeconds"].at_least(WEEK, "seconds")
    return waits.unless(_one_node(cluster))
