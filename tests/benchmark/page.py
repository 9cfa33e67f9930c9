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
_THEIR_WORDS = (("block", "stop"), ("warn", "review"))
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
    ours = [each for each in dangerous if each.case.corpus in (Corpus.PUBLIC, Corpus.OWN)]
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
            dangerous=len(ours),
            named=sum(each.names_the_right_one for each in ours),
            others=sum(bool(each.named & set(each.case.names)) for each in dangerous) - len(ours),
            of_others=len(dangerous) - len(ours),
            otherwise="\n".join(f"- `{case}`: {why}" for case, why in read("explained")["named otherwise"].items()),
            public="\n".join(map(_public, of(seen, Corpus.PUBLIC))),
            differs="\n".join(f"- `{each.case.id}`: {each.case.differs}" for each in seen if each.case.differs),
            wrong="\n".join(_wrong(seen)) or "None.",
            missed="\n".join(f"- {moment['missed']}" for moment in read("history")["moments"] if "missed" in moment),
            own=_listed(of(seen, Corpus.OWN)),
            first=_listed(of(seen, Corpus.FIRST)),
            second=_listed(of(seen, Corpus.SECOND)),
        )
    )


_SETS = (
    ("public corpus", Corpus.PUBLIC),
    ("our own cases", Corpus.OWN),
    ("first set of other authors", Corpus.FIRST),
    ("second set of other authors", Corpus.SECOND),
)
_REAL = "the same, without what only stand-ins do not know"
_THRESHOLDS = (("stop", "stop"), ("stop or review", "stop-or-review"))


def _rows(seen: tuple[Seen, ...]) -> list[str]:
    rows = []
    for name, corpus in _SETS:
        now = of(seen, corpus)
        rows += [_row(name, words, matrix(now, stopped_only=key == "stop")) for words, key in _THRESHOLDS]
        if corpus is Corpus.PUBLIC:
            rows += [_row(f"{name}, its own gate", word, THEIRS[key]) for word, key in _THEIR_WORDS]
        if corpus in (Corpus.FIRST, Corpus.SECOND):
            real = [see(each.case, load(each.case), stand_ins=False) for each in now]
            rows += [_row(_REAL, words, matrix(real, stopped_only=key == "stop")) for words, key in _THRESHOLDS]
    for moment in read("history")["moments"]:
        rows += [_row(moment["what"], words, Matrix(*moment[key])) for words, key in _THRESHOLDS]
    return rows


def of(seen: tuple[Seen, ...], corpus: Corpus) -> list[Seen]:
    """The cases of one corpus."""
    return [each for each in seen if each.case.corpus is corpus]


def _row(name: str, threshold: str, found: Matrix) -> str:
    return f"| {name} | {threshold} | {found.caught} of {found.dangerous} | {found.alarms} of {found.routine} |"


def _public(each: Seen) -> str:
    theirs = _THEIRS["pass" if each.case.id in _PASSED else "warn" if each.case.id in _WARNED else "stop"]
    return f"| {each.case.id} | {each.case.label} | {each.verdict} | {_found(each)} | {theirs} |"


def _found(each: Seen) -> str:
    links = [rule if rule == "not-shown" else f"[`{rule}`](operation-rules.md#{rule})" for rule in _rules(each)]
    return ", ".join([*links, *(["not in the books"] if each.unheard else [])]) or "nothing"


def _rules(each: Seen) -> list[str]:
    return list(dict.fromkeys(finding.rule for finding in each.findings))


def _wrong(seen: tuple[Seen, ...]) -> list[str]:
    explained = read("explained")["judged otherwise"]
    return [
        f"- `{each.case.id}` ({each.case.label}, judged {each.verdict}): {explained[each.case.id]}"
        for each in seen
        if not each.right
    ]


def _listed(seen: list[Seen]) -> str:
    lines = []
    for label in ("dangerous", "routine"):
        those = [each for each in seen if each.case.label == label]
        lines += [
            f"### {label.capitalize()} ({len(those)})\n",
            "| case | what | verdict | found |",
            "|---|---|---|---|",
        ]
        lines += [_line(each) for each in those]
        lines.append("")
    return "\n".join(lines)


def _line(each: Seen) -> str:
    name = f"{each.case.id} (held out)" if each.case.held_out else each.case.id
    return f"| {name} | {each.case.what} | {each.verdict} | {_found(each)} |"


def labels(of: tuple[Case, ...]) -> list[tuple[str, str, tuple[str, ...]]]:
    """What was fixed before anything was run."""
    return sorted((case.id, case.label, case.names) for case in of)


__all__ = ["FOLDER", "PAGE", "judged", "labels", "page", "read"]
