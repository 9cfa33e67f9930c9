"""Rules for who may become somebody in AWS: the trust of roles, keys and passwords."""

from typing import Any

from tollgate.policy.check import Check
from tollgate.policy.iam import asks_subject, each_allowing, names_who
from tollgate.policy.reading import Reading
from tollgate.policy.severity import CRITICAL, HIGH, MEDIUM
from tollgate.policy.statement import rule

ROLE = "aws:iam/role:Role"


def _trusts(**statement: Any) -> dict[str, Any]:
    trusted = {"Effect": "Allow", "Action": "sts:AssumeRole", **statement}
    return {"assumeRolePolicy": {"Statement": [trusted]}}


@rule(
    id="identity-trust-name",
    why="A role that anybody may take on belongs to everybody with an AWS account.",
    severity=CRITICAL,
    controls=("PCI-DSS 7.2.5", "PCI-DSS 8.2.2"),
    types=(ROLE,),
    fix="name the account, role or service in Principal of assumeRolePolicy",
    good=_trusts(Principal={"Service": "lambda.amazonaws.com"}),
    bad=_trusts(Principal={"Service": "*"}),
    also_good={
        "one account": _trusts(Principal={"AWS": "111122223333"}),
        "everybody of our own": _trusts(
            Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
        ),
    },
    also_bad={"everybody": _trusts(Principal="*"), "any account": _trusts(Principal={"AWS": "*"})},
    later=("assumeRolePolicy",),
)
def trust_named(role: Reading) -> Check:
    return each_allowing(role["assumeRolePolicy"], names_who)


@rule(
    id="identity-trust-subject",
    why="A role for a code host's pipelines that asks for no repository can be taken on from every repository.",
    severity=CRITICAL,
    controls=("PCI-DSS 7.2.5", "PCI-DSS 8.2.2"),
    types=(ROLE,),
    fix="demand the token's :sub in Condition of assumeRolePolicy",
    good=_trusts(
        Principal={"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
        Condition={
            "StringEquals": {"token.actions.githubusercontent.com:sub": "repo:bank/payments:ref:refs/heads/main"}
        },
    ),
    bad=_trusts(
        Principal={"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
        Condition={"StringEquals": {"token.actions.githubusercontent.com:sub": "*"}},
    ),
    also_good={
        "a service": _trusts(Principal={"Service": "lambda.amazonaws.com"}),
        "the company's directory": _trusts(Principal={"Federated": "arn:aws:iam::111122223333:saml-provider/corp"}),
    },
    later=("assumeRolePolicy",),
)
def trust_asks_subject(role: Reading) -> Check:
    def asks(statement: Reading) -> Check:
        provider = statement["Principal.Federated"]
        other = provider.satisfies(lambda arn: ":saml-provider/" in str(arn), "a directory") | provider.is_left_out()
        return asks_subject(statement).unless(other)

    return each_allowing(role["assumeRolePolicy"], asks)


@rule(
    id="identity-key-none",
    why="A key that works for ever, from anywhere, is what most break-ins begin with.",
    severity=HIGH,
    controls=("PCI-DSS 8.6.3", "FSBP IAM.3"),
    types=("aws:iam/accessKey:AccessKey",),
    fix="let programs take on a role instead, and set status of what is left to Inactive",
    good={"status": "Inactive"},
    bad={"status": "Active"},
)
def key_inactive(key: Reading) -> Check:
    return key["status"].one_of("Inactive")


@rule(
    id="identity-password-strong",
    why="Short passwords that are used for ever and again are guessed.",
    severity=MEDIUM,
    controls=("PCI-DSS 8.3.6", "PCI-DSS 8.3.7", "FSBP IAM.7"),
    types=("aws:iam/accountPasswordPolicy:AccountPasswordPolicy",),
    fix="set minimumPasswordLength to 12 or more and passwordReusePrevention to 4 or more",
    good={"minimumPasswordLength": 12, "passwordReusePrevention": 4},
    bad={"minimumPasswordLength": 11, "passwordReusePrevention": 4},
    also_bad={"the last one again": {"minimumPasswordLength": 12, "passwordReusePrevention": 3}},
)
def password_strong(policy: Reading) -> Check:
    return policy["minimumPasswordLength"].at_least(12, "signs") & policy["passwordReusePrevention"].at_least(4)
