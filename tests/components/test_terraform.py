"""The AWS part of our stacks, judged by the real provider: every argument is one, and the whole can be planned.

Pulumi's AWS provider is made of Terraform's. Where this machine has that one, it checks what no type of the SDK says:
words of a list, forms of names and documents, arguments that exclude each other. Version 5.100.0 is the one before
Pulumi's, so what came later is left out by name (tests/terraform/configuration.py).
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.scan.footprints import STACKS, footprint_of
from tests.terraform.configuration import NEWER, Configuration
from tests.terraform.provider import needs_terraform, schemas, terraform
from tollgate.books.terraform import snake, terraform_tokens, terraform_type
from tollgate.scan.environment import Environment
from tollgate.scan.model import Outcome
from tollgate.scan.run import scan
from tollgate.scan.scan import read

pytestmark = [needs_terraform, pytest.mark.engine]
ON_AWS = ("dev", "staging", "prod")


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return schemas(tmp_path_factory.mktemp("schema"))


@dataclass(frozen=True)
class Judged:
    """A stack's configuration, the folder it stands in, how many resources the plan makes, and what was objected."""

    configuration: Configuration
    folder: Path
    planned: int
    said: list[str]


@pytest.fixture(scope="module", params=ON_AWS)
def judged(request: pytest.FixtureRequest, known: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Judged:
    configuration = Configuration(footprint_of(request.param), known)
    folder = configuration.write(tmp_path_factory.mktemp(request.param))
    count, said = planned(folder)
    return Judged(configuration, folder, count, [*validated(folder), *said])


def validated(folder: Path) -> list[str]:
    """What the provider says of the arguments."""
    told = json.loads(terraform(folder, "validate", "-json").stdout)
    return [f"{said['summary']} {said['detail']}" for said in told["diagnostics"]]


def planned(folder: Path) -> tuple[int, list[str]]:
    """How many resources would be made, and what the provider objects to."""
    done = terraform(folder, "plan", "-json", "-refresh=false", "-input=false", "-lock=false", "-out=plan")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    said = [f"{line['@message']} {line['diagnostic']['detail']}" for line in lines if line["type"] == "diagnostic"]
    return sum(line["type"] == "planned_change" for line in lines), said


def test_the_stacks_on_aws_are_these() -> None:
    assert set(ON_AWS) <= set(STACKS)


def test_the_provider_takes_every_argument_and_plans_every_resource(judged: Judged) -> None:
    assert judged.said == []
    assert judged.planned == sum(len(named) for named in judged.configuration.resources.values()) > 150


@pytest.mark.parametrize("mistake", [{"comparison_operator": "MoreOrLess"}, {"evaluation_perods": 1}])
def test_a_wrong_argument_would_be_seen(mistake: dict[str, Any], known: dict[str, Any], tmp_path: Path) -> None:
    configuration = Configuration(footprint_of("prod"), known)
    next(iter(configuration.resources["aws_cloudwatch_metric_alarm"].values())).update(mistake)
    (said,) = validated(configuration.write(tmp_path))
    assert str(next(iter(mistake.items()))[0]) in said


def test_what_is_left_out_as_newer_is_in_use_and_newer(known: dict[str, Any]) -> None:
    assert set().union(*(Configuration(footprint_of(stack), known).left_out for stack in ON_AWS)) == NEWER.keys()
    newer = {
        (entry.terraform, snake(name))
        for entry in filter(None, map(terraform_type, terraform_tokens()))
        for name in entry.newer
    }
    assert NEWER.keys() <= newer


# Where the plan of the real provider leads checkov to another verdict than our projection does: a default that the
# provider fills in. All else is the same.
DEFAULTS = {
    ("CKV_AWS_115", Outcome.FAILED, Outcome.PASSED): "-1, which is no limit, counts as one",
    ("CKV_AWS_173", Outcome.DECLINED, Outcome.PASSED): "there is no environment to encrypt",
}


def test_checkov_judges_our_projection_as_it_judges_the_plan_of_the_real_provider(
    judged: Judged, checkov: Environment, tmp_path: Path
) -> None:
    """The same edges between resources on both sides, since values are written out here and not referred to."""
    shown = json.loads(terraform(judged.folder, "show", "-json", "plan").stdout)
    ours = replace(judged.configuration.projection, manifests={})
    theirs = replace(ours, plan={**ours.plan, "planned_values": shown["planned_values"]})
    verdicts = defaultdict(list)
    for place, projection in (("ours", ours), ("theirs", theirs)):
        (tmp_path / place).mkdir()
        projection.write(tmp_path / place)
        for made in read(scan(checkov, tmp_path / place), projection).checked:
            verdicts[made.check, made.urn].append(made.outcome)
    assert len(verdicts) > 300
    different = {(check, *found) for (check, _), found in verdicts.items() if len(set(found)) > 1 or len(found) < 2}
    assert different <= DEFAULTS.keys()
