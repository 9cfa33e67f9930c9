"""What earlier runs teach: the book's figures drawn towards how long the same operations really took."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from statistics import NormalDist

from tollgate.assess.impact import RecordedRun
from tollgate.books.line_files import Number
from tollgate.books.lines import Operation

_Z90 = NormalDist().inv_cdf(0.9)


class Recorded:
    """Earlier operations by type and kind. Times are taken as log-normal: their logarithms are averaged.

    The book counts as much as ``book_weight`` runs, so a few odd ones do not move it far.
    """

    def __init__(self, runs: Iterable[RecordedRun], numbers: Mapping[str, Number]) -> None:
        self._weight = numbers["book_weight"].value
        self._least = numbers["least_runs"].value
        self._logs: dict[tuple[str, Operation], list[float]] = {}
        self.count = 0
        for run in runs:
            self._logs.setdefault((run.type, run.op), []).append(math.log(run.seconds))
            self.count += 1

    def corrected(self, type_token: str, op: Operation, book: tuple[float, float]) -> tuple[float, float]:
        """p50 and p90 in seconds: the book's, drawn towards the recorded runs of this type and operation."""
        logs = self._logs.get((type_token, op), [])
        if not logs:
            return book
        spread = math.log(book[1] / book[0]) / _Z90
        return self._fitted(logs, math.log(book[0]), spread)

    def alone(self, type_token: str, op: Operation) -> tuple[float, float] | None:
        """p50 and p90 from the runs alone, None while there are too few of them."""
        logs = self._logs.get((type_token, op), [])
        if len(logs) < self._least:
            return None
        mean = math.fsum(logs) / len(logs)
        spread = math.sqrt(math.fsum((log - mean) ** 2 for log in logs) / len(logs))
        return math.exp(mean), math.exp(mean + _Z90 * spread)

    def _fitted(self, logs: list[float], mean: float, spread: float) -> tuple[float, float]:
        weight = self._weight + len(logs)
        middle = math.fsum([self._weight * mean, *logs]) / weight
        squares = [(log - middle) ** 2 for log in logs]
        variance = math.fsum([self._weight * (spread**2 + (mean - middle) ** 2), *squares]) / weight
        return math.exp(middle), math.exp(middle + _Z90 * math.sqrt(variance))
