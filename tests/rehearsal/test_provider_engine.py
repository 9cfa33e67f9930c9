"""The stand-ins under the real engine: create, preview a change, refresh, destroy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.engine.projects import Tiny
from tollgate.assess.past_runs import past_runs
from tollgate.engine.command import Event, Outcome
from tollgate.engine.toolchain import Toolchain
from tollgate.policy.sentinels import UNKNOWN
from tollgate.rehearsal.server import StandIns, stand_ins

pytestmark = pytest.mark.engine

PLANTED = "planted-Xq7-secret"
PROGRAM = """
import pulumi, pulumi_aws as aws, pulumi_kubernetes as k8s
config = pulumi.Config()
after = config.get_bool("after")
network = aws.ec2.Vpc("network", cidr_block="10.0.0.0/16", tags={{"a": "b"}})
group = aws.ec2.SecurityGroup("group", vpc_id=network.id, ingress=[
    {{"protocol": "tcp", "from_port": 5432, "to_port": 5433 if after else 5432, "cidr_blocks": ["10.0.0.0/16"]}}])
password = config.require_secret("password")
database = aws.rds.Instance("database", instance_class="db.r7g.large", engine="postgres", allocated_storage=20,
    engine_version="17.5" if after else "17.4", username="u", password=password, storage_encrypted=not after,
    vpc_security_group_ids=[group.id], opts=pulumi.ResourceOptions(protect=not after))
secret = k8s.core.v1.Secret("secret", string_data={{"password": password, "where": database.endpoint}})
config_map = k8s.core.v1.ConfigMap("settings", metadata={{"name": "settings"}}, data={{"a": "2" if after else "1"}})
cluster = k8s.apiextensions.CustomResource("cluster", api_version="postgresql.cnpg.io/v1", kind="Cluster",
    metadata={{"namespace": "pay"}}, spec={{"instances": 2 if after else 3}})
identity = aws.get_caller_identity()
pulumi.export("account", identity.account_id)
pulumi.export("endpoint", database.endpoint)
pulumi.export("secret_name", secret.metadata["name"])
{extra}
"""


class Project:
    """A stack on stand-in clouds."""

    def __init__(self, folder: Path, toolchain: Toolchain, extra: str = "") -> None:
        self.tiny = Tiny(folder / "project", toolchain, PROGRAM.format(extra=extra))
        self.tiny.set_secret("password", PLANTED)
        self.events: list[Event] = []

    def run(self, cloud: StandIns, *arguments: str) -> Outcome:
        self.events = []
        return self.tiny.cli.stream(
            [*arguments, "--stack", "organization/tiny/dev"],
            cwd=self.tiny.folder,
            on_event=self.events.append,
            extra={"PULUMI_DEBUG_PROVIDERS": cloud.debug_providers},
        )

    def change_settings(self) -> None:
        self.tiny.cli.run(["config", "set", "after", "true", "--stack", "organization/tiny/dev"], cwd=self.tiny.folder)

    def operations(self) -> dict[str, str]:
        """Logical operations, by resource name."""
        steps = [event["resourcePreEvent"]["metadata"] for event in self.events if "resourcePreEvent" in event]
        physical = ("create-replacement", "delete-replaced")
        return {step["urn"].rpartition("::")[2]: step["op"] for step in steps if step["op"] not in physical}

    def step(self, name: str) -> dict[str, Any]:
        steps = [event["resourcePreEvent"]["metadata"] for event in self.events if "resourcePreEvent" in event]
        found: dict[str, Any] = next(step for step in steps if step["urn"].endswith(f"::{name}"))
        return found


def test_a_change_from_up_to_destroy(tmp_path: Path, toolchain: Toolchain) -> None:
    project = Project(tmp_path, toolchain)
    with stand_ins(["aws", "kubernetes"]) as cloud:
        assert project.run(cloud, "preview").code == 0
        assert project.step("database")["new"]["inputs"]["vpcSecurityGroupIds"] == [UNKNOWN]
        up = project.run(cloud, "up", "--yes", "--skip-preview")
        assert (up.code, up.errors) == (0, ())
        assert set(project.operations().values()) == {"create"}
    with stand_ins(["aws", "kubernetes"]) as cloud:  # a later command: the state is all that is left
        assert project.run(cloud, "preview", "--expect-no-changes").code == 0
        assert project.run(cloud, "refresh", "--yes", "--skip-preview", "--expect-no-changes").code == 0
        project.change_settings()
        preview = project.run(cloud, "preview")
        assert (preview.code, preview.errors) == (0, ())
        assert {name: op for name, op in project.operations().items() if op != "same"} == {
            "group": "update",
            "database": "replace",
            "secret": "replace",
            "settings": "replace",
            "cluster": "update",
        }
        kinds = {path: change["diffKind"] for path, change in project.step("database")["detailedDiff"].items()}
        assert kinds == {"engineVersion": "update", "storageEncrypted": "update-replace"}
        assert set(project.step("group")["detailedDiff"]) == {"ingress[0].toPort"}
        assert project.step("cluster")["detailedDiff"].keys() == {"spec.instances"}
        assert cloud.unlisted_types == cloud.undecided == cloud.unreadable_secrets == frozenset()
        assert PLANTED not in json.dumps(project.events)
        up = project.run(cloud, "up", "--yes", "--skip-preview")
        assert (up.code, up.errors) == (0, ())
        measured = past_runs(map(json.dumps, project.events))
        assert {one.op.value for one in measured if one.type == "aws:rds/instance:Instance"} == {"create", "delete"}
        assert {one.op.value for one in measured if one.type == "aws:ec2/securityGroup:SecurityGroup"} == {"update"}
        destroy = project.run(cloud, "destroy", "--yes", "--skip-preview")
        assert (destroy.code, destroy.errors) == (0, ())
        assert PLANTED not in json.dumps(project.events)


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (
            'aws.sqs.Queue("queue", redrive_policy=1, opts=pulumi.ResourceOptions(transforms=[lambda a: '
            'pulumi.ResourceTransformResult({**a.props, "delaySecnds": password}, a.opts)]))',
            "delaySecnds: no such property; did you mean delaySeconds?",
        ),
        ("aws.ec2.get_ami()", "cannot answer the function aws:ec2/getAmi:getAmi"),
    ],
)
def test_a_refusal_is_a_sentence_without_the_secret(
    tmp_path: Path, toolchain: Toolchain, extra: str, expected: str
) -> None:
    project = Project(tmp_path, toolchain, extra)
    with stand_ins(["aws", "kubernetes"]) as cloud:
        preview = project.run(cloud, "preview")
    assert preview.code != 0
    assert expected in "\n".join(preview.errors)
    assert PLANTED not in json.dumps([*project.events, *preview.errors])
