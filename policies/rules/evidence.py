"""Rules for what an auditor asks for later: logs, trails, and stores that nobody can empty."""

from tollgate.policy.check import Check
from tollgate.policy.reading import Reading
from tollgate.policy.severity import HIGH, LOW, MEDIUM
from tollgate.policy.statement import rule

LOG_GROUP, TRAIL = "aws:cloudwatch/logGroup:LogGroup", "aws:cloudtrail/trail:Trail"
LOCKS = (
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
    "aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2",
)
YEAR = 365  # days; PCI DSS 10.5.1 asks for twelve months


@rule(
    id="evidence-log-bound",
    why="A log that is kept for ever is paid for for ever, with personal data in it that must not be kept.",
    severity=MEDIUM,
    controls=("PCI-DSS 3.2.1",),
    types=(LOG_GROUP,),
    fix="set retentionInDays",
    good={"retentionInDays": 1},
    bad={"retentionInDays": 0},
)
def log_bounded(group: Reading) -> Check:
    return group["retentionInDays"].at_least(1, "days")


@rule(
    id="evidence-log-year",
    why="What happened eleven months ago must still be there when an auditor asks.",
    severity=LOW,  # a stack without payments does with less; prod makes it mandatory
    controls=("PCI-DSS 10.5.1",),
    types=(LOG_GROUP,),
    fix=f"set retentionInDays to {YEAR} or more",
    good={"retentionInDays": YEAR},
    bad={"retentionInDays": YEAR - 1},
)
def log_kept_a_year(group: Reading) -> Check:
    return group["retentionInDays"].at_least(YEAR, "days")


@rule(
    id="evidence-lock-comply",
    why="Evidence that an administrator can delete is no evidence against administrators.",
    severity=HIGH,
    controls=("PCI-DSS 10.3.2", "FSBP S3.15"),
    types=LOCKS,
    fix="set rule.defaultRetention.mode to COMPLIANCE and its days (or years) to 1 or more",
    good={"rule": {"defaultRetention": {"mode": "COMPLIANCE", "days": 1}}},
    bad={"rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": 1}}},
    also_good={"by the year": {"rule": {"defaultRetention": {"mode": "COMPLIANCE", "years": 1}}}},
    also_bad={
        "for no time": {"rule": {"defaultRetention": {"mode": "COMPLIANCE", "days": 0}}},
        "for no year": {"rule": {"defaultRetention": {"mode": "COMPLIANCE", "years": 0}}},
    },
)
def lock_complies(lock: Reading) -> Check:
    retention = lock["rule.defaultRetention"]
    kept = retention["days"].at_least(1, "days").unless(retention["years"].at_least(1))
    return retention["mode"].one_of("COMPLIANCE") & kept


@rule(
    id="evidence-lock-year",
    why="What happened eleven months ago must still be there when an auditor asks.",
    severity=LOW,  # a stack without payments does with less; prod makes it mandatory
    controls=("PCI-DSS 10.5.1",),
    types=LOCKS,
    fix=f"set rule.defaultRetention.days to {YEAR} or more (or years to 1 or more)",
    good={"rule": {"defaultRetention": {"days": YEAR}}},
    bad={"rule": {"defaultRetention": {"days": YEAR - 1}}},
    also_good={"by the year": {"rule": {"defaultRetention": {"years": 1}}}},
    also_bad={"for no year": {"rule": {"defaultRetention": {"years": 0}}}},
)
def lock_lasts_a_year(lock: Reading) -> Check:
    retention = lock["rule.defaultRetention"]
    return retention["days"].at_least(YEAR, "days").unless(retention["years"].at_least(1))


