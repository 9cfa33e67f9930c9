"""Runs the Pulumi command line on one project and hands on what it says, event by event."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tollgate.engine.processes import lines, session
from tollgate.engine.toolchain import Toolchain
from tollgate.errors import Problem, TollgateError

Event = dict[str, Any]
COLOUR_TAG = re.compile(r"<\{%[^%]*%\}>|\x1b\[[0-9;]*[A-Za-z]")
ERROR_LINES_SHOWN = 40


@dataclass(frozen=True)
class Outcome:
    """How one command ended. ``errors`` are the engine's own error messages, in order, as plain text."""

    code: int
    stdout: str = ""
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cli:
    """The engine with the environment it runs in. Two ``Cli`` with the same backend see the same stacks."""

    toolchain: Toolchain
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, arguments: Iterable[str], *, cwd: Path) -> Outcome:
        """Run one command that does not stream. Raises TollgateError when it fails."""
        command = self._command(arguments)
        with session(command, cwd=cwd, env=self.environment) as child:
            stdout, stderr = child.communicate()
        if child.returncode != 0:
            raise failed(command, plain(stderr or stdout))
        return Outcome(child.returncode, stdout)

    def stream(
        self,
        arguments: Iterable[str],
        *,
        cwd: Path,
        on_event: Callable[[Event], None],
        extra: Mapping[str, str],
    ) -> Outcome:
        """Run preview or up with ``--json`` and hand each engine event to ``on_event``.

        Never raises for what the engine says: a refused preview is an answer. The caller judges the outcome.
        """
        command = self._command([*arguments, "--json"])
        environment = {**self.environment, **extra, "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"}
        errors: list[str] = []
        stray: list[str] = []
        aside: list[str] = []
        with session(command, cwd=cwd, env=environment) as child:
            reader = threading.Thread(target=drain, args=(child, stray), daemon=True)
            reader.start()
            for line in lines(child.stdout) if child.stdout else ():
                event = parse(line)
                if event is None:
                    stray.append(line)
                    continue
                errors.extend(error_text(event))
                aside.extend(aside_text(event))
                on_event(event)
            child.wait()
            reader.join()
        return Outcome(child.returncode, errors=tuple(errors) or stray_errors(child.returncode, [*aside, *stray]))

    def _command(self, arguments: Iterable[str]) -> list[str]:
        return [str(self.toolchain.pulumi), *arguments, "--non-interactive", "--color", "never"]


def drain(child: subprocess.Popen[str], into: list[str]) -> None:
    into.extend(child.stderr or ())


def parse(line: str) -> Event | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def error_text(event: Event) -> list[str]:
    """The message of an error diagnostic, without colour and prefix. Policy violations are events of their own."""
    diagnostic = event.get("diagnosticEvent")
    if not diagnostic or diagnostic.get("severity") != "error":
        return []
    return [plain(diagnostic.get("message", ""))]


def aside_text(event: Event) -> list[str]:
    """What a plugin wrote on stderr: the reason, when it did not start."""
    diagnostic = event.get("diagnosticEvent")
    if not diagnostic or diagnostic.get("severity") != "info#err":
        return []
    return [diagnostic.get("message", "").rstrip() + "\n"]


def stray_errors(code: int, lines: list[str]) -> tuple[str, ...]:
    """When a command failed before its first event, what it printed is the reason."""
    text = plain("".join(lines))
    return (text,) if code != 0 and text else ()


def plain(text: str) -> str:
    return COLOUR_TAG.sub("", text).replace("error: ", "", 1).strip()


def failed(command: list[str], text: str) -> TollgateError:
    lines = [line for line in text.splitlines() if line.strip()][-ERROR_LINES_SHOWN:]
    return TollgateError(f"`pulumi {' '.join(command[1:3])}` failed.", [Problem("", line) for line in lines])
