"""Rules for SQS and SNS."""

import json
from typing import Any

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import HIGH, LOW, MEDIUM
from tollgate.policy.statement import rule

QUEUE, TOPIC = "aws:sqs/queue:Queue", "aws:sns/topic:Topic"
FOUR_DAYS = 345_600  # seconds; what SQS keeps messages for unless told otherwise: a long weekend


@rule(
    id="message-queue-encrypt",
    why="Messages that wait hold payment data: on disk they must be unreadable to others.",
    severity=HIGH,
    controls=("PCI-DSS 3.5.1", "FSBP SQS.1"),
    types=(QUEUE,),
    fix="set kmsMasterKeyId to the platform's own key (or sqsManagedSseEnabled to true)",
    good={"kmsMasterKeyId": "arn:aws:kms:eu-west-1:111122223333:key/data"},
    bad={"kmsMasterKeyId": ""},
    also_good={"with the provider's key": {"sqsManagedSseEnabled": True}},
    later=("kmsMasterKeyId",),
)
def queue_encrypted(queue: Reading) -> Check:
    return queue["kmsMasterKeyId"].is_set().unless(queue["sqsManagedSseEnabled"].is_true())


def _redrive(**policy: Any) -> dict[str, Any]:
    return {"redrivePolicy": json.dumps(policy)}


@rule(
    id="message-queue-park",
    why="A message that fails again and again must be put aside for a person, not tried for ever or lost.",
    severity=MEDIUM,
    controls=("Seed 11",),
    types=(QUEUE, "aws:sqs/redrivePolicy:RedrivePolicy"),
    fix="set redrivePolicy to a deadLetterTargetArn and a maxReceiveCount between 1 and 100",
    good=_redrive(deadLetterTargetArn="arn:aws:sqs:eu-west-1:111122223333:parking", maxReceiveCount=5),
    bad=_redrive(deadLetterTargetArn="", maxReceiveCount=5),
    also_good={
        "at least": _redrive(deadLetterTargetArn="arn:aws:sqs:parking", maxReceiveCount=1),
        "at most": _redrive(deadLetterTargetArn="arn:aws:sqs:parking", maxReceiveCount=100),
        "the place itself": {"redriveAllowPolicy": '{"redrivePermission": "byQueue"}'},
    },
    also_bad={
        "nearly for ever": _redrive(
            deadLetterTargetArn="arn:aws:sqs:eu-west-1:111122223333:parking", maxReceiveCount=101
        ),
        "never": _redrive(deadLetterTargetArn="arn:aws:sqs:eu-west-1:111122223333:parking", maxReceiveCount=0),
    },
    later=("redrivePolicy",),
)
def queue_parks(queue: Reading) -> Check:
    policy = queue["redrivePolicy"].document()
    count = policy["maxReceiveCount"]
    parks = policy["deadLetterTargetArn"].is_set() & count.at_least(1) & count.at_most(100)
    return parks.unless(queue["redriveAllowPolicy"].is_set())


@rule(
    id="message-queue-retain",
    why="A message that is gone after a weekend is a payment that nobody can find on Monday.",
    severity=MEDIUM,
    controls=("Seed 11",),
    types=(QUEUE,),
    fix=f"set messageRetentionSeconds to {FOUR_DAYS} or more",
    good={"messageRetentionSeconds": FOUR_DAYS},
    bad={"messageRetentionSeconds": FOUR_DAYS - 1},
    # pulumi_aws 7.51.1: "The default for this attribute is 345600 (4 days)".
    defaults={"messageRetentionSeconds": FOUR_DAYS},
)
def queue_retains(queue: Reading) -> Check:
    return queue["messageRetentionSeconds"].at_least(FOUR_DAYS, "seconds")


@rule(
    id="message-topic-encrypt",
    why="Messages on their way hold payment data: on disk they must be unreadable to others.",
    severity=LOW,
    controls=("PCI-DSS 3.5.1", "FSBP SNS.1"),
    types=(TOPIC,),
    fix="set kmsMasterKeyId to the platform's own key",
    good={"kmsMasterKeyId": "arn:aws:kms:eu-west-1:111122223333:key/data"},
    bad={"kmsMasterKeyId": ""},
    later=("kmsMasterKeyId",),
)
def topic_encrypted(topic: Reading) -> Check:
    return topic["kmsMasterKeyId"].is_set()
