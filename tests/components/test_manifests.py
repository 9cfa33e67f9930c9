"""Every manifest of every stack, judged by the real schemas: operators' own, and Kubernetes' own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from tests.components.crds import KUBERNETES, is_custom, needs_crds, of_operator, refusals
from tests.components.recording import STACKS, config_of, run

on_each_stack = pytest.mark.parametrize("stack", STACKS)


@needs_crds
@on_each_stack
def test_operators_accept_every_custom_resource(stack: str) -> None:
    judged = {name: refusals(manifest) for name, manifest in manifests(stack) if is_custom(manifest["apiVersion"])}
    assert judged
    assert {name: said for name, said in judged.items() if said} == {}


@on_each_stack
def test_kubernetes_accepts_every_object_of_its_own(stack: str) -> None:
    judged = {name: refusals(manifest) for name, manifest in manifests(stack) if not is_custom(manifest["apiVersion"])}
    assert judged
    assert {name: said for name, said in judged.items() if said} == {}


def custom(api: str, kind: str, spec: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "x"}, "spec": spec, **more}


QUEUE = {"name": "x", "rabbitmqClusterReference": {"name": "y"}}
# What a server would drop or refuse, and where the validator must see it.
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a misspelt field": (custom("rabbitmq.com/v1beta1", "Queue", {**QUEUE, "durabel": True}), "durabel"),
    "a misspelt field in a list": (
        custom("external-secrets.io/v1", "ExternalSecret", {"dataFrom": [{"extract": {"keyy": "a"}}]}),
        "spec.dataFrom.0.extract: Additional properties",
    ),
    "a field beside the spec": (custom("rabbitmq.com/v1beta1", "Queue", QUEUE, sepc={}), "sepc"),
    "a needed field": (custom("rabbitmq.com/v1beta1", "Queue", {"name": "x"}), "'rabbitmqClusterReference' is a req"),
    "text for a number": (custom("postgresql.cnpg.io/v1", "Cluster", {"instances": "3"}), "spec.instances: '3' is not"),
    "a word that is none of those": (
        custom("external-secrets.io/v1", "ExternalSecret", {"refreshPolicy": "Often"}),
        "spec.refreshPolicy: 'Often' is not one of",
    ),
    "a needed field, deep down": (
        custom("keda.sh/v1alpha1", "ScaledObject", {"scaleTargetRef": {}, "triggers": []}),
        "'name' is a",
    ),
}


@needs_crds
@pytest.mark.parametrize(("manifest", "said"), WRONG.values(), ids=WRONG.keys())
def test_the_validator_refuses(manifest: dict[str, Any], said: str) -> None:
    assert said in "\n".join(refusals(manifest))


@needs_crds
@pytest.mark.parametrize(
    ("api", "kind"), [("external-secrets.io/v1beta1", "SecretStore"), ("rabbitmq.com/v1beta1", "Queu")]
)
def test_a_version_that_is_not_served_is_not_taken(api: str, kind: str) -> None:
    with pytest.raises(LookupError, match="is not served"):
        of_operator(api, kind)


@needs_crds
@pytest.mark.parametrize("instances", [1, 3])
def test_the_validator_takes_what_is_right(instances: int) -> None:
    resources = {"limits": {"cpu": 1, "memory": "1Gi"}, "requests": {"cpu": "500m"}}  # an int or a string
    right = {"instances": instances, "storage": {"size": "1Gi"}, "resources": resources}
    assert refusals(custom("postgresql.cnpg.io/v1", "Cluster", right)) == []


def test_a_misspelt_field_of_kubernetes_itself_is_refused_too() -> None:
    pod = custom("v1", "Pod", {"containers": [{"name": "x", "imgae": "y"}]})
    assert "imgae" in "\n".join(refusals(pod))
    with pytest.raises(LookupError, match=f"Kubernetes {KUBERNETES} has no policy/v1beta1 PodDisruptionBudget"):
        refusals(custom("policy/v1beta1", "PodDisruptionBudget", {}))


@cache
def manifests(stack: str) -> list[tuple[str, dict[str, Any]]]:
    """Each Kubernetes object that the stack declares, with every output known, as it would be sent to the server."""
    return [
        (made.name, plainly(made.inputs))
        for made in run(stack, config_of(stack)).resources
        if made.type.startswith("kubernetes:") and {"apiVersion", "kind"} <= set(made.inputs)
    ]


def plainly(value: Any) -> Any:
    """A value as JSON has it: numbers that are whole are integers (the engine's wire knows only floats)."""
    if isinstance(value, Mapping):
        return {key: plainly(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plainly(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
