"""Tiny Pulumi projects for tests of the engine: components only, so that no provider is needed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from tollgate.engine.command import Cli, Event, Outcome
from tollgate.engine.toolchain import Toolchain
from tollgate.rehearsal.workspace import isolated

PASSPHRASE = "correct horse"


class Tiny:
    """A project in ``folder`` with the given program; ``preview`` runs it through the real engine."""

    def __init__(self, folder: Path, toolchain: Toolchain, program: str, config: dict[str, Any] | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        (folder / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
        (folder / "__main__.py").write_text(program)
        work = folder.parent / "work"
        (work / "backend").mkdir(parents=True)
        self.cli = Cli(toolchain, isolated(toolchain.environment(dict(os.environ)), work, PASSPHRASE))
        self.cli.run(["stack", "init", "organization/tiny/dev"], cwd=folder)
        self.stack_file = folder / "Pulumi.dev.yaml"
        content = yaml.safe_load(self.stack_file.read_text())
        self.stack_file.write_text(yaml.safe_dump({**content, "config": config or {}}))
        self.events: list[Event] = []

    def set_secret(self, key: str, value: str) -> None:
        self.cli.run(["config", "set", "--secret", key, value, "--stack", "organization/tiny/dev"], cwd=self.folder)

    def preview(self, *arguments: str) -> Outcome:
        self.events = []
        return self.cli.stream(
            ["preview", "--stack", "organization/tiny/dev", *arguments],
            cwd=self.folder,
            on_event=self.events.append,
            extra={},
        )

    def said(self) -> list[str]:
        """What a user would see besides errors: every diagnostic but the engine's debug lines."""
        found = [event["diagnosticEvent"] for event in self.events if "diagnosticEvent" in event]
        return [item["message"].strip() for item in found if item["severity"] not in ("debug", "error")]

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs in the last preview."""
        for event in reversed(self.events):
            metadata = event.get("resOutputsEvent", {}).get("metadata", {})
            if metadata.get("type") == "pulumi:pulumi:Stack":
                found: dict[str, Any] = metadata["new"]["outputs"]
                return found
        return {}
