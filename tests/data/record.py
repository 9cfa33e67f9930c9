"""Records what the real engine prints for small changes, on stand-in clouds. Re-record all, or the cases named:

    .venv/bin/python -m tests.data.record [CASE …]

Each case is a program before and one after. The first is brought up; the second is previewed twice: as a digest
(CASE.digest.json) and as a stream (CASE.events.ndjson). Left out of the files are only the engine's debug messages,
and paths of the machine that recorded them. Then run tests/assess/test_recorded.py and read its table again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tollgate.engine.command import Cli
from tollgate.engine.find import find
from tollgate.rehearsal.server import stand_ins
from tollgate.rehearsal.workspace import isolated

HERE = Path(__file__).parent
STACK = "organization/pay/staging"
PREAMBLE = """
import pulumi
from pulumi import CustomResource, Output, ResourceOptions as Opts

RDS, SQS, SSM = "aws:rds/instance:Instance", "aws:sqs/queue:Queue", "aws:ssm/parameter:Parameter"
BUCKET, GROUP, VPC = "aws:s3/bucket:Bucket", "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/vpc:Vpc"

def database(name="clearing", opts=None, **inputs):
    given = {"instanceClass": "db.r7g.large", "engine": "postgres", "allocatedStorage": 100} | inputs
    return CustomResource(RDS, name, given, opts)


def rules(*cidrs):
    return [{"protocol": "tcp", "fromPort": 5432, "toPort": 5432, "cidrBlocks": list(cidrs)}]
"""
# A resource whose output is not known before it is made, and one whose name is.
NEW = """
class New(CustomResource):
    arn: Output[str]

    def __init__(self, name):
        super().__init__(VPC, name, {"cidrBlock": "10.0.0.0/16", "arn": None})

"""
NAMED = """
class Named(CustomResource):
    name: Output[str]

    def __init__(self, name, description):
        super().__init__(GROUP, name, {"name": name, "description": description})

"""
CASES: dict[str, tuple[str, str]] = {
    "create": ("", 'database()\nCustomResource(SQS, "capture", {})'),
    "no-change": ("database()", "database()"),
    "update": (
        'database(backupRetentionPeriod=14, tags={"a": "1"})\n'
        'CustomResource(GROUP, "db", {"ingress": rules("10.0.0.0/8")})',
        'database(backupRetentionPeriod=1, tags={"a": "2"})\n'
        'CustomResource(GROUP, "db", {"ingress": rules("10.0.0.0/8", "0.0.0.0/0")})',
    ),
    "routine": ('database(tags={"a": "1"})', 'database(tags={"a": "2"}, allocatedStorage=200)'),
    "replace": ('database(dbName="one")', 'database(dbName="two")'),
    "delete": (
        'database()\nCustomResource(SQS, "kept", {}, Opts(retain_on_delete=True))\nCustomResource(BUCKET, "stays", {})',
        'CustomResource(BUCKET, "stays", {})',
    ),
    "protect-off": ("database(opts=Opts(protect=True))", "database()"),
    "retain-off": ("database(opts=Opts(retain_on_delete=True))", "database()"),
    "protected-delete": (
        'database(opts=Opts(protect=True))\nCustomResource(BUCKET, "stays", {})',
        'CustomResource(BUCKET, "stays", {})',
    ),
    "secret": (
        'database(password=Output.secret("old horse"))\n'
        'CustomResource(SSM, "url", {"type": "String", "insecureValue": "db.one.example.com"})',
        'database(password=Output.secret("new horse"))\n'
        'CustomResource(SSM, "url", {"type": "String", "insecureValue": "db.two.example.com"})',
    ),
    "unknown": (
        'CustomResource(GROUP, "db", {"ingress": rules("10.0.0.0/8")})',
        NEW + 'CustomResource(GROUP, "db", {"ingress": rules(New("new").arn)})',
    ),
    "import": ("", 'CustomResource(BUCKET, "receipts", {"bucket": "receipts-1"}, Opts(import_="receipts-1"))'),
    # The old firewall goes first, and pulls along what is named after it although that name stays the same.
    "cascade": (
        NAMED + 'CustomResource(SQS, "b", {"name": Named("a", "one").name})',
        NAMED + 'CustomResource(SQS, "b", {"name": Named("a", "two").name})',
    ),
    "program-error": ("database()", 'raise RuntimeError("no such setting")'),
}


def record(case: str, cli: Cli, folder: Path, providers: str) -> None:
    """One case: bring up the first program, preview the second in both forms."""
    before, after = CASES[case]
    project = folder / case
    project.mkdir()
    (project / "Pulumi.yaml").write_text("name: pay\nruntime: python\n")
    program = project / "__main__.py"
    program.write_text(PREAMBLE + before)
    cli.run(["stack", "init", STACK], cwd=project)
    extra = {"PULUMI_DEBUG_PROVIDERS": providers}
    up = cli.stream(
        ["up", "--yes", "--skip-preview", "--stack", STACK], cwd=project, on_event=lambda _: None, extra=extra
    )
    if up.code != 0:
        raise SystemExit(f"{case}: the first program failed: {up.errors}")
    program.write_text(PREAMBLE + after)
    for suffix, streaming in (("digest.json", False), ("events.ndjson", True)):
        command = [str(cli.toolchain.pulumi), "preview", "--stack", STACK, "--json", "--non-interactive"]
        form = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"} if streaming else {}
        done = subprocess.run(
            command, cwd=project, env={**cli.environment, **extra, **form}, capture_output=True, text=True, check=False
        )
        text = without_paths(done.stdout, project)
        (HERE / f"{case}.{suffix}").write_text(without_debug(text) if streaming else text)
    cli.run(["stack", "rm", "--force", "--yes", STACK], cwd=project)


def without_debug(text: str) -> str:
    """The stream without messages that only a developer of the engine reads."""
    lines = [line for line in text.splitlines(keepends=True) if line.strip()]
    return "".join(line for line in lines if json.loads(line).get("diagnosticEvent", {}).get("severity") != "debug")


def without_paths(text: str, project: Path) -> str:
    for real, shown in ((str(project.resolve()), "/project"), (str(Path.cwd()), "/tool"), (sys.base_prefix, "/python")):
        text = text.replace(real, shown)
    return text


def main(cases: list[str]) -> None:
    """Record the cases named, or all."""
    toolchain = find(print)
    with tempfile.TemporaryDirectory() as name, stand_ins({"aws", "kubernetes"}) as clouds:
        folder = Path(name)
        (folder / "backend").mkdir()
        cli = Cli(toolchain, isolated(toolchain.environment(dict(os.environ)), folder, "a passphrase"))
        for case in cases or CASES:
            record(case, cli, folder, clouds.debug_providers)
            sys.stdout.write(f"{case}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
