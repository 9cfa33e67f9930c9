"""Rules for Kubernetes clusters on AWS: EKS, its nodes and who may enter."""

from typing import Any

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import CRITICAL, HIGH, LOW, MEDIUM
from tollgate.policy.statement import rule

CLUSTER = "aws:eks/cluster:Cluster"
# The oldest version that EKS still supports at no extra charge (EKS user guide, release calendar, November 2026).
OLDEST = (1, 34)


@rule(
    id="cluster-endpoint-private",
    why="A cluster whose control plane stands on the internet is one stolen login away from anybody.",
    severity=CRITICAL,
    controls=("PCI-DSS 1.4.4", "FSBP EKS.1"),
    types=(CLUSTER,),
    fix="set vpcConfig.endpointPublicAccess to false and endpointPrivateAccess to true",
    good={"vpcConfig": {"endpointPublicAccess": False, "endpointPrivateAccess": True}},
    bad={"vpcConfig": {"endpointPublicAccess": True, "endpointPrivateAccess": True}},
    also_bad={"no way in": {"vpcConfig": {"endpointPublicAccess": False, "endpointPrivateAccess": False}}},
)
def endpoint_private(cluster: Reading) -> Check:
    config = cluster["vpcConfig"]
    return config["endpointPublicAccess"].is_false() & config["endpointPrivateAccess"].is_true()


@rule(
    id="cluster-secret-encrypt",
    why="Whoever gets hold of the control plane's disks must not find passwords there.",
    severity=HIGH,
    controls=("PCI-DSS 3.5.1", "FSBP EKS.3"),
    types=(CLUSTER,),
    fix="set encryptionConfig.resources to secrets and its provider.keyArn to the platform's own key",
    good={"encryptionConfig": {"resources": ["secrets"], "provider": {"keyArn": "arn:aws:kms:key"}}},
    bad={"encryptionConfig": {"resources": ["secrets"], "provider": {"keyArn": ""}}},
    also_bad={"of nothing": {"encryptionConfig": {"resources": [], "provider": {"keyArn": "arn:aws:kms:key"}}}},
    later=("encryptionConfig.provider.keyArn",),
)
def secrets_encrypted(cluster: Reading) -> Check:
    config = cluster["encryptionConfig"]
    secrets = config["resources"].some(lambda kind: kind.one_of("secrets"), "secrets among them")
    return secrets & config["provider.keyArn"].is_set()


@rule(
    id="cluster-log-complete",
    why="Who did what in the cluster must be on record before somebody asks.",
    severity=HIGH,
    controls=("PCI-DSS 10.2.1", "FSBP EKS.8"),
    types=(CLUSTER,),
    fix="set enabledClusterLogTypes to api, audit and authenticator, at least",
    good={"enabledClusterLogTypes": ["api", "audit", "authenticator"]},
    bad={"enabledClusterLogTypes": ["api", "scheduler", "authenticator"]},
    also_bad={
        "no sign-ins": {"enabledClusterLogTypes": ["api", "audit", "scheduler"]},
        "no calls": {"enabledClusterLogTypes": ["scheduler", "audit", "authenticator"]},
    },
)
def log_complete(cluster: Reading) -> Check:
    kinds = cluster["enabledClusterLogTypes"]

    def recorded(name: str) -> Check:
        return kinds.some(lambda kind: kind.one_of(name), f"{name} among them")

    return recorded("api") & recorded("audit") & recorded("authenticator")


@rule(
    id="cluster-version-supported",
    why="A version past its end of life costs six times as much and gets its repairs late.",
    severity=HIGH,
    controls=("PCI-DSS 6.3.3", "FSBP EKS.2"),
    types=(CLUSTER,),
    fix=f"set version to {OLDEST[0]}.{OLDEST[1]} or newer",
    good={"version": "1.34"},
    bad={"version": "1.33"},
    also_good={"newer": {"version": "1.100"}},
    also_bad={"no version": {"version": "latest"}, "a number": {"version": 1.35}},
)
def version_supported(cluster: Reading) -> Check:
    return cluster["version"].satisfies(_is_new_enough, f"{OLDEST[0]}.{OLDEST[1]} or newer")


def _is_new_enough(version: Any) -> bool:
    parts = version.split(".") if isinstance(version, str) else []
    return all(part.isdecimal() for part in parts) and tuple(map(int, parts)) >= OLDEST


@rule(
    id="cluster-upgrade-standard",
    why="Extended support is bought without asking when an upgrade is forgotten.",
    severity=MEDIUM,
    controls=("PCI-DSS 6.3.3",),
    types=(CLUSTER,),
    fix="set upgradePolicy.supportType to STANDARD",
    good={"upgradePolicy": {"supportType": "STANDARD"}},
    bad={"upgradePolicy": {"supportType": "EXTENDED"}},
)
def upgrade_standard(cluster: Reading) -> Check:
    return cluster["upgradePolicy.supportType"].one_of("STANDARD")


