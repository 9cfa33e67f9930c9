"""Rules for backups that are made on a schedule: CloudNativePG and AWS Backup."""

import re

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import HIGH, LOW, MEDIUM
from tollgate.policy.statement import rule

SCHEDULE = "kubernetes:postgresql.cnpg.io/v1:ScheduledBackup"
BACKUP_DAYS = 7  # as for databases: the least that AWS FSBP RDS.11 asks for
# robfig/cron, as CloudNativePG reads it: seconds first, then five fields as in a CronJob. Each day, at one second.
_ONCE_A_DAY = re.compile(r"@daily|@midnight|@hourly|[0-5]?\d(\s+\S+){2}\s+[*?]\s+\*\s+[*?]")
_AT_LEAST_A_WEEK = re.compile(r"([7-9]|[1-9]\d+)d|[1-9]\d*[wm]")


@rule(
    id="backup-schedule-daily",
    why="A schedule in the wrong notation runs at another time, far too often, or never.",
    severity=HIGH,
    controls=("PCI-DSS 10.3.3",),
    types=(SCHEDULE,),
    fix="set spec.schedule to six fields, seconds first, that come once a day or more: 0 30 18 * * *",
    good={"spec": {"schedule": "0 30 18 * * *"}},
    bad={"spec": {"schedule": "30 18 * * *"}},
    also_good={"in a word": {"spec": {"schedule": "@daily"}}, "each hour": {"spec": {"schedule": "0 0 * * * *"}}},
    also_bad={
        "each second": {"spec": {"schedule": "* 30 18 * * *"}},
        "once a month": {"spec": {"schedule": "0 30 18 1 * *"}},
        "on Sundays": {"spec": {"schedule": "0 30 18 * * 0"}},
        "in January": {"spec": {"schedule": "0 30 18 * 1 *"}},
        "once a year": {"spec": {"schedule": "@yearly"}},
    },
)
def backup_daily(schedule: Reading) -> Check:
    return schedule["spec.schedule"].matches(_ONCE_A_DAY, "six fields, once a day or more")


@rule(
    id="backup-schedule-run",
    why="A backup that is suspended is one that nobody misses until it is needed.",
    severity=HIGH,
    controls=("PCI-DSS 10.3.3",),
    types=(SCHEDULE,),
    fix="set spec.suspend to false",
    good={"spec": {"suspend": False}},
    bad={"spec": {"suspend": True}},
    # CRD scheduledbackups.postgresql.cnpg.io: a boolean that is left out is false.
    defaults={"spec.suspend": False},
)
def backup_runs(schedule: Reading) -> Check:
    return schedule["spec.suspend"].is_false()


@rule(
    id="backup-schedule-plugin",
    why="The built-in way to back up is gone in the next release of the operator.",
    severity=MEDIUM,
    types=(SCHEDULE,),
    fix="set spec.method to plugin (or volumeSnapshot)",
    good={"spec": {"method": "plugin"}},
    bad={"spec": {"method": "barmanObjectStore"}},
    also_good={"of the disk": {"spec": {"method": "volumeSnapshot"}}},
)
def backup_by_plugin(schedule: Reading) -> Check:
    return schedule["spec.method"].one_of("plugin", "volumeSnapshot")


@rule(
    id="backup-record-keep",
    why="Records of backups must outlive the database that they were made of.",
    severity=MEDIUM,
    controls=("PCI-DSS 10.3.3",),
    types=(SCHEDULE,),
    fix="set spec.backupOwnerReference to none",
    good={"spec": {"backupOwnerReference": "none"}},
    bad={"spec": {"backupOwnerReference": "cluster"}},
    also_bad={"with the schedule": {"spec": {"backupOwnerReference": "self"}}},
    # CRD scheduledbackups.postgresql.cnpg.io: default none.
    defaults={"spec.backupOwnerReference": "none"},
)
def backup_record_kept(schedule: Reading) -> Check:
    return schedule["spec.backupOwnerReference"].one_of("none")


@rule(
    id="backup-store-retain",
    why="Backups that are gone within a week cannot undo a fault that is found after the weekend.",
    severity=HIGH,
    controls=("PCI-DSS 10.3.3", "FSBP RDS.11"),
    types=("kubernetes:barmancloud.cnpg.io/v1:ObjectStore",),
    fix="set spec.retentionPolicy to 7d or more",
    good={"spec": {"retentionPolicy": "7d"}},
    bad={"spec": {"retentionPolicy": "6d"}},
    also_good={
        "two weeks": {"spec": {"retentionPolicy": "14d"}},
        "one week": {"spec": {"retentionPolicy": "1w"}},
        "ten months": {"spec": {"retentionPolicy": "10m"}},
    },
    also_bad={"none": {"spec": {"retentionPolicy": "0w"}}, "no unit": {"spec": {"retentionPolicy": "30"}}},
)
def backup_store_retains(store: Reading) -> Check:
    return store["spec.retentionPolicy"].matches(_AT_LEAST_A_WEEK, "7d or more")


