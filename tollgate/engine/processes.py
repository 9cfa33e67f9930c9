"""Child processes that leave nothing behind: each runs in a session of its own, which is emptied at the end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO

# The engine gets this long to cancel by itself before it is killed.
GRACE_SECONDS = 5.0
# The language host ends its children when it sees its parent gone (twice a second); then nothing is left to kill.
SETTLE_SECONDS = 1.0
SIGNAL_CHECK_SECONDS = 0.5
_CHUNK = 65_536  # bytes: what a pipe of Linux holds (pipe(7))


@contextmanager
def session(command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run ``command`` with piped output; when the block ends, by whatever way, the whole session is gone."""
    child = subprocess.Popen(
        command,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        yield child
    except BaseException:
        interrupt(child)
        raise
    finally:
        child.wait()
        clear_session(child.pid)


def interrupt(child: subprocess.Popen[str]) -> None:
    """Ask the engine to cancel, as Ctrl-C would; kill it when it does not."""
    if child.poll() is not None:
        return
    child.send_signal(signal.SIGINT)
    for pipe in (child.stdout, child.stderr):
        threading.Thread(target=_read_on, args=(pipe,), daemon=True).start()
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


def _read_on(pipe: IO[str] | None) -> None:
    """A full pipe must not keep a child from ending. Past its buffer, because another thread may still read it."""
    if pipe is not None and not pipe.closed:
        while os.read(pipe.fileno(), _CHUNK):
            pass


def lines(stream: IO[str]) -> Iterator[str]:
    """The lines of a stream as they come, for a thread that must hear signals.

    A signal that arrives just before a read begins is heard only when that read ends: Ctrl-C would wait for the next
    line, which a program that hangs never prints. So another thread reads, and this one looks up now and then.
    """
    waiting: SimpleQueue[str | None] = SimpleQueue()
    threading.Thread(target=_hand_over, args=(stream, waiting), daemon=True).start()
    while True:
        with contextlib.suppress(Empty):
            line = waiting.get(timeout=SIGNAL_CHECK_SECONDS)
            if line is None:
                return
            yield line


def _hand_over(stream: IO[str], waiting: SimpleQueue[str | None]) -> None:
    try:
        for line in stream:
            waiting.put(line)
    finally:
        waiting.put(None)


def clear_session(leader: int) -> None:
    """Kill what is left of the session that ``leader`` led."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while members(leader) and time.monotonic() < deadline:
        time.sleep(0.02)
    for process in members(leader):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGKILL)


def members(leader: int) -> list[int]:
    """Process ids in the session of ``leader``, zombies left out."""
    if Path("/proc/self/stat").exists():
        return [pid for pid, session_id, state in proc_table() if session_id == leader and state != "Z"]
    listing = subprocess.run(["ps", "-axo", "pid=,sess=,state="], capture_output=True, text=True, check=False).stdout
    rows = (line.split() for line in listing.splitlines())
    return [int(row[0]) for row in rows if len(row) >= 3 and row[1] == str(leader) and row[2][0] != "Z"]


def proc_table() -> Iterator[tuple[int, int, str]]:
    """(process id, session id, state) of every process. Field order: proc(5), /proc/PID/stat."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            yield int(entry.name), int(fields[3]), fields[0]
