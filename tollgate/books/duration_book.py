"""The book of durations (durations.yaml): how long one operation on one resource keeps the engine busy."""

from __future__ import annotations

from functools import lru_cache

from pydantic import model_validator

from tollgate.books.line_files import FOLDER, Book, read_lines
from tollgate.books.lines import Line, Operation


class DurationLine(Line):
    """p50 and p90 in seconds of a creation, an update or a deletion. A replacement is a creation and a deletion."""

    seconds: tuple[float, float]

    @model_validator(mode="after")
    def _simple(self) -> DurationLine:
        if not 0 < self.seconds[0] <= self.seconds[1]:
            raise ValueError("seconds is [p50, p90], above zero and in this order")
        if not set(self.ops) <= {Operation.CREATE, Operation.UPDATE, Operation.DELETE}:
            raise ValueError("only create, update and delete have a duration of their own")
        return self


@lru_cache(maxsize=1)
def duration_book() -> Book[DurationLine]:
    """All lines and the book's own numbers. Raises TollgateError for a damaged book."""
    return read_lines([FOLDER / "durations.yaml"], DurationLine)
