"""What a command is doing, while it does it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """One changing line on a terminal, plain lines elsewhere; always on stderr."""
    if not sys.stderr.isatty() or os.environ.get("CI"):
        yield lambda text: typer.echo(f"· {text}", err=True)
        return
    from rich.console import Console  # noqa: PLC0415

    console = Console(stderr=True)
    with console.status("starting") as status:
        yield status.update
