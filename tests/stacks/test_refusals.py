"""Every bound and every rule of the settings has a refusal: it names the key, what was found and what to write.

The bounds are tried one by one, found from the models; what the refusal says to write is written, and is then taken.
The rules between settings have a case each, and a test knows when one is missing.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks.loading import SCALARS, SettingsError, load_settings
from stacks.profiles import BROKER
from stacks.profiles_ground import CLUSTER, EVIDENCE
from stacks.settings import Tier
from stacks.wanted import allowed, alternatives, bare, bounds, found
from tests.components.recording import ROOT
from tests.reference.changes import ground, nested, over, settings_of
from tests.reference.reviewed import AMAZON_MQ, AURORA, BASES, Base
from tests.reference.walk import ONE_MORE, Setting, written

BY_TITLE = {base.title: base for base in BASES}


def refusals(base: Base, settings: Mapping[str, Any]) -> dict[str, str]:
    """What is said of each setting when these are written over a base; empty when they are taken."""
    try:
        load_settings(base.stack, over(ground(base).config, settings), [], root=ROOT)
    except SettingsError as error:
        return {problem.setting: problem.text for problem in reversed(error.problems)}
    return {}


# Bounds


def outside(kind: Any, value: Any) -> Iterator[Any]:
    """Values just outside of what a type allows."""
    kinds = [part for part in alternatives(kind) if part is not type(None)]
    if len(kinds) == len(alternatives(kind)):
        yield None
    texts = any(bare(part) is str for part in kinds)
    numbers = any(bare(part) is int for part in kinds)
    for part in kinds:
        limits, plain = bounds(part), bare(part)
        if values := allowed(part):
            yield max(values) + 1 if all(isinstance(one, int) for one in values) else "no-such-word"
            yield ["no-such-word"]
        elif plain is int:
            yield from (limits[name] + step for name, step in (("ge", -1), ("le", 1)) if name in limits)
            yield from () if texts else ("a few words", 1.5)
        elif plain is str:
            yield from [] if numbers else [7]
            yield from ["A b!"] if "pattern" in limits else []
            yield from [""] if limits.get("min_length") else []
            yield from ["a" * (limits["max_length"] + 1)] if "max_length" in limits else []
        elif plain is bool:
            yield from () if texts or numbers else ("a few words", 1)
        elif isinstance(value, tuple):
            yield from _lists(part, [written(one) for one in value])


def _lists(kind: Any, value: list[Any]) -> Iterator[Any]:
    limits, (item, *_) = bounds(kind), bare(kind).__args__
    yield "a few words"
    yield from (value[: limits[name] - 1] for name in ("min_length",) if limits.get(name) and value)
    yield from ((value * 30)[: limits[name] + 1] for name in ("max_length",) if limits.get(name) and value)
    yield from ([*value, one] for one in outside(item, None) if one is not None)


def tries() -> Iterator[tuple[Base, Setting, Any]]:
    """Every bound of every setting, on each stack that has it."""
    seen: set[tuple[str, str]] = set()
    for base in BASES:
        for setting in settings_of(base):
            if setting.path[-1] != ONE_MORE and (base.stack, setting.dotted) not in seen:
                seen.add((base.stack, setting.dotted))
                values = outside(setting.kind, setting.value)
                # Pulumi hands the program the two that are no mappings as texts, whatever they are.
                plainly = len(setting.path) == 1 and setting.path[0] in SCALARS
                yield from ((base, setting, value) for value in values if isinstance(value, str) or not plainly)


def test_every_bound_is_refused_with_what_was_found_and_what_to_write() -> None:
    wrong: list[str] = []
    count = 0
    for base, setting, value in tries():
        count += 1
        said = refusals(base, nested(setting.path, value)).get(setting.dotted, "")
        what = f"{base.title}: {setting.dotted} = {value!r}: {said or 'was taken'}"
        if not said.startswith("must be "):  # a rule of our own, which says more
            if "write" not in said or not (said.startswith(str(value)) or "is needed" in said):
                wrong.append(what)
        elif f"and is {found(value)}; write " not in said and not (isinstance(value, list) and ", and entry " in said):
            wrong.append(what)
        else:
            then = followed(base, setting, said)
            if then if "write one like" in said else then.startswith(said.partition(", and is")[0]):
                wrong.append(f"{what}, and then: {then}")
    assert count > 1000
    assert wrong == []


def followed(base: Base, setting: Setting, said: str) -> str:
    """What is said once the advice was followed: nothing, or a rule between settings that its own advice ends."""
    then = refusals(base, nested(setting.path, advised(said))).get(setting.dotted, "")
    told = "; write " in then or then.endswith("; remove it")
    last = refusals(base, nested(setting.path, advised(then))).get(setting.dotted, "") if told else then
    return then if last else ""


def advised(said: str) -> Any:
    """The value that a refusal says to write."""
    if said.endswith("; remove it"):
        return None
    return yaml.safe_load(said.rpartition("; write ")[2].removeprefix("one like "))


def test_no_refusal_repeats_a_text_that_was_found() -> None:
    secret = "Hunter2 4111111111111111"
    told = [
        (setting.dotted, said)
        for base in BASES
        for setting in settings_of(base)
        if setting.path[-1] != ONE_MORE
        for value in (secret, [secret])
        for said in refusals(base, nested(setting.path, value)).values()
        if secret in said
    ]
    assert told == []


def test_what_must_be_a_mapping_says_what_stands_below_it() -> None:
    above = {(base, setting.path[:length]) for base, setting, _ in tries() for length in range(1, len(setting.path))}
    assert len(above) > 50
    for base, path in above:
        said = refusals(base, nested(path, 7)).get(".".join(path), "")
        assert said.startswith("must be a mapping"), path
        assert "and is 7; write " in said, path


def test_an_entry_under_a_name_that_cannot_be_one_is_refused() -> None:
    for base in BASES:
        for setting in settings_of(base):
            if setting.path[-1] == ONE_MORE:
                path = (*setting.path[:-1], "Bad name!")
                like = next(iter(setting.value.values()), {})
                said = refusals(base, nested(path, written(like))).get(".".join(path), "")
                assert "cannot be a name here; write" in said or "no such setting; there is" in said, path


def test_what_a_stack_must_say_itself_is_asked_for_with_an_example() -> None:
    asked = []
    for base in (BY_TITLE[target] for target in ("aws", "kubernetes", "edge")):
        config = dict(ground(base).config)
        for key, path in without(config):
            told = json.loads(config[key])
            at = told
            for name in path[:-1]:
                at = at[name]
            del at[path[-1]]
            left = config | {key: json.dumps(told)}
            try:
                load_settings(base.stack, left, [], root=ROOT)
            except SettingsError as error:
                setting = ".".join((key.removeprefix("payments:"), *path))
                (problem,) = (one for one in error.problems if one.setting == setting)
                assert problem.text.startswith("is needed (")
                better = nested(tuple(setting.split(".")), advised(problem.text))
                assert load_settings(base.stack, over(left, better), [], root=ROOT)
                asked.append(path[-1])
    assert {"context", "zones", "destination", "secret_ref"} <= set(asked)


def without(config: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(key, path below it) of all that a stack says of things that have no profile."""
    for key in ("payments:kubernetes", "payments:network"):
        for name, value in json.loads(config.get(key, "{}")).items():
            if isinstance(value, dict):
                yield from ((key, (name, inner)) for inner in value)
            else:
                yield key, (name,)


