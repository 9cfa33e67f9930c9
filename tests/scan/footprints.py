"""Each of our stacks as the real engine brings it up from nothing; made once a run of the tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tollgate.engine.find import find
from tollgate.engine.project import find_project
from tollgate.plan.footprint import Footprint
from tollgate.rehearsal.baseline import NOTHING
from tollgate.rehearsal.rehearse import Request, rehearse

PROJECT = find_project(Path(__file__).parent)
STACKS = PROJECT.stacks()


@cache
def footprint_of(stack: str) -> Footprint:
    request = Request(PROJECT, stack, NOTHING, carry_out=True)
    footprint = rehearse(request, find(print), lambda _: None).footprint
    assert isinstance(footprint, Footprint)
    return footprint
