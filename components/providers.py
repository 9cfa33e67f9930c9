"""Which account and which cluster: named in the settings, so that no resource lands where the shell points."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from stacks.settings import PlatformSettings


def providers(name: str, settings: PlatformSettings) -> list[pulumi.ProviderResource]:
    """The providers a platform needs. Credentials come from the environment; they are never in settings or state."""
    wanted: list[pulumi.ProviderResource] = [
        kubernetes.Provider(
            f"{name}-kubernetes",
            context=settings.kubernetes.context,
            enable_server_side_apply=True,
            # Left out, a ConfigMap with a name of ours is deleted and made anew for each changed value: a pod that
            # starts meanwhile finds none. Those that must not change say so themselves (immutable).
            enable_config_map_mutable=True,
        )
    ]
    if settings.aws:
        account = settings.aws.account_id
        wanted.append(
            aws.Provider(
                f"{name}-aws",
                region=settings.aws.region,
                allowed_account_ids=[account] if account else None,
                default_tags={"tags": settings.tags},
            )
        )
    return wanted
