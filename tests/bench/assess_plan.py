"""Measures how long a big plan takes: `.venv/bin/python -m tests.bench.assess_plan [STEPS]` (10,000 unless given).

The plan repeats the steps that the real engine printed for tests/data/update.digest.json under other names; the state
holds twice as many resources, each tied to two others. Processor seconds, because a busy machine takes longer.
Aim: 10,000 steps and 20,000 resources read, assessed and decided in under 3 s and 700 MB; twice as many take twice as
long.
"""

from __future__ import annotations

import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tollgate.pipeline import assess_file

RECORDED = Path(__file__).parent.parent / "data" / "update.digest.json"


def write_plan(count: int) -> None:
    """A digest of ``count`` steps to stdout. A process of its own, so that making it is not measured."""
    document = json.loads(RECORDED.read_text())
    changed = [json.dumps(step) for step in document["steps"] if step["op"] == "update"]
    texts = itertools.islice(itertools.cycle(changed), count)
    document["steps"] = [
        json.loads(text.replace("::clearing", f"::clearing-{n}").replace("::db", f"::db-{n}"))
        for n, text in enumerate(texts)
    ]
    document["changeSummary"] = {"update": count, "same": 1}
    json.dump(document, sys.stdout, indent=4)


def write_state(count: int) -> None:
    """A stack of twice as many resources as the plan changes: what it changes, and what hangs on that."""
    document = json.loads(RECORDED.read_text())
    old = [step["oldState"] for step in document["steps"] if step["op"] == "update"]
    resources = []
    for n, (number, text) in enumerate(itertools.islice(itertools.cycle(enumerate(map(json.dumps, old))), count)):
        resource = json.loads(text.replace("::clearing", f"::clearing-{n}").replace("::db", f"::db-{n}"))
        kind = "aws:ssm/parameter:Parameter"
        urn = f"urn:pulumi:staging::pay::{kind}::user-{n}"
        needs = {"value": [resource["urn"]], "name": [resources[-1]["urn"]] if resources else []}
        user = resource | {"urn": urn, "type": kind, "propertyDependencies": needs, "id": f"user-{n}-{number}"}
        resources += [resource, user]
    json.dump({"version": 3, "deployment": {"resources": resources}}, sys.stdout)


def made(writer: str, count: int) -> str:
    command = [sys.executable, "-c", f"from tests.bench.assess_plan import {writer}; {writer}({count})"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main() -> None:
    """Print size, seconds and memory."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory(prefix="tollgate-bench-") as folder:
        plan, state = Path(folder) / "plan.json", Path(folder) / "state.json"
        plan.write_text(made("write_plan", count))
        state.write_text(made("write_state", count))
        size = (plan.stat().st_size + state.stat().st_size) / 1e6
        started = time.process_time()
        decision = assess_file(plan, state)
        seconds = time.process_time() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(
        f"{count} steps, {2 * count} resources ({size:.0f} MB): {seconds:.2f} s, {memory:.0f} MB, "
        f"{decision.verdict}, {len(decision.assessment.findings)} findings\n"
    )


if __name__ == "__main__":
    main()
