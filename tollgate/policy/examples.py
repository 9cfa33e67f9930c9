"""Whether the examples of the statements come to what they stand for: a rule that never fires is decoration."""

from __future__ import annotations

from collections.abc import Iterator

from tollgate.errors import Problem
from tollgate.policy.check import Verdict
from tollgate.policy.cross import CrossRule, misjudged
from tollgate.policy.pack import Pack
from tollgate.policy.statement import Rule


def example_problems(pack: Pack) -> Iterator[Problem]:
    """Examples that are misjudged, and rules that raise on their own examples."""
    for rule in pack.statements:
        try:
            problems = list(misjudged(rule) if isinstance(rule, CrossRule) else _misjudged(rule))
        except Exception as error:  # noqa: BLE001  (whatever it is, the rule did not run)
            problems = [f"raises on its own example: {type(error).__name__}: {error}"]
        yield from (Problem(rule.id, text) for text in problems)


def _misjudged(rule: Rule) -> Iterator[str]:
    good, bad = rule.check(rule.good), rule.check(rule.bad)
    if good.verdict is not Verdict.HOLDS:
        yield f"the example good comes to: {good.verdict.name.lower()}; wanted: holds"
    if bad.verdict is not Verdict.FAILS or len(bad.findings) != 1:
        found = f"{bad.verdict.name.lower()} with {len(bad.findings)} findings"
        yield f"the example bad comes to: {found}; wanted: fails with 1 finding"
