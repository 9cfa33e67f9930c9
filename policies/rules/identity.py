"""Rules for who may do what in AWS: IAM policies, roles and keys."""

import re
from typing import Any

from tollgate.policy.check import Check
from tollgate.policy.iam import covers, each_allowing
from tollgate.policy.reading import Reading
from tollgate.policy.severity import CRITICAL, HIGH
from tollgate.policy.statement import rule

ROLE = "aws:iam/role:Role"
# What carries a policy document, in "policy" or, for a role, in "inlinePolicies".
CARRIERS = (
    ROLE,
    "aws:iam/policy:Policy",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/userPolicy:UserPolicy",
    "aws:iam/groupPolicy:GroupPolicy",
)
ATTACHMENTS = (
    ROLE,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
    "aws:iam/policyAttachment:PolicyAttachment",
)
LATER = ("policy", "inlinePolicies[*].policy")
# Actions with which an identity can give itself, or a thing that it controls, the rights of any other (IAM user guide,
# "Actions, resources, and condition keys"; the list is that of the known ways to escalate).
ESCALATING = (
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreatePolicyVersion",
    "iam:PassRole",
    "iam:PutGroupPolicy",
    "iam:PutRolePolicy",
    "iam:PutUserPolicy",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateLoginProfile",
    "sts:AssumeRole",
)
# Actions that give out what a payment platform guards.
READING = (
    "dynamodb:GetItem",
    "dynamodb:Query",
    "dynamodb:Scan",
    "kms:Decrypt",
    "rds-db:connect",
    "s3:GetObject",
    "secretsmanager:GetSecretValue",
    "sqs:ReceiveMessage",
    "ssm:GetParameter",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
)
# Everything, everything of a kind, or every bucket.
_ALL_OF_A_KIND = re.compile(
    r"[*?]+|arn:[^:]*:(?!s3:)[^:]*:[^:]*:[^:]*:([A-Za-z-]+[:/])?[*?][*?/:]*|arn:[^:]*:s3:::[*?].*"
)
# Policies of AWS that give everything, or enough to take the rest (AWS managed policy reference).
_GIVES_ALL = re.compile(r".*/(AdministratorAccess|PowerUserAccess|SystemAdministrator|[A-Za-z0-9]*FullAccess)")
# A service by its name, and a letter of an action at least: s3:Get*, s3:*Object.
_SOME_ACTIONS = re.compile(r"[A-Za-z0-9-]+:[*?]*[A-Za-z].*")
# A name of no service: what covers it covers all.
NO_ACTION = "zq-no-service:ZqNoAction"


def _allows(**statement: Any) -> dict[str, Any]:
    allowed = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::ledger"} | statement
    return {"policy": {"Statement": [allowed]}, "inlinePolicies": [{"policy": {"Statement": []}}]}


def _denies(**statement: Any) -> dict[str, Any]:
    return {"policy": {"Statement": [{"Effect": "Deny", **statement}]}, "inlinePolicies": []}


def _inline(**statement: Any) -> dict[str, Any]:
    allowed = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::ledger"} | statement
    return {"inlinePolicies": [{"policy": {"Statement": [allowed]}}]}


def _each_statement(identity: Reading, check: Any) -> Check:
    """Every statement that allows passes ``check``: in the policy itself, and in those of a role."""

    def judge(document: Reading) -> Check:
        return each_allowing(document, check).unless(document.is_left_out())

    inline = identity["inlinePolicies"]
    return judge(identity["policy"]) & inline.each(lambda own: judge(own["policy"])).unless(inline.is_left_out())


@rule(
    id="identity-policy-admin",
    why="Whoever takes over an identity that may do everything owns the bank.",
    severity=CRITICAL,
    controls=("PCI-DSS 7.2.5", "FSBP IAM.1"),
    types=CARRIERS,
    fix="name the actions that are needed in Action, and take NotAction out",
    good=_allows(),
    bad=_allows(Action="*"),
    also_good={
        "refusing is no risk": _denies(Action="*", Resource="*"),
        "in a role": _inline(),
        "as a text": {"policy": '{"Statement": {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": "*"}}'},
        "a role without any": {},
    },
    also_bad={
        "one of two": _allows(Action=["s3:ListBucket", "*"]),
        "in pieces": _allows(Action="*:*"),
        "in other signs": _allows(Action="?*"),
        "all but one": _allows(NotAction="iam:*"),
        "in a role": _inline(Action="*"),
    },
    later=LATER,
)
def policy_not_admin(identity: Reading) -> Check:
    def limited(statement: Reading) -> Check:
        return statement["NotAction"].is_left_out() & statement["Action"].one_or_each(_not_everything)

    return _each_statement(identity, limited)


