"""Policy documents: whom a statement lets in, and what a pattern covers."""

import json

import pytest

from tollgate.policy.check import Verdict
from tollgate.policy.iam import asks_subject, covers, each_allowing, names_who
from tollgate.policy.reading import Reading
from tollgate.policy.sentinels import UNKNOWN

H, U, F = Verdict.HOLDS, Verdict.UNSHOWN, Verdict.FAILS
ACCOUNT = "111122223333"


@pytest.mark.parametrize(
    ("pattern", "name", "taken"),
    [
        ("s3:GetObject", "s3:getobject", True),
        ("s3:Get*", "s3:GetObject", True),
        ("s3:G?tObject", "s3:GetObject", True),
        ("*", "s3:GetObject", True),
        ("s3:Put*", "s3:GetObject", False),
        ("s3.GetObject", "s3:GetObject", False),
        ("s3:[A-Z]*", "s3:GetObject", False),
        ("s3:GetObject", "s3:GetObjectAcl", False),
        (None, "s3:GetObject", True),
    ],
)
def test_a_pattern_covers_a_name_as_in_iam(pattern, name, taken):
    assert covers(pattern, name) is taken


PRINCIPALS = [
    ({"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/clearing"}}, H),
    ({"Principal": {"AWS": [ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"]}}, H),
    ({"Principal": {"Service": "logs.amazonaws.com"}}, H),
    ({"Principal": "*"}, F),
    ({"Principal": {"AWS": "*"}}, F),
    ({"Principal": {"AWS": [ACCOUNT, "*"]}}, F),
    ({"Principal": {"Service": "logs.amazonaws.com", "AWS": "*"}}, F),
    ({"Principal": {"AWS": 5}}, F),
    ({"Principal": {}}, F),
    ({"Principal": {"AWS": None}}, F),
    ({}, F),
    ({"Principal": ACCOUNT, "NotPrincipal": {"AWS": ACCOUNT}}, F),
    ({"Principal": UNKNOWN}, U),
    ({"Principal": {"AWS": UNKNOWN}}, U),
    ({"Principal": "*", "Condition": UNKNOWN}, U),
    ({"Principal": "*", "Condition": {"StringEquals": UNKNOWN}}, U),
    ({"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalAccount": UNKNOWN}}}, U),
    ({"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}}, H),
    ({"Principal": "*", "Condition": {"StringEquals": {"AWS:principalaccount": [ACCOUNT]}}}, H),
    ({"Principal": "*", "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{ACCOUNT}:*"}}}, H),
    ({"Principal": "*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}}}, F),
    ({"Principal": "*", "Condition": {"StringLike": {"aws:PrincipalArn": "*"}}}, F),
    ({"Principal": "*", "Condition": {"StringLike": {"aws:PrincipalArn": [f"arn:aws:iam::{ACCOUNT}:*", "*"]}}}, F),
    ({"Principal": "*", "Condition": {"StringEquals": {"aws:SourceAccount": "${aws:PrincipalAccount}"}}}, F),
    ({"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalAccount": []}}}, F),
    ({"Principal": "*", "Condition": {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}}}, F),
    ({"Principal": "*", "Condition": {"StringEqualsIfExists": {"aws:PrincipalAccount": ACCOUNT}}}, F),
    ({"Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}, F),
    ({"Principal": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}}, F),
    ({"Principal": "*", "Condition": {"StringEquals": "aws:PrincipalAccount"}}, F),
    ({"Principal": "*", "Condition": {}}, F),
    ({"Principal": "*", "Condition": "*"}, F),
]


@pytest.mark.parametrize(("statement", "verdict"), PRINCIPALS)
def test_a_statement_names_who_it_lets_in_or_asks(statement, verdict):
    check = names_who(Reading(statement))
    assert check.verdict is verdict
    assert len(check.findings) <= 1


def harmless(statement):
    return statement["Action"].one_of("s3:GetObject")


GOOD = {"Effect": "Allow", "Action": "s3:GetObject"}
BAD = {"Effect": "Allow", "Action": "*"}


@pytest.mark.parametrize(
    ("statements", "verdict"),
    [
        (GOOD, H),
        ([GOOD, {"Effect": "Deny", "Action": "*"}], H),
        ([], H),
        (BAD, F),
        ([GOOD, BAD], F),
        ([{"Effect": "deny", "Action": "*"}], F),
        ([{"Action": "*"}], F),
        ([{"effect": "Deny", "Action": "*"}], F),
        ([{"Effect": UNKNOWN, "Action": "*"}], U),
        ([GOOD, UNKNOWN], U),
    ],
)
def test_every_statement_that_allows_is_judged(statements, verdict):
    document = {"Version": "2012-10-17", "Statement": statements}
    for written in (document, json.dumps(document)):
        assert each_allowing(Reading({"policy": written})["policy"], harmless).verdict is verdict


def test_a_document_that_cannot_be_read_allows_everything():
    for written in ("", "{}", "[]", "{", '{"Statement": 5}', 5, None):
        assert each_allowing(Reading({"policy": written})["policy"], harmless).verdict is F


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ({"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:bank/payments:ref:refs/heads/main"}}, H),
        ({"StringLike": {"token.actions.githubusercontent.com:sub": "repo:bank/payments:*"}}, H),
        ({"StringLike": {"token.actions.githubusercontent.com:sub": "repo:*"}}, F),
        ({"StringLike": {"token.actions.githubusercontent.com:sub": "*"}}, F),
        ({"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}, F),
        (UNKNOWN, U),
        ({}, F),
    ],
)
def test_a_token_of_an_identity_provider_is_asked_for_its_subject(condition, verdict):
    assert asks_subject(Reading({"Condition": condition})).verdict is verdict
