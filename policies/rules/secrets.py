"""Rules for secrets: Secrets Manager, External Secrets, and secrets that stand in the open."""

import re
from collections.abc import Mapping
from typing import Any

from tollgate.policy.check import Check
from tollgate.policy.pods import WORKLOADS, each_container, pod_defaults
from tollgate.policy.reading import Reading
from tollgate.policy.sentinels import SECRET_SIGNATURE, SIGNATURE_KEY
from tollgate.policy.severity import HIGH, LOW, MEDIUM
from tollgate.policy.statement import rule
from tollgate.policy.units import seconds

SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105  (a type, not a secret)
EXTERNAL = "kubernetes:external-secrets.io/v1:ExternalSecret"
RECOVERY_DAYS = 7  # the least that Secrets Manager offers, besides none
ROTATION_DAYS = 90  # AWS FSBP SecretsManager.4
MINUTE, DAY = 60, 86_400  # seconds
# Names of settings whose value is a secret, in any case and with any words before: DB_PASSWORD, apiKey, auth-token.
_TELLS = re.compile(
    r".*(passwords?|passwd|passphrase|secret|token|credentials?|(api|access|private|secret|signing|encryption)[_.-]?key)",
    re.IGNORECASE | re.DOTALL,
)
_MARKED = {SIGNATURE_KEY: SECRET_SIGNATURE, "value": "hidden"}
_RATE = re.compile(r"rate\((\d+) (hour|day)s?\)")
# cron(minute hour day month weekday year) of Secrets Manager, with a month field that comes round each three months.
_EACH_QUARTER = re.compile(r"cron\(\S+ \S+ \S+ (\*|(\*|\d+)/[1-3]) \S+ \*\)")


@rule(
    id="secret-store-key",
    why="Who may read a secret is decided by the key that it is locked with.",
    severity=MEDIUM,
    controls=("PCI-DSS 3.6.1", "PCI-DSS 8.3.2"),
    types=(SECRET,),
    fix="set kmsKeyId to the platform's own key",
    good={"kmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/secrets"},
    bad={"kmsKeyId": ""},
    later=("kmsKeyId",),
)
def store_key_own(secret: Reading) -> Check:
    return secret["kmsKeyId"].is_set()


@rule(
    id="secret-delete-wait",
    why="A secret that is gone at once stops every service that needs it, with no way back.",
    severity=LOW,  # a stack that is thrown away does without; staging and prod make it mandatory
    controls=("Seed 19",),
    types=(SECRET,),
    fix=f"set recoveryWindowInDays to {RECOVERY_DAYS} or more",
    good={"recoveryWindowInDays": RECOVERY_DAYS},
    bad={"recoveryWindowInDays": 0},
    # pulumi_aws 7.51.1: "The default value is 30".
    defaults={"recoveryWindowInDays": 30},
)
def deletion_waits(secret: Reading) -> Check:
    return secret["recoveryWindowInDays"].at_least(RECOVERY_DAYS, "days")


@rule(
    id="secret-value-rotate",
    why="A secret that stays the same for years is known to everyone who ever worked here.",
    severity=HIGH,
    controls=("PCI-DSS 8.3.9", "PCI-DSS 8.6.3", "FSBP SecretsManager.1", "FSBP SecretsManager.4"),
    types=("aws:secretsmanager/secretRotation:SecretRotation",),
    fix=f"set rotationRules.automaticallyAfterDays to {ROTATION_DAYS} or less, or a scheduleExpression as often",
    good={"rotationRules": {"automaticallyAfterDays": ROTATION_DAYS}},
    bad={"rotationRules": {"automaticallyAfterDays": ROTATION_DAYS + 1}},
    also_good={
        "each quarter": {"rotationRules": {"scheduleExpression": "cron(0 18 1 1/3 ? *)"}},
        "each month": {"rotationRules": {"scheduleExpression": "cron(0 18 1 * ? *)"}},
        "a number of days": {"rotationRules": {"scheduleExpression": "rate(90 days)"}},
        "each day": {"rotationRules": {"scheduleExpression": "rate(1 day)"}},
        "a number of hours": {"rotationRules": {"scheduleExpression": "rate(2160 hours)"}},
    },
    also_bad={
        "each half year": {"rotationRules": {"scheduleExpression": "cron(0 18 1 1/6 ? *)"}},
        "each January": {"rotationRules": {"scheduleExpression": "cron(0 18 1 1 ? *)"}},
        "once": {"rotationRules": {"scheduleExpression": "cron(0 18 1 1/3 ? 2027)"}},
        "too many days": {"rotationRules": {"scheduleExpression": "rate(91 days)"}},
        "too many hours": {"rotationRules": {"scheduleExpression": "rate(2161 hours)"}},
    },
)
def value_rotated(rotation: Reading) -> Check:
    rules = rotation["rotationRules"]
    schedule = rules["scheduleExpression"]
    by_days = rules["automaticallyAfterDays"].at_most(ROTATION_DAYS, "days")
    by_schedule = schedule.satisfies(_often_enough, f"each {ROTATION_DAYS} days or more often")
    return rules.any_of([by_days, by_schedule], f"a rotation each {ROTATION_DAYS} days or more often")


