"""Child processes that leave nothing behind: each runs in a session of its own, which is emptied at the end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

# The engine gets this long to cancel by itself before it is killed.
GRACE_SECONDS = 5.0
# The language host ends its children when it sees its parent gone (twice a second); then nothing is left to kill.
SETTLE_SECONDS = 1.0


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
    with contextlib.suppress(subprocess.TimeoutExpired):
        # Read on, so that a full pipe does not keep it from ending.
        child.communicate(timeout=GRACE_SECONDS)
        return
    child.kill()


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
