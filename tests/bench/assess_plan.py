"""Measures how long a big plan takes: `.venv/bin/python -m tests.bench.assess_plan [STEPS]` (10,000 unless given).

The plan repeats the steps that the real engine printed for tests/data/update.digest.json under other names.
Aim: parsed and assessed in under 2 s and 500 MB on 2 cores.
"""

from __future__ import annotations

import itertools
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from tollgate.assess.assess import assess
from tollgate.gate.decide import decide
from tollgate.plan.read import read_plan

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


def main() -> None:
    """Print size, seconds and memory."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    command = [sys.executable, "-c", f"from tests.bench.assess_plan import write_plan; write_plan({count})"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    started = time.perf_counter()
    plan = read_plan(text)
    parsed = time.perf_counter()
    decision = decide(assess(plan))
    done = time.perf_counter()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(
        f"{count} steps, {len(text) / 1e6:.0f} MB: parse {parsed - started:.2f} s, assess {done - parsed:.2f} s, "
        f"{memory:.0f} MB, {decision.verdict}, {len(decision.assessment.findings)} findings\n"
    )


if __name__ == "__main__":
    main()
