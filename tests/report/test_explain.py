"""One fact explained: everything that was made of it and nothing of its neighbours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.report.decisions import dangerous, urn
from tests.report.impacts import felt_everywhere
from tollgate.assess.consequences import ChangeClass, Classified, ClassReason, Reached, Through
from tollgate.assess.model import FactRow
from tollgate.errors import TollgateError
from tollgate.gate.model import Verdict
from tollgate.report.assessment import Review, review
from tollgate.report.explain import explain, read_review


def fact(number: int, name: str, path: str, kind: str = "update") -> FactRow:
    return FactRow(
        id=f"{number:012d}",
        op="update",
        urn=urn(name),
        type="t",
        path=path,
        kind=kind,
        before="ab" * 32,
        after="unknown",
    )


def explained() -> Review:
    """Facts about clearing (a key and a tag) and wallet; clearing reaches the gateway through wallet."""
    assessment = felt_everywhere().assessment
    assert assessment.impact
    assert assessment.impact.affected
    way = (Through(urn=urn("wallet"), property="kmsKeyId"),)
    reached = (*assessment.impact.affected.reached, Reached(urn=urn("clearing"), service="gateway", way=way))
    affected = assessment.impact.affected.model_copy(update={"reached": reached})
    reason = ClassReason(urn=urn("clearing"), change_class=ChangeClass.NORMAL, sentence="There is no standard change.")
    classified = Classified(change_class=ChangeClass.NORMAL, sentence="Normal.", reasons=(reason,))
    impact = assessment.impact.model_copy(update={"affected": affected, "classified": classified})
    facts = (
        fact(1, "clearing", "kmsKeyId"),
        fact(2, "clearing", "tags.owner"),
        fact(3, "wallet", "", "delete-first"),
        fact(14, "wallet", "deletionProtection"),
        FactRow(**fact(5, "odd", "x").model_dump() | {"urn": urn("odd", "odd:index:Thing")}),
    )
    return review(Verdict.WAIT, assessment.model_copy(update={"impact": impact, "facts": facts}))


EXPLAINED = explained()


def test_all_that_was_made_of_it_is_told() -> None:
    told = explain(EXPLAINED, "000000000001")
    for words in (
        "Clearing's database (clearing): update, kmsKeyId (update).",
        "Before abababababab, after unknown.",
        "deleted and made again, with everything it holds. (rule stateful-data-replaced)",
        "Not known: The address of the new database",
        "(source effects/rds.yaml:7 rds-class, https://docs.example.com/rds)",
        "It belongs to clearing.",
        "It reaches gateway through Wallet's database (wallet) (kmsKeyId).",
        "A month costs 30 USD more.",
        "Price: prices/one.yaml:3 rds-hour",
        "Back: It is made again, empty.",
        "Class: There is no standard change.",
    ):
        assert words in told


def test_a_finding_about_another_property_is_not_told() -> None:
    assert "stateful-data-replaced" not in explain(EXPLAINED, "000000000002")
    assert "protection-removed" in explain(EXPLAINED, "000000000014")
    assert "database-backup-retain" not in explain(EXPLAINED, "000000000014")
    assert "database-backup-retain" in explain(EXPLAINED, "000000000003")


@pytest.mark.parametrize(
    ("asked", "words"),
    [("00000000000", "Several facts"), ("wallet", "Several facts"), ("ff", "No fact"), ("", "Several")],
)
def test_what_is_not_one_fact_lists_those_that_there_are(asked: str, words: str) -> None:
    with pytest.raises(TollgateError, match=words) as refused:
        explain(EXPLAINED, asked)
    assert "000000000003" in str(refused.value)


def test_a_name_with_one_fact_will_do() -> None:
    assert explain(EXPLAINED, "odd") == explain(EXPLAINED, "000000000005")


def test_a_written_assessment_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "assessment.json"
    file.write_text(EXPLAINED.model_dump_json())
    assert read_review(file) == EXPLAINED
    file.write_text("{}")
    with pytest.raises(TollgateError, match="is no assessment"):
        read_review(file)
    with pytest.raises(TollgateError, match="cannot be read"):
        read_review(tmp_path / "none.json")


def test_an_assessment_without_impact_is_explained_too() -> None:
    plain = review(Verdict.WAIT, dangerous().assessment.model_copy(update={"facts": EXPLAINED.facts}))
    assert "stateful-data-replaced" in explain(plain, "000000000001")
