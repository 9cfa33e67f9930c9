"""Rules for DynamoDB tables."""

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import HIGH, LOW, MEDIUM
from tollgate.policy.statement import rule

TABLE = "aws:dynamodb/table:Table"


@rule(
    id="table-backup-continue",
    why="A table that cannot be set back to five minutes ago cannot undo a wrong write.",
    severity=HIGH,
    controls=("PCI-DSS 10.3.3", "FSBP DynamoDB.2"),
    types=(TABLE,),
    fix="set pointInTimeRecovery.enabled to true",
    good={"pointInTimeRecovery": {"enabled": True}},
    bad={"pointInTimeRecovery": {"enabled": False}},
)
def backup_continues(table: Reading) -> Check:
    return table["pointInTimeRecovery.enabled"].is_true()


@rule(
    id="table-delete-protect",
    why="One wrong word in a change must not be able to delete a table of payments.",
    severity=LOW,  # a stack that is thrown away does without; staging and prod make it mandatory
    controls=("FSBP DynamoDB.6", "Seed 19"),
    types=(TABLE,),
    fix="set deletionProtectionEnabled to true",
    good={"deletionProtectionEnabled": True},
    bad={"deletionProtectionEnabled": False},
)
def deletion_protected(table: Reading) -> Check:
    return table["deletionProtectionEnabled"].is_true()


@rule(
    id="table-storage-key",
    why="Only a key of our own can be withdrawn, watched and shared on our terms.",
    severity=MEDIUM,
    controls=("PCI-DSS 3.5.1", "PCI-DSS 3.6.1"),
    types=(TABLE,),
    fix="set serverSideEncryption.enabled to true and its kmsKeyArn to the platform's own key",
    good={"serverSideEncryption": {"enabled": True, "kmsKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/data"}},
    bad={"serverSideEncryption": {"enabled": False, "kmsKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/data"}},
    also_bad={"the provider's key": {"serverSideEncryption": {"enabled": True, "kmsKeyArn": ""}}},
    later=("serverSideEncryption.kmsKeyArn",),
)
def storage_key_own(table: Reading) -> Check:
    encryption = table["serverSideEncryption"]
    return encryption["enabled"].is_true() & encryption["kmsKeyArn"].is_set()