@rule(
    id="evidence-trail-whole",
    why="A trail that misses a region or the global services misses what an intruder does there.",
    severity=HIGH,
    controls=("PCI-DSS 10.2.1", "FSBP CloudTrail.1"),
    types=(TRAIL,),
    fix="set isMultiRegionTrail, includeGlobalServiceEvents and enableLogging to true",
    good={"isMultiRegionTrail": True, "includeGlobalServiceEvents": True, "enableLogging": True},
    bad={"isMultiRegionTrail": False, "includeGlobalServiceEvents": True, "enableLogging": True},
    also_bad={
        "without sign-ins": {"isMultiRegionTrail": True, "includeGlobalServiceEvents": False, "enableLogging": True},
        "switched off": {"isMultiRegionTrail": True, "includeGlobalServiceEvents": True, "enableLogging": False},
    },
    # pulumi_aws 7.51.1: both "Defaults to true".
    defaults={"includeGlobalServiceEvents": True, "enableLogging": True},
)
def trail_whole(trail: Reading) -> Check:
    everywhere = trail["isMultiRegionTrail"].is_true() & trail["includeGlobalServiceEvents"].is_true()
    return everywhere & trail["enableLogging"].is_true()


@rule(
    id="evidence-trail-sign",
    why="A record that can be changed without a trace proves nothing.",
    severity=HIGH,
    controls=("PCI-DSS 10.3.4", "FSBP CloudTrail.4"),
    types=(TRAIL,),
    fix="set enableLogFileValidation to true",
    good={"enableLogFileValidation": True},
    bad={"enableLogFileValidation": False},
)
def trail_signed(trail: Reading) -> Check:
    return trail["enableLogFileValidation"].is_true()


@rule(
    id="evidence-trail-key",
    why="Who may read the record of everything is decided by the key that it is locked with.",
    severity=MEDIUM,
    controls=("PCI-DSS 10.3.1", "FSBP CloudTrail.2"),
    types=(TRAIL,),
    fix="set kmsKeyId to the platform's own key",
    good={"kmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/evidence"},
    bad={"kmsKeyId": ""},
    later=("kmsKeyId",),
)
def trail_key_own(trail: Reading) -> Check:
    return trail["kmsKeyId"].is_set()


@rule(
    id="evidence-trail-watch",
    why="A record that nobody can search is read a year too late.",
    severity=MEDIUM,
    controls=("PCI-DSS 10.4.1", "FSBP CloudTrail.5"),
    types=(TRAIL,),
    fix="set cloudWatchLogsGroupArn",
    good={"cloudWatchLogsGroupArn": "arn:aws:logs:eu-west-1:111122223333:log-group:trail:*"},
    bad={"cloudWatchLogsGroupArn": ""},
    later=("cloudWatchLogsGroupArn",),
)
def trail_watched(trail: Reading) -> Check:
    return trail["cloudWatchLogsGroupArn"].is_set()


@rule(
    id="evidence-intrusion-watch",
    why="An intruder whom nobody looks for stays for months.",
    severity=HIGH,
    controls=("PCI-DSS 11.5.1", "FSBP GuardDuty.1"),
    types=("aws:guardduty/detector:Detector",),
    fix="set enable to true",
    good={"enable": True},
    bad={"enable": False},
    # pulumi_aws 7.51.1: "Defaults to true".
    defaults={"enable": True},
)
def intrusion_watched(detector: Reading) -> Check:
    return detector["enable"].is_true()


@rule(
    id="evidence-alarm-enable",
    why="An alarm that is switched off looks the same as one that has nothing to say.",
    severity=MEDIUM,
    controls=("PCI-DSS 10.7.2",),
    types=("aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm"),
    fix="set actionsEnabled to true",
    good={"actionsEnabled": True},
    bad={"actionsEnabled": False},
    # pulumi_aws 7.51.1: "Defaults to true".
    defaults={"actionsEnabled": True},
)
def alarm_enabled(alarm: Reading) -> Check:
    return alarm["actionsEnabled"].is_true()


@rule(
    id="evidence-flow-all",
    why="Traffic that was let through tells as much about a break-in as traffic that was refused.",
    severity=HIGH,
    controls=("PCI-DSS 10.2.1", "FSBP EC2.6"),
    types=("aws:ec2/flowLog:FlowLog",),
    fix="set trafficType to ALL",
    good={"trafficType": "ALL"},
    bad={"trafficType": "REJECT"},
    also_bad={"the other half": {"trafficType": "ACCEPT"}},
)
def flow_recorded(log: Reading) -> Check:
    return log["trafficType"].one_of("ALL")
