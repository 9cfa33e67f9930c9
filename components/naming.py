"""Names: which ones we choose, and which ones Pulumi does.

Stateful things have the name we give them, on purpose. Restores, alarms, grants and runbooks know them by it, and a
replacement cannot quietly stand an empty twin beside the data: the name is taken, so the change stops in the open.
All else is named by Pulumi (our name and a random end), so that it can be replaced with the new one made first.
"""

from __future__ import annotations

import re

# The shortest limit of the things we name ourselves: ElastiCache replication group, 40 characters
# (CreateReplicationGroup); RDS instances may have 63, Kubernetes labels 63.
LONGEST = 40


def physical(name: str) -> str:
    """The name of a stateful thing in its own system.

    Raises ValueError when it is not a legal name everywhere, since shortening one could make two of them equal.
    """
    if len(name) > LONGEST or not re.fullmatch(r"[a-z](-?[a-z0-9])*", name):
        raise ValueError(
            f"{name!r} cannot name a resource: use lower-case letters, digits and single hyphens, "
            f"beginning with a letter, {LONGEST} characters at most"
        )
    return name


def labels(name: str) -> dict[str, str]:
    """The labels by which our own selectors find pods (Kubernetes recommended labels)."""
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "payments"}


def values_of(service: str) -> str:
    """The object in Kubernetes that holds the values a service starts with."""
    return f"parameters-{service}"


def sealed_of(service: str) -> str:
    """The Secret that holds a service's secrets."""
    return f"sealed-{service}"


def opens(*openings: str) -> dict[str, str]:
    """The labels by which a pod is let through openings of its closed namespace (components/openings.py)."""
    return {f"tollgate/{opening}": "open" for opening in openings}
