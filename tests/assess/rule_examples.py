"""Examples of the rules that are code: what makes each fire, and the harmless twin of it."""

# ruff: noqa: E501  (a table is read by column)
from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import Any

from tests.plan import previews as p
from tollgate.assess.assess import assess
from tollgate.assess.model import Assessment
from tollgate.plan.canonical import fingerprint
from tollgate.plan.facts import PROTECT_PATH, Fact
from tollgate.plan.read import read_plan
from tollgate.plan.state import read_state

SQS = "aws:sqs/queue:Queue"
VHOST = "kubernetes:rabbitmq.com/v1beta1:Vhost"
QUEUE = "kubernetes:rabbitmq.com/v1beta1:Queue"
LAMBDA = "aws:lambda/function:Function"
SECRET = "aws:secretsmanager/secretVersion:SecretVersion"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
JOB = "kubernetes:batch/v1:Job"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
CONFIG = "kubernetes:core/v1:ConfigMap"
LADDER = {"ladder": "old both new"}
ROLE = "aws:iam/role:Role"
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
RANDOM = "random:index/randomId:RandomId"
WEBHOOK = "kubernetes:admissionregistration.k8s.io/v1:MutatingWebhookConfiguration"
MACHINE = "aws:sfn/stateMachine:StateMachine"
VAULT_ROLE = "vault:kubernetes/authBackendRole:AuthBackendRole"


@dataclass(frozen=True)
class Change:
    """A whole change: the steps of its plan, the stack before, and facts of earlier changes."""

    steps: tuple[dict[str, Any], ...]
    state: tuple[dict[str, Any], ...] | None = None
    pending: tuple[dict[str, Any], ...] = ()
    earlier: tuple[Fact, ...] = ()
    rest: dict[str, Any] = field(default_factory=dict)
    streamed: bool = False
    unknown_to_state: bool = False

    def plan(self) -> str:
        return (p.events if self.streamed else p.digest)(*self.steps, **self.rest)

    def state_text(self) -> str | None:
        if self.state is None:
            return None
        known = {entry["urn"] for entry in self.state}
        # All that the steps speak of is there, too.
        more = [{"urn": step["urn"]} for step in self.steps if "oldState" in step and step["urn"] not in known]
        more = [] if self.unknown_to_state else more
        resources = [{"custom": True, **entry} for entry in (*self.state, *more)]
        return json.dumps({"version": 3, "deployment": {"resources": resources, "pending_operations": self.pending}})


@dataclass(frozen=True)
class Pair:
    """A change that makes a rule fire, and its harmless twin. ``unknown``: a change that leaves the rule in doubt."""

    dangerous: Change
    harmless: Change
    unknown: Change | None = None


def look(change: Change) -> Assessment:
    """What the rules say of a change."""
    state = change.state_text()
    return assess(read_plan(change.plan()), state=read_state(state) if state else None, earlier=change.earlier)


def of(*steps: dict[str, Any], **more: Any) -> Change:
    return Change(steps, **more)


def update(kind: str, path: str, before: Any, after: Any, name: str = "clearing", **more: Any) -> Change:
    """One property of one resource, at the top of its inputs."""
    sides = [more | ({} if value is None else {path: value}) for value in (before, after)]
    where = "add" if before is None else "delete" if after is None else "update"
    return of(p.step("update", kind, name, old=sides[0], new=sides[1], diff={path: where}))


def pod(**spec: Any) -> dict[str, Any]:
    return {"template": {"spec": spec}}


def image(name: str) -> dict[str, Any]:
    return pod(containers=[{"name": "api", "image": name}])


def migration(target: str) -> dict[str, Any]:
    return pod(containers=[{"name": "migrate", "args": ["--target", target]}])


def hook(**more: Any) -> dict[str, Any]:
    """A webhook that is asked for every pod."""
    return {"name": "inject.pay.example", "rules": [{"operations": ["CREATE"], "resources": ["pods"]}], **more}


