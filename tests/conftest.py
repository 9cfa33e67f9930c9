"""Shared by all tests: the real engine, found or built once and then cached."""

from __future__ import annotations

import pytest

from tollgate.engine.find import find
from tollgate.engine.toolchain import Toolchain


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    """The real Pulumi engine. The first run on a machine builds it."""
    return find(print)
