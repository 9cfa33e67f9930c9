"""What is easily got wrong in a payment platform, as checks on everything that a stack declares.

A check yields the name of each resource that is wrong. It is given the whole record of a stack, since much of what is
wrong is something that is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.components.recording import Record, Resource

BROKER_OBJECT = "rabbitmq.com/v1beta1:"
GROUP = "elasticache/replicationGroup:ReplicationGroup"
PODS = ("apps/v1:StatefulSet", "apps/v1:Deployment", "apps/v1:DaemonSet", "batch/v1:Job", "batch/v1:CronJob")


def spec(made: Resource) -> Mapping[str, Any]:
    found: Mapping[str, Any] = made.inputs.get("spec", {})
    return found


def limits(record: Record, queue: Resource) -> Mapping[str, Any]:
    """The policy that applies to a queue: the one of highest priority, and no other."""
    fitting = [
        policy
        for policy in map(spec, record.of(f"{BROKER_OBJECT}Policy"))
        if policy["vhost"] == spec(queue)["vhost"] and re.search(policy["pattern"], spec(queue)["name"])
    ]
    best = max(fitting, key=lambda policy: policy["priority"], default={})
    return {**spec(queue).get("arguments", {}), **best.get("definition", {})}


def routed(record: Record, queue: Resource, definition: Mapping[str, Any]) -> list[Resource]:
    """The queues that dead letters of a queue come to."""
    key = definition.get("dead-letter-routing-key", spec(queue)["name"])
    ways = {
        spec(way)["destination"]
        for way in record.of(f"{BROKER_OBJECT}Binding")
        if (spec(way)["source"], spec(way)["routingKey"]) == (definition.get("dead-letter-exchange"), key)
        and spec(way)["vhost"] == spec(queue)["vhost"]
    }
    return [one for one in queues(record) if spec(one)["name"] in ways and spec(one)["vhost"] == spec(queue)["vhost"]]


def queues(record: Record) -> list[Resource]:
    return record.of(f"{BROKER_OBJECT}Queue")


def brokers(record: Record) -> list[Resource]:
    return record.of(f"{BROKER_OBJECT}RabbitmqCluster")


def several(record: Record) -> list[Resource]:
    return [broker for broker in brokers(record) if spec(broker)["replicas"] > 1]


# RabbitMQ


def partition_handling_that_does_nothing(record: Record) -> Iterator[str]:
    for broker in brokers(record):
        if "cluster_partition_handling" in spec(broker)["rabbitmq"]["additionalConfig"]:
            yield broker.name


def nodes_without_a_majority(record: Record) -> Iterator[str]:
    for broker in brokers(record):
        if spec(broker)["replicas"] % 2 == 0:
            yield broker.name


def messages_dropped_past_the_limit(record: Record) -> Iterator[str]:
    for queue in queues(record):
        definition = limits(record, queue)
        parked = spec(queue)["name"].endswith(".dead")
        if parked:
            right = definition.get("delivery-limit", 20) >= 1_000_000 and "message-ttl" not in definition
        else:
            right = "delivery-limit" in definition or "message-ttl" in definition
            right = right and bool(routed(record, queue, definition))
        if not right:
            yield queue.name


def at_most_once_in_silence(record: Record) -> Iterator[str]:
    for queue in queues(record):
        definition = limits(record, queue)
        least = definition.get("dead-letter-strategy") == "at-least-once"
        if "dead-letter-exchange" in definition and not (least and definition.get("overflow") == "reject-publish"):
            yield queue.name


def waits_the_broker_does_not_know(record: Record) -> Iterator[str]:
    known = [re.search(r":(\d+)\.(\d+)\.(\d+)-management@", spec(broker)["image"]) for broker in brokers(record)]
    since = all(found and tuple(map(int, found.groups())) >= (4, 3, 1) for found in known) and bool(known)
    for queue in queues(record):
        definition = limits(record, queue)
        if any(key.startswith("delayed-retry") for key in definition) and not since:
            yield queue.name


def waits_that_nack_never_ends(record: Record) -> Iterator[str]:
    for queue in queues(record):
        definition = limits(record, queue)
        least, most = definition.get("delayed-retry-min", 0), definition.get("delayed-retry-max", 0)
        counted = definition.get("delayed-retry-type", "disabled") in ("disabled", "failed")
        if not counted or least > most or ("delayed-retry-type" in definition and not least):
            yield queue.name


def expiry_in_a_circle(record: Record) -> Iterator[str]:
    for queue in queues(record):
        definition = limits(record, queue)
        onward = routed(record, queue, definition)
        if "message-ttl" in definition and any("message-ttl" in limits(record, one) for one in onward):
            yield queue.name


def modes_that_fail_the_declaration(record: Record) -> Iterator[str]:
    for queue in queues(record):
        old = {key.removeprefix("x-") for key in limits(record, queue)} & {"queue-mode", "queue-version"}
        if old or spec(queue)["type"] != "quorum":
            yield queue.name


def no_disruption_budget(record: Record) -> Iterator[str]:
    held = [
        spec(budget)["selector"]["matchLabels"].get("app.kubernetes.io/name")
        for budget in record.of("PodDisruptionBudget")
        if spec(budget).get("maxUnavailable") == 1
    ]
    for broker in several(record):
        if broker.inputs["metadata"]["name"] not in held:
            yield broker.name


def volumes_that_go_along(record: Record) -> Iterator[str]:
    for broker in brokers(record):
        wanted = spec(broker)["override"]["statefulSet"]["spec"].get("persistentVolumeClaimRetentionPolicy")
        if wanted != {"whenDeleted": "Retain", "whenScaled": "Retain"}:
            yield broker.name


def messages_that_go_along(record: Record) -> Iterator[str]:
    for made in (*queues(record), *record.of(f"{BROKER_OBJECT}Vhost")):
        if made.retain_on_delete and spec(made).get("deletionPolicy") != "retain":
            yield made.name


def exchanges_lost_in_a_restart(record: Record) -> Iterator[str]:
    for exchange in record.of(f"{BROKER_OBJECT}Exchange"):
        if spec(exchange).get("durable") is not True:
            yield exchange.name


# Valkey


def on_aws(record: Record, purpose: str) -> list[Resource]:
    return [store for store in record.of(GROUP) if store.inputs.get("tags", {}).get("purpose") == purpose]


def coordination_that_evicts(record: Record) -> Iterator[str]:
    for store in on_aws(record, "coordination"):
        settings = record.one(store.name.replace("-store", "-settings"), "elasticache/parameterGroup:ParameterGroup")
        if {"name": "maxmemory-policy", "value": "noeviction"} not in settings.inputs["parameters"]:
            yield store.name
    for files in record.of("core/v1:ConfigMap"):
        text = files.inputs.get("data", {}).get("valkey.conf")
        purpose = files.inputs["metadata"].get("labels", {}).get("app.kubernetes.io/component")
        if text is not None and purpose == "coordination" and "maxmemory-policy noeviction\n" not in text:
            yield files.name


def nobody_told_before_it_is_full(record: Record) -> Iterator[str]:
    watched = {
        alarm.inputs["dimensions"]["CacheClusterId"].rpartition("-0001-")[0]
        for alarm in record.of("MetricAlarm")
        if alarm.inputs["metricName"] == "DatabaseMemoryUsagePercentage" and alarm.inputs["threshold"] < 100
    }
    for store in on_aws(record, "coordination"):
        if store.inputs["replicationGroupId"] not in watched:
            yield store.name


def release_refused_when_full(record: Record) -> Iterator[str]:
    """What gives back must run without memory. What takes must not."""
    for files in record.of("core/v1:ConfigMap"):
        library = files.inputs.get("data", {}).get("locks.lua")
        if library is not None:
            for line in (line for line in library.splitlines() if line.startswith("server.register_function")):
                gives_back = any(name in line for name in ("renew", "release"))
                if gives_back != ("allow-oom" in line):
                    yield files.name


def scripts_lost_in_a_restart(record: Record) -> Iterator[str]:
    for files in record.of("core/v1:ConfigMap"):
        data = files.inputs.get("data", {})
        if "locks.lua" in data and "function load replace" not in data.get("load.sh", "").lower():
            yield files.name


def acknowledged_and_lost(record: Record) -> Iterator[str]:
    """Where data is guarded, coordination on aws keeps what it has acknowledged; nothing else claims to."""
    for store in on_aws(record, "coordination"):
        newer = int(store.inputs["engineVersion"].partition(".")[0]) >= 9 and store.inputs["engine"] == "valkey"
        durable = store.inputs["durability"] == "sync" and store.inputs["clusterMode"] == "enabled" and newer
        if store.protect and not durable:
            yield store.name


def a_lost_node_stops_the_store(record: Record) -> Iterator[str]:
    for store in record.of(GROUP):
        safe = store.inputs.get("automaticFailoverEnabled") and store.inputs.get("multiAzEnabled")
        if store.inputs["replicasPerNodeGroup"] and not safe:
            yield store.name


# PostgreSQL


def clusters(record: Record) -> list[Resource]:
    return record.of("postgresql.cnpg.io/v1:Cluster")


def deprecated_replicas(record: Record) -> Iterator[str]:
    for cluster in clusters(record):
        if {"minSyncReplicas", "maxSyncReplicas"} & spec(cluster).keys():
            yield cluster.name


def a_standby_that_need_not_have_it(record: Record) -> Iterator[str]:
    for cluster in clusters(record):
        wanted = spec(cluster)["postgresql"].get("synchronous", {})
        safe = wanted.get("dataDurability") == "required" and wanted.get("failoverQuorum") is True
        if spec(cluster)["instances"] > 1 and not (safe and spec(cluster)["instances"] > 2):
            yield cluster.name


def backups_of_the_old_kind(record: Record) -> Iterator[str]:
    for cluster in clusters(record):
        archives = [plugin for plugin in spec(cluster).get("plugins", []) if plugin.get("isWALArchiver")]
        if "backup" in spec(cluster) or [one["name"] for one in archives] != ["barman-cloud.cloudnative-pg.io"]:
            yield cluster.name
    for daily in record.of("ScheduledBackup"):
        if spec(daily).get("method") != "plugin":
            yield daily.name


def schedules_of_five_fields(record: Record) -> Iterator[str]:
    """Five fields would be read with the minutes as seconds: a backup each minute of an hour, or none."""
    for daily in record.of("ScheduledBackup"):
        fields = spec(daily)["schedule"].split()
        if len(fields) != 6 or not all(field.isdigit() for field in fields[:3]):
            yield daily.name


# What must be said of a database on AWS, since the provider's default is another thing.
RDS: dict[str, Any] = {
    "storageEncrypted": True,
    "copyTagsToSnapshot": True,
    "deleteAutomatedBackups": False,
    "manageMasterUserPassword": True,
    "iamDatabaseAuthenticationEnabled": True,
    "engineLifecycleSupport": "open-source-rds-extended-support-disabled",
}


def unsafe_defaults_of_rds(record: Record) -> Iterator[str]:
    for made in (*record.of("rds/instance:Instance"), *record.of("rds/cluster:Cluster")):
        right = all(made.inputs.get(key) == value for key, value in RDS.items())
        right = right and made.inputs.get("backupRetentionPeriod", 0) >= 1 and bool(made.inputs.get("kmsKeyId"))
        if made.protect:
            instance = made.type.endswith("Instance")
            right = right and made.inputs.get("deletionProtection") is True
            right = right and not made.inputs.get("skipFinalSnapshot")
            right = right and (made.inputs.get("multiAz") is True or not instance)
        if not right:
            yield made.name


def zones_that_replace_the_cluster(record: Record) -> Iterator[str]:
    for cluster in record.of("rds/cluster:Cluster"):
        if (
            len(cluster.inputs.get("availabilityZones") or ()) != 3
            and "availabilityZones" not in cluster.ignore_changes
        ):
            yield cluster.name


# Configuration, Kubernetes, parameters


def changes_that_do_not_come_back(record: Record) -> Iterator[str]:
    for strategy in record.of("DeploymentStrategy"):
        if not strategy.inputs.get("finalBakeTimeInMinutes"):
            yield strategy.name
    for environment in record.of("appconfig/environment:Environment"):
        if not 1 <= len(environment.inputs.get("monitors", ())) <= 5:
            yield environment.name


def changes_that_nothing_checks(record: Record) -> Iterator[str]:
    for profile in record.of("ConfigurationProfile"):
        if not 1 <= len(profile.inputs.get("validators", ())) <= 2:
            yield profile.name


def an_old_api_of_secrets(record: Record) -> Iterator[str]:
    for made in record.resources:
        api = str(made.inputs.get("apiVersion", ""))
        if api.startswith("external-secrets.io/") and api != "external-secrets.io/v1":
            yield made.name


def images_that_nobody_mends(record: Record) -> Iterator[str]:
    for made in record.resources:
        if "bitnami" in str(made.inputs).lower():
            yield made.name


def not_waited_for(record: Record) -> Iterator[str]:
    """What others build on. A backup schedule, a store of backups and a role hold nobody up."""
    alone = ("ScheduledBackup", "ObjectStore", "DatabaseRole")
    for made in record.resources:
        group = str(made.inputs.get("apiVersion", "")).rpartition("/")[0]
        notes = made.inputs.get("metadata", {}).get("annotations", {})
        custom = "." in group and not group.endswith("k8s.io")
        if custom and not made.type.endswith(alone) and "pulumi.com/waitFor" not in notes:
            yield made.name


def parameters_without_a_key_of_ours(record: Record) -> Iterator[str]:
    for parameter in record.of("ssm/parameter:Parameter"):
        if parameter.inputs["type"] != "SecureString" or not parameter.inputs.get("keyId"):
            yield parameter.name


def restricted_and_yet_open(record: Record) -> Iterator[str]:
    for made in (found for kind in PODS for found in record.of(kind)):
        inner = spec(made)
        inner = inner["jobTemplate"]["spec"] if "jobTemplate" in inner else inner
        pod = inner["template"]["spec"]
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            read_only = container.get("securityContext", {}).get("readOnlyRootFilesystem") is True
            if not read_only or "memory" not in container.get("resources", {}).get("limits", {}):
                yield made.name
