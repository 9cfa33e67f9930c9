"""docs/reference/what-if.md: the example changes of all stacks with what the gate says of each."""

from __future__ import annotations

from tests.whatif.judge import Seen, see
from tests.whatif.recording import PROJECT, Change, changes

PAGE = PROJECT.root / "docs" / "reference" / "what-if.md"
_HEAD = """<!-- Written by `python -m tests.whatif --page`, from the recordings. Do not edit. -->
# Real changes, and what the gate says of them

{count} changes to the five stacks, each a file in `examples/`. Try one yourself:

    .venv/bin/tollgate rehearse staging --what-if examples/staging/guards-off.yaml --prove-undo

What the words mean: [read an assessment](../how-to/read-an-assessment.md). The engine's events of each are recorded in
`tests/data/whatif`, policy pack included and checkov left out, and the gate judges the recordings each time the tests
run. What it should say, and why that is true, was written down by a person: `tests/whatif/expected/`.

Columns: **class** A normal, B standard, D nothing changes · **who notices**: journeys of customers, then each service
with seconds at p50 to p90 · **way back**: what it is, and in brackets what `--prove-undo` said of the whole.
"""
_COLUMNS = "| change | class | risk | decision | who notices | way back | not known |\n|---|---|---|---|---|---|---|"


def page() -> str:
    """The whole page."""
    all_changes = changes()
    parts = [_HEAD.format(count=len(all_changes))]
    for stack in dict.fromkeys(change.stack for change in all_changes):
        rows = [_row(change, see(change)) for change in all_changes if change.stack == stack]
        parts.append("\n".join((f"## {stack}\n", _COLUMNS, *rows)) + "\n")
    return "\n".join(parts)


def _row(change: Change, seen: Seen) -> str:
    cells = (
        f"[{change.name}](../../examples/{change.id}.yaml): {change.what}",
        seen.change_class,
        seen.band,
        f"**{seen.decision}**",
        _noticed(seen),
        f"{seen.undo} ({seen.proof})",
        ", ".join(f"{number} {kind}" for kind, number in seen.unknowns.items()) or "nothing",
    )
    return f"| {' | '.join(cells)} |"


def _noticed(seen: Seen) -> str:
    by_notice: dict[str, list[str]] = {}
    for title, notice in seen.journeys.items():
        by_notice.setdefault(notice, []).append(title)
    journeys = [f"{notice}: {', '.join(titles)}" for notice, titles in by_notice.items()]
    services = [f"{service}: {what}" for service, what in seen.downtime.items()]
    return "<br>".join((*journeys, *services)) or "nobody"
