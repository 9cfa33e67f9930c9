"""A stack file says what it means, or the error says where it does not and what to write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components.specs import DatabaseSpec
from stacks import schema
from stacks.explain import names_in
from stacks.loading import SettingsError, check_stack_file, load_settings
from stacks.profiles import merged
from tests.components.recording import ROOT, STACKS, config_of, deep

GOOD = """\
config:
  payments:tier: dev
  payments:target: aws
  payments:aws: {region: ap-southeast-1}
  payments:kubernetes: {context: here}
  payments:network: {zones: [ap-southeast-1a, ap-southeast-1b]}
"""

# (what a person writes below GOOD, or instead of it; the one line they get back, without the file's name)
MISTAKES = {
    "a nested key": (
        "  payments:databases:\n    clearing:\n      backup_retention_dyas: 7\n",
        "9  databases.clearing.backup_retention_dyas: no such setting; did you mean backup_retention_days?",
    ),
    "a key of ours": ("  payments:databses: {}\n", "7  databses: no such setting; did you mean databases?"),
    "a domain": (
        "  payments:databases:\n    claring: {}\n",
        "8  databases.claring: no such setting; did you mean clearing?",
    ),
    "a namespace": ("  payment:tier: dev\n", "7  payment:tier: no such namespace; did you mean payments:tier?"),
    "no namespace": ("  tier: dev\n", "7  tier: has no namespace; did you mean payments:tier?"),
    "a key of Pulumi's": ("  pulumi:tgas: {}\n", "7  pulumi:tgas: no such setting of Pulumi; did you mean tags?"),
    "a provider's key": (
        "  aws:region: eu-west-1\n",
        "7  aws:region: is not read: providers are made from payments:aws; write it there",
    ),
    "a key of the file": (
        "secretprovider: x\n",
        "7  secretprovider: no such key in a stack file; did you mean secretsprovider?",
    ),
    "a key twice": ("  payments:tier: prod\n", "7  tier: is written twice; the first is on line 2"),
    "text for a number": (
        "  payments:databases:\n    risk:\n      storage_gib: '40'\n",
        "9  databases.risk.storage_gib: must be a whole number from 20 to 65536 "
        "(GiB; can grow, can never shrink in place), and is a text of 2 characters; write one like 20",
    ),
    "out of bounds": (
        "  payments:databases:\n    risk:\n      backup_retention_days: 0\n",
        "9  databases.risk.backup_retention_days: must be a whole number from 1 to 35 "
        "(days that point-in-time restore can reach back), and is 0; write 1",
    ),
    "an enumeration": (
        "  payments:broker:\n    replicas: 7\n",
        "8  broker.replicas: must be 1, 3 or 5 (nodes; only 1, 3 and 5 are tested by the operator), and is 7; write 5",
    ),
    "no room to grow": (
        "  payments:databases:\n    risk:\n      storage_gib: 100\n",
        "8  databases.risk: max_storage_gib must be at least 110, 10 % above storage_gib, and is 100",
    ),
    "a promise the target cannot keep": (
        "  payments:redis:\n    coordination: {durable_writes: true, node_type: cache.m7g.large}\n",
        "8  redis.coordination.durable_writes: ElastiCache needs a replica for it; write replicas: 1 or more",
    ),
    "a number that is a mapping": (
        "  payments:databases:\n    risk: 7\n",
        "8  databases.risk: must be a mapping, and is 7; write below it " + ", ".join(DatabaseSpec.model_fields),
    ),
    "a mapping that is a list": (
        "  payments:queues: []\n",
        "7  queues: must be a mapping, and is a list of 0 entries; write entries by name, such as payments",
    ),
    "a name that cannot be one": (
        "  payments:queues: {Pay_ments: {}}\n",
        "7  queues.Pay_ments: cannot be a name here; "
        "write lower-case letters, digits and hyphens, beginning with a letter",
    ),
    "a text for a switch": (
        "  payments:safety: {protect: 'yes'}\n",
        "7  safety.protect: must be true or false (Pulumi refuses to delete or replace the resource), "
        "and is a text of 3 characters; write one like false",
    ),
    "a text of another form": (
        "  payments:namespace: {pod_security_version: '1.34'}\n",
        r"7  namespace.pod_security_version: must be a text of the form ^v1\.\d\d$ (release of the Pod Security "
        "Standards), and is a text of 4 characters; write one like v1.34",
    ),
    "a version that YAML takes for a number": (
        "  payments:redis: {coordination: {version: 9.0}}\n",
        r"7  redis.coordination.version: must be a text of the form ^9\.\d+$ (Valkey major.minor; aws chooses the "
        "patch release), and is 9.0; "
        "write one like '9.0'",
    ),
}


@pytest.mark.parametrize(("written", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_each_mistake_is_one_line_with_its_address(tmp_path: Path, written: str, said: str) -> None:
    assert check(tmp_path, GOOD + written) == [f"stacks/Pulumi.x.yaml:{said}"]


def test_the_example_of_a_right_file_is_right(tmp_path: Path) -> None:
    assert check(tmp_path, GOOD) == []


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    said = check(
        tmp_path,
        "config:\n  payments:tier: prdo\n  payments:target: aws\n"
        "  payments:redis: {cache: {replica: 1}}\n  payment:x: 1\n",
    )
    assert said == [
        "stacks/Pulumi.x.yaml:1  kubernetes.context: is needed (kubeconfig context; no other cluster is ever touched); "
        "write one like payments-example",
        "stacks/Pulumi.x.yaml:1  network.zones: is needed (availability zones by name); "
        "write one like [ap-southeast-1a, ap-southeast-1b, ap-southeast-1c]",
        "stacks/Pulumi.x.yaml:2  tier: must be dev, staging, prod or edge, and is a text of 4 characters; write prod",
        "stacks/Pulumi.x.yaml:4  redis.cache.replica: no such setting; did you mean replicas?",
        "stacks/Pulumi.x.yaml:5  payment:x: no such namespace; settings begin with payments:",
    ]


@pytest.mark.parametrize(
    "text", ["config:\n\tpayments:tier: dev\n", "config: {payments:tier: dev\n", "config: *nobody\n", "\x00"]
)
def test_what_is_not_yaml_is_one_clear_error(tmp_path: Path, text: str) -> None:
    (said,) = check(tmp_path, text)
    assert said.startswith("stacks/Pulumi.x.yaml")
    assert "is not YAML" in said


SECRET = "hunter2-4111111111111111"
HELD = {
    "a password": f"  payments:databases:\n    risk:\n      password: {SECRET}\n",
    "a tag that is a token": f"  payments:tags:\n    deploy_token: {SECRET}\n",
    "an encrypted value": f"  payments:redis:\n    cache:\n      tls_secret_ref: {{secure: {SECRET}}}\n",
    "a value where a name belongs": f"  payments:redis:\n    cache:\n      tls_secret_ref: 'A b {SECRET}!'\n",
    "a broken line": f"  payments:tags: {{password: {SECRET}\n",
}


@pytest.mark.parametrize("written", HELD.values(), ids=HELD.keys())
def test_a_secret_is_refused_and_never_repeated(tmp_path: Path, written: str) -> None:
    said = check(tmp_path, GOOD + written)
    assert said
    assert SECRET not in "\n".join(said)


def test_a_value_from_elsewhere_is_not_blamed_on_the_file() -> None:
    config = config_of("staging")
    config["payments:databases"] = json.dumps({"clearing": {"storage_gib": 200, "bakcup_retention_days": 3}})
    with pytest.raises(SettingsError) as caught:
        load_settings("staging", config, [], root=ROOT)
    assert str(caught.value) == (
        "(given outside the stack file)  databases.clearing.bakcup_retention_days: "
        "no such setting; did you mean backup_retention_days?"
    )


def test_a_key_of_the_file_that_nobody_reads_stops_the_program_too(tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "Pulumi.staging.yaml").write_text("confg: {}\n")
    with pytest.raises(SettingsError, match=r"staging.yaml:1  confg: no such key in a stack file; did you mean config"):
        load_settings("staging", config_of("staging"), [], root=tmp_path)


def test_a_value_that_the_engine_calls_secret_is_refused() -> None:
    config = config_of("staging")
    with pytest.raises(SettingsError, match=r"Pulumi.staging.yaml:\d+  aws: holds a secret"):
        load_settings("staging", config, ["payments:aws"], root=ROOT)


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_file_is_right_with_and_without_the_engine(stack: str) -> None:
    file = ROOT / "stacks" / f"Pulumi.{stack}.yaml"
    assert check_stack_file(file) == []
    assert load_settings(stack, config_of(stack), [], root=ROOT).databases
    assert file.read_text().startswith("# yaml-language-server: $schema=schema.json\n")


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_is_right_over_staging_and_changes_it(example: Path) -> None:
    changed = load_settings("staging", config_of("staging", example), [], root=ROOT)
    assert changed != load_settings("staging", config_of("staging"), [], root=ROOT)


@pytest.mark.parametrize("guard", ["protect", "retain_on_delete", "deletion_protection", "final_snapshot"])
def test_production_cannot_take_its_guards_off(guard: str) -> None:
    config = config_of("prod") | {"payments:safety": json.dumps({guard: False})}
    with pytest.raises(SettingsError, match=rf"safety\.{guard}: prod always guards its data"):
        load_settings("prod", config, [], root=ROOT)


def test_the_schema_for_editors_is_current() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.rendered(), "run: python -m stacks.schema"


def test_the_schema_is_closed_everywhere_and_knows_every_key_in_use() -> None:
    shape = schema.stack_file_schema()
    named = {name: part for name, part in shape["$defs"].items() if part["type"] == "object"}
    assert named
    assert [name for name, part in named.items() if part["additionalProperties"] is not False] == []
    for stack in STACKS:
        written = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text())
        assert set(written["config"]) <= set(shape["properties"]["config"]["properties"])


def test_pulumi_declares_exactly_the_settings_there_are() -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert {key for key in declared if ":" not in key} == set(names_in(()))


TREES = st.recursive(
    st.integers(), lambda deeper: st.dictionaries(st.sampled_from("abcd"), deeper, max_size=3), max_leaves=12
)


@given(TREES, TREES)
def test_merging_gives_the_override_where_it_speaks_and_the_base_elsewhere(base: object, over: object) -> None:
    assert merged(base, over) == deep(base, over)
    assert merged(base, base) == base
    assert merged(merged(base, over), over) == merged(base, over)


def check(folder: Path, text: str) -> list[str]:
    """The problems of a file with this text, at stacks/Pulumi.x.yaml."""
    file = folder / "stacks" / "Pulumi.x.yaml"
    file.parent.mkdir()
    file.write_text(text, encoding="utf-8")
    return check_stack_file(file)
