"""Effects of whole plans: what people notice, when, what is not known, and what must always hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.assess.steps import plan, step
from tests.plan import previews as p
from tollgate.assess.assess import assess
from tollgate.assess.consequences import Band, WayBack
from tollgate.assess.effects import Effects, effects, weight
from tollgate.assess.firewalls import keeps
from tollgate.assess.impact import Effect, Moment
from tollgate.assess.new import NETWORK_POLICY
from tollgate.books.effect_book import Notice, Reversible
from tollgate.plan.model import Op
from tollgate.plan.read import read_plan

SET = "kubernetes:apps/v1:StatefulSet"
QUEUE = "kubernetes:rabbitmq.com/v1beta1:Queue"
BUCKET = "aws:s3/bucket:Bucket"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
NAT = "aws:ec2/natGateway:NatGateway"
SG_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


def of(*steps: dict[str, Any]) -> Effects:
    return effects(read_plan(p.digest(*steps)))


def one(step: dict[str, Any]) -> Effect:
    found = of(step)
    assert found.unknown == ()
    (effect,) = found.known
    return effect


def updated(old: dict[str, Any], new: dict[str, Any], *paths: str, kind: str = p.RDS, **marks: Any) -> dict[str, Any]:
    return p.step("update", kind, old=old, new=new, diff=dict.fromkeys(paths, "update"), **marks)


def pods(replicas: int | None, image: str, strategy: str | None = None) -> dict[str, Any]:
    spec: dict[str, Any] = {"template": {"spec": {"containers": [{"name": "store", "image": image}]}}}
    if replicas is not None:
        spec["replicas"] = replicas
    if strategy:
        spec["updateStrategy"] = {"type": strategy}
    return {"metadata": {"name": "store"}, "spec": spec}


def rds(path: str, before: Any, after: Any, **same: Any) -> dict[str, Any]:
    """One property of a database changes; None stands for one that is left out."""
    sides = [same if value is None else same | {path: value} for value in (before, after)]
    return updated(*sides, path)


def rolled(replicas: int | None, strategy: str | None = None) -> dict[str, Any]:
    return updated(pods(replicas, "x:1", strategy), pods(replicas, "x:2", strategy), IMAGE, kind=SET)


_CLASS = {"instanceClass": "db.r7g.large"}
_BIGGER = {"instanceClass": "db.r7g.xlarge"}
_SIZES = ("instanceClass", "db.r7g.large", "db.r7g.xlarge")
IMAGE = "spec.template.spec.containers[0].image"
TABLE = [
    (rds(*_SIZES, multiAz=True), "rds-class-standby", Notice.RECONNECT),
    (rds(*_SIZES), "rds-class-alone", Notice.OUTAGE),
    (rds("allocatedStorage", 100, 200), "rds-storage-grows", Notice.DEGRADED),
    (rds("allocatedStorage", 200, 100), "rds-storage-shrinks", Notice.NOTHING),
    (rds("engineVersion", "16.3", "17.1"), "rds-major", Notice.OUTAGE),
    (rds("engineVersion", "16.3", "16.4"), "rds-minor", Notice.OUTAGE),
    (rds("engineVersion", "17.1", "16.4"), "rds-older", Notice.NOTHING),
    (rds("backupRetentionPeriod", 14, 0), "rds-backups-off", Notice.DATA_LOSS),
    (rds("backupRetentionPeriod", None, 7), "rds-backups-on", Notice.OUTAGE),
    (rds("backupRetentionPeriod", 14, 7), "rds-backups-shorter", Notice.NOTHING),
    (rds("tags", {"a": "1"}, {"a": "2"}), "aws-tags/tags", Notice.NOTHING),
    (rolled(3), "set-rolls", Notice.RECONNECT),
    (rolled(None), "set-restarts", Notice.OUTAGE),
    (rolled(3, "OnDelete"), "set-waits", Notice.NOTHING),
    (p.step("delete", QUEUE, old={"spec": {"name": "pay"}}), "rabbit-queue-gone", Notice.DATA_LOSS),
    (p.step("delete", QUEUE, old={"spec": {"deletionPolicy": "retain"}}), "rabbit-queue-gone-kept", Notice.NOTHING),
    (p.step("delete", BUCKET, old={"forceDestroy": True}), "s3-gone-forced", Notice.DATA_LOSS),
    (p.step("delete", SG_RULE, old={"fromPort": 5432}), "net-rule-gone", Notice.PARTIAL),
    (p.step("create", SG_RULE, new={"fromPort": 5432}), "net-rule-add", Notice.NOTHING),
]


@pytest.mark.parametrize(("step", "line", "notice"), TABLE, ids=[row[1] for row in TABLE])
def test_what_people_notice(step: dict[str, Any], line: str, notice: Notice) -> None:
    effect = one(step)
    assert (effect.source.id, effect.notice) == (line, notice)
    assert effect.source.line > 0
    assert effect.source.file.startswith("tollgate/books/effects/")
    assert "{" not in effect.sentence


def test_a_replacement_that_deletes_first_is_another_one_than_one_that_makes_first() -> None:
    gone = {"subnetId": "subnet-1"}
    first = p.step(
        "replace",
        NAT,
        old=gone,
        new={"subnetId": "subnet-2"},
        diff={"subnetId": "update-replace"},
        old_pendingReplacement=True,
    )
    last = p.step(
        "replace", NAT, old=gone, new={"subnetId": "subnet-2"}, diff={"subnetId": "update-replace"}, old_delete=True
    )
    assert (one(first).source.id, one(last).source.id) == ("net-nat-gone", "net-nat-replace")
    assert weight(one(first)) > weight(one(last))


def test_of_several_properties_the_worst_counts() -> None:
    effect = one(
        updated(
            _CLASS | {"port": 5432, "tags": {}},
            _BIGGER | {"port": 5433, "tags": {"a": "b"}, "applyImmediately": True},
            "instanceClass",
            "port",
            "tags.a",
            "applyImmediately",
        )
    )
    assert (effect.source.id, effect.path) == ("rds-class-alone", "instanceClass")


def test_what_happens_now_and_what_waits_are_both_told() -> None:
    found = of(updated(_CLASS | {"port": 5432}, _BIGGER | {"port": 5433}, "instanceClass", "port"))
    assert {(effect.source.id, effect.moment) for effect in found.known} == {
        ("rds-class-alone", Moment.WINDOW),
        ("rds-port", Moment.CHANGE),
    }


@pytest.mark.parametrize(
    ("setting", "moment"),
    [(True, Moment.CHANGE), (False, Moment.WINDOW), (None, Moment.WINDOW), (p.UNKNOWN, Moment.NOT_KNOWN)],
)
def test_the_setting_decides_when_it_begins(setting: Any, moment: Moment) -> None:
    new = _BIGGER | ({} if setting is None else {"applyImmediately": setting})
    assert one(updated(_CLASS, new, "instanceClass")).moment is moment


def test_a_type_without_a_line_is_not_known() -> None:
    found = of(p.step("delete", "acme:index/ledger:Ledger", old={"a": 1}))
    assert found.known == ()
    assert [unknown.sentence for unknown in found.unknown] == [
        "Clearing's ledger (clearing): what people notice when it is deleted is not known."
    ]


def test_a_property_without_a_line_is_not_known_and_does_not_hide_the_others() -> None:
    found = of(updated(_CLASS | {"frobnicate": 1}, _BIGGER | {"frobnicate": 2}, "instanceClass", "frobnicate"))
    assert [effect.source.id for effect in found.known] == ["rds-class-alone"]
    assert [unknown.path for unknown in found.unknown] == ["frobnicate"]


def test_what_content_does_is_not_known_though_it_can_be_taken_back() -> None:
    config = updated({"data": {"a": "1"}}, {"data": {"a": "2"}}, "data.a", kind="kubernetes:core/v1:ConfigMap")
    found = of(config)
    assert [effect.source.id for effect in found.known] == ["configmap-changed/data"]
    (unknown,) = found.unknown
    assert unknown.reversible is Reversible.YES
    assert "depends on its content" in unknown.sentence
    impact = assess(read_plan(p.digest(config))).impact
    assert impact is not None
    assert (impact.undo.way_back, impact.risk.band) == (WayBack.REVERSIBLE, Band.MEDIUM)
    assert [row.at_least for row in impact.downtime] == [True]


def test_a_job_on_something_new_hurts_nobody_whatever_it_does() -> None:
    made = p.step("create", name="clearing", new={})
    job = {"propertyDependencies": {"spec": [p.urn(p.RDS, "clearing")]}}
    runs = p.step("create", "kubernetes:batch/v1:Job", "job", new={})
    runs["newState"] |= job
    assert [unknown.urn for unknown in of(runs).unknown] == [p.urn("kubernetes:batch/v1:Job", "job")]
    assert of(made, runs).unknown == ()


def test_a_condition_that_only_the_change_will_tell_gives_the_worse_one_and_is_not_known() -> None:
    found = of(updated(_CLASS, _BIGGER | {"multiAz": p.UNKNOWN}, "instanceClass"))
    assert [effect.notice for effect in found.known] == [Notice.OUTAGE]
    assert [unknown.path for unknown in found.unknown] == ["instanceClass"]


@pytest.mark.parametrize("diff", [None, {}])
def test_a_change_without_a_diff_is_read_from_both_sides_or_not_known(diff: dict[str, str] | None) -> None:
    found = of(p.step("update", old=_CLASS, new=_BIGGER, diff=diff))
    told = [effect.source.id for effect in found.known] + [unknown.path for unknown in found.unknown]
    assert told == (["rds-class-alone"] if diff is None else [""])


def test_a_property_that_the_inputs_do_not_show_is_not_nothing() -> None:
    assert [unknown.path for unknown in of(updated({}, {}, "hidden")).unknown] == ["hidden"]


def test_the_part_that_can_least_be_taken_back_counts() -> None:
    """Also where people notice less of it than of the others, or where it is not sure that it will be."""
    sides = (_CLASS | {"backupRetentionPeriod": 14}, _BIGGER | {"backupRetentionPeriod": 7})
    both = of(updated(*sides, "instanceClass", "backupRetentionPeriod")).known
    assert {effect.source.id for effect in both} == {"rds-class-alone"}
    assert {effect.reversible for effect in both} == {Reversible.LOSES_DATA}
    broker = "kubernetes:rabbitmq.com/v1beta1:RabbitmqCluster"
    maybe = of(
        updated({"spec": {"replicas": 3}}, {"spec": {"replicas": p.UNKNOWN}}, "spec.replicas", kind=broker)
    ).known
    assert {(effect.source.id, effect.reversible) for effect in maybe} == {("rabbit-nodes-fewer", Reversible.ONE_WAY)}


def test_a_change_of_spelling_only_is_noticed_by_nobody() -> None:
    step = updated({"policy": '{"a": 1}'}, {"policy": '{ "a":1 }'}, "policy", kind="aws:iam/policy:Policy")
    found = of(step)
    assert (found.known, found.unknown, found.same) == ((), (), {step["urn"]})
    impact = assess(read_plan(p.digest(step))).impact
    assert impact is not None
    assert impact.undo.way_back is WayBack.REVERSIBLE


TWO = ["10.0.0.0/8", "10.1.0.0/16"]


@pytest.mark.parametrize(
    ("before", "after", "noticed"),
    [
        (TWO, TWO[::-1], []),  # in another order
        (TWO, [*TWO, "10.2.0.0/16"], ["net-group-more/ingress"]),
        (TWO, TWO[:1], ["net-group-rules/ingress"]),
        (TWO, ["10.2.0.0/16", TWO[0]], ["net-group-rules/ingress"]),
        ([TWO[0], p.UNKNOWN], [p.UNKNOWN, TWO[0]], ["net-group-rules/ingress"]),  # whether it is the same, nobody knows
    ],
)
def test_a_firewall_that_only_lets_more_through_cuts_nobody(
    before: list[str], after: list[str], noticed: list[str]
) -> None:
    def rules(addresses: list[str]) -> dict[str, Any]:
        return {"ingress": [{"protocol": "tcp", "fromPort": 5432, "toPort": 5432, "cidrBlocks": addresses}]}

    paths = [f"ingress[0].cidrBlocks[{n}]" for n in range(max(len(before), len(after)))]
    found = of(updated(rules(before), rules(after), *paths, kind=p.GROUP))
    assert [effect.source.id for effect in found.known] == noticed


PEER = {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 5432}]}
OTHER = {"ipBlock": {"cidr": "10.9.0.0/16"}}


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        ([PEER], [PEER, {"from": [OTHER]}], True),
        ([PEER], [PEER | {"from": [*PEER["from"], OTHER]}], True),
        ([PEER], [PEER | {"ports": [{"port": 5432}, {"port": 5433}]}], True),
        ([PEER], [PEER | {"from": [OTHER]}], False),
        ([PEER], [{"from": PEER["from"]}], False),  # wider, but that is not read from the rules alone
        ([PEER | {"from": []}], [PEER], False),  # nobody in particular was everybody
        ([PEER], [PEER | {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]}], False),
        ([], [PEER], False),
        (None, [PEER], False),
        ([PEER], p.UNKNOWN, False),
    ],
)
def test_which_rules_let_through_all_that_they_did(old: Any, new: Any, kept: bool) -> None:
    assert keeps(old, new) is kept


def test_what_is_set_on_something_new_is_noticed_by_nobody() -> None:
    bucket = p.step("create", BUCKET, "evidence", new={})
    policy = p.step("create", POLICY, "doors", new={"bucket": p.UNKNOWN}, new_dependencies=[p.urn(BUCKET, "evidence")])
    assert [effect.notice for effect in of(bucket, policy).known] == [Notice.NOTHING] * 2
    assert one(policy).notice is Notice.PARTIAL


def test_an_operation_that_nobody_knows_is_not_nothing() -> None:
    found = of(p.step("teleport", old=_CLASS, new=_BIGGER))
    assert [unknown.op for unknown in found.unknown] == [None]


def test_what_stays_is_not_an_effect() -> None:
    assert of(p.step("same", old={}, new={}, old_protect=True), p.step("read", new={})) == Effects((), ())


_STEPS = [row[0] for row in TABLE] + [updated({"frobnicate": 1}, {"frobnicate": 2}, "frobnicate")]


def _named(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [json.loads(json.dumps(step).replace("::clearing", f"::c-{n}")) for n, step in enumerate(steps)]


@settings(max_examples=60)
@given(steps=st.lists(st.sampled_from(_STEPS), min_size=1, max_size=8), data=st.data())
def test_order_does_not_matter(steps: list[dict[str, Any]], data: st.DataObject) -> None:
    numbered = _named(steps)
    assert of(*numbered) == of(*data.draw(st.permutations(numbered)))


@settings(max_examples=60)
@given(steps=st.lists(st.sampled_from(_STEPS), min_size=2, max_size=8))
def test_more_steps_never_notice_less(steps: list[dict[str, Any]]) -> None:
    numbered = _named(steps)
    fewer, more = of(*numbered[:-1]), of(*numbered)
    assert set(fewer.known) <= set(more.known)
    assert set(fewer.unknown) <= set(more.unknown)
    assert len(more.known) + len(more.unknown) > len(fewer.known) + len(fewer.unknown)


@settings(max_examples=60)
@given(first=st.sampled_from(_STEPS[:14]), hidden=st.sampled_from(["multiAz", "replicas", "backupRetentionPeriod"]))
def test_a_value_that_is_hidden_never_makes_it_milder_and_known(first: dict[str, Any], hidden: str) -> None:
    text = json.dumps(first)
    masked = json.loads(text)
    new = masked["newState"]["inputs"]
    place = new if hidden in new else new.get("spec", {})
    if hidden not in place:
        return
    place[hidden] = p.UNKNOWN
    before, after = of(json.loads(text)), of(masked)
    worse = max((weight(effect) for effect in after.known), default=()) >= max(
        weight(effect) for effect in before.known
    )
    assert worse or after.unknown


_NAMED = {"app.kubernetes.io/name": "comparer"}
_JOB = "kubernetes:batch/v1:CronJob"
CLOSED = [
    ("the pods of a new program", {"matchLabels": _NAMED}, _NAMED | {"more": "1"}, True),
    ("the pods of another program", {"matchLabels": _NAMED}, {"app.kubernetes.io/name": "gateway"}, False),
    ("all pods", {}, _NAMED, False),
    ("pods by a label that others may have", {"matchLabels": {"team": "risk"}}, {"team": "risk"}, False),
    ("pods that nobody knows yet", "04da6b54-80e4-46f7-96ec-b56ff0331ba9", _NAMED, False),
]


@pytest.mark.parametrize(("what", "selector", "pods", "harmless"), CLOSED, ids=[case[0] for case in CLOSED])
def test_a_policy_over_the_pods_of_a_new_program_closes_nothing_that_runs(
    what: str, selector: object, pods: dict[str, str], harmless: bool
) -> None:
    closes = step(Op.CREATE, "way-out", NETWORK_POLICY, new={"spec": {"podSelector": selector}})
    template = {"metadata": {"labels": pods}}
    runs = step(Op.CREATE, "comparer", _JOB, new={"spec": {"jobTemplate": {"spec": {"template": template}}}})
    (found,) = (effect for effect in effects(plan(closes, runs)).known if effect.urn == closes.urn)
    assert (found.notice is Notice.NOTHING) is harmless
