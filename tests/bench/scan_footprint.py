"""checkov on a footprint: `.venv/bin/python -m tests.bench.scan_footprint FILE`, a Footprint as JSON.

`… --write STACK FILE` brings a stack up on the stand-in clouds and writes its footprint. Aim: the whole of `prod`, the
start of checkov's own interpreter included, in under 6 s on 2 cores.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from tollgate.plan.footprint import Footprint
from tollgate.scan.environment import environment
from tollgate.scan.model import Scan
from tollgate.scan.scan import scan_footprint


def write(stack: str, file: Path) -> None:
    from tests.scan.footprints import footprint_of

    file.write_text(footprint_of(stack).model_dump_json())


def main() -> None:
    """Print how many resources were looked at, and what came of the checks."""
    if sys.argv[1] == "--write":
        write(sys.argv[2], Path(sys.argv[3]))
        return
    told = scan_footprint(Footprint.model_validate_json(Path(sys.argv[1]).read_bytes()), environment(print))
    assert isinstance(told, Scan), told
    counts = Counter(made.outcome.value for made in told.checked)
    sys.stdout.write(f"{told.resources} resources, {dict(sorted(counts.items()))}\n")


if __name__ == "__main__":
    main()
