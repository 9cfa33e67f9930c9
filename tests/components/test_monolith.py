"""A domain's way out of the monolith: what exists in each phase and on each target, and what is refused."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise
from typing import Any

import pulumi
import pytest
import yaml

from components.specs import Phase, Target
from components.specs.monolith import IRREVERSIBLE, MEANING, STARTS
from stacks.loading import SettingsError, load_settings
from tests.components.crds import is_custom, needs_crds, refusals
from tests.components.recording import ROOT, STACKS, Record, Resource, config_of, run
from tests.components.test_manifests import plainly
from tests.reference.reviewed import SOURCE
from tollgate.assess.rules.ladders import Ladder, ladder_in

on_each_phase = pytest.mark.parametrize("phase", Phase, ids=str)
on_each_target = pytest.mark.parametrize("stack", ["staging", "local"])
INSIDE = {**{key: value for key, value in SOURCE.items() if key not in ("host", "addresses")}, "cluster": "monolith"}
CERTIFICATE = "arn:aws:dms:ap-southeast-1:111122223333:cert:MONOLITH"
TABLES = {
    "core.rules": {"key": ["id"], "compared_with": "risk.rules", "ignored": ["changed_by"]},
    "core.decisions": {"key": ["payment", "step"], "compared_with": "risk.decisions_as_before"},
}


def settings(stack: str, phase: str, *, source: dict[str, Any] | None = SOURCE, **more: Any) -> dict[str, str]:
    """The stack's configuration with risk in a phase."""
    monolith: dict[str, Any] = {"source": source, "domains": {"risk": {"phase": phase, "tables": TABLES, **more}}}
    if stack != "local" and source is not None:
        monolith["source"] = {"certificate_arn": CERTIFICATE, **source}
        monolith["copier"] = {"service_certificate_arn": CERTIFICATE}
    return config_of(stack) | {"payments:monolith": json.dumps(monolith)}


@cache
def recorded(stack: str, phase: str, inside: bool = False) -> Record:
    return run(stack, settings(stack, phase, source=INSIDE if inside else SOURCE))


def of_risk(record: Record) -> dict[str, Resource]:
    """What the migration of risk declares, by its part in the names."""
    (whole,) = [made.name for made in record.of("MonolithMigration") if made.name.endswith("-risk-monolith")]
    return {
        f"{made.name.removeprefix(f'{whole}-')}:{made.type.rpartition(':')[2]}": made
        for made in record.resources
        if made.name.startswith(f"{whole}-")
    }


COMPARES = {"comparison:ConfigMap", "comparer:CronJob", "comparer-way-out:NetworkPolicy"}
FOLLOWS = {"subscription:Subscription", "way-to-monolith:NetworkPolicy"}
COPIES = {
    "login:ExternalSecret",
    "copier:Role",
    "copier:RolePolicy",
    "from:Endpoint",
    "to:Endpoint",
    "subnets:ReplicationSubnetGroup",
    "logs:LogGroup",
    "instance:ReplicationInstance",
    "task:ReplicationTask",
    "lag-source:MetricAlarm",
    "lag-target:MetricAlarm",
}
QUEUES = {
    "queues:QueueSet",
    "queues-vhost:Vhost",
    *(
        f"queues-{part}-{kind.lower()}:{kind}"
        for queue in ("to-service", "to-monolith")
        for part in (queue, f"{queue}-dead")
        for kind in ("Exchange", "Queue", "Binding")
    ),
    *(f"queues-{queue}{dead}-limits:Policy" for queue in ("to-service", "to-monolith") for dead in ("", "-dead")),
    *(f"queues-user-risk-{side}:User" for side in ("monolith", "service")),
    *(f"queues-user-risk-{side}-may:Permission" for side in ("monolith", "service")),
}


@on_each_target
@on_each_phase
def test_the_phase_alone_decides_what_exists(stack: str, phase: Phase) -> None:
    copied = phase in (Phase.SHADOW, Phase.DUAL_WRITE, Phase.CUTOVER)
    queued = phase in (Phase.DUAL_WRITE, Phase.CUTOVER, Phase.SERVICE)
    wanted = {"ladder:ConfigMap"}
    if copied:
        wanted |= COMPARES | (FOLLOWS if stack == "local" else COPIES)
    if queued:
        wanted |= QUEUES
    assert set(of_risk(recorded(stack, phase))) == wanted