def _not_everything(action: Reading) -> Check:
    return action.satisfies(lambda name: not covers(name, NO_ACTION), "actions by name")


@rule(
    id="identity-policy-service",
    why="A whole service's actions hold some that nobody thought of, and next year's new ones.",
    severity=HIGH,
    controls=("PCI-DSS 7.2.2", "FSBP IAM.21"),
    types=CARRIERS,
    fix="name the actions of the service in Action, as in s3:GetObject or s3:Get*",
    good=_allows(Action=["s3:GetObject", "s3:List*"]),
    bad=_allows(Action=["s3:*", "s3:List*"]),
    also_bad={
        "in other signs": _allows(Action=["s3:GetObject", "s3:?*"]),
        "several services": _allows(Action=["s*:GetObject", "s3:List*"]),
    },
    also_good={"refusing is no risk": _denies(Action="s3:*", Resource="*"), "one": _allows(Action="s3:GetObject")},
    later=LATER,
)
def policy_names_actions(identity: Reading) -> Check:
    return _each_statement(identity, lambda statement: statement["Action"].one_or_each(_names_action))


def _names_action(action: Reading) -> Check:
    return action.matches(_SOME_ACTIONS, "service:Action by name")


@rule(
    id="identity-policy-escalate",
    why="Whoever may hand out rights without a limit has all rights.",
    severity=HIGH,
    controls=("PCI-DSS 7.2.5", "FSBP IAM.1"),
    types=CARRIERS,
    fix="name in Resource, without *, the roles and users that the action is meant for",
    good=_allows(Action="iam:PassRole", Resource="arn:aws:iam::111122223333:role/backup"),
    bad=_allows(Action="iam:PassRole", Resource="*"),
    also_good={
        "a harmless action": _allows(Action="iam:GetRole", Resource="*"),
        "several": _allows(Action=["iam:PassRole"], Resource=["arn:aws:iam::111122223333:role/backup"]),
    },
    also_bad={
        "every role": _allows(Action="iam:PassRole", Resource="arn:aws:iam::111122223333:role/*"),
        "in other letters": _allows(Action="IAM:passrole", Resource="*"),
        "by a pattern": _allows(Action=["iam:Put*"], Resource="*"),
        "becoming anybody": _allows(Action="sts:AssumeRole", Resource="*"),
        "all but one": _allows(
            Action="iam:PassRole",
            Resource="arn:aws:iam::111122223333:role/backup",
            NotResource="arn:aws:iam::111122223333:role/admin",
        ),
    },
    later=LATER,
)
def policy_escalates_nothing(identity: Reading) -> Check:
    def limited(statement: Reading) -> Check:
        named = statement["Resource"].one_or_each(lambda one: one.satisfies(lambda arn: "*" not in str(arn), "no *"))
        harmless = statement["Action"].one_or_each(lambda action: _is_none_of(action, ESCALATING))
        return (named & statement["NotResource"].is_left_out()).unless(harmless)

    return _each_statement(identity, limited)


def _is_none_of(action: Reading, names: tuple[str, ...]) -> Check:
    return action.satisfies(lambda text: not any(covers(text, name) for name in names), "another action")


