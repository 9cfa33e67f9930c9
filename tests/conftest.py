"""Shared by all tests: the real engine and checkov's environment, found or made once and then cached."""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, settings

from tollgate.engine.find import find
from tollgate.engine.toolchain import Toolchain
from tollgate.scan.environment import Environment, environment

# Whether a test passes must not hang on how busy the machine is.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")
# A shell that starts us in the background has us ignore Ctrl-C, and our children with us: theirs would never be heard.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    """The real Pulumi engine. The first run on a machine builds it."""
    return find(print)


@pytest.fixture(scope="session")
def checkov() -> Environment:
    """checkov in its own environment. The first run on a machine installs it."""
    return environment(print)
