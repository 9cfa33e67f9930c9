"""The comparer's own command, with the files that it ships, between two databases of a real PostgreSQL."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.components.recording import config_of, run
from tests.servers.postgres import Server, needs_postgres, running

pytestmark = needs_postgres
NUMBERS = count(1)
ROWS = 500


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as made:
        yield made


@cache
def shipped() -> tuple[dict[str, str], list[str], dict[str, str]]:
    """The files, the command and the plain variables that staging registers for the risk domain."""
    record = run("staging", config_of("staging"))
    job = record.one("payments-staging-risk-monolith-comparer", "CronJob").inputs["spec"]["jobTemplate"]["spec"]
    (container,) = job["template"]["spec"]["containers"]
    files = record.one("payments-staging-risk-monolith-comparison", "ConfigMap").inputs["data"]
    return files, container["command"], {each["name"]: each["value"] for each in container["env"] if "value" in each}


@dataclass
class Pair:
    """Two databases with the same table in both, and a folder as the comparer's pod would see it."""

    servers: dict[str, Server]
    folder: Path
    number: int
    tables: list[str] = field(default_factory=lambda: ["core.accounts core.accounts id -"])

    def name(self, side: str) -> str:
        return f"{side}{self.number}"

    def ask(self, side: str, statement: str) -> str:
        return self.servers[side].ask(statement, database=self.name(side))

    def both(self, statement: str) -> None:
        for side in ("monolith", "service"):
            self.ask(side, statement)

    def environment(self, **changed: str) -> dict[str, str]:
        """What the program declares, with the addresses of this machine."""
        given = shipped()[2]
        here = {name: value for name, value in given.items() if not name.endswith("AUTHORITY")}
        for side in ("monolith", "service"):
            here |= {
                f"{side.upper()}_HOST": "127.0.0.1",
                f"{side.upper()}_PORT": str(self.servers[side].port),
                f"{side.upper()}_DATABASE": self.name(side),
                f"{side.upper()}_LOGIN": str(self.folder / side),
            }
        here |= {"MONOLITH_USER": f"reader{self.number}", "SERVICE_ROLE": f"reader{self.number}"}
        here |= {"PGSSLMODE": "prefer", "PAUSE": "0"}
        here |= {"TABLES": str(self.folder / "tables"), "TMPDIR": str(self.folder)}
        path = f"{self.folder / 'bin'}:{self.servers['service'].programs}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.folder), **here, **changed}

    def compare(self, **changed: str) -> tuple[int, str, str]:
        """A whole run: its exit code and what it said."""
        (self.folder / "tables").write_text("".join(f"{line}\n" for line in self.tables))
        done = subprocess.run(
            [part.replace("/comparison", str(self.folder)) for part in shipped()[1]],
            env=self.environment(**changed),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout.strip(), done.stderr

    def while_it_waits(self, *commands: list[str]) -> None:
        """Run these instead of the pause between the two looks."""
        (self.folder / "bin").mkdir(exist_ok=True)
        stand_in = self.folder / "bin" / "sleep"
        stand_in.write_text("#!/bin/sh\n" + "".join(f"{shlex.join(command)}\n" for command in commands))
        stand_in.chmod(0o755)

    def says(self, side: str, statement: str) -> list[str]:
        """A command that has a statement done."""
        address = ["-h", "127.0.0.1", "-p", str(self.servers[side].port), "-U", "postgres", "-d", self.name(side)]
        return ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *address, "-c", statement]


MADE = """
create schema core;
create table core.accounts (
  id bigint primary key, owner text not null, balance numeric(18, 2) not null, opened timestamptz not null,
  notes jsonb, photo bytea, closed boolean not null default false);
insert into core.accounts
  select n, 'owner ' || n, n * 10.5, timestamptz '2026-01-01 00:00+08' + n * interval '1 minute',
         jsonb_build_object('b', n, 'a', array[n]), decode(md5(n::text), 'hex'), n % 7 = 0
  from generate_series(1, {rows}) as n;
grant usage on schema core to reader{number};
grant select on all tables in schema core to reader{number};
"""


