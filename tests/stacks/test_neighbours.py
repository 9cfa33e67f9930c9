"""Two stacks that would be in each other's way are refused, and a free place is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.naming import with_short_region
from stacks.loading import check_stack_file
from stacks.neighbours import LONGEST_STACK
from tests.components.recording import ROOT

PROD = (ROOT / "stacks" / "Pulumi.prod.yaml").read_text(encoding="utf-8")
TOKYO = (
    PROD.replace("ap-southeast-1", "ap-northeast-1")
    .replace("payments-prod", "payments-prod-tokyo")
    .replace("  payments:network:\n", "  payments:network:\n    cidr: 10.31.0.0/16\n")
)
EDGE = (ROOT / "stacks" / "Pulumi.edge.yaml").read_text(encoding="utf-8")

FRANKFURT = TOKYO.replace("ap-northeast-1", "eu-central-1").replace("prod-tokyo", "prod-frankfurt")

# (stacks that are there, what is changed in the second region's file, the one line that comes back)
IN_THE_WAY: dict[str, tuple[dict[str, str], tuple[str, str], str]] = {
    "no range of its own": (
        {"prod": PROD, "prod_frankfurt": FRANKFURT},
        ("    cidr: 10.31.0.0/16\n", ""),
        "network.cidr: 10.30.0.0/16 overlaps 10.30.0.0/16 of stacks/Pulumi.prod.yaml; "
        "write another, such as 10.32.0.0/16",
    ),
    "a range inside another": (
        {"prod": PROD},
        ("10.31.0.0/16", "10.30.240.0/20"),
        "network.cidr: 10.30.240.0/20 overlaps 10.30.0.0/16 of stacks/Pulumi.prod.yaml; "
        "write another, such as 10.31.0.0/20",
    ),
    "the same cluster": (
        {"prod": PROD},
        ("payments-prod-tokyo", "payments-prod"),
        "kubernetes.context: stacks/Pulumi.prod.yaml has that namespace of that cluster already; "
        "write another context or namespace",
    ),
    "the same region": (
        {"prod": PROD},
        ("ap-northeast-1", "ap-southeast-1"),
        "aws.region: stacks/Pulumi.prod.yaml has tier prod there already, and the names of its parameters; "
        "write another region, or an account_id in both files",
    ),
}


def check(folder: Path, **files: str) -> list[str]:
    """The problems of the last file, without its own name and line, in a folder with all of them."""
    stacks = folder / "stacks"
    stacks.mkdir()
    for name, text in files.items():
        (stacks / f"Pulumi.{name.replace('_', '-')}.yaml").write_text(text, encoding="utf-8")
    last = list(files)[-1].replace("_", "-")
    return [said.partition("  ")[2] for said in check_stack_file(stacks / f"Pulumi.{last}.yaml")]


def test_a_second_region_is_one_more_file(tmp_path: Path) -> None:
    assert check(tmp_path, prod=PROD, prod_ap_northeast_1=TOKYO) == []


@pytest.mark.parametrize(("others", "change", "said"), IN_THE_WAY.values(), ids=IN_THE_WAY.keys())
def test_what_two_stacks_would_share_is_refused(
    tmp_path: Path, others: dict[str, str], change: tuple[str, str], said: str
) -> None:
    assert check(tmp_path, **others, prod_tokyo=TOKYO.replace(*change)) == [said]


def test_two_accounts_may_have_the_same_region(tmp_path: Path) -> None:
    def in_account(text: str, number: str) -> str:
        return text.replace("payments:aws:\n", f"payments:aws:\n    account_id: '{number * 12}'\n")

    other = TOKYO.replace("ap-northeast-1", "ap-southeast-1")
    assert check(tmp_path, prod=in_account(PROD, "1"), prod_two=in_account(other, "2")) == []


def test_a_neighbour_that_is_no_stack_is_not_this_files_concern(tmp_path: Path) -> None:
    assert check(tmp_path, broken="config: [", empty="", strange="config: {payments:tier: 7}", prod=PROD) == []


def test_a_second_edge_site_needs_a_cluster_of_its_own(tmp_path: Path) -> None:
    (said,) = check(tmp_path, edge=EDGE, edge_two=EDGE)
    assert said.startswith("kubernetes.context: stacks/Pulumi.edge.yaml has that namespace of that cluster already")


@pytest.mark.parametrize(
    ("stack", "short"),
    [
        ("prod-ap-northeast-1", "prod-apne1"),
        ("prod-us-gov-west-1", "prod-usgw1"),
        ("prod-eu-central-1", "prod-euc1"),
        ("my-prod-us-east-2", "my-prod-use2"),
        ("prod-tokyo", "prod-tokyo"),
        ("staging", "staging"),
        ("prod-blue-1", "prod-blue-1"),
    ],
)
def test_a_region_in_a_name_is_shortened_as_aws_does(stack: str, short: str) -> None:
    assert with_short_region(stack) == short


@pytest.mark.parametrize("stack", ["Prod", "prod--a", "prod.x", "p" * (LONGEST_STACK + 1)])
def test_a_stack_whose_name_cannot_be_part_of_names_is_refused(tmp_path: Path, stack: str) -> None:
    (said,) = check(tmp_path, **{stack: PROD})
    assert f"stack {stack!r} cannot name a resource" in said
