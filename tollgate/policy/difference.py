"""What two packs, or two versions of one, make of the same resources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pydantic import BaseModel, ConfigDict, Field

from tollgate.policy.results import Answer, Result

_BEST_FIRST = (Answer.NOT_APPLICABLE, Answer.PASSED, Answer.WAIVED, Answer.NOT_EVALUATED, Answer.FAILED)


class Difference(BaseModel):
    """A rule that comes to something else on a resource under the new rules. None: it was not, or is not, run there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stack: str
    rule: str
    urn: str = Field(description='"" when the rule is about the stack as a whole')
    before: Answer | None
    after: Answer | None
    mandatory: bool = Field(description="under the new rules, or the old where there are none")
    message: str

    @property
    def stricter(self) -> bool:
        """It newly fails; otherwise it newly passes, or is no longer looked at."""
        return self.after in (Answer.FAILED, Answer.NOT_EVALUATED)


class Replay(BaseModel):
    """The comparison. judged: how many answers the new rules gave. Resources are those of the present program."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: str
    stacks: tuple[str, ...]
    judged: int
    differences: tuple[Difference, ...]


def differences(stack: str, old: Iterable[Result], new: Iterable[Result]) -> Iterator[Difference]:
    """What changed, sorted by rule and URN. A new rule that passes changes nothing."""
    before, after = _by_place(old), _by_place(new)
    for rule in sorted(before.keys() | after.keys()):
        of_old, of_new = before.get(rule, {}), after.get(rule, {})
        for urn in _places(of_old, of_new):
            was, now = of_old.get(urn, of_old.get("")), of_new.get(urn, of_new.get(""))
            said = now or was
            if said is None or _same(was, now) or (was is None and said.answer is Answer.PASSED):
                continue
            yield Difference(
                stack=stack,
                rule=rule,
                urn=urn,
                before=was.answer if was else None,
                after=now.answer if now else None,
                mandatory=said.mandatory,
                message=said.message,
            )


def _places(of_old: Mapping[str, Result], of_new: Mapping[str, Result]) -> list[str]:
    """The URNs to compare. A pass on a whole stack is told once (""): it stands for each resource of the other side."""
    urns = of_old.keys() | of_new.keys()
    return sorted(urn for urn in urns if urn or (set(of_old) <= {""} and set(of_new) <= {""}))


def _same(was: Result | None, now: Result | None) -> bool:
    """The same answer at the same level; other words for it are no difference."""
    return was is not None and now is not None and (was.answer, was.mandatory) == (now.answer, now.mandatory)


def _by_place(results: Iterable[Result]) -> dict[str, dict[str, Result]]:
    """By rule, then by URN; of several on one resource the worst."""
    found: dict[str, dict[str, Result]] = {}
    for result in sorted(results, key=lambda each: _BEST_FIRST.index(each.answer)):
        found.setdefault(result.rule, {})[result.urn] = result
    return found
