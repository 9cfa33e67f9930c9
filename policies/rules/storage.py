"""Rules for S3 buckets, in the spelling of a bucket's own settings and of the separate resources."""

import re

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import CRITICAL, HIGH, LOW
from tollgate.policy.statement import rule

BUCKETS = ("aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2")
BLOCKS = ("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",)
ACCOUNT_BLOCK = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
ENCRYPTIONS = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
)
VERSIONINGS = ("aws:s3/bucketVersioning:BucketVersioning", "aws:s3/bucketVersioningV2:BucketVersioningV2")
LIFECYCLES = (
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",
)
# Canned lists of S3 that let in anybody, or everybody who has an AWS account.
PUBLIC_LISTS = ("public-read", "public-read-write", "authenticated-read")
PUBLIC_GROUPS = (
    "http://acs.amazonaws.com/groups/global/AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
)
OURS = ("aws:kms", "aws:kms:dsse")
A_BUCKET = "arn:aws:s3:::ledger"
_WHAT_IS_IN_IT = re.compile(r".*\*")


@rule(
    id="storage-list-private",
    why="A bucket or file that everyone may read is found within hours.",
    severity=CRITICAL,
    controls=("PCI-DSS 7.2.1", "FSBP S3.2", "FSBP S3.3"),
    types=(
        *BUCKETS,
        "aws:s3/bucketAcl:BucketAcl",
        "aws:s3/bucketAclV2:BucketAclV2",
        "aws:s3/bucketObject:BucketObject",
        "aws:s3/bucketObjectv2:BucketObjectv2",
        "aws:s3/objectCopy:ObjectCopy",
    ),
    fix="set acl to private and take AllUsers and AuthenticatedUsers out of the grants",
    good={"acl": "private", "grants": [{"uri": "http://acs.amazonaws.com/groups/s3/LogDelivery"}]},
    bad={"acl": "public-read", "grants": [{"uri": "http://acs.amazonaws.com/groups/s3/LogDelivery"}]},
    also_good={
        "nothing said": {},
        "one account": {"accessControlPolicy": {"grants": [{"grantee": {"id": "0a1b2c"}}]}},
    },
    also_bad={
        "to write": {"acl": "public-read-write"},
        "for everyone with an account": {"acl": "authenticated-read"},
        "a group": {"acl": "private", "grants": [{"uri": PUBLIC_GROUPS[0]}]},
        "the other group": {"acl": "private", "grants": [{"uri": PUBLIC_GROUPS[1]}]},
        "in a policy of grants": {"accessControlPolicy": {"grants": [{"grantee": {"uri": PUBLIC_GROUPS[0]}}]}},
    },
    # pulumi_aws 7.51.1: acl "Defaults to private", and there are no other grants.
    defaults={
        "acl": "private",
        "grants": None,
        "grants[*].uri": None,
        "accessControlPolicy.grants": None,
        "accessControlPolicy.grants[*].grantee.uri": None,
    },
)
def list_private(storage: Reading) -> Check:
    closed = storage["acl"].none_of(*PUBLIC_LISTS)
    granted = storage["grants"].each(lambda grant: grant["uri"].none_of(*PUBLIC_GROUPS))
    policy = storage["accessControlPolicy.grants"]
    return closed & granted & policy.each(lambda grant: grant["grantee.uri"].none_of(*PUBLIC_GROUPS))


