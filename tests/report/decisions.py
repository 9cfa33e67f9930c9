"""Decisions to draw reports from: built by hand, one for each thing a page must be able to say."""

from __future__ import annotations

from datetime import UTC, date, datetime

from tollgate.assess.model import (
    AcceptedRisk,
    Assessment,
    ChangedResource,
    Checks,
    Counts,
    Disproven,
    Evidence,
    Finding,
    Origin,
    Scanned,
    Unknown,
    Waived,
)
from tollgate.gate.model import Decision, Verdict
from tollgate.policy.severity import CRITICAL, HIGH, MEDIUM, Severity
from tollgate.report.model import Stage, Subject

DIGEST = "9f2c" * 16
REHEARSAL = Subject(
    project="payments",
    stack="staging",
    compared="the change in examples/dangerous.yaml against the present definition",
    engine_version="3.257.0",
    stand_ins=True,
    generated_at=datetime(2025, 6, 2, 9, 30, tzinfo=UTC),
    durations=(Stage(name="baseline", seconds=4.21), Stage(name="preview", seconds=3.08)),
    repeat="tollgate rehearse staging --what-if examples/dangerous.yaml",
)
REAL = REHEARSAL.model_copy(update={"stand_ins": False, "durations": (), "repeat": ""})


def urn(name: str, kind: str = "aws:rds/instance:Instance") -> str:
    return f"urn:pulumi:staging::payments::tollgate:data:Database${kind}::{name}"


def finding(name: str, rule: str, severity: Severity, sentence: str, **more: object) -> Finding:
    values = {"rule": rule, "severity": severity, "urn": urn(name), "sentence": sentence, **more}
    return Finding.model_validate({"origin": Origin.OPERATION, **values})


def dangerous() -> Decision:
    """Wait: replaced database, protection removed, two unknowns, a pack that could not show everything."""
    replaced = finding(
        "clearing",
        "stateful-data-replaced",
        CRITICAL,
        "Clearing's database would be deleted and made again, with everything it holds.",
        why="A replaced database starts empty; what it held is gone unless a copy is restored.",
        fix="Keep the present storage encryption key, or move the data to a new database first.",
        evidence=(Evidence(path="kmsKeyId", before="alias/payments", after="alias/payments-2"),),
    )
    findings = (
        replaced,
        finding(
            "wallet",
            "protection-removed",
            HIGH,
            "Wallet's database would lose its protection against deletion.",
            why="Protection is what stops the next mistake from deleting data.",
            fix="Leave deletionProtection on.",
            evidence=(
                Evidence(path="deletionProtection", before="true", after="false"),
                Evidence(path="skipFinalSnapshot", after="true"),
                Evidence(path="finalSnapshotIdentifier", before="wallet-final"),
            ),
        ),
        finding(
            "wallet",
            "database-backup-retain",
            HIGH,
            "Wallet's database would keep its backups for 1 day instead of 14.",
            why="A ledger that cannot be restored to last week cannot be trusted after a fault.",
            fix="Set backupRetentionPeriod to 14 days or more.",
            evidence=(Evidence(path="backupRetentionPeriod", before="14", after="1"),),
        ),
        finding(
            "edge-cache",
            "cache-eviction-set",
            MEDIUM,
            "The edge cache would evict keys at random.",
            evidence=(Evidence(path="maxmemoryPolicy"),),
        ),
    )
    resources = (
        ChangedResource(
            urn=urn("clearing"),
            type="aws:rds/instance:Instance",
            name="clearing",
            op="replace",
            properties=("kmsKeyId", "tags.owner"),
            replaced_because=("kmsKeyId",),
        ),
        ChangedResource(
            urn=urn("wallet"),
            type="aws:rds/instance:Instance",
            name="wallet",
            op="update",
            properties=("backupRetentionPeriod", "deletionProtection"),
        ),
        ChangedResource(urn=urn("tries", "rabbitmq.com/v1beta1:Queue"), type="Queue", name="tries", op="create"),
    )
    assessment = Assessment(
        project="payments",
        stack="staging",
        facts_digest=DIGEST,
        counts=Counts(create=1, update=1, replace=1, same=57),
        findings=findings,
        unknowns=(
            Unknown(what="value", sentence="The address of the new database is not known yet.", urn=urn("clearing")),
            Unknown(
                what="replacement",
                sentence="Whether the queue would be replaced is not known.",
                urn=urn("tries", "rabbitmq.com/v1beta1:Queue"),
            ),
        ),
        checks=Checks(passed=214, failed=1, not_evaluated=3),
        scan=Scanned(
            ran=True,
            version="3.3.30",
            resources=48,
            checks=Checks(passed=310, failed=1, waived=3, not_evaluated=2),
            accepted=(accepted(1), accepted(2)),
        ),
        resources=resources,
        notes=("The plan names no outputs.",),
    )
    return Decision(
        verdict=Verdict.WAIT,
        headline="Clearing's database would be deleted and made again, with everything it holds.",
        reasons=tuple(item.sentence for item in findings),
        asks=("The owner of the clearing database reads the finding and says yes or no.",),
        assessment=assessment,
    )


def accepted(resources: int) -> AcceptedRisk:
    return AcceptedRisk(
        rule="CKV_AWS_144",
        resources=resources,
        says="there is no copy in another Region",
        owner="Platform team",
        approver="Head of platform",
        until=date(2027, 1, 31),
        reason="The evidence stays in one country.",
        instead="Nothing in it can be deleted for 13 months.",
    )


