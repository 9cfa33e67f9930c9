"""Rules for what a store or a key needs beside itself."""

from tollgate.policy.aws import tag
from tollgate.policy.check import Check, Finding
from tollgate.policy.cross import cross_rule
from tollgate.policy.reading import Reading
from tollgate.policy.sentinels import UNKNOWN
from tollgate.policy.severity import HIGH, MEDIUM
from tollgate.policy.stack import Ref, Resource, Stack, any_of

BUCKET = "aws:s3/bucket:Bucket"
BUCKET_OLD_NAME = "aws:s3/bucketV2:BucketV2"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
ACCOUNT_BLOCK = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
KEY, ALIAS = "aws:kms/key:Key", "aws:kms/alias:Alias"

_CLOSED = {
    "blockPublicAcls": True,
    "blockPublicPolicy": True,
    "ignorePublicAcls": True,
    "restrictPublicBuckets": True,
}


@cross_rule(
    id="bucket-public-block",
    why="One wrong line in a bucket's policy makes every receipt in it public, unless the bucket refuses to be.",
    severity=HIGH,
    controls=("PCI-DSS 1.4.4", "FSBP S3.8"),
    types=(BUCKET, BUCKET_OLD_NAME),
    reads=(BLOCK, ACCOUNT_BLOCK),
    fix="add a BucketPublicAccessBlock for the bucket with all four settings true",
    good={"receipts": (BUCKET, {}), "receipts-closed": (BLOCK, {"bucket": Ref("receipts"), **_CLOSED})},
    bad={
        "receipts": (BUCKET, {}),
        "receipts-closed": (BLOCK, {"bucket": Ref("receipts"), **_CLOSED, "blockPublicPolicy": False}),
    },
    unknown={"receipts": (BUCKET, {}), "closed": (BLOCK, {"bucket": UNKNOWN, **_CLOSED})},
    missing={"receipts": (BUCKET, {})},
)
def bucket_closed(bucket: Resource, stack: Stack) -> Check:
    of_bucket = [block.names("bucket", bucket, by=("bucket", "id")) & _all_four(block) for block in stack.of(BLOCK)]
    of_account = [_all_four(block) for block in stack.of(ACCOUNT_BLOCK)]
    return any_of(
        [*of_bucket, *of_account],
        Finding("the bucket", "has no block on public access", "one with all four settings true"),
    )


def _all_four(block: Resource) -> Check:
    first, *others = (block[setting].is_true() for setting in _CLOSED)
    for other in others:
        first &= other
    return first


@cross_rule(
    id="key-name-owner",
    why="A key that nobody can name or is responsible for is deleted, or kept, by mistake.",
    severity=MEDIUM,
    controls=("PCI-DSS 3.6.1", "Seed 18"),
    types=(KEY,),
    reads=(ALIAS,),
    fix="add an Alias for the key, and a tag owner to the key or to the provider's default tags",
    good={
        "ledger": (KEY, {"tags": {"owner": "ledger team"}}),
        "ledger-name": (ALIAS, {"name": "alias/ledger", "targetKeyId": Ref("ledger")}),
    },
    bad={
        "ledger": (KEY, {"tags": {"owner": ""}}),
        "ledger-name": (ALIAS, {"name": "alias/ledger", "targetKeyId": Ref("ledger")}),
    },
    unknown={"ledger": (KEY, {"tags": {"owner": "ledger team"}}), "name": (ALIAS, {"targetKeyId": UNKNOWN})},
    missing={"ledger": (KEY, {"tags": {"owner": "ledger team"}})},
)
def key_owned(key: Resource, stack: Stack) -> Check:
    names = [alias.names("targetKeyId", key, by=("keyId", "arn", "id")) for alias in stack.of(ALIAS)]
    named = any_of(names, Finding("the key", "has no alias", "an alias that says what it is for"))
    return named & owner(key).is_set()


def owner(resource: Resource) -> Reading:
    """Who is responsible, as the tags say."""
    return tag(resource, "owner")
