"""The Valkey stores on all targets: which there are, what they tell, and the Functions they are loaded with."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

import components.redis_functions
from components.naming import opens
from components.redis_elasticache import user_name
from components.specs import RedisSpec, Target
from components.valkey import ASSETS
from stacks.loading import load_settings
from stacks.profiles_redis import redis
from stacks.settings import Tier
from tests.components.recording import ROOT, STACKS, Record, Resource, config_of, run

on_each_stack = pytest.mark.parametrize("stack", STACKS)
on_aws = pytest.mark.parametrize("stack", ["dev", "staging", "prod"])


@cache
def recorded(stack: str) -> Record:
    return run(stack, config_of(stack))


@cache
def replicated() -> Record:
    """A production on Kubernetes in three zones: stores with replicas, and Sentinels."""
    return run("local", replicated_config())


def replicated_config() -> dict[str, str]:
    return config_of("local") | {"payments:tier": "prod"}


def settings(stack: str, **overrides: Any) -> Any:
    config = config_of(stack) | {f"payments:{key}": json.dumps(value) for key, value in overrides.items()}
    return load_settings(stack, config, [], root=ROOT)


def made(record: Record, end: str, kind: str) -> Resource:
    return record.one(f"payments-local-{end}", kind)


def pod_of(record: Record, end: str) -> dict[str, Any]:
    spec: dict[str, Any] = made(record, end, "StatefulSet").inputs["spec"]["template"]["spec"]
    return spec


def container(pod: dict[str, Any], name: str, of: str = "containers") -> dict[str, Any]:
    (found,) = [part for part in pod[of] if part["name"] == name]
    return found  # type: ignore[no-any-return]


def volume(pod: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [part for part in pod["volumes"] if part["name"] == name]
    return found  # type: ignore[no-any-return]


def asked(
    name: str = "coordination", tier: Tier = Tier.STAGING, target: Target = Target.AWS, **changes: Any
) -> RedisSpec:
    return RedisSpec.model_validate({**redis(tier, target, ["gateway", "clearing"])[name], **changes}, strict=False)


@on_each_stack
def test_every_stack_has_coordination_and_a_cache_where_its_tier_wants_one(stack: str) -> None:
    purposes = {name: store.purpose for name, store in settings(stack).redis.items()}
    wanted = {"coordination": "coordination"} | ({} if stack == "edge" else {"cache": "cache"})
    assert purposes == wanted
    assert set(recorded(stack).outputs["redis"]) == set(wanted)


@on_each_stack
def test_outputs_have_one_shape_on_all_targets(stack: str) -> None:
    for record in (recorded(stack), replicated()):
        for told in record.outputs["redis"].values():
            assert set(told) == {
                *("purpose", "found_by", "host", "port", "store", "signs_in_by", "users", "functions"),
            }
            assert set(told["users"]) == set(record.outputs["databases"])
            assert told["functions"] == (["locks"] if told["purpose"] == "coordination" else [])


@on_each_stack
def test_a_service_has_the_keys_that_begin_with_its_name_in_a_store_and_no_others(stack: str) -> None:
    for store in settings(stack).redis.values():
        assert {name: (user.keys, user.reads) for name, user in store.users.items()} == {
            name: ((f"{name}:",), ()) for name in settings(stack).databases
        }


@on_each_stack
def test_functions_are_loaded_by_a_job_under_the_digest_of_what_it_ships(stack: str) -> None:
    record = recorded(stack)
    job = record.one(f"payments-{stack}-coordination-functions", "batch/v1:Job")
    files = record.one(f"payments-{stack}-coordination-functions", "ConfigMap")
    assert job.inputs["metadata"]["name"] == files.inputs["metadata"]["name"]
    assert len(job.inputs["metadata"]["name"]) <= 63  # it is a label of its pods
    assert files.inputs["data"]["locks.lua"] == (ASSETS / "locks.lua").read_text()
    spec = job.inputs["spec"]
    assert (spec["parallelism"], spec["completions"], spec["activeDeadlineSeconds"]) == (1, 1, 600)
    assert opens("redis").items() <= spec["template"]["metadata"]["labels"].items()
    waited = " ".join(job.depends_on)
    assert "ReplicationGroup::" in waited or "StatefulSet::" in waited
    told = {variable["name"]: variable["value"] for variable in spec["template"]["spec"]["containers"][0]["env"]}
    assert told["FOUND_BY"] == record.outputs["redis"]["coordination"]["found_by"]
    assert told["HOST"] == record.outputs["redis"]["coordination"]["host"]
    assert [found.name for found in record.of("batch/v1:Job") if "cache" in found.name] == []


def test_a_changed_library_is_a_new_job(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "payments-edge-coordination-functions"
    before = recorded("edge").one(name, "batch/v1:Job").inputs["metadata"]["name"]
    libraries = components.redis_functions.libraries
    monkeypatch.setattr(components.redis_functions, "libraries", lambda spec: {**libraries(spec), "more.lua": "--"})
    after = run("edge", config_of("edge")).one(name, "batch/v1:Job").inputs["metadata"]["name"]
    assert before != after


@on_aws
def test_the_loader_signs_in_on_aws_with_a_role_of_its_own_that_may_only_connect(stack: str) -> None:
    record = recorded(stack)
    called = f"payments-{stack}-coordination"
    pair = record.one(f"{called}-loader", "PodIdentityAssociation").inputs
    assert (pair["namespace"], pair["serviceAccount"]) == ("payments", f"{called}-functions")
    granted = record.one(f"{called}-loader-connects", "RolePolicy").inputs
    (right,) = json.loads(granted["policy"])["Statement"]
    assert right["Resource"] == [f"arn:aws:mock:::{called}-store", f"arn:aws:mock:::{called}-user-loader"]
    pod = record.one(f"{called}-functions", "batch/v1:Job").inputs["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == pair["serviceAccount"]
    told = {variable["name"]: variable["value"] for variable in container(pod, "sign-in", "initContainers")["env"]}
    assert told["SIGNS_IN_AS"] == user_name(called, "loader")
    assert told["STORE"] == called
    assert told["REGION"] == "ap-southeast-1"
    assert volume(pod, "passwords")["emptyDir"]["medium"] == "Memory"


def test_the_token_is_what_the_aws_library_makes_of_the_same() -> None:
    """Recorded once from botocore 1.44.8 (RequestSigner.generate_presigned_url), which is not installed here."""
    source = importlib.util.spec_from_file_location("sign_in", ASSETS / "sign_in.py")
    assert source is not None
    assert source.loader is not None
    sign_in = importlib.util.module_from_spec(source)
    source.loader.exec_module(sign_in)
    token = sign_in.token(
        "payments-staging-coordination",
        "payments-staging-coordination-loader",
        "ap-southeast-1",
        {
            "AccessKeyId": "AKIDEXAMPLE",
            "SecretAccessKey": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            "Token": "token/with+and=signs",
        },
        datetime(2026, 11, 27, 1, 2, 3, tzinfo=UTC),
    )
    assert token.startswith("payments-staging-coordination/?Action=connect&User=payments-staging-coordination-loader&")
    assert token.endswith("&X-Amz-Signature=0aa5afcd80a0e7d5b402cb9bf531d2eb09f4f4e7e932df9cc19caabd520abd41")


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="no shellcheck here: apt-get install shellcheck")
def test_scripts_are_clean() -> None:
    scripts = [str(file) for file in sorted(ASSETS.glob("*.sh"))]
    command = ["shellcheck", "--shell=sh", "--severity=warning", "--external-sources", "--source-path=SCRIPTDIR"]
    done = subprocess.run([*command, *scripts], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
    assert len(scripts) >= 8
