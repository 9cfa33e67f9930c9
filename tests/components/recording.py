"""Run the whole program with no engine, and keep what it asks the engine to register.

Assertions are made on the record, outside any ``apply``: an assertion inside one may never run.
"""

from __future__ import annotations

import asyncio
import json
import os
import runpy
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pulumi
import yaml
from pulumi.runtime import mocks
from pulumi.runtime.settings import set_root_resource

ROOT = Path(__file__).resolve().parents[2]
STACKS = ("local", "dev", "staging", "prod", "edge")
# The only thing that the program asks a cloud while it plans: Amazon MQ takes its password in no other way.
BROKER_PASSWORD = "only-a-stand-in"
# Outputs that the program itself looks into, and that only a provider can know.
KNOWN_ONLY_LATER: dict[str, dict[str, Any]] = {
    "aws:ec2/vpc:Vpc": {"ownerId": "111122223333"},
    "aws:ec2/launchTemplate:LaunchTemplate": {"latestVersion": 1},
    "aws:rds/instance:Instance": {
        "masterUserSecrets": [{"secretArn": "arn:aws:secretsmanager:ap-southeast-1:111122223333:secret:one"}],
        "address": "database.example.internal",
        "resourceId": "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    },
    "aws:rds/cluster:Cluster": {
        "masterUserSecrets": [{"secretArn": "arn:aws:secretsmanager:ap-southeast-1:111122223333:secret:two"}],
        "endpoint": "cluster.example.internal",
        "clusterResourceId": "cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    },
    "aws:elasticache/replicationGroup:ReplicationGroup": {
        "configurationEndpointAddress": "clustercfg.store.example.internal",
    },
    "aws:mq/broker:Broker": {
        "instances": [
            {
                "consoleUrl": "https://b-one.mq.ap-southeast-1.on.aws",
                "endpoints": ["amqps://b-one.mq.ap-southeast-1.on.aws:5671"],
            }
        ]
    },
    "aws:dms/replicationTask:ReplicationTask": {
        "replicationTaskArn": "arn:aws:dms:ap-southeast-1:111122223333:task:ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    },
    "aws:cloudwatch/logGroup:LogGroup": {"arn": "arn:aws:logs:ap-southeast-1:111122223333:log-group:one"},
}


@dataclass(frozen=True)
class Resource:
    """One registration, as the engine would get it. ``inputs`` in wire spelling."""

    type: str
    name: str
    custom: bool
    inputs: Mapping[str, Any]
    protect: bool
    retain_on_delete: bool
    parent: str
    provider: str
    depends_on: tuple[str, ...]
    replace_on_changes: tuple[str, ...]
    ignore_changes: tuple[str, ...]
    delete_before_replace: bool
    secret_outputs: tuple[str, ...]


@dataclass
class Record:
    """All registrations of one run, and the stack's outputs."""

    resources: list[Resource] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def of(self, kind: str) -> list[Resource]:
        """Resources whose type ends in a kind ("Instance", "rds/instance:Instance")."""
        return [found for found in self.resources if found.type.endswith(kind)]

    def one(self, name: str, kind: str) -> Resource:
        (found,) = [made for made in self.of(kind) if made.name == name]
        return found

    def line_of(self, made: Resource) -> list[str]:
        """The types of a resource and of all above it, itself first."""
        above = {(found.type, found.name): found for found in self.resources}
        line = [made.type]
        while made.parent:
            kind, _, name = made.parent.split("::", 2)[2].rpartition("::")
            line.append(kind.rpartition("$")[2])
            if (line[-1], name) not in above:
                break
            made = above[(line[-1], name)]
        return line


def comparable(value: Any) -> Any:
    """The value with archives as plain mappings, since two archives of one content are not equal."""
    if isinstance(value, dict):
        return {key: comparable(part) for key, part in value.items()}
    if isinstance(value, list):
        return [comparable(part) for part in value]
    if isinstance(value, pulumi.AssetArchive):
        return {"archive": {name: comparable(asset) for name, asset in value.assets.items()}}
    return {"text": value.text} if isinstance(value, pulumi.StringAsset) else value


class Provider(mocks.Mocks):
    """Answers each registration with its inputs, an id, and the few outputs the program looks into."""

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        if args.token == "aws:secretsmanager/getSecretVersion:getSecretVersion":
            return {**args.args, "secretString": BROKER_PASSWORD}, []
        raise AssertionError(f"the program asks the cloud a question while it plans: {args.token}")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        made = {"arn": f"arn:aws:mock:::{args.name}", "name": f"{args.name}-0a1b2c", "keyId": f"{args.name}-key"}
        known = made if args.typ.startswith("aws:") else {}
        outputs = {**known, **args.inputs, **KNOWN_ONLY_LATER.get(args.typ, {})}
        if "metadata" in outputs:
            outputs["metadata"] = {"name": f"{args.name}-0a1b2c", **outputs["metadata"]}
        return f"{args.name}-id", outputs


class Monitor(mocks.MockMonitor):
    """A mock monitor that keeps each request."""

    def __init__(self, record: Record) -> None:
        super().__init__(Provider())
        self.record = record

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  (the gRPC service's name)
        if request.type != "pulumi:pulumi:Stack":
            self.record.resources.append(
                Resource(
                    type=request.type,
                    name=request.name,
                    custom=request.custom,
                    inputs=comparable(pulumi.runtime.rpc.deserialize_properties(request.object)),
                    protect=request.protect,
                    retain_on_delete=request.retainOnDelete,
                    parent=request.parent,
                    provider=request.provider or ",".join(sorted(request.providers.values())),
                    depends_on=tuple(sorted(request.dependencies)),
                    replace_on_changes=tuple(request.replaceOnChanges),
                    ignore_changes=tuple(request.ignoreChanges),
                    delete_before_replace=request.deleteBeforeReplace,
                    secret_outputs=tuple(request.additionalSecretOutputs),
                )
            )
        return super().RegisterResource(request)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        if "pulumi:pulumi:Stack" in request.urn:
            self.record.outputs.update(pulumi.runtime.rpc.deserialize_properties(request.outputs))
        return super().RegisterResourceOutputs(request)


def config_of(stack: str, overlay: Path | None = None) -> dict[str, str]:
    """A stack's configuration as the engine hands it to the program: text, with mappings as JSON."""
    written = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text())["config"]
    if overlay:
        written = deep(written, yaml.safe_load(overlay.read_text()))
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    ours = {f"payments:{key}": said["default"] for key, said in declared.items() if "default" in said}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in {**ours, **written}.items()}


def deep(base: Any, over: Any) -> Any:
    """Overlay over a stack file's config: mappings key by key, all else replaced."""
    if isinstance(base, dict) and isinstance(over, dict):
        return {key: deep(base.get(key), over[key]) if key in over else base[key] for key in {**base, **over}}
    return over


def run(stack: str, config: Mapping[str, str], *, secret_keys: tuple[str, ...] = ()) -> Record:
    """The program's record for a stack and a configuration. Raises what the program raises."""
    record = Record()
    execute(stack, config, Monitor(record), secret_keys=secret_keys)
    return record


def execute(
    stack: str,
    config: Mapping[str, str],
    monitor: mocks.MockMonitor,
    *,
    secret_keys: tuple[str, ...] = (),
    preview: bool = False,
) -> None:
    """Run the program against a monitor of one's own. Raises what the program raises."""
    with own_loop(), engine_environment(config, secret_keys):
        mocks.set_mocks(monitor.mocks, project="payments", stack=stack, preview=preview, monitor=monitor)
        set_root_resource(None)  # set_mocks makes a stack of its own; run_in_stack makes the program's
        program = str(ROOT / "__main__.py")
        asyncio.get_event_loop().run_until_complete(
            pulumi.runtime.run_in_stack(lambda: runpy.run_path(program, run_name="__main__") and None)
        )


@contextmanager
def own_loop() -> Iterator[None]:
    """A new event loop for this run only, so that no run leaks work into the next."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        loop.close()
        asyncio.set_event_loop(None)


@contextmanager
def engine_environment(config: Mapping[str, str], secret_keys: tuple[str, ...]) -> Iterator[None]:
    """What the language host sets for a program. An Output in an f-string raises instead of printing help."""
    wanted = {
        "PULUMI_CONFIG": json.dumps(dict(config)),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(secret_keys)),
        "PULUMI_ERROR_OUTPUT_STRING": "true",
    }
    with patch.dict(os.environ, wanted), patch.object(sys, "path", [str(ROOT), *sys.path]):
        yield
