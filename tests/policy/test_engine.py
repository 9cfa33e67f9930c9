"""The pack under the real engine: what it finds stops a preview, and a value that is not known yet does too."""

import pytest

from policies.rules import RULES
from tests.engine.projects import Tiny
from tests.policy.examples import safe_inputs
from tests.policy.projects import ROOT, shop
from tollgate.policy.statement import CANNOT_BE_SHOWN

pytestmark = pytest.mark.engine

RETAIN = "database-backup-retain"
INSTANCE = "aws:rds/instance:Instance"
# A component with a provider's type token: the engine shows it to the pack as it shows the provider's own resource.
PROGRAM = """
import asyncio
import pulumi

def later(value):
    known = asyncio.get_event_loop().create_future()
    known.set_result(False)
    return pulumi.Output(set(), pulumi.Output.from_input(value).future(), known)

inputs = {"backupRetentionPeriod": 14, **INPUTS}
pulumi.ComponentResource("aws:rds/instance:Instance", "database", inputs)
"""


def preview(tmp_path, toolchain, inputs, pack=None, *arguments):
    """The preview of one database with a pack: one of one rule, unless another is given."""
    pack = pack or shop(tmp_path / "shop").policies
    tiny = Tiny(tmp_path / "tiny", toolchain, PROGRAM.replace("INPUTS", inputs))
    outcome = tiny.preview("--policy-pack", str(pack), *arguments)
    return outcome, tiny.events


@pytest.mark.parametrize(
    ("inputs", "beginnings"),
    [
        ("{}", []),
        ('{"backupRetentionPeriod": 1}', ["backupRetentionPeriod is 1, wanted at least 7 days"]),
        ('{"backupRetentionPeriod": later(14)}', [f"{CANNOT_BE_SHOWN}backupRetentionPeriod is not known"]),
        (
            '{"backupRetentionPeriod": pulumi.Output.secret("hunter2")}',
            ["backupRetentionPeriod is a secret, wanted at least 7 days"],
        ),
    ],
)
def test_a_mandatory_rule_that_does_not_hold_or_cannot_be_shown_stops_the_preview(
    tmp_path, toolchain, inputs, beginnings
):
    outcome, events = preview(tmp_path, toolchain, inputs)
    assert (outcome.code != 0) is bool(beginnings)
    found = [event["policyEvent"] for event in events if "policyEvent" in event]
    assert len(found) == len(beginnings)
    assert all(event["message"].startswith(text) for event, text in zip(found, beginnings, strict=True))
    assert all(event["enforcementLevel"] == "mandatory" for event in found)
    assert "hunter2" not in str(found)


def test_rules_that_do_not_read_a_resource_are_not_counted_as_passed(tmp_path, toolchain):
    _, events = preview(tmp_path, toolchain, "{}")
    summaries = [event["policyAnalyzeSummaryEvent"] for event in events if "policyAnalyzeSummaryEvent" in event]
    assert [summary["passed"] for summary in summaries if summary.get("passed")] == [[RETAIN]]


def test_what_only_the_change_can_tell_is_judged_before_the_resource_is_touched(tmp_path, toolchain):
    """A preview lets an unknown reference through; the update asks again, and stops before the step."""
    inputs = f'{{**{safe_inputs(RULES, INSTANCE)}, "kmsKeyId": later("") if pulumi.runtime.is_dry_run() else ""}}'
    tiny = Tiny(tmp_path / "tiny", toolchain, PROGRAM.replace("INPUTS", inputs))
    mandatory = tmp_path / "config.json"
    mandatory.write_text('{"database-storage-key": "mandatory"}')
    arguments = ["--policy-pack", str(ROOT / "policies"), "--policy-pack-config", str(mandatory)]
    assert tiny.preview(*arguments).code == 0
    events = []
    outcome = tiny.cli.stream(
        ["up", "--yes", "--skip-preview", "--stack", "organization/tiny/dev", *arguments],
        cwd=tiny.folder,
        on_event=events.append,
        extra={},
    )
    assert outcome.code != 0
    assert [event["policyEvent"]["policyName"] for event in events if "policyEvent" in event] == [
        "database-storage-key"
    ]
    made = [event["resOutputsEvent"]["metadata"]["type"] for event in events if "resOutputsEvent" in event]
    assert INSTANCE not in made
    state = tiny.cli.run(["stack", "export", "--stack", "organization/tiny/dev"], cwd=tiny.folder).stdout
    assert INSTANCE not in state


def test_a_rule_that_raises_fails_the_preview_and_is_named(tmp_path, toolchain, broken_pack):
    outcome, _ = preview(tmp_path, toolchain, "{}", broken_pack)
    assert outcome.code != 0
    (named,) = [error for error in outcome.errors if "database-rule-broken" in error]
    assert "could not run on urn:pulumi:dev::tiny::aws:rds/instance:Instance::database: KeyError" in named
    assert "Traceback" not in str(outcome.errors)


def test_a_configuration_that_names_no_rule_fails_the_preview(tmp_path, toolchain):
    config = tmp_path / "config.json"
    config.write_text('{"database-backup-retian": "mandatory"}')
    outcome, _ = preview(tmp_path, toolchain, "{}", None, "--policy-pack-config", str(config))
    assert outcome.code != 0
    assert "database-backup-retian  no such rule; did you mean database-backup-retain?" in "".join(outcome.errors)
