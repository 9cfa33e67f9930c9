"""Records what the engine shows a policy pack about a stack as it stands now."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tollgate.engine.cache import Say
from tollgate.engine.project import Project
from tollgate.engine.toolchain import Toolchain
from tollgate.policy.recording import Recording, read_recording, recorder_pack
from tollgate.rehearsal.baseline import NOTHING
from tollgate.rehearsal.rehearse import Request, rehearse


def record(project: Project, stack: str, toolchain: Toolchain, say: Say) -> Recording:
    """Preview the stack from nothing on stand-in clouds. What a resource is only told once it is made is unknown."""
    with tempfile.TemporaryDirectory(prefix="tollgate-recording-") as folder:
        file = Path(folder) / "recording"
        pack = recorder_pack(Path(folder) / "pack", file)
        rehearse(Request(project, stack, NOTHING, policies=pack), toolchain, say)
        return read_recording(file)