def _often_enough(expression: object) -> bool:
    text = str(expression)
    rate = _RATE.fullmatch(text)
    if rate:
        return int(rate[1]) <= ROTATION_DAYS * (24 if rate[2] == "hour" else 1)
    return _EACH_QUARTER.fullmatch(text) is not None


@rule(
    id="secret-value-hide",
    why="A secret that is written in the open ends up in the state, in reports and in everybody's terminal.",
    severity=HIGH,
    controls=("PCI-DSS 8.6.2", "Seed 15"),
    types=("aws:secretsmanager/secretVersion:SecretVersion",),
    fix="let the value be made where it is kept, or mark it as a secret (pulumi.Output.secret)",
    good={"secretString": _MARKED, "secretBinary": _MARKED},
    bad={"secretString": "in the open", "secretBinary": _MARKED},
    also_good={"set when it runs": {"secretStringWo": "never kept"}},
    also_bad={"in binary": {"secretString": _MARKED, "secretBinary": "in the open"}},
    # pulumi_aws 7.51.1: each is optional.
    defaults={"secretString": None, "secretBinary": None},
)
def value_hidden(version: Reading) -> Check:
    return version["secretString"].is_secret() & version["secretBinary"].is_secret()


@rule(
    id="secret-object-hide",
    why="A secret that is written in the open ends up in the state, in reports and in everybody's terminal.",
    severity=HIGH,
    controls=("PCI-DSS 8.6.2", "Seed 15"),
    types=("kubernetes:core/v1:Secret",),
    fix="use an ExternalSecret, or mark each value of data and stringData as a secret (pulumi.Output.secret)",
    good={"data": {"password": _MARKED}, "stringData": {"user": _MARKED}},
    bad={"data": {"password": _MARKED}, "stringData": {"user": "in the open"}},
    also_good={"all of it": {"stringData": _MARKED}, "none": {"type": "kubernetes.io/service-account-token"}},
    also_bad={"encoded is not hidden": {"data": {"password": "aW4gdGhlIG9wZW4="}, "stringData": {"user": _MARKED}}},
    # Kubernetes API reference: both are optional.
    defaults={"data": None, "stringData": None, "data.password": None, "stringData.user": None},
)
def object_hidden(secret: Reading) -> Check:
    return _all_hidden(secret["data"]) & _all_hidden(secret["stringData"])


def _all_hidden(values: Reading) -> Check:
    return values.each_value(Reading.is_secret).unless(values.is_secret())


@rule(
    id="secret-sync-regular",
    why="A secret that is never read again goes on being used after it was changed.",
    severity=MEDIUM,
    controls=("PCI-DSS 8.6.3",),
    types=(EXTERNAL,),
    fix="set spec.refreshInterval between 1m and 24h",
    good={"spec": {"refreshInterval": "1h"}},
    bad={"spec": {"refreshInterval": "0"}},
    also_good={"at least": {"spec": {"refreshInterval": "60s"}}, "at most": {"spec": {"refreshInterval": "24h"}}},
    also_bad={
        "so often that it is throttled": {"spec": {"refreshInterval": "59s"}},
        "next month": {"spec": {"refreshInterval": "24h1s"}},
        "no time": {"spec": {"refreshInterval": "often"}},
    },
    # CRD externalsecrets.external-secrets.io: default 1h.
    defaults={"spec.refreshInterval": "1h0m0s"},
)
def sync_regular(external: Reading) -> Check:
    def regular(interval: Any) -> bool:
        length = seconds(interval)
        return length is not None and MINUTE <= length <= DAY

    return external["spec.refreshInterval"].satisfies(regular, "1m to 24h")


@rule(
    id="secret-sync-keep",
    why="A fault in the secret store must not take the secrets of running services away.",
    severity=MEDIUM,
    types=(EXTERNAL,),
    fix="set spec.target.deletionPolicy to Retain",
    good={"spec": {"target": {"deletionPolicy": "Retain"}}},
    bad={"spec": {"target": {"deletionPolicy": "Delete"}}},
    # CRD externalsecrets.external-secrets.io: default Retain.
    defaults={"spec.target.deletionPolicy": "Retain"},
)
def sync_kept(external: Reading) -> Check:
    return external["spec.target.deletionPolicy"].one_of("Retain")


@rule(
    id="secret-store-scope",
    why="A store that serves every namespace lets any team read any other team's secrets.",
    severity=HIGH,
    controls=("PCI-DSS 7.2.5",),
    types=("kubernetes:external-secrets.io/v1:ClusterSecretStore",),
    fix="name the namespaces in spec.conditions",
    good={"spec": {"conditions": [{"namespaces": ["payments"]}]}},
    bad={"spec": {"conditions": [{"namespaces": []}]}},
    also_bad={"none": {"spec": {"conditions": []}}, "by pattern": {"spec": {"conditions": [{}]}}},
)
def store_scoped(store: Reading) -> Check:
    conditions = store["spec.conditions"]
    return conditions.is_set() & conditions.each(lambda condition: condition["namespaces"].has_items())