@on_each_target
def test_a_phase_of_one_domain_touches_nothing_of_the_others(stack: str) -> None:
    def others(phase: str) -> dict[tuple[str, str], Any]:
        return {
            (made.type, made.name): made.inputs
            for made in recorded(stack, phase).resources
            if "-risk-monolith" not in made.name and "configuration" not in made.name
        }

    first = others(Phase.MONOLITH)
    for phase in (*list(Phase)[1:-1],):
        assert others(phase) == first, phase
    changed = {key[1] for key, inputs in others(Phase.RETIRED).items() if inputs != first[key]}
    assert changed == ({"payments-local-risk-cluster"} if stack == "local" else set())


@on_each_target
@on_each_phase
def test_the_ladder_is_one_that_the_gate_reads(stack: str, phase: Phase) -> None:
    made = of_risk(recorded(stack, phase))["ladder:ConfigMap"]
    assert ladder_in(made.inputs) == Ladder(
        tuple(Phase), phase, frozenset(IRREVERSIBLE), frozenset(STARTS), hidden=False
    )
    assert made.inputs["metadata"]["name"] == f"payments-{stack}-risk-monolith"
    assert "immutable" not in made.inputs


def documents(record: Record) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """What gateways read, and on aws the schema that a hand in the console is held to."""
    held = record.of("HostedConfigurationVersion")
    if held:
        (profile,) = record.of("ConfigurationProfile")
        texts = (held[0].inputs["content"], profile.inputs["validators"][0]["content"])
        # The SDK takes both for secrets.
        read, schema = (json.loads(text["value"] if isinstance(text, dict) else text) for text in texts)
        return read, schema
    (document,) = [made for made in record.of("core/v1:ConfigMap") if made.name.endswith("configuration-document")]
    return json.loads(document.inputs["data"]["config.json"]), None


# Whose rows count, and the share of reads that the service answers: least, most.
ROUTES = {
    Phase.MONOLITH: ("monolith", 0, 0),
    Phase.SHADOW: ("monolith", 0, 0),
    Phase.DUAL_WRITE: ("monolith", 0, 50),
    Phase.CUTOVER: ("service", 50, 100),
    Phase.SERVICE: ("service", 100, 100),
    Phase.RETIRED: ("service", 100, 100),
}


@on_each_target
@on_each_phase
def test_gateways_read_in_every_phase_whose_rows_count_and_who_answers(stack: str, phase: Phase) -> None:
    read, schema = documents(recorded(stack, phase))
    record, least, most = ROUTES[phase]
    assert (read["risk-record"], read["risk-service-reads-percent"], read["risk-writes-held"]) == (record, least, False)
    assert read["account-record"] == "monolith"
    if schema:
        bounds = schema["properties"]["risk-service-reads-percent"]
        assert (bounds["minimum"], bounds["maximum"]) == (least, most)


def test_weights_and_holds_reach_gateways_and_nothing_else() -> None:
    before = recorded("local", Phase.CUTOVER)
    after = run("local", settings("local", "cutover", service_reads_percent=80, hold_writes=True))
    was = {(made.type, made.name): made for made in before.resources}
    changed = {made.name for made in after.resources if made.inputs != was[made.type, made.name].inputs}
    assert changed == {"payments-local-configuration-document"}
    assert documents(after)[0]["risk-service-reads-percent"] == 80
    assert documents(after)[0]["risk-writes-held"] is True


# By phase: who publishes to which of the two queues. Each side always takes what is for it.
TOLD: dict[Phase, dict[str, str]] = {
    Phase.DUAL_WRITE: {"monolith": "^(to-service)$", "service": "^$"},
    Phase.CUTOVER: {"monolith": "^$", "service": "^(to-monolith)$"},
    Phase.SERVICE: {"monolith": "^$", "service": "^$"},
}


