"""Measures what the policy pack adds to a preview: `.venv/bin/python -m tests.bench.policies [RESOURCES]`.

The same program is previewed by the real engine without a pack, with an empty one, with ours, and with a pack on
Pulumi's own policy SDK that has as many rules, for the same types, each reading the properties that ours reads.
Aim: all our rules on 1,000 pod-sized resources add under 3 s to what an empty pack costs, on 2 cores.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.policy.examples import leaves
from tollgate.engine.command import Cli
from tollgate.engine.find import find
from tollgate.policy.load import load_pack
from tollgate.policy.pack import Pack
from tollgate.policy.stack import Ref
from tollgate.rehearsal.workspace import isolated

ROOT = Path(__file__).parents[2]
PACK = ROOT / "policies"
PLAIN, EMPTY, OURS = "no pack", "an empty pack on Pulumi's SDK", "our pack"
SDK = "the same rules on Pulumi's SDK"
# The SDK's takes so long that one run tells all.
RUNS = {PLAIN: 3, EMPTY: 3, OURS: 3, SDK: 1}
# A workload as Helm charts make them: about 2 kB of JSON. A component with a provider's type token: the engine shows it
# to a pack as it shows the provider's own resource, and no provider takes part in the measurement.
PROGRAM = """
import pulumi

def workload(n):
    restricted = {"allowPrivilegeEscalation": False, "runAsNonRoot": True, "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}
    probe = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10, "timeoutSeconds": 2}
    container = {
        "name": "worker", "image": "ghcr.io/shop/worker@sha256:" + "0" * 64, "securityContext": restricted,
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
        "env": [{"name": f"SETTING_{i}", "value": "a value of some length"} for i in range(12)],
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": probe, "livenessProbe": probe, "startupProbe": probe,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "data", "mountPath": "/data"}],
    }
    labels = {"app.kubernetes.io/name": f"worker-{n}", "app.kubernetes.io/part-of": "shop"}
    pod = {"serviceAccountName": "worker", "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True}, "containers": [container],
        "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": labels}}],
        "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "data", "emptyDir": {}}]}
    return {"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": f"worker-{n}", "namespace": "shop", "labels": labels},
        "spec": {"replicas": 3, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod}}}

pulumi.ComponentResource("kubernetes:networking.k8s.io/v1:NetworkPolicy", "closed", {
    "metadata": {"name": "closed", "namespace": "shop"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}})
for n in range(COUNT):
    pulumi.ComponentResource("kubernetes:apps/v1:Deployment", f"worker-{n}", workload(n))
"""
SDK_PACK = """
import json
from pathlib import Path
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy, StackValidationPolicy

RULES = json.loads(Path(__file__).with_name("rules.json").read_text())

def read(value, path):
    for step in path:
        if isinstance(step, int):
            value = value[step] if value is not None and len(value) > step else None
        else:
            value = value.get(step) if value is not None else None
    return value

def of_one(types, paths):
    def validate(args, report):
        if args.resource_type in types:
            for path in paths:
                read(args.props, path)
    return validate

def of_stack(types, paths):
    def validate(args, report):
        for resource in args.resources:
            if resource.resource_type in types:
                for path in paths:
                    read(resource.props, path)
    return validate

PolicyPack("sdk", enforcement_level=EnforcementLevel.MANDATORY, policies=[
    *(ResourceValidationPolicy(name=name, description=name, validate=of_one(types, paths))
      for name, types, paths in RULES["one"]),
    *(StackValidationPolicy(name=name, description=name, validate=of_stack(types, paths))
      for name, types, paths in RULES["stack"]),
])
"""


@dataclass(frozen=True)
class Taken:
    """One preview: wall-clock seconds, and seconds of processor time of all its processes."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Cost:
    """The previews with each pack, by its name; ``PLAIN`` is the one without."""

    resources: int
    rules: int
    taken: dict[str, list[Taken]]

    def row(self, name: str) -> str:
        runs = self.taken[name]
        walls = [each.wall for each in runs]
        plain = self.taken[PLAIN]
        added = statistics.median(walls) - statistics.median(each.wall for each in plain)
        cpu = statistics.median(each.cpu for each in runs)
        added_cpu = cpu - statistics.median(each.cpu for each in plain)
        return (
            f"| {name} | {min(walls):.1f} | {statistics.median(walls):.1f} | {max(walls):.1f} | {len(runs)} "
            f"| {added:+.1f} | {cpu:.1f} | {added_cpu:+.1f} |"
        )

    def section(self) -> str:
        """The part of docs/reference/performance.md that is about the pack."""
        rows = "\n".join(map(self.row, self.taken))
        return f"""
## The policy pack

{self.rules} rules on {self.resources:,} pod-sized resources (2 kB each), through the real engine and its analyzer
protocol, one preview after the other on the same machine; to repeat: `.venv/bin/python -m tests.bench.policies`. For
each resource the engine asks a pack twice and writes down what it asked: that is what an empty pack costs, whoever
wrote it. The last row has as many rules as ours on Pulumi's own policy SDK, for the same types, each reading the same
properties. Seconds; processor time is that of all processes, and does not hang on what else the machine does.

| preview with | min | median | max | runs | added | processor | added |
|---|---|---|---|---|---|---|---|
{rows}
"""


