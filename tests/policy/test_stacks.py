"""The rules against our own stacks: every stack keeps them, and every rule meets something to judge."""

import functools

import pytest

from policies.rules import CROSS_RULES, RULES
from tests.components.recording import STACKS, config_of, run
from tollgate.policy.pack import build_pack

PACK = build_pack("tollgate", RULES)

# Rules that no resource of our stacks meets, and why they are kept.
DORMANT = {
    "scaler-target-request": "no stack scales by a HorizontalPodAutoscaler yet; teams add their own",
    "broker-instance-private": "our brokers run on Kubernetes; Amazon MQ is the other choice that a team may make",
    "network-rule-closed": "our rules are of the newer type; this one is what most examples on the web use",
}


@functools.cache
def recorded(stack):
    return run(stack, config_of(stack)).resources


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_keeps_every_rule(stack):
    resources = recorded(stack)
    assert resources
    messages = [
        f"{resource.name}: {breach.message}"
        for resource in resources
        for breach in PACK.breaches(resource.type, resource.name, resource.inputs)
    ]
    assert messages == []


def test_every_rule_meets_a_resource_or_is_dormant_for_a_reason():
    types = {resource.type for stack in STACKS for resource in recorded(stack)}
    unmet = {rule.id for rule in (*RULES, *CROSS_RULES) if not types & set(rule.types)}
    assert unmet == set(DORMANT)