@on_each_target
@pytest.mark.parametrize("phase", TOLD, ids=str)
def test_only_the_side_that_holds_the_record_may_publish(stack: str, phase: Phase) -> None:
    made = of_risk(recorded(stack, phase))
    for side, takes in (("monolith", "to-monolith"), ("service", "to-service")):
        may = made[f"queues-user-risk-{side}-may:Permission"].inputs["spec"]
        assert may["permissions"] == {"configure": "^$", "write": TOLD[phase][side], "read": f"^({takes})$"}
        assert may["vhost"] == "risk-migration"
        user = made[f"queues-user-risk-{side}:User"].inputs["spec"]
        assert user["importCredentialsSecret"] == {"name": f"payments-broker-risk-{side}"}


@on_each_target
def test_what_waits_in_the_queues_outlives_the_phase_and_no_guard_is_in_its_way(stack: str) -> None:
    made = of_risk(recorded(stack, Phase.DUAL_WRITE))
    queues = [each for each in made.values() if each.type.endswith((":Queue", ":Vhost"))]
    assert len(queues) == 5
    for each in queues:
        assert (each.protect, each.retain_on_delete) == (False, True)
        assert each.inputs["spec"]["deletionPolicy"] == "retain"


def test_a_subscription_that_goes_takes_its_slot_along_and_the_database_knows_the_way() -> None:
    record = recorded("local", Phase.SHADOW)
    spec = of_risk(record)["subscription:Subscription"].inputs["spec"]
    assert spec == {
        "cluster": {"name": "payments-local-risk"},
        "dbname": "risk",
        "name": "risk_from_monolith",
        "externalClusterName": "monolith",
        "publicationName": "risk_to_service",
        "subscriptionReclaimPolicy": "delete",
    }
    (known,) = record.one("payments-local-risk-cluster", "Cluster").inputs["spec"]["externalClusters"]
    assert known == {
        "name": "monolith",
        "connectionParameters": {
            "host": "monolith.internal",
            "port": "5432",
            "dbname": "payments",
            "user": "follower",
            "sslmode": "verify-full",
        },
        "password": {"name": "monolith-follower", "key": "password"},
        "sslRootCert": {"name": "monolith-ca", "key": "ca.crt"},
    }
    door = of_risk(record)["way-to-monolith:NetworkPolicy"].inputs["spec"]
    assert door["podSelector"] == {"matchLabels": {"cnpg.io/cluster": "payments-local-risk"}}
    assert door["egress"] == [
        {"to": [{"ipBlock": {"cidr": "172.20.9.0/24"}}], "ports": [{"protocol": "TCP", "port": 5432}]}
    ]


def test_a_monolith_in_the_same_namespace_is_published_here_and_needs_no_way_out() -> None:
    made = of_risk(recorded("local", Phase.SHADOW, inside=True))
    assert set(made) == {
        "ladder:ConfigMap",
        "publication:Publication",
        "subscription:Subscription",
        "comparison:ConfigMap",
        "comparer:CronJob",
    }
    spec = made["publication:Publication"].inputs["spec"]
    assert spec["cluster"] == {"name": "monolith"}
    assert spec["name"] == made["subscription:Subscription"].inputs["spec"]["publicationName"]
    assert spec["publicationReclaimPolicy"] == "delete"
    assert [each["table"] for each in spec["target"]["objects"]] == [
        {"schema": "core", "name": "decisions"},
        {"schema": "core", "name": "rules"},
    ]


def test_dms_drops_no_table_cuts_off_no_text_and_stops_when_it_cannot_write() -> None:
    made = of_risk(recorded("staging", Phase.SHADOW))
    task = made["task:ReplicationTask"].inputs
    assert (task["migrationType"], task["startReplicationTask"]) == ("full-load-and-cdc", True)
    said = json.loads(task["replicationTaskSettings"])
    assert said["FullLoadSettings"] == {"TargetTablePrepMode": "DO_NOTHING"}
    assert set(said["ErrorBehavior"].values()) == {"STOP_TASK"}
    assert said["ValidationSettings"] == {"EnableValidation": True}
    assert {part["Id"] for part in said["Logging"]["LogComponents"]} >= {"SOURCE_CAPTURE", "TARGET_APPLY"}
    tables = [rule["object-locator"] for rule in json.loads(task["tableMappings"])["rules"]]
    assert tables == [
        {"schema-name": "core", "table-name": "decisions"},
        {"schema-name": "core", "table-name": "rules"},
    ]
    source = made["from:Endpoint"].inputs
    assert source["postgresSettings"] == {
        "captureDdls": False,
        "heartbeatEnable": True,
        "pluginName": "test-decoding",
        "failTasksOnLobTruncation": True,
    }
    for end in (source, made["to:Endpoint"].inputs):
        assert (end["sslMode"], end["certificateArn"]) == ("verify-full", CERTIFICATE)
        assert not {"password", "extraConnectionAttributes"} & set(end)