def empty() -> Decision:
    """Allow: nothing changes at all."""
    assessment = Assessment(facts_digest=DIGEST, counts=Counts(same=60), checks=Checks(passed=300))
    return Decision(verdict=Verdict.ALLOW, headline="Nothing would change.", assessment=assessment)


def harmless() -> Decision:
    """Allow: one change, no findings, no pack."""
    assessment = Assessment(
        facts_digest=DIGEST,
        counts=Counts(update=1, guards=1, other=1, delete=1, same=1),
        disproven=(
            Disproven(
                rule="data-lost",
                urn=urn("tags"),
                sentence="The tag tags is deleted: we looked for data in it; it is fine, because it holds settings.",
                alike=1,
            ),
        ),
        resources=(
            ChangedResource(urn=urn("tags"), type="aws:ec2/tag:Tag", name="tags", op="delete"),
            ChangedResource(urn=urn("odd"), type="odd:index:Thing", name="odd", op="teleport"),
        ),
    )
    return Decision(verdict=Verdict.ALLOW, headline="Only labels change.", assessment=assessment)


def only_unknowns() -> Decision:
    """Wait: no finding, but something that nobody can tell."""
    assessment = Assessment(
        facts_digest=DIGEST,
        counts=Counts(update=1),
        scan=Scanned(ran=True, version="3.3.30", resources=1),
        unknowns=(Unknown(what="diff", sentence="What changes in the gateway is not known.", urn=urn("gateway")),),
        resources=(
            ChangedResource(urn=urn("gateway"), type="aws:lb/loadBalancer:LoadBalancer", name="gateway", op="update"),
        ),
    )
    return Decision(verdict=Verdict.WAIT, headline="One thing is not known.", assessment=assessment)


def denied() -> Decision:
    """Deny: one critical finding, nothing asked, one check."""
    found = finding("ledger", "data-deleted", CRITICAL, "The ledger's database would be deleted.")
    assessment = Assessment(
        facts_digest=DIGEST,
        counts=Counts(delete=1, same=2),
        findings=(found.model_copy(update={"also": ("CKV_AWS_293",)}),),
        checks=Checks(failed=1),
        scan=Scanned(ran=False),
        resources=(ChangedResource(urn=urn("ledger"), type="aws:rds/instance:Instance", name="ledger", op="delete"),),
    )
    reasons = (found.sentence, "The plan was cut off.")
    return Decision(verdict=Verdict.DENY, headline="Data would be lost.", reasons=reasons, assessment=assessment)


def waived() -> Decision:
    """Allow: one violation that stands under an exception."""
    stands = Waived(
        rule="database-backup-retain",
        urn=urn("scratch"),
        sentence="Scratch's database: backupRetentionPeriod is 1, wanted at least 7 days.",
        owner="Ledger team",
        approver="Head of platform",
        until=date(2025, 8, 31),
        reason="It holds copies only, and is made anew each night.",
        instead="The originals are kept for 35 days.",
    )
    assessment = Assessment(
        facts_digest=DIGEST, counts=Counts(same=2), checks=Checks(passed=4, waived=1), waived=(stands,)
    )
    return Decision(verdict=Verdict.ALLOW, headline="Nothing would change.", assessment=assessment)


def every_operation() -> Decision:
    """Wait: one resource for each word of the engine, and five reasons."""
    ops = ("same", "create", "update", "replace", "delete", "read", "refresh", "import", "discard")
    resources = tuple(ChangedResource(urn=urn(op), type="aws:s3/bucket:Bucket", name=op, op=op) for op in ops)
    findings = tuple(
        finding(op, "unknown-operation", severity, f"The bucket {op} needs a look.")
        for op, severity in zip(ops, (*reversed(Severity), CRITICAL), strict=False)
    )
    assessment = Assessment(
        facts_digest=DIGEST, counts=Counts(create=1, other=5), findings=findings, resources=resources
    )
    reasons = tuple(item.sentence for item in findings)
    return Decision(verdict=Verdict.WAIT, headline="Look first.", reasons=reasons[:4], assessment=assessment)


def many(count: int = 3_000) -> Decision:
    """Deny: so many findings that no comment can hold them."""
    severities = [CRITICAL] * 5 + [HIGH] * 95 + [MEDIUM] * (count - 100)
    findings = tuple(
        finding(
            f"db-{number}",
            f"rule-{number % 7}",
            severity,
            f"Database {number} would lose what it holds.",
            fix="Keep it.",
        )
        for number, severity in enumerate(severities)
    )
    resources = tuple(
        ChangedResource(
            urn=item.urn,
            type="aws:rds/instance:Instance",
            name=f"db-{number}",
            op="delete",
            properties=("a", "b.c", "d", "e"),
        )
        for number, item in enumerate(findings)
    )
    unknowns = tuple(Unknown(what="value", sentence=f"Value {n} is not known.") for n in range(300))
    assessment = Assessment(
        facts_digest=DIGEST,
        counts=Counts(delete=count),
        findings=findings,
        resources=resources,
        unknowns=unknowns,
    )
    reasons = tuple(item.sentence for item in findings)
    return Decision(verdict=Verdict.DENY, headline="Data would be lost.", reasons=reasons, assessment=assessment)