def made_on(folder: Path, *, monolith: Server, service: Server) -> Pair:
    """A pair with the same rows on both sides."""
    made = Pair({"monolith": monolith, "service": service}, folder, next(NUMBERS))
    for name, text in shipped()[0].items():
        (folder / name).write_text(text)
    for side, user in (("monolith", f"reader{made.number}"), ("service", f"administrator{made.number}")):
        (folder / side).mkdir()
        (folder / side / "username").write_text(user)
        (folder / side / "password").write_text("a:b\\c")  # what a pass file must not take for its own signs
    for server in {monolith, service}:
        server.ask(f"create role reader{made.number} login noinherit; create role administrator{made.number} login")
        server.ask(f"grant reader{made.number} to administrator{made.number}")
    for side, server in made.servers.items():
        server.ask(f"create database {made.name(side)}")
        made.ask(side, MADE.format(rows=ROWS, number=made.number))
    return made


@pytest.fixture
def pair(server: Server, tmp_path: Path) -> Pair:
    return made_on(tmp_path, monolith=server, service=server)


def test_equal_tables_are_alike_whatever_the_order_of_their_rows_and_columns(pair: Pair) -> None:
    pair.ask("service", "create table other as select * from core.accounts order by id desc")
    pair.ask("service", "drop table core.accounts; alter table other set schema core")
    pair.ask("service", "alter table core.other rename to accounts; alter table core.accounts drop column owner")
    pair.ask("service", "alter table core.accounts add owner text; update core.accounts set owner = 'owner ' || id")
    pair.ask("service", f"grant select on core.accounts to reader{pair.number}")
    assert pair.compare() == (0, f"core.accounts with core.accounts: alike, {ROWS} rows", "")


def test_servers_that_write_values_differently_are_still_compared_by_value(pair: Pair) -> None:
    for setting in ("timezone = 'Asia/Tokyo'", "datestyle = 'German'", "bytea_output = 'escape'"):
        pair.ask("service", f"alter database {pair.name('service')} set {setting}")
    assert pair.compare()[0] == 0


# (what happens to the service's copy, what is said of it)
PLANTED: dict[str, tuple[str, str]] = {
    "a changed amount": ("update core.accounts set balance = balance + 0.01 where id = 77", "unlike 1"),
    "a changed moment": (
        "update core.accounts set opened = opened + interval '1 microsecond' where id = 7",
        "unlike 1",
    ),
    "a null": ("update core.accounts set notes = null where id = 499", "unlike 1"),
    "a lost row": ("delete from core.accounts where id = 250", "the service lacks 1,"),
    "an invented row": (
        "insert into core.accounts select 900, owner, balance, opened, notes, photo, closed from core.accounts limit 1",
        "the monolith lacks 1,",
    ),
    "two rows with their amounts swapped": (
        "update core.accounts set balance = 31.5 - balance where id in (1, 2)",
        "unlike 2",
    ),
    "all rows": ("update core.accounts set closed = not closed", f"unlike {ROWS}"),
    "no rows": ("delete from core.accounts", f"the service lacks {ROWS},"),
}


