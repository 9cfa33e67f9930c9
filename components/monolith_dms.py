"""The monolith's tables, followed by AWS DMS, into RDS.

RDS could subscribe by itself. DMS is taken because data subnets have no way out, and a subscriber dials; because it
reads passwords where they lie, while a subscription keeps one in the database; and because what it does is in the plan,
while a subscription on RDS is SQL that somebody ran. It costs an instance for as long as something is copied.

An account needs the roles dms-vpc-role and dms-cloudwatch-logs-role once, under these names, for all its stacks (DMS
user guide, "Creating the IAM roles to use with AWS DMS"). So no stack declares them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import cloudwatch, dms, iam

from components.access import VERSION, allow, policy
from components.base import Component, Refusal
from components.network import NetworkOutputs
from components.postgres import DatabaseOutputs
from components.specs import CopierSpec, MonolithSource

# A large text is copied up to this many KB, and the task fails on a larger one: DMS would cut it off, silently.
LARGEST_TEXT_KB = 1024
# DMS's default is to log a row that it cannot write, and to go on without it. A copy that stops is seen.
_ERRORS = (
    "DataErrorPolicy",
    "DataTruncationErrorPolicy",
    "TableErrorPolicy",
    "ApplyErrorDeletePolicy",
    "ApplyErrorInsertPolicy",
    "ApplyErrorUpdatePolicy",
)
_LOGGED = ("SOURCE_CAPTURE", "SOURCE_UNLOAD", "TARGET_APPLY", "TARGET_LOAD")  # FSBP DMS.7 and DMS.8
# Three spans of five minutes, as for databases: a burst is no alarm.
PERIOD_SECONDS = 300
PERIODS = 3


@dataclass(frozen=True)
class Cloud:
    """What the copier stands in: the network, the platform's key, and the topics that hear of alarms."""

    network: NetworkOutputs
    key_arn: pulumi.Input[str]
    tell: Sequence[pulumi.Input[str]]


def follow(
    home: Component,
    called: str,
    tables: Iterable[str],
    *,
    spec: CopierSpec,
    source: MonolithSource,
    database: DatabaseOutputs,
    cloud: Cloud,
) -> None:
    """A replication instance with one task: first all rows, then every change."""
    if database.resource_id is None:
        raise Refusal(f"{called}: IAM knows no such database, so DMS cannot sign in; it copies into RDS and Aurora")
    user = f"{database.database_name}_migrator"
    role, ready = _role(home, source, pulumi.Output.concat(database.resource_id, f"/{user}"), cloud.network)
    one = dms.Endpoint(
        home.child("from"),
        endpoint_id=f"{called}-from",
        endpoint_type="source",
        engine_name="postgres",
        database_name=source.database_name,
        ssl_mode="verify-full",
        certificate_arn=source.certificate_arn,
        kms_key_arn=cloud.key_arn,
        secrets_manager_arn=_secret_arn(source, cloud.network),
        secrets_manager_access_role_arn=role.arn,
        postgres_settings={
            "capture_ddls": False,  # it would leave tables and triggers of its own in the monolith
            "heartbeat_enable": True,  # without it the slot of an idle table holds back the log until the disk is full
            "plugin_name": "test-decoding",  # comes with PostgreSQL; left open, an installed pglogical would be taken
            "fail_tasks_on_lob_truncation": True,
        },
        opts=home.within(depends_on=[ready]),
    )
    other = dms.Endpoint(
        home.child("to"),
        endpoint_id=f"{called}-to",
        endpoint_type="target",
        engine_name="postgres",
        server_name=database.host,
        port=database.port,
        database_name=database.database_name,
        username=user,
        ssl_mode="verify-full",
        certificate_arn=spec.service_certificate_arn,
        kms_key_arn=cloud.key_arn,
        postgres_settings={"authentication_method": "iam", "service_access_role_arn": role.arn},
        opts=home.within(depends_on=[ready]),
    )
    instance = _instance(home, called, spec, cloud)
    task = dms.ReplicationTask(
        home.child("task"),
        replication_task_id=called,
        migration_type="full-load-and-cdc",
        replication_instance_arn=instance.replication_instance_arn,
        source_endpoint_arn=one.endpoint_arn,
        target_endpoint_arn=other.endpoint_arn,
        table_mappings=_mappings(tables),
        replication_task_settings=_settings(),
        start_replication_task=True,
        opts=home.within(),
    )
    _alarms(home, called, spec, instance, task, cloud)


