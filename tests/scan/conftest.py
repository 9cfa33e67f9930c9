"""checkov's own environment: found, or installed once a machine."""

from __future__ import annotations

import pytest

from tollgate.scan.environment import Environment, environment


@pytest.fixture(scope="session")
def checkov() -> Environment:
    return environment(print)
