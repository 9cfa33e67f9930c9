"""The command as a user meets it: exit codes, files, one clear error, nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from tollgate.engine.cache import cache_folder
from tollgate.engine.processes import proc_table
from tollgate.engine.toolchain import Toolchain

ROOT = Path(__file__).parents[1]
TOLLGATE = Path(sys.executable).with_name("tollgate")
WAITS = "import pathlib, time\npathlib.Path('started').touch()\ntime.sleep(120)\n"
PLANTED = "p1anted-secret-do-not-print"


def tollgate(*arguments: str | Path, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    # tests/scan looks at checkov; here it would only take time.
    quick = ["--no-checkov"] if arguments[:1] == ("rehearse",) else []
    return subprocess.run(
        [TOLLGATE, *arguments, *quick],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"CI": "1", "COLUMNS": "200"} | environment,
    )


def project(folder: Path, program: str, config: dict[str, object] | None = None) -> Path:
    folder.mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
    (folder / "__main__.py").write_text(program)
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": config or {"aws:region": "eu-central-1"}}))
    return folder


class Links(HTMLParser):
    """Collects whatever a browser would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.fetched += [given["src"] or ""] if "src" in given else []
        self.fetched += [given["href"] or ""] if tag == "link" and "href" in given else []


@pytest.mark.engine
@pytest.mark.parametrize(
    ("sample", "code", "word"), [("dangerous", (2, 3), ("DENY", "WAIT")), ("harmless", (0,), ("ALLOW",))]
)
def test_the_two_samples(
    tmp_path: Path, toolchain: Toolchain, sample: str, code: tuple[int, ...], word: tuple[str, ...]
) -> None:
    done = tollgate("rehearse", "staging", "--what-if", f"examples/{sample}.yaml", "--out", tmp_path)
    assert done.returncode in code, done.stderr
    assert done.stdout.startswith(word)
    page = (tmp_path / "report.html").read_text()
    assert Links(page).fetched == []
    assert "url(" not in page.replace("url(#", "")
    assert (tmp_path / "report.md").read_text().lstrip("#* ").startswith(word)
    assessment = json.loads((tmp_path / "assessment.json").read_text())
    # What the pack merely advises staging to keep is told with any change; it is nothing that this one does.
    serious = [one for one in assessment["findings"] if one["mandatory"] or one["origin"] != "policy"]
    assert serious if sample == "dangerous" else not serious
    assert "clearing" in done.stdout.splitlines()[0].lower() or sample == "harmless"


@pytest.mark.engine
def test_a_planted_secret_is_in_no_output(tmp_path: Path, toolchain: Toolchain) -> None:
    program = f"""
import pulumi, pulumi_aws as aws
secret = pulumi.Output.secret({PLANTED!r})
aws.ssm.Parameter("p", type="SecureString", value=secret)
aws.rds.Instance("d", instance_class="db.t4g.medium", engine="postgres", allocated_storage=20, password=secret,
                 username="owner", skip_final_snapshot=True)
pulumi.export("password", secret)
pulumi.log.info("made")
"""
    folder = project(tmp_path / "p", program)
    done = tollgate("rehearse", "dev", "--from-nothing", "--keep", cwd=folder, TOLLGATE_CACHE=str(cache_folder()))
    assert done.returncode in (0, 2, 3), done.stderr
    kept = Path(done.stdout.strip().rpartition(" ")[2])
    assert kept.is_dir()
    files = [file for top in (folder / "out", kept) for file in top.rglob("*") if file.is_file()]
    assert len(files) > 3
    assert [file for file in files if PLANTED.encode() in file.read_bytes()] == []
    assert PLANTED not in done.stdout + done.stderr
    subprocess.run(["rm", "-r", kept], check=True)


@pytest.mark.engine
def test_interrupting_a_rehearsal_leaves_nothing(tmp_path: Path, toolchain: Toolchain) -> None:
    folder = project(tmp_path / "p", WAITS)
    child = under_way(folder)
    engine = [pid for pid, _, _ in proc_table() if parent_of(pid) == child.pid]
    child.send_signal(signal.SIGINT)
    errors = child.communicate(timeout=120)[1]
    assert child.returncode == 130
    assert "nothing is left running" in errors
    assert "Traceback" not in errors
    assert [session for _, session, state in proc_table() if session in engine and state != "Z"] == []
    assert list((cache_folder() / "rehearsals").glob(f"{child.pid}-*")) == []
    (folder / "__main__.py").write_text("import pulumi\n")
    assert tollgate("rehearse", "dev", "--from-nothing", cwd=folder).returncode == 0


