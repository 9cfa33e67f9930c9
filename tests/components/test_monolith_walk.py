"""A domain walks from the monolith to its service and back, through the real engine, with its state kept between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.specs import Phase
from tests.components.recording import ROOT
from tests.components.test_monolith import settings
from tests.engine.projects import Tiny
from tollgate.assess.assess import assess
from tollgate.engine.command import Event
from tollgate.engine.toolchain import Toolchain
from tollgate.gate.decide import decide
from tollgate.gate.model import Decision
from tollgate.plan.events import PlanBuilder
from tollgate.plan.model import Op, Plan
from tollgate.rehearsal.server import StandIns, stand_ins

pytestmark = pytest.mark.engine

# One domain of the platform, with what its way out of the monolith touches, from a stack's real settings.
PROGRAM = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
import pulumi
from pulumi.runtime import get_config_env
from components.cluster import Place
from components.configuration import ConfigCentre
from components.database import BackupStore, Database
from components.migrations import Migrations
from components.monolith import MonolithMigration, upstream
from components.network import NetworkOutputs
from components.rabbit import RabbitCluster
from components.specs import Phase, Target
from stacks.loading import load_settings

said = load_settings("walk", get_config_env(), [], root=Path("/nowhere"))
on_aws = said.target is Target.AWS
place = Place("payments", "encrypted-retain", False)
known = pulumi.Output.from_input
network = NetworkOutputs(
    vpc_id=known("vpc-1"), account=known("111122223333"), region="ap-southeast-1", zones=["ap-southeast-1a"],
    cidr="10.0.0.0/16", data_ranges=["10.0.128.0/20"], private_subnet_ids=[known("subnet-1"), known("subnet-2")],
    data_subnet_ids=[known("subnet-3"), known("subnet-4")], data_subnet_group=known("data"),
    workloads=known("sg-1"), endpoints={{}}, doors={{"database": known("sg-2")}},
) if on_aws else None
key = "arn:aws:kms:ap-southeast-1:111122223333:key/1" if on_aws else None
monolith = said.monolith
moves = monolith.moves.get("risk")
follows = upstream(monolith.source) if monolith.source and moves and moves.phase is not Phase.RETIRED else None
database = Database(
    "walk-risk", said.databases["risk"], target=said.target, safety=said.safety, network=network, key_arn=key,
    place=place, backups=BackupStore("s3://backups/walk", None, "backups"), follows=None if on_aws else follows,
)
migrations = Migrations(
    "walk-risk-migrations", said.migrations, target=said.target, database=database.outputs, after=database, place=place
)
broker = RabbitCluster("walk-rabbit", said.broker, target=said.target, safety=said.safety, place=place)
if moves:
    MonolithMigration(
        "walk-risk-monolith", monolith, domain="risk", target=said.target, database=database,
        migrations=migrations.outputs, runs=said.migrations, place=place, broker=broker, network=network, key_arn=key,
    )
ConfigCentre(
    "walk-configuration", said.configuration.with_values(monolith.routing()), target=said.target,
    environment="walk", place=place,
)
"""


class Walk:
    """A stack on stand-in clouds, and where its domain stands."""

    def __init__(self, folder: Path, toolchain: Toolchain, stack: str) -> None:
        self.stack = stack
        self.tiny = Tiny(folder / "project", toolchain, PROGRAM)
        content = yaml.safe_load(self.tiny.stack_file.read_text())
        self.others = {key: value for key, value in content.items() if key != "config"}
        self.cloud: StandIns | None = None

    def at(self, phase: str | None, **more: Any) -> None:
        """Write the settings of a phase; None takes the domain out."""
        given = settings(self.stack, phase or "monolith", **more)
        config = {key: yaml.safe_load(value) for key, value in given.items()}
        if phase is None:
            config["payments:monolith"]["domains"]["risk"] = None
        self.tiny.stack_file.write_text(yaml.safe_dump({**self.others, "config": config}))

    def run(self, *arguments: str) -> Plan:
        assert self.cloud is not None
        builder, seen = PlanBuilder(), list[Event]()

        def take(event: Event) -> None:
            seen.append(event)
            builder.feed(event)

        done = self.tiny.cli.stream(
            [*arguments, "--stack", "organization/tiny/dev"],
            cwd=self.tiny.folder,
            on_event=take,
            extra={"PULUMI_DEBUG_PROVIDERS": self.cloud.debug_providers},
        )
        assert (done.code, done.errors) == (0, ()), done.errors
        return builder.plan()

    def preview(self) -> Plan:
        return self.run("preview")

    def up(self) -> Plan:
        return self.run("up", "--yes", "--skip-preview")


@contextmanager
def walking(folder: Path, toolchain: Toolchain, stack: str) -> Iterator[Walk]:
    walk = Walk(folder, toolchain, stack)
    with stand_ins(["aws", "kubernetes"]) as cloud:
        walk.cloud = cloud
        yield walk


def judged(plan: Plan) -> Decision:
    return decide(assess(plan))


def touched(plan: Plan) -> dict[str, Op]:
    return {step.name: step.op for step in plan.steps if step.custom}


