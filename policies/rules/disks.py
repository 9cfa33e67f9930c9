"""Rules for disks and file systems: EBS, EFS, and volumes of Kubernetes."""

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import CRITICAL, HIGH, LOW, MEDIUM
from tollgate.policy.statement import rule

CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"
# The driver that makes EBS volumes, by its present name and the one before (Kubernetes, volumes).
EBS_DRIVERS = ("ebs.csi.aws.com", "kubernetes.io/aws-ebs")
# Kinds of EBS volume of an earlier time: dearer and slower than gp3 (EBS user guide, volume types).
OLD_KINDS = ("gp2", "standard", "io1")


@rule(
    id="disk-volume-encrypt",
    why="A disk or snapshot that leaves the account must not be readable.",
    severity=HIGH,
    controls=("PCI-DSS 3.5.1", "FSBP EC2.3", "FSBP EFS.1", "FSBP EFS.8"),
    types=("aws:ebs/volume:Volume", "aws:efs/fileSystem:FileSystem", "aws:ebs/snapshotCopy:SnapshotCopy"),
    fix="set encrypted to true and kmsKeyId to the platform's own key",
    good={"encrypted": True, "kmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/data"},
    bad={"encrypted": False, "kmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/data"},
    also_bad={"with everybody's key": {"encrypted": True, "kmsKeyId": ""}},
    later=("kmsKeyId",),
)
def volume_encrypted(volume: Reading) -> Check:
    return volume["encrypted"].is_true() & volume["kmsKeyId"].is_set()


@rule(
    id="disk-default-encrypt",
    why="A disk that somebody makes in a hurry must be encrypted all the same.",
    severity=HIGH,
    controls=("PCI-DSS 3.5.1", "FSBP EC2.7"),
    types=("aws:ebs/encryptionByDefault:EncryptionByDefault",),
    fix="set enabled to true",
    good={"enabled": True},
    bad={"enabled": False},
    # pulumi_aws 7.51.1: "Defaults to true".
    defaults={"enabled": True},
)
def encrypted_by_default(setting: Reading) -> Check:
    return setting["enabled"].is_true()


@rule(
    id="disk-snapshot-block",
    why="One wrong click must not be able to show a copy of a disk to the world.",
    severity=HIGH,
    controls=("PCI-DSS 7.2.1", "FSBP EC2.1"),
    types=("aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess",),
    fix="set state to block-all-sharing",
    good={"state": "block-all-sharing"},
    bad={"state": "block-new-sharing"},
    also_bad={"not at all": {"state": "unblocked"}},
)
def snapshots_blocked(setting: Reading) -> Check:
    return setting["state"].one_of("block-all-sharing")


@rule(
    id="disk-image-private",
    why="A machine image that everyone may start is a copy of our machines for everyone.",
    severity=CRITICAL,
    controls=("PCI-DSS 7.2.1",),
    types=("aws:ec2/amiLaunchPermission:AmiLaunchPermission",),
    fix="take group out and name the accounts in accountId",
    good={"accountId": "111122223333"},
    bad={"accountId": "111122223333", "group": "all"},
    also_good={"the whole company": {"organizationArn": "arn:aws:organizations::111122223333:organization/o-1"}},
    also_bad={"nobody named": {"accountId": ""}},
)
def image_private(permission: Reading) -> Check:
    named = permission["accountId"].is_set() | permission["organizationArn"].is_set()
    return permission["group"].is_left_out() & permission.any_of([named], "an account in accountId")


@rule(
    id="disk-volume-kind",
    why="Disks of an earlier kind cost more and do less.",
    severity=LOW,
    types=("aws:ebs/volume:Volume",),
    fix="set type to gp3 (io2 where a database needs it)",
    good={"type": "gp3"},
    bad={"type": "gp2"},
    also_bad={"magnetic": {"type": "standard"}, "older still": {"type": "io1"}},
)
def volume_kind_current(volume: Reading) -> Check:
    return volume["type"].none_of(*OLD_KINDS)


@rule(
    id="disk-files-backup",
    why="Files that are not copied anywhere are gone with the first mistake.",
    severity=MEDIUM,
    controls=("PCI-DSS 10.3.3", "FSBP EFS.2"),
    types=("aws:efs/backupPolicy:BackupPolicy",),
    fix="set backupPolicy.status to ENABLED",
    good={"backupPolicy": {"status": "ENABLED"}},
    bad={"backupPolicy": {"status": "DISABLED"}},
)
def files_backed_up(policy: Reading) -> Check:
    return policy["backupPolicy.status"].one_of("ENABLED")


@rule(
    id="disk-class-encrypt",
    why="A disk or snapshot that leaves the account must not be readable.",
    severity=HIGH,
    controls=("PCI-DSS 3.5.1", "FSBP EC2.3"),
    types=(CLASS,),
    fix='set parameters.encrypted to "true" and parameters.kmsKeyId to the platform\'s own key',
    good={"provisioner": "ebs.csi.aws.com", "parameters": {"encrypted": "true", "kmsKeyId": "arn:aws:kms:key"}},
    bad={"provisioner": "ebs.csi.aws.com", "parameters": {"encrypted": "false", "kmsKeyId": "arn:aws:kms:key"}},
    also_good={
        "not AWS's disks": {"provisioner": "rancher.io/local-path"},
        "by the older driver": {
            "provisioner": "kubernetes.io/aws-ebs",
            "parameters": {"encrypted": "true", "kmsKeyId": "arn:aws:kms:key"},
        },
    },
    also_bad={
        "with everybody's key": {
            "provisioner": "ebs.csi.aws.com",
            "parameters": {"encrypted": "true", "kmsKeyId": ""},
        },
        "by the older driver": {
            "provisioner": "kubernetes.io/aws-ebs",
            "parameters": {"encrypted": "false", "kmsKeyId": "arn:aws:kms:key"},
        },
    },
    later=("parameters.kmsKeyId",),
)
def class_encrypts(storage: Reading) -> Check:
    parameters = storage["parameters"]
    encrypted = parameters["encrypted"].one_of("true") & parameters["kmsKeyId"].is_set()
    return encrypted.unless(storage["provisioner"].none_of(*EBS_DRIVERS))