@rule(
    id="secret-store-keyless",
    why="A store that signs in with a stored key needs a secret to protect all others.",
    severity=HIGH,
    controls=("PCI-DSS 8.6.2",),
    types=(
        "kubernetes:external-secrets.io/v1:SecretStore",
        "kubernetes:external-secrets.io/v1:ClusterSecretStore",
    ),
    fix="take spec.provider.aws.auth.secretRef out and give the operator an identity",
    good={"spec": {"provider": {"aws": {"auth": {}}}}},
    bad={"spec": {"provider": {"aws": {"auth": {"secretRef": {"accessKeyIDSecretRef": {"name": "aws"}}}}}}},
    also_good={"another provider": {"spec": {"provider": {}}}},
)
def store_keyless(store: Reading) -> Check:
    return store["spec.provider.aws.auth.secretRef"].is_left_out()


def _env(name: str, **given: object) -> dict[str, object]:
    return {"spec": {"template": {"spec": {"containers": [{"env": [{"name": name, **given}]}]}}}}


def _envs(*names: str) -> dict[str, object]:
    return {"spec": {"containers": [{"env": [{"name": name, "value": "ledger"} for name in names]}]}}


@rule(
    id="secret-variable-refer",
    why="A password in a pod's description can be read by everyone who may look at the pod.",
    severity=HIGH,
    controls=("PCI-DSS 8.6.2", "CIS-Kubernetes 5.4.1", "Seed 15"),
    types=WORKLOADS,
    fix="give the variable a valueFrom.secretKeyRef, or mount the secret as a file",
    good=_env("DB_USER", value="ledger"),
    bad=_env("DB_PASSWORD", value="ledger"),
    also_good={
        "referred to": _env("DB_PASSWORD", valueFrom={"secretKeyRef": {"name": "db", "key": "password"}}),
        "about a token": _env("TOKEN_TTL_SECONDS", value="60"),
        "two": _envs("DB_USER", "DB_NAME"),
    },
    also_bad={
        "one of two": _envs("DB_USER", "DB_PASSWORD"),
        "in other letters": _env("apiKey", value="ledger"),
        "of the driver": _env("PGPASSWORD", value="ledger"),
        "a key": _env("AWS_SECRET_ACCESS_KEY", value="ledger"),
    },
    # Kubernetes API reference: a container has no variables, and a variable no value, unless given.
    defaults=pod_defaults(container={"env": None, "env[*].value": None}),
)
def variables_refer(workload: Reading) -> Check:
    return each_container(workload, lambda container: container["env"].each(_harmless))


def _harmless(variable: Reading) -> Check:
    return _innocent(variable["name"]).unless(variable["value"].is_left_out())


def _innocent(name: Reading) -> Check:
    return name.satisfies(lambda text: _TELLS.fullmatch(str(text)) is None, "a reference to a secret")


@rule(
    id="secret-config-hide",
    why="Whoever may read settings may read a ConfigMap: a password has no place there.",
    severity=HIGH,
    controls=("PCI-DSS 8.6.2", "Seed 15"),
    types=("kubernetes:core/v1:ConfigMap",),
    fix="move the value into a secret that an ExternalSecret brings",
    good={"data": {"db-user": "ledger"}},
    bad={"data": {"db-user": "ledger", "db-password": "ledger"}},
    also_good={"nothing": {}},
    also_bad={"in capitals": {"data": {"db-user": "ledger", "DB_PASSWORD": "ledger"}}},
    # Kubernetes API reference: data is optional.
    defaults={"data": None},
)
def config_hides(config: Reading) -> Check:
    return _tells_nothing(config["data"])


def _tells_nothing(settings: Reading) -> Check:
    result = settings.satisfies(lambda names: isinstance(names, Mapping), "an object")
    for name in settings.value if isinstance(settings.value, Mapping) else ():
        if _TELLS.fullmatch(name):
            result &= settings.key(name).hidden().is_left_out()
    return result


@rule(
    id="secret-function-hide",
    why="A password in a function's settings can be read by everyone who may look at the function.",
    severity=HIGH,
    controls=("PCI-DSS 8.6.2", "Seed 15"),
    types=("aws:lambda/function:Function",),
    fix="let the function read the value from Secrets Manager when it runs",
    good={"environment": {"variables": {"DB_USER": "ledger"}}},
    bad={"environment": {"variables": {"DB_USER": "ledger", "DB_PASSWORD": "ledger"}}},
    also_good={"nothing": {}},
    # pulumi_aws 7.51.1: environment is optional.
    defaults={"environment.variables": None},
)
def function_hides(function: Reading) -> Check:
    return _tells_nothing(function["environment.variables"])
