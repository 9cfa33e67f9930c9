"""Children end when they should: a signal is heard at any moment, and a child that hangs is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tollgate.engine import processes

# A signal that another thread takes does not end a read of the main thread, as one just before the read does not.
UNHEARD = """
import os, signal, threading
from tollgate.engine.processes import lines
ours, theirs = os.pipe()
ended = threading.Timer(20, os.close, [theirs])
ended.start()
threading.Timer(0.2, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT)).start()
try:
    for _ in lines(os.fdopen(ours)):
        pass
except KeyboardInterrupt:
    print("too late" if ended.finished.is_set() else "heard", flush=True)
os._exit(0)
"""
DEAF = """
import signal, sys, time
signal.signal(signal.SIGINT, lambda *_: sys.stderr.write("x" * 200_000))
print("ready", flush=True)
time.sleep(0.1)
while True:
    time.sleep(30)
    sys.exit(7)
"""


def test_a_signal_just_before_a_read_is_heard() -> None:
    done = subprocess.run([sys.executable, "-c", UNHEARD], capture_output=True, text=True, check=True)
    assert done.stdout == "heard\n"


def test_all_lines_come_in_order() -> None:
    command = [sys.executable, "-c", "for n in range(1000): print(n)"]
    with processes.session(command, cwd=Path.cwd(), env={}) as child:
        assert child.stdout
        assert [line.strip() for line in processes.lines(child.stdout)] == [str(n) for n in range(1000)]


@pytest.mark.parametrize("read_by_another", [True, False])
def test_a_child_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch, read_by_another: bool) -> None:
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.5)
    children = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(children, read_by_another)
    assert [child.returncode for child in children] == [-signal.SIGKILL]
    assert processes.members(children[0].pid) == []


def interrupted(children: list[subprocess.Popen[str]], read_by_another: bool) -> None:
    with processes.session([sys.executable, "-c", DEAF], cwd=Path.cwd(), env={}) as child:
        children.append(child)
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
        if read_by_another:
            threading.Thread(target=lambda: list(child.stderr or ()), daemon=True).start()
        raise KeyboardInterrupt