def _instance(home: Component, called: str, spec: CopierSpec, cloud: Cloud) -> dms.ReplicationInstance:
    """In the private subnets, among the workloads: it calls out to both servers, and nothing calls it."""
    subnets = dms.ReplicationSubnetGroup(
        home.child("subnets"),
        replication_subnet_group_id=called,
        replication_subnet_group_description="Private subnets, from which the monolith can be reached",
        subnet_ids=cloud.network.private_subnet_ids,
        opts=home.within(),
    )
    # DMS would make it itself, and keep everything for ever.
    logs = cloudwatch.LogGroup(
        home.child("logs"),
        name=f"dms-tasks-{called}",
        retention_in_days=spec.log_retention_days,
        opts=home.within(),
    )
    return dms.ReplicationInstance(
        home.child("instance"),
        replication_instance_id=called,
        replication_instance_class=spec.instance_class,
        engine_version=spec.engine_version,
        allocated_storage=spec.storage_gib,
        multi_az=spec.high_availability,
        publicly_accessible=False,
        kms_key_arn=cloud.key_arn,
        replication_subnet_group_id=subnets.replication_subnet_group_id,
        vpc_security_group_ids=[cloud.network.workloads],
        preferred_maintenance_window=spec.maintenance_window,
        auto_minor_version_upgrade=True,
        allow_major_version_upgrade=False,
        apply_immediately=False,
        opts=home.within(depends_on=[logs]),
    )


def _role(
    home: Component, source: MonolithSource, user: pulumi.Output[str], network: NetworkOutputs
) -> tuple[iam.Role, pulumi.Resource]:
    """What DMS may do: read one secret, and sign in to one server as one user. It takes the role on for this account.

    DMS reads secrets under its regional name, and signs in under its global one (DMS user guide).
    """
    services = [f"dms.{network.region}.amazonaws.com", "dms.amazonaws.com"]
    trust = pulumi.Output.json_dumps(
        {
            "Version": VERSION,
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"Service": services},
                    "Condition": {"StringEquals": {"aws:SourceAccount": network.account}},
                }
            ],
        }
    )
    made = iam.Role(home.child("copier"), assume_role_policy=trust, opts=home.within())
    login = pulumi.Output.concat(f"arn:aws:rds-db:{network.region}:", network.account, ":dbuser:", user)
    # The six characters that Secrets Manager puts at the end of a name are not known before.
    secret = pulumi.Output.concat(_secret_arn(source, network), "-??????")
    rights = iam.RolePolicy(
        home.child("copier"),
        role=made.id,
        policy=policy(
            allow("secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret", on=[secret]),
            allow("rds-db:connect", on=[login]),
        ),
        opts=home.within(),
    )
    return made, rights


def _secret_arn(source: MonolithSource, network: NetworkOutputs) -> pulumi.Output[str]:
    ref = source.credentials_secret_ref
    return pulumi.Output.concat(f"arn:aws:secretsmanager:{network.region}:", network.account, f":secret:{ref}")


def _mappings(tables: Iterable[str]) -> str:
    rules = []
    for number, name in enumerate(sorted(tables), start=1):
        schema, table = name.split(".")
        rules.append(
            {
                "rule-type": "selection",
                "rule-id": str(number),
                "rule-name": str(number),
                "object-locator": {"schema-name": schema, "table-name": table},
                "rule-action": "include",
            }
        )
    return json.dumps({"rules": rules}, sort_keys=True)


def _settings() -> str:
    settings: dict[str, Any] = {
        # The tables are there already, made by a migration. DMS's default is to drop and make them.
        "FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING"},
        "TargetMetadata": {
            "SupportLobs": True,
            "FullLobMode": False,
            "LimitedSizeLobMode": True,
            "LobMaxSize": LARGEST_TEXT_KB,
        },
        "ErrorBehavior": dict.fromkeys(_ERRORS, "STOP_TASK"),
        "ValidationSettings": {"EnableValidation": True},
        "Logging": {
            "EnableLogging": True,
            "LogComponents": [{"Id": part, "Severity": "LOGGER_SEVERITY_DEFAULT"} for part in _LOGGED],
        },
    }
    return json.dumps(settings, sort_keys=True)


def _alarms(
    home: Component,
    called: str,
    spec: CopierSpec,
    instance: dms.ReplicationInstance,
    task: dms.ReplicationTask,
    cloud: Cloud,
) -> None:
    """How far the copy is behind, on either side. A task that has stopped says nothing, and that is bad, too."""
    # CloudWatch knows a task by the last part of its ARN.
    known_as = task.replication_task_arn.apply(lambda arn: str(arn).rpartition(":")[2])
    for side in ("Source", "Target"):
        cloudwatch.MetricAlarm(
            home.child(f"lag-{side.lower()}"),
            namespace="AWS/DMS",
            metric_name=f"CDCLatency{side}",
            dimensions={
                "ReplicationInstanceIdentifier": instance.replication_instance_id,
                "ReplicationTaskIdentifier": known_as,
            },
            statistic="Maximum",
            comparison_operator="GreaterThanThreshold",
            threshold=spec.lag_alarm_seconds,
            period=PERIOD_SECONDS,
            evaluation_periods=PERIODS,
            treat_missing_data="breaching",
            alarm_description=f"{called}: the copy of the monolith's tables is behind, or has stopped",
            alarm_actions=list(cloud.tell),
            ok_actions=list(cloud.tell),
            opts=home.within(),
        )