def test_dms_signs_in_without_a_password_and_may_nothing_else() -> None:
    made = of_risk(recorded("staging", Phase.SHADOW))
    target = made["to:Endpoint"].inputs
    assert target["username"] == "risk_migrator"
    assert target["postgresSettings"]["authenticationMethod"] == "iam"
    rights = json.loads(made["copier:RolePolicy"].inputs["policy"])["Statement"]
    secret = "arn:aws:secretsmanager:ap-southeast-1:111122223333:secret:monolith-follower-??????"
    user = "arn:aws:rds-db:ap-southeast-1:111122223333:dbuser:db-ABCDEFGHIJKLMNOPQRSTUVWXYZ/risk_migrator"
    assert {action: each["Resource"] for each in rights for action in each["Action"]} == {
        "secretsmanager:GetSecretValue": [secret],
        "secretsmanager:DescribeSecret": [secret],
        "rds-db:connect": [user],
    }
    (trust,) = json.loads(made["copier:Role"].inputs["assumeRolePolicy"])["Statement"]
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "111122223333"}}


def test_dms_is_private_encrypted_and_missed_when_it_is_silent() -> None:
    record = recorded("staging", Phase.SHADOW)
    made = of_risk(record)
    instance = made["instance:ReplicationInstance"].inputs
    wanted = {
        "publiclyAccessible": False,
        "multiAz": True,
        "allowMajorVersionUpgrade": False,
        "applyImmediately": False,
    }
    assert {key: instance[key] for key in wanted} == wanted
    assert instance["kmsKeyArn"]
    assert made["logs:LogGroup"].inputs["name"] == f"dms-tasks-{instance['replicationInstanceId']}"
    for side in ("source", "target"):
        alarm = made[f"lag-{side}:MetricAlarm"].inputs
        assert alarm["treatMissingData"] == "breaching"
        assert alarm["dimensions"]["ReplicationTaskIdentifier"] == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def container(stack: str) -> dict[str, Any]:
    job = of_risk(recorded(stack, Phase.DUAL_WRITE))["comparer:CronJob"].inputs["spec"]["jobTemplate"]["spec"]
    (found,) = job["template"]["spec"]["containers"]
    return {"pod": job["template"]["spec"], **found}


def files(made: dict[str, Any], volume: str) -> tuple[str, list[str]]:
    """The Secret behind a volume, and which parts of it are there to be read."""
    (secret,) = [each["secret"] for each in made["pod"]["volumes"] if each["name"] == volume]
    return secret["secretName"], [item["path"] for item in secret["items"]]


def test_the_comparer_is_the_reader_by_the_best_means_that_a_target_has() -> None:
    here, cloud = container("local"), container("staging")
    said, said_there = ({each["name"]: each["value"] for each in made["env"]} for made in (here, cloud))
    assert (said["SERVICE_USER"], "SERVICE_ROLE" in said) == ("risk_reader", False)
    assert files(here, "login") == ("payments-local-risk-reader-client-cert", ["tls.crt", "tls.key"])
    assert here["pod"]["securityContext"]["fsGroup"] == here["pod"]["securityContext"]["runAsUser"]
    assert ("SERVICE_USER" in said_there, said_there["SERVICE_ROLE"]) == (False, "risk_reader")
    assert files(cloud, "login") == ("payments-staging-risk-migrations", ["username", "password"])
    assert files(cloud, "monolith-login") == ("payments-staging-risk-monolith-login", ["password"])
    assert files(here, "monolith-login") == ("monolith-follower", ["password"])
    for made in (here, cloud):
        assert made["securityContext"]["readOnlyRootFilesystem"] is True
        assert made["pod"]["automountServiceAccountToken"] is False


