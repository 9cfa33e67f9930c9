"""Rules for Redis and Valkey."""

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import HIGH
from tollgate.policy.statement import rule


@rule(
    id="cache-replication-encrypt",
    why="Payment state in a cache is payment data: on disk and on the wire it must be unreadable to others.",
    severity=HIGH,
    controls=("PCI-DSS 3.5.1", "PCI-DSS 4.2.1", "FSBP ElastiCache.4", "FSBP ElastiCache.5"),
    types=("aws:elasticache/replicationGroup:ReplicationGroup",),
    fix="set transitEncryptionEnabled and atRestEncryptionEnabled to true",
    good={"transitEncryptionEnabled": True, "atRestEncryptionEnabled": True},
    bad={"transitEncryptionEnabled": False, "atRestEncryptionEnabled": True},
)
def replication_encrypted(cache: Reading) -> Check:
    return cache["transitEncryptionEnabled"].is_true() & cache["atRestEncryptionEnabled"].is_true()
