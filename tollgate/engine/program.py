"""Runs one Pulumi program inside the project's own environment.

Started by the language host as a plain script, so it may import only the standard library and ``pulumi``.
Arguments: a JSON object of runtime settings, then the program (a folder with ``__main__.py``, or a file).
"""

from __future__ import annotations

import asyncio
import json
import os
import runpy
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

# A script's own folder comes first on the path; nothing in ours may stand in for a package of the program's.
sys.path.pop(0)

import pulumi
import pulumi.runtime

# The engine has been told of the error through the log; see ALREADY_REPORTED in language_host.py.
ALREADY_REPORTED = 32


def main() -> int:
    """Run the program to its end; 0, or 32 when its error has been reported."""
    options: dict[str, Any] = json.loads(sys.argv[1])
    program = Path(sys.argv[2]).resolve()
    if not program.exists():
        sys.stderr.write(f"no program at {program}: Pulumi.yaml must stand beside __main__.py, or name it in `main`\n")
        return 1
    configure(options)
    home = program if program.is_dir() else program.parent
    sys.argv = [str(program), *sys.argv[3:]]
    sys.path.insert(0, str(home))
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: execute(program)))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return ALREADY_REPORTED
    except SystemExit as leaving:
        return exit_code(leaving)
    except BaseException as error:  # noqa: BLE001  (whatever a program raises is shown, trimmed)
        pulumi.log.error(explain(error, home))
        return ALREADY_REPORTED
    finally:
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def execute(program: Path) -> None:
    """The user's code, as ``python program`` would run it."""
    runpy.run_path(str(program), run_name="__main__")


def configure(options: dict[str, Any]) -> None:
    """Hook the SDK up to the engine, and hand it the stack's configuration."""
    for key, value in pulumi.runtime.get_config_env().items():
        pulumi.runtime.set_config(key, value)
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            monitor=options["monitor"],
            engine=options["engine"],
            project=options["project"],
            stack=options["stack"],
            parallel=options["parallel"],
            dry_run=options["dry_run"],
            organization=options["organization"],
            root_directory=options["root_directory"],
        )
    )


def exit_code(leaving: SystemExit) -> int:
    """What ``sys.exit(x)`` means: a number, nothing, or a message to show."""
    if leaving.code is None or isinstance(leaving.code, int):
        return leaving.code or 0
    pulumi.log.error(str(leaving.code))
    return ALREADY_REPORTED


def explain(error: BaseException, home: Path) -> str:
    """A traceback with the user's own frames only; all frames when none is the user's."""
    kept = [frame for frame in traceback.extract_tb(error.__traceback__) if is_users(frame.filename, home)]
    frames = kept or traceback.extract_tb(error.__traceback__)
    shown = [
        traceback.FrameSummary(relative(frame.filename, home), frame.lineno, frame.name, line=frame.line)
        for frame in frames
    ]
    heading = "The program failed. Most recent call last:\n"
    return heading + "".join(traceback.format_list(shown)) + "".join(traceback.format_exception_only(error)).rstrip()


def is_users(filename: str, home: Path) -> bool:
    path = Path(filename)
    return path.is_relative_to(home) and not {"site-packages", "dist-packages"} & set(path.parts)


def relative(filename: str, home: Path) -> str:
    path = Path(filename)
    return str(path.relative_to(home)) if path.is_relative_to(home) else filename


def leave(code: int) -> None:
    """Do not wait for threads a broken program left behind; a finished one has none but the main thread."""
    if code == 0 and threading.active_count() == 1:
        sys.exit(0)
    os._exit(code)


if __name__ == "__main__":
    leave(main())
