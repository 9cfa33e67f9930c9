"""PaymentPlatform: everything one environment has, wired from its settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.base import Component, plain
from components.cluster import Place
from components.configuration import ConfigCentre, ConfigCentreOutputs
from components.database import BackupStore, Database, DatabaseOutputs
from components.eks import Cluster, ClusterOutputs
from components.encryption import EncryptionKey, for_disks
from components.evidence import EvidenceOutputs, EvidenceStore
from components.migrations import Migrations, MigrationsOutputs
from components.monolith import MonolithMigration, MonolithMigrationOutputs, upstream
from components.namespace import NamespaceBaseline, NamespaceOutputs
from components.network import Network, NetworkOutputs
from components.openings import Surroundings
from components.parameters import ParameterStore, ParameterStoreOutputs
from components.postgres import Upstream
from components.queues import QueueSet, QueueSetOutputs
from components.rabbit import RabbitCluster, RabbitOutputs
from components.redis import RedisOutputs, RedisStore
from components.specs import Phase, Target
from stacks.settings import HTTPS, PlatformSettings


@dataclass(frozen=True)
class PlatformOutputs:
    """What the platform offers to services. ``None`` where this environment has no such part."""

    databases: dict[str, DatabaseOutputs]
    migrations: dict[str, MigrationsOutputs]
    redis: dict[str, RedisOutputs]
    broker: RabbitOutputs | None
    queues: QueueSetOutputs | None
    monolith: dict[str, MonolithMigrationOutputs] | None
    parameters: ParameterStoreOutputs
    configuration: ConfigCentreOutputs
    network: NetworkOutputs | None
    cluster: ClusterOutputs | None
    namespace: NamespaceOutputs
    evidence: EvidenceOutputs | None


class PaymentPlatform(Component, token="tollgate:platform:PaymentPlatform"):
    """One environment of the platform.

    Declares: on aws a Network, a Cluster and an EvidenceStore, with an EncryptionKey for each and one for data; a
    NamespaceBaseline; a Database with its Migrations per domain; a RedisStore per named store; a ParameterStore and a
    ConfigCentre; where the target has a broker, a RabbitCluster and a QueueSet; and a MonolithMigration per domain that
    the settings name. Raises Refusal when a target cannot keep a promise.
    """

    def __init__(self, name: str, settings: PlatformSettings, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, safety=settings.safety, opts=opts)
        self._settings = settings
        self._network: NetworkOutputs | None = None
        self._key_arn: pulumi.Output[str] | None = None
        if settings.network:
            self._network = Network(
                self.child("network"), settings.network, safety=settings.safety, opts=self.within()
            ).outputs
            self._key_arn = self._key("data")
        cluster = self._cluster()
        namespace = self._namespace(cluster)
        zoned = settings.target is not Target.EDGE and settings.kubernetes.zoned
        self._place = Place(
            namespace.name, settings.kubernetes.storage_class, zoned, cluster.outputs.name if cluster else None
        )
        evidence = self._evidence()
        databases = self._databases()
        migrations = self._migrations(databases)
        redis = self._redis(cluster)
        broker = self._broker()
        queues = self._queues(broker)
        leaves = self._monolith(databases, migrations, broker)
        self.outputs = self.register(
            PlatformOutputs(
                databases={domain: made.outputs for domain, made in databases.items()},
                migrations=migrations,
                redis=redis,
                broker=broker.outputs if broker else None,
                queues=queues,
                monolith={domain: left.outputs for domain, left in leaves.items()} or None,
                parameters=self._parameters(),
                configuration=self._configuration(list(leaves.values())),
                network=self._network,
                cluster=cluster.outputs if cluster else None,
                namespace=namespace,
                evidence=evidence,
            )
        )

    def exports(self) -> dict[str, Any]:
        """The outputs as plain values, under the names the dataclasses give them."""
        return dict(plain(self.outputs))

    def _key(self, name: str, policy: pulumi.Input[str] | None = None) -> pulumi.Output[str]:
        """The ARN of a key of its own for one kind of thing."""
        key = EncryptionKey(self.child(name), safety=self._settings.safety, policy=policy, opts=self.within())
        return key.outputs.arn

    def _cluster(self) -> Cluster | None:
        """The cluster that everything on Kubernetes runs in, where the platform makes it."""
        settings, network = self._settings, self._network
        if settings.cluster is None or network is None:
            return None
        return Cluster(
            self.child("cluster"),
            settings.cluster,
            target=settings.target,
            safety=settings.safety,
            network=network,
            key_arn=self._key("cluster", network.account.apply(lambda account: for_disks(account, network.region))),
            namespace=settings.kubernetes.namespace,
            services=list(settings.databases),
            storage_class=settings.kubernetes.storage_class,
            opts=self.within(),
        )

    def _namespace(self, cluster: Cluster | None) -> NamespaceOutputs:
        """The one namespace of this slice, closed but for what the settings open."""
        settings, network = self._settings, self._network
        backups = settings.kubernetes.backups
        around = Surroundings(backup_port=backups.port if backups else HTTPS)
        if network:
            data = tuple(network.data_ranges)
            managed = settings.broker is not None and settings.broker.kind == "amazon-mq"
            around = Surroundings(data, broker_ranges=data if managed else (), cloud=network.cidr)
        return NamespaceBaseline(
            self.child("namespace"),
            settings.namespace,
            target=settings.target,
            safety=settings.safety,
            called=settings.kubernetes.namespace,
            services=list(settings.databases),
            around=around,
            after=[cluster] if cluster else [],
            opts=self.within(),
        ).outputs

    def _evidence(self) -> EvidenceOutputs | None:
        settings = self._settings
        if settings.evidence is None:
            return None
        return EvidenceStore(
            self.child("evidence"),
            settings.evidence,
            target=settings.target,
            safety=settings.safety,
            key_arn=self._key("evidence"),
            opts=self.within(),
        ).outputs

    def _databases(self) -> dict[str, Database]:
        settings = self._settings
        store = settings.kubernetes.backups
        made: dict[str, Database] = {}
        for domain, spec in settings.databases.items():
            backups = BackupStore(store.destination, store.endpoint_url, store.secret_ref) if store else None
            made[domain] = Database(
                self.child(domain),
                spec,
                target=settings.target,
                safety=settings.safety,
                network=self._network,
                zones=settings.network.zones if settings.network else (),
                key_arn=self._key_arn,
                tell=settings.aws.alarm_topics if settings.aws else (),
                place=self._place,
                backups=backups,
                follows=self._upstream(domain),
                opts=self.within(),
            )
        return made

    def _upstream(self, domain: str) -> Upstream | None:
        """The monolith, for databases that follow it by themselves: known for as long as the settings name it."""
        settings, monolith = self._settings, self._settings.monolith
        if monolith is None or monolith.source is None or settings.target is Target.AWS:
            return None
        moves = monolith.moves.get(domain)
        return upstream(monolith.source) if moves and moves.phase is not Phase.RETIRED else None

    def _migrations(self, databases: dict[str, Database]) -> dict[str, MigrationsOutputs]:
        return {
            domain: Migrations(
                self.child(f"{domain}-migrations"),
                self._settings.migrations,
                target=self._settings.target,
                database=database.outputs,
                after=database,
                place=self._place,
                opts=self.within(),
            ).outputs
            for domain, database in databases.items()
        }

    def _redis(self, cluster: Cluster | None) -> dict[str, RedisOutputs]:
        settings = self._settings
        return {
            name: RedisStore(
                self.child(name),
                spec,
                target=settings.target,
                safety=settings.safety,
                place=self._place,
                network=self._network,
                key_arn=self._key_arn,
                roles=cluster.outputs.roles if cluster else None,
                tell=settings.aws.alarm_topics if settings.aws else (),
                opts=self.within(),
            ).outputs
            for name, spec in settings.redis.items()
        }

    def _broker(self) -> RabbitCluster | None:
        settings = self._settings
        if settings.broker is None:
            return None
        return RabbitCluster(
            self.child("rabbit"),
            settings.broker,
            target=settings.target,
            safety=settings.safety,
            place=self._place,
            network=self._network,
            key_arn=self._key_arn,
            opts=self.within(),
        )

    def _queues(self, broker: RabbitCluster | None) -> QueueSetOutputs | None:
        settings = self._settings
        if broker is None or not settings.queues:
            return None
        return QueueSet(
            self.child("queues"),
            settings.queues,
            users=settings.broker_users,
            broker=broker,
            safety=settings.safety,
            place=self._place,
            opts=self.within(),
        ).outputs

    def _monolith(
        self, databases: dict[str, Database], migrations: dict[str, MigrationsOutputs], broker: RabbitCluster | None
    ) -> dict[str, MonolithMigration]:
        settings, monolith = self._settings, self._settings.monolith
        if monolith is None:
            return {}
        return {
            domain: MonolithMigration(
                self.child(f"{domain}-monolith"),
                monolith,
                domain=domain,
                target=settings.target,
                database=database,
                migrations=migrations[domain],
                runs=settings.migrations,
                place=self._place,
                broker=broker,
                network=self._network,
                key_arn=self._key_arn,
                tell=settings.aws.alarm_topics if settings.aws else (),
                opts=self.within(),
            )
            for domain, database in databases.items()
            if domain in monolith.moves
        }

    def _parameters(self) -> ParameterStoreOutputs:
        settings = self._settings
        return ParameterStore(
            self.child("parameters"),
            settings.parameters,
            target=settings.target,
            safety=settings.safety,
            environment=settings.tier.value,
            place=self._place,
            region=settings.aws.region if settings.aws else None,
            opts=self.within(),
        ).outputs

    def _configuration(self, after: Sequence[pulumi.Resource]) -> ConfigCentreOutputs:
        """The document goes out when what it sends gateways to is there."""
        settings, monolith = self._settings, self._settings.monolith
        spec = settings.configuration
        return ConfigCentre(
            self.child("configuration"),
            spec.with_values(monolith.routing()) if monolith else spec,
            target=settings.target,
            environment=settings.tier.value,
            place=self._place,
            after=after,
            opts=self.within(),
        ).outputs