def test_the_comparer_gets_the_tables_with_what_they_are_held_against() -> None:
    files = of_risk(recorded("local", Phase.DUAL_WRITE))["comparison:ConfigMap"].inputs["data"]
    assert files["tables"] == (
        "core.decisions risk.decisions_as_before payment,step -\ncore.rules risk.rules id changed_by\n"
    )


@needs_crds
@pytest.mark.parametrize("inside", [False, True])
@on_each_target
@on_each_phase
def test_servers_accept_every_manifest_of_every_phase(stack: str, phase: Phase, inside: bool) -> None:
    if inside and stack != "local":
        return
    judged = [
        (made.name, refusals(plainly(made.inputs)))
        for made in recorded(stack, phase, inside).resources
        if made.type.startswith("kubernetes:") and ("-monolith" in made.name or made.name.endswith("risk-cluster"))
    ]
    assert [said for said in judged if said[1]] == []
    operators = [made for made in of_risk(recorded(stack, phase, inside)).values() if "apiVersion" in made.inputs]
    custom = [made for made in operators if is_custom(made.inputs["apiVersion"])]
    assert bool(custom) == (MEANING[phase].queued or MEANING[phase].copied)


def test_the_meaning_of_the_phases_never_lets_both_sides_hold_the_record() -> None:
    order = [MEANING[phase] for phase in Phase]
    assert [meaning.record for meaning in order] == ["monolith"] * 3 + ["service"] * 3
    for before, after in pairwise(order):
        assert before.reads[1] <= after.reads[1]
        assert before.reads[0] <= after.reads[0]
        # Reads need not jump: what was right before the step is right after it, but where a phase has one value only.
        assert before.reads[1] >= after.reads[0] or after.reads[0] == after.reads[1]
    assert set(IRREVERSIBLE).isdisjoint(STARTS)


