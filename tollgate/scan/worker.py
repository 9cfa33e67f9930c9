"""Runs checkov. Started by checkov's own Python, which has no tollgate: this file imports nothing of ours.

``worker.py scan FOLDER`` reads ``plan.json`` and ``manifests/*.json`` there; ``worker.py catalogue FOLDER`` reads
nothing. Either writes ``answer.json`` there, with ids, labels and the names of keys in it, and no resource's values. A
label is the name that the projection gave a resource.

checkov 3.3.30 is silent in three ways, and silence would be taken for a pass: a check that cannot tell leaves no
record, one over a single resource that raises is taken for one that cannot tell, and one over the graph that raises is
lost with its thread. So the checks themselves are watched here, not only their report.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn


def offline(*_: Any) -> NoReturn:
    """Nothing here has a reason to call anybody, and what it could tell is the whole footprint."""
    raise OSError("checkov is run offline")


socket.socket.connect = socket.socket.connect_ex = offline  # type: ignore[method-assign]

from checkov.common.checks.base_check import BaseCheck  # noqa: E402
from checkov.common.checks_infra.registry import get_graph_checks_registry  # noqa: E402
from checkov.common.graph.checks_infra.base_check import BaseGraphCheck  # noqa: E402
from checkov.kubernetes.checks.resource.registry import registry as kubernetes_registry  # noqa: E402
from checkov.kubernetes.runner import Runner as Manifests  # noqa: E402
from checkov.runner_filter import RunnerFilter  # noqa: E402
from checkov.terraform.checks.data.registry import data_registry  # noqa: E402
from checkov.terraform.checks.provider.registry import provider_registry  # noqa: E402
from checkov.terraform.checks.resource.registry import resource_registry  # noqa: E402
from checkov.terraform.plan_runner import Runner as Plan  # noqa: E402
from checkov.version import version  # noqa: E402

Pair = tuple[str, str]  # check id, label; the label is "" for a check over the graph that raised


class Watch:
    """The checks that ran, and those that raised (with the kind of error), whatever the report says of them."""

    def __init__(self) -> None:
        self.ran: set[Pair] = set()
        self.raised: dict[Pair, str] = {}

    def install(self) -> None:
        """From here on, every check that runs is seen."""
        single, graph = BaseCheck.run, BaseGraphCheck.run

        def run_single(check: Any, **given: Any) -> Any:
            # A provider is told apart by its alias; its name is the same for all.
            alias = given["entity_configuration"].get("alias") if check.block_type == "provider" else None
            pair = (check.id, label_of_file(given["scanned_file"]) or (alias or [given["entity_name"]])[0])
            self.ran.add(pair)
            try:
                return single(check, **given)
            except Exception as error:
                self.raised[pair] = type(error).__name__
                raise

        def run_graph(check: Any, graph_connector: Any) -> Any:
            try:
                return graph(check, graph_connector)
            except Exception as error:  # noqa: BLE001
                self.raised[check.id, ""] = type(error).__name__
                return [], [], []

        BaseCheck.run = run_single
        BaseGraphCheck.run = run_graph


def label_of_file(path: str) -> str:
    """A manifest's label is its file's name; the resources of a plan share one file."""
    return "" if Path(path).name == "plan.json" else Path(path).stem


def scan(folder: Path) -> dict[str, Any]:
    """Run every check on the plan and on the manifests."""
    watch = Watch()
    watch.install()
    plan, manifests = Plan(), Manifests()
    reports = [
        plan.run(files=[str(folder / "plan.json")], runner_filter=filter_for("terraform_plan")),
        manifests.run(root_folder=str(folder / "manifests"), runner_filter=filter_for("kubernetes")),
    ]
    results = [result for report in reports for result in results_of(report)]
    told = {(result["check"], result["label"]) for result in results}
    return {
        "version": version,
        "seen": sorted(seen(plan, manifests)),
        "results": results,
        "silent": sorted(watch.ran - told - watch.raised.keys()),
        "raised": [[check, label, kind] for (check, label), kind in sorted(watch.raised.items())],
    }


def filter_for(framework: str) -> RunnerFilter:
    return RunnerFilter(framework=[framework], show_progress_bar=False)


def results_of(report: Any) -> Iterator[dict[str, Any]]:
    for outcome in ("passed", "failed", "skipped"):
        for record in getattr(report, f"{outcome}_checks"):
            keys = record.check_result.get("evaluated_keys") or []
            yield {
                "check": record.check_id,
                "label": label_of_file(record.file_path) or record.resource.rpartition(".")[2],
                "outcome": outcome,
                "keys": sorted({str(key) for key in keys}),
            }


def seen(plan: Any, manifests: Any) -> set[str]:
    """Labels of the resources that checkov understood."""
    blocks = [block for file in (plan.definitions or {}).values() for block in file["resource"]]
    named = {label for block in blocks for kind, inner in block.items() if isinstance(inner, dict) for label in inner}
    return named | {Path(path).stem for path, objects in (manifests.definitions or {}).items() if objects}


def catalogue() -> dict[str, Any]:
    """Every check there is, with its own name and the types it concerns."""
    checks: dict[str, dict[str, Any]] = {}
    singles = (resource_registry, data_registry, provider_registry, kubernetes_registry)
    found = [(check, [kind]) for registry in singles for kind, check in registry.all_checks()]
    for framework in ("terraform", "kubernetes"):
        registry = get_graph_checks_registry(framework)
        registry.load_checks()
        found += [(check, check.resource_types) for check in registry.checks]
    for check, kinds in found:
        entry = checks.setdefault(check.id, {"name": check.name, "types": set()})
        entry["types"] |= set(kinds or ())
    return {
        "version": version,
        "checks": {check: {**entry, "types": sorted(entry["types"])} for check, entry in sorted(checks.items())},
    }


def main() -> None:
    request, folder = sys.argv[1], Path(sys.argv[2])
    answer = catalogue() if request == "catalogue" else scan(folder)
    (folder / "answer.json").write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