@rule(
    id="identity-policy-resource",
    why="A service that may read every secret, key or file may read those of all other services.",
    severity=HIGH,
    controls=("PCI-DSS 7.2.5", "FSBP KMS.1", "FSBP KMS.2", "Seed 15"),
    types=CARRIERS,
    fix="name in Resource the secrets, keys, files and tables that are the service's own",
    good=_allows(Action="ssm:GetParameter", Resource="arn:aws:ssm:eu-west-1:111122223333:parameter/prod/gateway/*"),
    bad=_allows(Action="ssm:GetParameter", Resource="*"),
    also_good={
        "a harmless action": _allows(Action="ssm:DescribeParameters", Resource="*"),
        "a bucket's files": _allows(Action="s3:GetObject", Resource="arn:aws:s3:::ledger/*"),
        "by a pattern": _allows(
            Action="secretsmanager:Get*", Resource="arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/gateway/*"
        ),
        "several": _allows(
            Action=["ssm:GetParameter"], Resource=["arn:aws:ssm:eu-west-1:111122223333:parameter/prod/gateway/*"]
        ),
    },
    also_bad={
        "all of a kind": _allows(Action="ssm:GetParameter", Resource="arn:aws:ssm:eu-west-1:111122223333:parameter/*"),
        "all of a service": _allows(Action="ssm:GetParameter", Resource="arn:aws:ssm:*:*:*"),
        "every bucket": _allows(Action="s3:GetObject", Resource="arn:aws:s3:::*/*"),
        "one of two": _allows(
            Action="ssm:GetParameter",
            Resource=["arn:aws:ssm:eu-west-1:111122223333:parameter/prod/gateway/*", "*"],
        ),
        "by a pattern": _allows(Action="secretsmanager:Get*", Resource="*"),
        "all but one": _allows(
            Action="ssm:GetParameter",
            Resource="arn:aws:ssm:eu-west-1:111122223333:parameter/prod/gateway/*",
            NotResource="arn:aws:ssm:eu-west-1:111122223333:parameter/prod/clearing/*",
        ),
    },
    later=LATER,
)
def policy_names_resources(identity: Reading) -> Check:
    def limited(statement: Reading) -> Check:
        named = statement["Resource"].one_or_each(lambda one: one.satisfies(_is_some_of_a_kind, "resources by name"))
        harmless = statement["Action"].one_or_each(lambda action: _is_none_of(action, READING))
        return (named & statement["NotResource"].is_left_out()).unless(harmless)

    return _each_statement(identity, limited)


def _is_some_of_a_kind(arn: Any) -> bool:
    return isinstance(arn, str) and _ALL_OF_A_KIND.fullmatch(arn) is None


@rule(
    id="identity-attachment-limit",
    why="A ready-made policy that gives everything gives it to whoever takes over the identity.",
    severity=CRITICAL,
    controls=("PCI-DSS 7.2.5", "FSBP IAM.1"),
    types=ATTACHMENTS,
    fix="attach a policy that names what is needed instead of AdministratorAccess, PowerUserAccess or …FullAccess",
    good={
        "policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy",
        "policyArns": ["arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"],
        "managedPolicyArns": ["arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"],
    },
    bad={
        "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess",
        "policyArns": ["arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"],
        "managedPolicyArns": ["arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"],
    },
    also_good={"none": {}},
    also_bad={
        "nearly everything": {"policyArn": "arn:aws:iam::aws:policy/PowerUserAccess"},
        "of one service": {"policyArn": "arn:aws:iam::aws:policy/AmazonS3FullAccess"},
        "in another partition": {"policyArn": "arn:aws-cn:iam::aws:policy/IAMFullAccess"},
        "for a job": {"policyArn": "arn:aws:iam::aws:policy/job-function/SystemAdministrator"},
        "with a role": {"managedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]},
        "in a list": {"policyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]},
    },
    # pulumi_aws 7.51.1: each of the types has one of the three.
    defaults={"policyArn": None, "policyArns": None, "managedPolicyArns": None},
    later=("policyArn", "policyArns[*]", "managedPolicyArns[*]"),
)
def attachment_limited(attachment: Reading) -> Check:
    in_lists = attachment["policyArns"].each(_gives_some) & attachment["managedPolicyArns"].each(_gives_some)
    return _gives_some(attachment["policyArn"]) & in_lists


def _gives_some(policy: Reading) -> Check:
    return policy.satisfies(lambda arn: isinstance(arn, str) and not _GIVES_ALL.fullmatch(arn), "a limited policy")
