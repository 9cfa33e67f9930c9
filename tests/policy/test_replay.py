"""`tollgate policy replay`: what a change to the rules would newly stop or let through, by rule and resource."""

from __future__ import annotations

import subprocess

import pytest

from tests.policy.projects import URN, shop
from tests.test_cli import tollgate
from tollgate.policy.difference import differences
from tollgate.policy.results import Answer, Result

P, F, W, N = Answer.PASSED, Answer.FAILED, Answer.WAIVED, Answer.NOT_EVALUATED


def result(answer, urn="u", *, mandatory=False, rule="a-b-c"):
    return Result(rule=rule, urn=urn, answer=answer, mandatory=mandatory, message="" if answer is P else "x")


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ([result(P)], [result(P)], []),
        ([result(P)], [result(F)], [("u", P, F)]),
        ([result(F)], [result(P)], [("u", F, P)]),
        ([result(F)], [], [("u", F, None)]),
        ([result(P)], [], [("u", P, None)]),
        ([], [result(P)], []),
        ([], [result(F)], [("u", None, F)]),
        ([result(N)], [result(W)], [("u", N, W)]),
        ([result(F)], [result(F)], []),
        ([result(F)], [result(F, mandatory=True)], [("u", F, F)]),
        ([result(P, "")], [result(F, "u")], [("u", P, F)]),
        ([result(F, "u"), result(F, "v")], [result(P, "")], [("u", F, P), ("v", F, P)]),
        ([result(F, "u"), result(F, "v")], [result(F, "v")], [("u", F, None)]),
        ([result(P, "")], [result(P, "")], []),
        ([result(P, "")], [], [("", P, None)]),
        ([result(P), result(F)], [result(P)], [("u", F, P)]),
    ],
)
def test_differences(old, new, changes):
    found = list(differences("dev", old, new))
    assert [(each.urn, each.before, each.after) for each in found] == changes
    assert all(each.stricter is (each.after in (F, N)) for each in found)


def commit(folder, message: str) -> None:
    base = ["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["add", "-A"], ["commit", "-q", "-m", message]):
        subprocess.run([*base, *words], check=True, capture_output=True)


@pytest.mark.engine
@pytest.mark.parametrize(
    ("days", "old", "new", "code", "said"),
    [
        (7, "7", "7", 0, ["0 would newly fail", "0 would newly pass"]),
        (7, "7", "14", 3, ["1 would newly fail", "scratch  passed → failed (stops the change)"]),
        (7, "14", "7", 3, ["1 would newly pass", "scratch  failed → passed"]),
    ],
)
def test_the_rules_of_a_commit_are_compared_with_those_of_the_work_tree(tmp_path, days, old, new, code, said):
    project = shop(tmp_path, days=days)
    rules = project.policies / "rules" / "databases.py"
    text = rules.read_text()
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    rules.write_text(text.replace("at_least(7", f"at_least({old}").replace(": 7}", f": {old}}}"))
    commit(tmp_path, "old rules")
    rules.write_text(text.replace("at_least(7", f"at_least({new}").replace(": 7}", f": {new}}}"))
    done = tollgate("policy", "replay", "--base", "HEAD", cwd=tmp_path)
    assert done.returncode == code, done.stderr
    for part in said:
        assert part in done.stdout
    assert "answers on dev, compared with the rules of HEAD" in done.stdout


@pytest.mark.engine
def test_where_there_was_no_pack_every_failure_is_new(tmp_path):
    project = shop(tmp_path)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("policies\n")
    commit(tmp_path, "no pack")
    done = tollgate("policy", "replay", "--base", "HEAD", cwd=project.root)
    assert done.returncode == 3, done.stderr
    assert "scratch  not looked at → failed (stops the change)" in done.stdout


def test_a_base_that_git_does_not_know_is_one_clear_error(tmp_path):
    shop(tmp_path)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    done = tollgate("policy", "replay", "--base", "nowhere", cwd=tmp_path)
    assert done.returncode == 1
    assert "git knows no commit 'nowhere'" in done.stderr
    assert URN not in done.stdout
