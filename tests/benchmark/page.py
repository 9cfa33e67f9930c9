"""The page of the benchmark (page.md), filled in from the recordings: docs/reference/benchmark.md."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.benchmark.cases import FOLDER, Case, Corpus, cases
from tests.benchmark.measure import Matrix, Seen, matrix, see
from tests.benchmark.recording import load

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "reference" / "benchmark.md"
THEIRS = {"stop": Matrix(8, 12, 0, 8), "review": Matrix(9, 12, 4, 8)}
_THEIRS = {
    "pass": "pass / pass",
    "warn": "pass / STOP",
    "stop": "STOP / STOP",
}
# corpus-run.txt of the corpus.
_PASSED = frozenset(
    {"dns-repoint", "lambda-env-swap", "retention-to-one-day", "add-tag", "app-image-bump", "new-droplet", "scale-asg"}
)
_WARNED = frozenset({"iam-wildcard", "acl-to-private", "cidr-reorder", "delete-null-resource", "narrow-firewall"})


@cache
def judged() -> tuple[Seen, ...]:
    """All recorded cases."""
    return tuple(see(case, load(case)) for case in cases())


def read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((HERE / f"{name}.yaml").read_text())
    return content


def page() -> str:
    """The whole page."""
    seen = judged()
    dangerous = [each for each in seen if each.case.label == "dangerous"]
    recording = read("history")["recording"]
    return (
        HERE.joinpath("page.md")
        .read_text(encoding="utf-8")
        .format(
            count=len(seen),
            recorded=recording["cases"],
            seconds=recording["seconds"],
            when=recording["when"].removeprefix("all cases "),
            rows="\n".join(_rows(seen)),
            dangerous=len(dangerous),
            named=sum(each.names_the_right_one for each in dangerous),
            public="\n".join(_public(each) for each in seen if each.case.corpus is Corpus.PUBLIC),
            differs="\n".join(f"- `{each.case.id}`: {each.case.differs}" for each in seen if each.case.differs),
            wrong="\n".join(_wrong(seen)) or "None.",
            own="\n".join(_own(seen)),
        )
    )


def _rows(seen: tuple[Seen, ...]) -> list[str]:
    history = read("history")
    public, own = (
        [each for each in seen if each.case.corpus is Corpus.PUBLIC],
        [each for each in seen if each.case.corpus is Corpus.OWN],
    )
    rows = []
    for name, now, theirs in (("public corpus", public, THEIRS), ("our own cases", own, None)):
        for threshold, only in (("stop", True), ("stop or review", False)):
            rows.append(_row(name, threshold, matrix(now, stopped_only=only)))
            if theirs:
                rows.append(
                    _row(f"{name}, its own gate", "block" if only else "warn", theirs["stop" if only else "review"])
                )
    for name, moment, of in (
        ("public corpus, before the rules were changed for it", "first-look", "public"),
        ("our own, the two thirds that were not held out, before", "first-look", "own"),
        ("our own, the third that was held out, at first sight", "held-out", "own"),
    ):
        for threshold, key in (("stop", "stop"), ("stop or review", "stop-or-review")):
            rows.append(_row(name, threshold, Matrix(*history[moment][of][key])))
    return rows


def _row(name: str, threshold: str, found: Matrix) -> str:
    return f"| {name} | {threshold} | {found.caught} of {found.dangerous} | {found.alarms} of {found.routine} |"


def _public(each: Seen) -> str:
    theirs = _THEIRS["pass" if each.case.id in _PASSED else "warn" if each.case.id in _WARNED else "stop"]
    return f"| {each.case.id} | {each.case.label} | {each.verdict} | {_found(each)} | {theirs} |"


def _found(each: Seen) -> str:
    links = (rule if rule == "not-shown" else f"[`{rule}`](operation-rules.md#{rule})" for rule in _rules(each))
    return ", ".join(links) or "nothing"


def _rules(each: Seen) -> list[str]:
    return list(dict.fromkeys(finding.rule for finding in each.findings))


def _wrong(seen: tuple[Seen, ...]) -> list[str]:
    explained, first = read("explained"), read("history")["held-out"]
    lines = [
        f"- `{each.case.id}` ({each.case.label}, judged {each.verdict}): {explained[each.case.id]}"
        for each in seen
        if not each.right
    ]
    missed = (f"- `{case}` was missed at first sight, when it was still held out. " for case in first["missed"])
    return lines + [f"{each}{first['why']}" for each in missed]


def _own(seen: tuple[Seen, ...]) -> list[str]:
    lines = []
    for label in ("dangerous", "routine"):
        own = [each for each in seen if each.case.label == label and each.case.corpus is Corpus.OWN]
        lines += [f"### {label.capitalize()} ({len(own)})\n", "| case | what | verdict | found |", "|---|---|---|---|"]
        lines += [_line(each) for each in own]
        lines.append("")
    return lines


def _line(each: Seen) -> str:
    name = f"{each.case.id} (held out)" if each.case.held_out else each.case.id
    return f"| {name} | {each.case.what} | {each.verdict} | {_found(each)} |"


def labels(of: tuple[Case, ...]) -> list[tuple[str, str, tuple[str, ...]]]:
    """What was fixed before anything was run."""
    return sorted((case.id, case.label, case.names) for case in of)


__all__ = ["FOLDER", "PAGE", "judged", "labels", "page", "read"]
