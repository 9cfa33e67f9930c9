"""Makes an exported state fit to be the baseline of a rehearsal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tollgate.errors import Problem, TollgateError
from tollgate.policy.sentinels import SECRET_SIGNATURE, SIGNATURE_KEY

# Stands for a secret whose text the export does not hold. The stand-in providers know it and compare nothing with it.
UNREADABLE_SECRET = "tollgate-unreadable-secret"  # noqa: S105
ADVICE = "give the file that `pulumi stack export` wrote"


def importable_state(file: Path, *, project: str, stack: str) -> dict[str, Any]:
    """An export of exactly this stack, with secrets made importable. Raises TollgateError otherwise."""
    try:
        content = json.loads(file.read_text())
    except OSError as error:
        raise TollgateError(f"{file} cannot be read: {error.strerror}.", advice=ADVICE) from error
    except ValueError as error:
        raise TollgateError(f"{file} is not JSON: {error}.", advice=ADVICE) from error
    deployment = content.get("deployment") if isinstance(content, dict) else None
    if not isinstance(deployment, dict) or not isinstance(deployment.get("resources", []), list):
        raise TollgateError(f"{file} is not the export of a Pulumi stack.", advice=ADVICE)
    refuse_other_stack(file, deployment, project, stack)
    importable: dict[str, Any] = open_secrets(content)
    return importable


def sealed_with(state: dict[str, Any], salt: str) -> dict[str, Any]:
    """``state`` as the engine imports it into a stack whose passphrase goes with ``salt``."""
    provider = {"type": "passphrase", "state": {"salt": salt}}
    return {**state, "deployment": {**state["deployment"], "secrets_providers": provider}}


def refuse_other_stack(file: Path, deployment: dict[str, Any], project: str, stack: str) -> None:
    """A URN reads ``urn:pulumi:STACK::PROJECT::TYPE::NAME``."""
    wanted = f"urn:pulumi:{stack}::{project}::"
    urns = [str(resource.get("urn", "")) for resource in deployment.get("resources", [])]
    others = sorted({"::".join(urn.split("::")[:2]) for urn in urns if not urn.startswith(wanted)})
    if others:
        raise TollgateError(
            f"{file} is the state of another stack.",
            [
                Problem("", f"it holds {other.removeprefix('urn:pulumi:')}; wanted {stack}::{project}")
                for other in others
            ],
            advice="export the stack that you rehearse",
        )


def open_secrets(value: Any) -> Any:
    """Encrypted values become the stand-in text; they stay marked as secret."""
    if isinstance(value, list):
        return [open_secrets(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(SIGNATURE_KEY) == SECRET_SIGNATURE:
        text = value.get("plaintext", json.dumps(UNREADABLE_SECRET))
        return {SIGNATURE_KEY: SECRET_SIGNATURE, "plaintext": text}
    return {key: open_secrets(item) for key, item in value.items()}


def packages_in(state: dict[str, Any]) -> frozenset[str]:
    """Provider packages of the resources in a state."""
    types = (str(item.get("type", "")) for item in state["deployment"].get("resources", []) if item.get("custom"))
    return frozenset(kind.removeprefix("pulumi:providers:").partition(":")[0] for kind in types if kind) - {"pulumi"}
