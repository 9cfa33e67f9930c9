"""The engine counts what it plans, and says what it refuses; a plan that shows less than that has lost something."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tollgate.errors import Problem
from tollgate.plan.model import Diagnostic, Op
from tollgate.plan.steps import RawStep

# The engine's refusal of a deletion, which it does not count (step_generator.go, v3.257.0).
_REFUSAL = re.compile(r'resource "(urn:pulumi:[^"]+)" cannot be deleted\s+because it is protected')
_TAKES_AWAY = frozenset({"delete", "replace", "delete-replaced", "create-replacement"})
_COUNTED = (Op.CREATE, Op.UPDATE, Op.REPLACE, Op.DELETE, Op.IMPORT)


def read_counts(summary: Any, where: str) -> tuple[dict[str, int], list[Problem]]:
    """The summary as operation → count, and what is wrong with its shape."""
    if not isinstance(summary, Mapping):
        return {}, [Problem(where, "expected the number of resources for each operation")]
    bad = [
        Problem(f"{where}.{op}", "expected a whole number that is not negative")
        for op, count in summary.items()
        if not isinstance(count, int) or isinstance(count, bool) or count < 0
    ]
    return ({} if bad else dict(summary)), bad


def missing_steps(raws: Iterable[RawStep], counts: Mapping[str, int], *, lists_sames: bool = False) -> tuple[str, ...]:
    """One sentence for each operation that was counted more often than it is shown.

    The other way round is normal: a refused deletion is shown and not counted. A stream lists also what stays; a
    digest does not.
    """
    shown = Counter(raw.op for raw in raws)
    counted = (*_COUNTED, Op.SAME) if lists_sames else _COUNTED
    return tuple(
        f"The engine counted {counts[op]} of {op}, but the plan shows {shown[op]}: part of it is missing."
        for op in counted
        if counts.get(op, 0) > shown[op]
    )


def missing_refusals(raws: Iterable[RawStep], diagnostics: Iterable[Diagnostic]) -> tuple[str, ...]:
    """One sentence for each deletion that the engine refused and the plan does not show."""
    shown = {raw.urn for raw in raws if raw.op in _TAKES_AWAY}
    refused = {urn for found in diagnostics for urn in _REFUSAL.findall(found.message)}
    return tuple(
        f"The engine refused to delete {urn.rpartition('::')[2]}, which the plan does not show."
        for urn in sorted(refused - shown)
    )
