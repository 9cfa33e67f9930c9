"""Deletion and replacement: what is lost with the old one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import takewhile

from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Doubt, Fine, Hit, Seen, step_rule
from tollgate.books.stateful import Holding, Holds, holding
from tollgate.plan.model import Op, Step
from tollgate.plan.text import plain
from tollgate.policy.paths import format_path, parse_path
from tollgate.policy.severity import CRITICAL, HIGH, MEDIUM, Severity

_SEVERITIES = {
    Holds.DATA: CRITICAL,
    Holds.CONTENTS: CRITICAL,
    Holds.TRANSIENT: HIGH,
    Holds.IDENTITY: MEDIUM,
    Holds.SERVICE: MEDIUM,
}


_MOST_NAMED = 3  # properties in a sentence; all of them stand in the appendix
_LEFT = "it stays where it is, but is no longer managed"


def goes(step: Step) -> bool:
    """The resource as it is goes away: deleted, or replaced. A component is only a folder.

    What a book knows to hold something is no component, whatever the plan says of it.
    """
    return step.op in (Op.DELETE, Op.REPLACE) and (step.custom or holding(step.type) is not None)


@step_rule(
    id="data-lost",
    severity=CRITICAL,
    why="What was stored in it is gone with it, and only a restored backup brings it back.",
    fix="keep the resource; to replace it, make the new one beside it and move the data first",
)
def data_lost(step: Step) -> Iterator[Seen]:
    """A resource goes that holds data, or may."""
    if not goes(step):
        return
    held = holding(step.type)
    if held is None:
        yield Doubt("type", f"{capital(subject(step))} {_goes_in_words(step)}; whether it holds data is not known.")
        yield Hit(
            f"{capital(subject(step))} {_goes_in_words(step)}, and we do not know whether it holds data.",
            _why_replaced(step),
            MEDIUM,
        )
    elif held.holds in (Holds.DATA, Holds.TRANSIENT):
        yield Hit(_sentence(step, held), _why_replaced(step), _severity(step, held))
    elif held.holds is Holds.NOTHING:
        yield Fine("", partial(_nothing_lost, step, held))


@step_rule(
    id="contents-lost",
    severity=CRITICAL,
    why="The plan shows only what this program declared in it; the rest goes without being named anywhere.",
    fix="list what is in it, move what must stay, and delete it in a change of its own",
)
def contents_lost(step: Step) -> Iterator[Seen]:
    """A resource goes in which others made things, too."""
    held = holding(step.type) if goes(step) else None
    if held and held.holds is Holds.CONTENTS:
        yield Hit(_sentence(step, held), _why_replaced(step), _severity(step, held))


@step_rule(
    id="service-removed",
    severity=MEDIUM,
    why="Whoever uses it notices: it stops, or its name, address or password is another one.",
    fix="check who still uses it; make the new one first and move its users over",
)
def service_removed(step: Step) -> Iterator[Seen]:
    """A resource goes that serves users, or that others know by name, address or password."""
    held = holding(step.type) if goes(step) else None
    if held and held.holds in (Holds.IDENTITY, Holds.SERVICE) and not step.retain_on_delete:
        yield Hit(_sentence(step, held), _why_replaced(step))


@step_rule(
    id="protected-deletion",
    severity=HIGH,
    why="Someone marked it as never to be deleted, so the engine will refuse the change.",
    fix="take the deletion out, or take the protection off in a change of its own first",
)
def protected_deletion(step: Step) -> Iterator[Seen]:
    """A protected resource is to go. A replacement that takes the protection off as well is not refused."""
    refused = step.protect_after if step.op is Op.REPLACE else step.op in (Op.DELETE, Op.UNRECOGNISED)
    if refused and step.protect_before:
        yield Hit(f"{capital(subject(step))} is protected, and the change would delete or replace it.")


def _severity(step: Step, held: Holding) -> Severity:
    """Milder when the old one is left where it is. Not so for data that is replaced: its users meet an empty one."""
    if step.retain_on_delete and not (held.holds in (Holds.DATA, Holds.CONTENTS) and step.op is Op.REPLACE):
        return MEDIUM
    return _SEVERITIES[held.holds]


def _sentence(step: Step, held: Holding) -> str:
    left = "what is in the old one stays there, where nobody manages it" if step.op is Op.REPLACE else _LEFT
    rest = left if step.retain_on_delete else held.why
    return f"{capital(subject(step))} {_goes_in_words(step)}: {rest}."


def _goes_in_words(step: Step) -> str:
    if step.op is Op.DELETE:
        return "is taken out of the definition" if step.retain_on_delete else "is deleted"
    reasons = replace_reasons(step)
    because = f" because {_what_changes(reasons)}" if reasons else ""
    order = ", the old one first," if step.delete_before_replace and not because else ""
    held = holding(step.type)
    new = "new, empty one" if held and held.holds in (Holds.DATA, Holds.CONTENTS) else "new one"
    return f"is replaced by a {new}{order}{because}"


def _what_changes(paths: tuple[str, ...]) -> str:
    """Of several properties the one that holds them all, else the first of them."""
    shared = _shared(paths)
    if len(paths) == 1 or shared:
        return f"its {shared or paths[0]} changes"
    more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
    return f"its {' and '.join(paths[:_MOST_NAMED])}{more} change"


def _shared(paths: tuple[str, ...]) -> str:
    """The block that all of the properties stand in; empty for one that says little ("spec")."""
    try:
        parsed = [parse_path(path) for path in paths]
    except ValueError:
        return ""
    alike = takewhile(lambda words: len(set(words)) == 1, zip(*parsed, strict=False))
    block = tuple(words[0] for words in alike)
    return format_path(block) if len(block) > 1 else ""


def replace_reasons(step: Step) -> tuple[str, ...]:
    """The properties that replace the resource, the most exact form that the engine gave."""
    exact = tuple(change.path for change in step.changes or () if change.replaces)
    return tuple(plain(reason) for reason in exact or step.replace_keys)


def _why_replaced(step: Step) -> tuple[Evidence, ...]:
    return tuple(Evidence(path=path) for path in replace_reasons(step)[:10])


def _nothing_lost(step: Step, held: Holding) -> tuple[str, tuple[Evidence, ...]]:
    text = f"{capital(subject(step))} {_goes_in_words(step)}: we looked for data in it; it is fine, because it holds"
    return f"{text} {held.why}.", _why_replaced(step)


RULES = (data_lost, contents_lost, service_removed, protected_deletion)