THERE = (Phase.SHADOW, Phase.DUAL_WRITE, Phase.CUTOVER)
AND_BACK = (Phase.DUAL_WRITE, Phase.SHADOW, Phase.MONOLITH)
ON = (*THERE, Phase.SERVICE, Phase.RETIRED)
# What a step may touch besides what is the migration's own: the document that gateways read.
DOCUMENT = ("walk-configuration-document", "walk-configuration-version", "walk-configuration-deployment")
SCHEMA = ("walk-configuration-profile",)
# The last step lets the database forget the monolith's address.
HOLD_DATA = (":Queue", ":Vhost", ":Cluster", ":Instance", ":RabbitmqCluster")
FORGETS = {("local", Phase.RETIRED): ("walk-risk-cluster",)}


def check(stack: str, before: Phase, after: Phase, plan: Plan) -> None:
    """One step: it touches only what belongs to it, loses nothing, and is put to review when it should be."""
    allowed = (*DOCUMENT, *SCHEMA, *FORGETS.get((stack, after), ()))
    strange = [name for name in touched(plan) if not name.startswith("walk-risk-monolith-") and name not in allowed]
    assert strange == [], (before, after)
    # The Kubernetes provider replaces a ConfigMap whose data changes; the name stays.
    assert touched(plan)["walk-risk-monolith-ladder"] in (Op.UPDATE, Op.REPLACE)
    gone = [step for step in plan.steps if step.op in (Op.DELETE, Op.REPLACE) and step.type.endswith(HOLD_DATA)]
    assert [step.name for step in gone if not step.retain_on_delete] == []
    decision = judged(plan)
    assert (found(decision, "ladder-climbed") != "") == (after in (Phase.SERVICE, Phase.RETIRED))
    forward_and_reversible = list(Phase).index(after) > list(Phase).index(before) and after in THERE
    same_things = {before, after} == {Phase.DUAL_WRITE, Phase.CUTOVER}
    free = forward_and_reversible or same_things
    assert decision.verdict.review_word == ("routine" if free else "review"), decision.reasons


def found(decision: Decision, rule: str) -> str:
    """What a rule said."""
    return " ".join(finding.sentence for finding in decision.assessment.findings if finding.rule == rule)


ROUTES = {"local": (*THERE, *AND_BACK, *ON), "staging": (*THERE, *AND_BACK)}


@pytest.mark.parametrize(("stack", "route"), ROUTES.items(), ids=ROUTES)
def test_a_walk_there_and_back(tmp_path: Path, toolchain: Toolchain, stack: str, route: tuple[Phase, ...]) -> None:
    with walking(tmp_path, toolchain, stack) as walk:
        walk.at("monolith")
        first = walk.up()
        assert {step.op for step in first.steps} == {Op.CREATE}
        assert judged(first).verdict.review_word == "routine"
        start, stands = known(walk), Phase.MONOLITH
        for phase in route:
            walk.at(phase)
            check(stack, stands, phase, walk.up())
            stands = phase
        assert [(step.op, step.name) for step in walk.preview().steps] == []
        if stands is Phase.MONOLITH:
            assert known(walk) == start


def known(walk: Walk) -> dict[str, Any]:
    """The inputs of all that the stack has, by URN; outputs and deployment numbers are the cloud's."""
    export = walk.tiny.cli.run(
        ["stack", "export", "--show-secrets", "--stack", "organization/tiny/dev"], cwd=walk.tiny.folder
    )
    resources = json.loads(export.stdout)["deployment"]["resources"]
    return {each["urn"]: each.get("inputs") for each in resources if "appconfig/deployment" not in each["type"]}


# From where, to where (None: the domain is taken out of the settings), the verdict, and what is said of the ladder.
JUMPS: list[tuple[str, str | None, str, str]] = [
    ("monolith", "dual-write", "stop", "moves from monolith to dual-write and leaves out shadow"),
    ("monolith", "retired", "stop", "leaves out shadow, dual-write, cutover, service"),
    ("monolith", None, "routine", ""),
    ("shadow", "cutover", "stop", "leaves out dual-write"),
    ("shadow", None, "stop", "goes, and with it the record of how far the change has come"),
    ("dual-write", "monolith", "stop", "moves from dual-write to monolith and leaves out shadow"),
]


def test_a_phase_that_is_left_out_stops_the_change(tmp_path: Path, toolchain: Toolchain) -> None:
    stands = ""
    with walking(tmp_path, toolchain, "local") as walk:
        for start, end, verdict, said in JUMPS:
            if start != stands:
                walk.at(start)
                walk.up()
                stands = start
            walk.at(end)
            decision = judged(walk.preview())
            assert said in found(decision, "ladder-climbed"), (start, end)
            assert (decision.verdict.review_word == "stop") == (verdict == "stop"), decision.reasons
            if verdict == "stop":
                assert "The configuration walk-risk-monolith-ladder" in decision.headline


@pytest.mark.parametrize(
    ("phase", "verdict", "said"),
    [
        ("shadow", "routine", ""),
        ("cutover", "review", "starts on cutover, without having stood on monolith, shadow, dual-write"),
        ("retired", "review", "starts on retired"),
    ],
)
def test_a_domain_that_is_new_here_starts_where_nobody_relies_on_it_yet(
    tmp_path: Path, toolchain: Toolchain, phase: str, verdict: str, said: str
) -> None:
    with walking(tmp_path, toolchain, "local") as walk:
        walk.at(phase)
        decision = judged(walk.preview())
    assert decision.verdict.review_word == verdict
    assert said in found(decision, "ladder-climbed")
