"""The Valkey stores on Kubernetes: pods, volumes, doors and files. What they do is in tests/servers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.naming import labels, opens
from components.valkey import ASSETS
from tests.components.crds import refusals
from tests.components.recording import STACKS, run
from tests.components.test_manifests import plainly
from tests.components.test_redis import (
    container,
    made,
    pod_of,
    recorded,
    replicated,
    replicated_config,
    volume,
)

SETS = ("coordination-store", "coordination-sentinel", "cache-store", "cache-sentinel")
DATA_SETS = ("coordination-store", "cache-store")


@pytest.mark.parametrize("end", SETS)
def test_pods_start_all_at_once_under_names_that_work_before_they_are_ready(end: str) -> None:
    sets = made(replicated(), end, "StatefulSet").inputs
    assert sets["spec"]["podManagementPolicy"] == "Parallel"
    assert sets["spec"]["replicas"] == (2 if end == "cache-store" else 3)
    named = end.replace("store", "service").replace("sentinel", "sentinel-service")
    service = made(replicated(), named, "Service").inputs
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"] is True
    assert sets["spec"]["serviceName"] == service["metadata"]["name"] == sets["metadata"]["name"]
    assert service["spec"]["selector"] == sets["spec"]["template"]["metadata"]["labels"]


@pytest.mark.parametrize("end", SETS)
def test_pods_lie_on_different_hosts_and_in_all_zones_and_go_one_at_a_time(end: str) -> None:
    pod, budget = pod_of(replicated(), end), made(replicated(), disruptions(end), "PodDisruptionBudget").inputs["spec"]
    mine = made(replicated(), end, "StatefulSet").inputs["spec"]["selector"]
    (apart,) = pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert apart == {"labelSelector": mine, "topologyKey": "kubernetes.io/hostname"}
    (spread,) = pod["topologySpreadConstraints"]
    assert (spread["topologyKey"], spread["whenUnsatisfiable"]) == ("topology.kubernetes.io/zone", "DoNotSchedule")
    assert spread["labelSelector"] == mine
    assert budget == {"maxUnavailable": 1, "unhealthyPodEvictionPolicy": "IfHealthyBudget", "selector": mine}


def disruptions(end: str) -> str:
    return end.replace("store", "disruptions").replace("-sentinel", "-sentinel-disruptions")


@pytest.mark.parametrize("end", SETS)
def test_each_object_says_what_the_store_is_for_and_no_selector_asks(end: str) -> None:
    settings = end.replace("store", "settings").replace("-sentinel", "-sentinel-settings")
    for kind, named in (("StatefulSet", end), ("ConfigMap", settings)):
        found = made(replicated(), named, kind)
        assert found.inputs["metadata"]["labels"]["app.kubernetes.io/component"] == end.partition("-")[0]
    assert "app.kubernetes.io/component" not in made(replicated(), end, "StatefulSet").inputs["spec"]["selector"]


@pytest.mark.parametrize("end", SETS)
def test_what_a_pod_has_learnt_outlives_it_and_a_cache_keeps_nothing(end: str) -> None:
    spec = made(replicated(), end, "StatefulSet").inputs["spec"]
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    if end == "cache-store":
        assert "volumeClaimTemplates" not in spec
        assert volume(pod_of(replicated(), end), "data")["emptyDir"] == {"sizeLimit": "13312Mi"}
    else:
        (claim,) = spec["volumeClaimTemplates"]
        assert claim["spec"]["resources"]["requests"]["storage"] == ("40Gi" if end == "coordination-store" else "1Gi")


def every_pod() -> list[tuple[str, dict[str, Any]]]:
    """Each pod template of every stack that belongs to a store."""
    records = {**{stack: recorded(stack) for stack in STACKS}, "replicated": replicated()}
    return [
        (f"{name} {found.name}", found.inputs["spec"]["template"]["spec"])
        for name, record in records.items()
        for kind in ("StatefulSet", "batch/v1:Job")
        for found in record.of(kind)
        if "tollgate:data:RedisStore" in record.line_of(found)
    ]


def test_every_container_is_pinned_bounded_and_restricted() -> None:
    for name, pod in every_pod():
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        for part in [*pod["containers"], *pod.get("initContainers", [])]:
            assert "@sha256:" in part["image"], name
            assert part["resources"]["requests"] == part["resources"]["limits"], name
            assert set(part["resources"]["limits"]) == {"cpu", "memory"}, name
            context = part["securityContext"]
            assert (context["readOnlyRootFilesystem"], context["allowPrivilegeEscalation"]) == (True, False), name
            assert context["capabilities"] == {"drop": ["ALL"]}, name


def test_no_variable_holds_a_secret_and_a_server_sees_no_password_of_a_service() -> None:
    for name, pod in every_pod():
        for part in [*pod["containers"], *pod.get("initContainers", [])]:
            for variable in part["env"]:
                if "PASS" in variable["name"]:  # a reference, or the folder
                    assert variable.get("value") in (None, "/run/passwords"), name
        if "store" in name:
            mounted = {mount["name"] for part in pod["containers"] for mount in part["volumeMounts"]}
            assert "passwords" not in mounted
            assert users_of(volume(pod, "own")) == {"node", "replication"}
        elif "sentinel" in name:
            assert users_of(volume(pod, "own")) == {"sentinel"}


def users_of(projected: dict[str, Any]) -> set[str]:
    items = [source["secret"]["items"] for source in projected["projected"]["sources"]]
    return {item["path"].partition("/")[0] for (item,) in items}


def test_a_password_is_needed_and_the_one_before_is_not() -> None:
    sources = volume(pod_of(replicated(), "coordination-store"), "passwords")["projected"]["sources"]
    gateway = [source["secret"] for source in sources if source["secret"]["items"][0]["path"].startswith("gateway/")]
    assert gateway == [
        {"name": "payments-coordination-gateway", "items": [{"key": "password", "path": "gateway/password"}]},
        {
            "name": "payments-coordination-gateway",
            "items": [{"key": "previous", "path": "gateway/previous"}],
            "optional": True,
        },
    ]
    assert users_of(volume(pod_of(replicated(), "coordination-store"), "passwords")) == {
        *("account", "wallet", "gateway", "risk", "clearing"),
        *("loader", "monitor", "node", "replication", "sentinel"),
    }


@pytest.mark.parametrize("end", DATA_SETS)
def test_a_node_is_ready_by_its_own_word_and_hands_over_before_it_stops(end: str) -> None:
    pod = pod_of(replicated(), end)
    server = container(pod, "valkey")
    assert server["command"] == ["/bin/sh", "/etc/valkey/node.sh"]
    assert server["readinessProbe"]["exec"]["command"] == ["/bin/sh", "/etc/valkey/ready.sh"]
    assert server["lifecycle"]["preStop"]["exec"]["command"] == ["/bin/sh", "/etc/valkey/stop.sh"]
    assert pod["terminationGracePeriodSeconds"] > 20 + 10  # stop.sh, then the server's own patience
    told = {variable["name"]: variable.get("value") for variable in server["env"]}
    called = f"payments-local-{end.removesuffix('-store')}"
    assert told["HOST"] == f"$(POD).{called}.payments.svc"
    assert told["SENTINELS"].split() == [
        f"{called}-sentinel-{number}.{called}-sentinel.payments.svc" for number in range(3)
    ]
    # POD is said before the variables that are made of it.
    assert [variable["name"] for variable in server["env"]].index("POD") == 0


@pytest.mark.parametrize("end", DATA_SETS)
def test_metrics_are_read_with_a_user_and_a_certificate_of_their_own(end: str) -> None:
    exporter = container(pod_of(replicated(), end), "metrics")
    assert exporter["ports"] == [{"name": "metrics", "containerPort": 9121}]
    told = {variable["name"]: variable for variable in exporter["env"]}
    assert told["REDIS_ADDR"]["value"].startswith("rediss://$(POD).")
    assert told["REDIS_USER"]["value"] == "monitor"
    assert told["REDIS_PASSWORD"]["valueFrom"]["secretKeyRef"]["key"] == "monitor"


def test_doors_are_open_to_whom_they_name_and_nobody_else() -> None:
    nodes, sentinels = labels("payments-local-coordination"), labels("payments-local-coordination-sentinel")
    callers = [{"podSelector": {"matchLabels": who}} for who in (opens("redis"), nodes, sentinels)]
    for end, port in (("coordination-doors", 6379), ("coordination-sentinel-doors", 26379)):
        spec = made(replicated(), end, "NetworkPolicy").inputs["spec"]
        assert sorted(spec["policyTypes"]) == ["Egress", "Ingress"]
        assert spec["ingress"] == [{"from": callers, "ports": [{"protocol": "TCP", "port": port}]}]
        to_nodes, to_sentinels, to_names = spec["egress"]
        assert to_nodes == {"to": [callers[1]], "ports": [{"protocol": "TCP", "port": 6379}]}
        assert to_sentinels == {"to": [callers[2]], "ports": [{"protocol": "TCP", "port": 26379}]}
        assert {part["port"] for part in to_names["ports"]} == {53}


def test_files_are_shipped_whole_under_a_digest_of_their_content() -> None:
    for end, scripts in (
        ("coordination-settings", {"common.sh", "users.sh", "node.sh", "ready.sh", "stop.sh"}),
        ("coordination-sentinel-settings", {"common.sh", "users.sh", "sentinel.sh", "sentinel-ready.sh"}),
    ):
        shipped = made(replicated(), end, "ConfigMap").inputs
        assert shipped["immutable"] is True
        assert {name for name in shipped["data"] if name.endswith(".sh")} == scripts
        assert all(shipped["data"][name] == (ASSETS / name).read_text() for name in scripts)
    before = made(replicated(), "coordination-settings", "ConfigMap").inputs["metadata"]["name"]
    config = replicated_config() | {"payments:redis": json.dumps({"coordination": {"maxmemory_percent": 60}})}
    after = made(run("local", config), "coordination-settings", "ConfigMap").inputs["metadata"]["name"]
    assert before != after
    assert before.startswith("payments-local-coordination-")


def test_one_node_has_no_budget_and_no_sentinels() -> None:
    for stack in ("local", "edge"):
        record = recorded(stack)
        ours = [found for found in record.resources if "tollgate:data:RedisStore" in record.line_of(found)]
        assert [found.name for found in ours if "sentinel" in found.name] == []
        assert [found.name for found in ours if found.type.endswith("PodDisruptionBudget")] == []
        pod = record.one(f"payments-{stack}-coordination-store", "StatefulSet").inputs["spec"]["template"]["spec"]
        assert {variable["name"]: variable.get("value") for variable in container(pod, "valkey")["env"]}[
            "SENTINELS"
        ] == ""
        assert "lifecycle" not in container(pod, "valkey")


def test_every_object_of_a_replicated_store_is_what_kubernetes_takes() -> None:
    judged = 0
    for found in replicated().resources:
        if "kubernetes:" in found.type and "tollgate:data:RedisStore" in replicated().line_of(found):
            judged += 1
            assert refusals(plainly(found.inputs)) == [], found.name
    assert judged >= 20
