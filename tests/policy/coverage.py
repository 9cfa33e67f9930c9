"""``python -m tests.policy.coverage``: what each set of rules catches of the planted mistakes.

Writes docs/reference/policy-coverage.md. Ours and checkov are run; the two others are TypeScript packs of which the
rules were read, since neither can be run from Python. Asserts nothing: tests/policy/test_planted.py does.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from tests.components.recording import Resource
from tests.policy.planted import MISTAKES, Mistake, planted
from tests.policy.test_stacks import PACK, recorded
from tollgate.plan.footprint import Declared, Footprint
from tollgate.plan.steps import blind
from tollgate.scan.environment import Environment, environment
from tollgate.scan.model import NotRun, Outcome
from tollgate.scan.scan import scan_footprint

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "policy-coverage.md"
Catches = Callable[[Mistake], Sequence[str]]
"""The ids of the rules that find something after a mistake and did not before."""

# Read at commit 712a901 (May 2025), folders vendor-aws/aws and vendor-kubernetes/kubernetes.
COMPLIANCE_POLICIES: Mapping[str, str] = MappingProxyType(
    {
        "a ledger's disk is not encrypted": "rds/Instance/disallowUnencryptedStorage",
        "backups are kept for a day": "rds/Instance/configureBackupRetention",
        "a database has a public address": "rds/Instance/disallowPublicAccess",
        "a key is never changed": "kms/Key/enableKeyRotation",
        "the control plane stands on the internet": "eks/Cluster/disallowApiEndpointPublicAccess",
        "no machine of the broker may ever be repaired": "PodDisruptionBudget/disallowZeroVoluntaryDisruption",
    }
)
# Read at commit 4355f3b (June 2024), folder src, with the settings that it has when nothing is configured.
AWSGUARD: Mapping[str, str] = MappingProxyType(
    {
        "a ledger's disk is not encrypted": "rds-storage-encrypted",
        "a database has a public address": "rds-instance-public-access",
        "a database stands in one zone only": "rds-instance-multi-az-enabled",
        "a key is never changed": "cmk-backing-key-rotation-enabled",
    }
)


def ours(mistake: Mistake) -> Sequence[str]:
    before, after = planted(mistake, recorded(mistake.stack))
    return sorted(_broken(after) - _broken(before))


def _broken(made: Resource) -> set[str]:
    return {breach.rule.id for breach in PACK.breaches(made.type, made.name, made.inputs)}


def by_checkov(known: Environment) -> Catches:
    """checkov over the whole footprint, once as it was and once with the mistake in it."""

    def failures(stack: str, resources: Iterable[Resource]) -> set[tuple[str, str]]:
        declared = tuple(_declared(stack, each) for each in resources if each.custom)
        answer = scan_footprint(Footprint(resources=declared), known)
        if isinstance(answer, NotRun):
            raise SystemExit(f"checkov could not run: {answer.why}")
        return {(each.check, each.urn) for each in answer.checked if each.outcome is Outcome.FAILED}

    @functools.cache
    def before(stack: str) -> set[tuple[str, str]]:
        return failures(stack, recorded(stack))

    def catches(mistake: Mistake) -> Sequence[str]:
        resources = recorded(mistake.stack)
        _, changed = planted(mistake, resources)
        with_it = [changed if _same(each, changed) else each for each in resources]
        return sorted({check for check, _ in failures(mistake.stack, with_it) - before(mistake.stack)})

    return catches


def _same(one: Resource, other: Resource) -> bool:
    return (one.type, one.name) == (other.type, other.name)


def _declared(stack: str, made: Resource) -> Declared:
    urn = f"urn:pulumi:{stack}::payments::{made.type}::{made.name}"
    return Declared(urn=urn, type=made.type, name=made.name, inputs=blind(dict(made.inputs)))


def read_in(rules: Mapping[str, str]) -> Catches:
    """A pack whose rules were read, not run."""
    return lambda mistake: [rules[mistake.what]] if mistake.what in rules else []


def main() -> None:
    known = environment(print)
    columns = {
        "ours": ours,
        f"checkov {known.version}": by_checkov(known),
        "compliance-policies (read)": read_in(COMPLIANCE_POLICIES),
        "awsguard (read)": read_in(AWSGUARD),
    }
    rows = [(mistake, [catches(mistake) for catches in columns.values()]) for mistake in MISTAKES]
    PAGE.write_text(page(list(columns), rows), encoding="utf-8")
    print(f"wrote {PAGE}")


def page(columns: Sequence[str], rows: Sequence[tuple[Mistake, Sequence[Sequence[str]]]]) -> str:
    totals = [sum(bool(caught[index]) for _, caught in rows) for index in range(len(columns))]
    table = [
        ["", "mistake", "stack", *columns],
        ["---"] * (len(columns) + 3),
        *(
            [str(number), mistake.what, mistake.stack, *map(_cell, caught)]
            for number, (mistake, caught) in enumerate(rows, start=1)
        ),
        ["", f"**caught, of {len(rows)}**", "", *(f"**{total}**" for total in totals)],
    ]
    return TEXT.format(number=len(rows), table="\n".join(f"| {' | '.join(row)} |" for row in table))


TEXT = """# What the rules catch

{number} mistakes, planted one by one in our own stacks: as a setting, or in a recorded resource as somebody else's
program would declare it. They and the rule of ours that is meant to catch each were written down before any was tried
(`tests/policy/planted.py`). A rule counts when it finds something that it did not find before.

{table}

## How to repeat it

    .venv/bin/python -m pytest tests/policy/test_planted.py   # ours catches all, by the rule that was named
    .venv/bin/python -m tests.policy.coverage   # writes this page; checkov takes some minutes

checkov runs as `tollgate rehearse` runs it: on a Terraform plan made from the footprint and on the Kubernetes
manifests. [compliance-policies](https://github.com/pulumi/compliance-policies) (commit 712a901) and
[awsguard](https://github.com/pulumi/pulumi-policy-aws) (commit 4355f3b, with nothing configured) are TypeScript: their
rules were read, and a rule counts when its condition is met by the mistake as it is planted.

Where a set names several rules, not all are about the mistake itself: `CKV_AWS_23`, for one, only misses a description.
What this does not say: the mistakes are ours, and so are the stacks. A set of somebody else's choosing would count
differently; checkov in particular knows many services that our stacks do not use.
"""


def _cell(caught: Sequence[str]) -> str:
    return ", ".join(f"`{rule}`" for rule in caught) or "no"


if __name__ == "__main__":
    main()
