"""``python -m tests.whatif``: records the overlays in examples/ through the engine; writes docs/reference/what-if.md.

With names, such as ``staging`` or ``staging/guards-off``, only these are recorded; with ``--page`` none.
"""

from __future__ import annotations

import sys
import time

from tests.whatif.page import PAGE, page
from tests.whatif.recording import changes, save, standing


def record_all(wanted: list[str]) -> None:
    """Stack by stack: each is brought up once."""
    chosen = [change for change in changes() if not wanted or {change.stack, change.id} & set(wanted)]
    for stack in dict.fromkeys(change.stack for change in chosen):
        with standing(stack) as stands:
            for change in chosen:
                if change.stack == stack:
                    started = time.monotonic()
                    save(change, stands.record(change))
                    sys.stdout.write(f"{change.id}: {time.monotonic() - started:.0f} s\n")
                    sys.stdout.flush()


if __name__ == "__main__":
    if "--page" not in sys.argv:
        record_all(sys.argv[1:])
    PAGE.write_text(page(), encoding="utf-8")