@rule(
    id="backup-store-https",
    why="A backup holds the whole ledger: on its way to the store it must be unreadable to others.",
    severity=LOW,  # a stack on one machine may do without; every other makes it mandatory
    controls=("PCI-DSS 4.2.1",),
    types=("kubernetes:barmancloud.cnpg.io/v1:ObjectStore",),
    fix="set spec.configuration.endpointURL to an address that begins with https://",
    good={"spec": {"configuration": {"endpointURL": "https://s3.example.com"}}},
    bad={"spec": {"configuration": {"endpointURL": "http://s3.example.com"}}},
    # Barman Cloud: left out, the endpoint is AWS's own, which is HTTPS.
    defaults={"spec.configuration.endpointURL": None},
)
def backup_store_encrypted(store: Reading) -> Check:
    return store["spec.configuration.endpointURL"].satisfies(lambda url: str(url).startswith("https://"), "https://…")


@rule(
    id="backup-plan-retain",
    why="Backups that are gone within a week cannot undo a fault that is found after the weekend.",
    severity=HIGH,
    controls=("PCI-DSS 10.3.3",),
    types=("aws:backup/plan:Plan",),
    fix=f"set lifecycle.deleteAfter of each of rules to {BACKUP_DAYS} or more, or leave it out to keep all",
    good={"rules": [{"lifecycle": {"deleteAfter": BACKUP_DAYS}}]},
    bad={"rules": [{"lifecycle": {"deleteAfter": BACKUP_DAYS - 1}}]},
    also_bad={"no rule": {"rules": []}},
    # pulumi_aws 7.51.1: without it a recovery point is kept for ever.
    defaults={"rules[*].lifecycle.deleteAfter": None},
)
def plan_retains(plan: Reading) -> Check:
    rules = plan["rules"]
    kept = rules.each(lambda step: step["lifecycle.deleteAfter"].at_least(BACKUP_DAYS, "days"))
    return rules.is_set() & kept


@rule(
    id="backup-plan-schedule",
    why="A plan without a time makes no backup.",
    severity=HIGH,
    controls=("PCI-DSS 10.3.3",),
    types=("aws:backup/plan:Plan",),
    fix="set schedule of each of rules",
    good={"rules": [{"schedule": "cron(30 18 * * ? *)"}]},
    bad={"rules": [{"schedule": ""}]},
    also_bad={"one of two": {"rules": [{"schedule": "cron(30 18 * * ? *)"}, {"schedule": ""}]}},
    also_good={"two": {"rules": [{"schedule": "cron(30 18 * * ? *)"}, {"schedule": "rate(1 hour)"}]}},
)
def plan_scheduled(plan: Reading) -> Check:
    return plan["rules"].each(lambda step: step["schedule"].is_set())


@rule(
    id="backup-vault-key",
    why="Only a key of our own can be withdrawn, watched and shared on our terms.",
    severity=HIGH,
    controls=("PCI-DSS 3.5.1", "FSBP Backup.1"),
    types=("aws:backup/vault:Vault",),
    fix="set kmsKeyArn to the platform's own key",
    good={"kmsKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/backup"},
    bad={"kmsKeyArn": ""},
    later=("kmsKeyArn",),
)
def vault_key_own(vault: Reading) -> Check:
    return vault["kmsKeyArn"].is_set()


@rule(
    id="backup-vault-keep",
    why="A vault that may be deleted with all that is in it protects nothing.",
    severity=HIGH,
    controls=("PCI-DSS 10.3.3", "Seed 19"),
    types=("aws:backup/vault:Vault",),
    fix="set forceDestroy to false",
    good={"forceDestroy": False},
    bad={"forceDestroy": True},
    # pulumi_aws 7.51.1, argument force_destroy: "Defaults to false".
    defaults={"forceDestroy": False},
)
def vault_kept(vault: Reading) -> Check:
    return vault["forceDestroy"].is_false()


@rule(
    id="backup-vault-lock",
    why="Whoever takes over the account must not be able to delete the backups before asking for ransom.",
    severity=HIGH,
    controls=("PCI-DSS 10.3.2",),
    types=("aws:backup/vaultLockConfiguration:VaultLockConfiguration",),
    fix=f"set minRetentionDays to {BACKUP_DAYS} or more and changeableForDays, after which nobody can open the lock",
    good={"minRetentionDays": BACKUP_DAYS, "changeableForDays": 1},
    bad={"minRetentionDays": BACKUP_DAYS - 1, "changeableForDays": 1},
    also_bad={"can be opened again": {"minRetentionDays": BACKUP_DAYS, "changeableForDays": 0}},
)
def vault_locked(lock: Reading) -> Check:
    return lock["minRetentionDays"].at_least(BACKUP_DAYS, "days") & lock["changeableForDays"].at_least(1, "days")
