"""The local stack fits on one small node, such as kind or k3d makes, and asks for nothing that such a node has not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from tests.components.recording import Record, Resource, config_of, run

# One node of 6 cores and 12 GiB, less what is on it before: kind's control plane asks for 0.95 cores, and the operators
# for about half a core and 1 GiB; the system keeps 1 GiB. [ours]
CORES, MEMORY_MIB = 6 - 1.5, (12 - 2) * 1024
UNITS = {"Mi": 1, "Gi": 1024}
BY_OPERATORS = ("postgresql.cnpg.io/v1:Cluster", "rabbitmq.com/v1beta1:RabbitmqCluster")
WORKLOADS = ("apps/v1:StatefulSet", "apps/v1:Deployment", "batch/v1:Job")


@cache
def recorded() -> Record:
    return run("local", config_of("local"))


def requests(made: Resource) -> Iterator[tuple[float, dict[str, str]]]:
    """(copies, requests) of each container that a resource brings."""
    spec: dict[str, Any] = made.inputs["spec"]
    if made.type.endswith(BY_OPERATORS):
        yield spec.get("instances", spec.get("replicas")), spec["resources"]["requests"]
    elif made.type.endswith(WORKLOADS):
        for container in spec["template"]["spec"]["containers"]:
            yield spec.get("replicas", 1), container["resources"]["requests"]


def cores(text: str) -> float:
    return float(text.removesuffix("m")) / 1000 if text.endswith("m") else float(text)


def mebibytes(text: str) -> float:
    return float(text[:-2]) * UNITS[text[-2:]]


def test_all_of_it_fits_on_one_small_node() -> None:
    asked = [each for made in recorded().resources if "spec" in made.inputs for each in requests(made)]
    assert len(asked) >= 12  # five databases, their migrations, a broker, Valkey
    assert sum(copies * cores(each["cpu"]) for copies, each in asked) <= CORES
    assert sum(copies * mebibytes(each["memory"]) for copies, each in asked) <= MEMORY_MIB


def test_nothing_waits_for_a_second_node_or_for_a_cloud() -> None:
    record = recorded()
    for made in record.of("postgresql.cnpg.io/v1:Cluster"):
        affinity = made.inputs["spec"]["affinity"]
        assert (affinity["podAntiAffinityType"], made.inputs["spec"]["enablePDB"]) == ("preferred", False)
        assert made.inputs["spec"]["storage"]["storageClass"] == "local-path"
    (broker,) = record.of("RabbitmqCluster")
    assert broker.inputs["spec"]["replicas"] == 1
    assert not record.of("PodDisruptionBudget")
    assert not [made for made in record.resources if made.type.startswith("aws:")]
    text = str([made.inputs for made in record.resources])
    assert "topology.kubernetes.io/zone" not in text
    assert "LoadBalancer" not in text
