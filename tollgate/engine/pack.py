"""Runs one policy pack inside the project's own environment, with the stack's configuration at hand.

Started by the language host as a plain script. The engine sends a pack the stack's configuration in the ConfigureStack
call; the Python policy SDK keeps only its tags. So that ``pulumi.Config()``, ``get_stack()`` and ``is_dry_run()`` work
in rules as they do with the official host, the call is read here first. Arguments: the engine's address, the pack.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import traceback
from pathlib import Path
from typing import Any

# A script's own folder comes first on the path; nothing in ours may stand in for a package of the pack's.
sys.path.pop(0)

import pulumi.runtime
from pulumi.runtime.proto import analyzer_pb2_grpc

serve = analyzer_pb2_grpc.add_AnalyzerServicer_to_server


def serve_configured(servicer: Any, server: Any) -> None:
    """Register a pack's servicer so that ConfigureStack also sets up the SDK's own idea of the stack."""
    own = servicer.ConfigureStack

    def configure_stack(request: Any, context: Any) -> Any:
        take_over(request)
        return own(request, context)

    servicer.ConfigureStack = configure_stack
    serve(servicer, server)


def take_over(request: Any) -> None:
    """Make the configuration in ``request`` the process's own. Secret values stay in memory and the environment."""
    os.environ["PULUMI_CONFIG"] = json.dumps(dict(request.config))
    os.environ["PULUMI_CONFIG_SECRET_KEYS"] = json.dumps(list(request.config_secret_keys))
    for key, value in request.config.items():
        pulumi.runtime.set_config(key, value)
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            project=request.project,
            stack=request.stack,
            organization=request.organization,
            dry_run=request.dry_run,
        )
    )


def main() -> int:
    """Run the pack until the engine ends it. A pack that fails says why in one message on stderr."""
    pack = Path(sys.argv[-1]).resolve()
    sys.path.insert(0, str(pack))
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server = serve_configured
    try:
        runpy.run_path(str(pack), run_name="__main__")
    except Exception as error:  # noqa: BLE001  (whatever a pack raises is shown, trimmed)
        frames = [
            frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(pack)
        ]
        sys.stderr.write(f"The policy pack {pack.name} failed to start.\n")
        sys.stderr.writelines([*traceback.format_list(frames), *traceback.format_exception_only(error)])
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
