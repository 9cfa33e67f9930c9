"""MonolithMigration: one domain's way out of the monolith, a phase at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.core.v1 import ConfigMap

from components import monolith_cnpg, monolith_dms
from components.base import Component, Refusal
from components.cluster import Place
from components.database import Database
from components.migrations import MigrationsOutputs
from components.monolith_comparer import Sides, comparer
from components.naming import physical
from components.network import NetworkOutputs
from components.postgres import Upstream
from components.psql import copied_login
from components.queues import QueueSet
from components.rabbit import RabbitCluster
from components.specs import BrokerUserSpec, MigrationsSpec, MonolithSource, MonolithSpec, Phase, Safety, Target
from components.specs.monolith import IRREVERSIBLE, STARTS

# What the service's database calls the other one.
UPSTREAM = "monolith"
# A CronJob's name may have 52 characters: a time is added to it (Kubernetes, CronJob).
LONGEST_NAME = 52
TO_SERVICE, TO_MONOLITH = "to-service", "to-monolith"
# Nobody deletes what waits in these queues by moving a phase: taken out, they stay in the broker. And nobody has to
# take a guard off first, as a phase that ends takes them out.
SAFETY = Safety(protect=False, retain_on_delete=True, deletion_protection=False, final_snapshot=False)


@dataclass(frozen=True)
class MonolithMigrationOutputs:
    """Where the domain stands, and whose rows count. ``None`` where the phase has no such thing.

    ``vhost``: where the queues of the two sides are; ``logins``: the Secret of each side's login there, by user.
    """

    phase: str
    record: str
    ladder: pulumi.Output[str]
    vhost: str | None = None
    logins: dict[str, str] | None = None
    comparer: pulumi.Output[str] | None = None


class MonolithMigration(Component, token="tollgate:migration:MonolithMigration"):
    """One domain's way out of the monolith. The phase alone decides what exists.

    Declares, in every phase: the ladder, a ConfigMap that says on which phase the domain stands, which the gate reads
    (a phase moves by one step only: tollgate/assess/rules/ladders.py). From shadow to cutover: the copy of the
    monolith's tables (aws: DMS replication instance, its subnet group, log group, role, two endpoints, task, alarms,
    and an ExternalSecret for the comparer; kubernetes: CloudNativePG Subscription, with a Publication where the
    monolith runs on CloudNativePG in the same namespace, else a NetworkPolicy), and the comparer (CronJob, ConfigMap,
    NetworkPolicy). From dual-write to service: a QueueSet with the queues to-service and to-monolith and a login for
    each side, in a virtual host of its own. What the gateway reads, whose rows count and who answers which share of
    reads, is part of the ConfigCentre's document in every phase. On kubernetes the database knows the monolith's
    address for as long as the settings name it.

    The phases, what each guarantees, and the way back:

    - monolith: all is there, nothing is here. Forward: shadow.
    - shadow: the monolith holds the record and answers everything. Its tables are copied and compared; nobody reads the
      copy. Back at any time: the copy ends, its rows stay where they are.
    - dual-write: the monolith holds the record. Of each write it tells the service by queue, which does it over with
      its own code; the comparer holds the two against each other. At most half of the reads are the service's. Back at
      any time: the queues leave the definition and stay in the broker.
    - cutover: the service holds the record, and tells the monolith of each write, so the monolith stays current. At
      least half of the reads are the service's. Back to dual-write for as long as the comparison is clean.
    - service: the service is alone. Nobody may publish between the two any more; what is still under way arrives. From
      here on the monolith misses writes: no way back but to fill it anew, so the gate asks before a domain moves here.
    - retired: nothing is left but the ladder and what the gateway reads. No way back. Once the monolith is gone for
      good, the domain is taken out of the settings.

    One side writes at a time. A change of configuration reaches gateways one after the other, so the record changes
    sides while ``hold_writes`` is true, and writes go on when every gateway knows (docs/how-to/move-a-domain.md). Until
    then the broker helps: only the side that holds the record may publish.

    Units: seconds, percent of reads. Raises Refusal when the target cannot keep a promise of the spec.

    Source: DMS user guide; CloudNativePG 1.30, "Logical replication"; PostgreSQL, "Logical Replication: Restrictions".
    """

    def __init__(
        self,
        name: str,
        spec: MonolithSpec,
        *,
        domain: str,
        target: Target,
        database: Database,
        migrations: MigrationsOutputs,
        runs: MigrationsSpec,
        place: Place,
        broker: RabbitCluster | None = None,
        network: NetworkOutputs | None = None,
        key_arn: pulumi.Input[str] | None = None,
        tell: Sequence[pulumi.Input[str]] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts=opts)
        self.refuse(spec.refused_by(target))
        self._name, self._spec, self._domain, self._place = physical(name, LONGEST_NAME), spec, domain, place
        self._moves = spec.moves[domain]
        self._database, self._migrations, self._runs = database, migrations, runs
        compares = vhost = logins = None
        if self._moves.meaning.copied and spec.source:
            if target is Target.AWS:
                if network is None or key_arn is None:
                    raise Refusal(f"{name}: on aws a copy needs a network and a KMS key")
                self._copy_by_dms(spec.source, monolith_dms.Cloud(network, key_arn, tell))
            else:
                self._copy_by_subscription(spec.source)
            compares = self._comparer(spec.source, target)
        if self._moves.meaning.queued:
            if broker is None:
                raise Refusal(f"{name}: phase {self._moves.phase} needs a broker; give `broker`, or stay in shadow")
            queues = self._queues(broker)
            vhost, logins = queues.outputs.vhost, queues.outputs.credentials
        self.outputs = self.register(
            MonolithMigrationOutputs(
                phase=self._moves.phase.value,
                record=self._moves.meaning.record,
                ladder=self._ladder(),
                vhost=vhost,
                logins=logins,
                comparer=compares,
            )
        )

    def _ladder(self) -> pulumi.Output[str]:
        """Where the domain stands, in the form that the gate reads. Its name stays, so a move is seen as one."""
        ladder = ConfigMap(
            self.child("ladder"),
            metadata={"name": self._name, "namespace": self._place.namespace},
            data={
                "ladder": " ".join(Phase),
                "rung": self._moves.phase.value,
                "irreversible": " ".join(IRREVERSIBLE),
                "starts": " ".join(STARTS),
            },
            opts=self.within(),
        )
        return pulumi.Output.from_input(ladder.metadata["name"])

    def _copy_by_dms(self, source: MonolithSource, cloud: monolith_dms.Cloud) -> None:
        if self._spec.copier is None:  # refused above
            raise TypeError("a copy by DMS has a copier")
        monolith_dms.follow(
            self,
            self._name,
            self._moves.tables,
            spec=self._spec.copier,
            source=source,
            database=self._database.outputs,
            cloud=cloud,
        )

    def _copy_by_subscription(self, source: MonolithSource) -> None:
        monolith_cnpg.follow(
            self,
            self._name,
            self._domain,
            self._moves.tables,
            source=source,
            upstream=upstream(source),
            database=self._database.outputs,
            after=self._database,
            place=self._place,
        )

    def _comparer(self, source: MonolithSource, target: Target) -> pulumi.Output[str]:
        other = upstream(source)
        after: list[pulumi.Resource] = []
        if target is Target.AWS:
            called = f"{self._name}-login"
            after.append(
                copied_login(
                    self.child("login"),
                    called,
                    source.credentials_secret_ref,
                    self._runs,
                    place=self._place,
                    opts=self.within(),
                )
            )
            other = upstream(source, password_ref=called)
        made = comparer(
            self,
            self._name,
            self._spec.comparer,
            self._moves.tables,
            Sides(other, source.addresses, self._database.outputs, self._migrations.login_ref),
            runs=self._runs,
            place=self._place,
            after=after,
        )
        return pulumi.Output.from_input(made.metadata["name"])

    def _queues(self, broker: RabbitCluster) -> QueueSet:
        """A queue each way. Only the side that holds the record may publish; each side takes what is for it."""
        tells = self._moves.meaning.record if self._moves.meaning.told else None
        sides = (("monolith", TO_SERVICE, TO_MONOLITH), ("service", TO_MONOLITH, TO_SERVICE))
        users = {
            f"{self._domain}-{side}": BrokerUserSpec(
                publishes=(out,) if side == tells else (),
                consumes=(back,),
                credentials_secret_ref=f"{self._spec.logins_ref}-{self._domain}-{side}",
            )
            for side, out, back in sides
        }
        return QueueSet(
            self.child("queues"),
            {TO_SERVICE: self._spec.queue, TO_MONOLITH: self._spec.queue},
            users=users,
            broker=broker,
            safety=SAFETY,
            place=self._place,
            vhost=f"{self._domain}-migration",
            opts=self.within(),
        )


def upstream(source: MonolithSource, *, password_ref: str | None = None) -> Upstream:
    """The monolith as a database and a comparer know it. ``password_ref``: a Secret that is not the settings' own."""
    return Upstream(
        name=UPSTREAM,
        host=source.host or f"{source.cluster}-rw",
        port=source.port,
        database_name=source.database_name,
        user=source.user,
        password_ref=password_ref or source.credentials_secret_ref,
        authority_ref=source.authority_ref,
    )