DOMAIN = {"phase": "shadow", "tables": TABLES}
# (stack, what is written under payments:monolith, the line that comes back)
REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "no source": (
        "local",
        {"domains": {"risk": DOMAIN}},
        "monolith.domains.risk.phase: shadow copies the monolith's tables; write source: host, addresses, port, "
        "database_name, user, credentials_secret_ref, authority_ref, logical_replication",
    ),
    "no tables": (
        "local",
        {"source": SOURCE, "domains": {"risk": {"phase": "shadow"}}},
        "monolith.domains.risk: tables is needed in phase shadow: name the monolith's tables, each with its key",
    ),
    "a log that is not logical": (
        "local",
        {"source": {**SOURCE, "logical_replication": False}, "domains": {"risk": DOMAIN}},
        "monolith.source.logical_replication: a copy follows the log, which must be logical: set wal_level there, "
        "restart it, then write true",
    ),
    "a weight in shadow": (
        "local",
        {"source": SOURCE, "domains": {"risk": {**DOMAIN, "service_reads_percent": 1}}},
        "monolith.domains.risk: service_reads_percent must be 0 in phase shadow, where the monolith holds the record",
    ),
    "most reads before the record has moved": (
        "local",
        {"source": SOURCE, "domains": {"risk": {**DOMAIN, "phase": "dual-write", "service_reads_percent": 51}}},
        "monolith.domains.risk: service_reads_percent must be 0 to 50 in phase dual-write, where the monolith holds "
        "the record",
    ),
    "few reads after it has": (
        "local",
        {"source": SOURCE, "domains": {"risk": {**DOMAIN, "phase": "cutover", "service_reads_percent": 49}}},
        "monolith.domains.risk: service_reads_percent must be 50 to 100 in phase cutover, where the service holds the "
        "record",
    ),
    "a hold when nothing moves": (
        "local",
        {"source": SOURCE, "domains": {"risk": {**DOMAIN, "hold_writes": True}}},
        "monolith.domains.risk: hold_writes means nothing in phase shadow: the record moves between dual-write and "
        "cutover; write false",
    ),
    "a comparison with the copy": (
        "local",
        {"source": SOURCE, "domains": {"risk": {"phase": "dual-write", "tables": {"core.rules": {"key": ["id"]}}}}},
        "monolith.domains.risk: tables.core.rules.compared_with must name the service's own table in phase "
        "dual-write: a comparison with the copy would only show that copying works",
    ),
    "a key that is not compared": (
        "local",
        {"source": SOURCE, "domains": {"risk": {**DOMAIN, "tables": {"core.a": {"key": ["id"], "ignored": ["id"]}}}}},
        "monolith.domains.risk.tables.core.a: ignored must not name id: rows are known by their key",
    ),
    "a copy in the service's own schema": (
        "local",
        {"source": SOURCE, "domains": {"risk": {"phase": "shadow", "tables": {"risk.rules": {"key": ["id"]}}}}},
        "monolith.domains.risk.tables.risk.rules: the copy would land in schema risk, which is the service's own",
    ),
    "a phase that there is not": (
        "local",
        {"source": SOURCE, "domains": {"risk": {**DOMAIN, "phase": "dual_write"}}},
        "monolith.domains.risk.phase: must be monolith, shadow, dual-write, cutover, service or retired (moves by one "
        "step at a time, forward or back), and is a text of 10 characters; write dual-write",
    ),
    "a domain that there is not": (
        "local",
        {"domains": {"rsik": {"phase": "monolith"}}},
        "monolith.domains.rsik: this environment has no such domain; there is account, wallet, gateway, risk, clearing",
    ),
    "two places": (
        "local",
        {"source": {**SOURCE, "cluster": "monolith"}},
        "monolith.source: write host, or on kubernetes cluster, and not both",
    ),
    "no range": (
        "local",
        {"source": {**SOURCE, "addresses": None}},
        "monolith.source: host and addresses go together: the closed namespace has to be opened to a range",
    ),
    "a public range": (
        "local",
        {"source": {**SOURCE, "addresses": "8.8.8.0/24"}},
        "monolith.source: addresses must be a private IPv4 range, such as 10.9.8.0/24",
    ),
    "a certificate for nobody": (
        "local",
        {"source": {**SOURCE, "certificate_arn": CERTIFICATE}},
        "monolith.source.certificate_arn: there is no DMS on kubernetes; remove it",
    ),
    "a copier on kubernetes": (
        "local",
        {"copier": {"instance_class": "dms.t3.medium", "engine_version": "3.6.1", "storage_gib": 5,
                    "high_availability": False, "lag_alarm_seconds": 60, "log_retention_days": 7,
                    "maintenance_window": "sun:20:00-sun:21:00"}},
        "monolith.copier: there is no DMS on kubernetes, where the database follows by itself; write null",
    ),
    "no copier on aws": (
        "dev",
        {"copier": None},
        "monolith.copier: on aws DMS does the copying; say its size",
    ),
    "a cluster on aws": (
        "dev",
        {"source": INSIDE},
        "monolith.source.cluster: DMS reaches a server by host, not through Kubernetes; write host and addresses",
    ),
    "nobody to trust at the monolith": (
        "dev",
        {"source": SOURCE, "copier": {"service_certificate_arn": CERTIFICATE}, "domains": {"risk": DOMAIN}},
        "monolith.source.certificate_arn: DMS checks who answers; import the monolith's authority, write its ARN",
    ),
    "nobody to trust at RDS": (
        "dev",
        {"source": {**SOURCE, "certificate_arn": CERTIFICATE}, "domains": {"risk": DOMAIN}},
        "monolith.copier.service_certificate_arn: DMS checks who answers; import Amazon's authority, write its ARN",
    ),
    "a certificate of another region": (
        "dev",
        {"source": {**SOURCE, "certificate_arn": CERTIFICATE.replace("ap-southeast-1", "eu-west-1")}},
        "monolith.source.certificate_arn: lies in eu-west-1, and DMS looks in ap-southeast-1 "
        "only; import it there, write its ARN",
    ),
    "no time to read": (
        "local",
        {"comparer": {"deadline_seconds": 60}},
        "monolith.comparer: deadline_seconds must be at least 600, which is statement_seconds",
    ),
    "a schedule of six fields": (
        "local",
        {"comparer": {"schedule": "0 0 17 * * *"}},
        "monolith.comparer.schedule: must be a text of the form ^[0-9*,/-]+( [0-9*,/-]+){4}$ (UTC, five fields, e.g. "
        "30 18 * * *), and is a text of 12 characters; write one like 0 17 * * *",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("stack", "written", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_is_refused_with_what_to_write(stack: str, written: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(stack, config_of(stack) | {"payments:monolith": json.dumps(written)}, [], root=ROOT)
    (line,) = str(caught.value).splitlines()
    assert line.partition("  ")[2].startswith(said)


def test_an_edge_site_has_no_monolith_and_refuses_one() -> None:
    assert load_settings("edge", config_of("edge"), [], root=ROOT).monolith is None
    spec = load_settings("prod", config_of("prod"), [], root=ROOT).monolith
    assert spec is not None
    ((field, why),) = spec.refused_by(Target.EDGE)
    assert (field, "leave out `monolith`" in why) == ("domains", True)


def test_a_broker_that_cannot_keep_the_queues_promises_is_refused() -> None:
    config = settings("staging", "dual-write") | {"payments:monolith": "{}"}
    monolith = json.loads(settings("staging", "dual-write")["payments:monolith"])
    monolith["queue"] = {"copies": 5}
    with pytest.raises(
        SettingsError, match=r"monolith\.queue\.copies: is 5, and the broker has 3 nodes; write 3 or less"
    ):
        load_settings("staging", config | {"payments:monolith": json.dumps(monolith)}, [], root=ROOT)


TAKEN = "is what the gateway reads of the monolith's phases; choose another key"


def test_a_key_of_the_gateways_cannot_be_taken_twice() -> None:
    config = config_of("local") | {"payments:configuration": json.dumps({"values": {"risk-record": {"value": "x"}}})}
    with pytest.raises(SettingsError, match=f"values.risk-record: {TAKEN}"):
        load_settings("local", config, [], root=ROOT)


def test_a_domain_without_a_monolith_has_nothing_of_it() -> None:
    config = config_of("local") | {"payments:monolith": json.dumps({"domains": {"risk": None}})}
    record = run("local", config)
    assert not [made for made in record.resources if "risk-monolith" in made.name]
    assert "risk-record" not in documents(record)[0]
    assert "account-record" in documents(record)[0]


@pytest.mark.parametrize("stack", [stack for stack in STACKS if stack != "edge"])
def test_production_is_not_ahead_of_staging(stack: str) -> None:
    order = list(Phase)

    def at(name: str) -> dict[str, int]:
        monolith = load_settings(name, config_of(name), [], root=ROOT).monolith
        assert monolith is not None
        return {domain: order.index(spec.phase) for domain, spec in monolith.moves.items()}

    assert set(at(stack)) == {"account", "wallet", "gateway", "risk", "clearing"}
    if stack == "prod":
        assert all(here <= at("staging")[domain] for domain, here in at("prod").items())
        assert at("staging")["risk"] == at("prod")["risk"] + 1


def test_the_program_ends_with_the_refusal_and_no_traceback() -> None:
    with pytest.raises(pulumi.RunError, match="shadow copies the monolith's tables"):
        run("local", settings("local", "shadow", source=None))


def test_every_setting_of_the_monolith_is_told_in_the_schema() -> None:
    written = yaml.safe_load((ROOT / "stacks" / "Pulumi.staging.yaml").read_text())["config"]["payments:monolith"]
    shape = json.loads((ROOT / "stacks" / "schema.json").read_text())["$defs"]
    assert set(written["source"]) <= set(shape["MonolithSource"]["properties"])


@on_each_target
@pytest.mark.parametrize("phase", [Phase.SHADOW, Phase.DUAL_WRITE, Phase.SERVICE], ids=str)
def test_gateways_hear_of_a_phase_when_all_of_it_is_there(stack: str, phase: Phase) -> None:
    """A component's own ``depends_on`` does not reach what is in it, so the record of what is told is asked."""
    record = recorded(stack, phase)
    (tells,) = [
        made
        for made in record.resources
        if made.type.endswith(("appconfig/deployment:Deployment", ":ConfigMap")) and "-configuration-d" in made.name
    ]
    waited_for = {urn.rpartition("::")[2] for urn in tells.depends_on}
    parts = {made.name for made in record.resources if made.custom and "-risk-monolith-" in made.name}
    assert parts
    assert parts - waited_for == set()
