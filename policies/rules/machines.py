"""Rules for the machines that run things: EC2 instances and the templates that nodes are made from."""

import base64
import re

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import HIGH
from tollgate.policy.statement import rule

INSTANCE, TEMPLATE = "aws:ec2/instance:Instance", "aws:ec2/launchTemplate:LaunchTemplate"
# An AWS access key, a private key, or something that is set to a secret.
_TELLS = re.compile(
    r"\b(AKIA|ASIA)[A-Z0-9]{16}\b|PRIVATE KEY-----"
    r"|(password|passwd|secret|token|api[_-]?key)[\"']?\s*[=:]\s*[\"']?[^\s\"'$]{6}",
    re.IGNORECASE,
)
YES, NO = (True, "true"), (False, "false")  # launch templates take the words


@rule(
    id="machine-metadata-token",
    why="A program that can be made to fetch an address must not be able to fetch the machine's credentials.",
    severity=HIGH,
    controls=("PCI-DSS 2.2.6", "FSBP EC2.8", "FSBP EC2.170"),
    types=(INSTANCE, TEMPLATE),
    fix="set metadataOptions.httpTokens to required and httpPutResponseHopLimit to 1",
    good={"metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1}},
    bad={"metadataOptions": {"httpTokens": "optional", "httpPutResponseHopLimit": 1}},
    also_bad={"pods may, too": {"metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 2}}},
)
def metadata_guarded(machine: Reading) -> Check:
    options = machine["metadataOptions"]
    return options["httpTokens"].one_of("required") & options["httpPutResponseHopLimit"].at_most(1)


@rule(
    id="machine-template-encrypt",
    why="A disk or snapshot that leaves the account must not be readable.",
    severity=HIGH,
    controls=("PCI-DSS 3.5.1", "FSBP EC2.3"),
    types=(TEMPLATE,),
    fix="set encrypted of each of blockDeviceMappings[*].ebs to true, with kmsKeyId",
    good={"blockDeviceMappings": [{"ebs": {"encrypted": "true", "kmsKeyId": "arn:aws:kms:key"}}]},
    bad={"blockDeviceMappings": [{"ebs": {"encrypted": "false", "kmsKeyId": "arn:aws:kms:key"}}]},
    also_good={"a truth value": {"blockDeviceMappings": [{"ebs": {"encrypted": True, "kmsKeyId": "arn:aws:kms:key"}}]}},
    also_bad={
        "with everybody's key": {"blockDeviceMappings": [{"ebs": {"encrypted": "true", "kmsKeyId": ""}}]},
        "as the image has it": {"blockDeviceMappings": []},
    },
    later=("blockDeviceMappings[*].ebs.kmsKeyId",),
)
def template_encrypted(template: Reading) -> Check:
    disks = template["blockDeviceMappings"]
    return disks.is_set() & disks.each(lambda disk: disk["ebs.encrypted"].one_of(*YES) & disk["ebs.kmsKeyId"].is_set())


@rule(
    id="machine-disk-encrypt",
    why="A disk or snapshot that leaves the account must not be readable.",
    severity=HIGH,
    controls=("PCI-DSS 3.5.1", "FSBP EC2.3"),
    types=(INSTANCE,),
    fix="set rootBlockDevice.encrypted and encrypted of each of ebsBlockDevices to true",
    good={"rootBlockDevice": {"encrypted": True}, "ebsBlockDevices": [{"encrypted": True}]},
    bad={"rootBlockDevice": {"encrypted": False}, "ebsBlockDevices": [{"encrypted": True}]},
    also_good={"two": {"rootBlockDevice": {"encrypted": True}, "ebsBlockDevices": [{"encrypted": True}] * 2}},
    also_bad={
        "another disk": {"rootBlockDevice": {"encrypted": True}, "ebsBlockDevices": [{"encrypted": False}]},
        "one of two": {
            "rootBlockDevice": {"encrypted": True},
            "ebsBlockDevices": [{"encrypted": True}, {"encrypted": False}],
        },
    },
    # pulumi_aws 7.51.1: an instance has no further disks unless given.
    defaults={"ebsBlockDevices": None},
)
def disk_encrypted(machine: Reading) -> Check:
    further = machine["ebsBlockDevices"].each(lambda disk: disk["encrypted"].is_true())
    return machine["rootBlockDevice.encrypted"].is_true() & further


@rule(
    id="machine-address-private",
    why="A machine with a public address can be attacked from anywhere.",
    severity=HIGH,
    controls=("PCI-DSS 1.4.4", "FSBP EC2.9"),
    types=(INSTANCE,),
    fix="set associatePublicIpAddress to false",
    good={"associatePublicIpAddress": False},
    bad={"associatePublicIpAddress": True},
)
def address_private(machine: Reading) -> Check:
    return machine["associatePublicIpAddress"].is_false()


@rule(
    id="machine-template-private",
    why="A machine with a public address can be attacked from anywhere.",
    severity=HIGH,
    controls=("PCI-DSS 1.4.4", "FSBP EC2.25"),
    types=(TEMPLATE,),
    fix="set associatePublicIpAddress of each of networkInterfaces to false",
    good={"networkInterfaces": [{"associatePublicIpAddress": "false"}]},
    bad={"networkInterfaces": [{"associatePublicIpAddress": "true"}]},
    also_good={
        "a truth value": {"networkInterfaces": [{"associatePublicIpAddress": False}]},
        "two": {"networkInterfaces": [{"associatePublicIpAddress": "false"}] * 2},
    },
    also_bad={
        "one of two": {
            "networkInterfaces": [{"associatePublicIpAddress": "false"}, {"associatePublicIpAddress": "true"}]
        }
    },
    # pulumi_aws 7.51.1: without interfaces of its own a template takes what the subnet gives.
    defaults={"networkInterfaces": None},
)
def template_private(template: Reading) -> Check:
    return template["networkInterfaces"].each(lambda face: face["associatePublicIpAddress"].one_of(*NO))


@rule(
    id="machine-setting-clean",
    why="What a machine is told when it starts can be read by every program on it.",
    severity=HIGH,
    controls=("PCI-DSS 8.6.2",),
    types=(INSTANCE,),
    fix="take keyName and getPasswordData out and sign in through Systems Manager",
    good={"getPasswordData": False},
    bad={"getPasswordData": True},
    also_bad={"a key of somebody's": {"getPasswordData": False, "keyName": "laptop"}},
    # pulumi_aws 7.51.1: false when left out.
    defaults={"getPasswordData": False},
)
def settings_clean(machine: Reading) -> Check:
    return machine["getPasswordData"].is_false() & machine["keyName"].is_left_out()


def _told(text: str) -> dict[str, str]:
    return {"userData": base64.b64encode(text.encode()).decode()}


@rule(
    id="machine-data-clean",
    why="What a machine is told when it starts can be read by everyone who may look at the machine.",
    severity=HIGH,
    controls=("PCI-DSS 8.6.2", "Seed 15"),
    types=(INSTANCE, TEMPLATE),
    fix="let the machine read what it needs from Secrets Manager when it starts",
    good=_told("#!/bin/sh\nsystemctl start gateway\n"),
    bad=_told("#!/bin/sh\nexport DB_PASSWORD=correct-horse\n"),
    also_good={"nothing": {}},
    also_bad={
        "in plain text": {"userData": "#!/bin/sh\nexport db_password='correct-horse'\n"},
        "a key of an account": _told("aws_access_key_id AKIAIOSFODNN7EXAMPLE\n"),
        "a private key": _told("-----BEGIN EC PRIVATE KEY-----\n"),
        "in the other property": {"userDataBase64": base64.b64encode(b"token: abcdef0123").decode()},
    },
    # pulumi_aws 7.51.1: both are optional.
    defaults={"userData": None, "userDataBase64": None},
)
def data_clean(machine: Reading) -> Check:
    return _tells_no_secret(machine["userData"]) & _tells_no_secret(machine["userDataBase64"])


def _tells_no_secret(data: Reading) -> Check:
    return data.hidden().satisfies(lambda text: _TELLS.search(_plain(str(text))) is None, "no secrets in it")


def _plain(text: str) -> str:
    """The text, decoded where it is in base64."""
    try:
        return base64.b64decode(text, validate=True).decode(errors="replace")
    except ValueError:
        return text
