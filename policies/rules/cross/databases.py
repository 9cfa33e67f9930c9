"""Rules for what a database needs beside itself."""

from tollgate.policy.check import HOLDS, Check, Finding
from tollgate.policy.cross import cross_rule
from tollgate.policy.kubernetes import CNPG_CLUSTER, is_named, near, same_namespace
from tollgate.policy.reading import Reading, State
from tollgate.policy.sentinels import UNKNOWN
from tollgate.policy.severity import HIGH
from tollgate.policy.stack import Resource, Stack, any_of

SCHEDULE = "kubernetes:postgresql.cnpg.io/v1:ScheduledBackup"

_CLUSTER = (CNPG_CLUSTER, {"metadata": {"name": "ledger", "namespace": "payments"}})


def _schedule(cluster: object, *, suspend: object = False) -> tuple[str, dict[str, object]]:
    spec = {"cluster": {"name": cluster}, "schedule": "0 0 1 * * *", "suspend": suspend}
    return SCHEDULE, {"metadata": {"name": "nightly", "namespace": "payments"}, "spec": spec}


@cross_rule(
    id="database-backup-plan",
    why="A database that nothing copies on a schedule has no copy on the day it is needed.",
    severity=HIGH,
    controls=("PCI-DSS 10.3.3", "Seed 19"),
    types=(CNPG_CLUSTER,),
    reads=(SCHEDULE,),
    fix="add a ScheduledBackup with spec.cluster.name set to the cluster's name, not suspended",
    good={"ledger": _CLUSTER, "nightly": _schedule("ledger")},
    bad={"ledger": _CLUSTER, "nightly": _schedule("wallet")},
    unknown={"ledger": _CLUSTER, "nightly": _schedule(UNKNOWN)},
    missing={"ledger": _CLUSTER},
)
def backed_up(cluster: Resource, stack: Stack) -> Check:
    plans = (
        same_namespace(plan, cluster) & is_named(cluster, plan["spec.cluster.name"]) & _runs(plan["spec.suspend"])
        for plan in near(cluster, stack, SCHEDULE)
    )
    return any_of(plans, Finding("the database", "has no backup on a schedule", "a ScheduledBackup that names it"))


def _runs(suspend: Reading) -> Check:
    """CRD scheduledbackups.postgresql.cnpg.io: a schedule that is not suspended runs."""
    return HOLDS if suspend.state is State.MISSING else suspend.is_false()
