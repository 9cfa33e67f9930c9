"""The quick way to a plan says what the real engine says: op by op, property by property."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from stacks.loading import load_settings
from tests.components.planning import Footprint, footprint, plan
from tests.components.recording import ROOT, STACKS, config_of, deep
from tollgate.engine.project import find_project
from tollgate.engine.toolchain import Toolchain
from tollgate.plan.model import Op, Plan
from tollgate.rehearsal.baseline import PRESENT
from tollgate.rehearsal.packages import packages_installed
from tollgate.rehearsal.rehearse import HEAD, Definition, Request, Run
from tollgate.rehearsal.server import stand_ins
from tollgate.rehearsal.settings import StackSettings
from tollgate.rehearsal.workspace import workspace

GUARDS = ("protect", "retainOnDelete")
PROJECT = find_project(Path(__file__).parent)


@cache
def before(stack: str) -> Footprint:
    return footprint(stack, config_of(stack))


def changed(stack: str, **settings: Any) -> dict[str, str]:
    """A stack's configuration with settings over its own."""
    config = config_of(stack)
    for key, value in settings.items():
        full = f"payments:{key}"
        config[full] = json.dumps(deep(json.loads(config[full]), value)) if isinstance(value, dict) else value
    return config


def copy_of(stack: str, part: str, name: str) -> dict[str, Any]:
    """What a stack asks for one of its parts, in full."""
    settings = load_settings(stack, config_of(stack), [], root=ROOT)
    whole: dict[str, Any] = json.loads(getattr(settings, part)[name].model_dump_json())
    return whole


# Every way in which a change can go, on every target.
SAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "an update": ("edge", {"databases": {"gateway": {"max_connections": 60}}}),
    "an object whose name is its content": ("edge", {"configuration": {"values": {"retry-ceiling": {"value": 4}}}}),
    "a Job and what waits for it": ("edge", {"migrations": {"retries": 1}}),
    "something new": ("edge", {"databases": {"account": copy_of("edge", "databases", "gateway")}}),
    "a name of ours": ("edge", {"kubernetes": {"namespace": "payments-2"}}),
    "the old one first": ("local", {"broker_users": {"clearing": {"consumes": [], "publishes": ["payments"]}}}),
    "queues that come": ("local", {"queues": {"refunds": copy_of("local", "queues", "payments")}}),
    "waiting queues instead of waiting": ("local", {"queues": {"payments": {"retry": "ladder"}}}),
    "guards": ("local", {"safety": {"protect": True, "retain_on_delete": True}}),
    "a storage class": ("local", {"kubernetes": {"storage_class": "other"}}),
    "tags": ("dev", {"tags": {"cost-centre": "payments"}}),
    "another network": ("dev", {"network": {"cidr": "10.21.0.0/16"}}),
    "a NAT gateway more": ("dev", {"network": {"nat_gateways": "one_per_zone"}}),
    "another database name": ("dev", {"databases": {"clearing": {"database_name": "clearing_two"}}}),
    "another engine": ("dev", {"databases": {"clearing": {"engine": "aurora", "instance_class": "db.r7g.large"}}}),
    "parameters": ("dev", {"parameters": {"values": {"gateway": {"signature-tolerance-seconds": {"value": 200}}}}}),
    "configuration": ("dev", {"configuration": {"values": {"retry-ceiling": {"value": 4}}}}),
    "one address range more": ("dev", {"cluster": {"api_ranges": ["10.99.0.0/24"]}}),
}


@contextmanager
def real_engine(stack: str, toolchain: Toolchain) -> Iterator[Callable[[dict[str, str]], Plan]]:
    """A stack that is up on stand-in clouds, and a preview of any configuration over it."""
    request = Request(PROJECT, stack, PRESENT)
    with (
        workspace(PROJECT, stack, toolchain, passphrase=None, keep=False) as space,
        stand_ins(packages_installed(None)) as cloud,
    ):
        run = Run(request, space, cloud, space.create_stack(None), lambda _: None)
        base = run.base(opens=False)
        assert base
        run.bring_up(base)

        def preview(config: dict[str, str]) -> Plan:
            written = StackSettings(config={key: told(value) for key, value in config.items()})
            return run.preview(Definition(base.root, written, HEAD))

        yield preview


def told(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


@pytest.mark.parametrize("stack", STACKS)
def test_what_is_there_already_is_not_touched(stack: str) -> None:
    assert plan(stack, config_of(stack), before(stack)).touches == []


@pytest.mark.engine
@pytest.mark.parametrize("stack", ["edge", "local", "dev"])
def test_the_engine_says_the_same(stack: str, toolchain: Toolchain) -> None:
    with real_engine(stack, toolchain) as preview:
        for name, (where, settings) in SAMPLES.items():
            if where == stack:
                config = changed(stack, **settings)
                assert quick(stack, config) == real(preview(config)), name


def quick(stack: str, config: dict[str, str]) -> dict[str, tuple[Any, ...]]:
    return {
        touch.urn: (touch.op, tuple(sorted(touch.paths)), tuple(sorted(touch.because)), touch.first)
        for touch in plan(stack, config, before(stack)).touches
    }


def real(shown: Plan) -> dict[str, tuple[Any, ...]]:
    found = {}
    for step in shown.steps:
        changes = step.changes or ()
        because = tuple(sorted(change.path for change in changes if change.replaces))
        paths = tuple(sorted(change.path for change in changes))
        found[step.urn] = (step.op.value, paths, because, step.delete_before_replace)
        if step.op is Op.SAME:  # shown for a guard that comes or goes
            assert (step.protect_before, step.retain_on_delete) != (step.protect_after, step.retain_after)
            found[step.urn] = ("guards", GUARDS, (), False)
    return found
