"""Rules for what a role reaches."""

import re
from collections.abc import Iterator

from tollgate.policy.aws import Allowed, allowed
from tollgate.policy.check import HOLDS, Check, Finding, fails, unshown
from tollgate.policy.cross import cross_rule
from tollgate.policy.iam import covers
from tollgate.policy.reading import State
from tollgate.policy.sentinels import UNKNOWN
from tollgate.policy.severity import HIGH
from tollgate.policy.stack import Resource, Stack

ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
POLICY = "aws:iam/policy:Policy"
PARAMETER, SECRET = "aws:ssm/parameter:Parameter", "aws:secretsmanager/secret:Secret"
_READERS = {PARAMETER: "ssm", SECRET: "secretsmanager"}
# /<environment>/service/<owner>/<key> belongs to one service alone (stacks/registry); the other tiers are shared.
_PRIVATE = re.compile(r"/[^/]+/service/(?P<owner>[^/]+)/")
_WANTED = "the private parameters and secrets of one service"


def _document(resource: str) -> str:
    return f'{{"Statement": [{{"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "{resource}"}}]}}'


_ARN = "arn:aws:ssm:eu-central-1:111122223333:parameter/prod/service"
_OF_LEDGER = (PARAMETER, {"name": "/prod/service/ledger/limit"})
_OF_WALLET = (PARAMETER, {"name": "/prod/service/wallet/limit"})


@cross_rule(
    id="role-service-own",
    why="A program that was broken into must not hand over the secrets of the services beside it.",
    severity=HIGH,
    controls=("PCI-DSS 7.2.5", "Seed 15"),
    types=(ROLE_POLICY, POLICY),
    reads=(PARAMETER, SECRET),
    fix="name in the policy only the parameters and secrets of the one service that takes on the role",
    good={
        "ledger": _OF_LEDGER,
        "wallet": _OF_WALLET,
        "reads": (ROLE_POLICY, {"policy": _document(f"{_ARN}/ledger/*")}),
    },
    bad={"ledger": _OF_LEDGER, "wallet": _OF_WALLET, "reads": (ROLE_POLICY, {"policy": _document(f"{_ARN}/*")})},
    unknown={"ledger": _OF_LEDGER, "wallet": _OF_WALLET, "reads": (ROLE_POLICY, {"policy": UNKNOWN})},
    missing={"ledger": _OF_LEDGER, "wallet": _OF_WALLET, "reads": (ROLE_POLICY, {})},
    note="A document that is not known yet is judged by the resources that it is made of; a wildcard in it is seen "
    "once it is known.",
)
def reaches_own(policy: Resource, stack: Stack) -> Check:
    document = policy["policy"]
    if document.state is State.MISSING:
        return document.is_set()
    things = stack.of(PARAMETER, SECRET)
    if document.state is State.UNKNOWN:
        sources = policy.dependencies.get("policy", ())
        if not sources:
            return unshown(Finding("policy", document.found, _WANTED))
        reached = [thing for thing in things if thing.urn in sources]
    else:
        statements = allowed(document)
        if statements is None:
            return fails(Finding("policy", "cannot be read", "a policy document"))
        reached = [thing for thing in things if _reached(thing, statements)]
    nameless = [thing for thing in reached if thing["name"].state is State.UNKNOWN]
    if nameless:
        return unshown(Finding("policy", f"reaches {nameless[0].name}, whose owner is not known yet", _WANTED))
    owners = sorted(set(_owners(reached)))
    return HOLDS if len(owners) < 2 else fails(Finding("policy", f"reaches those of {' and '.join(owners)}", _WANTED))


def _reached(thing: Resource, statements: list[Allowed]) -> bool:
    service = _READERS[thing.type]
    return any(
        any(
            action.lower().startswith(f"{service}:") or covers(action, f"{service}:Get") for action in statement.actions
        )
        and any(_covers(pattern, thing) for pattern in statement.resources)
        for statement in statements
    )


def _covers(pattern: str, thing: Resource) -> bool:
    """Whether an ARN pattern covers a thing: by its ARN where that is known, else by its name."""
    arn, name = thing["arn"], thing["name"]
    if arn.state is State.KNOWN:
        return covers(pattern, str(arn.value))
    if name.state is not State.KNOWN:
        return "*" in pattern
    # A secret's ARN ends in six characters of AWS's own.
    ends = [f"parameter{name.value}", f"secret:{name.value}", f"secret:{name.value}-abcdef"]
    resource = pattern.split(":", 5)[-1]
    return any(covers(resource, end) for end in ends)


def _owners(things: list[Resource]) -> Iterator[str]:
    for thing in things:
        private = _PRIVATE.match(str(thing["name"].value))
        if private:
            yield private["owner"]