@rule(
    id="cluster-entry-record",
    why="Whoever made the cluster must not stay its administrator in a list that nobody sees.",
    severity=HIGH,
    controls=("PCI-DSS 7.2.1", "PCI-DSS 8.2.2"),
    types=(CLUSTER,),
    fix="set accessConfig.authenticationMode to API and bootstrapClusterCreatorAdminPermissions to false",
    good={"accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False}},
    bad={"accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True}},
    also_bad={
        "by a list inside": {
            "accessConfig": {
                "authenticationMode": "API_AND_CONFIG_MAP",
                "bootstrapClusterCreatorAdminPermissions": False,
            }
        }
    },
)
def entry_recorded(cluster: Reading) -> Check:
    config = cluster["accessConfig"]
    by_entry = config["authenticationMode"].one_of("API")
    return by_entry & config["bootstrapClusterCreatorAdminPermissions"].is_false()


@rule(
    id="cluster-delete-protect",
    why="One wrong word in a change must not be able to delete a cluster with all that runs in it.",
    severity=LOW,  # a stack that is thrown away does without; staging and prod make it mandatory
    controls=("Seed 19",),
    types=(CLUSTER,),
    fix="set deletionProtection to true",
    good={"deletionProtection": True},
    bad={"deletionProtection": False},
)
def deletion_protected(cluster: Reading) -> Check:
    return cluster["deletionProtection"].is_true()


@rule(
    id="cluster-entry-limit",
    why="The group system:masters may do everything, and no rule inside the cluster can take it back.",
    severity=CRITICAL,
    controls=("PCI-DSS 7.2.5", "CIS-Kubernetes 5.1.7"),
    types=("aws:eks/accessEntry:AccessEntry",),
    fix="take system:masters out of kubernetesGroups and associate an access policy",
    good={"kubernetesGroups": ["payments-developers"]},
    bad={"kubernetesGroups": ["system:masters"]},
    also_good={"none": {}},
    # pulumi_aws 7.51.1: no groups when left out.
    defaults={"kubernetesGroups": None},
)
def entry_limited(entry: Reading) -> Check:
    return entry["kubernetesGroups"].each(lambda group: group.none_of("system:masters"))


@rule(
    id="cluster-entry-person",
    why="What the account's owner does cannot be traced to a person.",
    severity=HIGH,
    controls=("PCI-DSS 8.2.2",),
    types=("aws:eks/accessEntry:AccessEntry", "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"),
    fix="set principalArn to a role",
    good={"principalArn": "arn:aws:iam::111122223333:role/administrators"},
    bad={"principalArn": "arn:aws:iam::111122223333:root"},
    also_bad={"a user with keys": {"principalArn": "arn:aws:iam::111122223333:user/ann"}},
    later=("principalArn",),
)
def entry_is_role(entry: Reading) -> Check:
    return entry["principalArn"].satisfies(lambda arn: not _is_account_or_user(str(arn)), "a role")


def _is_account_or_user(arn: str) -> bool:
    return arn.endswith(":root") or ":user/" in arn


@rule(
    id="cluster-node-shell",
    why="A way to sign in to nodes is a way around every record of who did what.",
    severity=HIGH,
    controls=("PCI-DSS 2.2.4", "PCI-DSS 8.2.2"),
    types=("aws:eks/nodeGroup:NodeGroup",),
    fix="take remoteAccess out",
    good={},
    bad={"remoteAccess": {"ec2SshKey": "laptop"}},
)
def node_without_shell(nodes: Reading) -> Check:
    return nodes["remoteAccess"].is_left_out()


@rule(
    id="cluster-node-drain",
    why="A forced upgrade stops pods even where that stops payments.",
    severity=MEDIUM,
    types=("aws:eks/nodeGroup:NodeGroup",),
    fix="set forceUpdateVersion to false",
    good={"forceUpdateVersion": False},
    bad={"forceUpdateVersion": True},
    # pulumi_aws 7.51.1: an upgrade waits for disruption budgets unless this says otherwise.
    defaults={"forceUpdateVersion": False},
)
def node_drained(nodes: Reading) -> Check:
    return nodes["forceUpdateVersion"].is_false()


@rule(
    id="cluster-node-keep",
    why="Spot machines are taken away two minutes after a warning, whatever runs on them.",
    severity=MEDIUM,
    controls=("Seed 18",),
    types=("aws:eks/nodeGroup:NodeGroup",),
    fix="set capacityType to ON_DEMAND; label a group of SPOT machines payments/interruptible: true",
    good={"capacityType": "ON_DEMAND"},
    bad={"capacityType": "SPOT"},
    also_good={"for what may stop": {"capacityType": "SPOT", "labels": {"payments/interruptible": "true"}}},
    # pulumi_aws 7.51.1 and EKS: on demand when left out.
    defaults={"capacityType": "ON_DEMAND"},
)
def node_kept(nodes: Reading) -> Check:
    may_stop = nodes["labels"].key("payments/interruptible").one_of("true")
    return nodes["capacityType"].one_of("ON_DEMAND").unless(may_stop)


@rule(
    id="cluster-node-bound",
    why="A group of nodes without an upper bound lets one mistake rent a data centre.",
    severity=MEDIUM,
    controls=("Seed 17",),
    types=("aws:eks/nodeGroup:NodeGroup",),
    fix="set scalingConfig.maxSize to 100 or less",
    good={"scalingConfig": {"maxSize": 100}},
    bad={"scalingConfig": {"maxSize": 101}},
)
def node_bounded(nodes: Reading) -> Check:
    return nodes["scalingConfig.maxSize"].at_most(100, "nodes")


@rule(
    id="cluster-addon-pin",
    why="An add-on without a version changes on a day that nobody chose.",
    severity=MEDIUM,
    controls=("PCI-DSS 6.3.2", "Seed 14"),
    types=("aws:eks/addon:Addon",),
    fix="set addonVersion",
    good={"addonVersion": "v1.21.1-eksbuild.3"},
    bad={"addonVersion": ""},
)
def addon_pinned(addon: Reading) -> Check:
    return addon["addonVersion"].is_set()
