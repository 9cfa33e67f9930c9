"""Rules for encryption keys: KMS."""

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import HIGH, MEDIUM
from tollgate.policy.statement import rule

KEY = "aws:kms/key:Key"
REPLICA, EXTERNAL = "aws:kms/replicaKey:ReplicaKey", "aws:kms/externalKey:ExternalKey"
WAIT_DAYS = 30  # the longest that KMS waits before a key is gone, and its default (KMS, ScheduleKeyDeletion)
YEAR = 365  # days; KMS rotates once a year unless told otherwise


@rule(
    id="key-data-rotate",
    why="A key that never changes is one that somebody has by now.",
    severity=HIGH,
    controls=("PCI-DSS 3.7.4", "FSBP KMS.4"),
    types=(KEY,),
    fix="set enableKeyRotation to true",
    good={"enableKeyRotation": True},
    bad={"enableKeyRotation": False},
    also_good={
        "a signing key, which cannot be rotated": {"enableKeyRotation": False, "customerMasterKeySpec": "ECC_NIST_P256"}
    },
    also_bad={"said in full": {"enableKeyRotation": False, "customerMasterKeySpec": "SYMMETRIC_DEFAULT"}},
)
def key_rotated(key: Reading) -> Check:
    signing = key["customerMasterKeySpec"].none_of("SYMMETRIC_DEFAULT")
    return key["enableKeyRotation"].is_true().unless(signing)


@rule(
    id="key-data-yearly",
    why="A key must be changed once a year at least.",
    severity=MEDIUM,
    controls=("PCI-DSS 3.7.4", "FSBP KMS.4"),
    types=(KEY,),
    fix=f"set rotationPeriodInDays to {YEAR} or less, or leave it out",
    good={"rotationPeriodInDays": YEAR},
    bad={"rotationPeriodInDays": YEAR + 1},
    # pulumi_aws 7.51.1: a year when left out.
    defaults={"rotationPeriodInDays": YEAR},
)
def key_rotated_yearly(key: Reading) -> Check:
    return key["rotationPeriodInDays"].at_most(YEAR, "days")


@rule(
    id="key-delete-wait",
    why="Data whose key is gone is gone: the waiting time is the only chance to take that back.",
    severity=HIGH,
    controls=("PCI-DSS 3.6.1", "FSBP KMS.3", "Seed 19"),
    types=(KEY, REPLICA, EXTERNAL),
    fix=f"set deletionWindowInDays to {WAIT_DAYS}",
    good={"deletionWindowInDays": WAIT_DAYS},
    bad={"deletionWindowInDays": WAIT_DAYS - 1},
    # pulumi_aws 7.51.1: "it defaults to 30", for all three types.
    defaults={"deletionWindowInDays": WAIT_DAYS},
)
def key_waits(key: Reading) -> Check:
    return key["deletionWindowInDays"].at_least(WAIT_DAYS, "days")


@rule(
    id="key-state-enable",
    why="A key that is switched off makes everything that it locks unreadable at once.",
    severity=HIGH,
    types=(KEY,),
    fix="set isEnabled to true",
    good={"isEnabled": True},
    bad={"isEnabled": False},
    # pulumi_aws 7.51.1, argument is_enabled: "Defaults to true".
    defaults={"isEnabled": True},
)
def key_enabled(key: Reading) -> Check:
    return key["isEnabled"].is_true()


@rule(
    id="key-policy-check",
    why="A key that locks its own owners out can never be repaired, nor can what it locks.",
    severity=HIGH,
    controls=("PCI-DSS 3.6.1",),
    types=(KEY, REPLICA, EXTERNAL, "aws:kms/keyPolicy:KeyPolicy"),
    fix="set bypassPolicyLockoutSafetyCheck to false",
    good={"bypassPolicyLockoutSafetyCheck": False},
    bad={"bypassPolicyLockoutSafetyCheck": True},
    # pulumi_aws 7.51.1: "The default value is false", for all four types.
    defaults={"bypassPolicyLockoutSafetyCheck": False},
)
def policy_checked(key: Reading) -> Check:
    return key["bypassPolicyLockoutSafetyCheck"].is_false()
