"""The migrations Job's own command, with the files that it ships, against a real PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

import pytest

from tests.components.recording import config_of, run
from tests.servers.postgres import Server, needs_postgres, running

pytestmark = needs_postgres
NUMBERS = count(1)
FIRST = "0001_outbox"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as made:
        yield made


@cache
def shipped() -> tuple[dict[str, str], list[str]]:
    """The files and the command that the program registers for the account domain."""
    record = run("local", config_of("local"))
    files = record.one("payments-local-account-migrations-sql", "ConfigMap").inputs["data"]
    job = record.one("payments-local-account-migrations-job", "Job").inputs["spec"]
    return files, job["template"]["spec"]["containers"][0]["command"]


@dataclass
class Service:
    """A service with an empty database of its own, and a folder as the Job's pod would see it."""

    server: Server
    name: str
    folder: Path

    @property
    def administrator(self) -> str:
        return f"{self.name}_administrator"

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def start(self, **environment: str) -> subprocess.Popen[str]:
        """The Job's command. A session of its own, so that it can be killed with all it started."""
        command = [part.replace("/migrations", str(self.folder)) for part in shipped()[1]]
        scratch = self.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        given = {"SERVICE": self.name, "LOCK_TIMEOUT": "200ms", "TMPDIR": str(scratch), **environment}
        return subprocess.Popen(
            command,
            env=self.server.environment(self.administrator, self.name) | given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def migrate(self) -> tuple[int, str, str]:
        """A whole run: its exit code and what it said."""
        started = self.start()
        said, complained = started.communicate(timeout=60)
        return started.returncode, said, complained

    def ask(self, statement: str) -> str:
        return self.server.ask(statement, database=self.name)

    def applied(self) -> list[str]:
        return self.ask("select revision from migrations.applied order by 1").split()

    def tables(self) -> set[str]:
        return set(self.ask(f"select tablename from pg_tables where schemaname = '{self.name}'").split())


@pytest.fixture
def service(server: Server, tmp_path: Path) -> Service:
    made = Service(server, f"service{next(NUMBERS)}", tmp_path)
    # What RDS and CloudNativePG give: an owner of the database who may make roles, and is no superuser.
    server.ask(f"create role {made.administrator} login createrole")
    server.ask(f"create database {made.name} owner {made.administrator}")
    for name, text in shipped()[0].items():
        made.write(name, text)
    return made


@pytest.fixture
def migrated(service: Service) -> Service:
    code, said, complained = service.migrate()
    assert (code, complained) == (0, ""), complained
    assert said == f"applied {FIRST}\n"
    return service


def test_the_way_in_is_read_from_files(service: Service, tmp_path: Path) -> None:
    login = tmp_path / "login"
    login.mkdir()
    (login / "username").write_text(service.administrator)
    (login / "password").write_text("some\\thing:else")
    started = service.start(LOGIN=str(login), PGUSER="somebody_else")
    said, complained = started.communicate(timeout=60)
    assert (started.returncode, said, complained) == (0, f"applied {FIRST}\n", "")


def test_a_password_reaches_libpq_as_it_is_and_stays_out_of_the_environment(service: Service, tmp_path: Path) -> None:
    login, fake = tmp_path / "login", tmp_path / "fake"
    login.mkdir()
    fake.mkdir()
    (login / "username").write_text("owner")
    (login / "password").write_text("some\\thing:else\n")
    (fake / "psql").write_text('#!/bin/sh\ncat "$PGPASSFILE"; stat -c %a "$PGPASSFILE"; env; exit 3\n')
    (fake / "psql").chmod(0o755)
    started = service.start(LOGIN=str(login), PATH=f"{fake}:{os.environ['PATH']}")
    said, _ = started.communicate(timeout=60)
    passfile, mode, *environment = said.splitlines()
    assert (passfile, mode) == ("*:*:*:*:some\\\\thing\\:else", "600")  # libpq: : and \\ are written with a \\ before
    assert "thing" not in "".join(environment)
    assert list((service.folder / "scratch").iterdir()) == []  # nothing is left behind


@dataclass
class Session:
    """An open psql, for what must stay open."""

    process: subprocess.Popen[str]

    def say(self, statement: str) -> str:
        """The answer, which has come when this returns."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{statement}\n\\echo over\n")
        self.process.stdin.flush()
        lines = iter(self.process.stdout.readline, "over\n")
        return "".join(lines).strip()


@pytest.fixture
def session(migrated: Service) -> Iterator[Session]:
    command = ["psql", "-XqAt"]
    environment = migrated.server.environment("postgres", migrated.name)
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Session(process)
        process.kill()


def until(true: Callable[[], bool], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


LOCK = 7402919350126
INSERT = "insert into outbox (topic, key, payload) values ('paid', '1', '{}')"
# (role, statement): who may do what. {0} is the service's name.
MAY: dict[tuple[str, str], bool] = {
    ("writer", INSERT): True,
    ("writer", "select count(*) from outbox"): True,
    ("writer", "update outbox set published_at = now()"): True,
    ("writer", "update outbox set payload = '{{}}'"): False,
    ("writer", "delete from outbox"): True,
    ("writer", "insert into inbox values ('a', '1', now())"): True,
    ("writer", "update inbox set message_id = '2'"): False,
    ("writer", "truncate outbox"): False,
    ("writer", "create table {0}.mine ()"): False,
    ("writer", "create table public.mine ()"): False,
    ("writer", "create temporary table mine ()"): False,
    ("writer", "create schema mine"): False,
    ("writer", "drop table outbox"): False,
    ("writer", "alter table outbox add extra text"): False,
    ("writer", "insert into migrations.applied values ('9', '9')"): False,
    ("writer", "set role {0}_owner"): False,
    ("writer", "create role intruder"): False,
    ("writer", "copy outbox to program 'true'"): False,
    ("writer", "create publication everything for all tables"): False,
    ("reader", "select count(*) from outbox"): True,
    ("reader", "select count(*) from inbox"): True,
    ("reader", INSERT): False,
    ("reader", "set transaction_read_only = off; set default_transaction_read_only = off; " + INSERT): False,
    ("reader", "update outbox set published_at = now()"): False,
    ("reader", "delete from outbox"): False,
    ("reader", "select nextval('outbox_id_seq')"): False,
    ("reader", "select * from migrations.applied"): False,
    ("reader", "create temporary table mine ()"): False,
    ("reader", "set role {0}_writer"): False,
    ("reader", "set role {0}_owner"): False,
    ("migrator", "create table more (id int primary key)"): True,
    ("migrator", "alter table outbox add extra text"): True,
    ("migrator", "create table public.mine ()"): False,
    ("migrator", "create schema mine"): False,
    ("migrator", "create role intruder"): False,
    ("migrator", "alter role {0}_reader createdb"): False,
    ("migrator", "drop database {0}"): False,
    ("owner", "select 1"): False,  # nobody signs in as the owner
    # The comparer on RDS: in as the administrator, and no more than the reader from there on.
    ("administrator", "set role {0}_reader; select count(*) from {0}.outbox"): True,
    ("administrator", "set role {0}_reader; delete from {0}.outbox"): False,
    ("administrator", "set role {0}_reader; set role {0}_writer"): False,
}


@pytest.mark.parametrize(("role", "statement"), MAY, ids=lambda part: part[:40])
def test_a_role_can_do_what_it_should_and_nothing_else(migrated: Service, role: str, statement: str) -> None:
    said = statement.format(migrated.name) if "{0}" in statement else statement.replace("{{", "{").replace("}}", "}")
    done = migrated.server.psql(said, user=f"{migrated.name}_{role}", database=migrated.name)
    if MAY[role, statement]:
        assert (done.returncode, done.stderr) == (0, "")
    else:
        assert done.returncode != 0
        refusals = (
            "denied",
            "must be owner",
            "not permitted to log in",
            "read-only",
            "must be superuser",
            "Only roles",
        )
        assert any(word in done.stderr for word in refusals), done.stderr


def test_strangers_may_not_even_connect_and_the_roles_have_no_power_over_the_server(migrated: Service) -> None:
    migrated.server.ask(f"create role {migrated.name}_stranger login")
    done = migrated.server.psql("select 1", user=f"{migrated.name}_stranger", database=migrated.name)
    assert "permission denied for database" in done.stderr
    powers = "rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls or rolpassword is not null"
    roles = f"rolname ~ '^{migrated.name}_(owner|writer|reader|migrator)$'"
    assert migrated.ask(f"select count(*), bool_or({powers}) from pg_authid where {roles}") == "4|f"


def test_what_the_migrator_makes_belongs_to_the_owner_and_serves_the_others(migrated: Service) -> None:
    migrator, writer = f"{migrated.name}_migrator", f"{migrated.name}_writer"
    migrated.server.ask(
        "create table more (id int); create function one() returns int language sql as 'select 1'",
        user=migrator,
        database=migrated.name,
    )
    assert migrated.ask("select tableowner from pg_tables where tablename = 'more'") == f"{migrated.name}_owner"
    migrated.server.ask("insert into more values (one())", user=writer, database=migrated.name)
    done = migrated.server.psql("select one()", user=f"{migrated.name}_reader", database=migrated.name)
    assert "permission denied for function one" in done.stderr


def test_a_second_run_changes_nothing(migrated: Service) -> None:
    migrated.ask(f"revoke delete on {migrated.name}.outbox from {migrated.name}_writer")
    assert migrated.migrate() == (0, "", "")
    assert migrated.applied() == [FIRST]
    # What was taken away stays away: an insert-only table must not become writable at the next release.
    granted = f"has_table_privilege('{migrated.name}_writer', '{migrated.name}.outbox', 'delete')"
    assert migrated.ask(f"select {granted}") == "f"


def test_two_runs_at_once_apply_each_migration_once(service: Service) -> None:
    service.write("0002_counted.sql", "create table counted (id int);\n")
    service.write("0003_count.sql", "insert into counted values (1);\n")
    holder = ["psql", "-XqAt", "-c", f"select pg_advisory_lock({LOCK})", "-c", "select pg_sleep(600)"]
    held = subprocess.Popen(holder, env=service.server.environment("postgres", service.name), stdout=subprocess.PIPE)
    try:
        until(lambda: service.ask("select count(*) from pg_locks where locktype = 'advisory'") == "1", "the lock")
        runs = [service.start(), service.start()]
        for started in runs:  # both are there, and both have found the lock taken
            assert started.stdout
            assert started.stdout.readline() == "another run is at work here\n"
    finally:
        service.ask("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'")
        held.communicate()
    said = [started.communicate(timeout=60) for started in runs]
    assert [started.returncode for started in runs] == [0, 0], said
    lines = [line for out, _ in said for line in out.splitlines() if line.startswith("applied")]
    assert lines == [f"applied {FIRST}", "applied 0002_counted", "applied 0003_count"]
    assert service.ask(f"select count(*) from {service.name}.counted") == "1"


def test_a_run_that_waits_does_not_hold_up_the_concurrent_index_of_the_run_that_works(
    migrated: Service, session: Session
) -> None:
    assert session.say(f"select pg_try_advisory_lock({LOCK});") == "t"
    waiting = migrated.start()
    try:
        assert waiting.stdout
        assert waiting.stdout.readline() == "another run is at work here\n"
        session.say(f"create index concurrently by_topic on {migrated.name}.outbox (topic);")
        assert migrated.ask("select indisvalid from pg_index where indexrelid::regclass::text ~ 'by_topic'") == "t"
    finally:
        session.say(f"select pg_advisory_unlock({LOCK});")
        waiting.communicate(timeout=60)
    assert waiting.returncode == 0


def test_a_migration_that_fails_leaves_nothing_half_done(migrated: Service) -> None:
    migrated.write("0002_good.sql", "create table good ();\n")
    migrated.write("0003_bad.sql", "create table half ();\ninsert into nowhere values (1);\n")
    migrated.write("0004_later.sql", "create table later ();\n")
    code, said, complained = migrated.migrate()
    assert code != 0
    assert said == "applied 0002_good\n"
    assert 'relation "nowhere" does not exist' in complained
    assert migrated.tables() == {"outbox", "inbox", "good"}
    assert migrated.applied() == [FIRST, "0002_good"]
    migrated.write("0003_bad.sql", "create table half ();\n")
    assert migrated.migrate() == (0, "applied 0003_bad\napplied 0004_later\n", "")


def test_a_run_that_is_killed_lets_go_and_leaves_nothing_half_done(migrated: Service) -> None:
    migrated.write("0002_slow.sql", "create table half ();\nselect pg_sleep(600);\n")
    started = migrated.start()
    sleeping = "select count(*) from pg_stat_activity where query ~ '^select pg_sleep' and datname = current_database()"
    until(lambda: migrated.ask(sleeping) == "1", "the migration is at work")
    os.killpg(started.pid, signal.SIGKILL)
    started.communicate()
    until(lambda: migrated.ask(sleeping) == "0", "the server noticed")
    migrated.write("0002_slow.sql", "create table whole ();\n")
    assert migrated.migrate() == (0, "applied 0002_slow\n", "")
    assert migrated.tables() == {"outbox", "inbox", "whole"}


def test_a_migration_that_cannot_get_its_table_gives_up_soon_and_whole(migrated: Service, session: Session) -> None:
    session.say(f"begin; lock table {migrated.name}.outbox in access share mode;")
    migrated.write("0002_wide.sql", "create table half ();\nalter table outbox add extra text;\n")
    code, _, complained = migrated.migrate()
    assert code != 0
    assert "canceling statement due to lock timeout" in complained
    session.say("rollback;")
    assert migrated.tables() == {"outbox", "inbox"}
    assert migrated.migrate() == (0, "applied 0002_wide\n", "")


ALONE = "-- migrate: no transaction\n"


def test_an_invalid_index_is_found_and_the_migration_is_not_recorded(migrated: Service) -> None:
    migrated.ask(f"insert into {migrated.name}.inbox values ('a', '1'), ('b', '1')")
    unique = "create unique index concurrently if not exists inbox_once on inbox (message_id);\n"
    migrated.write("0002_once.sql", ALONE + unique)
    code, _, complained = migrated.migrate()
    assert (code != 0, "could not create unique index" in complained) == (True, True)
    # The trap: tried again, "if not exists" passes over the invalid index that the first try left behind.
    migrated.ask(f"delete from {migrated.name}.inbox")
    code, _, complained = migrated.migrate()
    assert code != 0
    assert f"invalid index: {migrated.name}.inbox_once" in complained or "invalid index: inbox_once" in complained
    assert "DROP INDEX CONCURRENTLY" in complained
    assert migrated.applied() == [FIRST]
    migrated.ask(f"drop index {migrated.name}.inbox_once")
    assert migrated.migrate() == (0, "applied 0002_once\n", "")


def test_an_invalid_index_is_found_also_when_nothing_has_to_run(migrated: Service) -> None:
    migrated.ask(f"insert into {migrated.name}.inbox values ('a', '1'), ('b', '1')")
    done = migrated.server.psql(
        f"create unique index concurrently broken on {migrated.name}.inbox (message_id)", database=migrated.name
    )
    assert done.returncode != 0
    code, _, complained = migrated.migrate()
    assert (code != 0, "invalid index" in complained) == (True, True)


REFUSED = {
    "changed after it ran": ({f"{FIRST}.sql": "select 1;\n"}, f"{FIRST} was changed after it had been applied"),
    "slipped in before": ({"0000_early.sql": "select 1;\n"}, f"0000_early comes before {FIRST}, which has run"),
    "takes the transaction": ({"0002_own.sql": "create table a ();\nCOMMIT;\n"}, "0002_own: remove begin and commit"),
}


@pytest.mark.parametrize(("files", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_a_file_that_cannot_be_trusted_is_refused(migrated: Service, files: dict[str, str], why: str) -> None:
    before = migrated.tables()
    for name, text in files.items():
        migrated.write(name, text)
    code, _, complained = migrated.migrate()
    assert code != 0
    assert why in complained
    assert (migrated.applied(), migrated.tables()) == ([FIRST], before)


def test_nothing_is_left_in_the_scratch_folder(migrated: Service) -> None:
    assert list((migrated.folder / "scratch").iterdir()) == []