# Rules between settings

AS_CACHE = {
    "purpose": "cache",
    "eviction": "allkeys-lru",
    "append_only": "off",
    "snapshot_retention_days": 0,
    "storage_gib": 0,
}
RULES = {"core.risk_rules": {"compared_with": "risk.rules"}, "core.risk_decisions": {"compared_with": "risk.decisions"}}
BROKER_ON_EDGE = {"broker": BROKER[Tier.DEV], "namespace": {"openings": ["broker", "database", "metrics", "redis"]}}
CLEARING = {"consumers": ["clearing"], "tier": "service"}
LATE = "reconcile-after-minutes"


def image(release: str) -> str:
    return f"registry.example/rabbitmq:{release}-management@sha256:{'0' * 64}"


def one(part: str, name: str, **settings: Any) -> dict[str, Any]:
    return {part: {name: settings}}


# (base, what is written over it, the setting that is named, and what is said of it)
CASES: dict[str, tuple[str, dict[str, Any], str, str]] = {
    # broker
    "an even number of nodes": (
        "aws",
        {"broker": {"replicas": 4}},
        "broker.replicas",
        "4 nodes survive no more failures than one node less; write 1, 3 or 5",
    ),
    "Amazon MQ with no settings of it": (
        "aws",
        {"broker": {"kind": "amazon-mq"}},
        "broker",
        "kind is amazon-mq and amazon_mq is not written: amazon-mq and its settings go together; write both or neither",
    ),
    "a release that loses data": (
        "aws",
        {"broker": {"image": image("4.3.4")}},
        "broker",
        "image must be 4.3.5 or newer, and is 4.3.4: older releases lose quorum-queue data in known ways",
    ),
    "a log that memory cannot hold": (
        "aws",
        {"broker": {"wal_mib": 1025}},
        "broker",
        "wal_mib must be at most 1024, a quarter of memory_gib, and is 1025: the log is kept in memory, too",
    ),
    "a disk as small as memory": (
        "aws",
        {"broker": {"memory_gib": 30}},
        "broker",
        "storage_gib must be at least 60, twice memory_gib, and is 50: publishing stops when less is free",
    ),
    "a broker at the edge": (
        "edge",
        BROKER_ON_EDGE,
        "broker.replicas",
        "an edge site stores and forwards; it runs no broker; leave out `broker`",
    ),
    "Amazon MQ elsewhere": (
        "kubernetes",
        {"broker": AMAZON_MQ["broker"]},
        "broker.kind",
        "there is no Amazon MQ on kubernetes; write operator",
    ),
    "Amazon MQ of five nodes": (
        "aws, Amazon MQ",
        {"broker": {"replicas": 5}},
        "broker.replicas",
        "an Amazon MQ cluster has three nodes, no more and no fewer; write 3",
    ),
    # queues
    "a wait that shrinks": (
        "aws",
        one("queues", "payments", delayed_retry={"max_seconds": 10}),
        "queues.payments.delayed_retry",
        "max_seconds must be at least 15, which is min_seconds, and is 10",
    ),
    "no dead letters": (
        "aws",
        one("queues", "payments", dead_letter_max_length=None),
        "queues.payments.dead_letter_max_length",
        "with no dead-letter queue is dropped; write how many messages to keep",
    ),
    "an even group": (
        "aws",
        one("queues", "payments", copies=4),
        "queues.payments.copies",
        "4 copies survive no more failures than 3; write 3",
    ),
    "at-least-once that is not": (
        "aws",
        one("queues", "payments", overflow="drop-head"),
        "queues.payments",
        "at-least-once needs overflow reject-publish, and overflow is drop-head: with it, it is at-most-once; "
        "write reject-publish, or at-most-once",
    ),
    "a ladder that goes down": (
        "aws",
        one("queues", "payments", retry_ladder_seconds=[60, 15]),
        "queues.payments",
        "retry_ladder_seconds must grow from step to step, and is [60, 15]; write [15, 60]",
    ),
    "delayed retry on a broker that has none": (
        "aws, Amazon MQ",
        one("queues", "payments", retry="delayed"),
        "queues.payments.retry",
        "delayed needs RabbitMQ 4.3.1 or newer, which this broker may not be; write ladder",
    ),
    "more copies than nodes": (
        "aws",
        one("queues", "payments", copies=5),
        "queues.payments.copies",
        "is 5, and the broker has 3 nodes; write 3 or less",
    ),
    "one copy on many nodes": (
        "aws",
        one("queues", "payments", copies=1),
        "queues.payments.copies",
        "one copy is lost with its node, and the broker has more; write 3",
    ),
    "queues and no broker": (
        "edge",
        {"queues": {"payments": written(ground(BY_TITLE["kubernetes"]).settings.queues["payments"])}},
        "queues",
        "queues need a broker, and this environment has none; remove payments",
    ),
    "the name of a queue beside another": (
        "aws",
        {"queues": {"payments-dead": written(ground(BY_TITLE["aws"]).settings.queues["payments"])}},
        "queues.payments-dead",
        "this is the name of a queue beside payments; choose another",
    ),
    "a user with nothing to do": (
        "aws",
        one("broker_users", "clearing", consumes=[]),
        "broker_users.clearing",
        "publishes and consumes are both empty; a user who may do nothing is not needed",
    ),
    "a user of no queue": (
        "aws",
        one("broker_users", "clearing", consumes=["refunds"]),
        "broker_users.clearing.consumes",
        "no queue refunds; there is payments",
    ),
    # cluster
    "two kinds of processor": (
        "aws",
        {"cluster": {"instance_types": ["m7g.large", "m7i.large"]}},
        "cluster",
        "instance_types must all be Graviton or none, and only m7g.large is: one node image has to fit them all; "
        "leave out the one kind or the other",
    ),
    "a proxy of another release": (
        "aws",
        {"cluster": {"kubernetes_version": "1.34"}},
        "cluster",
        "addons.kube_proxy must be a release for kubernetes_version 1.34, and is v1.35.0-eksbuild.2; "
        "write one that begins with v1.34.",
    ),
    "an API for the world": (
        "aws",
        {"cluster": {"api_ranges": ["0.0.0.0/0"]}},
        "cluster",
        "api_ranges must be private IPv4 ranges, such as 10.99.0.0/24, and 0.0.0.0/0 is none: the API is not public",
    ),
    "a cluster where there is one": (
        "edge",
        {"cluster": CLUSTER[Tier.DEV]},
        "cluster.kubernetes_version",
        "on edge the cluster exists already, and its owner sets this; leave out `cluster`",
    ),
    # configuration
    "bounds of a switch": (
        "aws",
        {"configuration": {"values": {"accept-payments": {"minimum": 0}}}},
        "configuration.values.accept-payments",
        "minimum and maximum mean nothing for a value that is no number; remove them",
    ),
    "a number without bounds": (
        "aws",
        {"configuration": {"values": {"retry-ceiling": {"maximum": None}}}},
        "configuration.values.retry-ceiling",
        "value is 3, and a number needs minimum and maximum; write both, so that a slip is refused",
    ),
    "a number out of its bounds": (
        "aws",
        {"configuration": {"values": {"retry-ceiling": {"value": 21}}}},
        "configuration.values.retry-ceiling",
        "value must lie between minimum and maximum, 1 and 20, and is 21",
    ),
    "all at once over an hour": (
        "aws",
        {"configuration": {"rollout": {"first_share_percent": 100}}},
        "configuration.rollout",
        "both mean all at once, and they are 100 and 20; write both or neither",
    ),
    "no rollout on aws": (
        "aws",
        {"configuration": {"rollout": None}},
        "configuration.rollout",
        "AppConfig deploys by a strategy; say growth, shares and minutes",
    ),
    "a rollout elsewhere": (
        "kubernetes",
        {"configuration": {"rollout": written(ground(BY_TITLE["aws"]).settings.configuration.rollout)}},
        "configuration.rollout",
        "on kubernetes a change goes out with the rolling update of the workloads that mount it; write null",
    ),
    "alarms elsewhere": (
        "edge",
        {"configuration": {"alarms": written(ground(BY_TITLE["aws"]).settings.configuration.alarms)}},
        "configuration.alarms",
        "CloudWatch is not there on edge; write {}",
    ),
    # databases
    "no room to grow": (
        "aws",
        one("databases", "clearing", max_storage_gib=200),
        "databases.clearing",
        "max_storage_gib must be at least 220, 10 % above storage_gib, and is 200",
    ),
    "too many connections": (
        "aws",
        one("databases", "clearing", max_connections=1000),
        "databases.clearing",
        "max_connections must be at most 896, 112 for each of memory_gib, and is 1000",
    ),
    "a log volume too small": (
        "aws",
        one("databases", "clearing", memory_gib=64),
        "databases.clearing",
        "wal_gib must be at least 32, half of memory_gib, and is 25",
    ),
    "a window too short": (
        "aws",
        one("databases", "clearing", backup_window="18:30-18:45"),
        "databases.clearing",
        "backup_window must last 30 minutes to 24 hours, and lasts 15 minutes; move its end",
    ),
    "windows that overlap": (
        "aws",
        one("databases", "clearing", maintenance_window="sun:19:00-sun:20:00"),
        "databases.clearing",
        "maintenance_window must not overlap backup_window, and sun:19:00-sun:20:00 overlaps 18:30-19:30: "
        "RDS refuses it; move one of them",
    ),
    "a class that Aurora has not": (
        "aws",
        one("databases", "clearing", engine="aurora"),
        "databases.clearing",
        "instance_class is db.m7g.large, and Aurora has no m classes; write an r class, such as db.r7g.large",
    ),
    "a standby at the edge": (
        "edge",
        one("databases", "gateway", high_availability=True),
        "databases.gateway.high_availability",
        "an edge site has one node, so no standby can exist; write false",
    ),
    "Aurora elsewhere": (
        "kubernetes",
        AURORA,
        "databases.clearing.engine",
        "Aurora is on aws only, and this is kubernetes; write postgres",
    ),
    "slots that a failover loses": (
        "kubernetes, several copies",
        one("databases", "clearing", logical_replication=True, postgres_version=16),
        "databases.clearing.postgres_version",
        "before PostgreSQL 17 a failover loses the slots that followers read from; write 17 or more",
    ),
    # evidence
    "a log shorter than what it is about": (
        "aws",
        {"evidence": {"access_log_retention_days": 29}},
        "evidence",
        "access_log_retention_days must be at least 30, which is retention_days, and is 29: who read what is evidence",
    ),
    "evidence that its owner can delete": (
        "kubernetes",
        {"evidence": EVIDENCE[Tier.DEV]},
        "evidence.retention_days",
        "kubernetes has no store whose lock its owner cannot lift; leave out `evidence`, and send evidence to the",
    ),
    # migrations
    "migrations that cannot sign in": (
        "aws",
        {"migrations": {"secret_store_ref": None}},
        "migrations.secret_store_ref",
        "without it the migrations Job cannot sign in to RDS; write its name",
    ),
    "migrations that trust anybody": (
        "aws",
        {"migrations": {"authority_ref": None}},
        "migrations.authority_ref",
        "without it the migrations Job cannot know the server for RDS's own; write its name",
    ),
    "a store of secrets where there is none": (
        "kubernetes",
        {"migrations": {"secret_store_ref": "store"}},
        "migrations.secret_store_ref",
        "CloudNativePG makes what is needed on kubernetes; remove it",
    ),
    # namespace
    "an opening twice": (
        "aws",
        {"namespace": {"openings": ["broker", "redis", "redis"]}},
        "namespace",
        "openings names redis twice; write it once",
    ),
    "a default beyond the quota": (
        "aws",
        {"namespace": {"container": {"memory_mib": 16384}, "quota": {"memory_gib": 15}}},
        "namespace",
        "must fit in quota.memory_gib, or no such pod could ever start, and 16384 MiB is more than 15 GiB",
    ),
    "a way to a cloud that is not there": (
        "kubernetes",
        {"namespace": {"openings": ["broker", "cloud"]}},
        "namespace.openings",
        "cloud opens the way to AWS inside the VPC, and kubernetes has none; leave it out",
    ),
    # network
    "a public network": (
        "aws",
        {"network": {"cidr": "8.8.0.0/16"}},
        "network",
        "cidr must be a private IPv4 range from /16 to /20, such as 10.20.0.0/16, and 8.8.0.0/16 is none",
    ),
    "a zone twice": (
        "aws",
        {"network": {"zones": ["ap-southeast-1a", "ap-southeast-1a"]}},
        "network",
        "zones names ap-southeast-1a twice; write it once",
    ),
    "two regions": (
        "aws",
        {"network": {"zones": ["ap-southeast-1a", "eu-west-1a"]}},
        "network",
        "zones must lie in one region, and lie in ap-southeast-1, eu-west-1; make a stack for each region",
    ),
    "no way to aws": (
        "aws",
        {"network": {"nat_gateways": "none", "interface_endpoints": ["ecr.api", "logs"]}},
        "network",
        "nat_gateways none needs interface_endpoints for nodes to start: add ec2, ecr.dkr, eks, eks-auth, sts",
    ),
    # parameters
    "a reader twice": (
        "aws",
        {"parameters": {"values": {"clearing": {LATE: {"consumers": ["clearing", "clearing"]}}}}},
        f"parameters.values.clearing.{LATE}",
        "consumers names clearing twice; write it once",
    ),
    "a reach too small": (
        "aws",
        {"parameters": {"values": {"clearing": {LATE: {"consumers": ["clearing", "wallet"]}}}}},
        "parameters",
        f"clearing.{LATE}: tier is service, but wallet reads it, and clearing owns it; write tier: shared",
    ),
    "a reach too great": (
        "aws",
        {"parameters": {"values": {"clearing": {LATE: {"tier": "shared"}}}}},
        "parameters",
        f"clearing.{LATE}: tier is shared, but only clearing reads it; write tier: service",
    ),
    "a value of the platform for some": (
        "aws",
        {"parameters": {"values": {"platform": {"time-server": {"tier": "shared"}}}}},
        "parameters",
        "platform.time-server: tier is shared, but the platform's own values are for all; write tier: global",
    ),
    "two things at one path": (
        "aws",
        {"parameters": {"sealed": {"clearing": {LATE: {**CLEARING, "rotation_months": None}}}}},
        "parameters",
        f"clearing.{LATE}: in values and in sealed; one path holds one thing: keep one",
    ),
    "a recovery that AWS has not": (
        "aws",
        {"parameters": {"recovery_days": 3}},
        "parameters",
        "recovery_days must be 0 (gone at once) or 7 to 30, and is 3",
    ),
    "a secret that nobody renews": (
        "kubernetes",
        {"parameters": {"sealed": {"gateway": {"callback-signing-key": {"rotation_months": 3}}}}},
        "parameters.sealed.gateway.callback-signing-key.rotation_months",
        "no function renews a Secret on kubernetes; write null, and its owner renews it by hand",
    ),
    "a reader who is not here": (
        "edge",
        {"parameters": {"values": {"gateway": {"limit": {"value": 1, "tier": "shared", "consumers": ["wallet"]}}}}},
        "parameters.values.gateway.limit.consumers",
        "this environment has no service wallet; leave out what is not here",
    ),
    # all together
    "no account": (
        "aws",
        {"aws": None},
        "aws",
        "is needed on aws; write below it region, such as ap-southeast-1",
    ),
    "no network": ("aws", {"network": None}, "network", "is needed on aws, and is null; leave the line out"),
    "a network elsewhere": (
        "edge",
        {"network": written(ground(BY_TITLE["aws"]).settings.network)},
        "network",
        "means nothing on edge; remove it",
    ),
    "backups that RDS keeps itself": (
        "aws",
        {"kubernetes": {"backups": {"destination": "s3://backups", "secret_ref": "backups"}}},
        "kubernetes.backups",
        "means nothing on aws: RDS keeps its own backups; remove it",
    ),
    "no backups": (
        "kubernetes",
        {"kubernetes": {"backups": None}},
        "kubernetes.backups",
        "is needed on kubernetes, where databases are pods; write below it destination and secret_ref",
    ),
    "a port that nobody has": (
        "kubernetes",
        {"kubernetes": {"backups": {"endpoint_url": "http://minio:99999"}}},
        "kubernetes.backups.endpoint_url",
        "there is no such port; write one from 1 to 65535",
    ),
    "zones of another region": (
        "aws",
        {"aws": {"region": "eu-west-1"}},
        "network.zones",
        "ap-southeast-1a, ap-southeast-1b, ap-southeast-1c lies not in eu-west-1, which aws.region names; write zones",
    ),
    "alarms for another region": (
        "aws",
        {"aws": {"alarm_topics": ["arn:aws:sns:eu-west-1:111122223333:oncall"]}},
        "aws.alarm_topics",
        "eu-west-1:111122223333:oncall lies not in ap-southeast-1, where the alarms are; write topics of that region",
    ),
    "a store with the name of a database": (
        "aws",
        {"redis": {"clearing": written(ground(BY_TITLE["aws"]).settings.redis["cache"])}},
        "redis.clearing",
        "a database or the broker has this name; call the store otherwise",
    ),
    "no store that keeps locks": (
        "edge",
        {"redis": {"coordination": AS_CACHE}},
        "redis",
        "services lock and throttle through a store of purpose coordination; add one",
    ),
    "queues between two sides and no broker": (
        "aws",
        {"broker": None, "monolith": {"domains": {"risk": {"phase": "dual-write", "tables": RULES}}}},
        "monolith.domains.risk.phase",
        "dual-write needs a broker, and this environment has none; add one",
    ),
    "a broker nobody can reach": (
        "aws",
        {"namespace": {"openings": ["database"]}},
        "namespace.openings",
        "broker must stand there where there is a broker; here is one; add broker",
    ),
    "a way to no broker": (
        "edge",
        {"namespace": {"openings": ["broker"]}},
        "namespace.openings",
        "broker must stand there where there is a broker; here is none, and broker stands there; leave it out",
    ),
    "a quota that the broker does not fit": (
        "aws",
        {"namespace": {"quota": {"cpu": 10}}},
        "namespace.quota.cpu",
        "must be at least 12, and is 10: the data services alone ask for that much",
    ),
    "an edge tier elsewhere": (
        "kubernetes",
        {"tier": "edge"},
        "tier",
        "tier is edge and target is kubernetes: edge goes with edge only; write both or neither",
    ),
}
# The same on the stack of production, which is no base.
ON_PROD: dict[str, tuple[dict[str, Any], str, str]] = {
    "unguarded production": ({"safety": {"protect": False}}, "safety.protect", "prod always guards its data; remove"),
    "two zones in production": (
        {"network": {"zones": ["ap-southeast-1a", "ap-southeast-1b"]}},
        "network.zones",
        "prod runs in three zones, and 2 are named: quorums survive the loss of one; name three",
    ),
    "evidence for a year only": (
        {"evidence": {"retention_days": 365}},
        "evidence.retention_days",
        "prod keeps evidence for 13 months, and this keeps it for 365 days; write 397 or more",
    ),
    "coordination on one node in production": (
        {"redis": {"coordination": {"replicas": 0, "durable_writes": False}}},
        "redis.coordination.replicas",
        "is 0, and prod goes on coordinating when it loses a node; write 2",
    ),
    "no evidence in production": (
        {"evidence": None},
        "evidence.retention_days",
        "prod keeps evidence for 13 months, and this keeps nothing; write 397 or more",
    ),
}


