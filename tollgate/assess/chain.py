"""The longest chain of operations that wait for each other, and the bounds of any schedule for all of them."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from tollgate.assess.impact import Span
from tollgate.books.lines import Operation, SourceLine


class Part(NamedTuple):
    """One operation on one resource, what it waits for (URNs), and p50 and p90 in seconds."""

    urn: str
    op: Operation
    waits_for: tuple[str, ...]
    span: tuple[float, float]
    source: SourceLine | None


class Half(NamedTuple):
    """How long a set of operations takes, and its longest chain on a slow day, in order."""

    span: Span
    chain: tuple[Part, ...]


def schedule(parts: Sequence[Part], workers: int, *, backwards: bool) -> Half:
    """Bounds over all schedules of these parts by so many workers (see tollgate.assess.duration).

    backwards: what is waited for is done after, as when everything is deleted. Parts in a cycle, or that wait for one,
    are counted one after the other.
    """
    edges = _edges(parts, backwards=backwards)
    usual, _ = _longest(parts, edges, 0)
    slow, chain = _longest(parts, edges, 1)
    work = [math.fsum(part.span[side] for part in parts) for side in (0, 1)]
    p50 = max(usual, work[0] / workers)
    return Half(Span(p50=p50, p90=max(p50, slow + max(work[1] - slow, 0.0) / workers)), chain)


def _edges(parts: Sequence[Part], *, backwards: bool) -> list[set[int]]:
    """For each part the places of those that come right before it."""
    places: dict[str, list[int]] = {}
    for place, part in enumerate(parts):
        places.setdefault(part.urn, []).append(place)
    before: list[set[int]] = [set() for _ in parts]
    for place, part in enumerate(parts):
        for urn in part.waits_for:
            for other in places.get(urn, ()) if urn != part.urn else ():
                before[other if backwards else place].add(place if backwards else other)
    for same in places.values():  # an old one is deleted before its successor is made
        for earlier, later in pairwise(sorted(same, key=lambda place: _turn(parts[place]))):
            before[later].add(earlier)
    return before


def _turn(part: Part) -> tuple[bool, Operation, tuple[float, float], tuple[str, ...]]:
    return part.op is not Operation.DELETE, part.op, part.span, part.waits_for


def _longest(parts: Sequence[Part], before: list[set[int]], side: int) -> tuple[float, tuple[Part, ...]]:
    """Length of the longest chain and its parts. Of equally long ones the first by URN."""
    after: list[list[int]] = [[] for _ in parts]
    open_edges = [len(earlier) for earlier in before]
    for place, earlier in enumerate(before):
        for other in earlier:
            after[other].append(place)
    ends: dict[int, float] = {}
    comes_from: dict[int, int] = {}
    ready = deque(place for place, count in enumerate(open_edges) if not count)
    while ready:
        place = ready.popleft()
        ends[place] = parts[place].span[side]
        if before[place]:
            start = max((ends[other], parts[other].urn, parts[other].op, other) for other in before[place])
            ends[place] += start[0]
            comes_from[place] = start[3]
        for other in after[place]:
            open_edges[other] -= 1
            if not open_edges[other]:
                ready.append(other)
    last = max(ends, key=lambda place: (ends[place], parts[place].urn, parts[place].op), default=None)
    circling = sorted(
        (part for place, part in enumerate(parts) if place not in ends), key=lambda part: (part.urn, part.op)
    )
    chain = _back(parts, comes_from, last)
    length = (ends[last] if last is not None else 0.0) + math.fsum(part.span[side] for part in circling)
    return length, (*chain, *circling)


def _back(parts: Sequence[Part], comes_from: Mapping[int, int], last: int | None) -> Iterable[Part]:
    chain: list[Part] = []
    while last is not None:
        chain.append(parts[last])
        last = comes_from.get(last)
    return reversed(chain)
