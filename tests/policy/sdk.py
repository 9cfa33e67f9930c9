"""Whether a type token is one of the installed provider SDKs."""

import functools
import re
from pathlib import Path

import pulumi_aws
import pulumi_kubernetes

_SDKS = {"aws": pulumi_aws, "kubernetes": pulumi_kubernetes}


def exists(token: str) -> bool:
    """True for a type of an installed SDK, and for a well-formed custom resource of Kubernetes, which has no SDK."""
    package, module, kind = token.split(":")
    if package == "kubernetes" and "." in module.split("/")[0] and ".k8s.io/" not in module:
        return bool(
            re.fullmatch(r"[a-z0-9.-]+/v\d+((alpha|beta)\d+)?", module) and re.fullmatch(r"[A-Z][A-Za-z]+", kind)
        )
    folder = Path(_SDKS[package].__file__).parent / module.split("/")[0].split(".")[0]
    return any(token in text for text in _texts(folder))


@functools.cache
def _texts(folder: Path) -> tuple[str, ...]:
    return tuple(file.read_text() for file in folder.rglob("*.py"))
