"""A pack with a fault, shared by the tests of the server and of the engine."""

import sys
from pathlib import Path

import pytest

PACK = Path(__file__).parents[2] / "policies"

RULE = """
from tollgate.policy.severity import LOW
from tollgate.policy.statement import rule

@rule(id="database-rule-broken", why="It is a test.", severity=LOW, types=("aws:rds/instance:Instance",),
      fix="mend it", good={}, bad={"a": 1})
def broken(database):
    return {}[database["password"].value]
"""


@pytest.fixture
def broken_pack(tmp_path):
    """A pack of one rule that raises an error with the resource's secret in it."""
    pack = tmp_path / "pack"
    (pack / "rules").mkdir(parents=True)
    for file in ("__main__.py", "rules/__init__.py"):
        (pack / file).write_text((PACK / file).read_text())
    (pack / "rules" / "broken.py").write_text(RULE)
    options = f"{{toolchain: pip, virtualenv: {sys.prefix}}}"
    (pack / "PulumiPolicy.yaml").write_text(f"runtime: {{name: python, options: {options}}}\nversion: 0.1.0\n")
    return pack
