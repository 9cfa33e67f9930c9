"""What the Publication and Subscription of a domain do, done by two real PostgreSQL servers in the same words."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.components.recording import config_of, run
from tests.servers.postgres import Server, needs_postgres, running
from tests.servers.test_comparer import ROWS, Pair, made_on

pytestmark = needs_postgres
# Long enough for a loaded machine; a healthy one takes a second.
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Server, Server]]:
    with running(wal_level="logical") as monolith, running() as service:
        yield monolith, service


@cache
def declared(kind: str) -> dict[str, Any]:
    """The spec of the Publication or Subscription of a domain, with the monolith in the same namespace."""
    source = {
        "cluster": "monolith",
        "port": 5432,
        "database_name": "payments",
        "user": "follower",
        "credentials_secret_ref": "follower",
        "authority_ref": "monolith-ca",
        "logical_replication": True,
    }
    risk = {"phase": "shadow", "tables": {"core.accounts": {"key": ["id"]}}}
    monolith = json.dumps({"source": source, "domains": {"risk": risk}})
    (made,) = run("local", config_of("local") | {"payments:monolith": monolith}).of(f":{kind}")
    spec: dict[str, Any] = made.inputs["spec"]
    return spec


@pytest.fixture
def following(servers: tuple[Server, Server], tmp_path: Path) -> Iterator[Pair]:
    """A pair whose service has an empty table that follows the monolith's."""
    monolith, service = servers
    made = made_on(tmp_path, monolith=monolith, service=service)
    made.ask("service", "truncate core.accounts")
    publication, subscription = declared("Publication"), declared("Subscription")
    tables = ", ".join(
        f"{each['table']['schema']}.{each['table']['name']}" for each in publication["target"]["objects"]
    )
    made.ask("monolith", f"create publication {publication['name']} for table {tables}")
    address = f"host=127.0.0.1 port={monolith.port} user=postgres dbname={made.name('monolith')}"
    name = f"{subscription['name']}_{made.number}"
    made.ask(
        "service", f"create subscription {name} connection '{address}' publication {subscription['publicationName']}"
    )
    try:
        yield made
    finally:
        made.ask("service", f"drop subscription if exists {name}")


def caught_up(pair: Pair) -> None:
    """All that the monolith has written so far has arrived."""
    there = pair.ask("monolith", "select pg_current_wal_lsn()")
    slots = "select count(*) from pg_stat_replication where replay_lsn >= '{}'"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        copied = pair.ask("service", "select count(*) from pg_subscription_rel where srsubstate = 'r'") == "1"
        if copied and pair.ask("monolith", slots.format(there)) == "1":
            return
        time.sleep(0.1)
    pytest.fail("the copy did not catch up")


def test_rows_that_were_there_and_rows_that_come_are_copied_and_compared(following: Pair) -> None:
    caught_up(following)
    assert following.compare() == (0, f"core.accounts with core.accounts: alike, {ROWS} rows", "")
    following.ask(
        "monolith", "update core.accounts set balance = 0 where id < 10; delete from core.accounts where id = 99"
    )
    caught_up(following)
    assert following.compare() == (0, f"core.accounts with core.accounts: alike, {ROWS - 1} rows", "")


def test_a_hand_in_the_copy_is_found(following: Pair) -> None:
    caught_up(following)
    following.ask("service", "update core.accounts set balance = balance + 1 where id = 5")
    code, told, _ = following.compare()
    assert (code, "unlike 1" in told) == (1, True)


def test_a_subscription_that_goes_takes_its_slot_along_and_leaves_the_rows(following: Pair) -> None:
    caught_up(following)
    assert declared("Subscription")["subscriptionReclaimPolicy"] == "delete"
    slots = f"select count(*) from pg_replication_slots where database = '{following.name('monolith')}'"
    assert following.ask("monolith", slots) == "1"
    following.ask("service", f"drop subscription {declared('Subscription')['name']}_{following.number}")
    assert following.ask("monolith", slots) == "0"
    assert following.ask("service", "select count(*) from core.accounts") == str(ROWS)


def test_a_log_that_is_not_logical_is_refused_by_the_server_itself(servers: tuple[Server, Server]) -> None:
    """Which is why the settings ask for it before a domain may be copied."""
    _, plain = servers
    assert plain.ask("show wal_level") == "replica"
    refused = plain.psql("select pg_create_logical_replication_slot('one', 'pgoutput')")
    assert "wal_level" in refused.stderr
