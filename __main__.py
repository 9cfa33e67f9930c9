"""The program: settings in, platform up, typed outputs out."""

from __future__ import annotations

from pathlib import Path

import pulumi
from pulumi.runtime import get_config_env, get_config_secret_keys_env

from components.naming import with_short_region
from components.platform import PaymentPlatform
from components.providers import providers
from stacks.loading import SettingsError, load_settings
from stacks.settings import PlatformSettings


def settings_of(stack: str) -> PlatformSettings:
    """The stack's settings. Wrong ones end the run with the list of what to correct, and no traceback."""
    try:
        return load_settings(
            stack, get_config_env(), get_config_secret_keys_env(), root=Path(__file__).resolve().parent
        )
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None


name = f"payments-{with_short_region(pulumi.get_stack())}"
settings = settings_of(pulumi.get_stack())
platform = PaymentPlatform(name, settings, opts=pulumi.ResourceOptions(providers=providers(name, settings)))
for output, value in platform.exports().items():
    pulumi.export(output, value)