@cache
def prod() -> Base:
    return Base("prod", "prod")


def said_in(case: str) -> tuple[str, str, str]:
    """(the setting that should be named, what should be said, what is said of it)"""
    if case in ON_PROD:
        settings, setting, wanted = ON_PROD[case]
        return setting, wanted, refusals(prod(), settings).get(setting, "nothing")
    title, settings, setting, wanted = CASES[case]
    return setting, wanted, refusals(BY_TITLE[title], settings).get(setting, "nothing")


@pytest.mark.parametrize("case", [*CASES, *ON_PROD])
def test_settings_that_do_not_go_together_say_what_to_write(case: str) -> None:
    _, wanted, said = said_in(case)
    assert wanted in said


# Cannot be written in a stack file (a mapping with nothing in it says nothing), or have their cases elsewhere.
ELSEWHERE = {
    "without one nothing takes a bad change back; name one to five": "components/test_configuration.py",
    "the copy would land in schema": "components/test_monolith.py",
    "this environment has no such domain; there is": "components/test_monolith.py",
    "is what the gateway reads of the monolith's phases; choose another key": "components/test_monolith.py",
    "only; import it there, write its ARN": "components/test_monolith.py",
}
# Parts whose rules and cases stand together in a file of their own.
WITH_THEIR_OWN_CASES = ("redis", "monolith", "migration_phases")