def machine(*names: str, ends: str = "") -> str:
    """A state machine that goes through these states, as far as the one that ends it."""
    following = dict(itertools.pairwise(names))
    states = {
        name: {"Type": "Pass", **({"Next": following[name]} if name in following and name != ends else {"End": True})}
        for name in names
    }
    return json.dumps({"StartAt": names[0], "States": states})


def document(principal: str, **more: Any) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::a/*",
    }
    return json.dumps({"Statement": [statement | more]})


def ingress(*cidrs: str) -> list[dict[str, Any]]:
    return [{"protocol": "tcp", "fromPort": 5432, "toPort": 5432, "cidrBlocks": list(cidrs)}]


OURS, THEIRS = ("arn:aws:iam::111122223333:root", "arn:aws:iam::999988887777:root")
BRANCH = {"StringEquals": {"token:sub": "repo:acme/pay:ref:refs/heads/main"}}
ANY_BRANCH = {"StringLike": {"token:sub": "repo:acme/*"}}
UNPROTECTED = Fact(
    "same", p.urn(p.RDS, "clearing"), p.RDS, PROTECT_PATH, "update", fingerprint(value=True), fingerprint(value=False)
)
DELETED = p.step("delete", old={})
KEPT = p.step("delete", RANDOM, old={})
MOVED_TO, MOVED_FROM = (f"{p.urn('pulumi:providers:aws', name)}::id" for name in ("other", "one"))
CONNECTIONS = tuple(
    p.step("same", "pulumi:providers:aws", name, old=settings, new=settings)
    for name, settings in (("one", {"region": "eu"}), ("other", {"region": "us"}), ("twin", {"region": "eu"}))
)
TWIN = f"{p.urn('pulumi:providers:aws', 'twin')}::id"


def entry(name: str, kind: str = p.RDS, **more: Any) -> dict[str, Any]:
    return {"urn": p.urn(kind, name), **more}


def many(others: int) -> tuple[dict[str, Any], ...]:
    alike = [
        p.step("update", SQS, f"q{n}", old={"tags": {"a": "1"}}, new={"tags": {"a": "2"}}, diff={"tags.a": "update"})
        for n in range(30)
    ]
    return (
        *alike,
        *(
            p.step("update", SQS, f"x{n}", old={"fifoQueue": False}, new={"a": 1}, diff={"a": "add"})
            for n in range(others)
        ),
    )


TAGS = p.step("update", old={"tags": {"a": "1"}}, new={"tags": {"a": "2"}}, diff={"tags.a": "update"})
PAIRS: dict[str, Pair] = {
    "data-lost": Pair(of(DELETED), of(KEPT)),
    "contents-lost": Pair(of(p.step("delete", "kubernetes:core/v1:Namespace", old={})), of(KEPT)),
    "service-removed": Pair(of(p.step("delete", DEPLOYMENT, old={})), of(p.step("create", DEPLOYMENT, new={}))),
    "protected-deletion": Pair(of(p.step("delete", RANDOM, old={}, old_protect=True)), of(KEPT)),
    "protection-removed": Pair(of(p.step("same", old={}, new={}, old_protect=True)), of(p.step("same", old={}, new={}, new_protect=True))),
    "unprotected-and-replaced": Pair(
        of(p.step("replace", RANDOM, old={}, new={}, diff={"a": "update-replace"}, old_protect=True)),
        of(p.step("replace", RANDOM, old={}, new={}, diff={"a": "update-replace"})),
    ),
    "exposure-opened": Pair(
        update(p.GROUP, "ingress", ingress("10.0.0.0/8"), ingress("0.0.0.0/0")),
        update(p.GROUP, "ingress", ingress("0.0.0.0/0"), ingress("10.0.0.0/8")),
        update(p.GROUP, "ingress", ingress("10.0.0.0/8"), ingress(p.UNKNOWN)),
    ),
    "egress-opened": Pair(
        update(POLICY, "spec", {"egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}, {"egress": [{"ports": []}]}),
        update(POLICY, "spec", {"egress": [{"ports": []}]}, {"egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}),
        update(POLICY, "spec", {"egress": []}, p.UNKNOWN),
    ),
    "identity-widened": Pair(
        update(BUCKET_POLICY, "policy", document(OURS), document("*")),
        update(BUCKET_POLICY, "policy", document("*"), document(OURS)),
        update(BUCKET_POLICY, "policy", document(OURS), p.UNKNOWN),
    ),
    "stranger-admitted": Pair(
        update(BUCKET_POLICY, "policy", document(OURS), document(THEIRS)),
        update(BUCKET_POLICY, "policy", document(OURS), document("arn:aws:iam::111122223333:role/audit")),
        update(BUCKET_POLICY, "policy", document(OURS), p.UNKNOWN),
    ),
    "condition-weakened": Pair(
        update(ROLE, "assumeRolePolicy", document(OURS, Condition=BRANCH), document(OURS, Condition=ANY_BRANCH)),
        update(ROLE, "assumeRolePolicy", document(OURS, Condition=ANY_BRANCH), document(OURS, Condition=BRANCH)),
        update(ROLE, "assumeRolePolicy", document(OURS, Condition=BRANCH), p.UNKNOWN),
    ),
    "version-moved": Pair(
        update(p.RDS, "engineVersion", "15.8", "16.3"), update(p.RDS, "engineVersion", "16.3", "16.4"), update(p.RDS, "engineVersion", "16.3", p.UNKNOWN)
    ),
    "endpoint-swapped": Pair(
        update(LAMBDA, "environment", {"variables": {"DB": "db.one.example.com"}}, {"variables": {"DB": "db.two.example.com"}}),
        update(LAMBDA, "environment", {"variables": {"DB": "db.one.example.com"}}, {"variables": {"DB": "db.one.example.com:5433"}}),
    ),
    "mode-swapped": Pair(
        update(LAMBDA, "environment", {"variables": {"MODE": "live"}}, {"variables": {"MODE": "test"}}),
        update(LAMBDA, "environment", {"variables": {"LOG": "info"}}, {"variables": {"LOG": "debug"}}),
    ),
    "secret-changed": Pair(update(SECRET, "secretString", "[secret]", "[secret]"), update(SECRET, "versionStages", ["a"], ["b"], secretString="[secret]")),
    "image-unpinned": Pair(update(DEPLOYMENT, "spec", image("r/a:1@sha256:11"), image("r/a:latest")), update(DEPLOYMENT, "spec", image("r/a:latest"), image("r/a:1@sha256:11"))),
    "migration-reverted": Pair(update(JOB, "spec", migration("0042"), migration("0041")), update(JOB, "spec", migration("0042"), migration("0043"))),
    "ladder-climbed": Pair(
        update(CONFIG, "data", LADDER | {"rung": "old"}, LADDER | {"rung": "new"}), update(CONFIG, "data", LADDER | {"rung": "old"}, LADDER | {"rung": "both"}), update(CONFIG, "data", LADDER | {"rung": "old"}, p.UNKNOWN)
    ),
    "component-deleted": Pair(
        of(p.step("delete", "a:b:C", "queues", old={}, old_custom=False), p.step("delete", RANDOM, old={}, old_parent=p.urn("a:b:C", "queues"))), of(KEPT)
    ),
    "many-deletions": Pair(of(*(p.step("delete", RANDOM, f"r{n}", old={}) for n in range(5))), of(*(p.step("delete", RANDOM, f"r{n}", old={}) for n in range(4)))),
    "hidden-among-many": Pair(of(*many(1)), of(*many(0))),
    "plan-incomplete": Pair(of(TAGS, rest={"changeSummary": {"update": 1, "delete": 1}}), of(TAGS)),
    "plan-damaged": Pair(of(TAGS, rest={"maybeCorrupt": True}), of(TAGS)),
    "state-of-another-time": Pair(
        of(p.step("update", old={"a": 1}, new={"a": 2}, diff={"a": "update"}), state=(), unknown_to_state=True), of(TAGS, state=())
    ),
    "engine-error": Pair(
        of(TAGS, rest={"diagnostics": [{"severity": "error", "message": "boom"}]}), of(TAGS, rest={"diagnostics": [{"severity": "warning", "message": "hm"}]})
    ),
    "unknown-operation": Pair(of(p.step("frobnicate", RANDOM, old={}, new={})), of(TAGS)),
    "pending-operation": Pair(of(TAGS, state=(), pending=({"type": "creating", "resource": entry("clearing")},)), of(TAGS, state=())),
    "not-looked-at": Pair(
        of(TAGS, state=(*(entry(f"same-{n}", RANDOM) for n in range(7)), entry("unseen")), streamed=True),
        of(TAGS, state=tuple(entry(f"same-{n}", RANDOM) for n in range(7)), streamed=True),
    ),
    "goes-along": Pair(
        of(p.step("delete", VHOST, "v", old={}), state=(entry("q", QUEUE, deletedWith=p.urn(VHOST, "v")),)),
        of(p.step("delete", VHOST, "v", old={}), state=(entry("q", QUEUE, dependencies=[p.urn(VHOST, "v")]),)),
    ),
    "still-used": Pair(
        of(p.step("delete", RANDOM, "id", old={}), state=(entry("user", SQS, propertyDependencies={"name": [p.urn(RANDOM, "id")]}),)),
        of(p.step("delete", RANDOM, "id", old={}), state=(entry("user", SQS, propertyDependencies={"name": [p.urn(RANDOM, "other")]}),)),
    ),
    "connection-moved": Pair(
        of(*CONNECTIONS, p.step("same", old={}, new={}, old_provider=MOVED_FROM, new_provider=MOVED_TO), streamed=True),
        of(*CONNECTIONS, p.step("same", old={}, new={}, old_provider=MOVED_FROM, new_provider=TWIN), streamed=True),
        of(p.step("update", old={"a": 1}, new={"a": 2}, diff={"a": "update"}, old_provider=MOVED_FROM, new_provider=TWIN)),
    ),
    "leftover-deleted": Pair(of(TAGS, state=(entry("old", delete=True), entry("old"))), of(TAGS, state=(entry("old"),))),
    "half-replaced": Pair(of(TAGS, state=(entry("x", pendingReplacement=True),)), of(TAGS, state=(entry("x"),))),
    "marked-for-replacement": Pair(of(TAGS, state=(entry("x", taint=True),)), of(TAGS, state=(entry("x"),))),
    "unprotected-earlier": Pair(of(DELETED, earlier=(UNPROTECTED,)), of(DELETED)),
    "admission-blocks": Pair(update(WEBHOOK, "webhooks", [hook(failurePolicy="Ignore")], [hook()]), update(WEBHOOK, "webhooks", [hook()], [hook(namespaceSelector={"matchLabels": {"a": "b"}})])),
    "workflow-step-passed-by": Pair(
        update(MACHINE, "definition", machine("Check", "Send"), machine("Send", "Check", ends="Send")),
        update(MACHINE, "definition", machine("Check", "Send"), machine("Check", "Ask", "Send")),
        update(MACHINE, "definition", machine("Check", "Send"), p.UNKNOWN),
    ),
    "wildcard-added": Pair(update(VAULT_ROLE, "boundNamespaces", ["pay"], ["*"]), update(VAULT_ROLE, "boundNamespaces", ["*"], ["pay"])),
    "backup-mark-removed": Pair(update(p.RDS, "tags", {"backup": "daily"}, {"team": "pay"}), update(p.RDS, "tags", {"team": "pay"}, {"backup": "daily"})),
    "renamed-without-alias": Pair(
        of(p.step("delete", SQS, "one", old={"name": "one-q", "a": 1}), p.step("create", SQS, "two", new={"name": "two-q", "a": 1})),
        of(p.step("delete", SQS, "one", old={"name": "one-q", "a": 1}), p.step("create", SQS, "two", new={"b": 3, "c": 4})),
    ),
}  # fmt: skip