@rule(
    id="disk-class-retain",
    why="By default a disk is deleted, with all that is on it, as soon as nothing claims it.",
    severity=HIGH,
    controls=("Seed 16", "Seed 19"),
    types=(CLASS,),
    fix="set reclaimPolicy to Retain",
    good={"reclaimPolicy": "Retain"},
    bad={"reclaimPolicy": "Delete"},
)
def class_retains(storage: Reading) -> Check:
    return storage["reclaimPolicy"].one_of("Retain")


@rule(
    id="disk-class-grow",
    why="A full disk that cannot grow means copying a ledger to a larger one while payments wait.",
    severity=MEDIUM,
    types=(CLASS,),
    fix="set allowVolumeExpansion to true",
    good={"provisioner": "ebs.csi.aws.com", "allowVolumeExpansion": True},
    bad={"provisioner": "ebs.csi.aws.com", "allowVolumeExpansion": False},
    also_good={"a disk of the node, which cannot": {"provisioner": "rancher.io/local-path"}},
)
def class_grows(storage: Reading) -> Check:
    local = storage["provisioner"].one_of("rancher.io/local-path")
    return storage["allowVolumeExpansion"].is_true().unless(local)


@rule(
    id="disk-volume-retain",
    why="A disk must outlive what claims it, until somebody has looked at what is on it.",
    severity=HIGH,
    controls=("Seed 19",),
    types=("kubernetes:core/v1:PersistentVolume",),
    fix="set spec.persistentVolumeReclaimPolicy to Retain",
    good={"spec": {"persistentVolumeReclaimPolicy": "Retain"}},
    bad={"spec": {"persistentVolumeReclaimPolicy": "Delete"}},
)
def volume_retained(volume: Reading) -> Check:
    return volume["spec.persistentVolumeReclaimPolicy"].one_of("Retain")


@rule(
    id="disk-claim-class",
    why="A claim that takes what the cluster happens to offer may land on a disk that is not encrypted or not kept.",
    severity=MEDIUM,
    controls=("PCI-DSS 3.5.1",),
    types=("kubernetes:core/v1:PersistentVolumeClaim",),
    fix="set spec.storageClassName to an encrypted class that retains",
    good={"spec": {"storageClassName": "encrypted-retain"}},
    bad={"spec": {"storageClassName": ""}},
)
def claim_names_class(claim: Reading) -> Check:
    return claim["spec.storageClassName"].is_set()


@rule(
    id="disk-template-class",
    why="Disks that a StatefulSet makes for its pods must be as safe as those that are claimed by hand.",
    severity=MEDIUM,
    controls=("PCI-DSS 3.5.1",),
    types=("kubernetes:apps/v1:StatefulSet",),
    fix="set spec.storageClassName of each of spec.volumeClaimTemplates",
    good={"spec": {"volumeClaimTemplates": [{"spec": {"storageClassName": "encrypted-retain"}}]}},
    bad={"spec": {"volumeClaimTemplates": [{"spec": {"storageClassName": ""}}]}},
    also_good={"two": {"spec": {"volumeClaimTemplates": [{"spec": {"storageClassName": "a"}}] * 2}}},
    also_bad={
        "one of two": {
            "spec": {"volumeClaimTemplates": [{"spec": {"storageClassName": "a"}}, {"spec": {"storageClassName": ""}}]}
        }
    },
    # Kubernetes API reference: a StatefulSet may have no disks.
    defaults={"spec.volumeClaimTemplates": None},
)
def templates_name_class(workload: Reading) -> Check:
    return workload["spec.volumeClaimTemplates"].each(lambda claim: claim["spec.storageClassName"].is_set())


@rule(
    id="disk-template-keep",
    why="Taking a store out of the list, or a copy of it, must not throw away its disk.",
    severity=HIGH,
    controls=("Seed 19",),
    types=("kubernetes:apps/v1:StatefulSet",),
    fix="set whenDeleted and whenScaled of spec.persistentVolumeClaimRetentionPolicy to Retain",
    good={"spec": {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"}}},
    bad={"spec": {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete", "whenScaled": "Retain"}}},
    also_bad={
        "when it shrinks": {
            "spec": {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Delete"}}
        }
    },
    # Kubernetes API reference, StatefulSetSpec: Retain for both when left out.
    defaults={
        "spec.persistentVolumeClaimRetentionPolicy.whenDeleted": "Retain",
        "spec.persistentVolumeClaimRetentionPolicy.whenScaled": "Retain",
    },
)
def templates_kept(workload: Reading) -> Check:
    policy = workload["spec.persistentVolumeClaimRetentionPolicy"]
    return policy["whenDeleted"].one_of("Retain") & policy["whenScaled"].one_of("Retain")
