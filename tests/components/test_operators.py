"""The operators that a cluster needs: the page names those that the data names, and the stacks need just those."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from stacks.loading import load_settings
from tests.components.crds import is_custom
from tests.components.recording import ROOT, STACKS, config_of, run

PAGE = ROOT / "docs" / "how-to" / "prepare-a-cluster.md"
OPERATORS: list[dict[str, Any]] = yaml.safe_load((ROOT / "components" / "assets" / "operators.yaml").read_text())


def test_the_page_says_what_the_data_says() -> None:
    rows = re.findall(r"^\| \[(.+?)\]\((.+?)\) \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", PAGE.read_text(), re.MULTILINE)
    assert rows == [
        (
            one["name"],
            one["from"],
            one["release"],
            ", ".join(one["targets"]),
            ", ".join(one["needs"]) or "nothing",
            one["why"],
        )
        for one in OPERATORS
    ]


def test_each_is_pinned_and_stands_after_what_it_needs() -> None:
    names = [one["name"] for one in OPERATORS]
    for place, one in enumerate(OPERATORS):
        assert re.fullmatch(r"v\d+\.\d+\.\d+", one["release"]), one["name"]
        assert set(one["needs"]) <= set(names[:place]), one["name"]


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_declares_kinds_of_the_operators_of_its_target_and_of_no_others(stack: str) -> None:
    target = load_settings(stack, config_of(stack), [], root=ROOT).target.value
    versions = {str(made.inputs.get("apiVersion", "")) for made in run(stack, config_of(stack)).resources}
    asked = {version.partition("/")[0] for version in versions if is_custom(version)}
    here = [one for one in OPERATORS if target in one["targets"]]
    needed = {name for one in here for name in one["needs"]}
    assert needed <= {one["name"] for one in here}
    assert asked <= {kind for one in here for kind in one["kinds"]}
    assert {one["name"] for one in here if not asked & set(one["kinds"])} <= needed


def test_the_volumes_of_a_broker_outlive_it_under_this_release_of_its_operator() -> None:
    (one,) = [one for one in OPERATORS if one["name"] == "RabbitMQ cluster operator"]
    assert tuple(map(int, one["release"].removeprefix("v").split("."))) >= (2, 22, 4)
    assert "rabbitmq.com/pauseReconciliation=true" in PAGE.read_text()
