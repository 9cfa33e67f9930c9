"""Files, the terminal and the document of ``tollgate assess``."""

from __future__ import annotations

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tests.report import decisions
from tests.report.decisions import REHEARSAL
from tests.report.hostile import STRINGS, everywhere
from tests.report.test_model import ALL
from tollgate.errors import TollgateError
from tollgate.gate.model import Decision
from tollgate.report.assessment import Review, assess_json, assess_text, schema_text
from tollgate.report.files import write_outputs
from tollgate.report.model import Report, build_report
from tollgate.report.parts import SectionName
from tollgate.report.phrases import load_words
from tollgate.report.terminal import print_summary
from tollgate.report.unknowns import is_quiet, points

# What the amounts rest on: in the report only.
RESTS_ON = ("money_book", "money_usage")


def report_of(decision: Decision) -> Report:
    return build_report(decision, subject=REHEARSAL)


def printed(decision: Decision, paths: tuple[Path, ...] = (), width: int = 100) -> str:
    stream = StringIO()
    print_summary(report_of(decision), paths, console=Console(file=stream, width=width, highlight=False))
    return stream.getvalue()


def test_three_files_are_written_and_nothing_else(tmp_path):
    decision = decisions.dangerous()
    out = tmp_path / "a b" / "out"
    for _ in range(2):  # a second time replaces
        paths = write_outputs(report_of(decision), decision.assessment, out)
    assert [path.name for path in paths] == ["report.html", "report.md", "assessment.json"]
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in paths)
    assert json.loads(paths[2].read_text("ascii")) == assess_json(decision)


def test_an_old_file_stays_whole_when_the_new_one_cannot_be_written(tmp_path, monkeypatch):
    decision = decisions.dangerous()
    paths = write_outputs(report_of(decision), decision.assessment, tmp_path)
    before = paths[0].read_bytes()

    def full(_path: Path, _text: str, **_: str) -> int:
        raise OSError(28, "No space left on device", "report.html")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(TollgateError, match="No space left"):
        write_outputs(report_of(decisions.empty()), decisions.empty().assessment, tmp_path)
    assert paths[0].read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 3


def test_a_folder_that_is_a_file_is_one_clear_error(tmp_path):
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(TollgateError, match="could not be written"):
        write_outputs(report_of(decisions.empty()), decisions.empty().assessment, tmp_path / "out")


def test_a_report_of_another_plan_is_refused(tmp_path):
    other = decisions.empty().assessment.model_copy(update={"facts_digest": "0" * 64})
    with pytest.raises(ValueError, match="different plans"):
        write_outputs(report_of(decisions.empty()), other, tmp_path)


@pytest.mark.parametrize(
    ("make", "word"), [(decisions.empty, "routine"), (decisions.dangerous, "review"), (decisions.denied, "stop")]
)
def test_the_document_says_the_verdict_and_validates(make, word):
    document = assess_json(make())
    assert document["verdict"] == word
    assert document["schema_version"] == "1"
    read = Review.model_validate_json(json.dumps(document))
    assert read.model_dump(mode="json") == document
    assert set(document) == set(json.loads(schema_text())["required"])


def test_no_pack_is_null_in_the_document_and_not_zero():
    assert assess_json(decisions.harmless())["checks"] is None


def test_the_schema_file_is_current():
    shipped = Path("docs/reference/assessment.schema.json").read_text("utf-8")
    assert shipped == schema_text(), "run: python -m tollgate.report.assessment > docs/reference/assessment.schema.json"


def test_the_terminal_leads_with_the_decision_and_ends_with_the_files():
    lines = printed(decisions.dangerous(), (Path("out/report.html"), Path("out/report.md")), width=120).splitlines()
    assert lines[0].startswith("WAIT · Clearing's database would be deleted")
    assert "the clouds were stand-ins" in lines[1]
    text = "\n".join(lines)
    assert "CRITICAL" in text
    assert "The address of the new database is not known yet." in text
    assert lines[-2:] == ["  out/report.html", "  out/report.md"]


def test_a_long_list_is_cut_on_the_terminal_and_says_so():
    text = printed(decisions.many(), (Path("out/report.html"),))
    assert "and 292 more in report.html" in text  # 302 rules found something; one line each
    assert len(text.splitlines()) < 100


@pytest.mark.parametrize("text", STRINGS)
def test_hostile_text_cannot_command_a_terminal(text):
    decision = everywhere(text)
    for shown in (printed(decision), assess_text(decision)):
        assert all(line.isprintable() for line in shown.split("\n"))
        assert "urn:pulumi:" not in shown
    if text.startswith("[red]"):
        assert "[red]rich[/red]" in printed(decision)


@pytest.mark.parametrize("make", ALL)
def test_the_text_of_assess_is_whole(make):
    decision = make()
    text = assess_text(decision)
    assert text.split(" · ")[0] == decision.verdict.review_word.upper()
    for item in (*decision.assessment.findings, *decision.assessment.unknowns):
        assert item.sentence in text
    report = report_of(decision)
    follows = {SectionName.AFFECTED, SectionName.TIMING, SectionName.MONEY}
    if decision.assessment.impact and not is_quiet(decision.assessment):
        shown = [each for section in report.sections if section.name in follows for each in section.statements]
        told = [load_words().say(each.said) for each in shown if not each.open and each.said.key not in RESTS_ON]
        assert [sentence for sentence in told if sentence not in text] == []
    assert [point.sentence for point in points(decision.assessment) if point.sentence not in text] == []


def test_nothing_heavy_is_imported_before_it_is_needed():
    code = (
        "import sys, tollgate.report.model, tollgate.report.assessment;"
        "print({'jinja2', 'rich', 'pulumi'} & set(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "set()"


def test_an_exception_is_named_in_every_output(tmp_path):
    """On the page, in the comment, in the document, on the terminal and in the text."""
    decision = decisions.waived()
    files = write_outputs(report_of(decision), decision.assessment, tmp_path)
    for text in (*(file.read_text() for file in files), printed(decision), assess_text(decision)):
        plain = " ".join(text.replace("\\", "").split())
        for part in ("Ledger team", "2025-08-31", "made anew each night"):
            assert part in plain
