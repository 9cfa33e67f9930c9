"""Pods are found wherever they stand, and so are all their containers."""

import pytest

from tollgate.policy.check import Verdict
from tollgate.policy.paths import parse_path
from tollgate.policy.pods import each_container, each_pod, picks_some, pod_defaults
from tollgate.policy.reading import Reading
from tollgate.policy.sentinels import UNKNOWN

H, U, F = Verdict.HOLDS, Verdict.UNSHOWN, Verdict.FAILS
DEFAULTS = {parse_path(path): value for path, value in pod_defaults({"hostPID": False}, {"tty": False}).items()}
GOOD, BAD = {"containers": [{"image": "good"}]}, {"containers": [{"image": "bad"}]}


def judged(inputs):
    return each_container(
        Reading(inputs, defaults=DEFAULTS),
        lambda container: container["image"].one_of("good") & container["tty"].is_false(),
    ).verdict


def holders(pod):
    return [
        {"spec": pod},
        {"spec": {"template": {"spec": pod}}},
        {"spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}},
    ]


@pytest.mark.parametrize("kind", ["containers", "initContainers", "ephemeralContainers"])
def test_a_container_is_found_in_every_holder(kind):
    for inputs in holders({**GOOD, kind: [{"image": "good"}]}):
        assert judged(inputs) is H
    for inputs in holders({**GOOD, kind: [{"image": "good"}, {"image": "bad"}]}):
        assert judged(inputs) is F
    for inputs in holders({**GOOD, kind: [{"image": "good", "tty": True}]}):
        assert judged(inputs) is F
    for inputs in holders({**GOOD, kind: UNKNOWN}):
        assert judged(inputs) is U


def test_a_good_pod_beside_a_bad_one_hides_nothing():
    for first, second in ((GOOD, BAD), (BAD, GOOD)):
        template, job = {"spec": first}, {"spec": {"template": {"spec": second}}}
        assert judged({"spec": {"template": template, "jobTemplate": job}}) is F
        assert judged({"spec": {**second, "template": template}}) is F


def test_what_holds_no_pod_or_one_that_cannot_be_seen_is_no_pass():
    assert judged({}) is F
    assert judged({"spec": {}}) is F
    assert judged({"spec": {"template": {"spec": {}}}}) is F
    assert judged({"spec": {"template": "x"}}) is F
    assert judged(UNKNOWN) is U
    assert judged({"spec": UNKNOWN}) is U
    assert judged({"spec": {"template": UNKNOWN}}) is U


def test_defaults_hold_in_every_holder():
    for inputs in holders({}):
        reading = Reading(inputs, defaults=DEFAULTS)
        assert each_pod(reading, lambda pod: pod["hostPID"].is_false()).verdict is H


@pytest.mark.parametrize(
    ("selector", "verdict"),
    [
        ({"matchLabels": {"app": "gateway"}}, H),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, H),
        ({"matchLabels": {}, "matchExpressions": [{"key": "app"}]}, H),
        ({}, F),
        ({"matchLabels": {}}, F),
        ({"matchLabels": {"app": None}}, F),
        ({"matchExpressions": []}, F),
        ({"matchLabels": UNKNOWN}, U),
        (UNKNOWN, U),
        (None, F),
    ],
)
def test_a_selector_that_names_nothing_picks_everything(selector, verdict):
    assert picks_some(Reading({"a": selector})["a"]).verdict is verdict
