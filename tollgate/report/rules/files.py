"""Writes the reports of the pack."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

from tollgate.report.files import write_files
from tollgate.report.rules.junit import render_junit
from tollgate.report.rules.model import PolicyReport
from tollgate.report.rules.places import Places
from tollgate.report.rules.sarif import render_sarif

JSON_FILE, SARIF_FILE, JUNIT_FILE = "policy.json", "policy.sarif", "policy.junit.xml"


def write_policy_outputs(report: PolicyReport, places: Places, out: Path) -> tuple[Path, ...]:
    """policy.json, policy.sarif and policy.junit.xml. Raises TollgateError when one cannot be written."""
    contents = {
        JSON_FILE: json.dumps(report.model_dump(mode="json"), indent=2) + "\n",
        SARIF_FILE: render_sarif(report, places, version("tollgate")),
        JUNIT_FILE: render_junit(report),
    }
    return write_files(out, contents)
