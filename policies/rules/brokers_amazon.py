"""Rules for Amazon MQ."""

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import CRITICAL, HIGH, LOW, MEDIUM
from tollgate.policy.statement import rule

BROKER = "aws:mq/broker:Broker"


@rule(
    id="broker-instance-private",
    why="A broker with a public address lets anyone who finds a password send payments.",
    severity=CRITICAL,
    controls=("PCI-DSS 1.4.4",),
    types=(BROKER,),
    fix="set publiclyAccessible to false",
    good={"publiclyAccessible": False},
    bad={"publiclyAccessible": True},
)
def broker_private(broker: Reading) -> Check:
    return broker["publiclyAccessible"].is_false()


@rule(
    id="broker-instance-place",
    why="Without a place of its own a broker stands in the account's default network, beside everything else.",
    severity=HIGH,
    controls=("PCI-DSS 1.3.1",),
    types=(BROKER,),
    fix="set subnetIds to private subnets and securityGroups to the broker's security group",
    good={"subnetIds": ["subnet-private"], "securityGroups": ["sg-broker"]},
    bad={"subnetIds": ["subnet-private"], "securityGroups": []},
    also_bad={"default subnets": {"subnetIds": [], "securityGroups": ["sg-broker"]}},
    later=("subnetIds[*]", "securityGroups[*]"),
)
def broker_place_own(broker: Reading) -> Check:
    return broker["subnetIds"].has_items() & broker["securityGroups"].has_items()


@rule(
    id="broker-instance-redundant",
    why="One broker is one accident away from losing every payment that waits in it.",
    severity=LOW,  # a small stack does without; staging and prod make it mandatory
    controls=("Seed 20",),
    types=(BROKER,),
    fix="set deploymentMode to CLUSTER_MULTI_AZ (ActiveMQ: ACTIVE_STANDBY_MULTI_AZ)",
    good={"deploymentMode": "CLUSTER_MULTI_AZ"},
    bad={"deploymentMode": "SINGLE_INSTANCE"},
    also_good={"ActiveMQ": {"deploymentMode": "ACTIVE_STANDBY_MULTI_AZ"}},
)
def broker_redundant(broker: Reading) -> Check:
    return broker["deploymentMode"].one_of("CLUSTER_MULTI_AZ", "ACTIVE_STANDBY_MULTI_AZ")


@rule(
    id="broker-instance-audit",
    why="Who signed in to the broker and what failed must be kept outside of it.",
    severity=HIGH,
    controls=("PCI-DSS 10.2.1", "FSBP MQ.2"),
    types=(BROKER,),
    fix="set logs.general to true",
    good={"logs": {"general": True}},
    bad={"logs": {"general": False}},
)
def broker_audited(broker: Reading) -> Check:
    return broker["logs.general"].is_true()


@rule(
    id="broker-instance-key",
    why="A broker cannot encrypt its disk itself: the key that it is given is all there is.",
    severity=MEDIUM,
    controls=("PCI-DSS 3.5.1", "PCI-DSS 3.6.1"),
    types=(BROKER,),
    fix="set encryptionOptions.useAwsOwnedKey to false and its kmsKeyId to the platform's own key",
    good={"encryptionOptions": {"useAwsOwnedKey": False, "kmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/data"}},
    bad={"encryptionOptions": {"useAwsOwnedKey": True, "kmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/data"}},
    also_bad={"the account's": {"encryptionOptions": {"useAwsOwnedKey": False, "kmsKeyId": ""}}},
    later=("encryptionOptions.kmsKeyId",),
)
def broker_key_own(broker: Reading) -> Check:
    options = broker["encryptionOptions"]
    return options["useAwsOwnedKey"].is_false() & options["kmsKeyId"].is_set()
