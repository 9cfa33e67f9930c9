"""`tollgate policy replay`: what a change to the rules would newly stop, or newly let through."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from tollgate.engine.cache import Say
from tollgate.engine.project import Project
from tollgate.engine.toolchain import Toolchain
from tollgate.policy.ask import ask, running
from tollgate.policy.difference import Difference, Replay, differences
from tollgate.policy.results import Result
from tollgate.policy_pipeline import pack_folder
from tollgate.rehearsal.baseline import at_commit, check_out, resolve
from tollgate.rehearsal.record import record


def replay(project: Project, base: str, stacks: Iterable[str], toolchain: Toolchain, say: Say) -> Replay:
    """Ask the rules of a git commit and those of the work tree about the same resources.

    The old rules run in a process of their own, from the commit's own files and its own version of tollgate.
    """
    commit = resolve(project, base)
    named = tuple(stacks)
    found: list[Difference] = []
    judged = 0
    with tempfile.TemporaryDirectory(prefix="tollgate-replay-") as scratch:
        say(f"writing the rules of {base}")
        then = check_out(project, at_commit(commit, base), Path(scratch) / "base")
        old_pack = then.policies if then is not None and then.policies and then.policies.is_dir() else None
        for stack in named:
            say(f"{stack}: recording its resources")
            recording = record(project, stack, toolchain, lambda _: None)
            with running(pack_folder(project)) as stub:
                new = ask(stub, recording)
            old: tuple[Result, ...] = ()
            if old_pack is not None and then is not None:
                with running(old_pack, then.root) as stub:
                    old = ask(stub, recording)
            judged += len(new)
            found += differences(stack, old, new)
    return Replay(base=f"{base} ({commit[:9]})", stacks=named, judged=judged, differences=tuple(found))
