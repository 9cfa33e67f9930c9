"""The benchmark meets its aim on what the engine printed, and what the engine prints is still that."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.benchmark.cases import Corpus, cases
from tests.benchmark.measure import see
from tests.benchmark.page import PAGE, judged, labels, page, read
from tests.benchmark.recording import DATA, Recording, engine, load, record
from tollgate.plan.facts import facts
from tollgate.plan.read import read_plan

# Of the ids, labels and names as they were committed before any of the cases was run.
LABELS = {
    (Corpus.PUBLIC, Corpus.OWN): "0e1ebf46230ccf8e500274edfd1d615e7b96bee407879246086ec33162ee53b1",
    (Corpus.FIRST,): "54f7c8dff1e0c5830cc7cd2ee703f43838f001a7e295bc2df17b0518047d724d",
    (Corpus.SECOND,): "161bc960500c5cca06d5138da7ef42cb0e0c5ec90a4ed55ce4c97a5174e9f689",
}
# Of each shape one: update, replacement, deletion, what the engine refuses, what hides in a same, what is pulled along.
SAMPLE = (
    "dns-repoint",
    "queue-purged-by-replacement",
    "namespace-deleted",
    "protected-deletion-hides-another",
    "account-swapped",
    "key-replaced-takes-the-database",
    "database-renamed-with-alias",
    "gateway-secret-swapped",
)


@pytest.mark.parametrize(("corpora", "digest"), LABELS.items(), ids=lambda each: str(each[-1]))
def test_labels_and_names_are_those_that_were_written_first(corpora: tuple[Corpus, ...], digest: str) -> None:
    text = json.dumps(labels(tuple(case for case in cases() if case.corpus in corpora)))
    assert hashlib.sha256(text.encode()).hexdigest() == digest


def test_there_is_a_recording_of_each_case_and_no_other() -> None:
    assert {file.name for file in DATA.iterdir()} == {f"{case.id}.json.gz" for case in cases()}
    assert sum(file.stat().st_size for file in DATA.iterdir()) < 1_000_000


def test_there_are_enough_cases_of_both_kinds() -> None:
    assert sum(case.corpus is Corpus.PUBLIC for case in cases()) == 20
    for corpus in (Corpus.OWN, Corpus.FIRST, Corpus.SECOND):
        of = [case for case in cases() if case.corpus is corpus]
        assert len(of) >= 80
        assert 0.4 < sum(case.label == "routine" for case in of) / len(of) < 0.6


def test_every_dangerous_change_is_noticed_and_the_right_resource_named() -> None:
    dangerous = [each for each in judged() if each.case.label == "dangerous"]
    assert [each.case.id for each in dangerous if not each.noticed] == []
    ours = [each for each in dangerous if each.case.corpus in (Corpus.PUBLIC, Corpus.OWN)]
    assert [each.case.id for each in ours if not each.names_the_right_one] == []
    others = [each.case.id for each in dangerous if not each.named & set(each.case.names)]
    assert set(others) == set(read("explained")["named otherwise"])


def test_no_routine_change_is_stopped_and_few_are_put_to_review() -> None:
    routine = [each for each in judged() if each.case.label == "routine"]
    assert [each.case.id for each in routine if each.stopped] == []
    for corpus in Corpus:
        known = [see(each.case, load(each.case), stand_ins=False) for each in routine if each.case.corpus is corpus]
        assert sum(each.noticed for each in known) <= 0.05 * len(known)


def test_every_wrong_judgement_is_explained_and_no_other() -> None:
    assert {each.case.id for each in judged() if not each.right} == set(read("explained")["judged otherwise"])


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.benchmark --page"


@pytest.mark.engine
@pytest.mark.parametrize("case", [case for case in cases() if case.id in SAMPLE], ids=lambda case: case.id)
def test_the_engine_still_says_the_same(case, tmp_path: Path) -> None:
    with engine() as cli:
        anew = record(case, cli, tmp_path)
    assert _facts(anew) == _facts(load(case))
    assert {finding.rule for finding in anew.assess().findings} == {
        finding.rule for finding in load(case).assess().findings
    }


def _facts(recording: Recording) -> set[tuple[str, str, str, str]]:
    """Without hashes: ids and names that the stand-ins make up differ each time."""
    plan = read_plan("\n".join(json.dumps(event) for event in recording.events))
    return {(fact.op, fact.urn, fact.path, fact.kind) for fact in facts(plan)}