def _block(**open_: bool) -> dict[str, bool]:
    closed = {
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    return closed | open_


@rule(
    id="storage-access-block",
    why="One wrong policy must not be able to open a bucket to the world.",
    severity=CRITICAL,
    controls=("PCI-DSS 7.2.1", "FSBP S3.1", "FSBP S3.8"),
    types=(*BLOCKS, ACCOUNT_BLOCK),
    fix="set blockPublicAcls, blockPublicPolicy, ignorePublicAcls and restrictPublicBuckets to true",
    good=_block(),
    bad=_block(blockPublicAcls=False),
    also_bad={
        "policies": _block(blockPublicPolicy=False),
        "old lists": _block(ignorePublicAcls=False),
        "those outside": _block(restrictPublicBuckets=False),
    },
)
def access_blocked(block: Reading) -> Check:
    lists = block["blockPublicAcls"].is_true() & block["ignorePublicAcls"].is_true()
    return lists & block["blockPublicPolicy"].is_true() & block["restrictPublicBuckets"].is_true()


@rule(
    id="storage-owner-enforce",
    why="Files that belong to whoever wrote them can be out of our reach in our own bucket.",
    severity=HIGH,
    controls=("PCI-DSS 7.2.1", "FSBP S3.12"),
    types=("aws:s3/bucketOwnershipControls:BucketOwnershipControls",),
    fix="set rule.objectOwnership to BucketOwnerEnforced",
    good={"rule": {"objectOwnership": "BucketOwnerEnforced"}},
    bad={"rule": {"objectOwnership": "ObjectWriter"}},
)
def owner_enforced(controls: Reading) -> Check:
    return controls["rule.objectOwnership"].one_of("BucketOwnerEnforced")


@rule(
    id="storage-bucket-keep",
    why="A bucket that may be deleted with all that is in it is one wrong change away from empty.",
    severity=HIGH,
    controls=("PCI-DSS 10.3.2", "Seed 19"),
    types=BUCKETS,
    fix="set forceDestroy to false",
    good={"forceDestroy": False},
    bad={"forceDestroy": True},
    # pulumi_aws 7.51.1: nothing is deleted with the bucket unless this says so.
    defaults={"forceDestroy": False},
)
def bucket_kept(bucket: Reading) -> Check:
    return bucket["forceDestroy"].is_false()


@rule(
    id="storage-bucket-encrypt",
    why="Files must be unreadable for whoever gets hold of the disks.",
    severity=HIGH,
    controls=("PCI-DSS 3.5.1", "FSBP S3.17"),
    types=ENCRYPTIONS,
    fix="set sseAlgorithm to aws:kms with a kmsMasterKeyId (AES256 for a bucket that takes access logs)",
    good={"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "key"}}]},
    bad={"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "none", "kmsMasterKeyId": "key"}}]},
    also_good={
        "twice": {
            "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms:dsse", "kmsMasterKeyId": "k"}}]
        },
        "for access logs": {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]},
    },
    also_bad={
        "with everybody's key": {
            "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": ""}}]
        },
        "no rule": {"rules": []},
    },
    later=("rules[*].applyServerSideEncryptionByDefault.kmsMasterKeyId",),
)
def bucket_encrypted(configuration: Reading) -> Check:
    def encrypts(part: Reading) -> Check:
        default = part["applyServerSideEncryptionByDefault"]
        ours = default["sseAlgorithm"].one_of(*OURS) & default["kmsMasterKeyId"].is_set()
        return ours.unless(default["sseAlgorithm"].one_of("AES256"))

    return configuration["rules"].is_set() & configuration["rules"].each(encrypts)


@rule(
    id="storage-bucket-version",
    why="Without versions a file that is overwritten or deleted by mistake is gone.",
    severity=HIGH,
    controls=("PCI-DSS 10.3.3", "FSBP S3.14"),
    types=VERSIONINGS,
    fix="set versioningConfiguration.status to Enabled",
    good={"versioningConfiguration": {"status": "Enabled"}},
    bad={"versioningConfiguration": {"status": "Suspended"}},
)
def bucket_versioned(versioning: Reading) -> Check:
    return versioning["versioningConfiguration.status"].one_of("Enabled")


@rule(
    id="storage-inline-version",
    why="Without versions a file that is overwritten or deleted by mistake is gone.",
    severity=HIGH,
    controls=("PCI-DSS 10.3.3", "FSBP S3.14"),
    types=BUCKETS,
    fix="set versioning.enabled to true, or use a BucketVersioning",
    good={"versioning": {"enabled": True}},
    bad={"versioning": {"enabled": False}},
    also_good={"said elsewhere": {}, "in the older spelling": {"versionings": [{"enabled": True}]}},
    also_bad={"in the older spelling": {"versionings": [{"enabled": False}]}},
    # pulumi_aws 7.51.1: left out here, a separate BucketVersioning decides.
    defaults={"versioning.enabled": None, "versionings": None},
)
def inline_versioned(bucket: Reading) -> Check:
    return bucket["versioning.enabled"].is_true() & bucket["versionings"].each(lambda part: part["enabled"].is_true())


@rule(
    id="storage-site-closed",
    why="A bucket that is a web site is meant to be read by everyone, without encryption on the way.",
    severity=HIGH,
    controls=("PCI-DSS 1.4.4", "PCI-DSS 4.2.1"),
    types=BUCKETS,
    fix="take website out and serve files through a content network that reads the bucket as itself",
    good={},
    bad={"website": {"indexDocument": "index.html"}},
    also_bad={"in the older spelling": {"websites": [{"indexDocument": "index.html"}]}},
)
def site_closed(bucket: Reading) -> Check:
    return bucket["website"].is_left_out() & bucket["websites"].is_left_out()


