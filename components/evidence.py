"""EvidenceStore: where records go that nobody may change afterwards, such as checkpoints of the gate's ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import s3

from components.access import document
from components.base import Component
from components.specs import EvidenceSpec, Safety, Target

# Parts of an upload that never ended are invisible, and paid for (S3 user guide); a week is ours.
STALE_UPLOAD_DAYS = 7


@dataclass(frozen=True)
class EvidenceOutputs:
    """The bucket's name and the ARN of its key: a writer needs both."""

    bucket: pulumi.Output[str]
    key_arn: pulumi.Input[str]


class EvidenceStore(Component, token="tollgate:evidence:EvidenceStore"):
    """A bucket that keeps what it is given. aws only.

    On kubernetes and edge this raises Refusal. An S3 of one's own can take the same calls, but whoever runs it can
    delete the disk beneath; pointing at one would promise what nobody keeps. Evidence of such stacks goes to the
    bucket of an aws stack.

    Declares: two buckets, the evidence and the log of who read and wrote it; for each its versioning, encryption,
    ownership, public access block, lifecycle and policy; for the evidence also Object Lock and access logging.

    Guarantees: what was written can be neither changed nor deleted before its time, by anyone, the account's owner
    included (Object Lock in compliance mode; PCI DSS 10.3.2, 10.5.1); encrypted under its own key; TLS only; never
    public; every access is logged (PCI DSS 10.2.1). S3 names are shared by all of AWS, so Pulumi adds a random end.
    """

    def __init__(
        self,
        name: str,
        spec: EvidenceSpec,
        *,
        target: Target,
        safety: Safety,
        key_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, safety=safety, opts=opts)
        self.refuse(spec.refused_by(target))
        evidence = s3.Bucket(
            self.child("evidence"), object_lock_enabled=True, force_destroy=False, opts=self.stateful()
        )
        log = s3.Bucket(self.child("access"), force_destroy=False, opts=self.stateful())
        # S3 cannot deliver its logs into a bucket with a key of ours, nor into one with a default lock (S3 user guide,
        # "Enabling server access logging"): the log has S3's own key, and versions instead of a lock.
        ours = {"sse_algorithm": "aws:kms", "kms_master_key_id": key_arn}
        locked = self._closed(
            "evidence", evidence, {"apply_server_side_encryption_by_default": ours, "bucket_key_enabled": True}
        )
        versions = self._closed("access", log, {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}})
        self._lock(evidence, spec.retention_days, locked)
        self._lifecycle("evidence", evidence, _evidence_ages(spec), locked)
        self._lifecycle("access", log, _log_ages(spec), versions)
        self._policy("evidence", evidence, evidence.arn.apply(lambda arn: document(_tls_only(arn))))
        delivered = self._policy(
            "access",
            log,
            pulumi.Output.all(log.arn, evidence.arn).apply(
                lambda arns: document(_tls_only(arns[0]), _takes_log(*arns))
            ),
        )
        s3.BucketLogging(
            self.child("evidence"),
            bucket=evidence.id,
            target_bucket=log.id,
            target_prefix="evidence/",
            opts=self.within(depends_on=[delivered]),
        )
        self.outputs = self.register(EvidenceOutputs(bucket=evidence.id, key_arn=key_arn))

    def _closed(self, name: str, bucket: s3.Bucket, encryption: dict[str, Any]) -> s3.BucketVersioning:
        """What both buckets have: no public way in, no owners but us, encryption, versions."""
        s3.BucketPublicAccessBlock(
            self.child(name),
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self.within(),
        )
        s3.BucketOwnershipControls(
            self.child(name),
            bucket=bucket.id,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=self.within(),
        )
        s3.BucketServerSideEncryptionConfiguration(
            self.child(name),
            bucket=bucket.id,
            rules=[encryption],
            opts=self.within(),
        )
        return s3.BucketVersioning(
            self.child(name), bucket=bucket.id, versioning_configuration={"status": "Enabled"}, opts=self.within()
        )

    def _lock(self, bucket: s3.Bucket, days: int, versioning: s3.BucketVersioning) -> None:
        s3.BucketObjectLockConfiguration(
            self.child("evidence"),
            bucket=bucket.id,
            rule={"default_retention": {"mode": "COMPLIANCE", "days": days}},
            opts=self.stateful(depends_on=[versioning]),
        )

    def _lifecycle(self, name: str, bucket: s3.Bucket, ages: dict[str, Any], versioning: s3.BucketVersioning) -> None:
        rule = {
            "id": "age",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "abort_incomplete_multipart_upload": {"days_after_initiation": STALE_UPLOAD_DAYS},
            **ages,
        }
        s3.BucketLifecycleConfiguration(
            self.child(name), bucket=bucket.id, rules=[rule], opts=self.within(depends_on=[versioning])
        )

    def _policy(self, name: str, bucket: s3.Bucket, policy: pulumi.Input[str]) -> s3.BucketPolicy:
        return s3.BucketPolicy(self.child(name), bucket=bucket.id, policy=policy, opts=self.within())


def _evidence_ages(spec: EvidenceSpec) -> dict[str, Any]:
    """Evidence gets cheaper storage and never expires by itself; versions that were overwritten do, once unlocked."""
    return {
        "transitions": [{"days": spec.archive_after_days, "storage_class": "GLACIER_IR"}],
        "noncurrent_version_expiration": {"noncurrent_days": spec.retention_days},
    }


def _log_ages(spec: EvidenceSpec) -> dict[str, Any]:
    return {
        "expiration": {"days": spec.access_log_retention_days},
        "noncurrent_version_expiration": {"noncurrent_days": spec.access_log_retention_days},
    }


def _tls_only(bucket_arn: str) -> dict[str, Any]:
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket_arn, f"{bucket_arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _takes_log(log_arn: str, evidence_arn: str) -> dict[str, Any]:
    return {
        "Sid": "TakesLog",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"{log_arn}/evidence/*",
        "Condition": {"ArnLike": {"aws:SourceArn": evidence_arn}},
    }