@pytest.mark.engine
def test_a_killed_engine_is_one_error_and_the_next_run_works(tmp_path: Path, toolchain: Toolchain) -> None:
    folder = project(tmp_path / "p", WAITS)
    child = under_way(folder)
    (engine,) = [pid for pid, _, _ in proc_table() if parent_of(pid) == child.pid]
    os.kill(engine, signal.SIGKILL)
    errors = child.communicate(timeout=120)[1]
    assert child.returncode == 1
    assert "Error:" in errors
    assert "Traceback" not in errors
    assert [session for _, session, state in proc_table() if session == engine and state != "Z"] == []
    (folder / "__main__.py").write_text("import pulumi\n")
    assert tollgate("rehearse", "dev", "--from-nothing", cwd=folder).returncode == 0


def under_way(folder: Path) -> subprocess.Popen[str]:
    """A rehearsal whose program has started and waits."""
    child = subprocess.Popen(
        [TOLLGATE, "rehearse", "dev", "--from-nothing", "--no-checkov"], cwd=folder, stderr=subprocess.PIPE, text=True
    )
    while not (folder / "started").exists():
        assert child.poll() is None
        time.sleep(0.02)
    return child


def parent_of(pid: int) -> int:
    """Field 4 of /proc/PID/stat, proc(5)."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rehearse", "stagign"], "did you mean staging?"),
        (["rehearse", "staging", "--base", "no-such-ref"], "knows no commit 'no-such-ref'"),
        (["rehearse", "staging", "--what-if", "nowhere.yaml"], "nowhere.yaml cannot be read"),
        (["rehearse", "staging", "--from-nothing", "--base", "HEAD"], "Only one baseline at a time"),
        (["assess", "--plan", "nowhere.json"], "nowhere.json cannot be read"),
        (["assess"], "Missing option '--plan'"),
        (["rehearse"], "Name one stack, or give --all"),
        (["rehearse", "staging", "--all"], "Name one stack, or give --all"),
        (["no-such-command"], "No such command"),
    ],
)
def test_one_clear_error_and_exit_1(arguments: list[str], says: str) -> None:
    done = tollgate(*arguments)
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.engine
def test_all_stacks_and_the_worst_exit_code(tmp_path: Path, toolchain: Toolchain) -> None:
    folder = project(
        tmp_path / "p", "import pulumi\nif pulumi.get_stack() == 'bad':\n    raise pulumi.RunError('no zone')\n"
    )
    assert tollgate("rehearse", "--all", "--from-nothing", cwd=folder).returncode == 0
    (folder / "Pulumi.bad.yaml").write_text("config: {}\n")
    done = tollgate("rehearse", "--all", "--from-nothing", cwd=folder)
    assert done.returncode == 1
    assert done.stdout.startswith("dev  ALLOW · ")
    assert "bad: error:" in done.stderr
    assert "no zone" in done.stderr
    assert (folder / "out" / "dev" / "report.html").is_file()
    assert not (folder / "out" / "bad").exists()


@pytest.mark.engine
def test_a_misspelt_setting_names_its_line(tmp_path: Path, toolchain: Toolchain) -> None:
    overlay = tmp_path / "o.yaml"
    overlay.write_text("payments:databases:\n  clearing:\n    backup_retention_dyas: 3\n    storage_gib: many\n")
    done = tollgate("rehearse", "staging", "--what-if", overlay)
    assert done.returncode == 1
    assert (
        "databases.clearing.backup_retention_dyas: no such setting; did you mean backup_retention_days?" in done.stderr
    )
    assert "databases.clearing.storage_gib" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "{}", '{"terraform_version": "1.9"}', "hello"])
def test_what_is_not_a_plan_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "plan.json"
    file.write_text(text)
    done = tollgate("assess", "--plan", file, "--format", "json")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr


def test_any_plan_is_assessed_with_registers_and_without(tmp_path: Path) -> None:
    plan = ROOT / "tests" / "data" / "delete.digest.json"
    (tmp_path / "services.yaml").write_text(
        "teams: {ledger: {title: the ledger team, reach: ledger}}\n"
        "journeys: {payout: {title: receive a payout}}\n"
        "services: {clearing: {title: clearing, team: ledger, owns: [clearing], serves: [payout]}}\n"
    )
    without, with_them = tollgate("assess", "--plan", plan), tollgate("assess", "--plan", plan, "--registers", tmp_path)
    assert (without.returncode, with_them.returncode) == (2, 2)
    assert "Records are lost that customers need to receive a payout" in with_them.stdout
    assert "receive a payout" not in without.stdout
    assert "The risk is critical" in without.stdout
    nowhere = tollgate("assess", "--plan", plan, "--registers", tmp_path / "nowhere")
    assert nowhere.returncode == 1
    assert "is no folder of registers" in nowhere.stderr


def test_outside_a_project(tmp_path: Path) -> None:
    done = tollgate("rehearse", "dev", cwd=tmp_path)
    assert done.returncode == 1
    assert "run this inside a Pulumi project" in done.stderr


def test_help_names_the_exit_codes() -> None:
    done = tollgate("--help")
    assert done.returncode == 0
    assert "0 allow, 1 error, 2 deny, 3 wait" in done.stdout