def _tls_only(**changed: object) -> dict[str, object]:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [A_BUCKET, f"{A_BUCKET}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"policy": {"Statement": [statement | changed]}}


@rule(
    id="storage-transport-encrypt",
    why="Files must not cross the network in a form that others can read.",
    severity=HIGH,
    controls=("PCI-DSS 4.2.1", "FSBP S3.5"),
    types=("aws:s3/bucketPolicy:BucketPolicy",),
    fix="deny s3:* to * on the bucket and on all in it where aws:SecureTransport is false",
    good=_tls_only(),
    bad=_tls_only(Effect="Allow"),
    also_good={
        "to all accounts": _tls_only(Principal={"AWS": "*"}),
        "all actions": _tls_only(Action=["*"]),
        "a truth value": _tls_only(Condition={"Bool": {"aws:SecureTransport": False}}),
        "as a text": {
            "policy": '{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",'
            ' "Condition": {"Bool": {"aws:SecureTransport": "false"}}}}'
        },
    },
    also_bad={
        "for one account": _tls_only(Principal={"AWS": "111122223333"}),
        "reading only": _tls_only(Action="s3:GetObject"),
        "the bucket without its files": _tls_only(Resource=[A_BUCKET]),
        "the other way round": _tls_only(Condition={"Bool": {"aws:SecureTransport": "true"}}),
        "under one more condition": _tls_only(
            Condition={"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:PrincipalAccount": "1"}}
        ),
        "under one more key": _tls_only(
            Condition={"Bool": {"aws:SecureTransport": "false", "aws:PrincipalIsAWSService": "false"}}
        ),
    },
    later=("policy",),
)
def transport_encrypted(policy: Reading) -> Check:
    statements = policy["policy"].document()["Statement"]
    return statements.one_or_some(_refuses_plain_text, "one that denies s3:* to * where aws:SecureTransport is false")


def _refuses_plain_text(statement: Reading) -> Check:
    principal, condition = statement["Principal"], statement["Condition"]
    everyone = principal.one_of("*") | principal["AWS"].one_of("*")
    everything = statement["Action"].one_or_some(lambda action: action.one_of("*", "s3:*"), "all actions")
    files = statement["Resource"].one_or_some(lambda resource: resource.matches(_WHAT_IS_IN_IT, "…/*"), "all files")
    plain = condition["Bool"].key("aws:SecureTransport").one_of("false", False)
    alone = condition.has_only("Bool") & condition["Bool"].has_only("aws:SecureTransport")
    return statement["Effect"].one_of("Deny") & everyone & everything & files & plain & alone


@rule(
    id="storage-policy-lockout",
    why="A policy that refuses everybody everything locks us out of our own evidence.",
    severity=HIGH,
    controls=("PCI-DSS 10.3.3",),
    types=("aws:s3/bucketPolicy:BucketPolicy",),
    fix="give a Deny for everybody and every action a Condition",
    good=_tls_only(),
    bad=_tls_only(Condition={}),
    also_good={
        "one action": {"policy": {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject"}]}},
        "one account": {"policy": {"Statement": [{"Effect": "Deny", "Principal": {"AWS": "1"}, "Action": "s3:*"}]}},
        "none": {"policy": {"Statement": []}},
    },
    also_bad={
        "one of two": {
            "policy": '{"Statement": [{"Effect": "Allow"},'
            ' {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "*"}]}'
        },
    },
    later=("policy",),
)
def nobody_locked_out(policy: Reading) -> Check:
    def leaves_a_way(statement: Reading) -> Check:
        some = statement["Principal"]["AWS"].none_of("*")
        few = statement["Action"].one_or_each(lambda action: action.none_of("*", "s3:*"))
        condition = statement["Condition"]
        asked = condition.is_set() & condition.each_value(lambda said: said.is_set() & said.each_value(Reading.is_set))
        return condition.any_of([asked], "a condition").unless(statement["Effect"].one_of("Allow") | some | few)

    return policy["policy"].document()["Statement"].one_or_each(leaves_a_way)


@rule(
    id="storage-upload-clear",
    why="Uploads that broke off are paid for and never seen again.",
    severity=LOW,
    controls=("FSBP S3.13",),
    types=LIFECYCLES,
    fix="set abortIncompleteMultipartUpload.daysAfterInitiation of one of rules, with status Enabled",
    good={"rules": [{"status": "Enabled", "abortIncompleteMultipartUpload": {"daysAfterInitiation": 1}}]},
    bad={"rules": [{"status": "Disabled", "abortIncompleteMultipartUpload": {"daysAfterInitiation": 1}}]},
    also_good={
        "one of two": {
            "rules": [
                {"status": "Enabled"},
                {"status": "Enabled", "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7}},
            ]
        }
    },
    also_bad={
        "never": {"rules": [{"status": "Enabled", "abortIncompleteMultipartUpload": {"daysAfterInitiation": 0}}]}
    },
)
def uploads_cleared(lifecycle: Reading) -> Check:
    def clears(step: Reading) -> Check:
        days = step["abortIncompleteMultipartUpload.daysAfterInitiation"]
        return step["status"].one_of("Enabled") & days.at_least(1, "days")

    return lifecycle["rules"].some(clears, "one that ends broken uploads")