def measure(resources: int = 1_000) -> Cost:
    """Preview the program with each pack in turn, after one preview to warm up."""
    pack = load_pack(PACK)
    with tempfile.TemporaryDirectory(prefix="tollgate-bench-") as scratch:
        folder = Path(scratch)
        packs = {PLAIN: None, EMPTY: empty_pack(folder / "empty"), OURS: PACK, SDK: sdk_pack(folder / "sdk", pack)}
        cli = project(folder, resources)
        preview(cli, folder / "program", None)
        taken: dict[str, list[Taken]] = {name: [] for name in packs}
        for turn in range(max(RUNS.values())):
            for name, each in packs.items():
                if turn < RUNS[name]:
                    taken[name].append(preview(cli, folder / "program", each))
    return Cost(resources, len(pack.statements), taken)


def project(folder: Path, resources: int) -> Cli:
    """The program on disk, with a stack of its own."""
    program = folder / "program"
    program.mkdir()
    (program / "Pulumi.yaml").write_text("name: many\nruntime: python\n")
    (program / "__main__.py").write_text(PROGRAM.replace("COUNT", str(resources)))
    (folder / "work" / "backend").mkdir(parents=True)
    cli = Cli(found := find(print), isolated(found.environment(dict(os.environ)), folder / "work", "correct horse"))
    cli.run(["stack", "init", "organization/many/dev"], cwd=program)
    return cli


def preview(cli: Cli, program: Path, pack: Path | None) -> Taken:
    """One preview. A pack that could not run ends the bench; one that finds something does not."""
    events: list[dict[str, Any]] = []
    arguments = ["preview", "--stack", "organization/many/dev", *(["--policy-pack", str(pack)] if pack else [])]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    outcome = cli.stream(arguments, cwd=program, on_event=events.append, extra={})
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    judged = any("policyAnalyzeStackSummaryEvent" in event for event in events)
    if bool(pack) is not judged:
        sys.exit(f"the preview did not run as it should: {outcome.errors}")
    return Taken(wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def empty_pack(folder: Path) -> Path:
    """One rule that reads nothing: what the engine itself costs."""
    return on_the_sdk(folder, {"one": [("nothing", [], [])], "stack": []})


def sdk_pack(folder: Path, pack: Pack) -> Path:
    """Our rules, as far as they read, on Pulumi's own SDK."""
    of_stack = [(rule.id, [*rule.types, *rule.reads], read_by(list(dict(rule.good).values()))) for rule in pack.cross]
    of_one = [(rule.id, rule.types, leaves(rule.good)) for rule in pack.rules]
    return on_the_sdk(folder, {"one": of_one, "stack": of_stack})


def on_the_sdk(folder: Path, rules: dict[str, Any]) -> Path:
    """A pack on Pulumi's own SDK: by kind of rule, (name, types, paths) each."""
    folder.mkdir()
    options = f"{{toolchain: pip, virtualenv: {sys.prefix}}}"
    (folder / "PulumiPolicy.yaml").write_text(f"runtime: {{name: python, options: {options}}}\nversion: 0.1.0\n")
    (folder / "__main__.py").write_text(SDK_PACK)
    (folder / "rules.json").write_text(json.dumps(rules))
    return folder


def read_by(example: list[tuple[str, Any]]) -> list[tuple[str | int, ...]]:
    """The places of the properties in an example."""
    return [path for _, inputs in example for path in leaves(_plain(inputs))]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return "" if isinstance(value, Ref) else value


if __name__ == "__main__":
    sys.stdout.write(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000).section())
