"""Rules for work that ends: Jobs and CronJobs."""

from typing import Any

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading, State
from tollgate.policy.severity import HIGH, LOW, MEDIUM
from tollgate.policy.statement import rule

JOB, CRON = "kubernetes:batch/v1:Job", "kubernetes:batch/v1:CronJob"
LONGEST_NAME = 52  # of a CronJob, which adds 11 signs for each Job (Kubernetes, CronJob)


def _job(holder: Reading) -> Reading:
    """The spec of a Job: its own, or the one in a CronJob's template."""
    template = holder["spec.jobTemplate"]
    return holder["spec"] if template.state is State.MISSING else template["spec"]


def _cron(**spec: Any) -> dict[str, Any]:
    return {"spec": {"jobTemplate": {"spec": spec}}}


@rule(
    id="job-time-bound",
    why="A job that never ends holds its locks, and the next one waits behind it.",
    severity=MEDIUM,
    controls=("Seed 18",),
    types=(JOB, CRON),
    fix="set activeDeadlineSeconds of the job",
    good={"spec": {"activeDeadlineSeconds": 1}},
    bad={"spec": {"activeDeadlineSeconds": 0}},
    also_good={"by the clock": _cron(activeDeadlineSeconds=600)},
    also_bad={"by the clock": _cron(activeDeadlineSeconds=0)},
)
def time_bounded(holder: Reading) -> Check:
    return _job(holder)["activeDeadlineSeconds"].at_least(1, "seconds")


@rule(
    id="job-retry-bound",
    why="A migration that failed twice needs a person, not a fifth attempt.",
    severity=MEDIUM,
    controls=("Seed 5",),
    types=(JOB, CRON),
    fix="set backoffLimit of the job to 2 or less",
    good={"spec": {"backoffLimit": 2}},
    bad={"spec": {"backoffLimit": 3}},
    also_good={"by the clock": _cron(backoffLimit=0)},
)
def retries_bounded(holder: Reading) -> Check:
    return _job(holder)["backoffLimit"].at_most(2, "retries")


@rule(
    id="job-record-clear",
    why="Jobs that are never cleared away fill the cluster's own store until it stops taking changes.",
    severity=LOW,
    types=(JOB,),
    fix="set spec.ttlSecondsAfterFinished",
    good={"spec": {"ttlSecondsAfterFinished": 0}},
    bad={"spec": {"ttlSecondsAfterFinished": -1}},
)
def record_cleared(job: Reading) -> Check:
    return job["spec.ttlSecondsAfterFinished"].at_least(0, "seconds")


@rule(
    id="job-run-alone",
    why="Two runs at the same time pay, settle or clear the same things twice.",
    severity=HIGH,
    controls=("Seed 10", "Seed 11"),
    types=(CRON,),
    fix="set spec.concurrencyPolicy to Forbid",
    good={"spec": {"concurrencyPolicy": "Forbid"}},
    bad={"spec": {"concurrencyPolicy": "Allow"}},
    also_bad={"killing the first": {"spec": {"concurrencyPolicy": "Replace"}}},
)
def run_alone(cron: Reading) -> Check:
    return cron["spec.concurrencyPolicy"].one_of("Forbid")


@rule(
    id="job-start-late",
    why="After an outage a job that missed too many starts never starts again unless it may start late.",
    severity=MEDIUM,
    controls=("Seed 10",),
    types=(CRON,),
    fix="set spec.startingDeadlineSeconds to 10 or more (below that it is never looked at)",
    good={"spec": {"startingDeadlineSeconds": 10}},
    bad={"spec": {"startingDeadlineSeconds": 9}},
)
def starts_late(cron: Reading) -> Check:
    return cron["spec.startingDeadlineSeconds"].at_least(10, "seconds")


@rule(
    id="job-clock-name",
    why="Settlement at three o'clock is three o'clock somewhere: the job must say where.",
    severity=MEDIUM,
    controls=("PCI-DSS 10.6.1",),
    types=(CRON,),
    fix="set spec.timeZone",
    good={"spec": {"timeZone": "Asia/Shanghai"}},
    bad={"spec": {"timeZone": ""}},
)
def clock_named(cron: Reading) -> Check:
    return cron["spec.timeZone"].is_set()


@rule(
    id="job-run-active",
    why="A job that is suspended is one that nobody misses until settlement is late.",
    severity=MEDIUM,
    controls=("Seed 11",),
    types=(CRON,),
    fix="set spec.suspend to false",
    good={"spec": {"suspend": False}},
    bad={"spec": {"suspend": True}},
    # Kubernetes API reference, CronJobSpec: false when left out.
    defaults={"spec.suspend": False},
)
def run_active(cron: Reading) -> Check:
    return cron["spec.suspend"].is_false()


@rule(
    id="job-name-short",
    why="A longer name is refused by the cluster on the day of the release.",
    severity=LOW,
    types=(CRON,),
    fix=f"set metadata.name to {LONGEST_NAME} signs or less",
    good={"metadata": {"name": "n" * LONGEST_NAME}},
    bad={"metadata": {"name": "n" * (LONGEST_NAME + 1)}},
    # pulumi_kubernetes 4.34.2: left out, Pulumi makes a name that fits.
    defaults={"metadata.name": None},
)
def name_short(cron: Reading) -> Check:
    return cron["metadata.name"].satisfies(lambda name: len(str(name)) <= LONGEST_NAME, f"{LONGEST_NAME} signs at most")