@pytest.mark.parametrize(("statement", "said"), PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_difference_is_found_and_counted(pair: Pair, statement: str, said: str) -> None:
    pair.ask("service", statement)
    code, told, _ = pair.compare()
    assert code == 1
    assert "core.accounts with core.accounts: DIFFERENT: " in told
    assert said in told


def test_no_value_of_a_row_is_told(pair: Pair) -> None:
    pair.both("insert into core.accounts values (4111111111111111, 'Wei Zhang', 12345.67, now(), null, null, false)")
    pair.ask("service", "update core.accounts set balance = 1 where id = 4111111111111111")
    code, told, complained = pair.compare()
    assert code == 1
    assert not [value for value in ("4111111111111111", "Wei", "12345") if value in told + complained]
    digest = told.rpartition(" ")[2]
    # The page on moving a domain shows this statement.
    found = "encode(sha256(convert_to(jsonb_build_array(id)::text, 'UTF8')), 'hex') like"
    assert pair.ask("service", f"select owner from core.accounts where {found} '{digest}%'") == "Wei Zhang"


def test_a_row_that_is_only_late_is_no_difference(pair: Pair) -> None:
    pair.ask("monolith", "update core.accounts set balance = 5 where id = 9; delete from core.accounts where id = 10")
    pair.while_it_waits(
        pair.says("service", "update core.accounts set balance = 5 where id = 9"),
        pair.says("service", "delete from core.accounts where id = 10"),
    )
    assert pair.compare() == (0, f"core.accounts with core.accounts: alike, {ROWS - 1} rows", "")


def test_a_row_that_keeps_changing_is_told_and_not_judged(pair: Pair) -> None:
    pair.ask("monolith", "update core.accounts set balance = 5 where id = 9")
    pair.while_it_waits(pair.says("monolith", "update core.accounts set balance = 6 where id = 9"))
    code, told, _ = pair.compare()
    assert code == 0
    assert "of which 1 were being written and are not judged" in told


def test_a_difference_shows_through_while_other_rows_move(pair: Pair) -> None:
    pair.ask("service", "update core.accounts set balance = 1 where id = 400")
    pair.ask("monolith", "update core.accounts set balance = 5 where id = 9")
    pair.while_it_waits(pair.says("monolith", "update core.accounts set balance = 6 where id = 9"))
    code, told, _ = pair.compare()
    assert code == 1
    assert "unlike 1, not judged 1" in told


def test_columns_that_are_ignored_may_differ_and_a_view_may_stand_for_a_table(pair: Pair) -> None:
    pair.ask("service", "alter table core.accounts rename to stored; update core.stored set owner = upper(owner)")
    pair.ask("service", "create schema risk; create view risk.accounts as select id, balance, opened from core.stored")
    pair.ask("service", f"grant usage on schema risk to reader{pair.number}")
    pair.ask("service", f"grant select on risk.accounts to reader{pair.number}")
    pair.tables = ["core.accounts risk.accounts id owner,notes,photo,closed"]
    assert pair.compare() == (0, f"core.accounts with risk.accounts: alike, {ROWS} rows", "")


def test_a_key_may_have_several_columns(pair: Pair) -> None:
    pair.both("create table core.lines (entry bigint, line int, amount numeric, primary key (entry, line))")
    pair.both("insert into core.lines select n / 3, n % 3, n from generate_series(0, 299) n")
    pair.both(f"grant select on core.lines to reader{pair.number}")
    pair.tables = ["core.lines core.lines entry,line -"]
    assert pair.compare()[:2] == (0, "core.lines with core.lines: alike, 300 rows")
    pair.ask("service", "update core.lines set amount = 0 where entry = 50 and line = 1")
    assert pair.compare()[0] == 1


# What is wrong, and what is said of it.
NOT_COMPARED: dict[str, tuple[dict[str, Any], str]] = {
    "no such table": ({"tables": ["core.nothing core.accounts id -"]}, "none"),
    "no such view": ({"tables": ["core.accounts risk.accounts id -"]}, "none"),
    "other columns": ({"service": "alter table core.accounts drop column notes"}, "the columns are not the same"),
    "no such key": ({"tables": ["core.accounts core.accounts number -"]}, 'column "number" does not exist'),
    "no right to read": ({"monolith": "revoke select on core.accounts from reader{0}"}, "permission denied"),
    "no server": ({"environment": {"MONOLITH_PORT": "1"}}, "onnection refused"),
    "too slow": ({"environment": {"STATEMENT_TIMEOUT": "1ms"}}, "statement timeout"),
}


@pytest.mark.parametrize(("wrong", "said"), NOT_COMPARED.values(), ids=NOT_COMPARED.keys())
def test_what_could_not_be_compared_is_never_alike(pair: Pair, wrong: dict[str, Any], said: str) -> None:
    for side in ("monolith", "service"):
        if side in wrong:
            pair.ask(side, wrong[side].format(pair.number))
    pair.tables = wrong.get("tables", pair.tables)
    if "too slow" in said or "timeout" in said:
        pair.both("insert into core.accounts select n, '', 0, now() from generate_series(1000, 60000) n")
    code, told, complained = pair.compare(**wrong.get("environment", {}))
    assert code == 2
    assert "NOT COMPARED" in told
    assert said in complained


def test_one_table_that_cannot_be_compared_hides_no_other(pair: Pair) -> None:
    pair.tables = ["core.nothing core.nothing id -", *pair.tables]
    pair.ask("service", "delete from core.accounts where id = 1")
    code, told, _ = pair.compare()
    assert code == 2
    assert [line.partition(": ")[2].partition(":")[0] for line in told.splitlines()] == ["NOT COMPARED", "DIFFERENT"]


def test_each_password_reaches_its_own_side_and_none_the_environment(pair: Pair) -> None:
    for side in ("monolith", "service"):
        (pair.folder / side / "password").write_text(f"{side}\\word:x\n")
    (pair.folder / "bin").mkdir()
    stand_in = pair.folder / "bin" / "psql"
    stand_in.write_text(
        """#!/bin/sh
        { printf '%s %s %s\\n' "$PGUSER" "$(cat "$PGPASSFILE")" "$(stat -c %a "$PGPASSFILE")"; env; } >>"$HOME/told"
        """
    )
    stand_in.chmod(0o755)
    assert pair.compare()[0] == 2
    told = (pair.folder / "told").read_text()
    for side, user in (("monolith", "reader"), ("service", "administrator")):
        assert f"{user}{pair.number} *:*:*:*:{side}\\\\word\\:x 600\n" in told
    assert "word:x" not in told  # unescaped it would stand in the environment


def test_nothing_to_compare_is_no_success(pair: Pair) -> None:
    pair.tables = []
    assert pair.compare()[0] == 2


def test_it_works_as_the_reader_and_cannot_write(pair: Pair) -> None:
    """Its session is asked who it is: a view that tells, and one that would write."""
    pair.both(
        "create view core.me as select 1 as id, current_user::text as name, current_setting('transaction_read_only')"
    )
    pair.both(f"grant select on core.me to reader{pair.number}")
    pair.tables = ["core.me core.me id -"]
    assert pair.compare() == (0, "core.me with core.me: alike, 1 rows", "")
    pair.ask("service", f"revoke reader{pair.number} from administrator{pair.number}")
    assert pair.compare()[0] == 2
    pair.ask("service", f"grant reader{pair.number} to administrator{pair.number}")
    pair.both(
        "create function core.write() returns int language plpgsql as $$ begin create table core.t (); return 1; end $$"
    )
    pair.both("create view core.writes as select core.write() as id")
    pair.both(f"grant select on core.writes to reader{pair.number}; grant create on schema core to reader{pair.number}")
    pair.tables = ["core.writes core.writes id -"]
    code, _, complained = pair.compare()
    assert code == 2
    assert "read-only transaction" in complained


def test_what_staging_declares_is_what_was_run_here() -> None:
    files, command, given = shipped()
    assert files["tables"] == "core.risk_decisions core.risk_decisions id -\ncore.risk_rules core.risk_rules id -\n"
    assert command == ["/bin/sh", "/comparison/compare.sh"]
    assert json.loads(given["BUCKETS"]) > 1
    assert given["PGSSLMODE"] == "verify-full"
