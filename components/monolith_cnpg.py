"""The monolith's tables, followed by CloudNativePG: a Subscription, and a Publication where the monolith runs on it.

PostgreSQL's own logical replication: the subscriber keeps its place in its own log, so it goes on where it was after a
failover, and both ends are objects that a plan shows. DDL and sequences do not follow: tables are made first, and
sequences are moved at cutover.
"""

from __future__ import annotations

from collections.abc import Iterable

import pulumi
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.base import Component
from components.cluster import Place, custom_resource
from components.postgres import DatabaseOutputs, Upstream
from components.specs import MonolithSource

API = "postgresql.cnpg.io/v1"
APPLIED = "jsonpath={.status.applied}=true"
# What the schemas call immutable (CloudNativePG 1.30, x-kubernetes-validations).
FIXED = ["spec.cluster", "spec.dbname", "spec.name"]


def publication_of(domain: str) -> str:
    """The publication's name in the monolith. Its owner makes it by this name, where it is not made here."""
    return f"{domain}_to_service"


def follow(
    home: Component,
    called: str,
    domain: str,
    tables: Iterable[str],
    *,
    source: MonolithSource,
    upstream: Upstream,
    database: DatabaseOutputs,
    after: pulumi.Resource,
    place: Place,
) -> None:
    """The subscription of a service's database, its way to the monolith, and the publication where it is ours."""
    before: list[pulumi.Resource] = [after]
    if source.cluster:
        objects = [dict(zip(("schema", "name"), table.split("."), strict=True)) for table in sorted(tables)]
        published = custom_resource(
            home.child("publication"),
            API,
            "Publication",
            place=place,
            called=called,
            ready=APPLIED,
            spec={
                "cluster": {"name": source.cluster},
                "dbname": source.database_name,
                "name": publication_of(domain),
                "target": {"objects": [{"table": table} for table in objects]},
                "publicationReclaimPolicy": "delete",
            },
            opts=home.within(replace_on_changes=FIXED, delete_before_replace=True),
        )
        before.append(published)
    else:
        before.append(_way_out(home, source, database, place))
    custom_resource(
        home.child("subscription"),
        API,
        "Subscription",
        place=place,
        called=called,
        ready=APPLIED,
        spec={
            "cluster": {"name": database.cluster},
            "dbname": database.database_name,
            "name": f"{domain}_from_monolith",
            "externalClusterName": upstream.name,
            "publicationName": publication_of(domain),
            # Kept, a subscription that nobody declares any more would hold back the monolith's log until its disk is
            # full: dropping it takes its slot at the monolith along.
            "subscriptionReclaimPolicy": "delete",
        },
        opts=home.within(depends_on=before, replace_on_changes=FIXED, delete_before_replace=True),
    )


def _way_out(home: Component, source: MonolithSource, database: DatabaseOutputs, place: Place) -> NetworkPolicy:
    """From the pods of this one database to the monolith."""
    return NetworkPolicy(
        home.child("way-to-monolith"),
        metadata={"namespace": place.namespace},
        spec={
            "podSelector": {"matchLabels": {"cnpg.io/cluster": database.cluster}},
            "policyTypes": ["Egress"],
            "egress": [
                {
                    "to": [{"ipBlock": {"cidr": source.addresses}}],
                    "ports": [{"protocol": "TCP", "port": source.port}],
                }
            ],
        },
        opts=home.within(),
    )
