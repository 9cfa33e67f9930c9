"""Pulumi's names and Terraform's: every input of every type in the book has one, and no two have the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.books.terraform import Inputs, TerraformType, snake, spellings, terraform_tokens, terraform_type
from tollgate.rehearsal.packages import sdk_folders
from tollgate.rehearsal.sdk_types import Input, Sdk, Shape, fields_of

TOKENS = terraform_tokens()
SDK = Sdk(sdk_folders(None)["aws"])


def known(token: str) -> TerraformType:
    found = terraform_type(token)
    assert found is not None
    return found


def names(inputs: Inputs) -> set[str]:
    return {*inputs.text, *inputs.plain, *inputs.list, *inputs.map, *inputs.secret, *inputs.blocks}


def test_the_book_covers_what_matters() -> None:
    kinds = {known(token).terraform for token in TOKENS}
    assert len(TOKENS) > 250
    assert {"aws_db_instance", "aws_rds_cluster", "aws_s3_bucket", "aws_iam_role_policy", "aws_mq_broker"} <= kinds
    assert "password" in known("aws:rds/instance:Instance").inputs.secret
    assert "auth_token" in known("aws:elasticache/replicationGroup:ReplicationGroup").inputs.secret


@pytest.mark.parametrize("token", TOKENS)
def test_every_input_of_the_sdk_has_one_name(token: str) -> None:
    """A property without a name would be left out of the plan, and a name for two of them would hide one."""
    types = SDK.types(token)
    assert types is not None, "the SDK has no such type"
    entry = known(token)
    assert list(nameless(types.inputs, entry.inputs, entry, ())) == []


def nameless(fields: Mapping[str, Input], there: Inputs, entry: TerraformType, path: tuple[str, ...]) -> Iterator[str]:
    taken: dict[str, str] = {}
    for name, field in fields.items():
        at = (*path, name)
        spelt = (entry.renamed.get(name) if not path else None) or there.spelt(name)
        if spelt is None:
            yield from () if ".".join(at) in entry.newer else (".".join(at),)
            continue
        if spelt in taken:
            yield f"{'.'.join(at)} and {taken[spelt]} are both {spelt}"
        taken[spelt] = ".".join(at)
        inner = within(field.shape)
        if spelt in there.blocks and inner:
            yield from nameless(inner, there.blocks[spelt], entry, at)


def within(shape: Shape) -> Mapping[str, Input] | None:
    while shape.kind == "list" and shape.item:
        shape = shape.item
    return fields_of(shape.fields) if shape.kind == "object" and shape.fields else None


@given(st.sampled_from(TOKENS), st.data())
def test_a_terraform_name_is_found_again_from_what_pulumi_makes_of_it(token: str, data: st.DataObject) -> None:
    """pulumi-terraform-bridge: camel case, and lists in the plural."""
    inputs = known(token).inputs
    name = data.draw(st.sampled_from(sorted(names(inputs))))
    first, *rest = name.split("_")
    camel = first + "".join(part[:1].upper() + part[1:] for part in rest)
    plurals = {camel, f"{camel}s", f"{camel}es", f"{camel[:-1]}ies" if camel.endswith("y") else camel}
    for spelling in plurals:
        assert name in spellings(spelling) or name.replace("_", "") == inputs.spelt(spelling)


@given(st.from_regex(r"[a-z]{1,8}([A-Z][a-z]{1,8}){0,4}", fullmatch=True))
def test_snake_case_loses_nothing(name: str) -> None:
    parts = snake(name).split("_")
    assert parts[0] + "".join(part.capitalize() for part in parts[1:]) == name
