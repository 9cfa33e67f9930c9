"""``make benchmark``: records all cases anew through the engine, judges them, writes docs/reference/benchmark.md.

With ids only these are recorded; with ``--page`` none, and only the page is written.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.benchmark.cases import cases
from tests.benchmark.page import PAGE, page
from tests.benchmark.recording import engine, record, save


def record_all(wanted: list[str]) -> None:
    started = time.monotonic()
    chosen = [case for case in cases() if not wanted or case.id in wanted]
    with engine() as cli, tempfile.TemporaryDirectory() as folder:
        for case in chosen:
            save(case, record(case, cli, Path(folder)))
            sys.stdout.write(f"{case.id}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(chosen)} cases in {time.monotonic() - started:.0f} s\n")


if __name__ == "__main__":
    if "--page" not in sys.argv:
        record_all(sys.argv[1:])
    PAGE.write_text(page(), encoding="utf-8")
