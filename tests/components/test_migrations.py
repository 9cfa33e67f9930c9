"""The migrations Job: what it ships, what guards it, and when a new one runs. What it does is in tests/servers."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from pydantic import ValidationError

import components.migrations
from components.migrations import SQL
from components.specs import MigrationsSpec, Target
from stacks.profiles import profile
from stacks.settings import Tier
from tests.components.crds import needs_crds, refusals
from tests.components.recording import STACKS, Record, Resource, config_of, run

on_each_stack = pytest.mark.parametrize("stack", STACKS)


@cache
def recorded(stack: str) -> Record:
    return run(stack, config_of(stack))


def jobs(record: Record) -> list[Resource]:
    """The Jobs of migrations; others load other things."""
    return [made for made in record.of("batch/v1:Job") if made.name.endswith("-migrations-job")]


@on_each_stack
def test_each_database_has_one_job_and_the_job_ships_the_folder(stack: str) -> None:
    record = recorded(stack)
    shipped = {file.name: file.read_text() for file in SQL.iterdir()}
    maps = [made for made in record.of("ConfigMap") if made.name.endswith("-sql")]
    assert len(jobs(record)) == len(maps) == len(record.outputs["databases"]) > 0
    for made in maps:
        assert (made.inputs["data"], made.inputs["immutable"]) == (shipped, True)
    assert sum(len(text) for text in shipped.values()) < 1_000_000  # a ConfigMap holds 1 MiB


@on_each_stack
def test_the_job_runs_once_at_a_time_ends_in_time_and_is_restricted(stack: str) -> None:
    for made in jobs(recorded(stack)):
        spec = made.inputs["spec"]
        assert (spec["parallelism"], spec["completions"]) == (1, 1)
        assert 0 <= spec["backoffLimit"] <= 2
        assert spec["activeDeadlineSeconds"] == 3600
        assert spec["ttlSecondsAfterFinished"] == 604800
        pod = spec["template"]["spec"]
        assert (pod["restartPolicy"], pod["automountServiceAccountToken"]) == ("Never", False)
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        (container,) = pod["containers"]
        assert "@sha256:" in container["image"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["requests"] == container["resources"]["limits"]
        given = {part["name"]: part.get("value") for part in container["env"]}
        assert given["PGSSLMODE"] == "verify-full"
        assert None not in given.values()  # no secret in the environment: the way in is mounted
        (login,) = [volume["secret"] for volume in pod["volumes"] if volume["name"] == "login"]
        assert [item["key"] for item in login["items"]] == ["username", "password"]


@on_each_stack
def test_the_job_waits_for_its_database_and_for_its_way_in(stack: str) -> None:
    for made in jobs(recorded(stack)):
        domain = made.name.removeprefix(f"payments-{stack}-").removesuffix("-migrations-job")
        waited = " ".join(made.depends_on)
        assert f"payments-{stack}-{domain}-" in waited
        assert ("ExternalSecret::" in waited) == (stack in ("dev", "staging", "prod"))
        assert ("rds/instance:Instance::" in waited) or ("cnpg.io/v1:Cluster::" in waited)


def test_a_changed_file_is_a_new_job_under_a_new_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    def names(record: Record) -> list[str]:
        name = "payments-edge-gateway-migrations"
        return [
            record.one(f"{name}-{part}", kind).inputs["metadata"]["name"]
            for part, kind in (("sql", "ConfigMap"), ("job", "Job"))
        ]

    before = names(recorded("edge"))
    for file in SQL.iterdir():
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "0002_more.sql").write_text("create table more ();\n")
    monkeypatch.setattr(components.migrations, "SQL", tmp_path)
    after = names(run("edge", config_of("edge")))
    assert before[1].startswith("payments-edge-gateway-migrations-0001-")
    assert after[1].startswith("payments-edge-gateway-migrations-0002-")
    assert before[0] != after[0]
    assert all(len(name) <= 63 for name in after)  # a Job's name is a label of its pods


@on_each_stack
def test_every_object_is_what_kubernetes_takes(stack: str) -> None:
    for kind, version in (("Job", "batch/v1"), ("ConfigMap", "v1"), ("NetworkPolicy", "networking.k8s.io/v1")):
        for made in recorded(stack).of(f":{kind}"):
            if "-migrations-" in made.name:
                parts = {
                    key: made.inputs[key] for key in ("metadata", "spec", "data", "immutable") if key in made.inputs
                }
                assert refusals({"apiVersion": version, "kind": kind, **parts}) == [], made.name


@needs_crds
@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_the_password_comes_from_the_secret_that_rds_made(stack: str) -> None:
    made = [found for found in recorded(stack).of("ExternalSecret") if "-migrations-" in found.name]
    assert len(made) == 5
    for found in made:
        manifest = {key: found.inputs[key] for key in ("apiVersion", "kind", "metadata", "spec")}
        assert refusals(manifest) == []
        assert found.inputs["apiVersion"] == "external-secrets.io/v1"
        keys = {part["remoteRef"]["key"] for part in found.inputs["spec"]["data"]}
        assert keys == {"arn:aws:secretsmanager:ap-southeast-1:111122223333:secret:one"}


def test_on_kubernetes_roles_sign_in_with_certificates_and_keep_their_membership() -> None:
    roles = {made.inputs["spec"]["name"]: made.inputs["spec"] for made in recorded("edge").of("DatabaseRole")}
    assert set(roles) == {"gateway_migrator", "gateway_writer", "gateway_reader"}
    # The operator takes away each membership that is not named.
    assert {name: role["inRoles"] for name, role in roles.items() if role["inRoles"]} == {
        "gateway_migrator": ["gateway_owner"]
    }
    assert all(role["clientCertificate"]["enabled"] and "passwordSecret" not in role for role in roles.values())
    lines = recorded("edge").one("payments-edge-gateway-cluster", "Cluster").inputs["spec"]["postgresql"]["pg_hba"]
    assert lines == [
        "hostnossl all all all reject",
        "hostssl all gateway_migrator,gateway_writer,gateway_reader all cert",
    ]


def asked(**changes: Any) -> MigrationsSpec:
    return MigrationsSpec(**{**profile(Tier.STAGING, Target.AWS)["migrations"], **changes})


REFUSED = {
    "a tag": ({"image": "ghcr.io/cloudnative-pg/postgresql:17"}, "pattern"),
    "a short digest": ({"image": "postgres@sha256:abc"}, "pattern"),
    "root": ({"user_id": 0}, "greater than or equal to 1"),
    "endless tries": ({"retries": 3}, "less than or equal to 2"),
    "a wait that stops a service": ({"lock_timeout_seconds": 60}, "less than or equal to 30"),
}


@pytest.mark.parametrize(("change", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_value_out_of_bounds_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        asked(**change)


def test_each_target_says_what_it_needs_and_what_it_does_not() -> None:
    assert asked().refused_by(Target.AWS) == ()
    without = asked(secret_store_ref=None, authority_ref=None)
    assert without.refused_by(Target.EDGE) == without.refused_by(Target.KUBERNETES) == ()
    assert [field for field, _ in without.refused_by(Target.AWS)] == ["secret_store_ref", "authority_ref"]
    assert all(why.endswith("remove it") for _, why in asked().refused_by(Target.EDGE))