def test_every_rule_has_its_case() -> None:
    said = [said_in(case)[2] for case in (*CASES, *ON_PROD)]
    missing = [
        f"{file}: {text}"
        for file, texts in rules()
        for text in texts
        if not any(text in sentence for sentence in said) and text.strip(" ;:") not in ELSEWHERE
    ]
    assert missing == []


@pytest.mark.parametrize(("text", "file"), ELSEWHERE.items())
def test_a_case_that_stands_elsewhere_stands_there(text: str, file: str) -> None:
    assert text in (ROOT / "tests" / file).read_text(encoding="utf-8")


def rules() -> Iterator[tuple[str, list[str]]]:
    """The longest fixed part of each refusal in the specs and the settings."""
    files = [*sorted((ROOT / "components" / "specs").glob("*.py")), ROOT / "stacks" / "settings.py"]
    for file in files:
        if not file.stem.startswith(WITH_THEIR_OWN_CASES) and file.name != "__init__.py":
            yield file.name, list(dict.fromkeys(_sentences(file)))


def _sentences(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        raised = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ValueError"
        refuses = isinstance(node, ast.FunctionDef) and (
            node.name in ("refused_by", "queue_refusals", "reach_of")
            or (file.name == "settings.py" and node.returns is not None and "tuple[" in ast.unparse(node.returns))
        )
        if raised:
            yield from _texts(node)
        elif refuses:
            yield from chain.from_iterable(_texts(statement) for statement in node.body[1:])


def _texts(node: ast.AST) -> Iterator[str]:
    """The longest fixed part of each text in a piece of code, if it is long enough to be a sentence's."""
    texts = [part for part in ast.walk(node) if isinstance(part, ast.JoinedStr)]
    inside = {id(part) for text in texts for part in ast.walk(text) if part is not text}
    for part in ast.walk(node):
        if isinstance(part, ast.JoinedStr) and id(part) not in inside:
            fixed = [one.value for one in part.values if isinstance(one, ast.Constant)]
            longest = max(fixed, key=len, default="")
        elif isinstance(part, ast.Constant) and isinstance(part.value, str) and id(part) not in inside:
            longest = part.value
        else:
            continue
        if len(longest) > 20 and " " in longest:
            yield longest
