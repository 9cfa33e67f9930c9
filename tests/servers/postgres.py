"""A real PostgreSQL server on a free loopback port, owned by nobody in particular and gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

# Debian keeps the server's programs out of PATH. $TOLLGATE_POSTGRES names another version's folder.
FOLDERS = [Path(os.environ.get("TOLLGATE_POSTGRES") or "/nowhere"), *sorted(Path("/usr/lib/postgresql").glob("*/bin"))]
PROGRAMS = next((folder for folder in FOLDERS if (folder / "initdb").exists()), None)
needs_postgres = pytest.mark.skipif(PROGRAMS is None, reason="no PostgreSQL server here: apt-get install postgresql")
SUPERUSER = "postgres"


@dataclass(frozen=True)
class Server:
    """Where it listens. Everyone on this machine may sign in as anyone."""

    programs: Path
    port: int

    def environment(self, user: str, database: str) -> dict[str, str]:
        """What libpq reads."""
        path = f"{self.programs}:{os.environ['PATH']}"
        return {"PATH": path, "PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": user, "PGDATABASE": database}

    def psql(
        self, statement: str, *, user: str = SUPERUSER, database: str = "postgres"
    ) -> subprocess.CompletedProcess[str]:
        """A statement and what came of it."""
        command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", statement]
        environment = self.environment(user, database)
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    def ask(self, statement: str, *, user: str = SUPERUSER, database: str = "postgres") -> str:
        """The answer to a statement that must succeed."""
        done = self.psql(statement, user=user, database=database)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@contextmanager
def running(**settings: str) -> Iterator[Server]:
    """A server with nothing in it. It does not wait for disks, since nothing here outlives the test."""
    assert PROGRAMS is not None
    home = Path(tempfile.mkdtemp(prefix="postgres-"))
    user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    if user:
        shutil.chown(home, user)
    port = _free_port()
    options = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "off",
        "max_connections": 50,
        **settings,
    }
    said = " ".join(f"-c {name}='{value}'" for name, value in options.items())
    data = str(home / "data")

    def run(*command: str) -> None:
        subprocess.run(command, cwd=home, user=user, check=True, capture_output=True, timeout=120)

    try:
        run(
            str(PROGRAMS / "initdb"),
            "-D",
            data,
            "-U",
            SUPERUSER,
            "--auth=trust",
            "--no-sync",
            "-E",
            "UTF8",
            "--no-locale",
        )
        run(str(PROGRAMS / "pg_ctl"), "-D", data, "-l", str(home / "log"), "-o", said, "-w", "-t", "60", "start")
        yield Server(PROGRAMS, port)
    finally:
        if (home / "data" / "postmaster.pid").exists():
            run(str(PROGRAMS / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(home)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
